/* Clients by address; see addr_table.h. */
#include "engine/addr_table.h"

#include <stdlib.h>

#include "base/clock.h"
#include "sys/sys.h"

#define ADDR_TABLE_SMALLEST 16

void
addr_table_open(struct addr_table *table, bool hosts)
{
	*table = (struct addr_table){ .hosts = hosts };
	/* Early in the boot there are no random bytes: use the predictable key. */
	if (!sys_random(&table->key, sizeof table->key))
		table->key = (struct hash_key){ (uint64_t)clock_now(), (uintptr_t)table };
}

void
addr_table_close(struct addr_table *table)
{
	free(table->lists);
	table->lists = NULL;
	table->size = 0;
}

static struct address
addr_table_name(const struct addr_table *table, const struct address *address)
{
	struct address name = *address;
	if (table->hosts)
		address_set_port(&name, 0);
	return name;
}

static struct addr_table_entry **
addr_table_list(const struct addr_table *table, uint64_t hash)
{
	return &table->lists[hash & (table->size - 1)];
}

/* Doubles the number of lists. Without memory the lists only become longer. */
static bool
addr_table_grow(struct addr_table *table)
{
	size_t size = table->size == 0 ? ADDR_TABLE_SMALLEST : table->size * 2;
	struct addr_table_entry **old = table->lists, **lists = calloc(size, sizeof *lists);
	size_t old_size = table->size;
	if (lists == NULL)
		return old != NULL;
	table->lists = lists;
	table->size = size;
	for (size_t i = 0; i < old_size; i++) {
		for (struct addr_table_entry *entry = old[i], *next; entry != NULL; entry = next) {
			struct addr_table_entry **list = addr_table_list(table, entry->hash);
			next = entry->next;
			entry->next = *list;
			*list = entry;
		}
	}
	free(old);
	return true;
}

bool
addr_table_add(
	struct addr_table *table, struct addr_table_entry *entry, const struct address *address)
{
	const struct address name = addr_table_name(table, address);
	if (table->count >= table->size && !addr_table_grow(table))
		return false;
	uint64_t hash = address_hash(&name, &table->key);
	struct addr_table_entry **list = addr_table_list(table, hash);
	*entry = (struct addr_table_entry){ address, hash, *list };
	*list = entry;
	table->count++;
	return true;
}

void
addr_table_remove(struct addr_table *table, struct addr_table_entry *entry)
{
	if (entry->address == NULL)
		return;
	struct addr_table_entry **at = addr_table_list(table, entry->hash);
	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	*entry = (struct addr_table_entry){ .address = NULL };
	table->count--;
}

/* The first entry of a list, from `entry` on, with this address. */
static struct addr_table_entry *
addr_table_next(const struct addr_table *table, struct addr_table_entry *entry,
	const struct address *name, uint64_t hash)
{
	for (; entry != NULL; entry = entry->next) {
		if (entry->hash != hash)
			continue;
		const struct address other = addr_table_name(table, entry->address);
		if (address_equal(&other, name))
			break;
	}
	return entry;
}

struct addr_table_entry *
addr_table_find(const struct addr_table *table, const struct address *address)
{
	if (table->size == 0)
		return NULL;
	const struct address name = addr_table_name(table, address);
	uint64_t hash = address_hash(&name, &table->key);
	return addr_table_next(table, *addr_table_list(table, hash), &name, hash);
}

size_t
addr_table_count(const struct addr_table *table, const struct address *address)
{
	if (table->size == 0)
		return 0;
	const struct address name = addr_table_name(table, address);
	uint64_t hash = address_hash(&name, &table->key);
	size_t count = 0;
	struct addr_table_entry *entry = *addr_table_list(table, hash);
	while ((entry = addr_table_next(table, entry, &name, hash)) != NULL) {
		entry = entry->next;
		count++;
	}
	return count;
}
