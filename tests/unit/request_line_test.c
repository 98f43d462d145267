/* First lines that are an HTTP/1 request, and others, split everywhere. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "flow/request_line.h"

#define ROW(text, result) \
	{ \
		text, sizeof(text) - 1, REQUEST_LINE_##result \
	}

/* OPEN: undecided. */
#define REQUEST_LINE_OPEN REQUEST_LINE_METHOD

static const struct {
	const char *text;
	size_t length;
	enum request_line_state result;
} request_line_rows[] = {
	ROW("GET / HTTP/1.0\r\n", HTTP),
	ROW("GET / HTTP/1.1\r\n", HTTP),
	ROW("GET / HTTP/1.0\n", HTTP),
	ROW("GET / HTTP/1.0\r\n\r\n", HTTP),
	ROW("GET /a?b=c%20d&e#f HTTP/1.1\r\nHost: a\r\n\r\n", HTTP),
	ROW("OPTIONS * HTTP/1.1\r\n", HTTP),
	ROW("CONNECT [::1]:443 HTTP/1.1\r\n", HTTP),
	ROW("GET http://a.example:80/ HTTP/1.1\r\n", HTTP),
	ROW("M-SEARCH * HTTP/1.1\r\n", HTTP),
	ROW("get / HTTP/1.0\r\n", HTTP),
	ROW("GET /\xc3\xa4 HTTP/1.0\r\n", HTTP),
	/* The first line decides, whatever follows. */
	ROW("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\nhello", HTTP),
	ROW("GET / HTTP/1.0\n\0\377", HTTP),
	ROW("hello\nGET / HTTP/1.0\r\n", OTHER),
	ROW("\r\nGET / HTTP/1.0\r\n", OTHER),
	ROW("\nGET / HTTP/1.0\r\n", OTHER),
	/* Incomplete. */
	ROW("", OPEN),
	ROW("GET", OPEN),
	ROW("GET ", OPEN),
	ROW("GET /", OPEN),
	ROW("GET / ", OPEN),
	ROW("GET / HTTP/1.", OPEN),
	ROW("GET / HTTP/1.0", OPEN),
	ROW("GET / HTTP/1.1\r", OPEN),
	/* Not a request, or not HTTP/1. */
	ROW("GET /\r\n", OTHER),
	ROW("GET / HTTP/0.9\r\n", OTHER),
	ROW("GET / HTTP/1.2\r\n", OTHER),
	ROW("GET / HTTP/1.10\r\n", OTHER),
	ROW("GET / HTTP/1\r\n", OTHER),
	ROW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", OTHER),
	ROW("GET / http/1.0\r\n", OTHER),
	ROW("GET / HTTP/1.0 \r\n", OTHER),
	ROW("GET / HTTP/1.0\r\r\n", OTHER),
	ROW("GET / HTTP/1.0\rx\n", OTHER),
	ROW("GET  / HTTP/1.0\r\n", OTHER),
	ROW("GET /  HTTP/1.0\r\n", OTHER),
	ROW("GET /a b HTTP/1.0\r\n", OTHER),
	ROW("GET\t/\tHTTP/1.0\r\n", OTHER),
	ROW("GET /\0 HTTP/1.0\r\n", OTHER),
	ROW("GET /\177 HTTP/1.0\r\n", OTHER),
	ROW("GET / RTSP/1.0\r\n", OTHER),
	ROW("OPTIONS sip:a SIP/2.0\r\n", OTHER),
	ROW("HTTP/1.0 200 OK\r\n", OTHER),
	ROW(" GET / HTTP/1.0\r\n", OTHER),
	ROW(" / HTTP/1.0\r\n", OTHER),
	ROW("G@T / HTTP/1.0\r\n", OTHER),
	ROW("G\0T / HTTP/1.0\r\n", OTHER),
	ROW("EHLO a.example\r\n", OTHER),
	ROW("SSH-2.0-OpenSSH\r\n", OTHER),
	ROW("\026\003\001\002", OTHER),
};

static bool
request_line_is(const struct request_line *line, enum request_line_state result)
{
	return result == REQUEST_LINE_OPEN ? request_line_is_open(line) : line->state == result;
}

/* A request whose first line has `length` bytes, line end included. */
static enum request_line_state
request_line_of_length(size_t length, size_t piece)
{
	static const char start[] = "GET /", end[] = " HTTP/1.1\r\n";
	struct request_line line = REQUEST_LINE_START;
	char *text = malloc(length);
	if (text == NULL)
		abort();
	memset(text, 'a', length);
	memcpy(text, start, sizeof start - 1);
	memcpy(text + length - (sizeof end - 1), end, sizeof end - 1);
	for (size_t done = 0; done < length; done += piece)
		request_line_feed(&line, (unsigned char *)text + done,
			length - done < piece ? length - done : piece);
	free(text);
	return line.state;
}

int
main(void)
{
	for (size_t i = 0; i < sizeof request_line_rows / sizeof request_line_rows[0]; i++) {
		const unsigned char *text = (const unsigned char *)request_line_rows[i].text;
		size_t length = request_line_rows[i].length;
		bool good = true;
		for (size_t first = 0; first <= length; first++)
			for (size_t second = first; second <= length; second++) {
				struct request_line line = REQUEST_LINE_START;
				request_line_feed(&line, text, first);
				request_line_feed(&line, text + first, second - first);
				request_line_feed(&line, text + second, length - second);
				good = good && request_line_is(&line, request_line_rows[i].result);
			}
		if (!good)
			(void)fprintf(stderr, "not so: %s\n", request_line_rows[i].text);
		CHECK(good);
	}

	CHECK(request_line_of_length(REQUEST_LINE_MAX, 1) == REQUEST_LINE_HTTP);
	CHECK(request_line_of_length(REQUEST_LINE_MAX, 4096) == REQUEST_LINE_HTTP);
	CHECK(request_line_of_length(REQUEST_LINE_MAX + 1, 1) == REQUEST_LINE_OTHER);
	CHECK(request_line_of_length(REQUEST_LINE_MAX + 1, 100000) == REQUEST_LINE_OTHER);

	/* A line that was not started finds nothing. */
	struct request_line none = { .length = 0 };
	request_line_feed(&none, (const unsigned char *)"GET / HTTP/1.0\r\n", 16);
	CHECK(none.state == REQUEST_LINE_OTHER && none.length == 0);

	/* Without a line end it is decided at the limit. */
	struct request_line line = REQUEST_LINE_START;
	for (size_t i = 0; i + 1 < REQUEST_LINE_MAX; i++)
		request_line_feed(&line, (const unsigned char *)"a", 1);
	CHECK(request_line_is_open(&line));
	request_line_feed(&line, (const unsigned char *)"a", 1);
	CHECK(line.state == REQUEST_LINE_OTHER);
	return check_verdict("request_line");
}
