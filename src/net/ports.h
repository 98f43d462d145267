/* Lists of ports: "22", "http", "20-30", "80,443". */
#ifndef SOCKCAT_NET_PORTS_H
#define SOCKCAT_NET_PORTS_H

#include <stdint.h>

#include "base/fault.h"
#include "net/transport.h"

/* In the order given, without duplicates; initially zeroed. */
struct ports {
	uint16_t *list; /* owned */
	size_t count;
	unsigned char seen[(UINT16_MAX + 1) / 8]; /* a bit for each port of the list */
};

/* Adds the ports of the text. Status 3 or 27. The text is modified temporarily. */
bool ports_add(
	struct ports *ports, char *text, const struct transport *transport, struct fault *fault);

/* Shuffles the list, determined by the seed. */
void ports_shuffle(struct ports *ports, uint64_t seed);

/* Frees the list, after which ports are not added any more; a zeroed struct is allowed. */
void ports_close(struct ports *ports);

#endif
