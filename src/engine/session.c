/* One session; see session.h. */
#include "engine/session.h"

#include <stdlib.h>

#include "base/clock.h"
#include "flow/relay.h"
#include "engine/account.h"
#include "engine/rules.h"
#include "engine/service.h"
#include "program/child.h"
#include "program/exec.h"
#include "filter/capture_filter.h"
#include "stream/socket.h"
#include "filter/proxy_server.h"
#include "filter/telnet.h"
#include "filter/tls_filter.h"
#include "sys/sys.h"

void
session_report(enum event_kind kind, bool lost, const struct session *session)
{
	const struct config *config = session->run->config;
	const struct stream *remote = session->remote;
	const struct stream_stats *stats = stream_stats(remote);
	const struct fault *cause = &session->relay.cause;
	bool ended = kind != EVENT_session_stats;
	struct event event = account_counts(kind, session);
	if (event_reports() || config->stats)
		account_add(&event, session);
	if (ended) {
		event.status = (uint64_t)cause->status;
		event.cause = cause->text;
	}
	event.always = lost ||
		event.skipped + event.truncated + event.slow + event.untaken + event.unsent > 0;
	event_emit(&event);
	if (ended && config->stats) {
		event.kind = EVENT_session_summary;
		event.always = true;
		event_emit(&event);
	}
	if (stats->retried > 0)
		event_emit(&(struct event){ .kind = EVENT_session_retried,
			.peer = remote->name,
			.count = stats->retried });
}

void
session_report_progress(const struct session *session)
{
	if (session->connects && !session->connected)
		event_emit(
			&(struct event){ .kind = EVENT_connecting, .peer = session->remote->name });
	else
		session_report(EVENT_session_stats, false, session);
}

/* The end of the time to open the side that is opening; its dial has the same deadline. */
static int64_t
session_deadline(const struct session *session)
{
	return clock_after(session->relay.out.moved_at, session->run->config->wait);
}

/* The bottom of the remote side is open: sets it up, and adds the filters. */
static bool
session_set_up(struct session *session, struct fault *fault)
{
	const struct config *config = session->run->config;
	struct stream *remote = session->remote;
	session->connected = true;
	/* The operator is not a peer. */
	if (remote->caps.lender != NULL)
		return true;
	if (remote->write.fd != -1) {
		if (!sockopt_apply(
			    &config->sockopts, remote->write.fd, SOCKOPT_CONNECTED, false, fault))
			return false;
		if (config->transport->tcp && rules_wait_for_peer(config))
			socket_probe(remote->write.fd);
		/* The largest message depends on the send buffer. */
		if (remote->caps.message_max > 0)
			remote->caps.message_max =
				transport_message_max(config->transport, remote->write.fd) -
				remote->caps.overhead;
	}
	struct tls_filter_config tls = config->tls;
	tls.by = session_deadline(session);
	tls.begun = session->greeted;
	session->greeted = NULL;
	return tls_filter_add(&session->remote, &tls, fault) &&
		proxy_server_add(&session->remote, &config->proxy_server, fault) &&
		(!config->telnet || telnet_add(&session->remote, fault)) &&
		capture_filter_add(
			&session->remote, &session->run->engine.capture, &session->captured, fault);
}

static enum io
session_open_local(struct session *session, const struct service_context *context,
	const struct pollset *pollset, struct fault *fault)
{
	const struct service *service = context->config->service;
	struct stream *remote = session->remote;
	if (session->local == NULL) {
		if (service->init == NULL)
			return IO_OK;
		/* Filters may have been added to it since. */
		struct service_context current = *context;
		current.remote = remote;
		current.retried = &session->retried;
		session->local = service->init(&current, fault);
		if (session->local == NULL)
			return IO_FAIL;
		session->relay.out.moved_at = context->now;
		/* Datagram peers have no hang-up. */
		if (!remote->caps.endless)
			remote->hangup.fd = remote->write.fd;
	}
	enum io result = stream_open(session->local, pollset, context->now, fault);
	/* From now on a hang-up is found by reading up to the end. */
	if (result == IO_OK)
		remote->hangup.fd = -1;
	return result;
}

/* The local side, which may be the peer itself; before, the side that is opening. */
static struct stream *
session_local(const struct session *session)
{
	return session->local != NULL ? session->local : session->remote;
}

