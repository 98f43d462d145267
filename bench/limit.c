/*
 * The limit probe: the system calls of the best known way for each work of the benchmark, and
 * nothing else. It knows in advance what a tool has to find out (which end comes first, that a
 * reply follows a request), so it needs no loop over poll; no tool can be faster for long.
 *
 *   limit listen|connect ADDRESS OUT IN BYTES   a stream; ADDRESS is a port of 127.0.0.1 (0: any,
 *                                               printed to standard error) or the path of a Unix socket
 *       OUT  none, sendfile, splice (through a pipe of its own), direct (standard input is a pipe)
 *       IN   none, splice, direct (standard output is a pipe)
 *   limit udp-receive PORT          datagrams to standard output, many at a time, until a signal
 *   limit udp-send PORT LENGTH      standard input as datagrams of LENGTH bytes
 *   limit echo PORT                 one connection, sent back
 *   limit echo-many PORT            any number of connections, echoed
 *   limit keep-many PORT            their data to standard output
 *   limit broadcast-many PORT       data of one of them to all others
 *   limit relay-many PORT TO        the data of each connection to a connection of its own to port
 *                                   TO, by a thread each
 *   limit turn PORT LENGTH          requests from standard input, replies to standard output
 *   limit frame PORT BYTES          the lines of standard input, BYTES with their LF, as messages after
 *                                   their length in 4 bytes, most significant first
 *   limit unframe PORT BYTES        the other end: messages to standard output as lines
 *   limit start                     nothing
 *
 * Status 0: exactly BYTES bytes went each way that is not "none", and the connection ended cleanly.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define LIMIT_CHUNK ((size_t)1024 * 1024)
/* SO_RCVLOWAT: fewer wake-ups with more data each. */
#define LIMIT_MARK (512 * 1024)
/* The largest payload of UDP over IPv4, and the most segments that kernels take (older ones: 64). */
#define LIMIT_PAYLOAD ((size_t)65507)
#define LIMIT_SEGMENTS ((size_t)128)
/* The read size for lines and frames, and their largest length; it fits into the CPU cache. */
#define LIMIT_FRAMES ((size_t)256 * 1024)
/* The listen backlog; the kernel may reduce it. */
#define LIMIT_WAITING 4096
/* The most connections of broadcast-many. */
#define LIMIT_CLIENTS 20000

struct limit_flow {
	const char *way;
	int in, out;
	uint64_t bytes;
};

