/*
 * Endpoints: host and port, a Unix socket's path, a virtual machine's port. Parsed and checked
 * before anything uses them; printed for messages.
 */
#ifndef SOCKCAT_NET_ENDPOINT_H
#define SOCKCAT_NET_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "base/hash.h"
#include "net/transport.h"

/* Where something is, as the user says it. */
struct endpoint {
	enum transport_names names;
	int family;       /* AF_UNSPEC, AF_INET or AF_INET6: which addresses of the host count */
	const char *host; /* not owned: name, address, path; NULL: any address, no local address */
	bool numeric;     /* host is an address, not a name */
	uint32_t port;
	uint32_t cid; /* vsock */
};

/* A socket address of any family. */
struct address {
	struct sockaddr_storage storage;
	socklen_t length; /* 0: none */
};

/*
 * A host: a name of letters, digits, '-', '_' and '.', an IPv4 address as four decimal numbers, an
 * IPv6 address, which may stand in brackets (they are cut off) and have a scope (fe80::1%eth0).
 * Other ways to write numbers (127.1, 0x7f.1, 0177.0.0.1) are refused, since programs read them
 * differently. `numeric_only`: no names. An address has to be of the endpoint's family. Status 3.
 */
bool endpoint_set_host(
	struct endpoint *endpoint, char *host, bool numeric_only, struct fault *fault);

/* What of a text may be shown: all of it, or what follows its last '@'; before that may stand a
 * password that somebody has put in the wrong place. */
const char *endpoint_public(const char *text);

/* A port: 0 … 65535 or a service name (services(5)) of the transport. Status 3. */
bool endpoint_set_port(struct endpoint *endpoint, const char *port,
	const struct transport *transport, struct fault *fault);

/* A Unix socket: a path of 1 … 107 bytes, or '@' and an abstract name of 1 … 107. Status 3. */
bool endpoint_set_path(struct endpoint *endpoint, const char *path, struct fault *fault);

/* A virtual machine's context number and port, both 32 bits. Status 3. */
bool endpoint_set_vsock(
	struct endpoint *endpoint, const char *cid, const char *port, struct fault *fault);

/* "host:port", "[::1]:port", the path. To be freed; NULL if there is no memory. */
char *endpoint_print(const struct endpoint *endpoint);

/* The address of a Unix path or vsock endpoint. False with errno if this system has none. */
bool endpoint_address(const struct endpoint *endpoint, struct address *address);

/* An address as endpoint_print would show it. To be freed; NULL if there is no memory. */
char *address_print(const struct address *address);

/* The port of an IPv4 or IPv6 address, 0 for others. */
uint16_t address_port(const struct address *address);
void address_set_port(struct address *address, uint16_t port);

bool address_equal(const struct address *a, const struct address *b);

/* The same for equal ones. */
uint64_t address_hash(const struct address *address, const struct hash_key *key);

#endif
