/* Options of what tries again and again; see command.h. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "cli/command.h"
#include "mode/mode.h"

#define REPEAT_WAIT (250 * CLOCK_MILLISECOND)
#define REPEAT_PING CLOCK_SECOND

/* The value of --ping that implies --ssl. */
#define REPEAT_PING_TLS "tls"

/* The most targets to wait for: all are tried at the same time. */
#define REPEAT_TARGETS 500

static bool
repeat_wait(struct config_repeat *repeat, const char *text, struct fault *fault)
{
	if (text == NULL || (parse_time(text, &repeat->limit) == PARSE_OK && repeat->limit > 0))
		return true;
	return fault_set(fault, STATUS_VALUE, 0,
		"invalid --wait-for '%s': expected a time such as 2, 0.5, 500ms, 3m or 1m30s",
		text);
}

static bool
repeat_ping(struct config_repeat *repeat, const char *count, const char *loss, struct fault *fault)
{
	if (count != NULL && strcmp(count, REPEAT_PING_TLS) != 0 &&
		(parse_count(count, INT64_MAX, &repeat->tries) != PARSE_OK || repeat->tries == 0))
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --ping '%s': expected a number of tries, or tls", count);
	repeat->limits_loss = loss != NULL;
	if (loss != NULL && parse_percent(loss, &repeat->max_loss) != PARSE_OK)
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --max-loss '%s': expected a percentage from 0 to 100", loss);
	return true;
}

/* Whether there are not too many targets. */
static bool
repeat_targets(const struct targets *targets, bool waits, struct fault *fault)
{
	uint64_t count = 0;
	for (size_t i = 0; i < targets->count; i++) {
		if (targets->list[i].network.size > 0)
			return fault_set(fault, STATUS_USAGE, 0, "%s conflicts with networks",
				waits ? "--wait-for" : "--ping");
		count += targets_probes(&targets->list[i]);
	}
	if (!waits && count > 1)
		return fault_set(fault, STATUS_USAGE, 0, "--ping conflicts with several ports");
	return count <= REPEAT_TARGETS ||
		fault_set(fault, STATUS_VALUE, 0, "--wait-for: %" PRIu64 " ports are more than %d",
			count, REPEAT_TARGETS);
}

void
repeat_imply(struct options *options)
{
	const char *ping = options->text[OPTION_ping];
	if (options_has(options, OPTION_wait_for))
		options_imply(options, OPTION_probe, "--wait-for");
	if (options_has(options, OPTION_ping))
		options_imply(options, OPTION_probe, "--ping");
	if (ping != NULL && strcmp(ping, REPEAT_PING_TLS) == 0)
		options_imply(options, OPTION_ssl, "--ping=tls");
}

bool
repeat_config(struct config *config, const struct options *options, struct fault *fault)
{
	struct config_repeat *repeat = &config->repeat;
	bool waits = config->mode == &wait_mode;
	if (!waits && config->mode != &ping_mode)
		return true;
	repeat->interval =
		times_option(options, OPTION_interval, waits ? REPEAT_WAIT : REPEAT_PING);
	repeat->limit = CLOCK_NEVER;
	repeat->tries = UINT64_MAX;
	repeat->until_closed = options_has(options, OPTION_until_closed);
	if (config->listen_fds_count > 0)
		return fault_set(fault, STATUS_USAGE, 0, "'fd://' conflicts with %s",
			waits ? "--wait-for" : "--ping");
	if (!repeat_targets(&config->targets, waits, fault))
		return false;
	return repeat_wait(repeat, options->text[OPTION_wait_for], fault) &&
		repeat_ping(
			repeat, options->text[OPTION_ping], options->text[OPTION_max_loss], fault);
}
