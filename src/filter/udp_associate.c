/* The targets of a client's datagrams; see udp_associate.h. */
#include "filter/udp_associate.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "filter/filter.h"
#include "filter/udp_client.h"
#include "filter/udp_names.h"
#include "filter/udp_receive.h"
#include "filter/udp_targets.h"
#include "net/socks_udp.h"

/* The pauses between two looks at pending look-ups: a flow waits for one descriptor. */
#define UDP_ASSOCIATE_LOOK_FIRST CLOCK_MILLISECOND
#define UDP_ASSOCIATE_LOOK_LAST (8 * CLOCK_MILLISECOND)

struct udp_associate {
	const struct proxy_server_config *config; /* not owned */
	struct stream *client;                    /* not owned */
	struct stream *server;                    /* not owned: the filter below */
	struct address peer;
	struct address bound; /* the client sends to it */
	int client_fd;        /* -1: not bound yet, or taken */
	int fd;               /* to the targets */
	bool six;             /* the socket is one of IPv6, for IPv4 addresses, too */
	bool answers;         /* the client is being answered */
	struct udp_targets targets;
	struct udp_names names;
	int64_t look;        /* the pause before the next look */
	struct address from; /* of the datagram that is read */
	struct iovec message;
	struct udp_receive receive;
	struct backoff writing;
};

/* --- opening --- */

/* Opens the socket to the targets. */
static bool
udp_associate_open_targets(struct udp_associate *associate, struct fault *fault)
{
	int off = 0;
	associate->fd = sys_socket(AF_INET6, SOCK_DGRAM, 0);
	associate->six = associate->fd != -1 &&
		setsockopt(associate->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0;
	if (!associate->six) {
		(void)sys_close(&associate->fd);
		associate->fd = sys_socket(AF_INET, SOCK_DGRAM, 0);
	}
	return associate->fd != -1 ||
		fault_set(fault, transport_status(errno, STATUS_LISTEN), errno,
			"open a socket for datagrams");
}

/* Binds the socket for the client to the address that it has connected to. */
static bool
udp_associate_bind(struct udp_associate *associate, struct fault *fault)
{
	struct address *bound = &associate->bound;
	if ((associate->peer.any.sa_family != AF_INET &&
		    associate->peer.any.sa_family != AF_INET6) ||
		!address_of_socket(bound, associate->client->write.fd) ||
		bound->any.sa_family == AF_UNIX)
		return fault_set(fault, STATUS_PROXY, 0,
			"relay datagrams of %s: it has no address of IPv4 or IPv6",
			associate->client->name);
	address_unmap(bound);
	address_set_port(bound, 0);
	associate->client_fd = sys_socket(bound->any.sa_family, SOCK_DGRAM, 0);
	return (associate->client_fd != -1 &&
		       bind(associate->client_fd, &bound->any, bound->length) == 0 &&
		       address_of_socket(bound, associate->client_fd)) ||
		fault_set(fault, transport_status(errno, STATUS_LISTEN), errno,
			"relay datagrams of %s", associate->client->name);
}

/* Begins to answer the client. */
static void
udp_associate_answer(struct stream *stream, int64_t now)
{
	struct udp_associate *associate = stream->impl;
	struct fault cause = FAULT_NONE;
	bool good = udp_associate_open_targets(associate, &cause) &&
		udp_associate_bind(associate, &cause);
	if (good)
		proxy_server_bind(associate->server, &associate->bound);
	proxy_server_answer(associate->server,
		good ? PROXY_REQUEST_CONNECTED : PROXY_REQUEST_FAILED, now, &cause);
	/* Its end is found by reading. */
	if (!good)
		associate->client->hangup.fd = -1;
	associate->answers = true;
}

/* The client has been answered: its stream becomes that of its datagrams. */
static bool
udp_associate_begin(struct udp_associate *associate, struct fault *fault)
{
	char *bound = address_print(&associate->bound);
	event_emit(&(struct event){ .kind = EVENT_associated,
		.peer = associate->server->name,
		.object = "socks5",
		.local = bound });
	free(bound);
	if (!udp_client_insert(associate->server, associate->client_fd, &associate->peer, fault))
		return false;
	associate->client_fd = -1;
	filter_follow_up(associate->client, associate->server);
	return true;
}

static enum io
udp_associate_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct udp_associate *associate = stream->impl;
	(void)pollset;
	if (!associate->answers)
		udp_associate_answer(stream, now);
	enum io result = proxy_server_step(associate->server, now, fault);
	if (result == IO_AGAIN && associate->client != associate->server)
		associate->client->hangup.fd = -1;
	if (result != IO_OK)
		return result;
	if (!udp_associate_begin(associate, fault))
		return IO_FAIL;
	stream->caps = (struct stream_caps){
		.endless = true, .messages = true, .message_max = UDP_CLIENT_MESSAGE
	};
	stream->read.fd = stream->write.fd = associate->fd;
	return IO_OK;
}

