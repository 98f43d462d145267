/* Proxies to connect through; see proxy.h. */
#include "net/proxy.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "frame/hex.h"
#include "net/http_proxy.h"
#include "net/noproxy.h"
#include "net/socks.h"

static const struct proxy_kind proxy_kinds[] = {
	{ "socks5", &socks_v5_protocol, 1080, true, false, AF_UNSPEC },
	{ "socks5h", &socks_v5_protocol, 1080, false, false, AF_UNSPEC },
	{ "socks4", &socks_v4_protocol, 1080, true, false, AF_INET },
	{ "socks4a", &socks_v4_protocol, 1080, false, false, AF_INET },
	{ "http", &http_proxy_protocol, 3128, false, false, AF_UNSPEC },
	{ "https", &http_proxy_protocol, 443, false, true, AF_UNSPEC },
};

#define PROXY_SCHEMES "socks5://, socks5h://, socks4://, socks4a://, http:// or https://"

/* A message about a proxy, whose user and password are not shown. */
static bool
proxy_fault(const char *text, const char *cause, struct fault *fault)
{
	const char *public = endpoint_public(text);
	return fault_set(fault, STATUS_VALUE, 0, "invalid proxy '%s%s': %s",
		public != text ? "..." : "", public, cause);
}

static const struct proxy_kind *
proxy_kind_find(const char *scheme, size_t length)
{
	for (size_t i = 0; i < sizeof proxy_kinds / sizeof proxy_kinds[0]; i++)
		if (strlen(proxy_kinds[i].scheme) == length &&
			strncmp(proxy_kinds[i].scheme, scheme, length) == 0)
			return &proxy_kinds[i];
	return NULL;
}

/* Replaces %XX by its byte, in place; other '%' stay. False: it is a NUL, which cannot be sent. */
static bool
proxy_decode(char *text)
{
	char *out = text;
	while (*text != '\0') {
		unsigned char byte = (unsigned char)*text;
		if (*text == '%' && hex_read(text + 1, 1, &byte))
			text += 2;
		if (byte == 0)
			return false;
		*out++ = (char)byte;
		text++;
	}
	*out = '\0';
	return true;
}

/* Cuts the user and password off, and decodes them; returns the rest. NULL and a fault: they are
 * not allowed. */
static char *
proxy_cut_user(struct proxy *proxy, char *rest, const char *text, const struct proxy_rules *rules,
	struct fault *fault)
{
	char *at = strrchr(rest, '@');
	if (at == NULL)
		return rest;
	*at = '\0';
	char *colon = strchr(rest, ':');
	if (colon != NULL && !rules->secret) {
		(void)proxy_fault(text,
			"a password in an argument can be seen by others; "
			"use SOCKCAT_PROXY_AUTH or --proxy-auth-file",
			fault);
		return NULL;
	}
	if (colon != NULL) {
		*colon = '\0';
		proxy->password = colon + 1;
	}
	proxy->user = rest;
	if (!proxy_decode(rest) || (colon != NULL && !proxy_decode(colon + 1))) {
		(void)proxy_fault(text, "the user name or password contains a NUL (%00)", fault);
		return NULL;
	}
	if (strlen(rest) > HANDSHAKE_SECRET_MAX ||
		(colon != NULL && strlen(proxy->password) > HANDSHAKE_SECRET_MAX)) {
		(void)proxy_fault(text, "the user name or password is too long", fault);
		return NULL;
	}
	return at + 1;
}

/* Cuts the port off, which is the text after the last colon, outside of brackets. */
static char *
proxy_cut_port(char *rest)
{
	char *end = rest[0] == '[' ? strchr(rest, ']') : NULL;
	char *colon = strchr(end != NULL ? end : rest, ':');
	if (colon == NULL || (end == NULL && strchr(colon + 1, ':') != NULL))
		return NULL;
	*colon = '\0';
	return colon + 1;
}

