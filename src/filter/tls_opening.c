#include "filter/tls_opening.h"

#include "base/clock.h"
#include "filter/tls_handshake.h"

/* The time for the peer to end after a handshake that has failed here. */
#define TLS_OPENING_PARTING CLOCK_SECOND

/* Ends the connection in order, within the time. */
static enum io
tls_opening_part(struct tls_opening *opening, struct stream *stream, struct tls_link *link,
	int64_t now, struct fault *fault)
{
	if (now < opening->deadline &&
		tls_link_part(link, &opening->failure, &stream->read) == IO_AGAIN)
		return IO_AGAIN;
	fault_move(fault, &opening->failure);
	return IO_FAIL;
}

/* The handshake has failed. `refused`: an alert says why. */
static enum io
tls_opening_fail(struct tls_opening *opening, struct stream *stream, struct tls_link *link,
	bool refused, int64_t now, struct fault *fault)
{
	tls_handshake_explain(stream, &link->input, &link->failure, fault);
	if (!refused)
		return tls_link_fail(link);
	fault_move(&opening->failure, fault);
	opening->parts = true;
	opening->deadline = clock_earlier(opening->deadline, clock_after(now, TLS_OPENING_PARTING));
	return tls_opening_part(opening, stream, link, now, fault);
}

/* The handshake is over. */
static bool
tls_opening_establish(struct tls_opening *opening, const struct stream *stream, struct fault *fault)
{
	opening->established = true;
	tls_handshake_report(opening->config->tls, opening->session, stream->name);
	return tls_handshake_save(opening->config, opening->session, fault);
}

enum io
tls_opening_step(struct tls_opening *opening, struct stream *stream, struct tls_link *link,
	int64_t now, struct fault *fault)
{
	const struct tls_ops *ops = opening->config->tls->ops;
	uint64_t written = link->written;
	if (opening->parts)
		return tls_opening_part(opening, stream, link, now, fault);
	tls_link_begin(link);
	enum io result = opening->established ? IO_OK : ops->handshake(opening->session, fault);
	/* Also the alert of a handshake that has failed. */
	enum io flushed = tls_link_flush(link, &link->failure);
	stream_follow(stream);
	stream->buffered |= !tls_link_is_empty(link);
	if (result == IO_FAIL || flushed == IO_FAIL)
		return tls_opening_fail(opening, stream, link,
			flushed != IO_FAIL && link->written > written, now, fault);
	if (result == IO_OK && !opening->established &&
		!tls_opening_establish(opening, stream, fault))
		return IO_FAIL;
	if (result == IO_OK && flushed == IO_OK) {
		stream->ready = ops->pending(opening->session);
		return IO_OK;
	}
	if (flushed == IO_AGAIN)
		stream->read = stream->lower->write;
	else if (tls_link_goes_on(link))
		stream->read.at = STREAM_NOW;
	if (now < opening->deadline)
		return IO_AGAIN;
	(void)fault_set(fault, STATUS_TIMEOUT, 0, "TLS handshake with %s: timed out", stream->name);
	return tls_link_fail(link);
}

void
tls_opening_ask(
	const struct tls_opening *opening, const struct stream *stream, struct pollset *pollset)
{
	(void)stream_ask(&stream->read, pollset);
	pollset_until(pollset, opening->deadline);
}
