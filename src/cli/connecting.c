/* Options about connecting; see command.h. */
#include "cli/command.h"

#include "base/clock.h"
#include "base/parse.h"

/* A number of retries, or the time during which they start. */
static bool
connecting_parse_retry(struct retry_config *retry, const char *text, struct fault *fault)
{
	*retry = (struct retry_config){ .most = UINT64_MAX, .span = CLOCK_NEVER };
	return text == NULL || parse_count(text, UINT64_MAX, &retry->most) == PARSE_OK ||
		parse_time(text, &retry->span) == PARSE_OK ||
		fault_set(fault, STATUS_VALUE, 0,
			"invalid --retry '%s': expected a number, or a time with a unit such as "
			"500ms, 30s or 5m",
			text);
}

bool
connecting_config(struct config *config, const struct options *options, struct fault *fault)
{
	if (!options_has(options, OPTION_retry))
		return true;
	if (options_has(options, OPTION_listen) && !options_has(options, OPTION_to) &&
		!options_has(options, OPTION_proxy_server))
		return fault_set(
			fault, STATUS_USAGE, 0, "--retry with -l requires --to or --proxy-server");
	if (!connecting_parse_retry(&config->retry, options->text[OPTION_retry], fault))
		return false;
	config->retry.delay = times_option(options, OPTION_retry_delay, 0);
	return true;
}

bool
connecting_hosts(struct config *config, const struct options *options, struct fault *fault)
{
	config->hosts.only = options_has(options, OPTION_nodns);
	for (size_t i = 0; i < options->given_count; i++)
		if (options->given[i].option == OPTION_resolve &&
			!hosts_add(&config->hosts, options->given[i].text, fault))
			return false;
	return true;
}
