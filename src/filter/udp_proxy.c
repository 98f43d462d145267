/* Datagrams through a SOCKS5 proxy; see udp_proxy.h. */
#include "filter/udp_proxy.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/event.h"
#include "filter/filter.h"
#include "filter/udp_receive.h"
#include "net/socks_udp.h"
#include "stream/reach.h"

/* Room for the largest datagram. */
#define UDP_PROXY_MESSAGE ((size_t)65536)

/* How often to look at the connection to the proxy when nothing is sent: while something may be,
 * the flow watches it. */
#define UDP_PROXY_LOOK CLOCK_SECOND

struct udp_proxy {
	int fd;                    /* connected to the proxy's relay */
	const struct proxy *proxy; /* not owned */
	struct address target;     /* length 0: the proxy resolves its name */
	uint16_t port;
	unsigned char header[SOCKS_UDP_MAX];
	size_t header_length;
	struct fault lost; /* the connection to the proxy has ended */
	struct iovec message;
	struct udp_receive receive;
	struct backoff writing;
	struct reach reach; /* the relay */
};

static bool
udp_proxy_fault(const struct stream *stream, const struct proxy *proxy, int error,
	const char *cause, struct fault *fault)
{
	return fault_set(fault, STATUS_PROXY, error, "relay datagrams for %s: proxy 1 (%s %s)%s",
		stream->name, proxy->kind->scheme, proxy->name, cause);
}

/* Looks at the connection to the proxy. */
static void
udp_proxy_look(struct stream *stream)
{
	struct udp_proxy *udp = stream->impl;
	struct fault cause = FAULT_NONE;
	if (fault_is_set(&udp->lost))
		return;
	enum io result = filter_discard(stream, &cause);
	if (result == IO_END)
		(void)udp_proxy_fault(
			stream, udp->proxy, 0, ": the connection was closed", &udp->lost);
	/* The message of the stream below names the target, not the proxy. */
	int error = stream_stats(stream)->broken;
	if (result == IO_FAIL)
		(void)udp_proxy_fault(stream, udp->proxy, error,
			error != 0 ? "" : ": the connection failed", &udp->lost);
	fault_clear(&cause);
	/* What has arrived is read before it is reported. */
	stream->ready = fault_is_set(&udp->lost);
	if (stream->ready)
		stream->hangup.fd = -1;
}

/* Whether a datagram is one of the target; others are counted. */
static bool
udp_proxy_accepts(struct stream *stream, const struct sys_message *message, unsigned char *bytes)
{
	struct udp_proxy *udp = stream->impl;
	struct socks_udp header;
	if (socks_udp_read(&header, bytes, message->length) != NULL) {
		stream_counters(stream)->left_out++;
		return false;
	}
	/* The address of a name is not known here. */
	if (header.port != udp->port ||
		(udp->target.length > 0 && header.address.length > 0 &&
			!address_equal(&header.address, &udp->target))) {
		stream_counters(stream)->ignored++;
		return false;
	}
	udp->message = (struct iovec){ bytes + header.length, message->length - header.length };
	return true;
}

static enum io
udp_proxy_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct udp_proxy *udp = stream->impl;
	(void)count;
	*got = stream->loan.needs = 0;
	if (pieces->iov_len < UDP_PROXY_MESSAGE) {
		stream->loan.needs = UDP_PROXY_MESSAGE;
		return IO_AGAIN;
	}
	enum io result = udp_receive_next(&udp->receive, stream, pieces, got);
	if (result == IO_FAIL && reach_survives_read(&udp->reach, stream, errno))
		result = IO_AGAIN;
	else if (result == IO_FAIL)
		(void)udp_proxy_fault(stream, udp->proxy, errno, "", fault);
	if (result == IO_OK) {
		reach_received(&udp->reach);
		*got = udp->message.iov_len;
		stream->loan.messages = &udp->message;
		stream->loan.count = 1;
	} else if (result == IO_AGAIN && stream->read.at == 0) {
		if (fault_is_set(&udp->lost)) {
			fault_move(fault, &udp->lost);
			return IO_FAIL;
		}
		udp_proxy_look(stream);
	}
	stream->read.by = clock_after(clock_now(), UDP_PROXY_LOOK);
	return result;
}

/* Sends a datagram; the error, or 0. */
static int
udp_proxy_send(struct udp_proxy *udp, const struct iovec *piece)
{
	const struct iovec both[] = { { udp->header, udp->header_length }, *piece };
	return sys_send(udp->fd, both, 2, NULL, 0) != -1 ? 0 : errno;
}

