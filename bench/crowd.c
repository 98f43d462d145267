/*
 * A crowd: many clients of one listener on 127.0.0.1, in one process. All of it serves every tool
 * alike. Whatever comes back is compared; what is wrong, or does not come, is a failure.
 *
 *   crowd turns PORT CLIENTS ACTIVE SECONDS LENGTH
 *       CLIENTS are connected and have had a reply each; ACTIVE of them have a request of LENGTH
 *       bytes under way. Prints the median and the 99th percentile in ns, and requests a second
 *   crowd hold PORT CLIENTS LENGTH
 *       the same without requests: prints a line when all are there, and goes when its input ends
 *   crowd come PORT echo|keep SECONDS LENGTH
 *       a few at a time clients that send LENGTH bytes, get them back (keep: they do not), shut, and
 *       wait for the end. Prints how many came, and how many a second
 *   crowd hear PORT LISTENERS STALLED BURST SECONDS LENGTH
 *       what one says in messages of LENGTH bytes LISTENERS hear, and STALLED never read. BURST
 *       messages are sent at a time, and few times ahead of what all have heard; if it is 1, the next
 *       when all have heard the last. Prints how many thousand messages were heard a second
 *   crowd carry PORT TO CLIENTS SECONDS check|trust
 *       what CLIENTS send to PORT arrives on connections to port TO, which is here; check: its content
 *       is compared, not only counted. Prints GB/s
 *
 * Connections come from many addresses of the loopback network, so that ports do not run out.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

/* Seconds without anything after which the other side counts as stuck. */
#define CROWD_PATIENCE 3
#define CROWD_ADDRESSES 200
#define CROWD_LENGTH ((size_t)4096)
/* Few enough for the backlog of everybody (10 at ncat), and how long to leave them to it. */
#define CROWD_COMING 8
#define CROWD_PAUSE 2000
#define CROWD_SAMPLES ((size_t)4 * 1024 * 1024)
/* A speaker is so many bursts ahead of the slowest listener. */
#define CROWD_AHEAD ((size_t)8)
/* What is said, or carried, repeats after so many messages, or bytes. */
#define CROWD_MESSAGES ((size_t)4096)
#define CROWD_PERIOD ((size_t)1024 * 1024)
#define CROWD_CHUNK ((size_t)256 * 1024)
#define CROWD_BATCH 64

struct crowd_client {
	int fd;
	uint32_t number, turn;
	size_t got;     /* of the reply, or of all that is said */
	uint64_t began; /* the request */
};

/* One end of what is carried. */
struct crowd_end {
	int fd;
	bool sends;
	uint32_t number; /* of the connection; UINT32_MAX: not known yet */
	uint64_t bytes;
};

static uint64_t
crowd_now(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static double
crowd_seconds(uint64_t since)
{
	return (double)(crowd_now() - since) / 1e9;
}

static void *
crowd_memory(size_t count, size_t size)
{
	void *memory = calloc(count, size);
	if (memory == NULL)
		err(1, "memory");
	return memory;
}

/* --- connections --- */

static struct sockaddr_in
crowd_address(const char *port, uint32_t host)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
	return address;
}

/* `room`: of its receive buffer; 0: the usual. */
static int
crowd_connect(const char *port, uint32_t number, int room)
{
	struct sockaddr_in to = crowd_address(port, 1);
	struct sockaddr_in from = crowd_address("0", 2 + number % CROWD_ADDRESSES);
	struct timeval patience = { .tv_sec = CROWD_PATIENCE };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	if (fd == -1 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == -1 ||
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes) == -1 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == -1 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == -1)
		err(1, "socket %u", number);
	if (room > 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) == -1)
		err(1, "SO_RCVBUF");
	if (bind(fd, (struct sockaddr *)&from, sizeof from) == -1 ||
		connect(fd, (struct sockaddr *)&to, sizeof to) == -1)
		err(1, "connect client %u", number);
	return fd;
}

static void
crowd_watch(int set, int fd, uint32_t events, void *what)
{
	struct epoll_event event = { .events = events, .data.ptr = what };
	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == -1)
		err(1, "watch");
}

