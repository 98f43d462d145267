/* Options of the PROXY protocol; see command.h. */
#include "cli/command.h"

#include "net/endpoint_uri.h"

static const enum proxy_header_version headers_versions[] = { PROXY_HEADER_V1, PROXY_HEADER_V2,
	PROXY_HEADER_ANY };

/* An address with a port; without one it is 0. */
static bool
headers_source(struct config *config, const struct options *options, struct fault *fault)
{
	char *text = (char *)(uintptr_t)options->text[OPTION_proxy_source];
	struct endpoint endpoint = { .names = TRANSPORT_INET };
	struct endpoint_uri uri;
	struct resolve resolve;
	if (text == NULL)
		return true;
	if (!endpoint_uri_split(&uri, text, false, fault))
		return false;
	if (uri.scheme != ENDPOINT_URI_PLAIN)
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --proxy-source '%s': expected ADDRESS:PORT", text);
	if (!endpoint_set_host(&endpoint, uri.host, true, fault) ||
		!endpoint_set_port(&endpoint, uri.port, config->transport, fault))
		return false;
	bool found = resolve_start(&resolve, &endpoint, fault) == IO_OK;
	if (found)
		config->header.source = resolve.addresses[0];
	resolve_close(&resolve);
	return found;
}

/* Headers come before a stream of bytes. */
static bool
headers_check(const struct transport *transport, struct fault *fault)
{
	return (transport->connected && transport->message_max == 0) ||
		fault_set(fault, STATUS_USAGE, 0, "the PROXY protocol conflicts with %s messages",
			transport->name);
}

static bool
headers_send(struct config *config, const struct options *options, struct fault *fault)
{
	if (!options_has(options, OPTION_send_proxy))
		return true;
	enum proxy_header_version version = headers_versions[options->value[OPTION_send_proxy]];
	bool listens = options_has(options, OPTION_listen);
	if (listens && config->to.transport == NULL)
		return fault_set(fault, STATUS_USAGE, 0, "--send-proxy with -l requires --to");
	*(listens ? &config->header.forward : &config->header.send) = version;
	return headers_check(listens ? config->to.transport : config->transport, fault) &&
		headers_source(config, options, fault);
}

static bool
headers_accept(struct config *config, const struct options *options, struct fault *fault)
{
	if (!options_has(options, OPTION_accept_proxy))
		return true;
	config->header.accept = headers_versions[options->value[OPTION_accept_proxy]];
	for (size_t i = 0; i < options->given_count; i++)
		if (options->given[i].option == OPTION_proxy_from &&
			!proxy_trust_add(&config->header.trust, options->given[i].text, fault))
			return false;
	return headers_check(config->transport, fault);
}

bool
headers_config(struct config *config, const struct options *options, struct fault *fault)
{
	return headers_send(config, options, fault) && headers_accept(config, options, fault);
}