/* Both sides are open: starts the relay. */
static bool
session_begin(struct session *session, int64_t now, struct fault *fault)
{
	const struct config *config = session->run->config;
	struct stream *local = session_local(session);
	const struct relay_rules rules = rules_make(config, local);
	notice_open(&session->notice, config, session->connects);
	if (!relay_open(&session->relay, local, session->remote, &rules, now, fault))
		return false;
	session->state = SESSION_RELAYING;
	progress_add(&session->run->progress, session, now);
	return true;
}

/*
 * Checks a client's connection that has an error or was hung up while the local side opens. True
 * if the client has left: by a reset, which is a failure, or by closing a Unix socket without
 * sending. Data sent before the close is still delivered. Over TCP a close looks like a half-close.
 */
static bool
session_has_left(struct session *session)
{
	struct stream *remote = session->remote;
	size_t unread;
	if (stream_take_verdict(session_local(session), &session->fault))
		return true;
	enum io result = stream_look(remote, &session->fault);
	if (result != IO_AGAIN)
		return result == IO_FAIL;
	/* FIONREAD does not count empty messages. */
	if (remote->caps.messages || !sys_readable(remote->read.fd, &unread) || unread > 0)
		return false;
	event_emit(&(struct event){
		.kind = EVENT_client_left, .peer = remote->name, .object = session->local->name });
	return true;
}

bool
session_open(struct session *session, const struct service_context *context,
	const struct pollset *pollset)
{
	int64_t now = context->now;
	struct fault *fault = &session->fault;
	if (pollset == NULL)
		session->relay.out.moved_at = session->began = now;
	else if (fault_is_set(fault) ||
		(pollset_fired(pollset, session->watch_entry) && session_has_left(session)))
		return true;
	enum io result = stream_open(session->remote, pollset, now, fault);
	if (result == IO_OK && !session->connected)
		result = session_set_up(session, fault)
			? stream_open(session->remote, pollset, now, fault)
			: IO_FAIL;
	if (result == IO_OK && session->held)
		return false;
	if (result == IO_OK)
		result = session_open_local(session, context, pollset, fault);
	if (result == IO_OK)
		return !session_begin(session, now, fault);
	if (result == IO_AGAIN && session_local(session)->caps.retries)
		session->relay.out.moved_at = now;
	if (result == IO_AGAIN && now >= session_deadline(session) &&
		!stream_take_verdict(session_local(session), fault))
		(void)fault_set(fault, STATUS_TIMEOUT, 0, "%s %s: timed out",
			session->connects || session->local != NULL ? "connect" : "accept",
			session_local(session)->name);
	return fault_is_set(fault);
}

void
session_ask(struct session *session, struct pollset *pollset, int64_t now)
{
	const struct stream *remote = session->remote;
	if (session->state == SESSION_RELAYING) {
		relay_ask(&session->relay, pollset, now);
		notice_ask(&session->notice, pollset);
	} else if (session->state == SESSION_SETTLING) {
		(void)stream_ask(&session->settles->write, pollset);
	} else if (session_is_held(session)) {
		session->watch_entry = POLLSET_NONE;
	} else if (session->state == SESSION_AWAITING && fault_is_set(&session->fault)) {
		pollset_until(pollset, session->status_by);
	} else if (session->state == SESSION_OPENING) {
		pollset_until(pollset, session_deadline(session));
		stream_ask_open(session_local(session), pollset);
		/* Do not watch again after a hang-up: it would fire in every turn. */
		session->watch_entry = remote->opened && remote->hangup.at == 0
			? stream_ask(&remote->hangup, pollset)
			: POLLSET_NONE;
	}
}

/* Whether the relay ended well. Silence is the normal end of one of many datagram peers. */
static bool
session_is_complete(const struct session *session)
{
	enum status status = session->relay.cause.status;
	return status == STATUS_OK ||
		(status == STATUS_TIMEOUT && session->remote->caps.endless &&
			session->run->config->keep_open && !session_holds(session));
}

/* The relay has ended. True when the result of a good session is permanent, or has failed. */
static bool
session_settle(struct session *session)
{
	struct relay *relay = &session->relay;
	struct fault fault = FAULT_NONE;
	if (!session_is_complete(session))
		return true;
	/* The relay does not if silence has ended it. */
	if (relay_check(relay, &fault)) {
		enum io result = stream_settle(&session->settles, &fault);
		if (result != IO_FAIL)
			return result == IO_OK;
	}
	fault_clear(&relay->cause);
	fault_move(&relay->cause, &fault);
	relay->clean = false;
	return true;
}