static int
crowd_wait(int set, struct epoll_event *events)
{
	int count = epoll_wait(set, events, CROWD_BATCH, CROWD_PATIENCE * 1000);
	if (count == 0)
		errx(1, "nothing came for %d seconds", CROWD_PATIENCE);
	if (count == -1)
		err(1, "wait");
	return count;
}

static void
crowd_send(int fd, const void *bytes, size_t length)
{
	if (send(fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
		err(1, "send");
}

/* Nothing is left over, and the connection is still there. */
static void
crowd_check_idle(const struct crowd_client *clients, size_t count)
{
	char byte;
	for (size_t i = 0; i < count; i++) {
		ssize_t n = recv(clients[i].fd, &byte, 1, MSG_DONTWAIT);
		if (n != -1 || errno != EAGAIN)
			errx(1, "client %zu: %s", i, n == 1 ? "too much came" : "it was ended");
	}
}

/* --- requests --- */

static void
crowd_fill(unsigned char *request, size_t length, uint32_t number, uint32_t turn)
{
	memset(request, (int)('a' + (number + turn) % 26), length);
	memcpy(request, &number, sizeof number);
	memcpy(request + sizeof number, &turn, sizeof turn);
}

static void
crowd_ask(struct crowd_client *client, size_t length)
{
	unsigned char request[CROWD_LENGTH];
	crowd_fill(request, length, client->number, ++client->turn);
	client->got = 0;
	client->began = crowd_now();
	crowd_send(client->fd, request, length);
}

/* Whether all of the reply is there; `flags` of recv. */
static bool
crowd_hear(struct crowd_client *client, size_t length, int flags)
{
	unsigned char request[CROWD_LENGTH], reply[CROWD_LENGTH];
	ssize_t n = recv(client->fd, reply, length - client->got, flags);
	if (n == -1 && errno == EAGAIN && flags == MSG_DONTWAIT)
		return false;
	if (n <= 0)
		errx(1, "client %u: no reply to request %u", client->number, client->turn);
	crowd_fill(request, length, client->number, client->turn);
	if (memcmp(request + client->got, reply, (size_t)n) != 0)
		errx(1, "client %u: a wrong reply to request %u", client->number, client->turn);
	client->got += (size_t)n;
	return client->got == length;
}

static struct crowd_client *
crowd_gather(const char *port, size_t count, size_t length)
{
	struct crowd_client *clients = crowd_memory(count, sizeof *clients);
	for (size_t i = 0; i < count; i++) {
		clients[i].number = (uint32_t)i;
		clients[i].fd = crowd_connect(port, (uint32_t)i, 0);
		crowd_ask(&clients[i], length);
		while (!crowd_hear(&clients[i], length, 0))
			continue;
	}
	return clients;
}

static int
crowd_compare(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

static int
crowd_turns(const char *port, size_t count, size_t active, double seconds, size_t length)
{
	struct crowd_client *clients = crowd_gather(port, count, length);
	uint64_t *took = crowd_memory(CROWD_SAMPLES, sizeof *took);
	int set = epoll_create1(EPOLL_CLOEXEC);
	size_t turns = 0, waiting = active;
	/* Active ones are spread among the others. What comes first only warms up. */
	for (size_t i = 0; i < active; i++) {
		struct crowd_client *client = &clients[i * (count / active)];
		crowd_watch(set, client->fd, EPOLLIN, client);
		crowd_ask(client, length);
	}
	uint64_t from = crowd_now() + (uint64_t)(seconds * 1e8);
	uint64_t until = from + (uint64_t)(seconds * 1e9);
	while (waiting > 0) {
		struct epoll_event events[CROWD_BATCH];
		int fired = crowd_wait(set, events);
		for (int i = 0; i < fired; i++) {
			struct crowd_client *client = events[i].data.ptr;
			if (!crowd_hear(client, length, MSG_DONTWAIT))
				continue;
			uint64_t now = crowd_now();
			if (client->began >= from)
				took[turns++] = now - client->began;
			if (now < until && turns + active < CROWD_SAMPLES)
				crowd_ask(client, length);
			else
				waiting--;
		}
	}
	double span = crowd_seconds(from);
	crowd_check_idle(clients, count);
	if (turns == 0)
		errx(1, "no request was answered in time");
	qsort(took, turns, sizeof *took, crowd_compare);
	printf("%ju %ju %.0f\n", (uintmax_t)took[turns / 2],
		(uintmax_t)took[turns - 1 - turns / 100], (double)turns / span);
	return 0;
}

static int
crowd_hold(const char *port, size_t count, size_t length)
{
	char byte;
	struct crowd_client *clients = crowd_gather(port, count, length);
	if (puts("held") == EOF || fflush(stdout) != 0 || read(STDIN_FILENO, &byte, 1) != 0)
		err(1, "hold");
	crowd_check_idle(clients, count);
	return 0;
}

/* --- coming and going --- */

static void
crowd_shut(int fd)
{
	if (shutdown(fd, SHUT_WR) == -1)
		err(1, "shutdown");
}

static void
crowd_begin(struct crowd_client *client, int set, const char *port, uint32_t number, bool echo,
	size_t length)
{
	*client = (struct crowd_client){ .fd = crowd_connect(port, number, 0), .number = number };
	crowd_ask(client, length);
	if (!echo)
		crowd_shut(client->fd);
	crowd_watch(set, client->fd, EPOLLIN, client);
}

/* Shuts when it has had its reply, if there is to be one; whether then the end has come. */
static bool
crowd_has_gone(struct crowd_client *client, bool echo, size_t length)
{
	char byte;
	if (echo && client->got < length) {
		if (crowd_hear(client, length, MSG_DONTWAIT))
			crowd_shut(client->fd);
		return false;
	}
	ssize_t n = recv(client->fd, &byte, 1, MSG_DONTWAIT);
	if (n == -1 && errno == EAGAIN)
		return false;
	if (n != 0)
		errx(1, "client %u: no clean end", client->number);
	(void)close(client->fd);
	return true;
}

static int
crowd_come(const char *port, bool echo, double seconds, size_t length)
{
	struct crowd_client clients[CROWD_COMING];
	int set = epoll_create1(EPOLL_CLOEXEC);
	uint32_t come = 0, gone = 0;
	uint64_t began = crowd_now();
	for (; come < CROWD_COMING; come++)
		crowd_begin(&clients[come], set, port, come, echo, length);
	while (gone < come) {
		struct epoll_event events[CROWD_BATCH];
		int fired = crowd_wait(set, events);
		for (int i = 0; i < fired; i++) {
			struct crowd_client *client = events[i].data.ptr;
			if (!crowd_has_gone(client, echo, length))
				continue;
			gone++;
			if (crowd_seconds(began) < seconds)
				crowd_begin(client, set, port, come++, echo, length);
		}
	}
	printf("%u %.1f\n", gone, gone / crowd_seconds(began));
	return 0;
}

/* --- one speaks, many hear --- */

static size_t
crowd_count_behind(const struct crowd_client *clients, size_t count, size_t mark)
{
	size_t behind = 0;
	for (size_t i = 0; i < count; i++)
		behind += clients[i].got < mark;
	return behind;
}

/* Takes what has come; whether it is no longer behind the mark, and was before. */
static bool
crowd_listen(struct crowd_client *client, const unsigned char *said, size_t period, size_t mark)
{
	static unsigned char heard[65536];
	size_t before = client->got, at = before % period;
	ssize_t n = recv(
		client->fd, heard, period < sizeof heard ? period : sizeof heard, MSG_DONTWAIT);
	if (n == -1 && errno == EAGAIN)
		return false;
	if (n <= 0)
		errx(1, "listener %u: it was ended after %zu bytes", client->number, before);
	if (memcmp(said + at, heard, (size_t)n) != 0)
		errx(1, "listener %u: it heard something else", client->number);
	client->got += (size_t)n;
	return before < mark && client->got >= mark;
}

static int
crowd_speak(const char *port, size_t count, size_t stalled, size_t burst, double seconds,
	size_t length)
{
	size_t period = CROWD_MESSAGES * length, sent = 0, mark = 0, behind = 0;
	unsigned char *said = crowd_memory(2, period);
	for (size_t i = 0; i < 2 * CROWD_MESSAGES; i++) {
		crowd_fill(said + i * length, length, i % CROWD_MESSAGES, 0);
		said[(i + 1) * length - 1] = '\n';
	}
	struct crowd_client *clients = crowd_memory(count, sizeof *clients);
	int set = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < count + stalled; i++) {
		int fd = crowd_connect(port, (uint32_t)i, i < stalled ? 4096 : 0);
		/* Nothing tells that it was let in. */
		if (i % CROWD_COMING == CROWD_COMING - 1)
			(void)usleep(CROWD_PAUSE);
		if (i < stalled)
			continue;
		struct crowd_client *client = &clients[i - stalled];
		*client = (struct crowd_client){ .fd = fd, .number = (uint32_t)i };
		crowd_watch(set, fd, EPOLLIN, client);
	}
	/* Who comes last is let in last: when it is heard, all are there. */
	int speaker = crowd_connect(port, (uint32_t)(count + stalled), 0);
	uint64_t began = crowd_now();
	size_t step = burst * length, ahead = burst == 1 ? 0 : CROWD_AHEAD * step;
	/* All have heard what lies before the mark if nobody is behind. */
	for (bool over = false; behind > 0 || !over;) {
		struct epoll_event events[CROWD_BATCH];
		if (behind == 0) {
			over = crowd_seconds(began) >= seconds;
			if (!over) {
				crowd_send(speaker, said + sent % period, step);
				sent += step;
			}
			mark = over ? sent : sent > ahead ? sent - ahead : 0;
			behind = crowd_count_behind(clients, count, mark);
			continue;
		}
		int fired = crowd_wait(set, events);
		for (int i = 0; i < fired; i++)
			behind -= crowd_listen(events[i].data.ptr, said, period, mark);
	}
	double span = crowd_seconds(began);
	crowd_check_idle(clients, count);
	printf("%.1f\n", (double)(sent / length) * (double)count / span / 1e3);
	return 0;
}

/* --- carried on --- */

static const unsigned char *
crowd_pattern(int *file)
{
	uint32_t *words = crowd_memory(2, CROWD_PERIOD), state = 2463534242u;
	size_t half = CROWD_PERIOD / sizeof *words;
	for (size_t i = 0; i < half; i++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		words[i] = words[i + half] = state;
	}
	*file = memfd_create("crowd", MFD_CLOEXEC);
	if (*file == -1 || write(*file, words, CROWD_PERIOD) != (ssize_t)CROWD_PERIOD)
		err(1, "pattern");
	return (const unsigned char *)words;
}

static int
crowd_open_sink(const char *port, size_t count)
{
	struct sockaddr_in name = crowd_address(port, 1);
	struct timeval patience = { .tv_sec = CROWD_PATIENCE };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == -1 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == -1 ||
		bind(fd, (struct sockaddr *)&name, sizeof name) == -1 ||
		listen(fd, (int)count) == -1)
		err(1, "listen %s", port);
	return fd;
}

/* Sends some more, or shuts when the time is over. */
static void
crowd_push(struct crowd_end *end, int set, int file, bool over)
{
	if (over) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = end };
		if (shutdown(end->fd, SHUT_WR) == -1 ||
			epoll_ctl(set, EPOLL_CTL_MOD, end->fd, &event) == -1)
			err(1, "shutdown");
		end->sends = false;
		return;
	}
	off_t at = (off_t)(end->bytes % CROWD_PERIOD);
	size_t most =
		CROWD_PERIOD - (size_t)at < CROWD_CHUNK ? CROWD_PERIOD - (size_t)at : CROWD_CHUNK;
	ssize_t n = sendfile(end->fd, file, &at, most);
	if (n == -1 && errno != EAGAIN)
		err(1, "send");
	end->bytes += n > 0 ? (uint64_t)n : 0;
}

