#include "mode/probe_banner.h"

void
probe_banner_ask(const struct banner *banner, const struct banner_config *config,
	const struct stream *stream, struct pollset *pollset)
{
	(void)stream_ask(&stream->read, pollset);
	if (stream->buffered || banner->sent < config->length)
		(void)stream_ask(&stream->write, pollset);
}

/* Sends the rest of the request. After an error what the peer has sent can still be read. */
static void
probe_banner_send(struct banner *banner, const struct banner_config *config, struct stream *stream)
{
	struct fault ignored = FAULT_NONE;
	enum io result = IO_OK;
	while (result == IO_OK && (stream->buffered || banner->sent < config->length)) {
		struct iovec piece = { config->request + banner->sent,
			config->length - banner->sent };
		size_t put = 0;
		result =
			stream_write(stream, &piece, banner->sent < config->length, &put, &ignored);
		banner->sent += put;
	}
	if (result != IO_AGAIN)
		banner->sent = config->length;
	fault_clear(&ignored);
}

enum io
probe_banner_step(struct banner *banner, const struct banner_config *config, struct stream *stream)
{
	struct fault ignored = FAULT_NONE;
	enum io result = IO_OK;
	probe_banner_send(banner, config, stream);
	while (result == IO_OK && !banner_is_complete(banner)) {
		unsigned char bytes[BANNER_MAX];
		struct iovec piece = { bytes, BANNER_MAX - banner->length };
		size_t got = 0;
		result = stream_read(stream, &piece, 1, &got, &ignored);
		(void)banner_add(banner, bytes, got);
	}
	fault_clear(&ignored);
	return result == IO_AGAIN ? IO_AGAIN : IO_OK;
}
