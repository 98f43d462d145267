/*
 * The opening of a session, accepted and dialled: its order, its time limit, failures in the middle
 * of it, and a peer that leaves. The filter is as TLS or a proxy would be: it opens in five steps,
 * and reads ten bytes too far.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "engine/service.h"
#include "engine/session.h"
#include "filter/filter.h"
#include "filter/telnet.h"
#include "read_ahead.h"
#include "stream/dialled.h"
#include "stream/socket.h"

#define SESSION_TEST_STEPS 5
#define SESSION_TEST_WAIT (30 * CLOCK_SECOND)
#define SESSION_TEST_START (1000 * CLOCK_SECOND)

/* What the streams do. */
static struct {
	int64_t now;
	char trace[64];        /* s: socket options, f: a step of the filter, i: the local side is
				  created, l: a step of its opening */
	unsigned filter_fails; /* the step that fails; 0: none */
	unsigned local_steps;  /* to open; 0: it never opens */
	int64_t local_pause;   /* between them */
	bool init_fails, local_fails;
	unsigned settle_steps; /* until the local side has settled; 0: that fails */
	char written[64];      /* to the local side */
	size_t length;
} session_test;

struct session_test_one {
	struct session session;
	struct run run;
	struct config config;
	struct pollset pollset;
	struct pollset *asked;              /* NULL: not yet */
	int peer;                           /* the other end; -1: none */
	int listener;                       /* -1: none */
	char folder[32], path[64], own[64]; /* of Unix sockets */
};

int64_t __wrap_clock_now(void);
bool __wrap_telnet_add(struct stream **top, struct fault *fault);
bool __real_sockopt_apply(const struct sockopts *options, int fd, enum sockopt_when when, bool all,
	struct fault *fault);
bool __wrap_sockopt_apply(const struct sockopts *options, int fd, enum sockopt_when when, bool all,
	struct fault *fault);

int64_t
__wrap_clock_now(void)
{
	return session_test.now;
}

static void
session_test_note(char what)
{
	size_t length = strlen(session_test.trace);
	if (length < sizeof session_test.trace - 1)
		session_test.trace[length] = what;
}

bool
__wrap_sockopt_apply(const struct sockopts *options, int fd, enum sockopt_when when, bool all,
	struct fault *fault)
{
	if (when == SOCKOPT_CONNECTED)
		session_test_note('s');
	return __real_sockopt_apply(options, fd, when, all, fault);
}

/* --- the filter --- */

struct session_test_filter {
	struct read_ahead ahead;
	unsigned steps;
};

static enum io
session_test_filter_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct session_test_filter *filter = stream->impl;
	(void)pollset;
	CHECK(stream->lower->opened);
	session_test_note('f');
	if (++filter->steps == session_test.filter_fails) {
		(void)fault_set(fault, STATUS_RECEIVE, 0, "handshake");
		return IO_FAIL;
	}
	if (filter->steps < SESSION_TEST_STEPS) {
		stream->read = stream->write;
		if (filter->steps % 2 == 0)
			stream->read.at = clock_after(now, CLOCK_MILLISECOND);
		return IO_AGAIN;
	}
	enum io result = read_ahead_fill(stream, &filter->ahead, fault);
	if (result == IO_END)
		(void)fault_set(fault, STATUS_RECEIVE, 0, "the peer has left");
	return result == IO_END ? IO_FAIL : result;
}

static enum io
session_test_filter_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct session_test_filter *filter = stream->impl;
	return read_ahead_take(stream, &filter->ahead, pieces, count, got, fault);
}

static const struct stream_ops session_test_filter_ops = {
	.open = session_test_filter_open,
	.read = session_test_filter_read,
	.write = filter_write,
};

/* The session adds it where telnet would be. */
bool
__wrap_telnet_add(struct stream **top, struct fault *fault)
{
	return filter_add(top, &session_test_filter_ops, sizeof(struct session_test_filter),
		       fault) != NULL;
}

/* --- the local side --- */

static enum io
session_test_local_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	unsigned *steps = stream->impl;
	(void)pollset;
	session_test_note('l');
	if (session_test.local_fails) {
		(void)fault_set(fault, STATUS_NOT_FOUND, 0, "local");
		return IO_FAIL;
	}
	stream->read.at = session_test.local_steps == 0
		? CLOCK_NEVER
		: clock_after(now, session_test.local_pause);
	return ++*steps == session_test.local_steps ? IO_OK : IO_AGAIN;
}

