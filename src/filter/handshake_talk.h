/* The turns of a handshake (net/handshake.h) over the stream below a filter. */
#ifndef SOCKCAT_FILTER_HANDSHAKE_TALK_H
#define SOCKCAT_FILTER_HANDSHAKE_TALK_H

#include "base/fault.h"
#include "net/handshake.h"
#include "stream/stream.h"

struct handshake_talk {
	struct handshake handshake;
	size_t sent; /* bytes of its `out` */
};

/* Sends what is left of `out`. IO_OK: nothing is. */
enum io handshake_talk_send(
	struct stream *stream, struct handshake_talk *talk, struct fault *fault);

/* Sends and reads as far as possible. IO_OK: *result is not HANDSHAKE_MORE, and the end of `out`
 * may still have to be sent. IO_FAIL, IO_END: the connection failed or ended. */
enum io handshake_talk_step(struct stream *stream, struct handshake_talk *talk,
	enum handshake_result *result, struct fault *fault);

#endif
