/* SipHash-2-4; see hash.h. */
#include "base/hash.h"

struct hash_state {
	uint64_t a, b, c, d;
};

static uint64_t
hash_rotate(uint64_t word, unsigned by)
{
	return word << by | word >> (64 - by);
}

static void
hash_rounds(struct hash_state *state, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		state->a += state->b;
		state->c += state->d;
		state->b = hash_rotate(state->b, 13) ^ state->a;
		state->d = hash_rotate(state->d, 16) ^ state->c;
		state->a = hash_rotate(state->a, 32) + state->d;
		state->c += state->b;
		state->d = hash_rotate(state->d, 21) ^ state->a;
		state->b = hash_rotate(state->b, 17) ^ state->c;
		state->c = hash_rotate(state->c, 32);
	}
}

static void
hash_word(struct hash_state *state, uint64_t word)
{
	state->d ^= word;
	hash_rounds(state, 2);
	state->a ^= word;
}

uint64_t
hash_bytes(const struct hash_key *key, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	/* "somepseudorandomlygeneratedbytes" */
	struct hash_state state = { key->low ^ UINT64_C(0x736f6d6570736575),
		key->high ^ UINT64_C(0x646f72616e646f6d), key->low ^ UINT64_C(0x6c7967656e657261),
		key->high ^ UINT64_C(0x7465646279746573) };
	uint64_t word = 0;
	for (size_t i = 0; i < length; i++) {
		word |= (uint64_t)at[i] << 8 * (i % 8);
		if (i % 8 == 7) {
			hash_word(&state, word);
			word = 0;
		}
	}
	hash_word(&state, word | (uint64_t)length << 56);
	state.c ^= 0xff;
	hash_rounds(&state, 4);
	return state.a ^ state.b ^ state.c ^ state.d;
}
