/* Frame formats: names and parameters, what cannot be encoded, the largest messages, linear time
 * for frames that arrive byte by byte (faults K125, K126, K128, K133), and rejection at the first
 * byte that no frame can have (T2). */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "framing.h"

#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1
#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* Every format, with typical parameters. */
static const char *const frame_rules_all[] = { "line", "crlf", "nul", "delim:aab", "u16be", "u16le",
	"u24be", "u24le", "u32be", "u32le", "u64be", "u64le,inclusive", "u16be,offset=3",
	"varint,offset=2", "u32be,add=-1", "varint", "netstring", "octet-counting",
	"content-length", "slip", "cobs", "hex", "base64", "json", "datagram" };

/* Invalid names and parameters, and a part of the message. */
static const struct {
	const char *text;
	const char *says;
} frame_rules_bad[] = {
	{ "foo", "frame 'foo': unknown format (see --list-formats)" },
	{ "", "frame '': unknown format" },
	{ "lin", "unknown format (did you mean line?)" },
	{ "lines", "unknown format (did you mean line?)" },
	{ "LINE", "unknown format (did you mean line?)" },
	{ "l", "unknown format (see --list-formats)" },
	{ "u23be:4", "unknown format (did you mean u24be?)" },
	{ "u32eb,inclusive", "unknown format (did you mean u32be?)" },
	{ "nestring", "unknown format (did you mean netstring?)" },
	{ "octet-count", "unknown format (did you mean octet-counting?)" },
	{ "datagramms", "unknown format (did you mean datagram?)" },
	{ ":16", "unknown format" },
	{ "line:", "frame 'line:': the format has no parameters" },
	{ "crlf,x", "the format has no parameters" },
	{ "nul:0", "the format has no parameters" },
	{ "varint,inclusive", "only ,offset=N may follow" },
	{ "datagram:1", "the format has no parameters" },
	{ "delim", "expected delim:STR" },
	{ "delim:", "expected delim:STR" },
	{ "delim,;", "expected delim:STR" },
	{ "delim:\\q", "the escapes of a delimiter are \\n \\r \\t \\0 \\\\ \\xHH" },
	{ "delim:a\\", "the escapes" },
	{ "delim:\\x4", "the escapes" },
	{ "delim:\\x4g", "the escapes" },
	{ "delim:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "at most 64" },
	{ "fixed", "expected fixed:N, N from 1 to --max-message" },
	{ "fixed:", "expected fixed:N" },
	{ "fixed:0", "expected fixed:N" },
	{ "fixed:-1", "expected fixed:N" },
	{ "fixed:1x", "expected fixed:N" },
	{ "fixed:301", "expected fixed:N" },
	{ "fixed:99999999999999999999", "expected fixed:N" },
	{ "fixed:1,pad", "only ,pad=0xHH" },
	{ "fixed:1,pad=", "only ,pad=0xHH" },
	{ "fixed:1,pad=256", "only ,pad=0xHH" },
	{ "fixed:1,pad=0x20,", "only ,pad=0xHH" },
	{ "fixed:1,add=1", "only ,pad=0xHH" },
	{ "u32be:1", "only ,inclusive, ,add=K and ,offset=N" },
	{ "u32be,", "only ,inclusive, ,add=K and ,offset=N" },
	{ "u32be,inclusivex", "only ,inclusive, ,add=K and ,offset=N" },
	{ "u32be,inclusive,inclusive", "once each" },
	{ "u32be,add=1,add=1", "once each" },
	{ "u32be,add=", "only ,inclusive, ,add=K and ,offset=N" },
	{ "u32be,add=--1", "only ,inclusive, ,add=K and ,offset=N" },
	{ "u32be,add=4611686018427387904", "only ,inclusive, ,add=K and ,offset=N" },
	{ "u32be,offset=", "only ,inclusive, ,add=K and ,offset=N" },
	{ "u32be,offset=1,offset=1", "once each" },
	{ "u32be,offset=-1", "only ,inclusive, ,add=K and ,offset=N" },
	{ "u32be,offset=1000000000", "the header is longer than --max-message" },
	{ "octet-counting,lenient,lenient", "only ,lenient may follow" },
	{ "octet-counting,strict", "only ,lenient may follow" },
	{ "varint,offset=1,inclusive", "only ,offset=N may follow" },
	{ "varint,offset=99999999999999999999", "only ,offset=N may follow" },
	{ "u8,add=256", "no message fits with this constant" },
	{ "u8,inclusive,add=255", "no message fits with this constant" },
	{ "u8,add=-301", "no message fits with this constant" },
	{ "u40be", "unknown format" },
	{ "fixed:010", "a number with a leading zero" },
	{ "fixed:8,pad=040", "a number with a leading zero" },
	{ "fixed:8,pad=00", "a number with a leading zero" },
	{ "u16be,add=-08", "a number with a leading zero" },
	{ "u16be,offset=016", "a number with a leading zero" },
	{ "varint,offset=01", "a number with a leading zero" },
};

static void
frame_rules_parse(void)
{
	struct frame frame;
	struct fault fault = FAULT_NONE;
	for (size_t i = 0; i < COUNT(frame_rules_bad); i++) {
		CHECK(!frame_parse(&frame, frame_rules_bad[i].text, 300, &fault));
		CHECK(fault.status == STATUS_VALUE && fault.text != NULL &&
			strstr(fault.text, frame_rules_bad[i].says) != NULL);
		if (fault.text == NULL || strstr(fault.text, frame_rules_bad[i].says) == NULL)
			(void)fprintf(stderr, "%s: %s\n", frame_rules_bad[i].text, fault.text);
		fault_clear(&fault);
	}
	CHECK(frame_parse(&frame, "delim:a,:\\x00\\\\", 300, &fault));
	CHECK(frame.delimiter_length == 5 && memcmp(frame.delimiter, "a,:\0\\", 5) == 0);
	CHECK(frame_parse(&frame, "fixed:0x10,pad=0x20", 300, &fault));
	CHECK(frame.size == 16 && frame.padded && frame.pad == 32 && frame.max == 300);
	CHECK(frame_parse(&frame, "u32be,add=-4,inclusive", 300, &fault));
	CHECK(frame.inclusive && frame.add == -4 && !frame.padded && !frame.strict);
	CHECK(frame_parse(&frame, "u8,inclusive,add=254", 300, &fault));
	CHECK(frame_parse(&frame, "u8,add=-300", 300, &fault));
	CHECK(frame_parse(&frame, "u64be,add=4611686018427387903", 300, &fault));
	/* Every listed format can be selected. */
	for (size_t i = 0; frame_row(i) != NULL; i++) {
		const struct frame_format *row = frame_row(i);
		const char *text = strcmp(row->name, "fixed") == 0 ? "fixed:1"
			: strcmp(row->name, "delim") == 0          ? "delim:x"
								   : row->name;
		CHECK(frame_parse(&frame, text, 300, &fault));
		CHECK(frame.format == row && row->layout[0] != '\0');
		CHECK(strncmp(row->usage, row->name, strlen(row->name)) == 0);
		fault_clear(&fault);
	}
}

enum { ESCAPE = 1, SHORT_LAST = 2, STRICT = 4, JOINS = 8 };

/* What is rejected, why, and the longest prefix that fits; -1: none. */
static const struct {
	const char *text;
	int flags;
	const unsigned char *message;
	size_t length;
	const char *why;
	int fits;
} frame_rules_refused[] = {
	{ "line", 0, BYTES("ab\nc\n"), "a line break", 2 },
	{ "crlf", 0, BYTES("a\nb\r\nc"), "CR LF", 3 },
	{ "nul", 0, BYTES("\0"), "a NUL byte", 0 },
	{ "delim:aba", 0, BYTES("xab"), "the delimiter", 1 },
	{ "delim:aa", 0, BYTES("baa"), "the delimiter", 1 },
	{ "delim:aa", 0, BYTES("ba"), "the delimiter", 1 },
	/* The escape "\x30" ends with the first half of the delimiter. */
	{ "delim:00", ESCAPE, BYTES("ab0"), "the delimiter", 2 },
	{ "delim:00", ESCAPE, BYTES("a00"), "the delimiter", 1 },
	{ "delim:x", ESCAPE, BYTES("abx"), "the delimiter", 2 },
	{ "delim:\\\\", ESCAPE, BYTES("a\\"), "the delimiter", 1 },
	{ "delim:00", ESCAPE, BYTES("0000"), "the delimiter", 0 },
	{ "fixed:3", 0, BYTES("abcd"), "not the fixed length", 3 },
	{ "fixed:3", 0, BYTES("ab"), "not the fixed length", -1 },
	{ "fixed:3", 0, BYTES(""), "not the fixed length", -1 },
	{ "fixed:3,pad=0", 0, BYTES("abcd"), "not the fixed length", 3 },
	{ "fixed:3", SHORT_LAST, BYTES("abcd"), "not the fixed length", 3 },
	{ "u8,add=250", 0, BYTES("abcdef"), "more bytes than the length field can count", 5 },
	{ "u8,inclusive,add=250", 0, BYTES("abcdef"), "more bytes than the length field can count",
		4 },
	{ "u8,add=-3", 0, BYTES("ab"), "fewer bytes than the length field can count", -1 },
	{ "slip", 0, BYTES(""), "an empty message", -1 },
	{ "datagram", 0, BYTES("abcdefghijk"), "more than the socket takes", 10 },
};

static void
frame_rules_refuse(void)
{
	struct frame frame;
	struct fault fault = FAULT_NONE;
	for (size_t i = 0; i < COUNT(frame_rules_refused); i++) {
		struct frame_refusal refusal = { NULL, 0 };
		size_t put, fits = (size_t)frame_rules_refused[i].fits;
		CHECK(frame_parse(&frame, frame_rules_refused[i].text, 10, &fault));
		frame.escape = (frame_rules_refused[i].flags & ESCAPE) != 0;
		frame.short_last = (frame_rules_refused[i].flags & SHORT_LAST) != 0;
		const unsigned char *message = frame_rules_refused[i].message;
		CHECK(framing_encode(&frame, message, frame_rules_refused[i].length, &put,
			      &refusal) == NULL);
		CHECK(refusal.fits == fits);
		if (refusal.fits != fits)
			(void)fprintf(stderr, "row %zu: fits %zu\n", i, refusal.fits);
		CHECK(refusal.why != NULL && strcmp(refusal.why, frame_rules_refused[i].why) == 0);
		if (fits == SIZE_MAX)
			continue;
		unsigned char *made = framing_encode(&frame, message, fits, &put, &refusal);
		CHECK(made != NULL);
		free(made);
	}
	/* A prefix of that length can be encoded. */
	struct frame_refusal refusal;
	size_t put;
	CHECK(frame_parse(&frame, "fixed:5,pad=0x2e", 10, &fault));
	unsigned char *made = framing_encode(&frame, BYTES("abc"), &put, &refusal);
	CHECK(put == 5 && memcmp(made, "abc..", 5) == 0);
	free(made);
	CHECK(frame_parse(&frame, "fixed:5", 10, &fault));
	frame.short_last = true;
	made = framing_encode(&frame, BYTES("abc"), &put, &refusal);
	CHECK(put == 3 && memcmp(made, "abc", 3) == 0);
	free(made);
}

/* A message of the largest size is accepted, one byte more is rejected, whatever its bytes. */
static void
frame_rules_largest(const char *text, size_t max, unsigned char byte)
{
	struct frame frame, roomy;
	struct fault fault = FAULT_NONE;
	struct frame_refusal refusal;
	struct framing framing;
	unsigned char message[1001];
	size_t put;
	memset(message, byte, sizeof message);
	if (!frame_parse(&frame, text, max, &fault) ||
		!frame_parse(&roomy, text, sizeof message, &fault)) {
		fault_clear(&fault);
		return;
	}
	for (size_t length = max; length <= max + 1; length++) {
		unsigned char *wire = framing_encode(&roomy, message, length, &put, &refusal);
		/* Some formats have no frame for an empty message, or one of 0 bytes. */
		if (length == 0 && (wire == NULL || put == 0)) {
			free(wire);
			continue;
		}
		CHECK(wire != NULL);
		if (wire == NULL)
			continue;
		CHECK(length > max || put <= frame_limit(&frame));
		framing_decode(&framing, &frame, wire, put, NULL, 0, false);
		CHECK(framing.broken == NULL);
		CHECK(framing.end == (length > max ? FRAMING_BAD : FRAMING_WHOLE));
		CHECK(framing.count == (length <= max));
		for (size_t i = 0; i < framing.count; i++)
			CHECK(framing.messages[i].length == length);
		/* Little-endian, a first byte that begins no valid length is "impossible". */
		CHECK(length <= max ||
			(framing.why != NULL &&
				(strcmp(framing.why, "longer than --max-message") == 0 ||
					strcmp(framing.why, "an impossible length") == 0)));
		framing_clear(&framing);
		free(wire);
	}
}

static void
frame_rules_limits(void)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 4, 20, 127, 128, 253, 254, 255, 256, 508,
		1000 };
	static const unsigned char bytes[] = { 'x', 0, 192, 219, 1, 255, '"', '\\' };
	struct frame frame;
	struct fault fault = FAULT_NONE;
	for (size_t i = 0; i < COUNT(frame_rules_all); i++)
		for (size_t j = 0; j < COUNT(sizes); j++)
			for (size_t k = 0; k < COUNT(bytes); k++)
				if (bytes[k] != 0 || strcmp(frame_rules_all[i], "nul") != 0)
					frame_rules_largest(frame_rules_all[i], sizes[j], bytes[k]);
	for (size_t i = 0; i < COUNT(frame_rules_all); i++) {
		if (frame_parse(&frame, frame_rules_all[i], SIZE_MAX, &fault)) {
			frame.escape = true;
			CHECK(frame_limit(&frame) == SIZE_MAX);
			frame.max = SIZE_MAX - 3;
			CHECK(frame_limit(&frame) >= SIZE_MAX - 3);
		}
		fault_clear(&fault);
	}
}

