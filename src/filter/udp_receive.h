/* Receives the datagrams of a filter that has a socket of its own, one at a time, and drops those
 * that it does not accept: not all in one turn. */
#ifndef SOCKCAT_FILTER_UDP_RECEIVE_H
#define SOCKCAT_FILTER_UDP_RECEIVE_H

#include "base/io.h"
#include "stream/backoff.h"
#include "stream/stream.h"
#include "sys/sys.h"

/* Whether a datagram is accepted; it counts the others. */
typedef bool udp_receive_accepts(
	struct stream *stream, const struct sys_message *message, unsigned char *bytes);

struct udp_receive {
	udp_receive_accepts *accepts;
	bool connected; /* to the only sender: errors of the network are failures */
	struct backoff backoff;
};

/* Receives a datagram of *got bytes from the descriptor of `read`. IO_AGAIN: there is none, or
 * another turn is due. IO_FAIL: without a fault, with errno. */
enum io udp_receive_next(
	struct udp_receive *receive, struct stream *stream, const struct iovec *space, size_t *got);

#endif
