/* STARTTLS of LDAP (RFC 4511, 4.12 and 4.14), in BER. */
#include "net/starttls.h"

#define STARTTLS_LDAP_INTEGER 0x02
#define STARTTLS_LDAP_TEXT 0x04
#define STARTTLS_LDAP_ENUMERATED 0x0a
#define STARTTLS_LDAP_SEQUENCE 0x30
#define STARTTLS_LDAP_RESPONSE 0x78 /* extendedResp */

enum starttls_ldap_state { STARTTLS_LDAP_HEAD, STARTTLS_LDAP_LENGTH, STARTTLS_LDAP_BODY };

static bool
starttls_ldap_start(struct handshake *handshake)
{
	/* Message 1, extendedReq with the OID of StartTLS. */
	static const unsigned char request[] = { STARTTLS_LDAP_SEQUENCE, 29, STARTTLS_LDAP_INTEGER,
		1, 1, 0x77, 24, 0x80, 22, '1', '.', '3', '.', '6', '.', '1', '.', '4', '.', '1',
		'.', '1', '4', '6', '6', '.', '2', '0', '0', '3', '7' };
	(void)handshake_want(handshake, 2);
	return handshake_put(handshake, request, sizeof request);
}

/* Reads the head of an element at *at, and goes behind it. False: it is another element, or has a
 * length of more than 4 bytes. */
static bool
starttls_ldap_enter(const struct handshake *handshake, size_t *at, unsigned tag, size_t *length)
{
	const unsigned char *in = handshake->in;
	size_t left = handshake->in_length - *at;
	if (left < 2 || in[*at] != tag)
		return false;
	size_t n = in[*at + 1] & 0x7fU;
	bool longer = in[*at + 1] > 0x7f;
	*at += 2;
	*length = longer ? 0 : n;
	if (longer && (n == 0 || n > 4 || n > left - 2))
		return false;
	for (; longer && n > 0; n--)
		*length = *length << 8 | in[(*at)++];
	return true;
}

/* The same of an integer of one byte. */
static bool
starttls_ldap_number(const struct handshake *handshake, size_t *at, unsigned tag, unsigned *number)
{
	size_t length;
	if (!starttls_ldap_enter(handshake, at, tag, &length) || length != 1 ||
		*at == handshake->in_length)
		return false;
	*number = handshake->in[(*at)++];
	return true;
}

/* What the result codes mean (RFC 4511, A.2). */
static const char *
starttls_ldap_words(unsigned code)
{
	switch (code) {
	case 1:
		return "the server refused TLS: operations error";
	case 2:
		return "the server refused TLS: protocol error";
	case 51:
		return "the server refused TLS: busy";
	case 52:
		return "the server refused TLS: unavailable";
	case 53:
		return "the server refused TLS: unwilling to perform";
	default:
		return "the server refused TLS";
	}
}

/* The result is an error: its message follows the code, and a name. */
static enum handshake_result
starttls_ldap_refuse(struct handshake *handshake, size_t at, unsigned code)
{
	size_t length = 0;
	const unsigned char *text = NULL;
	if (starttls_ldap_enter(handshake, &at, STARTTLS_LDAP_TEXT, &length) &&
		length < handshake->in_length - at) {
		at += length;
		if (starttls_ldap_enter(handshake, &at, STARTTLS_LDAP_TEXT, &length))
			text = handshake->in + at;
	}
	size_t left = handshake->in_length - at;
	return starttls_refuse(
		handshake, starttls_ldap_words(code), code, text, length < left ? length : left);
}

static enum handshake_result
starttls_ldap_check(struct handshake *handshake)
{
	size_t at = 0, length;
	unsigned number, code;
	if (!starttls_ldap_enter(handshake, &at, STARTTLS_LDAP_SEQUENCE, &length) ||
		!starttls_ldap_number(handshake, &at, STARTTLS_LDAP_INTEGER, &number) ||
		!starttls_ldap_enter(handshake, &at, STARTTLS_LDAP_RESPONSE, &length) ||
		!starttls_ldap_number(handshake, &at, STARTTLS_LDAP_ENUMERATED, &code))
		return starttls_malformed(handshake, "the answer is not LDAP");
	/* Message 0 is a notice that the server disconnects. */
	if (number == 1 && code == 0)
		return HANDSHAKE_DONE;
	return starttls_ldap_refuse(handshake, at, code);
}

static enum handshake_result
starttls_ldap_step(struct handshake *handshake)
{
	unsigned first = handshake->in[1];
	size_t at = 0, length = 0;
	if (handshake->state == STARTTLS_LDAP_BODY)
		return starttls_ldap_check(handshake);
	if (handshake->state == STARTTLS_LDAP_HEAD && first > 0x80 && first <= 0x84) {
		handshake->state = STARTTLS_LDAP_LENGTH;
		handshake->wants = first & 0x7fU;
		return HANDSHAKE_MORE;
	}
	if (!starttls_ldap_enter(handshake, &at, STARTTLS_LDAP_SEQUENCE, &length) || length == 0)
		return starttls_malformed(handshake, "the answer is not LDAP");
	if (length > STARTTLS_BYTES_MAX)
		return starttls_malformed(handshake, "the answers are longer than 16 KiB");
	handshake->state = STARTTLS_LDAP_BODY;
	handshake->wants = length;
	return HANDSHAKE_MORE;
}

const struct handshake_protocol starttls_ldap = {
	.start = starttls_ldap_start, .step = starttls_ldap_step, .code = "code"
};
