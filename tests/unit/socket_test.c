/* Looking at an idle socket after the peer has ended and closed, with a simulated clock. */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "net/transport.h"
#include "stream/socket.h"

static int64_t socket_test_now = 1000 * CLOCK_SECOND;

int64_t __wrap_clock_now(void);

int64_t
__wrap_clock_now(void)
{
	return socket_test_now;
}

/* The stream at one end of a Unix socket whose other end was sent five bytes, read some, and
 * closed. */
static struct stream *
socket_test_open(size_t reads)
{
	char name[] = "the peer", bytes[8];
	int fds[2];
	const struct transport *transport = transport_find(TRANSPORT_UNIX, false, false, -1);
	size_t got = 0, put = 0;
	struct fault fault = FAULT_NONE;
	struct iovec piece = { bytes, sizeof bytes }, hello = { name, 5 };
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	struct stream *stream =
		socket_new(transport, fds[0], SOCKET_UNKNOWN, 0, strdup(name), &fault);
	CHECK(stream_open(stream, NULL, 0, &fault) == IO_OK);
	CHECK(stream_write(stream, &hello, 1, &put, &fault) == IO_OK && put == 5);
	CHECK(read(fds[1], bytes, reads) == (ssize_t)reads);
	CHECK(shutdown(fds[1], SHUT_WR) == 0);
	CHECK(stream_read(stream, &piece, 1, &got, &fault) == IO_END);
	CHECK(stream->hangup.fd != -1);
	/* The peer is there: nothing to report. */
	CHECK(stream_look(stream, &fault) == IO_OK);
	CHECK(close(fds[1]) == 0);
	return stream;
}

int
main(void)
{
	struct fault fault = FAULT_NONE;

	/* It had read all: after the time limit, as for TCP, nothing is lost. */
	struct stream *stream = socket_test_open(5);
	CHECK(stream_look(stream, &fault) == IO_AGAIN);
	CHECK(stream->hangup.at > socket_test_now + 60 * CLOCK_SECOND);
	socket_test_now = stream->hangup.at - 1;
	CHECK(stream_look(stream, &fault) == IO_AGAIN);
	socket_test_now = stream->hangup.at;
	CHECK(stream_look(stream, &fault) == IO_END);
	CHECK(!fault_is_set(&fault));
	stream_close(stream, true);

	/* It had not: a failure at once. */
	stream = socket_test_open(4);
	CHECK(stream_look(stream, &fault) == IO_FAIL);
	CHECK(fault.status == STATUS_RECEIVE);
	fault_clear(&fault);
	stream_close(stream, true);
	return check_verdict("socket");
}