/* Rejected bytes and how their length field is described; NULL: it is not. */
static void
frame_rules_describe(void)
{
	static const struct {
		const char *format, *bytes;
		size_t n;
		const char *text;
	} rows[] = {
		{ "u32be", "gamb", 4,
			"length 1734438242 (67 61 6d 62) is longer than --max-message" },
		{ "u32be", "\5\0\0\0hello", 9,
			"length 83886080 (05 00 00 00) is longer than --max-message; "
			"little-endian?" },
		{ "u16le", "\0\5", 2,
			"length 1280 (00 05) is longer than --max-message; big-endian?" },
		{ "u24be", "\54\1\0", 3,
			"length 2883840 (2c 01 00) is longer than --max-message; little-endian?" },
		{ "u24be", "\55\1\0", 3, "length 2949376 (2d 01 00) is longer than --max-message" },
		{ "u64be", "\377\377\377\377\377\377\377\377", 8,
			"length 18446744073709551615 (ff ff ff ff ff ff ff ff) is longer than "
			"--max-message" },
		{ "u16be,inclusive", "\0\1", 2,
			"length 1 (00 01) is below that of an empty message; little-endian?" },
		{ "u8,inclusive", "\0", 1, "length 0 (00) is below that of an empty message" },
		{ "u32be,offset=2", "abGET ", 6,
			"length 1195725856 (47 45 54 20) is longer than --max-message" },
		{ "u32be", "gam", 3, NULL },
		{ "u32be,offset=2", "abGET", 5, NULL },
		{ "varint", "\255\2", 2, "length 301 (ad 02) is longer than --max-message" },
		{ "varint,offset=1", "x\255\3", 3,
			"length 429 (ad 03) is longer than --max-message" },
		{ "varint", "\377\377", 2, NULL },
		{ "varint", "\1", 1, NULL },
		{ "varint", "\201\0", 2, NULL },
		{ "varint", "\377\377\377\377\377\377\377\377\377\1", 10, NULL },
	};
	char text[128];
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct frame frame;
		struct fault fault = FAULT_NONE;
		unsigned char *bytes = malloc(rows[i].n);
		CHECK(frame_parse(&frame, rows[i].format, 300, &fault));
		CHECK(bytes != NULL);
		if (bytes == NULL)
			return;
		memcpy(bytes, rows[i].bytes, rows[i].n);
		bool known = frame.format->describe(&frame, bytes, rows[i].n, text, sizeof text);
		CHECK(known == (rows[i].text != NULL));
		CHECK(!known || strcmp(text, rows[i].text) == 0);
		free(bytes);
	}
}

