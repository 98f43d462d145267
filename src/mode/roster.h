/*
 * Who is in, by address: found in a time that does not grow with how many there are. Peers choose
 * their addresses, so where they lie depends on a secret of this run.
 */
#ifndef SOCKCAT_MODE_ROSTER_H
#define SOCKCAT_MODE_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "net/endpoint.h"

struct roster_entry {
	const struct address *address; /* not owned; NULL: it is in no roster */
	uint64_t hash;
	struct roster_entry *next;
};

/* Invariant: `size` is a power of two, or 0. */
struct roster {
	struct roster_entry **lists; /* owned */
	size_t size, count;
	struct hash_key key;
	bool hosts; /* ports make no difference */
};

void roster_open(struct roster *roster, bool hosts);

void roster_close(struct roster *roster);

/* Enters somebody, whose address stays where it is. False if there is no memory. */
bool roster_add(struct roster *roster, struct roster_entry *entry, const struct address *address);

/* Also good on a zeroed entry. */
void roster_remove(struct roster *roster, struct roster_entry *entry);

/* Somebody with this address; NULL: nobody. */
struct roster_entry *roster_find(const struct roster *roster, const struct address *address);

/* How many have this address. */
size_t roster_count(const struct roster *roster, const struct address *address);

#endif
