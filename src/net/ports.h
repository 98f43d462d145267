/* Lists of ports: "22", "http", "20-30", "80,443". */
#ifndef SOCKCAT_NET_PORTS_H
#define SOCKCAT_NET_PORTS_H

#include <stdint.h>

#include "base/fault.h"
#include "net/transport.h"

/* More than one port. */
struct ports_range {
	uint16_t first, last;
};

/* In the order given, without duplicates; initially zeroed. */
struct ports {
	uint16_t *list; /* owned */
	size_t count, capacity;
	struct ports_range *ranges; /* owned; as written, so that they may overlap */
	size_t range_count, range_capacity;
	struct ports_bits *bits; /* owned */
};

/* Adds the ports of the text. Status 3 or 27. The text is modified temporarily. */
bool ports_add(
	struct ports *ports, char *text, const struct transport *transport, struct fault *fault);

/* Whether the port of the list was written by itself, and not only in a range. */
bool ports_is_single(const struct ports *ports, uint16_t port);

/* Sorts the list. */
void ports_sort(struct ports *ports);

/* Shuffles the list, determined by the seed. */
void ports_shuffle(struct ports *ports, uint64_t seed);

/* Frees the lists, after which ports are not added any more; a zeroed struct is allowed. */
void ports_close(struct ports *ports);

#endif