/* Takes what has arrived: first the number of who sent it. Whether it has ended, as it should. */
static bool
crowd_pull(struct crowd_end *end, const struct crowd_end *sources, size_t count,
	const unsigned char *pattern, bool check)
{
	static unsigned char data[CROWD_PERIOD];
	if (end->number == UINT32_MAX) {
		if (recv(end->fd, &end->number, sizeof end->number, 0) != sizeof end->number ||
			end->number >= count)
			errx(1, "it did not begin as it should");
		return false;
	}
	ssize_t n = recv(end->fd, data, sizeof data, MSG_DONTWAIT | (check ? 0 : MSG_TRUNC));
	if (n == -1 && errno == EAGAIN)
		return false;
	if (n == -1)
		err(1, "receive");
	if (check && memcmp(pattern + end->bytes % CROWD_PERIOD, data, (size_t)n) != 0)
		errx(1, "connection %u: wrong bytes arrived", end->number);
	end->bytes += (uint64_t)n;
	if (n > 0)
		return false;
	const struct crowd_end *source = &sources[end->number];
	if (source->sends || source->bytes != end->bytes)
		errx(1, "connection %u: %ju of %ju bytes arrived", end->number,
			(uintmax_t)end->bytes, (uintmax_t)source->bytes);
	(void)close(end->fd);
	return true;
}