static enum io
session_test_local_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	(void)pieces, (void)count, (void)got, (void)fault;
	stream->read.at = CLOCK_NEVER;
	return IO_AGAIN;
}

static enum io
session_test_local_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct iovec space = { session_test.written + session_test.length,
		sizeof session_test.written - session_test.length };
	(void)stream, (void)fault;
	*put = 0;
	for (int i = 0; i < count; i++)
		*put += stream_copy(&space, 1, pieces[i].iov_base, pieces[i].iov_len);
	session_test.length += *put;
	return IO_OK;
}

static enum io
session_test_local_settle(struct stream *stream, struct fault *fault)
{
	session_test_note('e');
	stream->write.at = session_test.now + CLOCK_MILLISECOND;
	if (session_test.settle_steps == 0)
		return IO_FAULT(fault, STATUS_OUTPUT, 0, "settle");
	return --session_test.settle_steps == 0 ? IO_OK : IO_AGAIN;
}

static void
session_test_local_close(struct stream *stream, bool clean)
{
	(void)stream, (void)clean;
}

static const struct stream_ops session_test_local_ops = {
	.open = session_test_local_open,
	.read = session_test_local_read,
	.write = session_test_local_write,
	.settle = session_test_local_settle,
	.close = session_test_local_close,
};

static struct stream *
session_test_init(const struct service_context *context, struct fault *fault)
{
	CHECK(context->remote->opened);
	session_test_note('i');
	if (session_test.init_fails) {
		(void)fault_set(fault, STATUS_NOT_FOUND, 0, "init");
		return NULL;
	}
	return stream_new(&session_test_local_ops, strdup("local"), sizeof(unsigned), fault);
}

static const struct service session_test_service = {
	.name = "test",
	.local = SERVICE_OWN,
	.rules = { .send = true, .receive = true },
	.init = session_test_init,
};

/* --- a session --- */

static void
session_test_begin(struct session_test_one *one, bool filtered)
{
	struct fault fault = FAULT_NONE;
	const struct capture_config none = { .hex_dump = NULL };
	memset(&session_test, 0, sizeof session_test);
	session_test.now = SESSION_TEST_START;
	session_test.local_steps = 3;
	session_test.local_pause = CLOCK_MILLISECOND;
	*one = (struct session_test_one){ .peer = -1, .listener = -1 };
	one->config = (struct config){
		.service = &session_test_service,
		.transport = transport_find(TRANSPORT_UNIX, false, false, -1),
		.wait = SESSION_TEST_WAIT,
		.idle = CLOCK_NEVER,
		.quit_after = CLOCK_NEVER,
		.linger = CLOCK_SECOND,
		.telnet = filtered,
		.no_splice = true,
	};
	one->run.config = &one->config;
	one->session.run = &one->run;
	CHECK(engine_open(&one->run.engine, &none, 0, &fault));
}

/* Accepts the peer. */
static void
session_test_accept(struct session_test_one *one, bool filtered)
{
	struct fault fault = FAULT_NONE;
	int fds[2];
	session_test_begin(one, filtered);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	one->peer = fds[1];
	one->session.remote = socket_new(
		one->config.transport, fds[0], SOCKET_UNKNOWN, 0, strdup("peer"), &fault);
	CHECK(one->session.remote != NULL);
}

/* Will dial a listener whose queue is full, so that the dial has to try again. */
static void
session_test_dial(struct session_test_one *one, bool filtered)
{
	struct fault fault = FAULT_NONE;
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	session_test_begin(one, filtered);
	(void)strcpy(one->folder, "/tmp/session_test.XXXXXX");
	CHECK(mkdtemp(one->folder) != NULL);
	(void)snprintf(one->path, sizeof one->path, "%s/peer", one->folder);
	(void)snprintf(one->own, sizeof one->own, "%s/own", one->folder);
	(void)snprintf(name.sun_path, sizeof name.sun_path, "%s", one->path);
	one->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(bind(one->listener, (struct sockaddr *)&name, sizeof name) == 0);
	CHECK(listen(one->listener, 0) == 0);
	one->peer = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(connect(one->peer, (struct sockaddr *)&name, sizeof name) == 0);
	one->config.endpoint = (struct endpoint){ .names = TRANSPORT_UNIX, .host = one->path };
	one->config.local = (struct address){ .length = sizeof name };
	(void)snprintf(name.sun_path, sizeof name.sun_path, "%s", one->own);
	memcpy(&one->config.local.storage, &name, sizeof name);
	const struct dial_config dial = config_dial(&one->config, session_test.now);
	one->session.connects = true;
	one->session.remote = dialled_new(&dial, false, &one->session.peer, &fault);
	CHECK(one->session.remote != NULL);
}

