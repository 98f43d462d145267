/* The names and parameters of frame formats, what cannot be carried, the largest messages, and that
 * a frame which comes byte by byte costs linear time (faults K125, K126, K128, K133). */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "framing.h"

#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1
#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* Every format once, or in the ways that it has. */
static const char *const frame_rules_all[] = { "line", "crlf", "nul", "delim:aab", "u16be", "u16le",
	"u32be", "u32le", "u64be", "u64le,inclusive", "u32be,add=-1", "varint", "netstring",
	"octet-counting", "content-length", "slip", "cobs", "hex", "base64", "json", "datagram" };

/* Names and parameters that are none, and a part of what is said. */
static const struct {
	const char *text;
	const char *says;
} frame_rules_bad[] = {
	{ "foo", "frame 'foo': there is no such format (sockcat --list-formats)" },
	{ "", "frame '': there is no such format" },
	{ "lin", "no such format" },
	{ "lines", "no such format" },
	{ "LINE", "no such format" },
	{ ":16", "no such format" },
	{ "line:", "frame 'line:': it has no parameters" },
	{ "crlf,x", "it has no parameters" },
	{ "nul:0", "it has no parameters" },
	{ "varint,inclusive", "it has no parameters" },
	{ "datagram:1", "it has no parameters" },
	{ "delim", "a delimiter is needed: delim:STR" },
	{ "delim:", "a delimiter is needed" },
	{ "delim,;", "a delimiter is needed" },
	{ "delim:\\q", "the escapes of a delimiter are \\n \\r \\t \\0 \\\\ \\xHH" },
	{ "delim:a\\", "the escapes" },
	{ "delim:\\x4", "the escapes" },
	{ "delim:\\x4g", "the escapes" },
	{ "delim:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "at most 64" },
	{ "fixed", "a length is needed, from 1 to --max-message: fixed:N" },
	{ "fixed:", "a length is needed" },
	{ "fixed:0", "a length is needed" },
	{ "fixed:-1", "a length is needed" },
	{ "fixed:1x", "a length is needed" },
	{ "fixed:301", "a length is needed" },
	{ "fixed:99999999999999999999", "a length is needed" },
	{ "fixed:1,pad", "only pad=0xHH" },
	{ "fixed:1,pad=", "only pad=0xHH" },
	{ "fixed:1,pad=256", "only pad=0xHH" },
	{ "fixed:1,pad=0x20,", "only pad=0xHH" },
	{ "fixed:1,add=1", "only pad=0xHH" },
	{ "u32be:1", "only inclusive and add=K" },
	{ "u32be,", "only inclusive and add=K" },
	{ "u32be,inclusivex", "only inclusive and add=K" },
	{ "u32be,inclusive,inclusive", "once each" },
	{ "u32be,add=1,add=1", "once each" },
	{ "u32be,add=", "only inclusive and add=K" },
	{ "u32be,add=--1", "only inclusive and add=K" },
	{ "u32be,add=4611686018427387904", "only inclusive and add=K" },
	{ "u8,add=256", "no message that it could carry" },
	{ "u8,inclusive,add=255", "no message that it could carry" },
	{ "u8,add=-301", "no message that it could carry" },
	{ "u24be", "no such format" },
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
	/* What is listed can be had, with the parameters that it needs. */
	for (size_t i = 0; frame_row(i) != NULL; i++) {
		const struct frame_format *row = frame_row(i);
		const char *text = strcmp(row->name, "fixed") == 0 ? "fixed:1"
			: strcmp(row->name, "delim") == 0          ? "delim:x"
								   : row->name;
		bool good = frame_parse(&frame, text, 300, &fault);
		CHECK(good || (row->ready != NULL && fault.status == STATUS_MISSING));
		CHECK(frame.format == row && row->layout[0] != '\0');
		CHECK(strncmp(row->usage, row->name, strlen(row->name)) == 0);
		fault_clear(&fault);
	}
}

enum { ESCAPE = 1, SHORT_LAST = 2 };

/* What is refused, why, and how much of it would go; -1: none. */
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
	/* "\x30" ends with the first half of the delimiter. */
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
	{ "u8,add=250", 0, BYTES("abcdef"), "more than the length field can say", 5 },
	{ "u8,inclusive,add=250", 0, BYTES("abcdef"), "more than the length field can say", 4 },
	{ "u8,add=-3", 0, BYTES("ab"), "less than the length field can say", -1 },
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
	/* Shorter ones that are carried. */
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

/* A message of the largest size passes, one byte more is refused, whatever its bytes are. */
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
		/* An empty one may be impossible, or nothing that could be fed. */
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
		CHECK(length <= max ||
			(framing.why != NULL &&
				strcmp(framing.why, "longer than --max-message") == 0));
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

#define LARGE (4U << 20)

/* Some 2,000 bytes of a header. */
#define FIELD8 "a:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\n"
#define FIELD64 FIELD8 FIELD8 FIELD8 FIELD8 FIELD8 FIELD8 FIELD8 FIELD8
#define FIELDS FIELD64 FIELD64 FIELD64 FIELD64 FIELD64 FIELD64 FIELD64 FIELD64

/*
 * A frame of four megabytes that comes byte by byte. Looking at all of it each time would be some
 * 10^13 bytes, which is minutes.
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
		if (frame.format->decode(&frame, bytes, n, false, &part) != FRAME_MORE)
			break;
	}
	CHECK(n == LARGE + 1);
	/* What is behind `wanted` need not be looked at. */
	CHECK(part.wanted > LARGE || work <= (FRAME_DELIMITER_MAX + 1) * (size_t)LARGE);
	free(bytes);
}

int
main(void)
{
	frame_rules_parse();
	frame_rules_refuse();
	frame_rules_limits();
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
