/* Fuzzes the header of datagrams through a SOCKS5 proxy: what is read is inside of the datagram,
 * and written again it is the same, but for IPv4 addresses that were written as IPv6. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/socks_udp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct socks_udp header, again;
	unsigned char out[SOCKS_UDP_MAX];
	size_t length;
	if (socks_udp_read(&header, bytes, n) != NULL)
		return 0;
	if (header.length > n || header.length > SOCKS_UDP_MAX || header.port == 0 ||
		(header.address.length == 0) != (header.name_length > 0))
		abort();
	if (header.name != NULL) {
		char name[SOCKS_UDP_NAME_MAX + 1];
		memcpy(name, header.name, header.name_length);
		name[header.name_length] = '\0';
		length = socks_udp_write_name(out, name, header.port);
	} else {
		length = socks_udp_write(out, &header.address);
	}
	if (length == header.length && memcmp(out, bytes, length) != 0)
		abort();
	if (length != header.length && (length != 10 || header.length != 22))
		abort();
	if (socks_udp_read(&again, out, length) != NULL || again.port != header.port ||
		(header.name == NULL && !address_equal(&again.address, &header.address)))
		abort();
	return 0;
}
