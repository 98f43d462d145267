/* Many small messages take time proportional to their bytes, however they arrive: each is searched
 * for once, and none is moved because of those before it (fault K133). */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "flow/deframer.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define MESSAGES 200000
#define FRAME_MAX 32 /* bytes of one frame */
#define SIZE 65536

/* The unread input, and the size of a read. */
static const unsigned char *deframer_test_input;
static size_t deframer_test_left, deframer_test_step, deframer_test_reads;

/* Searches for messages, and moved bytes. */
static size_t deframer_test_looks, deframer_test_moved;
static const struct frame_format *deframer_test_format;

void *__real_memmove(void *to, const void *from, size_t n);
void *__wrap_memmove(void *to, const void *from, size_t n);

/* Replaces memmove; sanitizers replace it before the linker does. */
void *
__wrap_memmove(void *to, const void *from, size_t n)
{
	deframer_test_moved += n;
	return __real_memmove(to, from, n);
}

static enum io
deframer_test_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	size_t n = deframer_test_step < pieces->iov_len ? deframer_test_step : pieces->iov_len;
	(void)stream, (void)count, (void)fault;
	n = n < deframer_test_left ? n : deframer_test_left;
	memcpy(pieces->iov_base, deframer_test_input, n);
	deframer_test_input += n;
	deframer_test_left -= n;
	deframer_test_reads++;
	*got = n;
	return n > 0 ? IO_OK : IO_END;
}

static enum frame_result
deframer_test_decode(
	const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	deframer_test_looks++;
	return deframer_test_format->decode(frame, bytes, n, part);
}

/* Messages of 0 to 2 bytes in this format, read `step` bytes at a time. */
static void
deframer_test_many(const char *text, size_t step)
{
	static unsigned char input[MESSAGES * FRAME_MAX];
	static const struct stream_ops ops = { .read = deframer_test_read };
	char name[] = "input";
	struct stream source = { .ops = &ops, .name = name };
	struct fault fault = FAULT_NONE;
	struct frame frame;
	struct frame_format counted;
	struct deframer deframer;
	size_t size = 0;
	CHECK(frame_parse(&frame, text, 1000, &fault));
	for (size_t i = 0; i < MESSAGES; i++)
		size += frame.format->encode(&frame, (const unsigned char *)"ab", i % 3, NULL,
			input + size, &(struct frame_refusal){ NULL, 0 });
	deframer_test_format = frame.format;
	counted = *frame.format;
	counted.decode = deframer_test_decode;
	frame.format = &counted;
	deframer_test_input = input;
	deframer_test_left = size;
	deframer_test_step = step;
	deframer_test_reads = deframer_test_looks = deframer_test_moved = 0;
	CHECK(deframer_open(&deframer, &source, &frame, SIZE));
	while (deframer_read(&deframer, &source, &fault) == IO_OK)
		while (deframer_find(&deframer, &fault))
			deframer_consume(&deframer);
	CHECK(!fault_is_set(&fault) && deframer.consumed == MESSAGES);
	/* Once each, and once more at the end of a read. */
	CHECK(deframer_test_looks <= MESSAGES + deframer_test_reads);
	/* COBS moves each byte of a message once. */
	CHECK(deframer_test_moved <= size + deframer_test_reads * FRAME_MAX);
	deframer_close(&deframer);
	fault_clear(&fault);
}

int
main(void)
{
	static const char *const texts[] = { "line", "crlf", "nul", "delim:;.;", "u8", "u32be",
		"u64le,inclusive", "varint", "netstring", "octet-counting", "content-length",
		"cobs", "hex", "base64" };
	for (size_t i = 0; i < COUNT(texts); i++) {
		deframer_test_many(texts[i], SIZE);
		deframer_test_many(texts[i], 7);
	}
	return check_verdict("deframer");
}
