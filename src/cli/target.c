/* The option --to; see command.h. */
#include "cli/command.h"

#include "net/endpoint_uri.h"

static bool
target_set(struct config_to *to, const struct endpoint_uri *uri, const struct hosts *hosts,
	struct fault *fault)
{
	struct endpoint *endpoint = &to->endpoint;
	enum transport_names names = uri->scheme == ENDPOINT_URI_UNIX ? TRANSPORT_UNIX
		: uri->scheme == ENDPOINT_URI_VSOCK                   ? TRANSPORT_VSOCK
								      : TRANSPORT_INET;
	bool datagrams = uri->scheme == ENDPOINT_URI_UDP || uri->scheme == ENDPOINT_URI_DTLS;
	to->transport = transport_find(names, datagrams, false, -1);
	endpoint->names = names;
	if (names == TRANSPORT_UNIX)
		return endpoint_set_path(endpoint, uri->host, fault);
	if (names == TRANSPORT_VSOCK)
		return endpoint_set_vsock(endpoint, uri->host, uri->port, fault);
	if (!endpoint_set_host(endpoint, uri->host, hosts_refuse(hosts, uri->host), fault) ||
		!endpoint_set_port(endpoint, uri->port, to->transport, fault))
		return false;
	return endpoint->port > 0 ||
		fault_set(fault, STATUS_VALUE, 0, "port '0' is only valid for listening");
}

bool
target_config(struct config *config, const struct options *options, struct fault *fault)
{
	char *text = (char *)(uintptr_t)options->text[OPTION_to];
	struct endpoint_uri uri;
	if (text == NULL)
		return true;
	if (!endpoint_uri_split(&uri, text, false, fault))
		return false;
	if (uri.scheme == ENDPOINT_URI_FD)
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --to 'fd://%s': expected an address", uri.host);
	config->to.secure = uri.scheme == ENDPOINT_URI_TLS || uri.scheme == ENDPOINT_URI_DTLS;
	return target_set(&config->to, &uri, &config->hosts, fault);
}
