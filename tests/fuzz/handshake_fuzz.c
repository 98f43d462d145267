/* Fuzzes the answers of proxies: whatever they are, the handshake ends within its limits, has a
 * cause unless it is successful, and does not depend on how the bytes are cut. The first byte
 * chooses the protocol, whether there is a password, and whether it is for Digest. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "handshake_feed.h"
#include "net/http_proxy.h"
#include "net/socks.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static enum handshake_result
handshake_fuzz_run(struct handshake *handshake, unsigned choice, const uint8_t *bytes, size_t n,
	size_t piece, size_t *taken)
{
	static const struct handshake_protocol *const protocols[] = { &socks_v4_protocol,
		&socks_v5_protocol, &http_proxy_protocol };
	const struct handshake_request request = { .host = "name",
		.port = 80,
		.user = choice & 4 ? "me" : NULL,
		.password = "secret",
		.digest = (choice & 12) == 12,
		.datagrams = (choice & 16) != 0,
		.cnonce = "0" };
	enum handshake_result result;
	if (!handshake_start(handshake, protocols[choice % 3], &request))
		abort();
	*taken = handshake_feed(handshake, bytes, n, piece, &result);
	if (handshake->taken > 2 * HTTP_PROXY_HEADER_MAX + 1 ||
		(result == HANDSHAKE_MORE && handshake->wants == 0))
		abort();
	if (result != HANDSHAKE_MORE && (result == HANDSHAKE_DONE) != (handshake->words == NULL))
		abort();
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct handshake whole, cut;
	size_t taken, taken_cut;
	if (n == 0)
		return 0;
	enum handshake_result result =
		handshake_fuzz_run(&whole, bytes[0], bytes + 1, n - 1, SIZE_MAX, &taken);
	if (handshake_fuzz_run(&cut, bytes[0], bytes + 1, n - 1, 1, &taken_cut) != result ||
		taken != taken_cut || whole.code != cut.code ||
		whole.out_length != cut.out_length || whole.bound.length != cut.bound.length ||
		memcmp(whole.out, cut.out, whole.out_length) != 0)
		abort();
	return 0;
}
