#include "filter/handshake_talk.h"

enum io
handshake_talk_send(struct stream *stream, struct handshake_talk *talk, struct fault *fault)
{
	struct handshake *handshake = &talk->handshake;
	enum io result = IO_OK;
	while (result == IO_OK && talk->sent < handshake->out_length) {
		struct iovec piece = { handshake->out + talk->sent,
			handshake->out_length - talk->sent };
		size_t put = 0;
		result = stream_write(stream->lower, &piece, 1, &put, fault);
		talk->sent += put;
	}
	stream_follow(stream);
	if (result == IO_AGAIN)
		stream->read = stream->write;
	return result;
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
		struct iovec piece = { bytes,
			handshake->wants < sizeof bytes ? handshake->wants : sizeof bytes };
		size_t got = 0;
		done = handshake_talk_send(stream, talk, fault);
		if (done == IO_OK) {
			done = stream_read(stream->lower, &piece, 1, &got, fault);
			stream_follow(stream);
		}
		if (done == IO_OK)
			*result = handshake_take(handshake, bytes, got);
	}
	return done;
}
