/* Fuzzes the answers of servers to STARTTLS: whatever they are, the opening ends within its limits,
 * has a cause unless it is successful, and does not depend on how the bytes are cut. The first byte
 * chooses the protocol. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "handshake_feed.h"
#include "net/starttls.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static enum handshake_result
starttls_fuzz_run(struct handshake *handshake, unsigned choice, const uint8_t *bytes, size_t n,
	size_t piece, size_t *taken)
{
	static const char *const names[] = { "smtp", "imap", "pop3", "ftp", "nntp", "sieve", "xmpp",
		"ldap", "postgres", "mysql" };
	const struct handshake_request request = { .host = "name" };
	enum handshake_result result;
	if (!handshake_start(handshake, starttls_find(names[choice % 10]), &request))
		abort();
	*taken = handshake_feed(handshake, bytes, n, piece, &result);
	if (handshake->taken > STARTTLS_BYTES_MAX + 5 ||
		(result == HANDSHAKE_MORE &&
			(handshake->wants == 0 || handshake->wants > STARTTLS_BYTES_MAX)))
		abort();
	size_t length;
	const char *answer = starttls_answer(handshake, &length);
	if (length > sizeof handshake->in || (length > 0 && answer[length - 1] == '\n') ||
		(result != HANDSHAKE_MORE &&
			(result == HANDSHAKE_DONE) != (handshake->words == NULL)))
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
		starttls_fuzz_run(&whole, bytes[0], bytes + 1, n - 1, SIZE_MAX, &taken);
	if (starttls_fuzz_run(&cut, bytes[0], bytes + 1, n - 1, 1, &taken_cut) != result ||
		taken != taken_cut || whole.code != cut.code ||
		whole.out_length != cut.out_length ||
		memcmp(whole.out, cut.out, whole.out_length) != 0)
		abort();
	return 0;
}
