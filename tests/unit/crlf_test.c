/* LF becomes CR LF, CR LF is unchanged, however the input is split. */
#include <string.h>

#include "check.h"
#include "flow/stage.h"

static const struct {
	const char *in, *out;
} crlf_test_rows[] = {
	{ "", "" },
	{ "a", "a" },
	{ "a\n", "a\r\n" },
	{ "a\r\n", "a\r\n" },
	{ "a\nb\r\nc\rd", "a\r\nb\r\nc\rd" },
	{ "\n\n", "\r\n\r\n" },
	{ "\r\r\n\n", "\r\r\n\r\n" },
	{ "\n\r", "\r\n\r" },
};

int
main(void)
{
	for (size_t i = 0; i < sizeof crlf_test_rows / sizeof crlf_test_rows[0]; i++) {
		const unsigned char *in = (const unsigned char *)crlf_test_rows[i].in;
		size_t n = strlen(crlf_test_rows[i].in), wanted = strlen(crlf_test_rows[i].out);
		/* Split in two everywhere, and byte by byte. */
		for (size_t cut = 0; cut <= n + 1; cut++) {
			unsigned char out[64];
			struct stage crlf = crlf_stage;
			size_t made = 0;
			if (cut <= n) {
				made = crlf.ops->change(&crlf, in, cut, false, out);
				made += crlf.ops->change(
					&crlf, in + cut, n - cut, false, out + made);
			}
			for (size_t j = 0; cut > n && j < n; j++)
				made += crlf.ops->change(&crlf, in + j, 1, false, out + made);
			CHECK(made == wanted && memcmp(out, crlf_test_rows[i].out, made) == 0);
		}
	}
	return check_verdict("crlf");
}
