/*
 * Random messages through pairs of frame formats: messages decoded from one are encoded in the
 * other, and a slow model tells which cannot be. Random splits and damage give the same result as
 * unsplit input (faults K127, K129, K132).
 *
 *   frame_random_test [SEED ROUNDS]
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "framing.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define LENGTH_MAX 600
#define MESSAGES 4
#define WIRE_MAX (MESSAGES * (9000 + 6 * LENGTH_MAX))

/* A leading '!' sets `escape`. */
static const char *const frame_random_frames[] = { "line", "!line", "crlf", "!crlf", "nul", "!nul",
	"delim:aa", "delim:\\r\\n.\\r\\n", "!delim:00", "!delim:x\\n", "!delim:aba", "!delim:;",
	"!delim:\\\\", "fixed:5", "fixed:5,pad=0x20", "u8", "u16be", "u16le", "u32be", "u32le",
	"u64be", "u64le", "u8,inclusive", "u16le,add=65500", "u32be,add=-3", "u24be", "u24le",
	"u32be,inclusive,offset=1", "u8,offset=5", "varint,offset=2", "varint", "netstring",
	"octet-counting", "octet-counting,lenient", "content-length", "slip", "cobs", "hex",
	"base64", "json", "datagram" };

static size_t
frame_random(size_t below)
{
	return (size_t)rand() % below;
}

static struct framing_message
frame_random_message(void)
{
	static const char likely[] = "aaabx0\\;\r\n\r\n.\0\0\1\xc0\xdb\xdc\xdd\xff\xc3\xbc,:\"";
	struct framing_message message;
	size_t top = frame_random(4) == 0 ? LENGTH_MAX : 12;
	message.length = frame_random(5) == 0 ? 5 : frame_random(top + 1);
	message.bytes = malloc(LENGTH_MAX);
	if (message.bytes == NULL)
		abort();
	size_t kind = frame_random(4);
	for (size_t i = 0; i < message.length; i++)
		message.bytes[i] = kind == 0 ? (unsigned char)rand()
			: kind == 1          ? (unsigned char)('a' + rand() % 26)
				    : (unsigned char)likely[frame_random(sizeof likely - 1)];
	return message;
}

/* A slow model: the first `length` bytes with C escapes. */
static size_t
frame_random_escape(const struct frame *frame, const unsigned char *in, size_t length, char *out)
{
	size_t put = 0;
	for (size_t i = 0; i < length; i++) {
		bool special = in[i] == '\\' ||
			memchr(frame->delimiter, in[i], frame->delimiter_length) != NULL;
		const char *name = in[i] == '\n' ? "\\n"
			: in[i] == '\r'          ? "\\r"
			: in[i] == '\t'          ? "\\t"
			: in[i] == '\0'          ? "\\0"
			: in[i] == '\\'          ? "\\\\"
						 : NULL;
		if (!frame->escape || !special)
			out[put++] = (char)in[i];
		else
			put += (size_t)(name != NULL ? snprintf(out + put, 5, "%s", name)
						     : snprintf(out + put, 5, "\\x%02x", in[i]));
	}
	return put;
}

/* Where a reader would end the frame of the first `length` bytes, and where it should. */
static bool
frame_random_ends(const struct frame *frame, const unsigned char *in, size_t length, size_t *end)
{
	static char text[4 * LENGTH_MAX + FRAME_DELIMITER_MAX + 5];
	size_t size = frame_random_escape(frame, in, length, text);
	memcpy(text + size, frame->delimiter, frame->delimiter_length);
	for (*end = 0; memcmp(text + *end, frame->delimiter, frame->delimiter_length) != 0;)
		++*end;
	return *end == size;
}

/* Whether a message can be encoded; if not, the longest prefix that can. */
static bool
frame_random_judge(const struct frame *frame, const struct framing_message *message, size_t *fits)
{
	static char text[4 * LENGTH_MAX + 5];
	size_t length = message->length, end, other;
	unsigned width = frame->format->width;
	*fits = SIZE_MAX;
	if (frame->delimiter_length > 0) {
		if (frame_random_ends(frame, message->bytes, length, &end))
			return true;
		for (*fits = length; *fits > 0; --*fits)
			if (frame_random_escape(frame, message->bytes, *fits, text) <= end &&
				frame_random_ends(frame, message->bytes, *fits, &other))
				break;
		return false;
	}
	if (frame->size > 0) {
		*fits = length > frame->size ? frame->size : SIZE_MAX;
		return length == frame->size || (length < frame->size && frame->padded);
	}
	if (length < frame->header)
		return false;
	if (width > 0) {
		int64_t count = (int64_t)(length - frame->header) + frame->add +
			(frame->inclusive ? width : 0);
		int64_t top = width < 4 ? (INT64_C(1) << 8 * width) - 1 : INT64_MAX;
		*fits = count < 0 ? SIZE_MAX : length - (size_t)(count - top);
		return count >= 0 && count <= top;
	}
	if (strcmp(frame->format->name, "slip") == 0)
		return length > 0;
	*fits = frame->max;
	return !frame->format->whole || length <= frame->max;
}

