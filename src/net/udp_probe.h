/*
 * Requests that make the services of well-known UDP ports answer: a table of constant datagrams
 * from the standards, each harmless and small. Pure: nothing is sent here.
 */
#ifndef SOCKCAT_NET_UDP_PROBE_H
#define SOCKCAT_NET_UDP_PROBE_H

#include <stddef.h>
#include <stdint.h>

/* The longest request. */
#define UDP_PROBE_MAX 1200

/* The unpredictable bytes that a request can contain. */
#define UDP_PROBE_RANDOM 12

/* The number of requests for the port, > 0: a service can have several versions. A port without a
 * row has one request, an empty datagram. */
size_t udp_probe_count(uint16_t port);

/* Writes request i < udp_probe_count(port), with the random bytes as its identifiers; returns its
 * length. The same random bytes make the same request, to send it again. */
size_t udp_probe_write(uint16_t port, size_t i, const unsigned char random[static UDP_PROBE_RANDOM],
	unsigned char out[static UDP_PROBE_MAX]);

#endif
