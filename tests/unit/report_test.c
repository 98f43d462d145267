/* The destination of a report: whole lines, none of which waits. */
#include "base/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "sys/sys.h"

/* Three of the sixteen pages of a pipe: the sixth line is taken in part. */
#define REPORT_TEST_LINE (2 * PIPE_BUF + 100)

static char report_test_line[REPORT_TEST_LINE];

/* Reads what is there; returns the number of bytes. */
static size_t
report_test_drain(int fd)
{
	static char bytes[65536];
	size_t all = 0;
	ssize_t n;
	while ((n = read(fd, bytes, sizeof bytes)) > 0)
		all += (size_t)n;
	return all;
}

/* Fills the destination and empties it. `parts`: the last line is taken in part; `max`: the most
 * bytes that it holds. */
static void
report_test_full(struct report *report, int reader, bool parts, size_t max)
{
	size_t taken = 0, lines = 0;
	while (report_write(report, report_test_line, REPORT_TEST_LINE) && taken <= max) {
		taken += REPORT_TEST_LINE;
		lines++;
	}
	CHECK(report->error == 0 && lines > 0 && taken <= max);
	/* Neither a line nor a piece of one. */
	CHECK(!report_write(report, "x\n", 2));
	CHECK(!parts || !report_flush(report));
	size_t got = report_test_drain(reader);
	CHECK(report_flush(report));
	got += report_test_drain(reader);
	CHECK(got == lines * REPORT_TEST_LINE);
	CHECK(report_write(report, "y\n", 2));
	CHECK(report_test_drain(reader) == 2);
}

int
main(void)
{
	int pipe_ends[2], pair[2];
	(void)memset(report_test_line, 'a', sizeof report_test_line);
	report_test_line[REPORT_TEST_LINE - 1] = '\n';
	CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	for (int blocking = 0; blocking < 2; blocking++) {
		CHECK(sys_pipe(pipe_ends));
		CHECK(fcntl(pipe_ends[1], F_SETFL, blocking ? 0 : O_NONBLOCK) == 0);
		struct report report = { .fd = pipe_ends[1] };
		report_test_full(&report, pipe_ends[0], true, 1024 * 1024);
		(void)close(pipe_ends[0]);
		CHECK(!report_write(&report, "z\n", 2));
		CHECK(report.error == EPIPE && report.fd == -1);
		CHECK(!report_write(&report, "z\n", 2));
	}
	/* A socket that blocks. */
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0);
	struct report report = { .fd = pair[1], .socket = true };
	report_test_full(&report, pair[0], false, 4096 * 1024);
	/* The rest of a line is freed. */
	while (report_write(&report, report_test_line, REPORT_TEST_LINE))
		continue;
	report_close(&report);
	report_close(&report);
	CHECK(report.error == 0);
	(void)close(pair[0]);
	return check_verdict("report");
}
