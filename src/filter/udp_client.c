/* The datagrams of a client of a proxy server; see udp_client.h. */
#include "filter/udp_client.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "filter/filter.h"
#include "filter/udp_receive.h"
#include "net/socks_udp.h"
#include "stream/reach.h"

/* The most datagrams that are still read after the end of the connection. */
#define UDP_CLIENT_LAST 256

struct udp_client {
	int fd;
	struct address client; /* port 0: of the first datagram */
	bool looked;           /* at the connection, which may have had data when this began */
	bool ended;            /* the connection */
	unsigned last;         /* datagrams since then */
	struct udp_receive receive;
	struct backoff writing;
};

/* Reads the connection, to find its end. False and a fault: it has failed. */
static bool
udp_client_look(struct stream *stream, struct fault *fault)
{
	struct udp_client *client = stream->impl;
	enum io result = filter_discard(stream, fault);
	client->looked = true;
	client->ended = stream->ready = result == IO_END;
	return result != IO_FAIL;
}

/* Whether a datagram is one of the client's, and well-formed; others are counted. */
static bool
udp_client_accepts(struct stream *stream, const struct sys_message *message, unsigned char *bytes)
{
	struct udp_client *client = stream->impl;
	struct address from = { { message->from }, message->from_length }, wanted = client->client;
	struct socks_udp header;
	address_unmap(&from);
	if (address_port(&wanted) == 0)
		address_set_port(&wanted, address_port(&from));
	if (!address_equal(&from, &wanted)) {
		stream_counters(stream)->ignored++;
		return false;
	}
	if (message->truncated || socks_udp_read(&header, bytes, message->length) != NULL) {
		stream_counters(stream)->left_out++;
		return false;
	}
	client->client = wanted;
	return true;
}

static enum io
udp_client_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct udp_client *client = stream->impl;
	(void)count;
	*got = stream->loan.needs = 0;
	if (!client->ended && (!client->looked || stream_is_ready(stream->lower)) &&
		!udp_client_look(stream, fault))
		return IO_FAIL;
	if (pieces->iov_len < UDP_CLIENT_MESSAGE) {
		stream->loan.needs = UDP_CLIENT_MESSAGE;
		return IO_AGAIN;
	}
	if (client->ended && client->last++ >= UDP_CLIENT_LAST)
		return IO_END;
	enum io result = udp_receive_next(&client->receive, stream, pieces, got);
	if (result == IO_FAIL)
		return IO_FAULT(fault, STATUS_RECEIVE, errno, "receive from %s", stream->name);
	return client->ended && result != IO_OK && stream->read.at == 0 ? IO_END : result;
}

static enum io
udp_client_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct udp_client *client = stream->impl;
	const struct address *to = &client->client;
	*put = 0;
	if (count == 0)
		return client->ended || udp_client_look(stream, fault) ? IO_OK : IO_FAIL;
	if (sys_send(client->fd, pieces, 1, &to->any, to->length) == -1) {
		if (sys_would_block(errno) ||
			backoff_waits(&client->writing, errno, stream, &stream->write.at))
			return IO_AGAIN;
		reach_count_unsent(stream, pieces->iov_len, errno);
	}
	backoff_ends(&client->writing);
	*put = 1;
	return IO_OK;
}

/* No datagram follows: ends the connection. */
static enum io
udp_client_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	enum io result = stream_shut(stream->lower, half_close, fault);
	stream->write = stream->lower->write;
	stream->write.splice = -1;
	return result;
}

static void
udp_client_close(struct stream *stream, bool clean)
{
	struct udp_client *client = stream->impl;
	(void)clean;
	(void)sys_close(&client->fd);
}

static const struct stream_ops udp_client_ops = {
	.read = udp_client_read,
	.write = udp_client_write,
	.shut = udp_client_shut,
	.close = udp_client_close,
};

bool
udp_client_insert(struct stream *stream, int fd, const struct address *client, struct fault *fault)
{
	if (!filter_insert(stream, &udp_client_ops, sizeof(struct udp_client), fault))
		return false;
	*(struct udp_client *)stream->impl = (struct udp_client){
		.fd = fd, .client = *client, .receive = { .accepts = udp_client_accepts }
	};
	stream->opened = true;
	/* The first read looks at the connection. */
	stream->ready = true;
	stream->caps = (struct stream_caps){ .messages = true, .message_max = UDP_CLIENT_MESSAGE };
	stream->read = (struct stream_side){ .fd = fd, .events = POLLIN, .splice = -1 };
	stream->write = (struct stream_side){ .fd = fd, .events = POLLOUT, .splice = -1 };
	stream->loan = (struct stream_loan){ .count = 0 };
	return true;
}
