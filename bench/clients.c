/*
 * Load generator: many clients of one listener on 127.0.0.1, in one process, used for every tool
 * alike. Received data is compared; wrong or missing data is a failure.
 *
 *   clients turns PORT CLIENTS ACTIVE SECONDS LENGTH
 *       CLIENTS are connected and have had a reply each; ACTIVE of them have a request of LENGTH
 *       bytes pending. Prints the median and the 99th percentile in ns, and requests a second
 *   clients hold PORT CLIENTS LENGTH
 *       the same without requests: prints a line when all are connected, exits at the end of input
 *   clients accept PORT echo|keep SECONDS LENGTH
 *       a few clients at a time send LENGTH bytes, receive them back (keep: do not), shut down and
 *       wait for the end. Prints the number of clients, and clients a second
 *   clients publish PORT SUBSCRIBERS STALLED BURST SECONDS LENGTH
 *       SUBSCRIBERS receive the messages of LENGTH bytes that one client sends; STALLED never read.
 *       BURST messages are sent at a time, a few bursts ahead of the slowest subscriber; if it is 1,
 *       the next when all have received the last. Prints thousand messages received a second
 *   clients relay PORT TO CLIENTS SECONDS check|trust
 *       CLIENTS send to PORT, and the data arrives on connections to port TO of this program;
 *       check: compares the content instead of only counting it. Prints GB/s
 *
 * Connections use many addresses of the loopback network, so that ports do not run out.
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

/* Seconds without progress after which the other side counts as hung. */
#define CLIENTS_PATIENCE 3
#define CLIENTS_ADDRESSES 200
#define CLIENTS_LENGTH ((size_t)4096)
/* Clients at a time, below the backlog of every tool (ncat: 10), and the pause after them in µs. */
#define CLIENTS_CONNECTING 8
#define CLIENTS_PAUSE 2000
#define CLIENTS_SAMPLES ((size_t)4 * 1024 * 1024)
/* The publisher is at most this many bursts ahead of the slowest subscriber. */
#define CLIENTS_AHEAD ((size_t)8)
/* The published messages, and the relayed bytes, repeat after these numbers. */
#define CLIENTS_MESSAGES ((size_t)4096)
#define CLIENTS_PERIOD ((size_t)1024 * 1024)
#define CLIENTS_CHUNK ((size_t)256 * 1024)
#define CLIENTS_BATCH 64

struct clients_client {
	int fd;
	uint32_t number, turn;
	size_t got;     /* bytes of the reply, or of the messages */
	uint64_t began; /* start of the request */
};

/* One end of a relayed connection. */
struct clients_end {
	int fd;
	bool sends;
	uint32_t number; /* of the connection; UINT32_MAX: not known yet */
	uint64_t bytes;
};

static uint64_t
clients_now(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static double
clients_seconds(uint64_t since)
{
	return (double)(clients_now() - since) / 1e9;
}

static void *
clients_memory(size_t count, size_t size)
{
	void *memory = calloc(count, size);
	if (memory == NULL)
		err(1, "memory");
	return memory;
}

/* --- connections --- */

static struct sockaddr_in
clients_address(const char *port, uint32_t host)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
	return address;
}

/* `room`: the size of its receive buffer; 0: the default. */
static int
clients_connect(const char *port, uint32_t number, int room)
{
	struct sockaddr_in to = clients_address(port, 1);
	struct sockaddr_in from = clients_address("0", 2 + number % CLIENTS_ADDRESSES);
	struct timeval patience = { .tv_sec = CLIENTS_PATIENCE };
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
clients_watch(int set, int fd, uint32_t events, void *what)
{
	struct epoll_event event = { .events = events, .data.ptr = what };
	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == -1)
		err(1, "watch");
}

static int
clients_wait(int set, struct epoll_event *events)
{
	int count = epoll_wait(set, events, CLIENTS_BATCH, CLIENTS_PATIENCE * 1000);
	if (count == 0)
		errx(1, "nothing came for %d seconds", CLIENTS_PATIENCE);
	if (count == -1)
		err(1, "wait");
	return count;
}

