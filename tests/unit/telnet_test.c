/* Telnet commands are removed and refused, however they are split. */
#include <string.h>

#include "check.h"
#include "filter/telnet.h"

static const struct {
	const char *in;
	size_t n;
	const char *data;
	size_t data_count;
	const char *answer;
	size_t answer_count;
} telnet_test_rows[] = {
	{ "plain", 5, "plain", 5, "", 0 },
	{ "a\377\375\001b", 5, "ab", 2, "\377\374\001", 3 },            /* DO ECHO: WONT */
	{ "\377\373\003", 3, "", 0, "\377\376\003", 3 },                /* WILL SGA: DONT */
	{ "\377\374\001\377\376\001", 6, "", 0, "", 0 },                /* refusals */
	{ "a\377\377b", 4, "a\377b", 3, "", 0 },                        /* a byte 255 */
	{ "a\377\361b", 4, "ab", 2, "", 0 },                            /* NOP */
	{ "a\377\372\030\001x\377\377y\377\360b", 12, "ab", 2, "", 0 }, /* SB to SE */
	{ "a\377", 2, "a", 1, "", 0 },                                  /* truncated */
	{ "a\r\0b\r\n", 6, "a\rb\r\n", 5, "", 0 },                      /* CR NUL is CR */
	{ "\0\r\0\0\r\r\0", 7, "\0\r\0\r\r", 5, "", 0 },                /* only the NUL after it */
	{ "\r\377\375\001\0x", 6, "\rx", 2, "\377\374\001", 3 },        /* a command in between */
	{ "\r\377\377\0", 4, "\r\377\0", 3, "", 0 },                    /* not after a byte 255 */
	{ "\377\375\377", 3, "", 0, "\377\374\377", 3 },                /* an option 255 */
};

/* A stream that gives `input` in one read, and takes `takes` bytes. */
struct telnet_test_end {
	const char *input;
	char output[64];
	size_t takes, count;
};

static enum io
telnet_test_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct telnet_test_end *end = stream->impl;
	(void)count, (void)fault;
	*got = strlen(end->input);
	if (*got == 0)
		return IO_AGAIN;
	memcpy(pieces[0].iov_base, end->input, *got);
	end->input = "";
	return IO_OK;
}

static enum io
telnet_test_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct telnet_test_end *end = stream->impl;
	(void)fault;
	for (int i = 0; i < count; i++)
		for (size_t at = 0; at < pieces[i].iov_len && end->takes > 0; at++, ++*put) {
			end->output[end->count++] = ((const char *)pieces[i].iov_base)[at];
			end->takes--;
		}
	return *put > 0 || count == 0 ? IO_OK : IO_AGAIN;
}

static void
telnet_test_close(struct stream *stream, bool clean)
{
	CHECK(clean);
	stream->impl = NULL;
}

static const struct stream_ops telnet_test_ops = {
	.read = telnet_test_read,
	.write = telnet_test_write,
	.close = telnet_test_close,
};

/* Writes all of the text. */
static void
telnet_test_write_all(struct stream *top, const char *text)
{
	struct fault fault = FAULT_NONE;
	for (size_t left = strlen(text), put = 0; left > 0; text += put, left -= put) {
		struct iovec piece = { (char *)(uintptr_t)text, left };
		put = 0;
		CHECK(stream_write(top, &piece, 1, &put, &fault) == IO_OK);
	}
}

/* What cannot be sent at once is buffered, and sent before anything else. */
static void
telnet_test_filter(void)
{
	struct telnet_test_end end = { .input = "a\377\375\001b" };
	struct fault fault = FAULT_NONE;
	struct stream *top = stream_new(&telnet_test_ops, strdup("peer"), 0, &fault);
	char bytes[8];
	struct iovec piece = { bytes, sizeof bytes };
	size_t got = 0, put = 0;
	top->impl = &end;
	CHECK(telnet_add(&top, &fault));
	CHECK(stream_read(top, &piece, 1, &got, &fault) == IO_OK && got == 2);
	CHECK(memcmp(bytes, "ab", 2) == 0 && end.count == 0);
	CHECK(top->buffered && top->read.at > STREAM_NOW);
	end.takes = 2;
	CHECK(stream_write(top, NULL, 0, &put, &fault) == IO_AGAIN && top->buffered);
	end.takes = sizeof end.output - 2;
	CHECK(stream_write(top, NULL, 0, &put, &fault) == IO_OK && !top->buffered);
	/* The double of 255 is buffered, and so is the NUL after a CR. */
	telnet_test_write_all(top, "c\377");
	CHECK(top->buffered);
	telnet_test_write_all(top, "d\r\n\re");
	CHECK(stream_shut(top, true, &fault) == IO_OK && !top->buffered);
	CHECK(end.count == 12 && memcmp(end.output, "\377\374\001c\377\377d\r\n\r\0e", 12) == 0);
	stream_close(top, true);
}

int
main(void)
{
	telnet_test_filter();
	for (size_t i = 0; i < sizeof telnet_test_rows / sizeof telnet_test_rows[0]; i++) {
		struct telnet_parser parser = { .state = TELNET_DATA };
		unsigned char data[64], answer[64];
		size_t data_count = 0, answer_count = 0, answered;
		for (size_t j = 0; j < telnet_test_rows[i].n; j++) {
			unsigned char byte = (unsigned char)telnet_test_rows[i].in[j];
			data_count += telnet_feed(
				&parser, byte, &data[data_count], &answer[answer_count], &answered);
			answer_count += answered;
		}
		CHECK(data_count == telnet_test_rows[i].data_count &&
			memcmp(data, telnet_test_rows[i].data, data_count) == 0);
		CHECK(answer_count == telnet_test_rows[i].answer_count &&
			memcmp(answer, telnet_test_rows[i].answer, answer_count) == 0);
	}
	return check_verdict("telnet");
}