#define LARGE (4U << 20)

/* Some 2,000 bytes of a header. */
#define FIELD8 "a:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\n"
#define FIELD64 FIELD8 FIELD8 FIELD8 FIELD8 FIELD8 FIELD8 FIELD8 FIELD8
#define FIELDS FIELD64 FIELD64 FIELD64 FIELD64 FIELD64 FIELD64 FIELD64 FIELD64

/*
 * A frame of four megabytes, byte by byte. Scanning all of it each time would take minutes (10^13
 * bytes).
 */
static void
frame_rules_linear(
	const char *text, bool escape, const unsigned char *head, size_t n, const char *fill)
{
	struct frame frame;
	struct fault fault = FAULT_NONE;
	struct frame_part part = { .scanned = 0 };
	size_t span = strlen(fill), work = 0;
	unsigned char *bytes = malloc(LARGE);
	CHECK(bytes != NULL && frame_parse(&frame, text, LARGE, &fault));
	if (bytes == NULL)
		return;
	frame.escape = escape;
	memcpy(bytes, head, n);
	for (size_t i = n; i < LARGE; i++)
		bytes[i] = (unsigned char)fill[i % span];
	for (n = 1; n <= LARGE; n++) {
		work += n - part.scanned;
		if (frame.format->decode(&frame, bytes, n, &part) != FRAME_MORE)
			break;
	}
	CHECK(n == LARGE + 1);
	/* The bytes up to `wanted` need not be scanned. */
	CHECK(part.wanted > LARGE || work <= (FRAME_DELIMITER_MAX + 1) * (size_t)LARGE);
	free(bytes);
}

