/* Very many small messages cost what their bytes cost, however they come: each is looked for once,
 * and none is moved because of those in front of it (fault K133). */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "flow/intake.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define MESSAGES 200000
#define FRAME_MAX 32 /* bytes of one frame */
#define SIZE 65536

/* What is left to read, and how much of it a read gives. */
static const unsigned char *intake_test_input;
static size_t intake_test_left, intake_test_step, intake_test_reads;

/* Looks for messages, and bytes that were moved. */
static size_t intake_test_looks, intake_test_moved;
static const struct frame_format *intake_test_format;

void *__real_memmove(void *to, const void *from, size_t n);
void *__wrap_memmove(void *to, const void *from, size_t n);

/* The linker puts it in the place of memmove; sanitizers put theirs there before. */
void *
__wrap_memmove(void *to, const void *from, size_t n)
{
	intake_test_moved += n;
	return __real_memmove(to, from, n);
}

static enum io
intake_test_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	size_t n = intake_test_step < pieces->iov_len ? intake_test_step : pieces->iov_len;
	(void)stream;
	(void)count;
	(void)fault;
	n = n < intake_test_left ? n : intake_test_left;
	memcpy(pieces->iov_base, intake_test_input, n);
	intake_test_input += n;
	intake_test_left -= n;
	intake_test_reads++;
	*got = n;
	return n > 0 ? IO_OK : IO_END;
}

static enum frame_result
intake_test_decode(const struct frame *frame, unsigned char *bytes, size_t n, bool ended,
	struct frame_part *part)
{
	intake_test_looks++;
	return intake_test_format->decode(frame, bytes, n, ended, part);
}

/* Messages of 0 to 2 bytes in this format, read in steps of so many bytes. */
static void
intake_test_many(const char *text, size_t step)
{
	static unsigned char input[MESSAGES * FRAME_MAX];
	static const struct stream_ops ops = { .read = intake_test_read };
	char name[] = "input";
	struct stream source = { .ops = &ops, .name = name };
	struct fault fault = FAULT_NONE;
	struct frame frame;
	struct frame_format counted;
	struct intake intake;
	size_t size = 0;
	CHECK(frame_parse(&frame, text, 1000, &fault));
	for (size_t i = 0; i < MESSAGES; i++)
		size += frame.format->encode(&frame, (const unsigned char *)"ab", i % 3, NULL,
			input + size, &(struct frame_refusal){ NULL, 0 });
	intake_test_format = frame.format;
	counted = *frame.format;
	counted.decode = intake_test_decode;
	frame.format = &counted;
	intake_test_input = input;
	intake_test_left = size;
	intake_test_step = step;
	intake_test_reads = intake_test_looks = intake_test_moved = 0;
	CHECK(intake_open(&intake, &source, &frame, SIZE));
	while (intake_read(&intake, &source, &fault) == IO_OK)
		while (intake_find(&intake, &fault))
			intake_consume(&intake);
	CHECK(!fault_is_set(&fault) && intake.consumed == MESSAGES);
	/* Once each, and once more at the end of a read. */
	CHECK(intake_test_looks <= MESSAGES + intake_test_reads);
	/* COBS moves each byte of a message once. */
	CHECK(intake_test_moved <= size + intake_test_reads * FRAME_MAX);
	intake_close(&intake);
	fault_clear(&fault);
}

int
main(void)
{
	static const char *const texts[] = { "line", "crlf", "nul", "delim:;.;", "u8", "u32be",
		"u64le,inclusive", "varint", "netstring", "octet-counting", "content-length",
		"cobs", "hex", "base64" };
	for (size_t i = 0; i < COUNT(texts); i++) {
		intake_test_many(texts[i], SIZE);
		intake_test_many(texts[i], 7);
	}
	return check_verdict("intake");
}
