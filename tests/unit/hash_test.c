/* The keyed hash is SipHash-2-4: the vectors of its authors, for the key 00 01 … 0f and the bytes
 * 00 01 … of each length. */
#include "base/hash.h"
#include "check.h"

static const struct {
	size_t length;
	uint64_t hash;
} hash_test_rows[] = {
	{ 0, UINT64_C(0x726fdb47dd0e0e31) },
	{ 1, UINT64_C(0x74f839c593dc67fd) },
	{ 2, UINT64_C(0x0d6c8009d9a94f5a) },
	{ 7, UINT64_C(0xab0200f58b01d137) },
	{ 8, UINT64_C(0x93f5f5799a932462) },
	{ 15, UINT64_C(0xa129ca6149be45e5) },
};

int
main(void)
{
	const struct hash_key key = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
	unsigned char bytes[16];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof hash_test_rows / sizeof hash_test_rows[0]; i++)
		CHECK(hash_bytes(&key, bytes, hash_test_rows[i].length) == hash_test_rows[i].hash);
	return check_verdict("hash");
}