/*
 * Grammars small enough to try every input: all strings over the relevant bytes, with messages of
 * at most `max` bytes. The limit of a frame bounds their length.
 */
static const struct {
	const char *text;
	int flags;
	size_t max;
	const unsigned char *bytes;
	size_t count;
} frame_rules_grammars[] = {
	{ "line", 0, 2, BYTES("a\r\n") },
	{ "line", ESCAPE, 1, BYTES("a\\nxFg\n") },
	{ "crlf", 0, 3, BYTES("a\r\n") },
	{ "crlf", ESCAPE, 1, BYTES("\\rxd\r\n") },
	{ "delim:aab", 0, 3, BYTES("abc") },
	{ "delim:aab", ESCAPE, 2, BYTES("ab\\n") },
	{ "delim:aba", 0, 3, BYTES("abc") },
	/* The escape of the last byte can end with half of the delimiter, which then cannot
	 * follow. */
	{ "delim:00", ESCAPE | JOINS, 1, BYTES("0\\x1") },
	{ "delim:x0", ESCAPE, 1, BYTES("0\\x1") },
	{ "delim:4\\\\q", ESCAPE, 1, BYTES("4\\qx") },
	{ "delim:a\\\\\\\\b", ESCAPE, 1, BYTES("a\\bx0") },
	{ "delim:\\\\", ESCAPE, 1, BYTES("\\na") },
	{ "fixed:2", 0, 2, BYTES("ab") },
	{ "u8", 0, 2, BYTES("\0\1\2\3\377") },
	{ "u8,inclusive", 0, 2, BYTES("\0\1\2\3\4\377") },
	{ "u8,add=-2", 0, 3, BYTES("\0\1\2\377") },
	{ "u8,add=254", 0, 3, BYTES("\0\375\376\377") },
	{ "u16be", 0, 300, BYTES("\0\1\2\54\55\377") },
	{ "u16le", 0, 257, BYTES("\0\1\2\377") },
	{ "u16le,inclusive", 0, 1, BYTES("\0\1\2\3\4\377") },
	{ "u16be,inclusive,add=300", 0, 1, BYTES("\0\1\2\56\57\377") },
	{ "u8,offset=1", 0, 3, BYTES("\0\1\2\3\377") },
	{ "u8,offset=2,inclusive", 0, 4, BYTES("\0\1\2\3\4\377") },
	{ "u16le,offset=1", 0, 2, BYTES("\0\1\2\377") },
	{ "u24be", 0, 2, BYTES("\0\1\2\3\377") },
	{ "u32be", 0, 3, BYTES("\0\1\3\4\377") },
	{ "u32le", 0, 1, BYTES("\0\1\2\377") },
	{ "u32le,add=-1", 0, 2, BYTES("\0\1\2\377") },
	{ "u64be", 0, 1, BYTES("\0\1\200") },
	{ "u64le,inclusive", 0, 1, BYTES("\0\10\11\12\200") },
	{ "varint,offset=1", 0, 3, BYTES("\0\1\2\3\200") },
	{ "varint", 0, 130, BYTES("\0\1\2\3\200\201\202\203\377") },
	{ "netstring", 0, 12, BYTES("0123:,a") },
	{ "octet-counting", 0, 12, BYTES("0123 :") },
	{ "octet-counting,lenient", 0, 2, BYTES("\n\r12 <") },
	{ "slip", 0, 2, BYTES("a\300\333\334\335") },
	{ "cobs", 0, 3, BYTES("\0\1\2\3\4\5\377") },
	{ "hex", 0, 1, BYTES("0aFg\r\n ") },
	{ "base64", 0, 1, BYTES("AQR=-\r\n") },
	{ "base64", 0, 2, BYTES("AEF=\r\n") },
	{ "base64", STRICT, 3, BYTES("AQ=\n") },
};

