/*
 * Endpoints: host and port, the path of a Unix socket, the port of a virtual machine. Parsing,
 * validation, and printing for messages.
 */
#ifndef SOCKCAT_NET_ENDPOINT_H
#define SOCKCAT_NET_ENDPOINT_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fault.h"
#include "base/hash.h"
#include "net/transport.h"

struct endpoint {
	enum transport_names names;
	int family;       /* AF_UNSPEC, AF_INET or AF_INET6: restricts the addresses of the host */
	const char *host; /* not owned; name, address or path; NULL: any address */
	bool numeric;     /* host is an address, not a name */
	uint32_t port;
	uint32_t cid; /* vsock */
	bool direct;  /* not connected to through the proxies */
	bool proxy;   /* it is one of the proxies */
};

/* What stands before it in messages. */
static inline const char *
endpoint_role(const struct endpoint *endpoint)
{
	return endpoint->proxy ? "proxy " : "";
}

/* A socket address of any family. */
struct address {
	union {
		struct sockaddr_storage storage;
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un local;
	};
	socklen_t length; /* 0: none */
};

/*
 * Sets the host: a name of letters, digits, '-', '_' and '.'; an IPv4 address as four decimal
 * numbers; an IPv6 address, optionally in brackets, which are removed, and with a scope
 * (fe80::1%eth0). Other notations of numbers (127.1, 0x7f.1, 0177.0.0.1) are rejected, since
 * programs interpret them differently. `numeric_only`: no names. An address must be of the
 * endpoint's family. Status 3.
 */
bool endpoint_set_host(
	struct endpoint *endpoint, char *host, bool numeric_only, struct fault *fault);

/* Whether the name is the domain, or below it. */
bool endpoint_is_below(const char *name, const char *domain);

/* The part of a text to show in messages: all of it, or the part from the last '@' on, since the
 * user may have written USER:PASSWORD@HOST. */
const char *endpoint_public(const char *text);

/* Sets the port: 0 to 65535, or a service name (services(5)) of the transport. Status 3. */
bool endpoint_set_port(struct endpoint *endpoint, const char *port,
	const struct transport *transport, struct fault *fault);

/* Sets a Unix socket: a path of 1 to 107 bytes, or '@' and an abstract name of 1 to 107. Status 3.
 */
bool endpoint_set_path(struct endpoint *endpoint, const char *path, struct fault *fault);

/* Sets a virtual machine's context ID (NULL: any) and port, both 32 bits. Status 3. */
bool endpoint_set_vsock(
	struct endpoint *endpoint, const char *cid, const char *port, struct fault *fault);

/* "host:port", "[::1]:port", or the path. The caller frees it; NULL: out of memory. */
char *endpoint_print(const struct endpoint *endpoint);

/* The address of a Unix or vsock endpoint. False with errno: not supported, or path too long. */
bool endpoint_address(const struct endpoint *endpoint, struct address *address);

/* An address in the form of endpoint_print. The caller frees it; NULL: out of memory. */
char *address_print(const struct address *address);

/* The own address of a socket, and that of its peer. False with errno and no address. */
bool address_of_socket(struct address *address, int fd);
bool address_of_peer(struct address *address, int fd);

bool address_is_multicast(const struct address *address);

/* Whether it belongs to the loopback interface. */
bool address_is_loopback(const struct address *address);

/* The port of an IPv4 or IPv6 address, 0 for others. */
uint16_t address_port(const struct address *address);
void address_set_port(struct address *address, uint16_t port);

/* Turns an IPv4 address that is written as one of IPv6 (::ffff:192.0.2.1) into one of IPv4, and the
 * reverse. Other addresses stay as they are. */
void address_unmap(struct address *address);
void address_map(struct address *address);

bool address_equal(const struct address *a, const struct address *b);

/* The bytes that differ between addresses that are not equal. */
struct address_key {
	unsigned char bytes[sizeof(struct sockaddr_storage)];
	size_t length;
};

void address_key(const struct address *address, struct address_key *key);

/* Equal addresses have the same hash. */
uint64_t address_hash(const struct address *address, const struct hash_key *key);

#endif
