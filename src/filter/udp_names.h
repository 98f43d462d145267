/*
 * Names to which a client of a proxy server sends datagrams: a few results of look-ups are kept for
 * a while, and datagrams wait for those that are pending, so that those for other targets pass
 * them.
 */
#ifndef SOCKCAT_FILTER_UDP_NAMES_H
#define SOCKCAT_FILTER_UDP_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/hosts.h"
#include "net/resolve.h"
#include "net/socks_udp.h"

/* The most names, and look-ups at a time. */
#define UDP_NAMES_MAX 16
#define UDP_NAMES_LOOKUPS 4

/* The most bytes of datagrams that wait, overhead included. */
#define UDP_NAMES_QUEUE ((size_t)65536)

struct udp_names_datagram {
	struct udp_names_datagram *next;
	size_t length;
	unsigned char bytes[]; /* without the header */
};

struct udp_name {
	struct endpoint endpoint; /* its host is owned; NULL: the place is free */
	struct resolve resolve;   /* without addresses: the look-up is pending, or has failed */
	struct fault fault;       /* why it has failed */
	bool pending;
	int64_t until; /* the end of the result; pending: of the wait of the datagrams */
	struct udp_names_datagram *first, *last; /* wait for the result; owned */
};

/* Zeroed but for the first two. */
struct udp_names {
	const struct hosts *hosts; /* not owned */
	bool numeric;              /* names are not resolved */
	struct udp_name list[UDP_NAMES_MAX];
	size_t waiting; /* bytes of datagrams */
};

enum udp_names_result {
	UDP_NAMES_KNOWN,   /* *found has addresses, or a fault */
	UDP_NAMES_WAITING, /* the datagram waits for the look-up */
	UDP_NAMES_REFUSED  /* *cause says why */
};

/* Finds the name of a header, or starts to look it up; a datagram is copied if it has to wait. */
enum udp_names_result udp_names_put(struct udp_names *names, const struct socks_udp *header,
	const struct iovec *datagram, int64_t now, const struct udp_name **found,
	const char **cause);

/* Takes a datagram that does not wait any more, which the caller frees; NULL: none. *found is as
 * with UDP_NAMES_KNOWN; or a pending look-up that takes too long. */
struct udp_names_datagram *udp_names_take(
	struct udp_names *names, int64_t now, const struct udp_name **found);

/* Whether datagrams wait. */
static inline bool
udp_names_wait(const struct udp_names *names)
{
	return names->waiting > 0;
}

/* Frees what it owns, and abandons pending look-ups. */
void udp_names_close(struct udp_names *names);

#endif
