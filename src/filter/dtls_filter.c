#include "filter/dtls_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "filter/dtls_path.h"
#include "filter/filter.h"
#include "filter/tls_handshake.h"
#include "stream/batch.h"

/* The space for one read of the stream below, and the most messages of a read of the filter. */
#define DTLS_FILTER_SPACE (4 * BATCH_SLOT)
#define DTLS_FILTER_BATCH 64

struct dtls_filter {
	struct tls_filter_config config;
	struct stream *lower;
	void *session; /* the plug-in's; NULL: made at the first step of opening */
	int64_t deadline;
	int64_t again; /* when a retransmission is due */
	bool established;
	bool sends_data;             /* a message is being written: its datagram is not lost here */
	bool has_read;               /* the stream below was read in this operation */
	enum io below;               /* what that has returned */
	unsigned char *space;        /* owned; NULL before the first step of opening */
	struct iovec single;         /* the datagrams in it, if there is one only */
	const struct iovec *arrived; /* those that were not given to the library yet */
	size_t left;
	struct iovec messages[DTLS_FILTER_BATCH]; /* those of the last read of the filter */
	size_t path; /* the most bytes of a datagram of the handshake */
	size_t message_max;
	struct fault failure; /* of the stream below, in a call of the library */
	enum io ended;        /* IO_END, IO_FAIL: what further reads return */
	struct fault ending;  /* of the next read that has no message before it */
};

/* --- the stream below, as the library uses it --- */

/* The stream below has failed: whether that is since the path takes less than was known, so that
 * the handshake goes on with smaller datagrams. */
static bool
dtls_filter_narrows(struct dtls_filter *filter)
{
	size_t path = dtls_path_find(filter->lower, !filter->established);
	if (filter->established || path >= filter->path)
		return false;
	filter->path = path;
	fault_clear(&filter->failure);
	filter->config.tls->ops->set_datagram_max(filter->session, path);
	return true;
}

/* Reads the next datagrams. */
static enum io
dtls_filter_fetch(struct dtls_filter *filter)
{
	struct iovec piece = { filter->space, DTLS_FILTER_SPACE };
	size_t got = 0;
	if (filter->has_read)
		return IO_AGAIN;
	filter->has_read = true;
	filter->below = stream_read(filter->lower, &piece, 1, &got, &filter->failure);
	if (filter->below == IO_FAIL && dtls_filter_narrows(filter))
		return IO_AGAIN;
	if (filter->below != IO_OK)
		return filter->below;
	const struct stream_loan *loan = &filter->lower->loan;
	filter->single = (struct iovec){ filter->space, got };
	filter->arrived = loan->messages != NULL ? loan->messages : &filter->single;
	filter->left = loan->messages != NULL ? loan->count : 1;
	return IO_OK;
}

static enum io
dtls_filter_receive(void *state, void *bytes, size_t size, size_t *got)
{
	struct dtls_filter *filter = state;
	for (*got = 0; *got == 0;) {
		enum io result = filter->left == 0 ? dtls_filter_fetch(filter) : IO_OK;
		if (result != IO_OK)
			return result;
		/* Empty ones are no records. */
		*got = filter->arrived->iov_len < size ? filter->arrived->iov_len : size;
		memcpy(bytes, filter->arrived->iov_base, *got);
		filter->arrived++;
		filter->left--;
	}
	return IO_OK;
}

/* What is not data and cannot be sent now is lost, as in the network: the library sends it again.
 */
static enum io
dtls_filter_send(void *state, const void *bytes, size_t size, size_t *put)
{
	struct dtls_filter *filter = state;
	struct iovec piece = { (void *)(uintptr_t)bytes, size };
	size_t taken = 0;
	enum io result = stream_write(filter->lower, &piece, 1, &taken, &filter->failure);
	if (result == IO_AGAIN && filter->sends_data)
		return IO_AGAIN;
	*put = size;
	return result == IO_FAIL && !dtls_filter_narrows(filter) ? IO_FAIL : IO_OK;
}

/* --- the filter --- */

/* States the sides after an operation. */
static void
dtls_filter_follow(struct stream *stream)
{
	const struct dtls_filter *filter = stream->impl;
	struct stream_loan loan = stream->loan;
	stream_follow(stream);
	stream->loan = loan;
	stream->caps.message_max = filter->message_max;
}

/* Whether another read may return something, whatever the stream below has. */
static bool
dtls_filter_is_ready(const struct dtls_filter *filter)
{
	return filter->left > 0 || filter->ended != IO_OK ||
		filter->config.tls->ops->pending(filter->session);
}

