/* What the kernel knows about a TCP connection, for events. */
#ifndef SOCKCAT_NET_TCP_STATE_H
#define SOCKCAT_NET_TCP_STATE_H

#include "base/event.h"
#include "net/transport.h"

/* Adds the round-trip time and the retransmissions, if it is a TCP connection and the system
 * reports them. */
void tcp_state_add(struct event *event, const struct transport *transport, int fd);

#endif
