/* A list of ports; see ports.h. */
#include "net/ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "net/endpoint.h"

#define PORTS_BYTES ((UINT16_MAX + 1) / 8)

/* A bit for each port. */
struct ports_bits {
	unsigned char seen[PORTS_BYTES];   /* in the list */
	unsigned char single[PORTS_BYTES]; /* written by itself */
};

static bool
ports_bit(const unsigned char *bits, uint16_t port)
{
	return (bits[port / 8] >> port % 8 & 1) != 0;
}

static void
ports_set_bit(unsigned char *bits, uint16_t port)
{
	bits[port / 8] = (unsigned char)(bits[port / 8] | 1U << port % 8);
}

/* Makes room in an array for one more element. */
static bool
ports_grow(void *array, size_t *capacity, size_t count, size_t size)
{
	void **memory = array;
	if (count < *capacity)
		return true;
	size_t wanted = *capacity == 0 ? 8 : 2 * *capacity;
	void *grown = realloc(*memory, wanted * size);
	if (grown == NULL)
		return false;
	*memory = grown;
	*capacity = wanted;
	return true;
}

static bool
ports_append(struct ports *ports, uint32_t number, bool single, struct fault *fault)
{
	uint16_t port = (uint16_t)number;
	if (number == 0)
		return fault_set(fault, STATUS_VALUE, 0, "port '0' is only valid with -l");
	if (ports->bits == NULL)
		ports->bits = calloc(1, sizeof *ports->bits);
	if (ports->bits == NULL ||
		!ports_grow(&ports->list, &ports->capacity, ports->count, sizeof *ports->list))
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "ports");
	if (single)
		ports_set_bit(ports->bits->single, port);
	if (ports_bit(ports->bits->seen, port))
		return true;
	ports_set_bit(ports->bits->seen, port);
	ports->list[ports->count++] = port;
	return true;
}

static bool
ports_append_range(struct ports *ports, uint64_t first, uint64_t last, struct fault *fault)
{
	for (uint64_t port = first; port <= last; port++)
		if (!ports_append(ports, (uint32_t)port, first == last, fault))
			return false;
	if (first == last)
		return true;
	if (!ports_grow(&ports->ranges, &ports->range_capacity, ports->range_count,
		    sizeof *ports->ranges))
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "ports");
	ports->ranges[ports->range_count++] =
		(struct ports_range){ (uint16_t)first, (uint16_t)last };
	return true;
}

/* Parses "20-30"; PARSE_BAD unless both are numbers, as service names may contain '-'. */
static enum parse
ports_parse_range(const char *text, uint64_t *first, uint64_t *last)
{
	char piece[8];
	size_t length = strcspn(text, "-");
	if (text[length] != '-' || length >= sizeof piece)
		return PARSE_BAD;
	memcpy(piece, text, length);
	piece[length] = '\0';
	enum parse low = parse_count(piece, UINT16_MAX, first);
	enum parse high = parse_count(text + length + 1, UINT16_MAX, last);
	return low == PARSE_BAD || high == PARSE_BAD ? PARSE_BAD : low == PARSE_RANGE ? low : high;
}

static bool
ports_add_item(struct ports *ports, const char *text, const struct transport *transport,
	struct fault *fault)
{
	struct endpoint endpoint = { .names = TRANSPORT_INET };
	uint64_t first, last;
	switch (ports_parse_range(text, &first, &last)) {
	case PARSE_BAD:
		return endpoint_set_port(&endpoint, text, transport, fault) &&
			ports_append(ports, endpoint.port, true, fault);
	case PARSE_RANGE:
		return fault_set(
			fault, STATUS_VALUE, 0, "invalid ports '%s': expected 1 to 65535", text);
	case PARSE_OK:
		break;
	}
	if (first > last)
		return fault_set(fault, STATUS_VALUE, 0,
			"ports '%s': the first is larger than the last", text);
	return ports_append_range(ports, first, last, fault);
}

bool
ports_add(struct ports *ports, char *text, const struct transport *transport, struct fault *fault)
{
	for (bool more = true; more;) {
		size_t length = strcspn(text, ",");
		more = text[length] == ',';
		text[length] = '\0';
		bool added = ports_add_item(ports, text, transport, fault);
		if (more)
			text[length] = ',';
		if (!added)
			return false;
		text += length + more;
	}
	return true;
}

bool
ports_is_single(const struct ports *ports, uint16_t port)
{
	return ports->range_count == 0 || ports_bit(ports->bits->single, port);
}

static int
ports_compare(const void *a, const void *b)
{
	uint16_t one = *(const uint16_t *)a, other = *(const uint16_t *)b;
	return (one > other) - (one < other);
}

void
ports_sort(struct ports *ports)
{
	if (ports->count > 0)
		qsort(ports->list, ports->count, sizeof *ports->list, ports_compare);
}

void
ports_shuffle(struct ports *ports, uint64_t seed)
{
	for (size_t i = ports->count; i > 1; i--) {
		/* Knuth's MMIX generator; use the upper bits, whose period is longer. */
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		size_t other = (size_t)(seed >> 33) % i;
		uint16_t swap = ports->list[i - 1];
		ports->list[i - 1] = ports->list[other];
		ports->list[other] = swap;
	}
}

void
ports_close(struct ports *ports)
{
	free(ports->list);
	free(ports->ranges);
	free(ports->bits);
	*ports = (struct ports){ .list = NULL };
}
