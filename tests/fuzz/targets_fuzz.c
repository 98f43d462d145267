/*
 * Fuzzes what to probe, one target a line: a text is rejected with status 3, or has a number of
 * probes within the limits, ports that are none twice, and addresses in its network.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void
targets_fuzz_check_ports(const struct ports *ports)
{
	static unsigned char seen[UINT16_MAX + 1];
	memset(seen, 0, sizeof seen);
	for (size_t i = 0; i < ports->count; i++) {
		if (ports->list[i] == 0 || seen[ports->list[i]]++ != 0)
			abort();
		bool in_range = false;
		for (size_t j = 0; j < ports->range_count; j++)
			in_range |= ports->list[i] >= ports->ranges[j].first &&
				ports->list[i] <= ports->ranges[j].last;
		if (!in_range && !ports_is_single(ports, ports->list[i]))
			abort();
	}
}

static void
targets_fuzz_check_network(const struct target *target, uint64_t i)
{
	struct address address = targets_address(target, i);
	struct cidr one;
	if (!cidr_from(&one, &address) || !cidr_contains(&target->network, &one))
		abort();
}

static void
targets_fuzz_check(const struct target *target)
{
	uint64_t hosts = targets_hosts(target);
	if (target->transport == NULL || target->endpoint.host == NULL || hosts == 0 ||
		hosts > TARGETS_HOSTS)
		abort();
	targets_fuzz_check_ports(&target->ports);
	if (target->network.size == 0)
		return;
	targets_fuzz_check_network(target, 0);
	targets_fuzz_check_network(target, hosts / 2);
	targets_fuzz_check_network(target, hosts - 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const struct targets_rules rules = { transport_find(TRANSPORT_INET, false, false, -1),
		AF_UNSPEC, NULL, false };
	struct targets targets = { .list = NULL };
	struct fault fault = FAULT_NONE;
	char *text = malloc(n + 1);
	if (text == NULL)
		abort();
	if (n > 0)
		memcpy(text, bytes, n);
	text[n] = '\0';
	bool good = true;
	for (char *line = text, *rest = NULL; good; line = NULL) {
		line = strtok_r(line, "\n", &rest);
		if (line == NULL)
			break;
		(void)targets_is_word(line);
		good = targets_add(&targets, line, &rules, &fault);
		if (good)
			targets_fuzz_check(&targets.list[targets.count - 1]);
	}
	good = good && targets_check(&targets, &fault);
	if (good == fault_is_set(&fault) ||
		(!good && fault.status != STATUS_VALUE && fault.status != STATUS_MISSING))
		abort();
	fault_clear(&fault);
	targets_close(&targets);
	free(text);
	return 0;
}
