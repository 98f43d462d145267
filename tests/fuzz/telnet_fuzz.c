/*
 * Fuzzes the input of a telnet peer, and line ends: there is never more data than input, an answer
 * is three bytes that begin with 255, and the conversion of line ends does not depend on how the
 * input is split.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flow/stage.h"
#include "filter/telnet.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void
telnet_fuzz_crlf(const uint8_t *bytes, size_t n, size_t cut)
{
	struct stage whole = crlf_stage, parts = crlf_stage;
	unsigned char *out = malloc(2 * n + 1), *other = malloc(2 * n + 1);
	if (out == NULL || other == NULL)
		abort();
	size_t made = whole.ops->change(&whole, bytes, n, false, out);
	size_t first = parts.ops->change(&parts, bytes, cut, false, other);
	size_t rest = parts.ops->change(&parts, bytes + cut, n - cut, false, other + first);
	if (made != first + rest || memcmp(out, other, made) != 0)
		abort();
	for (size_t i = 0; i < made; i++)
		if (out[i] == '\n' && (i == 0 || out[i - 1] != '\r'))
			abort();
	free(out);
	free(other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct telnet_parser parser = { .state = TELNET_DATA };
	size_t data_count = 0, answers = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char data = 0, answer[TELNET_ANSWER] = { 0 };
		size_t answered = 0;
		data_count += telnet_feed(&parser, bytes[i], &data, answer, &answered);
		if (answered != 0 && (answered != TELNET_ANSWER || answer[0] != 255))
			abort();
		answers += answered;
	}
	/* Three bytes in for three bytes out: answers cannot be amplified. */
	if (data_count + answers > n)
		abort();
	telnet_fuzz_crlf(bytes, n, n > 0 ? bytes[0] % (n + 1) : 0);
	return 0;
}
