/* Endpoints as one argument; see endpoint_uri.h. */
#include "net/endpoint_uri.h"

#include <string.h>

static const struct {
	const char *prefix;
	enum endpoint_uri_scheme scheme;
	bool port; /* host and port follow */
} endpoint_uri_schemes[] = {
	{ "tcp://", ENDPOINT_URI_TCP, true },
	{ "tls://", ENDPOINT_URI_TLS, true },
	{ "udp://", ENDPOINT_URI_UDP, true },
	{ "dtls://", ENDPOINT_URI_DTLS, true },
	{ "unix:", ENDPOINT_URI_UNIX, false },
	{ "vsock://", ENDPOINT_URI_VSOCK, true },
	{ "fd://", ENDPOINT_URI_FD, false },
};

bool
endpoint_uri_is_likely(const char *text)
{
	return strchr(text, ':') != NULL;
}

bool
endpoint_uri_has_scheme(const char *text)
{
	size_t length = strspn(text,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789+-.");
	return strncmp(text, "unix:", 5) == 0 ||
		(length > 0 && strncmp(text + length, "://", 3) == 0);
}

/* Reports a missing host or port; a number alone is the port. */
static bool
endpoint_uri_lacks(const struct endpoint_uri *uri, const char *text, struct fault *fault)
{
	const char *digits = "0123456789";
	if (strchr(text, '/') != NULL)
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint '%s%s': not host and port; a path is written unix:/path",
			uri->prefix, text);
	if (uri->scheme != ENDPOINT_URI_VSOCK && text[0] != '\0' &&
		text[strspn(text, digits)] == '\0')
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint '%s%s': missing host, as in %slocalhost:%s", uri->prefix, text,
			uri->prefix, text);
	if (text[0] == '\0')
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint '%s': missing host and port, as in %slocalhost:80", uri->prefix,
			uri->prefix);
	return fault_set(fault, STATUS_VALUE, 0, "endpoint '%s%s': missing port, as in %s%s:80",
		uri->prefix, text, uri->prefix, text);
}

/* Reports a second colon: the slashes of a scheme are missing, or the brackets of an address. */
static bool
endpoint_uri_colons(
	const struct endpoint_uri *uri, const char *text, size_t first, struct fault *fault)
{
	for (size_t i = 0; i < sizeof endpoint_uri_schemes / sizeof endpoint_uri_schemes[0]; i++)
		if (uri->scheme == ENDPOINT_URI_PLAIN &&
			strncmp(text, endpoint_uri_schemes[i].prefix, first + 1) == 0)
			return fault_set(fault, STATUS_VALUE, 0,
				"endpoint '%s': missing '//' after '%.*s'", text, (int)first + 1,
				text);
	return fault_set(fault, STATUS_VALUE, 0,
		"endpoint '%s%s': an IPv6 address requires brackets, as in [::1]:80", uri->prefix,
		text);
}

/* Splits host and port at the last colon. */
static bool
endpoint_uri_split_port(struct endpoint_uri *uri, char *text, bool any, struct fault *fault)
{
	char *end = text[0] == '[' ? strchr(text, ']') : NULL;
	char *colon = strchr(end != NULL ? end : text, ':');
	uri->host = text;
	if (text[0] == '[' && end == NULL)
		return fault_set(
			fault, STATUS_VALUE, 0, "endpoint '%s%s': missing ']'", uri->prefix, text);
	if (end != NULL && end[1] != ':' && end[1] != '\0')
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint '%s%s': expected ':' and the port after the ']'", uri->prefix,
			text);
	if (colon == NULL)
		return endpoint_uri_lacks(uri, text, fault);
	if (end == NULL && strchr(colon + 1, ':') != NULL)
		return endpoint_uri_colons(uri, text, (size_t)(colon - text), fault);
	if (colon == text && !any)
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint '%s%s': missing host, as in %slocalhost%s", uri->prefix, text,
			uri->prefix, text);
	if (colon == text)
		uri->host = NULL;
	*colon = '\0';
	uri->port = colon + 1;
	return true;
}

bool
endpoint_uri_split(struct endpoint_uri *uri, char *text, bool any, struct fault *fault)
{
	*uri = (struct endpoint_uri){ .scheme = ENDPOINT_URI_PLAIN, .prefix = "" };
	for (size_t i = 0; i < sizeof endpoint_uri_schemes / sizeof endpoint_uri_schemes[0]; i++) {
		size_t length = strlen(endpoint_uri_schemes[i].prefix);
		if (strncmp(text, endpoint_uri_schemes[i].prefix, length) != 0)
			continue;
		uri->scheme = endpoint_uri_schemes[i].scheme;
		uri->prefix = endpoint_uri_schemes[i].prefix;
		uri->host = text + length;
		if (!endpoint_uri_schemes[i].port)
			return true;
		text += length;
		break;
	}
	const char *at = strrchr(text, '@');
	if (at != NULL)
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint '%s...%s': a user name or password is not allowed here",
			uri->prefix, at);
	if (uri->scheme == ENDPOINT_URI_PLAIN && endpoint_uri_has_scheme(text))
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint '%s': unknown scheme (expected tcp://, tls://, udp://, dtls://, "
			"unix:, vsock:// or fd://)",
			text);
	return endpoint_uri_split_port(uri, text, any, fault);
}