static struct sockaddr_in
limit_loopback(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

/* Returns a connected socket, or the first connection of a listener. */
static int
limit_open(const char *address, bool listening)
{
	struct sockaddr_in port = limit_loopback(address);
	struct sockaddr_un path = { .sun_family = AF_UNIX };
	bool local = strchr(address, '/') != NULL;
	struct sockaddr *name = local ? (struct sockaddr *)&path : (struct sockaddr *)&port;
	socklen_t length = local ? sizeof path : sizeof port;
	if (local && strlen(address) >= sizeof path.sun_path)
		errx(2, "%s: too long", address);
	if (local)
		memcpy(path.sun_path, address, strlen(address) + 1);

	int fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		err(1, "socket");
	int yes = 1;
	if (!local && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == -1)
		err(1, "TCP_NODELAY");
	if (!listening) {
		if (connect(fd, name, length) == -1)
			err(1, "connect %s", address);
		return fd;
	}
	if (!local && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == -1)
		err(1, "SO_REUSEADDR");
	if (bind(fd, name, length) == -1 || listen(fd, 1) == -1)
		err(1, "listen %s", address);
	if (!local && getsockname(fd, name, &length) == 0 && atoi(address) == 0)
		fprintf(stderr, "%u\n", ntohs(port.sin_port));
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (client == -1)
		err(1, "accept");
	close(fd);
	return client;
}

/* May fail, which only costs speed. */
static void
limit_enlarge(int pipe)
{
	(void)fcntl(pipe, F_SETPIPE_SZ, (int)LIMIT_CHUNK);
}

static ssize_t
limit_through(int pipe[2], int in, int out)
{
	ssize_t got = splice(in, NULL, pipe[1], NULL, LIMIT_CHUNK, SPLICE_F_MOVE);
	for (ssize_t left = got; left > 0;) {
		ssize_t n = splice(pipe[0], NULL, out, NULL, (size_t)left, SPLICE_F_MOVE);
		if (n <= 0)
			return -1;
		left -= n;
	}
	return got;
}

static void
limit_move(struct limit_flow *flow)
{
	int own[2] = { -1, -1 };
	bool through = strcmp(flow->way, "splice") == 0;
	bool direct = strcmp(flow->way, "direct") == 0;
	if (!through && !direct && strcmp(flow->way, "sendfile") != 0)
		errx(2, "no such way: %s", flow->way);
	if (through && pipe2(own, O_CLOEXEC) == -1)
		err(1, "pipe");
	limit_enlarge(through ? own[1] : flow->in == STDIN_FILENO ? flow->in : flow->out);
	for (;;) {
		ssize_t n;
		if (through)
			n = limit_through(own, flow->in, flow->out);
		else if (direct)
			n = splice(flow->in, NULL, flow->out, NULL, LIMIT_CHUNK, SPLICE_F_MOVE);
		else
			n = sendfile(flow->out, flow->in, NULL, LIMIT_CHUNK);
		if (n == -1)
			err(1, "%s", flow->way);
		if (n == 0)
			return;
		flow->bytes += (uint64_t)n;
	}
}

static void *
limit_send(void *argument)
{
	struct limit_flow *flow = argument;
	limit_move(flow);
	if (shutdown(flow->out, SHUT_WR) == -1)
		err(1, "shutdown");
	return NULL;
}

static int
limit_stream(int fd, const char *out_way, const char *in_way, uint64_t bytes)
{
	struct limit_flow out = { out_way, STDIN_FILENO, fd, 0 };
	struct limit_flow in = { in_way, fd, STDOUT_FILENO, 0 };
	bool sends = strcmp(out_way, "none") != 0;
	bool receives = strcmp(in_way, "none") != 0;
	int mark = LIMIT_MARK;
	if (receives && setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark) == -1)
		err(1, "SO_RCVLOWAT");
	if (sends && receives) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, limit_send, &out) != 0)
			errx(1, "no thread");
		limit_move(&in);
		(void)pthread_join(thread, NULL);
	} else if (receives) {
		limit_move(&in);
	} else if (sends) {
		char byte;
		(void)limit_send(&out);
		if (recv(fd, &byte, 1, 0) != 0)
			errx(1, "the peer did not just end");
	}
	if ((sends && out.bytes != bytes) || (receives && in.bytes != bytes))
		errx(1, "%ju bytes sent, %ju received, %ju wanted", (uintmax_t)out.bytes,
			(uintmax_t)in.bytes, (uintmax_t)bytes);
	return 0;
}

static int
limit_udp_receive(const char *port)
{
	static char data[65536];
	struct sockaddr_in name = limit_loopback(port);
	socklen_t length = sizeof name;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int yes = 1;
	if (fd == -1 || bind(fd, (struct sockaddr *)&name, length) == -1)
		err(1, "bind %s", port);
	if (setsockopt(fd, IPPROTO_UDP, UDP_GRO, &yes, sizeof yes) == -1)
		err(1, "UDP_GRO");
	if (getsockname(fd, (struct sockaddr *)&name, &length) == 0 && atoi(port) == 0)
		fprintf(stderr, "%u\n", ntohs(name.sin_port));
	for (;;) {
		/* Room for the segment size, which a tool that keeps boundaries needs. */
		char control[CMSG_SPACE(sizeof(int))];
		struct iovec iov = { data, sizeof data };
		struct msghdr message = { .msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof control };
		ssize_t n = recvmsg(fd, &message, 0);
		if (n == -1 || write(STDOUT_FILENO, data, (size_t)n) != n)
			err(1, "receive");
	}
}

static int
limit_udp_send(const char *port, size_t length)
{
	static char data[65536];
	struct sockaddr_in name = limit_loopback(port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (length == 0 || length > LIMIT_PAYLOAD)
		errx(2, "no such length: %zu", length);
	if (fd == -1 || connect(fd, (struct sockaddr *)&name, sizeof name) == -1)
		err(1, "connect %s", port);
	int segment = (int)length;
	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) == -1)
		err(1, "UDP_SEGMENT");
	size_t segments = LIMIT_PAYLOAD / length;
	if (segments > LIMIT_SEGMENTS)
		segments = LIMIT_SEGMENTS;
	ssize_t n;
	while ((n = read(STDIN_FILENO, data, segments * length)) > 0) {
		for (size_t sent = 0; sent < (size_t)n;) {
			size_t some = (size_t)n - sent;
			if (some > segments * length)
				some = segments * length;
			if (send(fd, data + sent, some, 0) == (ssize_t)some)
				sent += some;
			else if (errno == EINVAL && segments > 64)
				segments = 64;
			else
				err(1, "send");
		}
	}
	if (n == -1)
		err(1, "read");
	return 0;
}

