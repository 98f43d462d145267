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

/* Whether the peer was reachable: something was received, or a send did not cause an error by the
 * next one. */
bool reach_has_worked(const struct reach *reach);

/* Counts a datagram that was not sent (`length`: its bytes, 0: not known). The first is reported.
 */
void reach_count_unsent(struct stream *stream, size_t length, int error);

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
