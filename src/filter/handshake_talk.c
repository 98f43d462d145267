#include "filter/handshake_talk.h"

#include "filter/filter.h"

enum io
handshake_talk_send(struct stream *stream, struct handshake_talk *talk, struct fault *fault)
{
	const struct handshake *handshake = &talk->handshake;
	return filter_send(stream, handshake->out, handshake->out_length, &talk->sent, fault);
}

enum io
handshake_talk_step(struct stream *stream, struct handshake_talk *talk,
	enum handshake_result *result, struct fault *fault)
{
	struct handshake *handshake = &talk->handshake;
	enum io done = IO_OK;
	*result = HANDSHAKE_MORE;
	while (done == IO_OK && *result == HANDSHAKE_MORE) {
		unsigned char bytes[HANDSHAKE_IN];
		size_t n = handshake->wants < sizeof bytes ? handshake->wants : sizeof bytes;
		size_t got = 0;
		done = handshake_talk_send(stream, talk, fault);
		if (done == IO_OK)
			done = filter_receive(stream, bytes, n, &got, fault);
		if (done == IO_OK)
			*result = handshake_take(handshake, bytes, got);
	}
	return done;
}
