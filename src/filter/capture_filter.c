/* Capturing a connection; see capture_filter.h. */
#include "filter/capture_filter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "filter/filter.h"
#include "filter/tls_filter.h"

#define CAPTURE_FILTER_SENT 0
#define CAPTURE_FILTER_RECEIVED 1

struct capture_filter {
	struct capture *capture;
	struct capture_client *client; /* not owned */
	uint64_t offsets[2];           /* bytes sent, received */
};

size_t
capture_filter_line(char line[static CAPTURE_FILTER_LINE_MAX], const char *time, char direction,
	uint64_t offset, const unsigned char *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char hex[CAPTURE_FILTER_LINE_BYTES * 3 + 2], text[CAPTURE_FILTER_LINE_BYTES + 1];
	if (n > CAPTURE_FILTER_LINE_BYTES)
		n = CAPTURE_FILTER_LINE_BYTES;
	memset(hex, ' ', sizeof hex - 1);
	hex[sizeof hex - 1] = '\0';
	for (size_t i = 0; i < n; i++) {
		char *at = hex + i * 3 + (i >= CAPTURE_FILTER_LINE_BYTES / 2);
		at[0] = digits[bytes[i] >> 4];
		at[1] = digits[bytes[i] & 15];
		text[i] = bytes[i] >= ' ' && bytes[i] <= '~' ? (char)bytes[i] : '.';
	}
	text[n] = '\0';
	int length = snprintf(line, CAPTURE_FILTER_LINE_MAX, "%.40s %c %08" PRIx64 "  %s |%s|\n",
		time, direction, offset, hex, text);
	return length < CAPTURE_FILTER_LINE_MAX ? (size_t)length : CAPTURE_FILTER_LINE_MAX - 1;
}

/* The time of day, in UTC and to the microsecond. */
static void
capture_filter_print_time(char *text, size_t size)
{
	struct timespec now = { 0, 0 };
	struct tm parts;
	char date[32];
	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &parts) == NULL ||
		strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
		date[0] = '\0';
	(void)snprintf(text, size, "%s.%06ldZ", date, now.tv_nsec / 1000);
}

static void
capture_filter_dump(
	struct capture_filter *filter, int direction, const unsigned char *bytes, size_t n)
{
	char time[64], line[CAPTURE_FILTER_LINE_MAX];
	capture_filter_print_time(time, sizeof time);
	/* An empty message is a line, too. */
	for (size_t done = 0; done < n || n == 0;) {
		size_t part =
			n - done < CAPTURE_FILTER_LINE_BYTES ? n - done : CAPTURE_FILTER_LINE_BYTES;
		size_t length = capture_filter_line(line, time,
			direction == CAPTURE_FILTER_SENT ? '>' : '<',
			filter->offsets[direction] + done, bytes + done, part);
		capture_append(filter->capture, &filter->capture->hex_dump, line, length);
		done += part;
		if (n == 0)
			break;
	}
}

/* Appends the first n bytes of the pieces. */
static void
capture_filter_note(struct capture_filter *filter, int direction, const struct iovec *pieces,
	int count, size_t n)
{
	struct capture *capture = filter->capture;
	bool empty = n == 0;
	for (int i = 0; i < count && (n > 0 || empty); i++) {
		size_t part = pieces[i].iov_len < n ? pieces[i].iov_len : n;
		capture_append(capture, &capture->output, pieces[i].iov_base, part);
		if (capture->hex_dump.out.fd != -1)
			capture_filter_dump(filter, direction, pieces[i].iov_base, part);
		filter->offsets[direction] += part;
		n -= part;
		empty = false;
	}
	capture_flush(capture);
}

/* Appends messages one by one. */
static void
capture_filter_note_each(
	struct capture_filter *filter, int direction, const struct iovec *messages, size_t count)
{
	for (size_t i = 0; i < count; i++)
		capture_filter_note(filter, direction, &messages[i], 1, messages[i].iov_len);
}

/* The data of TLS is captured without it: a line of the dump says so. */
static enum io
capture_filter_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct capture_filter *filter = stream->impl;
	struct capture_file *dump = &filter->capture->hex_dump;
	struct tls_facts facts;
	char time[64], line[CAPTURE_FILTER_LINE_MAX];
	(void)pollset, (void)now, (void)fault;
	if (dump->out.fd == -1 || !tls_filter_describe(stream->lower, &facts))
		return IO_OK;
	capture_filter_print_time(time, sizeof time);
	int length = snprintf(line, sizeof line, "%.40s = plain data of %.16s, %.64s\n", time,
		facts.version, facts.cipher);
	capture_append(filter->capture, dump, line, (size_t)length);
	capture_flush(filter->capture);
	return IO_OK;
}

static enum io
capture_filter_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct capture_filter *filter = stream->impl;
	struct stream *lower = stream->lower;
	if (!capture_admits(filter->capture, filter->client, false)) {
		/* Not 0, which a flow that drains its source would take for the end. */
		stream->read.at = CLOCK_NEVER;
		return IO_AGAIN;
	}
	enum io result = stream_read(lower, pieces, count, got, fault);
	if (result == IO_OK && lower->caps.messages && lower->loan.messages != NULL)
		capture_filter_note_each(
			filter, CAPTURE_FILTER_RECEIVED, lower->loan.messages, lower->loan.count);
	else if (result == IO_OK && (*got > 0 || lower->caps.messages))
		capture_filter_note(filter, CAPTURE_FILTER_RECEIVED, pieces, count, *got);
	stream_follow(stream);
	return result;
}

static enum io
capture_filter_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct capture_filter *filter = stream->impl;
	struct stream *lower = stream->lower;
	*put = 0;
	if (count > 0 && !capture_admits(filter->capture, filter->client, true)) {
		stream->write.at = CLOCK_NEVER;
		return IO_AGAIN;
	}
	enum io result = stream_write(lower, pieces, count, put, fault);
	if (result == IO_OK && count > 0 && lower->caps.message_max > 0)
		capture_filter_note_each(filter, CAPTURE_FILTER_SENT, pieces, *put);
	else if (result == IO_OK && *put > 0)
		capture_filter_note(filter, CAPTURE_FILTER_SENT, pieces, count, *put);
	stream_follow(stream);
	return result;
}

static void
capture_filter_close(struct stream *stream, bool clean)
{
	const struct capture_filter *filter = stream->impl;
	(void)clean;
	capture_forget(filter->client);
}

static const struct stream_ops capture_filter_ops = {
	.open = capture_filter_open,
	.read = capture_filter_read,
	.write = capture_filter_write,
	.shut = filter_shut,
	.close = capture_filter_close,
};

bool
capture_filter_add(struct stream **top, struct capture *capture, struct capture_client *client,
	struct fault *fault)
{
	if (!capture_is_active(capture))
		return true;
	struct stream *stream =
		filter_add(top, &capture_filter_ops, sizeof(struct capture_filter), fault);
	if (stream == NULL)
		return false;
	*(struct capture_filter *)stream->impl =
		(struct capture_filter){ .capture = capture, .client = client };
	client->stream = stream;
	return true;
}
