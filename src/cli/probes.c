/* What is probed, and how; see command.h. */
#include "base/clock.h"
#include "cli/command.h"
#include "mode/mode.h"

/* HOST PORT..., where HOST may be a network. */
static bool
probes_add_host(struct config *config, const struct operands *operands,
	const struct targets_rules *rules, struct fault *fault)
{
	struct target *target = targets_grow(&config->targets, fault);
	if (target == NULL)
		return false;
	target->transport = rules->transport;
	target->secure = rules->secure;
	if (!targets_set_host(target, operands->host, rules, fault))
		return false;
	for (int i = 0; i < operands->port_count; i++)
		if (!ports_add(&target->ports, operands->ports[i], rules->transport, fault))
			return false;
	config->endpoint = target->endpoint;
	return true;
}

bool
probes_targets(struct config *config, const struct options *options,
	const struct operands *operands, struct fault *fault)
{
	const struct targets_rules rules = { config->transport, config->endpoint.family,
		&config->hosts, options_has(options, OPTION_ssl) };
	struct targets *targets = &config->targets;
	if (operands->targets == NULL && !probes_add_host(config, operands, &rules, fault))
		return false;
	for (int i = 0; i < operands->target_count; i++)
		if (!targets_add(targets, operands->targets[i], &rules, fault))
			return false;
	for (size_t i = 0; i < targets->count; i++) {
		struct ports *ports = &targets->list[i].ports;
		if (options_has(options, OPTION_random_ports))
			ports_shuffle(ports, (uint64_t)clock_now() + i);
		else if (!config->rules.ports_as_given)
			ports_sort(ports);
	}
	return targets_check(targets, fault);
}

bool
probes_config(struct config *config, const struct options *options, struct fault *fault)
{
	struct targets *targets = &config->targets;
	if (!options_has(options, OPTION_probe))
		return true;
	config->scan.parallel = (size_t)options->value[OPTION_parallel];
	config->scan.limit = times_option(options, OPTION_for_time, CLOCK_NEVER);
	config->scan.needs = options_has(options, OPTION_all)                ? CONFIG_NEEDS_ALL
		: options_has(options, OPTION_any) || config->rules.any_port ? CONFIG_NEEDS_ANY
									     : CONFIG_NEEDS_NAMED;
	/* A source address may determine the family. */
	for (size_t i = 0; i < targets->count; i++)
		if (!targets->list[i].endpoint.numeric)
			targets->list[i].endpoint.family = config->endpoint.family;
	if (targets->count > 0)
		return true;
	struct target *target = targets_grow(targets, fault);
	if (target == NULL)
		return false;
	target->transport = config->transport;
	target->endpoint = config->endpoint;
	target->secure = options_has(options, OPTION_ssl);
	return true;
}