static bool
dtls_filter_start(struct stream *stream, int64_t now, struct fault *fault)
{
	struct dtls_filter *filter = stream->impl;
	const struct tls_filter_config *config = &filter->config;
	const struct tls_ops *ops = config->tls->ops;
	const struct tls_bottom bottom = { filter, dtls_filter_receive, dtls_filter_send };
	filter->deadline = tls_filter_deadline(config, now);
	filter->space = malloc(DTLS_FILTER_SPACE);
	if (filter->space == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "TLS with %s", stream->name);
	if (filter->session != NULL)
		ops->set_bottom(filter->session, &bottom, stream->name);
	else
		filter->session = ops->session_new(
			config->tls->context, &bottom, stream->name, config->name, fault);
	if (filter->session == NULL)
		return false;
	filter->path = dtls_path_find(filter->lower, true);
	ops->set_datagram_max(filter->session, filter->path);
	return true;
}

/* The handshake is over. */
static bool
dtls_filter_establish(struct stream *stream, struct fault *fault)
{
	struct dtls_filter *filter = stream->impl;
	const struct tls_ops *ops = filter->config.tls->ops;
	filter->established = true;
	ops->set_datagram_max(filter->session, dtls_path_find(filter->lower, false));
	filter->message_max = ops->message_max(filter->session);
	tls_handshake_report(filter->config.tls, filter->session, stream->name);
	return tls_handshake_save(&filter->config, filter->session, fault);
}

/* The time of the handshake is over. Records that another key has encrypted are ignored. */
static void
dtls_filter_time_out(const struct stream *stream, struct fault *fault)
{
	const struct dtls_filter *filter = stream->impl;
	struct tls_facts facts;
	filter->config.tls->ops->describe(filter->session, &facts);
	(void)fault_set(fault, STATUS_TIMEOUT, 0, "TLS handshake with %s: timed out", stream->name);
	if (facts.psk != NULL)
		fault_add(fault, "; do both sides have the same key for '%s'?", facts.psk);
}

static enum io
dtls_filter_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	static const struct tls_handshake_input nothing;
	struct dtls_filter *filter = stream->impl;
	const struct tls_ops *ops = filter->config.tls->ops;
	int64_t span = 0;
	(void)pollset;
	if (filter->space == NULL && !dtls_filter_start(stream, now, fault))
		return IO_FAIL;
	filter->has_read = false;
	enum io result = ops->retransmit(filter->session, fault);
	if (result != IO_FAIL)
		result = ops->handshake(filter->session, fault);
	if (result == IO_OK && !dtls_filter_establish(stream, fault))
		return IO_FAIL;
	dtls_filter_follow(stream);
	/* The library may have kept messages that came before the end of the handshake. */
	stream->ready = result == IO_OK;
	if (result == IO_FAIL)
		tls_handshake_explain(stream, &nothing, &filter->failure, fault);
	if (result != IO_AGAIN)
		return result;
	if (now >= filter->deadline) {
		dtls_filter_time_out(stream, fault);
		return IO_FAIL;
	}
	filter->again = ops->timer(filter->session, &span) ? clock_after(now, span) : CLOCK_NEVER;
	return IO_AGAIN;
}

static void
dtls_filter_ask(const struct stream *stream, struct pollset *pollset)
{
	const struct dtls_filter *filter = stream->impl;
	(void)stream_ask(&stream->read, pollset);
	/* A stream without a descriptor has more. */
	if (stream_is_ready(stream->lower))
		pollset_until(pollset, STREAM_NOW);
	pollset_until(pollset, filter->deadline);
	pollset_until(pollset, filter->again);
}

/* Reads messages into the space, while it has room for any and they have arrived; returns their
 * number, with their bytes in *got. */
static size_t
dtls_filter_fill(struct stream *stream, const struct iovec *space, enum io *result, size_t *got)
{
	struct dtls_filter *filter = stream->impl;
	size_t count = 0;
	*result = IO_OK;
	while (count < DTLS_FILTER_BATCH && space->iov_len - *got >= TLS_MESSAGE_MAX) {
		unsigned char *at = (unsigned char *)space->iov_base + *got;
		size_t n = 0;
		*result = filter->config.tls->ops->read(
			filter->session, at, space->iov_len - *got, &n, &filter->ending);
		if (*result != IO_OK)
			break;
		filter->messages[count++] = (struct iovec){ at, n };
		*got += n;
	}
	return count;
}

