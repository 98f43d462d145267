#include "filter/tls_filter.h"

#include <errno.h>
#include <inttypes.h>

#include "filter/dtls_filter.h"
#include "filter/filter.h"
#include "filter/starttls_filter.h"
#include "filter/tls_link.h"
#include "filter/tls_opening.h"

struct tls_filter {
	struct tls_filter_config config;
	void *session; /* the plug-in's; NULL before the first step of opening */
	struct tls_opening opening;
	struct tls_link link;
	bool shut;           /* close_notify is in the queue, or sent */
	bool confirmed;      /* it, and all before, has arrived as far as the stream below knows */
	bool read_waits;     /* the read waits until the queue can be written */
	enum io ended;       /* IO_END, IO_FAIL: what further reads return */
	struct fault ending; /* of the next read that has no data before it */
	uint64_t received;   /* bytes of data */
};

/* States the sides after an operation. After close_notify no read would notice the end of the
 * stream below, or a reset: the watch for the reader does. */
static void
tls_filter_follow(struct stream *stream)
{
	const struct tls_filter *filter = stream->impl;
	stream_follow(stream);
	stream->buffered |= !tls_link_is_empty(&filter->link);
	if (filter->ended == IO_END && !filter->link.ended)
		stream->hangup = stream->lower->read;
	if (filter->read_waits) {
		stream->read = stream->lower->write;
		stream->read.splice = -1;
		stream->read.draining = stream->lower->read.draining;
	}
}

static bool
tls_filter_start(struct stream *stream, int64_t now, struct fault *fault)
{
	struct tls_filter *filter = stream->impl;
	const struct tls_filter_config *config = &filter->config;
	const struct tls_bottom bottom = tls_link_bottom(&filter->link);
	/* The mark would count encrypted bytes, of which the library reads less than the mark. */
	for (struct stream *lower = stream->lower; lower != NULL; lower = lower->lower)
		lower->caps.lowat = NULL;
	filter->session = config->tls->ops->session_new(
		config->tls->context, &bottom, stream->name, config->name, fault);
	filter->opening = (struct tls_opening){ .config = config,
		.session = filter->session,
		.deadline = tls_filter_deadline(config, now) };
	return filter->session != NULL;
}

static enum io
tls_filter_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct tls_filter *filter = stream->impl;
	(void)pollset;
	if (filter->session == NULL && !tls_filter_start(stream, now, fault))
		return IO_FAIL;
	return tls_opening_step(&filter->opening, stream, &filter->link, now, fault);
}

static void
tls_filter_ask(const struct stream *stream, struct pollset *pollset)
{
	const struct tls_filter *filter = stream->impl;
	tls_opening_ask(&filter->opening, stream, pollset);
}

/* The library's read has failed: the cause is the stream below, its end, or what was received. */
static void
tls_filter_explain_read(struct stream *stream, struct fault *fault)
{
	struct tls_filter *filter = stream->impl;
	if (fault_is_set(fault))
		return;
	if (fault_is_set(&filter->link.failure))
		fault_move(fault, &filter->link.failure);
	else
		(void)fault_set(fault, STATUS_CUT, 0,
			"receive from %s: the connection ended without close_notify after %" PRIu64
			" bytes",
			stream->name, filter->received);
}

/* A peer that answers and closes without reading close_notify resets the connection, which is no
 * failure if all data has arrived; what it sent before is still read. */
static bool
tls_filter_has_arrived(struct stream *stream)
{
	struct tls_filter *filter = stream->impl;
	bool ended = filter->shut || (filter->ended == IO_END && !filter->link.sent);
	return ended && stream_stats(stream)->broken != 0 && tls_link_has_arrived(&filter->link);
}

/* close_notify has come, and ours has been sent: where nothing acknowledges, a reset tells that the
 * peer has left something unread. IO_END, or IO_FAIL. */
static enum io
tls_filter_check_end(struct stream *stream, struct fault *fault)
{
	if (stream_shut(stream->lower, false, fault) == IO_FAIL && !tls_filter_has_arrived(stream))
		return IO_FAIL;
	fault_clear(fault);
	return IO_END;
}

/* Reads one record into the bytes. */
static enum io
tls_filter_read_record(struct stream *stream, void *bytes, size_t size, size_t *got)
{
	struct tls_filter *filter = stream->impl;
	tls_link_begin(&filter->link);
	enum io result =
		filter->config.tls->ops->read(filter->session, bytes, size, got, &filter->ending);
	if (result == IO_FAIL)
		tls_filter_explain_read(stream, &filter->ending);
	if (result == IO_END && filter->confirmed)
		result = tls_filter_check_end(stream, &filter->ending);
	if (result == IO_OK)
		filter->received += *got;
	else if (result != IO_AGAIN)
		filter->ended = result;
	return result;
}

