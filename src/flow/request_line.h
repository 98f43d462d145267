/*
 * Recognises an HTTP/1 request by its first line (RFC 9112, section 3), from bytes in any pieces:
 *
 *     method SP target SP ("HTTP/1.0" | "HTTP/1.1") [CR] LF
 *
 * The method is a token, the target is anything but white space and control characters. The first
 * line decides. A line longer than REQUEST_LINE_MAX is no request.
 */
#ifndef SOCKCAT_FLOW_REQUEST_LINE_H
#define SOCKCAT_FLOW_REQUEST_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* The limit of most servers, line end included. RFC 9112 recommends to support 8000 bytes. */
#define REQUEST_LINE_MAX ((size_t)8192)

enum request_line_state {
	REQUEST_LINE_OTHER, /* decided: no HTTP/1 request; also a zeroed struct */
	REQUEST_LINE_HTTP,  /* decided: an HTTP/1 request */
	REQUEST_LINE_METHOD,
	REQUEST_LINE_TARGET,
	REQUEST_LINE_VERSION,
	REQUEST_LINE_END
};

struct request_line {
	enum request_line_state state;
	size_t length; /* bytes of the line so far */
	size_t part;   /* bytes of the method, target or version so far */
};

/* Undecided, no bytes seen. */
#define REQUEST_LINE_START ((struct request_line){ .state = REQUEST_LINE_METHOD })

static inline bool
request_line_is_open(const struct request_line *line)
{
	return line->state > REQUEST_LINE_HTTP;
}

/* The next n bytes; no effect once it is decided. */
void request_line_feed(struct request_line *line, const unsigned char *bytes, size_t n);

#endif
