/*
 * What comes from a telnet peer, and line ends, under a fuzzer: the data are never more than the
 * input, an answer is three bytes that begin with 255, and the result of the conversion of line
 * ends does not depend on how the input is cut.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flow/crlf.h"
#include "stream/telnet.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void
telnet_fuzz_crlf(const uint8_t *bytes, size_t n, size_t cut)
{
	struct crlf whole = { false }, parts = { false };
	unsigned char *out = malloc(2 * n + 1), *other = malloc(2 * n + 1);
	if (out == NULL || other == NULL)
		abort();
	size_t made = crlf_feed(&whole, bytes, n, out);
	size_t first = crlf_feed(&parts, bytes, cut, other);
	size_t rest = crlf_feed(&parts, bytes + cut, n - cut, other + first);
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
	struct telnet_parser parser = { TELNET_DATA, 0 };
	size_t data_count = 0, answers = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char data = 0, answer[TELNET_ANSWER] = { 0 };
		size_t answered = 0;
		data_count += telnet_feed(&parser, bytes[i], &data, answer, &answered);
		if (answered != 0 && (answered != TELNET_ANSWER || answer[0] != 255))
			abort();
		answers += answered;
	}
	/* Three bytes in for three bytes out: a peer cannot make us talk more than it does. */
	if (data_count + answers > n)
		abort();
	telnet_fuzz_crlf(bytes, n, n > 0 ? bytes[0] % (n + 1) : 0);
	return 0;
}