/* Parses proxy->text. */
static bool
proxy_parse(
	struct proxy *proxy, const char *text, const struct proxy_rules *rules, struct fault *fault)
{
	const struct transport *tcp = transport_find(TRANSPORT_INET, false, false, -1);
	struct fault cause = FAULT_NONE;
	char *rest = proxy->text, *scheme = strstr(rest, "://");
	proxy->kind = scheme != NULL ? proxy_kind_find(rest, (size_t)(scheme - rest))
				     : proxy_kind_find(rules->kind, strlen(rules->kind));
	if (proxy->kind == NULL)
		return proxy_fault(text, "unknown scheme (expected " PROXY_SCHEMES ")", fault);
	proxy->resolves = proxy->kind->resolves;
	rest = proxy_cut_user(proxy, scheme != NULL ? scheme + 3 : rest, text, rules, fault);
	if (rest == NULL)
		return false;
	size_t length = strlen(rest);
	if (scheme != NULL && length > 0 && rest[length - 1] == '/')
		rest[length - 1] = '\0';
	char *port = proxy_cut_port(rest);
	proxy->endpoint = (struct endpoint){ .names = TRANSPORT_INET,
		.family = rules->family,
		.port = proxy->kind->port,
		.proxy = true };
	if (endpoint_set_host(&proxy->endpoint, rest, hosts_refuse(rules->hosts, rest), &cause) &&
		port != NULL)
		(void)endpoint_set_port(&proxy->endpoint, port, tcp, &cause);
	if (!fault_is_set(&cause) && proxy->endpoint.port == 0)
		(void)fault_set(&cause, STATUS_VALUE, 0, "port '0' is only valid for listening");
	if (!fault_is_set(&cause))
		return true;
	(void)proxy_fault(text, cause.text != NULL ? cause.text : "", fault);
	fault_clear(&cause);
	return false;
}

bool
proxy_add(struct proxy_chain *chain, const char *text, const struct proxy_rules *rules,
	struct fault *fault)
{
	struct proxy *list = realloc(chain->list, (chain->count + 1) * sizeof *list);
	if (list == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "--proxy");
	chain->list = list;
	struct proxy *proxy = &list[chain->count++];
	*proxy = (struct proxy){ .text = strdup(text) };
	if (proxy->text == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "--proxy");
	if (!proxy_parse(proxy, text, rules, fault))
		return false;
	proxy->name = endpoint_print(&proxy->endpoint);
	return proxy->name != NULL || fault_set(fault, STATUS_MEMORY, ENOMEM, "--proxy");
}

/* Whether it is "NAME: VALUE", of characters that no recipient takes for the end of the field. */
static bool
proxy_is_field(const char *text)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t name = strspn(text, token);
	if (name == 0 || text[name] != ':')
		return false;
	while (*text != '\0' && (*text == '\t' || !iscntrl((unsigned char)*text)))
		text++;
	return *text == '\0';
}

bool
proxy_add_field(struct proxy_chain *chain, const char *text, struct fault *fault)
{
	if (!proxy_is_field(text))
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --proxy-header '%s': expected NAME: VALUE", text);
	const char **fields = realloc(chain->fields, (chain->field_count + 1) * sizeof *fields);
	if (fields == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "--proxy-header");
	chain->fields = fields;
	chain->fields[chain->field_count++] = text;
	return true;
}

bool
proxy_add_exceptions(struct proxy_chain *chain, const char *list, bool lenient, struct fault *fault)
{
	struct endpoint none = { .host = "" };
	struct proxy_exceptions *lists =
		realloc(chain->exceptions, (chain->exception_count + 1) * sizeof *lists);
	if (lists == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "--noproxy");
	chain->exceptions = lists;
	lists[chain->exception_count++] =
		(struct proxy_exceptions){ .list = list, .lenient = lenient };
	return noproxy_find(list, &none, lenient, fault);
}

bool
proxy_except(const struct proxy_chain *chain, struct endpoint *target, struct fault *fault)
{
	bool good = true;
	for (size_t i = 0; good && i < chain->exception_count; i++)
		good = noproxy_find(
			chain->exceptions[i].list, target, chain->exceptions[i].lenient, fault);
	return good;
}

bool
proxy_chain_is_secure(const struct proxy_chain *chain)
{
	bool secure = false;
	for (size_t i = 0; i < chain->count; i++)
		secure |= chain->list[i].kind->secure;
	return secure;
}

void
proxy_close(struct proxy_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++) {
		free(chain->list[i].text);
		free(chain->list[i].name);
	}
	free(chain->list);
	free(chain->logins);
	free(chain->fields);
	free(chain->exceptions);
	tls_free(chain->tls);
	*chain = (struct proxy_chain){ .list = NULL };
}
