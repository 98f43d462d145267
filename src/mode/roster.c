/* Who is in, by address; see roster.h. */
#include "mode/roster.h"

#include <stdlib.h>

#include "base/clock.h"
#include "sys/sys.h"

#define ROSTER_SMALLEST 16

void
roster_open(struct roster *roster, bool hosts)
{
	*roster = (struct roster){ .hosts = hosts };
	/* What can be guessed is better than nothing. */
	if (!sys_random(&roster->key, sizeof roster->key))
		roster->key = (struct hash_key){ (uint64_t)clock_now(), (uintptr_t)roster };
}

void
roster_close(struct roster *roster)
{
	free(roster->lists);
	roster->lists = NULL;
	roster->size = 0;
}

static struct address
roster_name(const struct roster *roster, const struct address *address)
{
	struct address name = *address;
	if (roster->hosts)
		address_set_port(&name, 0);
	return name;
}

static struct roster_entry **
roster_list(const struct roster *roster, uint64_t hash)
{
	return &roster->lists[hash & (roster->size - 1)];
}

/* Twice as many lists; without the memory for them they only become longer. */
static bool
roster_grow(struct roster *roster)
{
	size_t size = roster->size == 0 ? ROSTER_SMALLEST : roster->size * 2;
	struct roster_entry **old = roster->lists, **lists = calloc(size, sizeof *lists);
	size_t old_size = roster->size;
	if (lists == NULL)
		return old != NULL;
	roster->lists = lists;
	roster->size = size;
	for (size_t i = 0; i < old_size; i++) {
		for (struct roster_entry *entry = old[i], *next; entry != NULL; entry = next) {
			struct roster_entry **list = roster_list(roster, entry->hash);
			next = entry->next;
			entry->next = *list;
			*list = entry;
		}
	}
	free(old);
	return true;
}

bool
roster_add(struct roster *roster, struct roster_entry *entry, const struct address *address)
{
	const struct address name = roster_name(roster, address);
	if (roster->count >= roster->size && !roster_grow(roster))
		return false;
	uint64_t hash = address_hash(&name, &roster->key);
	struct roster_entry **list = roster_list(roster, hash);
	*entry = (struct roster_entry){ address, hash, *list };
	*list = entry;
	roster->count++;
	return true;
}

void
roster_remove(struct roster *roster, struct roster_entry *entry)
{
	if (entry->address == NULL)
		return;
	struct roster_entry **at = roster_list(roster, entry->hash);
	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	*entry = (struct roster_entry){ .address = NULL };
	roster->count--;
}

/* The first of a list, from `entry` on, with this name. */
static struct roster_entry *
roster_next(const struct roster *roster, struct roster_entry *entry, const struct address *name,
	uint64_t hash)
{
	for (; entry != NULL; entry = entry->next) {
		if (entry->hash != hash)
			continue;
		const struct address other = roster_name(roster, entry->address);
		if (address_equal(&other, name))
			break;
	}
	return entry;
}

struct roster_entry *
roster_find(const struct roster *roster, const struct address *address)
{
	if (roster->size == 0)
		return NULL;
	const struct address name = roster_name(roster, address);
	uint64_t hash = address_hash(&name, &roster->key);
	return roster_next(roster, *roster_list(roster, hash), &name, hash);
}

size_t
roster_count(const struct roster *roster, const struct address *address)
{
	if (roster->size == 0)
		return 0;
	const struct address name = roster_name(roster, address);
	uint64_t hash = address_hash(&name, &roster->key);
	size_t count = 0;
	struct roster_entry *entry = *roster_list(roster, hash);
	while ((entry = roster_next(roster, entry, &name, hash)) != NULL) {
		entry = entry->next;
		count++;
	}
	return count;
}
