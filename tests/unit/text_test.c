/* Escaping: known answers, split everywhere, and no control character in any output (faults M149,
 * M150, M151). */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "check.h"

static const struct {
	bool lines;
	const char *in;
	const char *out;
} text_test_rows[] = {
	{ true, "hello\n", "hello\n" },
	{ true, "a\tb", "a\tb" },
	{ false, "a\tb\n", "a^Ib^J" },
	{ true, "GET /\r\n\r\n", "GET /\n\n" },
	{ false, "a\r\n", "a^M^J" },
	{ true, "50%\r100%", "50%^M100%" },
	{ true, "a\r\r\nb\r", "a^M\nb^M" },
	{ true, "\033[31mred", "^[[31mred" },
	{ true, "\033]52;c;AAAA\a", "^[]52;c;AAAA^G" },
	{ true, "\033P1;2|x\033\\", "^[P1;2|x^[\\" },
	{ true, "a\bb\177", "a^Hb^?" },
	{ true,
		"\x9b"
		"31m",
		"\\x9b31m" }, /* C1 as a raw byte */
	{ true,
		"\xc2\x9b"
		"31m",
		"\\u009b31m" }, /* C1 in UTF-8 */
	{ true,
		"\xe2\x80\xae"
		"abc",
		"\\u202eabc" }, /* right-to-left override */
	{ true, "\xe2\x81\xa6x", "\\u2066x" },
	{ true, "\xe2\x80\x8fx", "\\u200fx" },
	{ true, "a\xe2\x80\x8b\xe2\x81\xa0z", "a\\u200b\\u2060z" }, /* zero width */
	{ true, "a\xc2\xadz", "a\\u00adz" },                        /* soft hyphen */
	{ true, "\xef\xbb\xbfz", "\\ufeffz" },                      /* byte order mark */
	{ true, "\xef\xbf\xb8\xef\xbf\xb9\xef\xbf\xbb\xef\xbf\xbd",
		"\xef\xbf\xb8\\ufff9\\ufffb\xef\xbf\xbd" }, /* interlinear annotation */
	{ true, "\xf3\xa0\x80\x81\xf3\xa0\x81\xbf", "\\U000e0001\\U000e007f" }, /* tags */
	{ true, "\xe2\x80\x8c\xe2\x80\x8d", "\xe2\x80\x8c\xe2\x80\x8d" },       /* joiners */
	{ true, "\xef\xb8\x8f", "\xef\xb8\x8f" }, /* variation selector */
	{ true, "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
	{ true, "\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80" },
	{ true, "\xc0\xaf", "\\xc0\\xaf" }, /* overlong */
	{ true, "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
	{ true, "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* surrogate */
	{ true, "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
	{ true,
		"\xe2\x82"
		"A",
		"\\xe2\\x82"
		"A" }, /* truncated */
	{ true, "\xe2\x82\xe2\x82\xac", "\\xe2\\x82\xe2\x82\xac" },
	{ true, "\xf0\x9f\x98", "\\xf0\\x9f\\x98" }, /* truncated by the end */
	{ true, "\xff\xfe", "\\xff\\xfe" },
};

/* Feeds the input in pieces of the given sizes, alternating, and compares. */
static bool
text_test_cut(bool lines, const unsigned char *in, size_t n, size_t first, size_t then,
	const char *wanted)
{
	struct text text = { .lines = lines };
	unsigned char out[1024];
	size_t put = 0, taken = 0, piece = first;
	while (taken < n) {
		size_t used, size = piece < n - taken ? piece : n - taken;
		put += text_feed(&text, in + taken, size, &used, out + put, sizeof out - put);
		taken += used;
		piece = then;
	}
	put += text_finish(&text, out + put);
	return put == strlen(wanted) && memcmp(out, wanted, put) == 0;
}

/* Random bytes: no control character in the output, and any split gives the same. */
static void
text_test_random(unsigned seed)
{
	unsigned char in[96], out[2][sizeof in * TEXT_EXPANSION];
	size_t put[2] = { 0, 0 };
	srand(seed);
	size_t n = (size_t)rand() % sizeof in;
	for (size_t i = 0; i < n; i++) {
		static const char likely[] = "\r\n\033\x9b\xc2\xe2\x80\xae\xf0\x9f";
		in[i] = rand() % 2 == 0
			? (unsigned char)likely[(size_t)rand() % (sizeof likely - 1)]
			: (unsigned char)rand();
	}
	for (unsigned way = 0; way < 2; way++) {
		struct text text = { .lines = true };
		for (size_t taken = 0, used; taken < n; taken += used) {
			size_t size = way == 0 ? n - taken : (size_t)rand() % (n - taken) + 1;
			/* The second run also has little room each time. */
			size_t room = way == 0 ? sizeof out[0] - put[0] : TEXT_EXPANSION;
			put[way] += text_feed(
				&text, in + taken, size, &used, out[way] + put[way], room);
		}
		put[way] += text_finish(&text, out[way] + put[way]);
	}
	CHECK(put[0] == put[1] && memcmp(out[0], out[1], put[0]) == 0);
	for (size_t i = 0; i < put[0]; i++) {
		unsigned char byte = out[0][i];
		CHECK((byte >= 0x20 && byte != 0x7f) || byte == '\n' || byte == '\t');
		CHECK(!(byte == 0xc2 && i + 1 < put[0] && out[0][i + 1] < 0xa0));
		/* Bytes 0x80 to 0x9f only inside a character. */
		CHECK(byte < 0x80 || byte >= 0xa0 || (i > 0 && out[0][i - 1] >= 0x80));
	}
}

int
main(void)
{
	for (size_t i = 0; i < sizeof text_test_rows / sizeof text_test_rows[0]; i++) {
		const unsigned char *in = (const unsigned char *)text_test_rows[i].in;
		size_t n = strlen(text_test_rows[i].in);
		for (size_t first = 1; first <= n; first++)
			for (size_t then = 1; then <= n; then++)
				CHECK(text_test_cut(text_test_rows[i].lines, in, n, first, then,
					text_test_rows[i].out));
	}
	for (unsigned seed = 0; seed < 20000; seed++)
		text_test_random(seed);

	char *line = text_escape("a\nb\0c", 5);
	CHECK(line != NULL && strcmp(line, "a^Jb^@c") == 0);
	free(line);
	return check_verdict("text");
}
