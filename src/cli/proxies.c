/* Options about proxies; see command.h. */
#include "cli/command.h"

#include <string.h>
#include <strings.h>

/* The schemes of the words of --proxy-type and -X. */
static const char *const proxies_types[] = { "http", "socks4a", "socks5h" };
static const struct {
	const char *word, *scheme;
} proxies_nc_types[] = { { "5", "socks5h" }, { "4", "socks4" }, { "connect", "http" } };

/* The scheme of -X; NULL and a fault: there is none. */
static const char *
proxies_nc_type(const struct options *options, struct fault *fault)
{
	const char *word = options->text[OPTION_nc_proxy_type];
	for (size_t i = 0; i < sizeof proxies_nc_types / sizeof proxies_nc_types[0]; i++)
		if (word == NULL || strcasecmp(proxies_nc_types[i].word, word) == 0)
			return proxies_nc_types[i].scheme;
	(void)fault_set(fault, STATUS_VALUE, 0, "invalid -X '%s': expected 5, 4 or connect", word);
	return NULL;
}

/* Adds the proxies of the command line. */
static bool
proxies_add(struct config *config, const struct options *options, struct fault *fault)
{
	struct proxy_rules rules = {
		.family = config->endpoint.family,
		.numeric = options_has(options, OPTION_nodns),
	};
	for (size_t i = 0; i < options->given_count; i++) {
		const struct option_given *given = &options->given[i];
		if (given->option != OPTION_proxy && given->option != OPTION_nc_proxy)
			continue;
		rules.kind = given->option == OPTION_proxy
			? proxies_types[options->value[OPTION_proxy_type]]
			: proxies_nc_type(options, fault);
		if (rules.kind == NULL || !proxy_add(&config->proxies, given->text, &rules, fault))
			return false;
	}
	return true;
}

/* Whether the proxies can be asked for this target. */
static bool
proxies_check(const struct transport *transport, const struct endpoint *target,
	const struct options *options, struct fault *fault)
{
	if (!transport->tcp)
		return fault_set(fault, STATUS_USAGE, 0, "a proxy conflicts with --to %s",
			options->text[OPTION_to]);
	return !target->numeric || strchr(target->host, '%') == NULL ||
		fault_set(fault, STATUS_VALUE, 0,
			"host '%s': a proxy cannot be asked for an address with an interface",
			target->host);
}

bool
proxies_config(struct config *config, const struct options *options, struct fault *fault)
{
	bool listen = options_has(options, OPTION_listen), to = config->to.transport != NULL;
	if (!proxies_add(config, options, fault) || config->proxies.count == 0)
		return !fault_is_set(fault);
	if (listen && !to)
		return fault_set(fault, STATUS_USAGE, 0, "--proxy with -l requires --to");
	if (options_has(options, OPTION_proxy_dns))
		for (size_t i = 0; i < config->proxies.count; i++)
			config->proxies.list[i].resolves = options->value[OPTION_proxy_dns] == 0;
	/* Many proxies drop what arrives after a half-close. */
	if (!listen && config->end == CONFIG_END_AUTO) {
		config->end = CONFIG_END_KEEP;
		config->end_reason = "proxies may drop the reply to a half-close; -N: half-close";
	}
	return (listen || proxies_check(config->transport, &config->endpoint, options, fault)) &&
		(!to || proxies_check(config->to.transport, &config->to.endpoint, options, fault));
}
