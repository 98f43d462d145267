/*
 * Asking a UDP port whether it is open: the requests of its service (udp_probe.h), sent again while
 * there is no answer, as a datagram, or the report that the port is closed, may be lost.
 */
#ifndef SOCKCAT_NET_UDP_QUERY_H
#define SOCKCAT_NET_UDP_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "net/udp_probe.h"

struct udp_query {
	uint16_t port; /* 0: of no known service */
	unsigned char random[UDP_PROBE_RANDOM];
	int64_t interval;
	int64_t next;   /* when to send; CLOCK_NEVER: not again */
	unsigned again; /* how many more times */
};

/* Begins a query that is sent now, and twice more before the deadline. Port 0: an empty datagram.
 */
void udp_query_start(struct udp_query *query, uint16_t port, int64_t now, int64_t deadline);

/* Sends what is due over a connected socket. False: errno is set, and the query is over. */
bool udp_query_send(struct udp_query *query, int fd, int64_t now);

#endif