/* Random increasing offsets to split at. */
static size_t
frame_random_cuts(size_t cuts[static 8], size_t n)
{
	size_t count = n > 0 ? frame_random(8) : 0, last = 0;
	for (size_t i = 0; i < count; i++) {
		last += frame_random(frame_random(2) == 0 ? 3 : n - last + 1);
		cuts[i] = last = last < n ? last : n;
	}
	return count;
}

/* Truncated and damaged input gives the same messages and end, however it is split. */
static void
frame_random_damage(const struct frame *frame, unsigned char *wire, size_t n, size_t frames)
{
	struct framing whole, pieces;
	size_t cuts[8];
	n = frame_random(n + 1);
	size_t hits = frame_random(3);
	for (size_t i = 0; n > 0 && i < hits; i++)
		wire[frame_random(n)] = frame_random(2) == 0
			? (unsigned char)rand()
			: (unsigned char)"\n\r\0\\:, 0\"\xc0\xdb\xff"[frame_random(12)];
	size_t count = frame_random_cuts(cuts, n);
	framing_decode(&whole, frame, wire, n, NULL, 0, false);
	framing_decode(&pieces, frame, wire, n, cuts, count, frame_random(2) == 0);
	CHECK(framing_same(&whole, &pieces));
	/* It is rejected as soon as the byte is available. */
	if (whole.end == FRAMING_BAD && whole.offset < n &&
		strcmp(frame->format->name, "json") != 0) {
		struct framing early;
		framing_decode(&early, frame, wire, whole.offset + 1, NULL, 0, true);
		CHECK(early.early && framing_same(&whole, &early));
		framing_clear(&early);
	}
	/* A truncated last line may be invalid base64. */
	CHECK(hits > 0 || !frame->strict || (whole.end != FRAMING_BAD && whole.count <= frames));
	framing_clear(&whole);
	framing_clear(&pieces);
}

/* Encodes the messages, splits the bytes, and replaces the messages by the decoded ones. */
static size_t
frame_random_pass(const char *text, struct framing_message *messages, size_t count)
{
	static unsigned char wire[WIRE_MAX];
	struct frame frame;
	struct fault fault = FAULT_NONE;
	struct frame_refusal refusal;
	struct framing framing;
	size_t n = 0, carried = 0, fits, put, cuts[8];
	CHECK(frame_parse(&frame, text + (text[0] == '!'), LENGTH_MAX, &fault));
	frame.escape = text[0] == '!';
	frame.strict = frame_random(2) == 0;
	for (size_t i = 0; i < count; i++) {
		struct framing_message message = messages[i];
		bool can = frame_random_judge(&frame, &message, &fits);
		unsigned char *made =
			framing_encode(&frame, message.bytes, message.length, &put, &refusal);
		CHECK(can == (made != NULL) && (can || refusal.fits == fits));
		/* A datagram is decoded by one call, so there is only one. */
		if (made != NULL && (!frame.format->whole || carried == 0)) {
			memcpy(wire + n, made, put);
			n += put;
			if (frame.padded && message.length < frame.size)
				memset(message.bytes + message.length, frame.pad,
					frame.size - message.length);
			message.length = frame.padded ? frame.size : message.length;
			messages[i] = messages[carried];
			messages[carried++] = message;
		}
		free(made);
	}
	size_t pieces = frame.format->whole ? 0 : frame_random_cuts(cuts, n);
	framing_decode(&framing, &frame, wire, n, cuts, pieces, pieces > 0);
	bool empty = frame.format->whole && n == 0;
	CHECK(framing.broken == NULL && framing.end == FRAMING_WHOLE);
	CHECK(empty || framing.count == carried);
	for (size_t i = 0; i < framing.count && i < carried; i++)
		CHECK(framing.messages[i].length == messages[i].length &&
			memcmp(framing.messages[i].bytes, messages[i].bytes, messages[i].length) ==
				0);
	framing_clear(&framing);
	if (!frame.format->whole)
		frame_random_damage(&frame, wire, n, carried + 1);
	return carried;
}

int
main(int argc, char **argv)
{
	unsigned long seed = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 20000;
	for (unsigned long i = seed; i < seed + rounds; i++) {
		struct framing_message messages[MESSAGES];
		unsigned long before = check_failed;
		srand((unsigned)i);
		for (size_t j = 0; j < MESSAGES; j++)
			messages[j] = frame_random_message();
		const char *first = frame_random_frames[frame_random(COUNT(frame_random_frames))];
		const char *second = frame_random_frames[frame_random(COUNT(frame_random_frames))];
		size_t count = frame_random_pass(first, messages, frame_random(MESSAGES + 1));
		(void)frame_random_pass(second, messages, count);
		for (size_t j = 0; j < MESSAGES; j++)
			free(messages[j].bytes);
		if (check_failed > before)
			(void)fprintf(stderr, "seed %lu: %s to %s\n", i, first, second);
	}
	return check_verdict("frame_random");
}
