/* Options of a proxy server; see command.h. */
#include "cli/command.h"

#include <string.h>

/* The words of --proxy-server, and first those of --proxy-type in the order of its row. */
static const struct {
	const char *word;
	unsigned protocol;
	bool datagrams; /* relayed for clients of SOCKS5 */
} serve_proxy_rows[] = { { "http", PROXY_REQUEST_HTTP, false },
	{ "socks4", PROXY_REQUEST_SOCKS4, false }, { "socks5", PROXY_REQUEST_SOCKS5, false },
	{ "udp", 0, true } };
#define SERVE_PROXY_ROWS (sizeof serve_proxy_rows / sizeof serve_proxy_rows[0])

/* Adds the protocols of a list. */
static bool
serve_proxy_add(struct proxy_server_config *server, const char *text, struct fault *fault)
{
	const char *at = text;
	for (size_t n = 0;; at += n + 1) {
		size_t i = 0;
		n = strcspn(at, ",");
		while (i < SERVE_PROXY_ROWS &&
			(strlen(serve_proxy_rows[i].word) != n ||
				strncmp(serve_proxy_rows[i].word, at, n) != 0))
			i++;
		if (i == SERVE_PROXY_ROWS)
			return fault_set(fault, STATUS_VALUE, 0,
				"invalid --proxy-server '%s': expected a list of http, socks4, "
				"socks5 and udp",
				text);
		server->protocols |= serve_proxy_rows[i].protocol;
		server->datagrams |= serve_proxy_rows[i].datagrams;
		if (at[n] == '\0')
			return true;
	}
}

/* Checks what relaying datagrams needs. */
static bool
serve_proxy_check_datagrams(const struct proxy_server_config *server, const struct options *options,
	struct fault *fault)
{
	const char *list = options->text[OPTION_proxy_server];
	if (!server->datagrams)
		return true;
	if ((server->protocols & PROXY_REQUEST_SOCKS5) == 0)
		return fault_set(
			fault, STATUS_USAGE, 0, "--proxy-server '%s': udp requires socks5", list);
	return (!options_has(options, OPTION_proxy) && !options_has(options, OPTION_nc_proxy)) ||
		fault_set(fault, STATUS_USAGE, 0, "--proxy-server '%s': udp conflicts with --proxy",
			list);
}

static bool
serve_proxy_users(struct proxy_server_config *server, const char *path, struct fault *fault)
{
	if (path == NULL)
		return true;
	if (server->protocols == PROXY_REQUEST_SOCKS4)
		return fault_set(fault, STATUS_USAGE, 0,
			"--proxy-auth-file requires http or socks5: socks4 has no passwords");
	return proxy_users_read(&server->users, path, fault);
}

void
serve_proxy_imply(struct options *options)
{
	if (options_has(options, OPTION_listen) && options_has(options, OPTION_proxy_type) &&
		!options_has(options, OPTION_proxy))
		options_imply(options, OPTION_proxy_server, "--proxy-type");
}

bool
serve_proxy_config(struct config *config, const struct options *options, struct fault *fault)
{
	struct proxy_server_config *server = &config->proxy_server;
	const char *list = options->text[OPTION_proxy_server];
	if (!options_has(options, OPTION_proxy_server))
		return true;
	if (list == NULL)
		list = serve_proxy_rows[options->value[OPTION_proxy_type]].word;
	server->numeric = options_has(options, OPTION_nodns);
	config->to.transport = transport_find(TRANSPORT_INET, false, false, -1);
	if (!serve_proxy_add(server, list, fault) ||
		!serve_proxy_check_datagrams(server, options, fault) ||
		!serve_proxy_users(server, options->text[OPTION_proxy_auth_file], fault))
		return false;
	for (size_t i = 0; i < options->given_count; i++) {
		const struct option_given *given = &options->given[i];
		if ((given->option == OPTION_allow_dest || given->option == OPTION_deny_dest) &&
			!destinations_add(&server->destinations,
				given->option == OPTION_allow_dest ? DESTINATIONS_ALLOW
								   : DESTINATIONS_DENY,
				given->text, fault))
			return false;
	}
	return true;
}