/* Accepts the connection that the session dials, after the one that filled the queue. */
static void
session_test_answer(struct session_test_one *one)
{
	int other = accept(one->listener, NULL, NULL);
	CHECK(other != -1 && close(other) == 0 && close(one->peer) == 0);
	one->peer = -1;
}

/* One step; what it waits for happens, or the time passes that it waits for. */
static bool
session_test_step(struct session_test_one *one)
{
	const struct service_context context = {
		.config = &one->config,
		.remote = one->session.remote,
		.peer = &one->session.peer,
		.now = session_test.now,
	};
	bool over = session_open(&one->session, &context, one->asked);
	/* The connection waits in the queue now. */
	if (one->peer == -1 && one->session.connected)
		one->peer = accept(one->listener, NULL, NULL);
	if (over || one->session.state != SESSION_OPENING)
		return over;
	one->asked = &one->pollset;
	pollset_begin(one->asked);
	session_ask(&one->session, one->asked, session_test.now);
	CHECK(one->asked->deadline > session_test.now);
	CHECK(one->asked->deadline <= session_test.now + one->config.wait);
	if (poll(one->asked->polls, one->asked->count, 0) == 0)
		session_test.now = one->asked->deadline;
	return false;
}

/* Steps until the session has opened, or is over. */
static bool
session_test_open(struct session_test_one *one)
{
	for (unsigned turn = 0; turn < 10000; turn++)
		if (session_test_step(one) || one->session.state != SESSION_OPENING)
			return one->session.state == SESSION_RELAYING;
	CHECK(one->session.state != SESSION_OPENING);
	return false;
}

/* Answers the dial, which then succeeds. */
static void
session_test_connect(struct session_test_one *one)
{
	session_test_answer(one);
	for (unsigned turn = 0; turn < 100 && !one->session.connected; turn++)
		CHECK(!session_test_step(one));
	CHECK(one->session.connected);
}

static void
session_test_send(const struct session_test_one *one, const char *text)
{
	CHECK(write(one->peer, text, strlen(text)) == (ssize_t)strlen(text));
}

static void
session_test_end(struct session_test_one *one, enum status status, const char *text)
{
	struct fault fault = FAULT_NONE;
	CHECK(one->session.state == SESSION_OPENING);
	CHECK(session_end(&one->session, &fault) == (status == STATUS_OK));
	CHECK(fault.status == status);
	CHECK((text == NULL) == (fault.text == NULL));
	CHECK(text == NULL || fault.text == NULL || strcmp(fault.text, text) == 0);
	if (text != NULL && fault.text != NULL && strcmp(fault.text, text) != 0)
		(void)fprintf(stderr, "\"%s\" instead of \"%s\"\n", fault.text, text);
	fault_clear(&fault);
}

static void
session_test_close(struct session_test_one *one)
{
	bool connected = one->session.connected;
	session_close(&one->session);
	struct pollfd end = { .fd = one->peer, .events = POLLIN };
	CHECK(!connected || poll(&end, 1, 0) == 1);
	CHECK(one->own[0] == '\0' || access(one->own, F_OK) == -1);
	pollset_close(&one->pollset);
	if (one->peer != -1)
		CHECK(close(one->peer) == 0);
	if (one->listener != -1)
		CHECK(close(one->listener) == 0 && unlink(one->path) == 0 &&
			rmdir(one->folder) == 0);
	struct fault fault = FAULT_NONE;
	CHECK(capture_close(&one->run.engine.capture, &fault));
	poller_close(&one->run.engine.poller);
}

/* --- the tests --- */

