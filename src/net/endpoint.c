/* Endpoints; see endpoint.h. */
#include "net/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "sys/sys.h"

/* RFC 1035, 2.3.4: 255 octets with the lengths, that is 253 characters and a final dot. */
#define ENDPOINT_NAME_MAX 254

static bool
endpoint_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
endpoint_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether the last label is a number in a notation that a resolver may take for an address. */
static bool
endpoint_looks_numeric(const char *name)
{
	size_t end = strlen(name);
	if (end > 0 && name[end - 1] == '.')
		end--;
	size_t start = end;
	while (start > 0 && name[start - 1] != '.')
		start--;
	if (end - start >= 2 && name[start] == '0' && (name[start + 1] | 0x20) == 'x') {
		start += 2;
		while (start < end && strchr("0123456789abcdefABCDEF", name[start]) != NULL)
			start++;
		return start == end;
	}
	size_t digits = start;
	while (digits < end && endpoint_is_digit(name[digits]))
		digits++;
	return digits == end && end > start;
}

/* Why a host name is invalid; NULL: it is valid. */
static const char *
endpoint_name_fault(const char *name)
{
	char last = '.';
	if (strlen(name) > ENDPOINT_NAME_MAX)
		return "the name is longer than 254 characters";
	for (const char *at = name; *at != '\0'; at++) {
		if ((unsigned char)*at >= 0x80)
			return "the name is not ASCII; write its xn-- form";
		if (!endpoint_is_digit(*at) && !endpoint_is_letter(*at) &&
			strchr("-_.", *at) == NULL)
			return "invalid character in the name";
		if (*at == '-' && last == '.')
			return "a part of the name begins with '-'";
		if (*at == '.' && last == '.')
			return "a part of the name is empty";
		last = *at;
	}
	return NULL;
}

/* Why an IPv6 address, optionally with the name or number of an interface, is invalid; NULL: it is
 * valid. */
static const char *
endpoint_ipv6_fault(const char *host)
{
	char bare[INET6_ADDRSTRLEN];
	struct in6_addr address;
	uint64_t number;
	size_t length = strcspn(host, "%");
	if (length >= sizeof bare)
		return "not an IPv6 address";
	memcpy(bare, host, length);
	bare[length] = '\0';
	if (inet_pton(AF_INET6, bare, &address) != 1)
		return "not an IPv6 address";
	if (host[length] == '\0')
		return IN6_IS_ADDR_LINKLOCAL(&address)
			? "a link-local address requires an interface, as in fe80::1%eth0"
			: NULL;
	if (!IN6_IS_ADDR_LINKLOCAL(&address) && !IN6_IS_ADDR_MC_LINKLOCAL(&address))
		return "only a link-local address can have an interface";
	const char *scope = host + length + 1;
	char name[IF_NAMESIZE];
	bool exists = parse_count(scope, UINT32_MAX, &number) == PARSE_OK
		? if_indextoname((unsigned)number, name) != NULL
		: if_nametoindex(scope) != 0;
	if (!exists)
		return "no such interface";
	return NULL;
}

bool
endpoint_set_host(struct endpoint *endpoint, char *host, bool numeric_only, struct fault *fault)
{
	struct in_addr ipv4;
	size_t length = strlen(host);
	const char *wrong = NULL;
	const char *at = strrchr(host, '@');
	/* The part before it may be a password: do not show it. */
	if (at != NULL)
		return fault_set(fault, STATUS_VALUE, 0,
			"host '...%s': a user name or password is not allowed here", at);
	endpoint->numeric = true;
	if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		host++;
		wrong = endpoint_ipv6_fault(host);
	} else if (length == 0) {
		wrong = "must not be empty";
	} else if (strchr(host, ':') != NULL) {
		wrong = endpoint_ipv6_fault(host);
	} else if (inet_pton(AF_INET, host, &ipv4) != 1) {
		endpoint->numeric = false;
		wrong = endpoint_name_fault(host);
		if (wrong == NULL && endpoint_looks_numeric(host))
			wrong = "an IPv4 address is four decimal numbers from 0 to 255";
		if (wrong == NULL && numeric_only)
			wrong = "expected an address, not a name";
	}
	if (wrong == NULL && endpoint->numeric && endpoint->family != AF_UNSPEC &&
		endpoint->family != (strchr(host, ':') != NULL ? AF_INET6 : AF_INET))
		wrong = "an address of the other family";
	endpoint->host = host;
	return wrong == NULL || fault_set(fault, STATUS_VALUE, 0, "host '%s': %s", host, wrong);
}

/* The length of a name without a final dot. */
static size_t
endpoint_name_length(const char *name)
{
	size_t length = strlen(name);
	return length > 0 && name[length - 1] == '.' ? length - 1 : length;
}

bool
endpoint_is_below(const char *name, const char *domain)
{
	size_t length = endpoint_name_length(name), size = endpoint_name_length(domain);
	if (size == 0 || length < size || strncasecmp(name + length - size, domain, size) != 0)
		return false;
	return length == size || name[length - size - 1] == '.';
}

const char *
endpoint_public(const char *text)
{
	const char *at = strrchr(text, '@');
	return at != NULL ? at : text;
}