#define FRAME_RULES_DEEPEST 400

/* One call for n bytes in a block of exactly that size. */
static enum frame_result
frame_rules_decode(
	const struct frame *frame, const unsigned char *bytes, size_t n, struct frame_part *part)
{
	unsigned char *block = malloc(n);
	if (block == NULL)
		abort();
	memcpy(block, bytes, n);
	enum frame_result result = frame->format->decode(frame, block, n, part);
	free(block);
	return result;
}

/*
 * Whether n bytes are a frame or can become one by appending bytes of the alphabet; `before` is the
 * result without the last byte. Inside a message of known length one byte is enough to try.
 */
static bool
frame_rules_lives(const struct frame *frame, size_t row, unsigned char *bytes, size_t n,
	const struct frame_part *before)
{
	struct frame_part part = *before, fresh = { .scanned = 0 };
	enum frame_result result = frame_rules_decode(frame, bytes, n, &part);
	bool same = result == frame_rules_decode(frame, bytes, n, &fresh);
	if (same && result == FRAME_BAD)
		same = part.offset == fresh.offset && part.why == fresh.why && part.offset == n - 1;
	if (same && result == FRAME_DONE)
		same = part.length == fresh.length && part.consumed == n && fresh.consumed == n;
	CHECK(same);
	if (!same)
		(void)fprintf(stderr, "grammar %zu: result %d, offset %zu of %zu, consumed %zu\n",
			row, (int)result, part.offset, n, part.consumed);
	if (result != FRAME_MORE)
		return result != FRAME_BAD;
	bool lives = false;
	unsigned width = frame->format->width;
	bool inside = width > 0 ? n >= frame->header + width : part.wanted > n + 1;
	size_t tried = inside ? 1 : frame_rules_grammars[row].count;
	for (size_t i = 0; i < tried && n < FRAME_RULES_DEEPEST; i++) {
		bytes[n] = frame_rules_grammars[row].bytes[i];
		lives = frame_rules_lives(frame, row, bytes, n + 1, &part) || lives;
	}
	lives = lives || (frame_rules_grammars[row].flags & JOINS) != 0;
	CHECK(lives);
	if (!lives)
		(void)fprintf(stderr, "grammar %zu: nothing can follow %zu bytes: %.*s\n", row, n,
			(int)n, (char *)bytes);
	return lives;
}