static void
clients_send(int fd, const void *bytes, size_t length)
{
	if (send(fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
		err(1, "send");
}

/* No data is left over, and the connection is still open. */
static void
clients_check_idle(const struct clients_client *clients, size_t count)
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
clients_fill(unsigned char *request, size_t length, uint32_t number, uint32_t turn)
{
	memset(request, (int)('a' + (number + turn) % 26), length);
	memcpy(request, &number, sizeof number);
	memcpy(request + sizeof number, &turn, sizeof turn);
}

static void
clients_ask(struct clients_client *client, size_t length)
{
	unsigned char request[CLIENTS_LENGTH];
	clients_fill(request, length, client->number, ++client->turn);
	client->got = 0;
	client->began = clients_now();
	clients_send(client->fd, request, length);
}

/* Whether the whole reply has arrived; `flags` of recv(2). */
static bool
clients_receive(struct clients_client *client, size_t length, int flags)
{
	unsigned char request[CLIENTS_LENGTH], reply[CLIENTS_LENGTH];
	ssize_t n = recv(client->fd, reply, length - client->got, flags);
	if (n == -1 && errno == EAGAIN && flags == MSG_DONTWAIT)
		return false;
	if (n <= 0)
		errx(1, "client %u: no reply to request %u", client->number, client->turn);
	clients_fill(request, length, client->number, client->turn);
	if (memcmp(request + client->got, reply, (size_t)n) != 0)
		errx(1, "client %u: a wrong reply to request %u", client->number, client->turn);
	client->got += (size_t)n;
	return client->got == length;
}

static struct clients_client *
clients_gather(const char *port, size_t count, size_t length)
{
	struct clients_client *clients = clients_memory(count, sizeof *clients);
	for (size_t i = 0; i < count; i++) {
		clients[i].number = (uint32_t)i;
		clients[i].fd = clients_connect(port, (uint32_t)i, 0);
		clients_ask(&clients[i], length);
		while (!clients_receive(&clients[i], length, 0))
			continue;
	}
	return clients;
}

static int
clients_compare(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

static int
clients_turns(const char *port, size_t count, size_t active, double seconds, size_t length)
{
	struct clients_client *clients = clients_gather(port, count, length);
	uint64_t *took = clients_memory(CLIENTS_SAMPLES, sizeof *took);
	int set = epoll_create1(EPOLL_CLOEXEC);
	size_t turns = 0, waiting = active;
	/* Spread the active clients among the others. The first requests only warm up. */
	for (size_t i = 0; i < active; i++) {
		struct clients_client *client = &clients[i * (count / active)];
		clients_watch(set, client->fd, EPOLLIN, client);
		clients_ask(client, length);
	}
	uint64_t from = clients_now() + (uint64_t)(seconds * 1e8);
	uint64_t until = from + (uint64_t)(seconds * 1e9);
	while (waiting > 0) {
		struct epoll_event events[CLIENTS_BATCH];
		int fired = clients_wait(set, events);
		for (int i = 0; i < fired; i++) {
			struct clients_client *client = events[i].data.ptr;
			if (!clients_receive(client, length, MSG_DONTWAIT))
				continue;
			uint64_t now = clients_now();
			if (client->began >= from)
				took[turns++] = now - client->began;
			if (now < until && turns + active < CLIENTS_SAMPLES)
				clients_ask(client, length);
			else
				waiting--;
		}
	}
	double span = clients_seconds(from);
	clients_check_idle(clients, count);
	if (turns == 0)
		errx(1, "no request was answered in time");
	qsort(took, turns, sizeof *took, clients_compare);
	printf("%ju %ju %.0f\n", (uintmax_t)took[turns / 2],
		(uintmax_t)took[turns - 1 - turns / 100], (double)turns / span);
	return 0;
}

static int
clients_hold(const char *port, size_t count, size_t length)
{
	char byte;
	struct clients_client *clients = clients_gather(port, count, length);
	if (puts("held") == EOF || fflush(stdout) != 0 || read(STDIN_FILENO, &byte, 1) != 0)
		err(1, "hold");
	clients_check_idle(clients, count);
	return 0;
}

/* --- connecting and closing --- */

static void
clients_shut(int fd)
{
	if (shutdown(fd, SHUT_WR) == -1)
		err(1, "shutdown");
}

static void
clients_begin(struct clients_client *client, int set, const char *port, uint32_t number, bool echo,
	size_t length)
{
	*client = (struct clients_client){ .fd = clients_connect(port, number, 0), .number = number };
	clients_ask(client, length);
	if (!echo)
		clients_shut(client->fd);
	clients_watch(set, client->fd, EPOLLIN, client);
}

/* Shuts down after the reply, if there is one; returns whether the end has arrived. */
static bool
clients_has_closed(struct clients_client *client, bool echo, size_t length)
{
	char byte;
	if (echo && client->got < length) {
		if (clients_receive(client, length, MSG_DONTWAIT))
			clients_shut(client->fd);
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
clients_accept(const char *port, bool echo, double seconds, size_t length)
{
	struct clients_client clients[CLIENTS_CONNECTING];
	int set = epoll_create1(EPOLL_CLOEXEC);
	uint32_t come = 0, gone = 0;
	uint64_t began = clients_now();
	for (; come < CLIENTS_CONNECTING; come++)
		clients_begin(&clients[come], set, port, come, echo, length);
	while (gone < come) {
		struct epoll_event events[CLIENTS_BATCH];
		int fired = clients_wait(set, events);
		for (int i = 0; i < fired; i++) {
			struct clients_client *client = events[i].data.ptr;
			if (!clients_has_closed(client, echo, length))
				continue;
			gone++;
			if (clients_seconds(began) < seconds)
				clients_begin(client, set, port, come++, echo, length);
		}
	}
	printf("%u %.1f\n", gone, gone / clients_seconds(began));
	return 0;
}

/* --- one publishes, many receive --- */

static size_t
clients_count_behind(const struct clients_client *clients, size_t count, size_t mark)
{
	size_t behind = 0;
	for (size_t i = 0; i < count; i++)
		behind += clients[i].got < mark;
	return behind;
}

/* Receives; returns whether the client was behind the mark and has reached it. */
static bool
clients_catch_up(struct clients_client *client, const unsigned char *said, size_t period, size_t mark)
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
clients_publish(const char *port, size_t count, size_t stalled, size_t burst, double seconds,
	size_t length)
{
	size_t period = CLIENTS_MESSAGES * length, sent = 0, mark = 0, behind = 0;
	unsigned char *said = clients_memory(2, period);
	for (size_t i = 0; i < 2 * CLIENTS_MESSAGES; i++) {
		clients_fill(said + i * length, length, i % CLIENTS_MESSAGES, 0);
		said[(i + 1) * length - 1] = '\n';
	}
	struct clients_client *clients = clients_memory(count, sizeof *clients);
	int set = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < count + stalled; i++) {
		int fd = clients_connect(port, (uint32_t)i, i < stalled ? 4096 : 0);
		/* Nothing reports that the server has accepted it. */
		if (i % CLIENTS_CONNECTING == CLIENTS_CONNECTING - 1)
			(void)usleep(CLIENTS_PAUSE);
		if (i < stalled)
			continue;
		struct clients_client *client = &clients[i - stalled];
		*client = (struct clients_client){ .fd = fd, .number = (uint32_t)i };
		clients_watch(set, fd, EPOLLIN, client);
	}
	/* The publisher connects last: when its message arrives, all are accepted. */
	int publisher = clients_connect(port, (uint32_t)(count + stalled), 0);
	uint64_t began = clients_now();
	size_t step = burst * length, ahead = burst == 1 ? 0 : CLIENTS_AHEAD * step;
	/* No client is behind: all have received the messages before the mark. */
	for (bool over = false; behind > 0 || !over;) {
		struct epoll_event events[CLIENTS_BATCH];
		if (behind == 0) {
			over = clients_seconds(began) >= seconds;
			if (!over) {
				clients_send(publisher, said + sent % period, step);
				sent += step;
			}
			mark = over ? sent : sent > ahead ? sent - ahead : 0;
			behind = clients_count_behind(clients, count, mark);
			continue;
		}
		int fired = clients_wait(set, events);
		for (int i = 0; i < fired; i++)
			behind -= clients_catch_up(events[i].data.ptr, said, period, mark);
	}
	double span = clients_seconds(began);
	clients_check_idle(clients, count);
	printf("%.1f\n", (double)(sent / length) * (double)count / span / 1e3);
	return 0;
}

/* --- relayed --- */

static const unsigned char *
clients_pattern(int *file)
{
	uint32_t *words = clients_memory(2, CLIENTS_PERIOD), state = 2463534242u;
	size_t half = CLIENTS_PERIOD / sizeof *words;
	for (size_t i = 0; i < half; i++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		words[i] = words[i + half] = state;
	}
	*file = memfd_create("clients", MFD_CLOEXEC);
	if (*file == -1 || write(*file, words, CLIENTS_PERIOD) != (ssize_t)CLIENTS_PERIOD)
		err(1, "pattern");
	return (const unsigned char *)words;
}

static int
clients_open_sink(const char *port, size_t count)
{
	struct sockaddr_in name = clients_address(port, 1);
	struct timeval patience = { .tv_sec = CLIENTS_PATIENCE };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == -1 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == -1 ||
		bind(fd, (struct sockaddr *)&name, sizeof name) == -1 ||
		listen(fd, (int)count) == -1)
		err(1, "listen %s", port);
	return fd;
}

/* Sends more data, or shuts down when the time is over. */
static void
clients_push(struct clients_end *end, int set, int file, bool over)
{
	if (over) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = end };
		if (shutdown(end->fd, SHUT_WR) == -1 ||
			epoll_ctl(set, EPOLL_CTL_MOD, end->fd, &event) == -1)
			err(1, "shutdown");
		end->sends = false;
		return;
	}
	off_t at = (off_t)(end->bytes % CLIENTS_PERIOD);
	size_t most =
		CLIENTS_PERIOD - (size_t)at < CLIENTS_CHUNK ? CLIENTS_PERIOD - (size_t)at : CLIENTS_CHUNK;
	ssize_t n = sendfile(end->fd, file, &at, most);
	if (n == -1 && errno != EAGAIN)
		err(1, "send");
	end->bytes += n > 0 ? (uint64_t)n : 0;
}

/* Receives: first the number of the source. Returns whether the connection ended with all its
 * data. */
static bool
clients_pull(struct clients_end *end, const struct clients_end *sources, size_t count,
	const unsigned char *pattern, bool check)
{
	static unsigned char data[CLIENTS_PERIOD];
	if (end->number == UINT32_MAX) {
		if (recv(end->fd, &end->number, sizeof end->number, 0) != sizeof end->number ||
			end->number >= count)
			errx(1, "wrong number at the start");
		return false;
	}
	ssize_t n = recv(end->fd, data, sizeof data, MSG_DONTWAIT | (check ? 0 : MSG_TRUNC));
	if (n == -1 && errno == EAGAIN)
		return false;
	if (n == -1)
		err(1, "receive");
	if (check && memcmp(pattern + end->bytes % CLIENTS_PERIOD, data, (size_t)n) != 0)
		errx(1, "connection %u: wrong bytes arrived", end->number);
	end->bytes += (uint64_t)n;
	if (n > 0)
		return false;
	const struct clients_end *source = &sources[end->number];
	if (source->sends || source->bytes != end->bytes)
		errx(1, "connection %u: %ju of %ju bytes arrived", end->number,
			(uintmax_t)end->bytes, (uintmax_t)source->bytes);
	(void)close(end->fd);
	return true;
}

/* The source receives no data, only the end. */
static void
clients_check_end(const struct clients_end *end)
{
	char byte;
	if (recv(end->fd, &byte, 1, MSG_DONTWAIT) != 0)
		errx(1, "connection %u: no clean end", end->number);
	(void)close(end->fd);
}

static int
clients_relay(const char *port, const char *to, size_t count, double seconds, bool check)
{
	int file, sink = clients_open_sink(to, count), set = epoll_create1(EPOLL_CLOEXEC);
	const unsigned char *pattern = clients_pattern(&file);
	struct clients_end *sources = clients_memory(2 * count, sizeof *sources);
	for (size_t i = 0; i < count; i++) {
		struct clients_end *source = &sources[i], *target = &sources[count + i];
		source->number = (uint32_t)i;
		source->sends = true;
		source->fd = clients_connect(port, (uint32_t)i, 0);
		clients_send(source->fd, &source->number, sizeof source->number);
		target->number = UINT32_MAX;
		target->fd = accept4(sink, NULL, NULL, SOCK_CLOEXEC);
		if (target->fd == -1 || fcntl(source->fd, F_SETFL, O_NONBLOCK) == -1)
			err(1, "nobody carries connection %zu on", i);
		clients_watch(set, source->fd, EPOLLOUT, source);
		clients_watch(set, target->fd, EPOLLIN, target);
	}
	uint64_t began = clients_now(), total = 0;
	for (size_t left = 2 * count; left > 0;) {
		struct epoll_event events[CLIENTS_BATCH];
		int fired = clients_wait(set, events);
		bool over = clients_seconds(began) >= seconds;
		for (int i = 0; i < fired; i++) {
			struct clients_end *end = events[i].data.ptr;
			if (end->sends) {
				clients_push(end, set, file, over);
			} else if (end < sources + count) {
				clients_check_end(end);
				left--;
			} else if (clients_pull(end, sources, count, pattern, check)) {
				total += end->bytes;
				left--;
			}
		}
	}
	printf("%.4f\n", (double)total / clients_seconds(began) / 1e9);
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
	bool fits = length >= 2 * sizeof(uint32_t) && length <= CLIENTS_LENGTH;
	if (argc == 7 && strcmp(what, "turns") == 0 && fits && numbers[1] > 0 &&
		numbers[0] >= numbers[1])
		return clients_turns(port, numbers[0], numbers[1], seconds, length);
	if (argc == 5 && strcmp(what, "hold") == 0 && fits)
		return clients_hold(port, numbers[0], length);
	if (argc == 6 && strcmp(what, "accept") == 0 && fits)
		return clients_accept(port, strcmp(argv[3], "echo") == 0, seconds, length);
	if (argc == 8 && strcmp(what, "publish") == 0 && fits && numbers[0] > 0 && numbers[2] > 0 &&
		numbers[2] <= CLIENTS_MESSAGES)
		return clients_publish(port, numbers[0], numbers[1], numbers[2], seconds, length);
	if (argc == 7 && strcmp(what, "relay") == 0 && numbers[1] > 0)
		return clients_relay(
			port, argv[3], numbers[1], seconds, strcmp(argv[6], "check") == 0);
	errx(2, "see the top of clients.c");
}
