/* The first line of an HTTP/1 request; see request_line.h. */
#include "flow/request_line.h"

#include <string.h>

#include "flow/stage.h"

static bool
request_line_is_token(unsigned char c)
{
	/* tchar of RFC 9110, section 5.6.2. strchr would also find the final NUL. */
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* Whether the byte continues the part that the state names; SP ends the method and the target. */
static enum request_line_state
request_line_next(struct request_line *line, unsigned char c)
{
	static const char version[] = "HTTP/1.";
	switch (line->state) {
	case REQUEST_LINE_METHOD:
		if (c == ' ' && line->part > 0)
			return REQUEST_LINE_TARGET;
		return request_line_is_token(c) ? REQUEST_LINE_METHOD : REQUEST_LINE_OTHER;
	case REQUEST_LINE_TARGET:
		if (c == ' ' && line->part > 0)
			return REQUEST_LINE_VERSION;
		return c > ' ' && c != 0x7f ? REQUEST_LINE_TARGET : REQUEST_LINE_OTHER;
	case REQUEST_LINE_VERSION:
		if (line->part < sizeof version - 1)
			return c == (unsigned char)version[line->part] ? REQUEST_LINE_VERSION
								       : REQUEST_LINE_OTHER;
		return c == '0' || c == '1' ? REQUEST_LINE_END : REQUEST_LINE_OTHER;
	case REQUEST_LINE_END:
		if (c == '\r' && line->part == 0)
			return REQUEST_LINE_END;
		return c == '\n' ? REQUEST_LINE_HTTP : REQUEST_LINE_OTHER;
	case REQUEST_LINE_OTHER:
	case REQUEST_LINE_HTTP:
		break;
	}
	return line->state;
}

void
request_line_feed(struct request_line *line, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n && request_line_is_open(line); i++) {
		enum request_line_state next = request_line_next(line, bytes[i]);
		line->part = next == line->state ? line->part + 1 : 0;
		line->state = next;
		if (++line->length >= REQUEST_LINE_MAX && next != REQUEST_LINE_HTTP)
			line->state = REQUEST_LINE_OTHER;
	}
}

static void
request_line_passed(
	struct stage *stage, const struct iovec *pieces, int count, size_t n, int64_t now)
{
	(void)now;
	for (int i = 0; i < count && n > 0 && stage->inspects; i++) {
		size_t part = pieces[i].iov_len < n ? pieces[i].iov_len : n;
		request_line_feed(&stage->request_line, pieces[i].iov_base, part);
		stage->inspects = request_line_is_open(&stage->request_line);
		n -= part;
	}
	stage->keeps_end = stage->request_line.state == REQUEST_LINE_HTTP;
}

static const struct stage_ops request_line_ops = { .passed = request_line_passed };

const struct stage request_line_stage = {
	.ops = &request_line_ops,
	.inspects = true,
	.request_line = { .state = REQUEST_LINE_METHOD },
};