static void
udp_associate_ask(const struct stream *stream, struct pollset *pollset)
{
	const struct udp_associate *associate = stream->impl;
	proxy_server_ask(associate->server, pollset);
}

/* --- from the targets --- */

/* Whether a datagram is from a target. */
static bool
udp_associate_accepts(
	struct stream *stream, const struct sys_message *message, unsigned char *bytes)
{
	struct udp_associate *associate = stream->impl;
	(void)bytes;
	associate->from = (struct address){ { message->from }, message->from_length };
	address_unmap(&associate->from);
	if (udp_targets_have(&associate->targets, &associate->from))
		return true;
	stream_counters(associate->server)->ignored++;
	return false;
}

static enum io
udp_associate_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct udp_associate *associate = stream->impl;
	unsigned char *bytes = pieces->iov_base;
	struct iovec space = { bytes + SOCKS_UDP_ADDRESS_MAX, UDP_CLIENT_MESSAGE };
	(void)count;
	*got = stream->loan.needs = 0;
	if (pieces->iov_len < SOCKS_UDP_ADDRESS_MAX + UDP_CLIENT_MESSAGE) {
		stream->loan.needs = SOCKS_UDP_ADDRESS_MAX + UDP_CLIENT_MESSAGE;
		return IO_AGAIN;
	}
	enum io result = udp_receive_next(&associate->receive, stream, &space, got);
	if (result == IO_FAIL)
		return IO_FAULT(fault, STATUS_RECEIVE, errno, "receive from %s", stream->name);
	if (result != IO_OK)
		return result;
	size_t length = socks_udp_length(&associate->from);
	associate->message.iov_base = (unsigned char *)space.iov_base - length;
	*got = associate->message.iov_len = length + *got;
	(void)socks_udp_write(associate->message.iov_base, &associate->from);
	stream->loan.messages = &associate->message;
	stream->loan.count = 1;
	return IO_OK;
}

/* --- to the targets --- */

/* Counts a datagram that is not sent. */
static void
udp_associate_drop(struct udp_associate *associate, char *target, const char *cause)
{
	stream_counters(associate->server)->left_out++;
	event_emit(&(struct event){
		.kind = EVENT_datagram_refused, .target = target, .cause = cause });
	free(target);
}

/* Why nothing may be sent to the address; NULL: it may. A target is checked once. */
static const char *
udp_associate_refuse(struct udp_associate *associate, const struct address *to)
{
	const char *cause = NULL;
	if (udp_targets_have(&associate->targets, to))
		return NULL;
	cause = destinations_refuse(
		&associate->config->destinations, to, address_port(&associate->bound));
	return cause != NULL || udp_targets_add(&associate->targets, to) ? cause : strerror(ENOMEM);
}

/* Sends to an allowed address. IO_AGAIN: try it again; or it is sent or dropped. */
static enum io
udp_associate_send(struct stream *stream, const struct address *target, const struct iovec *piece)
{
	struct udp_associate *associate = stream->impl;
	struct address to = *target;
	int error = EAFNOSUPPORT;
	if (associate->six)
		address_map(&to);
	if ((to.any.sa_family == AF_INET6) == associate->six)
		error = sys_send(associate->fd, piece, 1, &to.any, to.length) != -1 ? 0 : errno;
	if (sys_would_block(error) ||
		backoff_waits(&associate->writing, error, stream, &stream->write.at))
		return IO_AGAIN;
	backoff_ends(&associate->writing);
	if (error != 0)
		udp_associate_drop(associate, address_print(target), strerror(error));
	return IO_OK;
}

/* Sends to an address of the header. */
static enum io
udp_associate_send_address(
	struct stream *stream, const struct address *to, const struct iovec *piece)
{
	struct udp_associate *associate = stream->impl;
	const char *cause = udp_associate_refuse(associate, to);
	if (cause == NULL)
		return udp_associate_send(stream, to, piece);
	udp_associate_drop(associate, address_print(to), cause);
	return IO_OK;
}

