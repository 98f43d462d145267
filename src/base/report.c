/* The destination of a report; see report.h. */
#include "base/report.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/pollset.h"

static void
report_fail(struct report *report, int error)
{
	report->error = error;
	report_close(report);
}

/* A pipe that polls writable takes PIPE_BUF bytes without blocking (poll(2), pipe(7)), which
 * matters if its O_NONBLOCK is shared. */
static size_t
report_put_piece(struct report *report, const char *bytes, size_t n)
{
	ssize_t put;
	if (pollset_look(report->fd, POLLOUT) == 0)
		return 0;
	if (n > PIPE_BUF)
		n = PIPE_BUF;
	do
		put = report->socket ? send(report->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL)
				     : write(report->fd, bytes, n);
	while (put == -1 && errno == EINTR);
	if (put >= 0)
		return (size_t)put;
	if (errno != EAGAIN)
		report_fail(report, errno);
	return 0;
}

/* Returns the number of bytes written. */
static size_t
report_put(struct report *report, const char *bytes, size_t n)
{
	size_t put = 0, piece;
	while (put < n && report->fd != -1 &&
		(piece = report_put_piece(report, bytes + put, n - put)) > 0)
		put += piece;
	return put;
}

bool
report_flush(struct report *report)
{
	if (report->rest == NULL)
		return true;
	report->start +=
		report_put(report, report->rest + report->start, report->end - report->start);
	if (report->rest != NULL && report->start < report->end)
		return false;
	free(report->rest);
	report->rest = NULL;
	return true;
}

bool
report_write(struct report *report, const char *line, size_t n)
{
	if (report->fd == -1 || !report_flush(report))
		return false;
	size_t put = report_put(report, line, n);
	if (report->fd == -1 || put == 0 || put == n)
		return put == n;
	report->rest = malloc(n - put);
	if (report->rest == NULL) {
		report_fail(report, ENOMEM);
		return false;
	}
	memcpy(report->rest, line + put, n - put);
	report->start = 0;
	report->end = n - put;
	return true;
}

void
report_close(struct report *report)
{
	/* The bytes of a failed close(2) are those of an error that a write has not met. */
	if (report->fd != -1 && close(report->fd) == -1 && report->error == 0)
		report->error = errno;
	free(report->rest);
	report->rest = NULL;
	report->fd = -1;
}
