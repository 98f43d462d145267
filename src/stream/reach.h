/* Reachability of a datagram peer: whether datagrams have arrived, what was not sent while the
 * network was unreachable, and the other addresses to try when the first one refuses. */
#ifndef SOCKCAT_STREAM_REACH_H
#define SOCKCAT_STREAM_REACH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "base/fault.h"
#include "net/dial.h"
#include "stream/stream.h"
#include "stream/unanswered.h"

/* Zeroed at first. */
struct reach {
	struct dial *dial;      /* has more addresses; not owned; NULL: none */
	struct unanswered sent; /* with a dial: the messages to send again */
	unsigned successes;     /* successful sends, up to 2 */
	bool received;          /* something was received from the peer */
};

/* Messages, one a piece, were sent. */
void reach_sent(struct reach *reach, const struct iovec *pieces, int count);

/* Something was received: stop trying other addresses. */
void reach_received(struct reach *reach);

/* Whether the error means that the network is unreachable for now. `worked`: it was reachable. */
bool reach_is_lost(int error, bool worked);

/* Counts a datagram that was not sent (`length`: its bytes, 0: not known). The first is reported.
 */
void reach_count_unsent(struct stream *stream, size_t length, int error);

/* After an error of a send for which reach_is_lost: the error may be a pending one for an earlier
 * datagram, so one of `length` bytes was sent again; `again` is the error of that, 0: it was sent.
 * True: the session goes on, and what was not sent is counted, the first one reported. */
bool reach_survives_send(
	struct reach *reach, struct stream *stream, size_t length, int error, int again);

/* The same after an error of a read; the read is due again after a pause. */
bool reach_survives_read(struct reach *reach, struct stream *stream, int error);

/* Connects to the dial's next address after a refusal: IO_OK, and *fd is the new socket, on which
 * reach_repeat sends everything again; IO_AGAIN if that cannot be done; IO_FAIL if no address is
 * left. */
enum io reach_redial(
	struct reach *reach, const struct stream *stream, int *fd, int error, struct fault *fault);

/* Sends to the new address what has not been sent to it yet. False with errno. */
bool reach_repeat(struct reach *reach, int fd);

/* Frees what it owns. */
void reach_close(struct reach *reach);

#endif