static enum io
udp_proxy_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct udp_proxy *udp = stream->impl;
	*put = 0;
	if (count == 0) {
		udp_proxy_look(stream);
		return IO_OK;
	}
	bool dropped = false;
	int error = udp_proxy_send(udp, pieces);
	if (sys_would_block(error) ||
		backoff_waits(&udp->writing, error, stream, &stream->write.at))
		return IO_AGAIN;
	if (reach_is_lost(error, udp->reach.successes > 0)) {
		int again = udp_proxy_send(udp, pieces);
		dropped = again != 0;
		if (reach_survives_send(&udp->reach, stream, pieces->iov_len, error, again))
			error = 0;
	}
	if (error != 0) {
		(void)udp_proxy_fault(stream, udp->proxy, error, "", fault);
		return IO_FAIL;
	}
	backoff_ends(&udp->writing);
	if (!dropped)
		reach_sent(&udp->reach, pieces, 1);
	*put = 1;
	return IO_OK;
}

static void
udp_proxy_close(struct stream *stream, bool clean)
{
	struct udp_proxy *udp = stream->impl;
	(void)clean;
	(void)sys_close(&udp->fd);
	fault_clear(&udp->lost);
}

/* No shut: there is no end to send, and the end of the connection would be that of the relay. */
static const struct stream_ops udp_proxy_ops = {
	.read = udp_proxy_read,
	.write = udp_proxy_write,
	.close = udp_proxy_close,
};

/* Where the proxy receives: its address if it has not said that. */
static struct address
udp_proxy_relay(const struct stream *stream, const struct udp_proxy_config *config)
{
	struct address relay = config->relay, peer;
	bool any = relay.any.sa_family == AF_INET ? relay.v4.sin_addr.s_addr == htonl(INADDR_ANY)
						  : IN6_IS_ADDR_UNSPECIFIED(&relay.v6.sin6_addr);
	if (relay.length > 0 && any && address_of_peer(&peer, stream->write.fd)) {
		address_set_port(&peer, address_port(&relay));
		return peer;
	}
	return relay;
}

/* Opens the socket: the proxy accepts datagrams from the address of the connection only. */
static int
udp_proxy_connect(const struct stream *stream, const struct udp_proxy_config *config,
	const struct address *relay, struct fault *fault)
{
	struct address own;
	int fd = sys_socket(relay->any.sa_family, SOCK_DGRAM, 0);
	if (fd != -1 && !sockopt_apply(config->options, fd, SOCKOPT_DIALLING, true, fault)) {
		(void)sys_close(&fd);
		return -1;
	}
	bool bound = fd != -1 && address_of_socket(&own, stream->write.fd) &&
		own.any.sa_family == relay->any.sa_family;
	if (bound) {
		address_set_port(&own, 0);
		bound = bind(fd, &own.any, own.length) == 0;
	}
	if (fd != -1 && (bound || own.any.sa_family != relay->any.sa_family) &&
		sys_connect(fd, &relay->any, relay->length))
		return fd;
	(void)udp_proxy_fault(stream, config->proxy, errno, "", fault);
	(void)sys_close(&fd);
	return -1;
}

/* Reports the relay, and the side that resolves the name. */
static void
udp_proxy_report(const struct stream *stream, const struct udp_proxy_config *config,
	const struct address *relay, bool resolves)
{
	char *shown = address_print(relay);
	event_emit(&(struct event){ .kind = EVENT_relayed,
		.count = 1,
		.object = config->proxy->kind->scheme,
		.peer = config->proxy->name,
		.address = shown,
		.target = stream->name,
		.detail = resolves ? "by the proxy" : NULL });
	free(shown);
}

bool
udp_proxy_insert(struct stream *stream, const struct udp_proxy_config *config, struct fault *fault)
{
	struct udp_proxy made = {
		.proxy = config->proxy,
		.target = config->target,
		.port = (uint16_t)config->to.port,
		.receive = { .accepts = udp_proxy_accepts, .connected = true },
	};
	const struct address relay = udp_proxy_relay(stream, config);
	if (relay.length == 0)
		return udp_proxy_fault(stream, config->proxy, 0,
			": the address of its relay is not an address", fault);
	address_unmap(&made.target);
	made.header_length = made.target.length > 0
		? socks_udp_write(made.header, &made.target)
		: socks_udp_write_name(made.header, config->to.host, made.port);
	if (made.header_length == 0)
		return udp_proxy_fault(stream, config->proxy, 0, ": the name is too long", fault);
	made.fd = udp_proxy_connect(stream, config, &relay, fault);
	if (made.fd == -1)
		return false;
	if (!filter_insert(stream, &udp_proxy_ops, sizeof made, fault)) {
		(void)sys_close(&made.fd);
		return false;
	}
	*(struct udp_proxy *)stream->impl = made;
	stream->caps = (struct stream_caps){ .endless = true,
		.messages = true,
		.message_max = UDP_PROXY_MESSAGE,
		.overhead = made.header_length };
	stream->read = (struct stream_side){ .fd = made.fd, .events = POLLIN, .splice = -1 };
	stream->write = (struct stream_side){ .fd = made.fd, .events = POLLOUT, .splice = -1 };
	stream->loan = (struct stream_loan){ .count = 0 };
	/* The first read looks at the connection. */
	stream->read.by = STREAM_NOW;
	udp_proxy_report(stream, config, &relay, made.target.length == 0);
	return true;
}
