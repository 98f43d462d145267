/* The transports; see transport.h. */
#include "net/transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "net/endpoint.h"
#include "sys/sys.h"

/* Without SO_PROTOCOL assume the default protocol. */
#ifdef SO_PROTOCOL
#define TRANSPORT_SO_PROTOCOL SO_PROTOCOL
#else
#define TRANSPORT_SO_PROTOCOL (-1)
#endif

/* The largest UDP payload over IPv4: 65,535 less the headers; for Unix the capacity of a pipe. */
#define TRANSPORT_UDP_MAX 65507
#define TRANSPORT_UNIX_MAX 65536
#define TRANSPORT_UNIX_OVERHEAD 32

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

/* The protocol number for socket(2); -1: not supported. */
static int
transport_protocol(const struct transport *transport)
{
	return transport->protocol == -1
		? 0
		: sys_protocol_number((enum sys_protocol)transport->protocol);
}

const struct transport *
transport_of_socket(int fd, bool *listens)
{
	struct address own;
	enum transport_names names = TRANSPORT_INET;
	int type = transport_option(fd, SO_TYPE, -1);
	uint32_t cid, port;
	if ((type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET) ||
		!address_of_socket(&own, fd))
		return NULL;
	*listens = transport_option(fd, SO_ACCEPTCONN, 0) != 0;
	if (own.any.sa_family == AF_UNIX)
		names = TRANSPORT_UNIX;
	else if (sys_vsock_parts(&own.storage, &cid, &port))
		names = TRANSPORT_VSOCK;
	else if (own.any.sa_family != AF_INET && own.any.sa_family != AF_INET6)
		return NULL;
	const struct transport *found = NULL;
	int protocol = transport_option(fd, TRANSPORT_SO_PROTOCOL, 0);
	/* The row of the default protocol is the first of its type. */
	for (size_t i = 0; i < sizeof transport_rows / sizeof transport_rows[0]; i++) {
		const struct transport *row = &transport_rows[i];
		if (row->names == names && row->type == type &&
			(row->protocol == -1 || transport_protocol(row) == protocol))
			found = row;
	}
	return found;
}

bool
transport_abort_on_close(const struct transport *transport, int fd, bool on)
{
	const struct linger linger = { .l_onoff = on, .l_linger = 0 };
	return !transport->resets ||
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0;
}

int
transport_pending_error(int fd)
{
	int error = 0;
	socklen_t size = sizeof error;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1 ? errno : error;
}

void
transport_set_options(const struct transport *transport, int fd)
{
	int on = 1;
	if (!transport->tcp)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
}

bool
transport_set_accepted(const struct transport *transport, int fd)
{
	if (!transport->tcp || transport->protocol != -1 || !sys_accepts_options())
		return false;
	transport_set_options(transport, fd);
	return transport_abort_on_close(transport, fd, true);
}

size_t
transport_message_max(const struct transport *transport, int fd)
{
	int room = 0;
	/* The kernel reserves some bytes of the send buffer (unix_dgram_sendmsg in af_unix.c). */
	if (transport->names == TRANSPORT_UNIX && transport->message_max > 0)
		room = transport_option(fd, SO_SNDBUF, 0) - TRANSPORT_UNIX_OVERHEAD;
	return room > 0 ? (size_t)room : transport->message_max;
}

int
transport_socket(const struct transport *transport, int family)
{
	int protocol = transport_protocol(transport);
	errno = EPROTONOSUPPORT;
	return protocol != -1 ? sys_socket(family, transport->type, protocol) : -1;
}

enum status
transport_status(int error, enum status otherwise)
{
	if (error == EAFNOSUPPORT || error == EPROTONOSUPPORT || error == ESOCKTNOSUPPORT ||
		error == ENOPROTOOPT)
		return STATUS_MISSING;
	if (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS)
		return STATUS_MEMORY;
	return otherwise;
}

bool
transport_is_passing(int error)
{
	static const int passing[] = { EAGAIN, EINTR, EMSGSIZE, ECONNABORTED, ECONNREFUSED,
		ECONNRESET, EPROTO, ENOPROTOOPT, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH,
		EOPNOTSUPP, ETIMEDOUT, EPERM,
#ifdef ENONET
		ENONET
#endif
	};
	for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
		if (passing[i] == error)
			return true;
	return false;
}
