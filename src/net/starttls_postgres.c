/* STARTTLS of PostgreSQL: "SSLRequest" of its protocol 3.0. */
#include "net/starttls.h"

static bool
starttls_postgres_start(struct handshake *handshake)
{
	static const unsigned char request[] = { 0, 0, 0, 8, 4, 210, 22, 47 };
	(void)handshake_want(handshake, 1);
	return handshake_put(handshake, request, sizeof request);
}

static enum handshake_result
starttls_postgres_step(struct handshake *handshake)
{
	switch (handshake->in[0]) {
	case 'S':
		return HANDSHAKE_DONE;
	case 'N':
	case 'E':
		return starttls_refuse(handshake, "the server refused it", 0);
	default:
		return starttls_malformed(handshake, "the answer is not PostgreSQL");
	}
}

const struct handshake_protocol starttls_postgres = {
	.start = starttls_postgres_start, .step = starttls_postgres_step, .code = "code"
};