static int
limit_listen(const char *port)
{
	struct sockaddr_in name = limit_loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == -1 ||
		bind(fd, (struct sockaddr *)&name, sizeof name) == -1 ||
		listen(fd, LIMIT_WAITING) == -1)
		err(1, "listen %s", port);
	return fd;
}

static void
limit_watch(int set, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
	if (fd == -1 || epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == -1)
		err(1, "watch");
}

enum limit_service { LIMIT_ECHO, LIMIT_KEEP, LIMIT_BROADCAST };

static int limit_clients[LIMIT_CLIENTS];
static size_t limit_client_count;

static void
limit_leave(int fd)
{
	for (size_t i = 0; i < limit_client_count; i++)
		if (limit_clients[i] == fd)
			limit_clients[i--] = limit_clients[--limit_client_count];
	(void)close(fd);
}

static void
limit_pass(enum limit_service service, int from, const unsigned char *data, size_t length)
{
	bool good = true;
	switch (service) {
	case LIMIT_ECHO:
		good = send(from, data, length, MSG_NOSIGNAL) == (ssize_t)length;
		break;
	case LIMIT_KEEP:
		good = write(STDOUT_FILENO, data, length) == (ssize_t)length;
		break;
	case LIMIT_BROADCAST:
		for (size_t i = 0; i < limit_client_count; i++)
			if (limit_clients[i] != from)
				good &= send(limit_clients[i], data, length, MSG_NOSIGNAL) ==
					(ssize_t)length;
		break;
	}
	if (!good)
		err(1, "write");
}

static _Noreturn void
limit_serve_many(int listener, enum limit_service service)
{
	static unsigned char data[262144];
	int set = epoll_create1(EPOLL_CLOEXEC), yes = 1;
	limit_watch(set, listener);
	for (;;) {
		struct epoll_event events[64];
		int count = epoll_wait(set, events, 64, -1);
		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;
			if (fd == listener) {
				fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
				(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
				limit_watch(set, fd);
				if (service == LIMIT_BROADCAST && limit_client_count < LIMIT_CLIENTS)
					limit_clients[limit_client_count++] = fd;
				continue;
			}
			ssize_t n = recv(fd, data, sizeof data, 0);
			if (n <= 0)
				limit_leave(fd);
			else
				limit_pass(service, fd, data, (size_t)n);
		}
	}
}

static int
limit_echo(int fd)
{
	char data[4096];
	ssize_t n;
	while ((n = recv(fd, data, sizeof data, 0)) > 0)
		if (send(fd, data, (size_t)n, MSG_NOSIGNAL) != n)
			err(1, "send");
	return n == 0 ? 0 : 1;
}

struct limit_pair {
	int from, to;
};

static void *
limit_carry(void *argument)
{
	struct limit_pair *pair = argument;
	int own[2];
	char byte;
	if (pipe2(own, O_CLOEXEC) == -1)
		err(1, "pipe");
	limit_enlarge(own[1]);
	ssize_t n;
	while ((n = limit_through(own, pair->from, pair->to)) > 0)
		continue;
	if (n == -1 || shutdown(pair->to, SHUT_WR) == -1 || recv(pair->to, &byte, 1, 0) != 0)
		err(1, "relay");
	(void)close(own[0]);
	(void)close(own[1]);
	(void)close(pair->to);
	(void)close(pair->from);
	free(pair);
	return NULL;
}

static int
limit_relay_many(int listener, const char *to)
{
	for (;;) {
		pthread_t thread;
		struct limit_pair *pair = malloc(sizeof *pair);
		if (pair == NULL)
			err(1, "memory");
		pair->from = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (pair->from == -1)
			err(1, "accept");
		pair->to = limit_open(to, false);
		if (pthread_create(&thread, NULL, limit_carry, pair) != 0)
			errx(1, "no thread");
		(void)pthread_detach(thread);
	}
}

static int
limit_turn(int fd, size_t length)
{
	char data[4096];
	if (length > sizeof data)
		errx(2, "too long");
	while (read(STDIN_FILENO, data, length) == (ssize_t)length) {
		if (send(fd, data, length, 0) != (ssize_t)length)
			err(1, "send");
		if (recv(fd, data, length, MSG_WAITALL) != (ssize_t)length)
			err(1, "receive");
		if (write(STDOUT_FILENO, data, length) != (ssize_t)length)
			err(1, "write");
	}
	return 0;
}

static void
limit_write(int fd, const unsigned char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, bytes, size);
		if (n <= 0)
			err(1, "write");
		bytes += n;
		size -= (size_t)n;
	}
}

