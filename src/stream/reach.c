/* Reachability of a datagram peer; see reach.h. */
#include "stream/reach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "stream/backoff.h"
#include "sys/sys.h"

void
reach_sent(struct reach *reach, const struct iovec *pieces, int count)
{
	reach->successes += reach->successes < 2;
	if (reach->dial == NULL)
		return;
	unanswered_keep(&reach->sent, pieces, count);
	if (reach->sent.incomplete)
		reach->dial = NULL;
}

void
reach_received(struct reach *reach)
{
	reach->received = true;
	reach->dial = NULL;
	reach_close(reach);
}

bool
reach_is_lost(int error, bool worked)
{
	/* A call that worked before: the local address was removed. */
	if (error == EINVAL)
		return worked;
	return error == EHOSTUNREACH || error == ENETUNREACH || error == EHOSTDOWN ||
		error == ENETDOWN;
}

/* Whether the peer was reachable: something was received, or a send did not cause an error by the
 * next one. */
static bool
reach_has_worked(const struct reach *reach)
{
	return reach->received || reach->successes > 1;
}

void
reach_count_unsent(struct stream *stream, size_t length, int error)
{
	struct stream_stats *stats = stream_counters(stream);
	if (stats->unsent++ == 0)
		event_emit(&(struct event){ .kind = EVENT_unreachable,
			.peer = stream->name,
			.cause = strerror(error) });
	stats->unsent_bytes += length;
}

bool
reach_survives_send(struct reach *reach, struct stream *stream, size_t length, int error, int again)
{
	bool sent = again == 0;
	if (sent ? !reach_has_worked(reach)
		 : (reach->successes == 0 && !reach->received) ||
				!reach_is_lost(again, reach->successes > 0))
		return false;
	reach_count_unsent(stream, sent ? 0 : length, sent ? error : again);
	return true;
}

bool
reach_survives_read(struct reach *reach, struct stream *stream, int error)
{
	if (!reach_is_lost(error, reach->successes > 0) || !reach_has_worked(reach))
		return false;
	reach_count_unsent(stream, 0, error);
	stream->read.at = clock_after(clock_now(), BACKOFF_PAUSE);
	return true;
}

enum io
reach_redial(
	struct reach *reach, const struct stream *stream, int *fd, int error, struct fault *fault)
{
	struct dial *dial = reach->dial;
	if (dial == NULL || (error != ECONNREFUSED && !reach_is_lost(error, reach->successes > 0)))
		return IO_AGAIN;
	if (!dial_has_more(dial)) {
		dial_failures_add_error(dial, &dial->peer, error);
		return IO_AGAIN;
	}
	dial->fd = *fd;
	*fd = -1;
	enum io result = dial_refused(dial, error, clock_now(), fault);
	if (result != IO_OK)
		return result;
	*fd = dial->fd;
	dial->fd = -1;
	unanswered_rewind(&reach->sent);
	char *next = address_print(&dial->peer);
	event_emit(&(struct event){ .kind = EVENT_redialed,
		.peer = stream->name,
		.local = next,
		.cause = strerror(error) });
	free(next);
	return IO_OK;
}

bool
reach_repeat(struct reach *reach, int fd)
{
	struct iovec message;
	while (unanswered_next(&reach->sent, &message)) {
		if (sys_send(fd, &message, 1, NULL, 0) == -1)
			return false;
		unanswered_advance(&reach->sent);
	}
	return true;
}

void
reach_close(struct reach *reach)
{
	unanswered_drop(&reach->sent);
}
