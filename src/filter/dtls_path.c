/* The path MTU as DTLS needs it; see dtls_path.h. */
#include "filter/dtls_path.h"

#include "sys/sys.h"

/* The headers of IPv4 or IPv6, and of UDP. */
#define DTLS_PATH_IPV4 (20 + 8)
#define DTLS_PATH_IPV6 (40 + 8)

/* The packets of a network that is not known. During the handshake none are larger: the library
 * sends what is longer than its buffer in parts that are no records. */
#define DTLS_PATH_PACKET 1400

static size_t
dtls_path_without_headers(int packet, const struct address *address)
{
	int headers = address->any.sa_family == AF_INET ? DTLS_PATH_IPV4 : DTLS_PATH_IPV6;
	return packet > headers ? (size_t)(packet - headers) : 0;
}

size_t
dtls_path_find(const struct stream *stream, bool probing)
{
	int fd = stream->write.fd, packet = DTLS_PATH_PACKET;
	struct address own = { .length = 0 };
	size_t known = stream->caps.path, limit = DTLS_PATH_PACKET - DTLS_PATH_IPV6;
	if (known > 0)
		return !probing || known < limit ? known : limit;
	(void)address_of_socket(&own, fd);
	if (!sys_path_mtu(fd, &packet))
		packet = DTLS_PATH_PACKET;
	if (probing && packet > DTLS_PATH_PACKET)
		packet = DTLS_PATH_PACKET;
	size_t path = dtls_path_without_headers(packet, &own);
	return path > stream->caps.overhead ? path - stream->caps.overhead : 0;
}

size_t
dtls_path_to(const struct address *to)
{
	int fd = sys_socket(to->any.sa_family, SOCK_DGRAM, 0), packet = 0;
	bool known =
		fd != -1 && connect(fd, &to->any, to->length) == 0 && sys_path_mtu(fd, &packet);
	(void)sys_close(&fd);
	return known ? dtls_path_without_headers(packet, to) : 0;
}
