/* The transports; see transport.h. */
#include "net/transport.h"

#include <errno.h>
#include <sys/socket.h>

#include "sys/sys.h"

/* Where a socket cannot be asked for its protocol, it has the usual one. */
#ifdef SO_PROTOCOL
#define TRANSPORT_SO_PROTOCOL SO_PROTOCOL
#else
#define TRANSPORT_SO_PROTOCOL (-1)
#endif

/* The largest datagram: 65,535 less the headers of IPv4 and UDP; for Unix what one read of a pipe
 * brings. */
#define TRANSPORT_UDP_MAX 65507
#define TRANSPORT_UNIX_MAX 65536

static const struct transport transport_rows[] = {
	{ "tcp", TRANSPORT_INET, SOCK_STREAM, -1, true, true, true, 0 },
	{ "mptcp", TRANSPORT_INET, SOCK_STREAM, SYS_MPTCP, true, true, true, 0 },
	{ "sctp", TRANSPORT_INET, SOCK_STREAM, SYS_SCTP, true, false, true, 0 },
	{ "sctp", TRANSPORT_INET, SOCK_SEQPACKET, SYS_SCTP, true, false, true, TRANSPORT_UNIX_MAX },
	{ "udp", TRANSPORT_INET, SOCK_DGRAM, -1, false, false, false, TRANSPORT_UDP_MAX },
	{ "udplite", TRANSPORT_INET, SOCK_DGRAM, SYS_UDPLITE, false, false, false,
		TRANSPORT_UDP_MAX },
	{ "unix", TRANSPORT_UNIX, SOCK_STREAM, -1, true, false, false, 0 },
	{ "unix", TRANSPORT_UNIX, SOCK_DGRAM, -1, false, false, false, TRANSPORT_UNIX_MAX },
	{ "unix", TRANSPORT_UNIX, SOCK_SEQPACKET, -1, true, false, false, TRANSPORT_UNIX_MAX },
	{ "vsock", TRANSPORT_VSOCK, SOCK_STREAM, -1, true, false, false, 0 },
	{ "vsock", TRANSPORT_VSOCK, SOCK_DGRAM, -1, false, false, false, TRANSPORT_UNIX_MAX },
	{ "vsock", TRANSPORT_VSOCK, SOCK_SEQPACKET, -1, true, false, false, TRANSPORT_UNIX_MAX },
};

const struct transport *
transport_find(enum transport_names names, bool datagram, bool seqpacket, int protocol)
{
	int type = datagram ? SOCK_DGRAM : seqpacket ? SOCK_SEQPACKET : SOCK_STREAM;
	for (size_t i = 0; i < sizeof transport_rows / sizeof transport_rows[0]; i++) {
		const struct transport *row = &transport_rows[i];
		if (row->names == names && row->type == type && row->protocol == protocol)
			return row;
	}
	return NULL;
}

static int
transport_option(int fd, int option, int otherwise)
{
	int value = 0;
	socklen_t size = sizeof value;
	return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : otherwise;
}

const struct transport *
transport_of_socket(int fd, bool *listens)
{
	struct sockaddr_storage own = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof own;
	enum transport_names names = TRANSPORT_INET;
	int type = transport_option(fd, SO_TYPE, -1);
	uint32_t cid, port;
	if ((type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET) ||
		getsockname(fd, (struct sockaddr *)&own, &size) == -1)
		return NULL;
	*listens = transport_option(fd, SO_ACCEPTCONN, 0) != 0;
	if (own.ss_family == AF_UNIX)
		names = TRANSPORT_UNIX;
	else if (sys_vsock_parts(&own, &cid, &port))
		names = TRANSPORT_VSOCK;
	else if (own.ss_family != AF_INET && own.ss_family != AF_INET6)
		return NULL;
	const struct transport *first =
		transport_find(names, type == SOCK_DGRAM, type == SOCK_SEQPACKET, -1);
	int protocol = transport_option(fd, TRANSPORT_SO_PROTOCOL, 0);
	for (size_t i = 0; i < sizeof transport_rows / sizeof transport_rows[0]; i++) {
		const struct transport *row = &transport_rows[i];
		int number = 0;
		if (row->names == names && row->type == type && row->protocol != -1 &&
			transport_protocol(row, &number) && number == protocol)
			return row;
	}
	return first;
}

bool
transport_protocol(const struct transport *transport, int *protocol)
{
	*protocol = 0;
	if (transport->protocol == -1)
		return true;
	*protocol = sys_protocol_number((enum sys_protocol)transport->protocol);
	errno = EPROTONOSUPPORT;
	return *protocol != -1;
}

enum status
transport_status(int error, enum status otherwise)
{
	switch (error) {
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
	case ESOCKTNOSUPPORT:
	case ENOPROTOOPT:
		return STATUS_MISSING;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		return STATUS_MEMORY;
	default:
		return otherwise;
	}
}
