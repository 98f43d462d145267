/* STARTTLS of PostgreSQL: "SSLRequest" and "ErrorResponse" of its protocol 3.0. */
#include <string.h>

#include "net/starttls.h"

enum starttls_postgres_state {
	STARTTLS_POSTGRES_ANSWER, /* one byte */
	STARTTLS_POSTGRES_LENGTH, /* of an error, itself included */
	STARTTLS_POSTGRES_FIELDS
};

static bool
starttls_postgres_start(struct handshake *handshake)
{
	static const unsigned char request[] = { 0, 0, 0, 8, 4, 210, 22, 47 };
	(void)handshake_want(handshake, 1);
	return handshake_put(handshake, request, sizeof request);
}

/* An error: the field M is for people. Each has a letter and ends with a zero byte. */
static enum handshake_result
starttls_postgres_refuse(struct handshake *handshake)
{
	const unsigned char *at = handshake->in, *end = at + handshake->in_length, *zero = at;
	const unsigned char *text = NULL;
	size_t length = 0;
	for (; at < end && text == NULL && zero != NULL; at = zero != NULL ? zero + 1 : end) {
		zero = memchr(at, '\0', (size_t)(end - at));
		if (*at == 'M')
			text = at + 1;
		if (text != NULL)
			length = (size_t)((zero != NULL ? zero : end) - text);
	}
	return starttls_refuse(handshake, "the server refused the connection", 0, text, length);
}

static enum handshake_result
starttls_postgres_measure(struct handshake *handshake)
{
	const unsigned char *in = handshake->in;
	size_t length = (size_t)in[0] << 24 | (size_t)in[1] << 16 | (size_t)in[2] << 8 | in[3];
	/* Servers of before protocol 3.0 send the text without a length. */
	if (length <= 4 || length > STARTTLS_BYTES_MAX)
		return starttls_refuse(handshake, "the server refused the connection", 0, NULL, 0);
	handshake->state = STARTTLS_POSTGRES_FIELDS;
	return handshake_want(handshake, length - 4);
}

static enum handshake_result
starttls_postgres_step(struct handshake *handshake)
{
	if (handshake->state == STARTTLS_POSTGRES_FIELDS)
		return starttls_postgres_refuse(handshake);
	if (handshake->state == STARTTLS_POSTGRES_LENGTH)
		return starttls_postgres_measure(handshake);
	switch (handshake->in[0]) {
	case 'S':
		return HANDSHAKE_DONE;
	case 'N':
		return starttls_refuse(handshake, "the server does not offer TLS", 0, NULL, 0);
	case 'E':
		handshake->state = STARTTLS_POSTGRES_LENGTH;
		return handshake_want(handshake, 4);
	default:
		return starttls_malformed(handshake, "the answer is not PostgreSQL");
	}
}

const struct handshake_protocol starttls_postgres = {
	.start = starttls_postgres_start, .step = starttls_postgres_step, .code = "code"
};