/* Fills the pieces with what the library has, and with what the stream below has for one record; if
 * that is all that the library has asked for, with more. */
static enum io
tls_filter_fill(struct stream *stream, const struct iovec *pieces, int count, size_t *got)
{
	struct tls_filter *filter = stream->impl;
	enum io result = IO_OK;
	bool more = true;
	for (int i = 0; i < count && more; i++)
		for (size_t at = 0; at < pieces[i].iov_len && more;) {
			size_t n = 0;
			result = tls_filter_read_record(stream,
				(unsigned char *)pieces[i].iov_base + at, pieces[i].iov_len - at,
				&n);
			at += n;
			*got += n;
			more = result == IO_OK &&
				(filter->link.bulk ||
					filter->config.tls->ops->pending(filter->session));
		}
	stream->ready = more || (*got > 0 && filter->ended != IO_OK);
	return *got > 0 ? IO_OK : result;
}

static enum io
tls_filter_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct tls_filter *filter = stream->impl;
	enum io result = filter->ended;
	*got = 0;
	filter->read_waits = stream->ready = false;
	if (result == IO_OK)
		result = tls_filter_fill(stream, pieces, count, got);
	/* Answers to the peer. Whether that fails is found by the next write. */
	if (result != IO_FAIL)
		(void)tls_link_flush(&filter->link, &filter->link.failure);
	if (result == IO_FAIL)
		fault_move(fault, &filter->ending);
	bool queued = !tls_link_is_empty(&filter->link);
	filter->read_waits = result == IO_AGAIN && filter->link.full && queued;
	tls_filter_follow(stream);
	if (result == IO_AGAIN && tls_link_goes_on(&filter->link))
		stream->read.at = STREAM_NOW;
	else if (result != IO_FAIL && queued && !filter->read_waits && !stream->read.draining)
		tls_link_await_room(&filter->link, &stream->read);
	return result;
}

/* Begins an operation that writes. */
static enum io
tls_filter_begin(struct stream *stream, struct fault *fault)
{
	struct tls_filter *filter = stream->impl;
	if (!fault_is_set(&filter->link.failure))
		return tls_link_flush(&filter->link, fault);
	fault_move(fault, &filter->link.failure);
	return IO_FAIL;
}

/* A write has found that the peer has reset the connection. The alert that says why, which a server
 * of TLS 1.3 sends after the handshake, may have arrived before. */
static void
tls_filter_find_alert(struct stream *stream, struct fault *fault)
{
	struct tls_filter *filter = stream->impl;
	struct fault alert = FAULT_NONE;
	if (filter->ended != IO_OK || stream_stats(stream)->broken == 0 ||
		filter->config.tls->ops->peek(filter->session, &alert) != IO_FAIL ||
		!fault_is_set(&alert))
		return;
	filter->ended = IO_FAIL;
	(void)fault_set(
		&filter->ending, STATUS_RECEIVE, ECONNRESET, "receive from %s", stream->name);
	fault_clear(fault);
	fault_move(fault, &alert);
}

/* Ends it. */
static enum io
tls_filter_end(struct stream *stream, enum io result, struct fault *fault)
{
	struct tls_filter *filter = stream->impl;
	if (result == IO_FAIL) {
		fault_move(fault, &filter->link.failure);
		tls_filter_find_alert(stream, fault);
	}
	tls_filter_follow(stream);
	return result;
}

/* Makes records of the pieces, and writes several at once: each write to a socket wakes its reader.
 * More are made when the stream below has taken these. */
static enum io
tls_filter_put(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct tls_filter *filter = stream->impl;
	enum io result = IO_OK;
	for (int i = 0; i < count && result == IO_OK; i++)
		for (size_t at = 0; at < pieces[i].iov_len && result == IO_OK;) {
			size_t n = 0;
			filter->link.holds = true;
			result = filter->config.tls->ops->write(filter->session,
				(const unsigned char *)pieces[i].iov_base + at,
				pieces[i].iov_len - at, &n, fault);
			filter->link.holds = false;
			filter->link.sent |= n > 0;
			at += n;
			*put += n;
			if (result == IO_OK && tls_link_is_large(&filter->link))
				result = tls_link_flush(&filter->link, fault);
		}
	if (result == IO_OK)
		result = tls_link_flush(&filter->link, fault);
	return result == IO_AGAIN && *put > 0 ? IO_OK : result;
}

