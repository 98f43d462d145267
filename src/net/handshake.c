/* The opening conversation with a proxy; see handshake.h. */
#include "net/handshake.h"

#include <string.h>

bool
handshake_start(struct handshake *handshake, const struct handshake_protocol *protocol,
	const struct handshake_request *request)
{
	*handshake = (struct handshake){ .protocol = protocol, .request = *request };
	return protocol->start(handshake);
}

enum handshake_result
handshake_take(struct handshake *handshake, const unsigned char *bytes, size_t n)
{
	size_t room = sizeof handshake->in - handshake->in_length;
	size_t kept = n < room ? n : room;
	if (n > handshake->wants)
		return handshake_fail(handshake, HANDSHAKE_MALFORMED, "too many bytes", 0);
	memcpy(handshake->in + handshake->in_length, bytes, kept);
	handshake->in_length += kept;
	handshake->taken += n;
	handshake->wants -= n;
	return handshake->wants > 0 ? HANDSHAKE_MORE : handshake->protocol->step(handshake);
}

bool
handshake_put(struct handshake *handshake, const void *bytes, size_t n)
{
	if (n > sizeof handshake->out - handshake->out_length)
		return false;
	memcpy(handshake->out + handshake->out_length, bytes, n);
	handshake->out_length += n;
	return true;
}

enum handshake_result
handshake_want(struct handshake *handshake, size_t n)
{
	handshake->in_length = 0;
	handshake->wants = n;
	return HANDSHAKE_MORE;
}

enum handshake_result
handshake_fail(
	struct handshake *handshake, enum handshake_result result, const char *words, unsigned code)
{
	handshake->words = words;
	handshake->code = code;
	handshake->wants = 0;
	return result;
}