static enum io
dtls_filter_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct dtls_filter *filter = stream->impl;
	enum io result = filter->ended;
	size_t messages = 0;
	(void)count;
	*got = 0;
	filter->has_read = false;
	filter->below = IO_AGAIN;
	if (result == IO_OK)
		messages = dtls_filter_fill(stream, pieces, &result, got);
	/* The end of the stream below is that of a peer of a listener, by the listener. */
	if (result == IO_FAIL && !fault_is_set(&filter->ending)) {
		result = filter->below == IO_END ? IO_END : IO_FAIL;
		fault_move(&filter->ending, &filter->failure);
		if (result == IO_FAIL && !fault_is_set(&filter->ending))
			(void)fault_set(&filter->ending, STATUS_RECEIVE, 0,
				"receive from %s: the TLS library failed", stream->name);
	}
	if (result == IO_END || result == IO_FAIL)
		filter->ended = result;
	dtls_filter_follow(stream);
	stream->loan = (struct stream_loan){ .messages = filter->messages,
		.count = messages,
		.needs = messages == 0 && result == IO_OK ? TLS_MESSAGE_MAX : 0,
		.from = stream->lower->loan.from };
	stream->ready = messages > 0 && dtls_filter_is_ready(filter);
	if (messages > 0)
		return IO_OK;
	/* A time, since more may have arrived. */
	if (result == IO_AGAIN && filter->below == IO_OK)
		stream->read.at = STREAM_NOW;
	if (result == IO_FAIL)
		fault_move(fault, &filter->ending);
	return result == IO_OK ? IO_AGAIN : result;
}

/* Why a message cannot be sent: it is empty, which the library does not send, or too long; or the
 * peer has closed. False: it can. */
static bool
dtls_filter_refuses(const struct stream *stream, size_t length, struct fault *fault)
{
	const struct dtls_filter *filter = stream->impl;
	if (length == 0)
		(void)fault_set(fault, STATUS_FRAMING, 0,
			"send to %s: an empty message, which OpenSSL cannot send with DTLS",
			stream->name);
	else if (length > filter->message_max)
		(void)fault_set(fault, STATUS_FRAMING, 0,
			"send to %s: a message of %zu bytes: more than DTLS can send (at most %zu "
			"bytes)",
			stream->name, length, filter->message_max);
	else if (filter->ended == IO_END)
		(void)fault_set(fault, STATUS_SEND, 0, "send to %s: the peer has closed (DTLS)",
			stream->name);
	return fault_is_set(fault);
}

static enum io
dtls_filter_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct dtls_filter *filter = stream->impl;
	enum io result = IO_OK;
	filter->sends_data = true;
	for (*put = 0; *put < (size_t)count && result == IO_OK;) {
		const struct iovec *piece = &pieces[*put];
		size_t n = 0;
		if (dtls_filter_refuses(stream, piece->iov_len, fault))
			result = IO_FAIL;
		else
			result = filter->config.tls->ops->write(
				filter->session, piece->iov_base, piece->iov_len, &n, fault);
		*put += result == IO_OK;
	}
	filter->sends_data = false;
	if (result == IO_FAIL && !fault_is_set(fault))
		fault_move(fault, &filter->failure);
	dtls_filter_follow(stream);
	return result == IO_AGAIN && *put > 0 ? IO_OK : result;
}

static void
dtls_filter_close(struct stream *stream, bool clean)
{
	struct dtls_filter *filter = stream->impl;
	const struct tls_ops *ops = filter->config.tls->ops;
	struct fault ignored = FAULT_NONE;
	if (clean && stream->opened)
		(void)ops->shut(filter->session, &ignored);
	if (filter->session != NULL)
		ops->session_free(filter->session);
	fault_clear(&ignored);
	fault_clear(&filter->failure);
	fault_clear(&filter->ending);
	free(filter->space);
}

/* No shut: see dtls_filter.h. */
static const struct stream_ops dtls_filter_ops = {
	.open = dtls_filter_open,
	.ask = dtls_filter_ask,
	.read = dtls_filter_read,
	.write = dtls_filter_write,
	.close = dtls_filter_close,
};

bool
dtls_filter_add(struct stream **top, const struct tls_filter_config *config, void *session,
	struct fault *fault)
{
	struct stream *stream =
		filter_add(top, &dtls_filter_ops, sizeof(struct dtls_filter), fault);
	if (stream == NULL) {
		if (session != NULL)
			config->tls->ops->session_free(session);
		return false;
	}
	struct dtls_filter *filter = stream->impl;
	filter->config = *config;
	filter->lower = stream->lower;
	filter->session = session;
	filter->again = CLOCK_NEVER;
	filter->ended = IO_OK;
	return true;
}

bool
dtls_filter_describe(const struct stream *top, struct tls_facts *facts)
{
	while (top != NULL && top->ops != &dtls_filter_ops)
		top = top->lower;
	const struct dtls_filter *filter = top != NULL ? top->impl : NULL;
	if (filter == NULL || !filter->established)
		return false;
	filter->config.tls->ops->describe(filter->session, facts);
	return true;
}
