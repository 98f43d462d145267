/* A list of ports; see ports.h. */
#include "net/ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "net/endpoint.h"

static bool
ports_append(struct ports *ports, uint32_t port, struct fault *fault)
{
	if (port == 0)
		return fault_set(fault, STATUS_VALUE, 0, "port '0' is only valid with -l");
	unsigned char bit = (unsigned char)(1U << port % 8);
	if ((ports->seen[port / 8] & bit) != 0)
		return true;
	/* Room for all; the pages that are not used cost no memory. */
	if (ports->list == NULL)
		ports->list = malloc(UINT16_MAX * sizeof *ports->list);
	if (ports->list == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "ports");
	ports->seen[port / 8] |= bit;
	ports->list[ports->count++] = (uint16_t)port;
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
			ports_append(ports, endpoint.port, fault);
	case PARSE_RANGE:
		return fault_set(
			fault, STATUS_VALUE, 0, "invalid ports '%s': expected 1 to 65535", text);
	case PARSE_OK:
		break;
	}
	if (first > last)
		return fault_set(fault, STATUS_VALUE, 0,
			"ports '%s': the first is larger than the last", text);
	for (uint64_t port = first; port <= last; port++)
		if (!ports_append(ports, (uint32_t)port, fault))
			return false;
	return true;
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
	ports->list = NULL;
	ports->count = 0;
}
