/* Fuzzes the relay: the bytes are the script (unit/script.h). */
#include <stdio.h>
#include <stdlib.h>

#include "script.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct script_tally tally = { .runs = 0 };
	const char *broken = script_run(bytes, n, &tally);
	if (broken != NULL) {
		(void)fprintf(stderr, "not so: %s\n", broken);
		abort();
	}
	return 0;
}
