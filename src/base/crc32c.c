/* CRC-32C; see crc32c.h. */
#include "base/crc32c.h"

#define CRC32C_POLYNOMIAL UINT32_C(0x82f63b78) /* reflected */

uint32_t
crc32c_add(uint32_t crc, const void *bytes, size_t n)
{
	const unsigned char *in = bytes;
	crc = ~crc;
	for (size_t i = 0; i < n; i++) {
		crc ^= in[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ ((crc & 1) != 0 ? CRC32C_POLYNOMIAL : 0);
	}
	return ~crc;
}