/* Sends to the first address of a name that is allowed. */
static enum io
udp_associate_send_name(
	struct stream *stream, const struct udp_name *name, const struct iovec *piece)
{
	struct udp_associate *associate = stream->impl;
	const char *cause = name->fault.text != NULL ? name->fault.text : "the look-up timed out";
	for (size_t i = 0; i < name->resolve.count; i++) {
		struct address to = name->resolve.addresses[i];
		address_unmap(&to);
		if (to.any.sa_family == AF_INET6 && !associate->six) {
			cause = strerror(EAFNOSUPPORT);
			continue;
		}
		cause = udp_associate_refuse(associate, &to);
		if (cause == NULL)
			return udp_associate_send(stream, &to, piece);
	}
	udp_associate_drop(associate, endpoint_print(&name->endpoint), cause);
	return IO_OK;
}

/* Sends the datagrams whose names are known by now; those that the socket does not take are
 * dropped. */
static void
udp_associate_flush(struct stream *stream, int64_t now)
{
	struct udp_associate *associate = stream->impl;
	struct udp_names_datagram *datagram;
	const struct udp_name *name;
	while ((datagram = udp_names_take(&associate->names, now, &name)) != NULL) {
		const struct iovec piece = { datagram->bytes, datagram->length };
		if (udp_associate_send_name(stream, name, &piece) == IO_AGAIN)
			udp_associate_drop(
				associate, endpoint_print(&name->endpoint), strerror(EAGAIN));
		free(datagram);
		associate->look = UDP_ASSOCIATE_LOOK_FIRST;
	}
}

/* Sends a datagram, without its header. */
static enum io
udp_associate_put(struct stream *stream, const struct iovec *datagram, int64_t now)
{
	struct udp_associate *associate = stream->impl;
	struct socks_udp header;
	const struct udp_name *name = NULL;
	const char *cause = socks_udp_read(&header, datagram->iov_base, datagram->iov_len);
	/* The client's side has checked it. */
	if (cause != NULL)
		return IO_OK;
	const struct iovec piece = { (unsigned char *)datagram->iov_base + header.length,
		datagram->iov_len - header.length };
	if (header.name == NULL)
		return udp_associate_send_address(stream, &header.address, &piece);
	switch (udp_names_put(&associate->names, &header, &piece, now, &name, &cause)) {
	case UDP_NAMES_KNOWN:
		return udp_associate_send_name(stream, name, &piece);
	case UDP_NAMES_WAITING:
		associate->look = UDP_ASSOCIATE_LOOK_FIRST;
		return IO_OK;
	case UDP_NAMES_REFUSED:
		break;
	}
	udp_associate_drop(associate, strndup(header.name, header.name_length), cause);
	return IO_OK;
}

static enum io
udp_associate_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct udp_associate *associate = stream->impl;
	int64_t now = clock_now();
	bool waited = udp_names_wait(&associate->names);
	enum io result = count > 0 ? udp_associate_put(stream, pieces, now) : IO_OK;
	(void)fault;
	*put = count > 0 && result == IO_OK;
	udp_associate_flush(stream, now);
	stream->buffered = udp_names_wait(&associate->names);
	if (!stream->buffered || result == IO_AGAIN)
		return result;
	stream->write.at = clock_after(now, associate->look);
	associate->look = clock_earlier(associate->look * 2, UDP_ASSOCIATE_LOOK_LAST);
	return count > 0 || !waited ? IO_OK : IO_AGAIN;
}

static void
udp_associate_close(struct stream *stream, bool clean)
{
	struct udp_associate *associate = stream->impl;
	(void)clean;
	(void)sys_close(&associate->client_fd);
	(void)sys_close(&associate->fd);
	udp_targets_close(&associate->targets);
	udp_names_close(&associate->names);
}

static const struct stream_ops udp_associate_ops = {
	.open = udp_associate_open,
	.ask = udp_associate_ask,
	.read = udp_associate_read,
	.write = udp_associate_write,
	.close = udp_associate_close,
};

struct stream *
udp_associate_new(const struct proxy_server_config *config, const struct hosts *hosts,
	struct stream *client, const struct address *peer, struct fault *fault)
{
	struct stream *stream = stream_new(
		&udp_associate_ops, strdup("datagrams"), sizeof(struct udp_associate), fault);
	if (stream == NULL)
		return NULL;
	struct udp_associate *associate = stream->impl;
	*associate = (struct udp_associate){
		.config = config,
		.client = client,
		.server = proxy_server_find(client),
		.peer = *peer,
		.client_fd = -1,
		.fd = -1,
		.receive = { .accepts = udp_associate_accepts },
		.names = { .hosts = hosts, .numeric = config->numeric },
	};
	address_unmap(&associate->peer);
	address_set_port(&associate->peer, proxy_server_request(associate->server)->client_port);
	/* It has time limits of its own. */
	stream->caps.retries = true;
	return stream;
}