/* The remote side opens first, then the local one; what was read too far comes first. */
static void
session_test_order(bool dialled)
{
	struct session_test_one one;
	if (dialled) {
		session_test_dial(&one, true);
		CHECK(!session_test_step(&one) && !session_test_step(&one));
		CHECK(!one.session.connected);
		CHECK(strcmp(session_test.trace, "") == 0 && one.session.local == NULL);
		CHECK(access(one.own, F_OK) == 0);
		session_test_connect(&one);
		CHECK(one.session.connected && one.session.peer.storage.ss_family == AF_UNIX);
		CHECK(strcmp(one.session.remote->name, one.path) == 0);
	} else {
		session_test_accept(&one, true);
	}
	session_test_send(&one, "0123456789abcdef");
	CHECK(session_test_open(&one));
	CHECK(strcmp(session_test.trace, "sfffffilll") == 0);
	CHECK(one.session.remote->opened && one.session.local->opened);
	CHECK(one.session.remote->hangup.fd == -1);
	CHECK(access(one.own, F_OK) == (dialled ? 0 : -1));
	for (unsigned turn = 0; turn < 10 && session_test.length < 16; turn++) {
		pollset_begin(&one.pollset);
		session_ask(&one.session, &one.pollset, session_test.now);
		CHECK(poll(one.pollset.polls, one.pollset.count, 0) >= 0);
		CHECK(!session_step(&one.session, &one.pollset, session_test.now));
	}
	CHECK(session_test.length == 16);
	CHECK(memcmp(session_test.written, "0123456789abcdef", 16) == 0);
	session_test_close(&one);
}

/* Data that was read and not written in one direction is enough. */
static void
session_test_holds(void)
{
	const struct {
		uint64_t out_read, out_written, in_read, in_written;
		bool holds;
	} rows[] = { { 0, 0, 0, 0, false }, { 5, 5, 7, 7, false }, { 5, 4, 7, 7, true },
		{ 5, 5, 7, 6, true }, { 5, 4, 7, 6, true } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct session session = { .id = 1 };
		session.relay.out.read = rows[i].out_read;
		session.relay.out.written = rows[i].out_written;
		session.relay.in.read = rows[i].in_read;
		session.relay.in.written = rows[i].in_written;
		CHECK(session_holds(&session) == rows[i].holds);
	}
}

/* A filter that waits for the peer has no more time than is left from the start. */
static void
session_test_filter_times_out(bool dialled)
{
	struct session_test_one one;
	char text[128];
	if (dialled) {
		session_test_dial(&one, true);
		for (int turn = 0; turn < 10000 &&
			session_test.now < SESSION_TEST_START + SESSION_TEST_WAIT / 2;
			turn++)
			CHECK(!session_test_step(&one));
		session_test_answer(&one);
	} else {
		session_test_accept(&one, true);
	}
	for (int turn = 0; turn < 100 && session_test.now < SESSION_TEST_START + SESSION_TEST_WAIT;
		turn++)
		CHECK(!session_test_step(&one));
	CHECK(session_test.now == SESSION_TEST_START + SESSION_TEST_WAIT);
	CHECK(strcmp(session_test.trace, "sfffff") == 0);
	CHECK(session_test_step(&one));
	(void)snprintf(text, sizeof text, "%s %s: timed out", dialled ? "connect" : "accept",
		one.session.remote->name);
	session_test_end(&one, STATUS_TIMEOUT, text);
	CHECK(one.session.local == NULL);
	session_test_close(&one);
}

static void
session_test_dial_times_out(void)
{
	struct session_test_one one;
	char text[128];
	session_test_dial(&one, true);
	CHECK(!session_test_open(&one));
	CHECK(session_test.now == SESSION_TEST_START + SESSION_TEST_WAIT);
	CHECK(strcmp(session_test.trace, "") == 0);
	(void)snprintf(text, sizeof text, "connect %s: timed out", one.path);
	session_test_end(&one, STATUS_TIMEOUT, text);
	session_test_close(&one);
}

/* The local side has its own time, from its creation. */
static void
session_test_local_times_out(void)
{
	struct session_test_one one;
	session_test_accept(&one, true);
	session_test.local_steps = 0;
	for (int turn = 0; turn < 100 && strcmp(session_test.trace, "sfffff") != 0; turn++)
		CHECK(!session_test_step(&one));
	session_test.now = SESSION_TEST_START + SESSION_TEST_WAIT / 2;
	session_test_send(&one, "0123456789");
	CHECK(!session_test_open(&one));
	CHECK(session_test.now == SESSION_TEST_START + SESSION_TEST_WAIT / 2 + SESSION_TEST_WAIT);
	session_test_end(&one, STATUS_TIMEOUT, "connect local: timed out");
	session_test_close(&one);
}