static void
frame_rules_grammar(void)
{
	for (size_t row = 0; row < COUNT(frame_rules_grammars); row++) {
		static unsigned char bytes[FRAME_RULES_DEEPEST + 1];
		const struct frame_part none = { .scanned = 0 };
		struct frame frame;
		struct fault fault = FAULT_NONE;
		unsigned long before = check_failed;
		CHECK(frame_parse(&frame, frame_rules_grammars[row].text,
			frame_rules_grammars[row].max, &fault));
		frame.escape = (frame_rules_grammars[row].flags & ESCAPE) != 0;
		frame.strict = (frame_rules_grammars[row].flags & STRICT) != 0;
		for (size_t i = 0; i < frame_rules_grammars[row].count; i++) {
			bytes[0] = frame_rules_grammars[row].bytes[i];
			(void)frame_rules_lives(&frame, row, bytes, 1, &none);
		}
		if (check_failed > before)
			(void)fprintf(stderr, "%s, flags %d: not so\n",
				frame_rules_grammars[row].text, frame_rules_grammars[row].flags);
	}
}

/* Frames of grammars that are too large for that, some followed by further bytes. */
static const struct {
	const char *text;
	const unsigned char *frame;
	size_t size;
} frame_rules_wholes[] = {
	{ "content-length",
		BYTES("T:\ta\r\nContent-Length: 20 \r\nX-y: z\r\n\r\n0123456789012345678"
		      "9") },
	{ "content-length", BYTES("A:\r\ncontent-length:0\r\n\r\n012345678") },
	{ "varint",
		BYTES("\24"
		      "01234567890123456789") },
	{ "line", BYTES("0123456789abcdefghi\r\n") },
	{ "base64", BYTES("MDEyMzQ1Njc4OTAxMjM0NTY3ODk=\r\n") },
	{ "hex", BYTES("0123456789abcdef\r\n") },
	{ "slip", BYTES("ab\333\334c\333\335\300") },
};

