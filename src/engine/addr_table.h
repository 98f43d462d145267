/*
 * A hash table of clients, keyed by their address. Peers choose their addresses, so the hash has a
 * random key of this run (hash.h).
 */
#ifndef SOCKCAT_ENGINE_ADDR_TABLE_H
#define SOCKCAT_ENGINE_ADDR_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "net/endpoint.h"

struct addr_table_entry {
	const struct address *address; /* not owned; NULL: in no table */
	uint64_t hash;
	struct addr_table_entry *next;
};

/* Invariant: `size` is a power of two, or 0. */
struct addr_table {
	struct addr_table_entry **lists; /* owned */
	size_t size, count;
	struct hash_key key;
	bool hosts; /* ignores ports */
};

void addr_table_open(struct addr_table *table, bool hosts);

void addr_table_close(struct addr_table *table);

/* Adds an entry; the address must stay valid. False if memory runs out. */
bool addr_table_add(
	struct addr_table *table, struct addr_table_entry *entry, const struct address *address);

/* A zeroed entry is allowed. */
void addr_table_remove(struct addr_table *table, struct addr_table_entry *entry);

/* An entry with this address, or NULL. */
struct addr_table_entry *addr_table_find(
	const struct addr_table *table, const struct address *address);

/* The number of entries with this address. */
size_t addr_table_count(const struct addr_table *table, const struct address *address);

#endif