/* A failure ends the opening, and nothing that comes later is opened. */
static void
session_test_fails(bool dialled)
{
	struct session_test_one one;
	for (unsigned what = 0; what < 4; what++) {
		if (dialled) {
			session_test_dial(&one, true);
			session_test_connect(&one);
		} else {
			session_test_accept(&one, true);
		}
		session_test.filter_fails = what == 0 ? 3 : 0;
		session_test.init_fails = what == 1;
		session_test.local_fails = what == 2;
		session_test_send(&one, "0123456789");
		if (what == 3) {
			struct fault fault = FAULT_NONE;
			CHECK(!session_test_step(&one));
			(void)fault_set(&fault, STATUS_SOME, 0, "outside");
			session_fail(&one.session, &fault, session_test.now);
			memset(session_test.trace, 0, sizeof session_test.trace);
		}
		CHECK(!session_test_open(&one));
		static const char *const traces[] = { "sfff", "sfffffi", "sfffffil", "" };
		CHECK(strcmp(session_test.trace, traces[what]) == 0);
		session_test_end(&one,
			what == 0           ? STATUS_RECEIVE
				: what == 3 ? STATUS_SOME
					    : STATUS_NOT_FOUND,
			what == 0           ? "handshake"
				: what == 1 ? "init"
				: what == 2 ? "local"
					    : "outside");
		session_test_close(&one);
	}
}

/* The filter finds that the peer has left. */
static void
session_test_leaves_filter(bool dialled)
{
	struct session_test_one one;
	if (dialled) {
		session_test_dial(&one, true);
		session_test_connect(&one);
	} else {
		session_test_accept(&one, true);
	}
	CHECK(!session_test_step(&one));
	CHECK(close(one.peer) == 0);
	one.peer = open("/dev/null", 0);
	CHECK(!session_test_open(&one));
	CHECK(strcmp(session_test.trace, "sfffff") == 0);
	CHECK(session_test.now < SESSION_TEST_START + SESSION_TEST_WAIT);
	session_test_end(&one, STATUS_RECEIVE, "the peer has left");
	session_test_close(&one);
}

/* While the local side opens a peer that leaves without sending ends the session, without a fault;
 * what it sent before is still delivered. */
static void
session_test_leaves_local(bool dialled, bool filtered, bool sends)
{
	struct session_test_one one;
	if (dialled) {
		session_test_dial(&one, filtered);
		session_test_connect(&one);
	} else {
		session_test_accept(&one, filtered);
	}
	if (dialled || filtered)
		CHECK(!session_test_step(&one));
	session_test.local_steps = 1000;
	/* Longer than a peer that has hung up is awaited by a relay. */
	if (sends) {
		session_test.local_pause = CLOCK_SECOND;
		one.config.wait = 10000 * CLOCK_SECOND;
	}
	if (filtered)
		session_test_send(&one, "0123456789");
	for (int turn = 0; turn < 100 && one.session.local == NULL; turn++)
		CHECK(!session_test_step(&one));
	if (sends)
		session_test_send(&one, "abc");
	CHECK(!session_test_step(&one));
	CHECK(close(one.peer) == 0);
	one.peer = open("/dev/null", 0);
	CHECK(session_test_open(&one) == sends);
	/* A hang-up is reported in every turn, so it is not waited for again. */
	CHECK(!sends || one.pollset.count == 0);
	CHECK(sends || session_test.now < SESSION_TEST_START + SESSION_TEST_WAIT);
	if (!sends)
		session_test_end(&one, STATUS_OK, NULL);
	session_test_close(&one);
}

