/* A list of ports, as "22", "http", "20-30" and "80,443" say it. */
#ifndef SOCKCAT_NET_PORTS_H
#define SOCKCAT_NET_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "net/transport.h"

/* In the order given, each once; zeroed at first. */
struct ports {
	uint16_t *list; /* owned */
	size_t count, room;
	unsigned char seen[(UINT16_MAX + 1) / 8]; /* a bit for each port that is in the list */
};

/* Adds what the text says. Status 3 or 27. The text is cut while it is looked at, and is whole
 * again afterwards. */
bool ports_add(
	struct ports *ports, char *text, const struct transport *transport, struct fault *fault);

/* Mixes them up; the seed decides how. */
void ports_shuffle(struct ports *ports, uint64_t seed);

/* Frees the list; also good on a zeroed struct. */
void ports_close(struct ports *ports);

#endif
