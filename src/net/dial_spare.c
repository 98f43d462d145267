/* Sockets to connect again; see dial_spare.h. */
#include "net/dial_spare.h"

#include <arpa/inet.h>

#include "sys/sys.h"

int
dial_spare_take(
	struct dial_spare *spare, const struct transport *transport, const struct address *to)
{
	if (spare == NULL || spare->transport != transport || spare->family != to->any.sa_family)
		return -1;
	int fd = spare->fd;
	spare->fd = -1;
	return fd;
}

/* Binds the socket, of a connection to the loopback interface, to a free port of its address. A
 * port that the system chooses for a socket is given back when its connection ends, one that was
 * asked for is not: ask for one that it has just chosen. A socket that has one (--source-port)
 * stays as it is. */
static void
dial_spare_pin(int fd, const struct transport *transport)
{
	struct address local;
	if (!address_of_socket(&local, fd))
		return;
	int other = transport_socket(transport, local.any.sa_family);
	if (other == -1)
		return;
	address_set_port(&local, 0);
	/* The address, too, would be chosen for each connection. */
	if (local.any.sa_family == AF_INET && local.v4.sin_addr.s_addr == htonl(INADDR_ANY))
		local.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (local.any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&local.v6.sin6_addr))
		local.v6.sin6_addr = in6addr_loopback;
	bool found = bind(other, &local.any, local.length) == 0 && address_of_socket(&local, other);
	(void)sys_close(&other);
	if (found)
		(void)bind(fd, &local.any, local.length);
}

void
dial_spare_keep(struct dial_spare *spare, const struct transport *transport,
	const struct address *to, int *fd)
{
	int family = to->any.sa_family;
	if (spare == NULL || spare->fd != -1 || !transport->tcp || transport->protocol != -1 ||
		!address_is_loopback(to) || !sys_can_reconnect())
		return;
	if (!spare->pinned || spare->family != family) {
		dial_spare_pin(*fd, transport);
		spare->pinned = true;
	}
	spare->fd = *fd;
	spare->family = family;
	spare->transport = transport;
	*fd = -1;
}

void
dial_spare_close(struct dial_spare *spare)
{
	(void)sys_close(&spare->fd);
}