/* Whether the first n bytes can continue like some part of the frame. */
static bool
frame_rules_completes(const struct frame *frame, size_t row, unsigned char *bytes, size_t n)
{
	const unsigned char *whole = frame_rules_wholes[row].frame;
	for (size_t from = 0; from <= frame_rules_wholes[row].size; from++) {
		size_t rest = frame_rules_wholes[row].size - from;
		struct framing framing;
		memcpy(bytes + n, whole + from, rest);
		framing_decode(&framing, frame, bytes, n + rest, NULL, 0, false);
		bool done = framing.count > 0;
		framing_clear(&framing);
		if (done)
			return true;
	}
	return false;
}

/* Any byte at any offset of a frame: rejected at once, or the frame can continue. */
static void
frame_rules_any_byte(void)
{
	for (size_t row = 0; row < COUNT(frame_rules_wholes); row++) {
		static unsigned char bytes[256];
		struct frame frame;
		struct fault fault = FAULT_NONE;
		CHECK(frame_parse(&frame, frame_rules_wholes[row].text, 20, &fault));
		frame.strict = true;
		for (size_t n = 0; n < frame_rules_wholes[row].size; n++)
			for (unsigned byte = 0; byte < 256; byte++) {
				struct frame_part part = { .scanned = 0 };
				memcpy(bytes, frame_rules_wholes[row].frame, n);
				bytes[n] = (unsigned char)byte;
				enum frame_result result =
					frame_rules_decode(&frame, bytes, n + 1, &part);
				bool good = result == FRAME_BAD ? part.offset == n
					: result == FRAME_MORE
					? frame_rules_completes(&frame, row, bytes, n + 1)
					: true;
				CHECK(good);
				if (!good)
					(void)fprintf(stderr, "%s: byte %u at %zu: %d\n",
						frame_rules_wholes[row].text, byte, n, (int)result);
			}
	}
}

/* The bytes of header fields: tokens as names, no control characters in values (RFC 9110, sections
 * 5.5 and 5.6.2). */
static void
frame_rules_fields(void)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct frame frame;
	struct fault fault = FAULT_NONE;
	CHECK(frame_parse(&frame, "content-length", 20, &fault));
	for (unsigned byte = 0; byte < 256; byte++) {
		unsigned char name[] = "ab", value[] = "a:b";
		struct frame_part part = { .scanned = 0 };
		name[1] = value[2] = (unsigned char)byte;
		bool good = byte != 0 && (strchr(token, (int)byte) != NULL || byte == ':');
		CHECK((frame_rules_decode(&frame, name, 2, &part) == FRAME_MORE) == good);
		part = (struct frame_part){ .scanned = 0 };
		good = byte == '\t' || byte == '\r' || (byte >= ' ' && byte != 0x7f);
		CHECK((frame_rules_decode(&frame, value, 3, &part) == FRAME_MORE) == good);
	}
	unsigned char first[] = ":";
	struct frame_part part = { .scanned = 0 };
	CHECK(frame_rules_decode(&frame, first, 1, &part) == FRAME_BAD && part.offset == 0);
}

int
main(void)
{
	frame_rules_fields();
	frame_rules_parse();
	frame_rules_grammar();
	frame_rules_any_byte();
	frame_rules_refuse();
	frame_rules_limits();
	frame_rules_describe();
	frame_rules_linear("line", false, BYTES(""), "x");
	frame_rules_linear("line", true, BYTES(""), "\\n");
	frame_rules_linear("crlf", false, BYTES(""), "\r");
	frame_rules_linear("delim:aaaaaaaab", false, BYTES(""), "a");
	frame_rules_linear("slip", false, BYTES(""), "x");
	frame_rules_linear("cobs", false, BYTES(""), "\1");
	frame_rules_linear("hex", false, BYTES(""), "0");
	frame_rules_linear("base64", false, BYTES(""), "A");
	frame_rules_linear("netstring", false, BYTES("4194304:"), "x");
	frame_rules_linear(
		"content-length", false, BYTES("Content-Length: 4194304\r\n" FIELDS "\r\n"), "x");
	return check_verdict("frame_rules");
}
