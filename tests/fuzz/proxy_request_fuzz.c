/* Fuzzes the requests to a proxy server: whatever they are, they end within their limits, have a
 * cause unless they are successful, name a target that endpoints can have, and do not depend on how
 * the bytes are cut. The first byte chooses the protocols, and whether there are users. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/proxy_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static enum proxy_request_result
proxy_request_fuzz_run(struct proxy_request *request, unsigned choice, const uint8_t *bytes,
	size_t n, size_t piece, size_t *taken)
{
	static struct proxy_user list[] = { { "me", "secret" } };
	static const struct proxy_users users = { .list = list, .count = 1 };
	const struct proxy_request_rules rules = { .protocols = choice & 7,
		.users = (choice & 8) != 0 ? &users : NULL,
		.numeric = (choice & 16) != 0,
		.datagrams = (choice & 32) != 0 };
	enum proxy_request_result result = PROXY_REQUEST_MORE;
	proxy_request_start(request, &rules);
	*taken = 0;
	while (result == PROXY_REQUEST_MORE) {
		if (request->wants == 0 || request->taken > PROXY_REQUEST_HEADER_MAX + 32)
			abort();
		size_t part = request->wants < piece ? request->wants : piece;
		part = part < n - *taken ? part : n - *taken;
		if (part == 0)
			break;
		result = proxy_request_take(request, bytes + *taken, part);
		*taken += part;
	}
	if ((result == PROXY_REQUEST_REFUSED) != (request->words != NULL))
		abort();
	if (result == PROXY_REQUEST_TARGET) {
		if (request->target.port == 0 || request->target.port > UINT16_MAX ||
			request->target.host[0] == '\0' ||
			strpbrk(request->target.host, " \r\n%@") != NULL)
			abort();
		proxy_request_answer(request, choice % PROXY_REQUEST_OUTCOMES);
	}
	if ((result == PROXY_REQUEST_ASSOCIATE) != request->associates ||
		(request->associates && (choice & 32) == 0))
		abort();
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct proxy_request whole, cut;
	size_t taken, taken_cut;
	if (n == 0)
		return 0;
	enum proxy_request_result result =
		proxy_request_fuzz_run(&whole, bytes[0], bytes + 1, n - 1, SIZE_MAX, &taken);
	if (proxy_request_fuzz_run(&cut, bytes[0], bytes + 1, n - 1, 1, &taken_cut) != result ||
		whole.words != cut.words || whole.out_length != cut.out_length ||
		memcmp(whole.out, cut.out, whole.out_length) != 0)
		abort();
	/* A refusal may come inside of what was read at once. */
	if (result == PROXY_REQUEST_REFUSED ? taken < taken_cut : taken != taken_cut)
		abort();
	if (whole.client_port != cut.client_port)
		abort();
	if (result == PROXY_REQUEST_TARGET && strcmp(whole.target.host, cut.target.host) != 0)
		abort();
	return 0;
}