/* The relay has ended: sets the result. */
static void
session_conclude(struct session *session, int64_t now)
{
	enum status status = session->relay.cause.status;
	bool left = session->relay.rules.until_peer_leaves && !session->remote->caps.endless &&
		(status == STATUS_SEND || status == STATUS_RECEIVE);
	notice_close(&session->notice, &session->relay);
	progress_remove(&session->run->progress, session);
	digests_report(&session->run->digests, &session->relay, session->remote->name);
	session_report(EVENT_session_closed, false, session);
	if (!left && !fault_is_set(&session->fault))
		fault_move(&session->fault, &session->relay.cause);
	if (!fault_is_set(&session->fault))
		(void)digests_write(&session->run->digests, &session->relay, session->id,
			&session->peer, &session->fault);
	session->state = SESSION_AWAITING;
	session->status_by = clock_after(now, CHILD_GRACE);
}

/* Whether the connection has failed after all output of the program was read: what the peer did
 * then does not explain the program's status. */
static bool
session_failed_later(const struct session *session)
{
	enum status status = session->fault.status;
	return (status == STATUS_SEND || status == STATUS_RECEIVE) && session->relay.out.eof;
}

/* Whether the program has ended whose status is that of the run, or is not awaited any more. */
static bool
session_has_status(struct session *session, int64_t now)
{
	int status = 0;
	bool failed = fault_is_set(&session->fault);
	/* There is no program yet. */
	if (session->state != SESSION_AWAITING)
		return failed;
	if (!exec_has_ended(session->local, &status))
		return failed && (!session_failed_later(session) || now >= session->status_by);
	if (status != 0 && (!failed || session_failed_later(session))) {
		fault_clear(&session->fault);
		(void)fault_set_quiet(&session->fault, (enum status)status);
	}
	return true;
}

bool
session_step(struct session *session, const struct pollset *pollset, int64_t now)
{
	if (session->state == SESSION_RELAYING) {
		bool over = relay_step(&session->relay, pollset, now);
		notice_step(&session->notice, &session->relay, now);
		account_report_ends(session);
		if (!over)
			return false;
		session->state = SESSION_SETTLING;
		session->settles = session->local;
	}
	if (session->state == SESSION_SETTLING) {
		if (!session_settle(session))
			return false;
		if (!session->run->config->program.status)
			return true;
		session_conclude(session, now);
	}
	return session_has_status(session, now);
}

void
session_fail(struct session *session, struct fault *fault, int64_t now)
{
	if (session->state == SESSION_RELAYING)
		relay_fail(&session->relay, fault, now);
	else
		fault_move(session->state == SESSION_SETTLING ? &session->relay.cause
							      : &session->fault,
			fault);
}

void
session_interrupt(struct session *session, int signal, int64_t now)
{
	struct fault fault = FAULT_NONE;
	capture_release(&session->run->engine.capture);
	(void)fault_set_signal(&fault, signal);
	session_fail(session, &fault, now);
}

void
session_look(struct session *session, int64_t now)
{
	flow_look(&session->relay.out, now);
	flow_look(&session->relay.in, now);
}

int64_t
session_moved_at(const struct session *session)
{
	/* There are no flows yet. */
	if (session->state == SESSION_OPENING)
		return session->relay.out.moved_at;
	int64_t out = flow_idle_since(&session->relay.out);
	int64_t in = flow_idle_since(&session->relay.in);
	return out > in ? out : in;
}

bool
session_holds(const struct session *session)
{
	const struct relay *relay = &session->relay;
	return relay->out.read != relay->out.written || relay->in.read != relay->in.written;
}

bool
session_end(struct session *session, struct fault *fault)
{
	if (session->state == SESSION_RELAYING || session->state == SESSION_SETTLING)
		session_conclude(session, clock_now());
	fault_move(fault, &session->fault);
	return !fault_is_set(fault);
}

void
session_close(struct session *session)
{
	if (session->progress.listed)
		progress_remove(&session->run->progress, session);
	relay_close(&session->relay);
	fault_clear(&session->fault);
	stream_close(session->local, session->relay.clean);
	/* A handshake that has failed ends with an alert, which a reset could destroy. */
	bool alerted = session->connected && !session->remote->opened &&
		!stream_stats(session->remote)->silent;
	stream_close(session->remote, session->relay.clean || alerted);
	if (session->greeted != NULL)
		session->run->config->tls.tls->ops->session_free(session->greeted);
	free(session->header);
}
