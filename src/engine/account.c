/* The account of a session; see account.h. */
#include "engine/account.h"

#include <errno.h>

#include "base/clock.h"
#include "net/tcp_state.h"
#include "stream/lender.h"
#include "sys/sys.h"

/* The flow from the peer: an echoed session has one flow, from the peer to the peer. */
static const struct flow *
account_from_peer(const struct session *session)
{
	const struct relay *relay = &session->relay;
	return relay->rules.receive ? &relay->in : &relay->out;
}

/* Datagrams that the kernel dropped before they were read. */
static uint64_t
account_dropped(const struct stream *stream)
{
	uint64_t count = 0;
	return stream->caps.messages && sys_dropped(stream->read.fd, &count) ? count : 0;
}

struct event
account_counts(enum event_kind kind, const struct session *session)
{
	const struct relay *relay = &session->relay;
	const struct stream *remote = session->remote;
	const struct stream_stats *stats = stream_stats(remote);
	const struct flow *in = account_from_peer(session);
	/* Discarded data is counted in bytes. */
	bool whole = relay->in.channel.framed != NULL;
	/* The operator's messages of other clients are queued at the remote side. */
	const struct lender *lender = session->local != NULL && session->local->caps.lender != NULL
		? session->local->caps.lender
		: remote->caps.lender;
	struct event event = {
		.kind = kind,
		.peer = remote->name,
		.sent = relay->out.written - stats->unsent_bytes,
		.received = in->channel.framed != NULL ? in->channel.taken : in->written,
		.messages_sent = whole || relay->out.channel.framed != NULL ? relay->out.reads : 0,
		.messages_received = in->channel.framed != NULL ? in->reads : 0,
		.skipped = relay->out.channel.skipped + relay->in.channel.skipped,
		.truncated = relay->out.channel.truncated + relay->in.channel.truncated,
		.slow = lender != NULL ? lender->dropped : 0,
		.untaken = stats->left_out,
		.ignored = stats->ignored,
		.unsent = stats->unsent,
	};
	event.dropped = account_dropped(remote) +
		(session->local != NULL ? account_dropped(session->local) : 0);
	return event;
}

static uint64_t
account_rate(uint64_t bytes, uint64_t nanoseconds)
{
	return nanoseconds == 0
		? 0
		: (uint64_t)((double)bytes * (double)CLOCK_SECOND / (double)nanoseconds);
}

/* How a direction ended at its source. */
static const char *
account_end(const struct flow *flow, int broken)
{
	if (flow->eof)
		return "eof";
	if (broken == ECONNRESET || broken == EPIPE)
		return "reset";
	return broken != 0 || flow->ended_at != 0 ? "error" : "open";
}

/* Which side ended first; NULL: none did. */
static const char *
account_first(const struct flow *from_peer, const struct flow *from_local, int broken)
{
	bool local = from_local != NULL && from_local->ended_at != 0;
	if (from_peer->ended_at == 0)
		return local ? "local" : broken != 0 ? "peer" : NULL;
	return local && from_local->ended_at <= from_peer->ended_at ? "local" : "peer";
}

void
account_add(struct event *event, const struct session *session)
{
	const struct relay *relay = &session->relay;
	const struct flow *from_peer = account_from_peer(session);
	const struct flow *from_local =
		relay->rules.send && from_peer == &relay->in ? &relay->out : NULL;
	int broken = stream_stats(session->remote)->broken;
	event->duration = (uint64_t)(clock_now() - session->began);
	event->send_rate = account_rate(event->sent, event->duration);
	event->receive_rate = account_rate(event->received, event->duration);
	event->ended_first = account_first(from_peer, from_local, broken);
	event->ended_peer = account_end(from_peer, broken);
	event->ended_local = from_local != NULL ? account_end(from_local, 0) : NULL;
	event->protocol = session->run->config->transport->name;
	if (session->remote->write.fd != -1)
		tcp_state_add(event, session->run->config->transport, session->remote->write.fd);
}

bool
account_has_ended(const struct session *session)
{
	return account_from_peer(session)->eof;
}

void
account_report_ends(struct session *session)
{
	const struct relay *relay = &session->relay;
	const struct event event = { .kind = EVENT_half_closed, .peer = session->remote->name };
	if (!event_reports())
		return;
	if (!session->peer_ended && account_from_peer(session)->eof) {
		struct event peer = event;
		peer.by = "peer";
		session->peer_ended = true;
		event_emit(&peer);
	}
	if (!session->local_ended && relay->rules.send && relay->out.half_close &&
		relay->out.state >= FLOW_SHUTTING) {
		struct event local = event;
		local.by = "local";
		session->local_ended = true;
		event_emit(&local);
	}
}