/* The end of what came back to who sent it: nothing. */
static void
crowd_check_end(const struct crowd_end *end)
{
	char byte;
	if (recv(end->fd, &byte, 1, MSG_DONTWAIT) != 0)
		errx(1, "connection %u: no clean end", end->number);
	(void)close(end->fd);
}

static int
crowd_carry(const char *port, const char *to, size_t count, double seconds, bool check)
{
	int file, sink = crowd_open_sink(to, count), set = epoll_create1(EPOLL_CLOEXEC);
	const unsigned char *pattern = crowd_pattern(&file);
	struct crowd_end *sources = crowd_memory(2 * count, sizeof *sources);
	for (size_t i = 0; i < count; i++) {
		struct crowd_end *source = &sources[i], *target = &sources[count + i];
		source->number = (uint32_t)i;
		source->sends = true;
		source->fd = crowd_connect(port, (uint32_t)i, 0);
		crowd_send(source->fd, &source->number, sizeof source->number);
		target->number = UINT32_MAX;
		target->fd = accept4(sink, NULL, NULL, SOCK_CLOEXEC);
		if (target->fd == -1 || fcntl(source->fd, F_SETFL, O_NONBLOCK) == -1)
			err(1, "nobody carries connection %zu on", i);
		crowd_watch(set, source->fd, EPOLLOUT, source);
		crowd_watch(set, target->fd, EPOLLIN, target);
	}
	uint64_t began = crowd_now(), total = 0;
	for (size_t left = 2 * count; left > 0;) {
		struct epoll_event events[CROWD_BATCH];
		int fired = crowd_wait(set, events);
		bool over = crowd_seconds(began) >= seconds;
		for (int i = 0; i < fired; i++) {
			struct crowd_end *end = events[i].data.ptr;
			if (end->sends) {
				crowd_push(end, set, file, over);
			} else if (end < sources + count) {
				crowd_check_end(end);
				left--;
			} else if (crowd_pull(end, sources, count, pattern, check)) {
				total += end->bytes;
				left--;
			}
		}
	}
	printf("%.4f\n", (double)total / crowd_seconds(began) / 1e9);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *port = argc > 2 ? argv[2] : "";
	unsigned long numbers[6] = { 0 };
	for (int i = 3; i < argc && i < 7; i++)
		numbers[i - 3] = strtoul(argv[i], NULL, 10);
	double seconds = argc > 5 ? strtod(argv[argc - 2], NULL) : 0;
	size_t length = argc > 4 ? strtoul(argv[argc - 1], NULL, 10) : 0;
	bool fits = length >= 2 * sizeof(uint32_t) && length <= CROWD_LENGTH;
	if (argc == 7 && strcmp(what, "turns") == 0 && fits && numbers[1] > 0 &&
		numbers[0] >= numbers[1])
		return crowd_turns(port, numbers[0], numbers[1], seconds, length);
	if (argc == 5 && strcmp(what, "hold") == 0 && fits)
		return crowd_hold(port, numbers[0], length);
	if (argc == 6 && strcmp(what, "come") == 0 && fits)
		return crowd_come(port, strcmp(argv[3], "echo") == 0, seconds, length);
	if (argc == 8 && strcmp(what, "hear") == 0 && fits && numbers[0] > 0 && numbers[2] > 0 &&
		numbers[2] <= CROWD_MESSAGES)
		return crowd_speak(port, numbers[0], numbers[1], numbers[2], seconds, length);
	if (argc == 7 && strcmp(what, "carry") == 0 && numbers[1] > 0)
		return crowd_carry(
			port, argv[3], numbers[1], seconds, strcmp(argv[6], "check") == 0);
	errx(2, "see the top of crowd.c");
}