static enum io
tls_filter_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct tls_filter *filter = stream->impl;
	bool queued = !tls_link_is_empty(&filter->link);
	*put = 0;
	enum io result = tls_filter_begin(stream, fault);
	if (result == IO_OK && count > 0)
		result = tls_filter_put(stream, pieces, count, put, fault);
	else if (result == IO_OK && !queued)
		result = filter->ended == IO_END && !filter->link.ended
			? tls_link_ignore(&filter->link, fault)
			: stream_look(stream->lower, fault);
	return tls_filter_end(stream, result, fault);
}

/* Sends close_notify. A peer that has sent its own may have closed the connection, and answer with
 * a reset: first awaits the arrival of the data. */
static enum io
tls_filter_notify(struct stream *stream, struct fault *fault)
{
	struct tls_filter *filter = stream->impl;
	if (filter->ended == IO_END) {
		enum io result = stream_shut(stream->lower, false, fault);
		if (result != IO_OK)
			return result;
	}
	tls_link_notify(&filter->link);
	filter->shut = true;
	enum io result = filter->config.tls->ops->shut(filter->session, fault);
	if (result == IO_OK)
		result = tls_link_flush(&filter->link, fault);
	/* A peer that has closed the connection before has read nothing since. */
	filter->link.taken &= result == IO_OK;
	return result;
}

static enum io
tls_filter_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct tls_filter *filter = stream->impl;
	enum io result = tls_filter_begin(stream, fault);
	if (result == IO_OK && half_close && !filter->shut)
		result = tls_filter_notify(stream, fault);
	bool finish = filter->shut && filter->ended == IO_END;
	if (result == IO_OK) {
		result = stream_shut(stream->lower, finish, fault);
		filter->link.finished |= finish && result != IO_FAIL;
	} else if (result == IO_AGAIN && !tls_link_is_empty(&filter->link) &&
		stream_shut(stream->lower, false, fault) == IO_FAIL) {
		result = IO_FAIL;
	}
	if (result == IO_FAIL && tls_filter_has_arrived(stream)) {
		fault_clear(fault);
		fault_clear(&filter->link.failure);
		result = IO_OK;
	}
	filter->confirmed = filter->shut && result == IO_OK;
	return tls_filter_end(stream, result, fault);
}

static void
tls_filter_close(struct stream *stream, bool clean)
{
	struct tls_filter *filter = stream->impl;
	const struct tls_ops *ops = filter->config.tls->ops;
	struct fault ignored = FAULT_NONE;
	/* Not if the handshake has failed here only: the peer would see a clean end. */
	if (clean && stream->opened && !filter->shut)
		(void)ops->shut(filter->session, &ignored);
	/* Also the alert that says why. */
	(void)tls_link_flush(&filter->link, &ignored);
	if (filter->session != NULL)
		ops->session_free(filter->session);
	tls_link_close(&filter->link);
	fault_clear(&filter->opening.failure);
	fault_clear(&filter->ending);
	fault_clear(&ignored);
}

static const struct stream_ops tls_filter_ops = {
	.open = tls_filter_open,
	.ask = tls_filter_ask,
	.read = tls_filter_read,
	.write = tls_filter_write,
	.shut = tls_filter_shut,
	.close = tls_filter_close,
};

bool
tls_filter_add(struct stream **top, const struct tls_filter_config *config, struct fault *fault)
{
	if (config->tls == NULL)
		return true;
	if (config->tls->settings.datagrams)
		return dtls_filter_add(top, config, config->begun, fault);
	if (config->starttls != NULL && !starttls_filter_add(top, config, fault))
		return false;
	struct stream *stream = filter_add(top, &tls_filter_ops, sizeof(struct tls_filter), fault);
	if (stream == NULL)
		return false;
	struct tls_filter *filter = stream->impl;
	filter->config = *config;
	filter->link.lower = stream->lower;
	filter->ended = IO_OK;
	return true;
}

/* Whether the stream is the filter, and its TLS that with the peer. */
static bool
tls_filter_reaches_peer(const struct stream *stream)
{
	const struct tls_filter *filter = stream->impl;
	return stream->ops == &tls_filter_ops && !filter->config.hop;
}

bool
tls_filter_describe(const struct stream *top, struct tls_facts *facts)
{
	const struct stream *stream = top;
	while (stream != NULL && !tls_filter_reaches_peer(stream))
		stream = stream->lower;
	if (stream == NULL)
		return dtls_filter_describe(top, facts);
	const struct tls_filter *filter = stream->impl;
	if (!filter->opening.established)
		return false;
	filter->config.tls->ops->describe(filter->session, facts);
	return true;
}