bool
endpoint_set_port(struct endpoint *endpoint, const char *port, const struct transport *transport,
	struct fault *fault)
{
	uint64_t number;
	switch (parse_count(port, UINT16_MAX, &number)) {
	case PARSE_OK:
		endpoint->port = (uint32_t)number;
		return true;
	case PARSE_RANGE:
		return fault_set(
			fault, STATUS_VALUE, 0, "invalid port '%s': expected 0 to 65535", port);
	case PARSE_BAD:
		break;
	}
	/* Require a letter, so that "80x" and "-1" are not looked up as service names. */
	const struct servent *service = NULL;
	if (endpoint_is_letter(port[0]))
		service = getservbyname(port, transport->type == SOCK_DGRAM ? "udp" : "tcp");
	if (service == NULL)
		return fault_set(fault, STATUS_VALUE, 0,
			"port '%s': neither a number from 0 to 65535 nor a known service",
			endpoint_public(port));
	endpoint->port = ntohs((uint16_t)service->s_port);
	return true;
}

bool
endpoint_set_path(struct endpoint *endpoint, const char *path, struct fault *fault)
{
	struct sockaddr_un address;
	size_t length = strlen(path), max = sizeof address.sun_path - 1;
	endpoint->host = path;
	if (length == 0 || (length == 1 && path[0] == '@'))
		return fault_set(fault, STATUS_VALUE, 0, "path '%s': must not be empty", path);
	/* The '@' of an abstract name stands for the leading NUL; it has no terminating NUL. */
	if (path[0] == '@' ? length > max + 1 : length > max)
		return fault_set(fault, STATUS_VALUE, 0,
			"path '%s': %zu bytes, a socket's path has at most %zu", path, length, max);
	return true;
}

bool
endpoint_set_vsock(
	struct endpoint *endpoint, const char *cid, const char *port, struct fault *fault)
{
	uint64_t value = UINT32_MAX;
	endpoint->host = cid;
	/* No context ID: VMADDR_CID_ANY. */
	if (cid != NULL && parse_count(cid, UINT32_MAX, &value) != PARSE_OK)
		return fault_set(fault, STATUS_VALUE, 0,
			"context '%s': expected a number from 0 to 4294967295",
			endpoint_public(cid));
	endpoint->cid = (uint32_t)value;
	if (parse_count(port, UINT32_MAX, &value) != PARSE_OK)
		return fault_set(fault, STATUS_VALUE, 0,
			"port '%s': expected a number from 0 to 4294967295", endpoint_public(port));
	endpoint->port = (uint32_t)value;
	return true;
}

/* Returns malloc'd text. */
static char *
endpoint_join(const char *host, uint32_t port)
{
	bool brackets = strchr(host, ':') != NULL;
	size_t size = strlen(host) + sizeof "[]:4294967295";
	char *text = malloc(size);
	if (text != NULL)
		(void)snprintf(text, size, brackets ? "[%s]:%" PRIu32 : "%s:%" PRIu32, host, port);
	return text;
}

char *
endpoint_print(const struct endpoint *endpoint)
{
	if (endpoint->names == TRANSPORT_UNIX)
		return strdup(endpoint->host);
	return endpoint_join(endpoint->host != NULL ? endpoint->host : "*", endpoint->port);
}

bool
endpoint_address(const struct endpoint *endpoint, struct address *address)
{
	if (endpoint->names == TRANSPORT_VSOCK)
		return sys_vsock_address(
			endpoint->cid, endpoint->port, &address->storage, &address->length);
	size_t length = strlen(endpoint->host);
	bool abstract = endpoint->host[0] == '@';
	*address = (struct address){ .local = { .sun_family = AF_UNIX } };
	if (length > sizeof address->local.sun_path - !abstract) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(address->local.sun_path, endpoint->host, length);
	if (abstract)
		address->local.sun_path[0] = '\0';
	address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + !abstract);
	return true;
}

/* The name of a Unix socket: a path, an abstract name with '@' for each NUL, or "(unnamed)". */
static char *
address_print_unix(const struct address *address)
{
	const char *path = address->local.sun_path;
	size_t offset = offsetof(struct sockaddr_un, sun_path);
	size_t length = address->length > offset ? address->length - offset : 0;
	char *text = malloc(length + sizeof "(unnamed)");
	if (text == NULL)
		return NULL;
	if (length == 0) {
		memcpy(text, "(unnamed)", sizeof "(unnamed)");
	} else {
		bool abstract = path[0] == '\0';
		length = abstract ? length : strnlen(path, length);
		for (size_t i = 0; i < length; i++)
			text[i] = path[i] == '\0' ? '@' : path[i];
		text[length] = '\0';
	}
	return text;
}

char *
address_print(const struct address *address)
{
	char host[NI_MAXHOST];
	uint32_t cid, port;
	/* Length 0: an unbound sender; the family is not set. */
	if (address->any.sa_family == AF_UNIX || address->length == 0)
		return address_print_unix(address);
	if (sys_vsock_parts(&address->storage, &cid, &port)) {
		(void)snprintf(host, sizeof host, "%" PRIu32, cid);
		return endpoint_join(host, port);
	}
	if (getnameinfo(&address->any, address->length, host, sizeof host, NULL, 0,
		    NI_NUMERICHOST) != 0)
		return strdup("?");
	return address_port(address) == 0 ? strdup(host)
					  : endpoint_join(host, address_port(address));
}
