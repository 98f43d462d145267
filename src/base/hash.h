/*
 * SipHash-2-4 (Aumasson and Bernstein 2012): without the secret key colliding inputs cannot be
 * chosen.
 */
#ifndef SOCKCAT_BASE_HASH_H
#define SOCKCAT_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t low, high;
};

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t length);

#endif