/* A reset while the local side opens is a failure. */
static void
session_test_resets(void)
{
	struct session_test_one one;
	struct fault fault = FAULT_NONE;
	struct sockaddr_in name = { .sin_family = AF_INET };
	socklen_t size = sizeof name;
	const struct linger at_once = { .l_onoff = 1 };
	session_test_begin(&one, false);
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int listener = socket(AF_INET, SOCK_STREAM, 0), peer = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(listener, (struct sockaddr *)&name, size) == 0 && listen(listener, 1) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&name, &size) == 0);
	CHECK(connect(peer, (struct sockaddr *)&name, size) == 0);
	one.config.transport = transport_find(TRANSPORT_INET, false, false, -1);
	one.session.remote = socket_new(one.config.transport, accept(listener, NULL, NULL),
		SOCKET_UNKNOWN, 0, strdup("peer"), &fault);
	session_test.local_steps = 1000;
	for (int turn = 0; turn < 100 && one.session.local == NULL; turn++)
		CHECK(!session_test_step(&one));
	CHECK(setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
	CHECK(close(peer) == 0 && close(listener) == 0);
	one.peer = open("/dev/null", 0);
	CHECK(!session_test_open(&one));
	session_test_end(&one, STATUS_RECEIVE, "receive from peer: Connection reset by peer");
	session_test_close(&one);
}

/* Opens a session that only receives, and sends it the end. */
static void
session_test_receive(struct session_test_one *one)
{
	session_test_accept(one, false);
	one->config.no_input = true;
	CHECK(session_test_open(one));
	session_test_send(one, "text");
	CHECK(shutdown(one->peer, SHUT_WR) == 0);
	memset(session_test.trace, 0, sizeof session_test.trace);
}

/* Steps until the session is over; false if it waits for what does not come. */
static bool
session_test_run(struct session_test_one *one, unsigned steps)
{
	for (unsigned turn = 0; turn < steps; turn++) {
		pollset_begin(&one->pollset);
		session_ask(&one->session, &one->pollset, session_test.now);
		if (poll(one->pollset.polls, one->pollset.count, 0) == 0)
			session_test.now = one->pollset.deadline;
		if (session_step(&one->session, &one->pollset, session_test.now))
			return true;
	}
	return false;
}

/* A session that ends well settles, and is not over before. */
static void
session_test_settles(void)
{
	struct session_test_one one;
	struct fault fault = FAULT_NONE;
	session_test_receive(&one);
	session_test.settle_steps = 3;
	CHECK(session_test_run(&one, 20));
	CHECK(strcmp(session_test.trace, "eee") == 0);
	CHECK(session_end(&one.session, &fault) && one.session.relay.clean);
	session_test_close(&one);

	session_test_receive(&one);
	CHECK(session_test_run(&one, 20));
	CHECK(strcmp(session_test.trace, "e") == 0);
	CHECK(!session_end(&one.session, &fault) && fault.status == STATUS_OUTPUT);
	CHECK(!one.session.relay.clean);
	fault_clear(&fault);
	session_test_close(&one);
}

/* A session that fails before does not settle; one that fails meanwhile is over. */
static void
session_test_settles_not(void)
{
	struct session_test_one one;
	struct fault fault = FAULT_NONE, cause = FAULT_NONE;
	session_test_receive(&one);
	(void)fault_set(&cause, STATUS_RECEIVE, 0, "before");
	session_fail(&one.session, &cause, session_test.now);
	CHECK(session_test_run(&one, 20));
	CHECK(strcmp(session_test.trace, "") == 0);
	CHECK(!session_end(&one.session, &fault) && fault.status == STATUS_RECEIVE);
	fault_clear(&fault);
	session_test_close(&one);

	session_test_receive(&one);
	session_test.settle_steps = 1000;
	CHECK(!session_test_run(&one, 20));
	CHECK(one.session.state == SESSION_SETTLING);
	session_interrupt(&one.session, SIGTERM, session_test.now);
	CHECK(session_test_run(&one, 1));
	CHECK(!session_end(&one.session, &fault) && fault.signal == SIGTERM);
	fault_clear(&fault);
	session_test_close(&one);
}

int
main(void)
{
	session_test_resets();
	session_test_holds();
	for (int dialled = 0; dialled < 2; dialled++) {
		session_test_order(dialled);
		session_test_filter_times_out(dialled);
		session_test_fails(dialled);
		session_test_leaves_filter(dialled);
		for (int kind = 0; kind < 4; kind++)
			session_test_leaves_local(dialled, kind % 2 == 1, kind / 2 == 1);
	}
	session_test_dial_times_out();
	session_test_local_times_out();
	session_test_settles();
	session_test_settles_not();
	return check_verdict("session");
}
