/* CRC-32C (Castagnoli), as in RFC 3720, appendix B.4. */
#ifndef SOCKCAT_BASE_CRC32C_H
#define SOCKCAT_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of a text that begins with the bytes of `crc`; 0: it begins here. */
uint32_t crc32c_add(uint32_t crc, const void *bytes, size_t n);

#endif