static int
limit_frame(int fd, uint64_t wanted)
{
	static unsigned char in[LIMIT_FRAMES], out[sizeof in + sizeof(uint32_t)];
	size_t held = 0, seen = 0;
	uint64_t bytes = 0;
	ssize_t n;
	while ((n = read(STDIN_FILENO, in + held, sizeof in - held)) > 0) {
		unsigned char *line = in, *end;
		size_t put = 0;
		held += (size_t)n;
		while ((end = memchr(line + seen, '\n', held - seen)) != NULL) {
			uint32_t length = (uint32_t)(end - line), prefix = htonl(length);
			if (sizeof out - put < length + sizeof prefix) {
				limit_write(fd, out, put);
				put = 0;
			}
			memcpy(out + put, &prefix, sizeof prefix);
			memcpy(out + put + sizeof prefix, line, length);
			put += length + sizeof prefix;
			bytes += length + 1;
			held -= length + 1;
			line = end + 1;
			seen = 0;
		}
		limit_write(fd, out, put);
		memmove(in, line, held);
		seen = held;
	}
	char byte;
	if (n == -1 || shutdown(fd, SHUT_WR) == -1 || recv(fd, &byte, 1, 0) != 0)
		err(1, "the peer did not just end");
	if (held > 0 || bytes != wanted)
		errx(1, "%ju bytes of lines, %ju wanted", (uintmax_t)bytes, (uintmax_t)wanted);
	return 0;
}

static int
limit_unframe(int fd, uint64_t wanted)
{
	static unsigned char in[LIMIT_FRAMES + sizeof(uint32_t)], out[sizeof in];
	size_t held = 0;
	uint64_t bytes = 0;
	ssize_t n;
	while ((n = read(fd, in + held, sizeof in - held)) > 0) {
		unsigned char *frame = in;
		size_t put = 0;
		held += (size_t)n;
		while (held >= sizeof(uint32_t)) {
			uint32_t length;
			memcpy(&length, frame, sizeof length);
			length = ntohl(length);
			if (held - sizeof length < length)
				break;
			if (sizeof out - put <= length) {
				limit_write(STDOUT_FILENO, out, put);
				put = 0;
			}
			memcpy(out + put, frame + sizeof length, length);
			put += length;
			out[put++] = '\n';
			bytes += length + 1;
			held -= length + sizeof length;
			frame += length + sizeof length;
		}
		limit_write(STDOUT_FILENO, out, put);
		memmove(in, frame, held);
	}
	if (n == -1)
		err(1, "read");
	if (held > 0 || bytes != wanted)
		errx(1, "%ju bytes of lines, %ju wanted", (uintmax_t)bytes, (uintmax_t)wanted);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	if (strcmp(what, "start") == 0)
		return 0;
	bool listening = strcmp(what, "listen") == 0;
	if (argc == 6 && (listening || strcmp(what, "connect") == 0))
		return limit_stream(limit_open(argv[2], listening), argv[3], argv[4],
			strtoull(argv[5], NULL, 10));
	if (argc == 3 && strcmp(what, "udp-receive") == 0)
		return limit_udp_receive(argv[2]);
	if (argc == 4 && strcmp(what, "udp-send") == 0)
		return limit_udp_send(argv[2], strtoul(argv[3], NULL, 10));
	if (argc == 3 && strcmp(what, "echo") == 0)
		return limit_echo(limit_open(argv[2], true));
	if (argc == 3 && strcmp(what, "echo-many") == 0)
		limit_serve_many(limit_listen(argv[2]), LIMIT_ECHO);
	if (argc == 3 && strcmp(what, "keep-many") == 0)
		limit_serve_many(limit_listen(argv[2]), LIMIT_KEEP);
	if (argc == 3 && strcmp(what, "broadcast-many") == 0)
		limit_serve_many(limit_listen(argv[2]), LIMIT_BROADCAST);
	if (argc == 4 && strcmp(what, "relay-many") == 0)
		return limit_relay_many(limit_listen(argv[2]), argv[3]);
	if (argc == 4 && strcmp(what, "turn") == 0)
		return limit_turn(limit_open(argv[2], false), strtoul(argv[3], NULL, 10));
	if (argc == 4 && strcmp(what, "frame") == 0)
		return limit_frame(limit_open(argv[2], false), strtoull(argv[3], NULL, 10));
	if (argc == 4 && strcmp(what, "unframe") == 0)
		return limit_unframe(limit_open(argv[2], true), strtoull(argv[3], NULL, 10));
	errx(2, "see the top of limit.c");
}
