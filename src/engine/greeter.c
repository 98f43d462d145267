/* Senders of datagrams that are no clients yet; see greeter.h. */
#include "engine/greeter.h"

#include <string.h>

#include "base/fault.h"
#include "filter/dtls_path.h"
#include "sys/sys.h"

/* The header of a record. */
#define GREETER_RECORD ((size_t)13)

/* Gives the library the datagram, once. */
static enum io
greeter_read(void *state, void *bytes, size_t size, size_t *got)
{
	struct greeter *greeter = state;
	const struct batch_datagram *datagram = greeter->datagram;
	if (greeter->used)
		return IO_AGAIN;
	greeter->used = true;
	*got = datagram->length < size ? datagram->length : size;
	memcpy(bytes, datagram->bytes, *got);
	return IO_OK;
}

/* Sends the answer, or drops it: the sender repeats its datagram. */
static enum io
greeter_write(void *state, const void *bytes, size_t size, size_t *put)
{
	const struct greeter *greeter = state;
	const struct batch_datagram *datagram = greeter->datagram;
	const struct sys_message *message = datagram->message;
	const struct iovec piece = { (void *)(uintptr_t)bytes, size };
	*put = size;
	/* The address may be that of a victim. */
	if (size <= datagram->length)
		(void)sys_send_from(greeter->fd, &piece, 1, (const struct sockaddr *)&message->from,
			message->from_length, &message->at, message->at_length);
	return IO_OK;
}

static void
greeter_drop(struct greeter *greeter)
{
	if (greeter->session != NULL)
		greeter->tls->ops->session_free(greeter->session);
	greeter->session = NULL;
	greeter->met = false;
}

/* Makes a session with the certificates that are in force, unless there is one. */
static bool
greeter_prepare(struct greeter *greeter)
{
	const struct tls_bottom bottom = { greeter, greeter_read, greeter_write };
	const struct tls *tls = greeter->tls;
	struct fault fault = FAULT_NONE;
	if (greeter->met || greeter->context != tls->context)
		greeter_drop(greeter);
	if (greeter->session == NULL)
		greeter->session =
			tls->ops->session_new(tls->context, &bottom, "a client", NULL, &fault);
	greeter->context = tls->context;
	fault_clear(&fault);
	return greeter->session != NULL;
}

/* Of the message without the header of its record, which a retransmission changes. */
static uint64_t
greeter_hash(const struct batch_datagram *datagram)
{
	static const struct hash_key key;
	return datagram->length < GREETER_RECORD
		? 0
		: hash_bytes(&key, datagram->bytes + GREETER_RECORD,
			  datagram->length - GREETER_RECORD);
}

bool
greeter_is_other(
	const struct greeter *greeter, const struct batch_datagram *datagram, uint64_t hello)
{
	const unsigned char *bytes = datagram->bytes;
	/* A record of type handshake, not encrypted (its epoch is 0), with a message of type
	 * client_hello. */
	return greeter_is_needed(greeter) && datagram->length > GREETER_RECORD && bytes[0] == 22 &&
		bytes[3] == 0 && bytes[4] == 0 && bytes[GREETER_RECORD] == 1 &&
		greeter_hash(datagram) != hello;
}

bool
greeter_meets(struct greeter *greeter, int fd, const struct batch_datagram *datagram, int64_t now)
{
	const struct sys_message *message = datagram->message;
	const struct address from = { { message->from }, message->from_length };
	struct address_key key;
	greeter->fd = fd;
	greeter->own = (struct address){ { message->at }, message->at_length };
	if (!greeter_is_needed(greeter))
		return true;
	if (!greeter_prepare(greeter))
		return false;
	greeter->datagram = datagram;
	greeter->used = false;
	address_key(&from, &key);
	greeter->met = greeter->tls->ops->listen(greeter->session, key.bytes, key.length, now);
	greeter->datagram = NULL;
	greeter->hello = greeter_hash(datagram);
	return greeter->met;
}

void *
greeter_take(struct greeter *greeter, struct peer *peer)
{
	void *session = greeter->met ? greeter->session : NULL;
	peer_meet(peer, greeter->fd, &greeter->own);
	if (session == NULL)
		return NULL;
	peer->stream->caps.path = dtls_path_to(peer->address);
	greeter->session = NULL;
	greeter->met = false;
	return session;
}

void
greeter_close(struct greeter *greeter)
{
	if (greeter_is_needed(greeter))
		greeter_drop(greeter);
}
