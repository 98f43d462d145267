/* Fuzzes escaping: no control character in the output, however the input is split. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Converts in pieces of `piece` bytes. */
static size_t
text_fuzz_convert(const uint8_t *bytes, size_t n, size_t piece, unsigned char *out, size_t size)
{
	struct text text = { .lines = true };
	size_t put = 0;
	for (size_t taken = 0, used; taken < n; taken += used)
		put += text_feed(&text, bytes + taken, piece < n - taken ? piece : n - taken, &used,
			out + put, size - put);
	return put + text_finish(&text, out + put);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n < 1 || n > 4096)
		return 0;
	size_t size = (n + 2) * TEXT_EXPANSION, piece = 1 + bytes[0] % 7u;
	unsigned char *whole = malloc(size), *cut = malloc(size);
	if (whole == NULL || cut == NULL)
		abort();
	size_t put = text_fuzz_convert(bytes, n, n, whole, size);
	if (put != text_fuzz_convert(bytes, n, piece, cut, size) || memcmp(whole, cut, put) != 0)
		abort();
	for (size_t i = 0; i < put; i++)
		if ((whole[i] < 0x20 && whole[i] != '\n' && whole[i] != '\t') || whole[i] == 0x7f)
			abort();
	free(text_escape((const char *)bytes, n));
	free(whole);
	free(cut);
	return 0;
}
