#include "filter/starttls_filter.h"

#include "filter/filter.h"
#include "filter/handshake_talk.h"
#include "net/starttls.h"

struct starttls_filter {
	struct tls_filter_config config;
	int64_t deadline;
	struct handshake_talk talk;
	bool started, answered;
};

/* Sets the fault to a cause. */
static enum io
starttls_filter_fault(
	const struct stream *stream, enum status status, const char *cause, struct fault *fault)
{
	const struct starttls_filter *filter = stream->impl;
	return IO_FAULT(fault, status, 0, "STARTTLS (%s) with %s: %s",
		starttls_name(filter->config.starttls), stream->name, cause);
}

static void
starttls_filter_quote(const char *answer, size_t length, struct fault *fault)
{
	fault_add(fault, ": ");
	fault_add_quoted(fault, answer, length);
}

/* The server has refused. */
static enum io
starttls_filter_refuse(const struct stream *stream, struct fault *fault)
{
	const struct starttls_filter *filter = stream->impl;
	const struct handshake *handshake = &filter->talk.handshake;
	size_t length;
	const char *answer = starttls_answer(handshake, &length);
	(void)starttls_filter_fault(stream, STATUS_TLS, handshake->words, fault);
	if (handshake->code > 0)
		fault_add(fault, " (%s %u)", handshake->protocol->code, handshake->code);
	if (length > 0)
		starttls_filter_quote(answer, length, fault);
	return IO_FAIL;
}

/* The answer is missing, or a part of it. */
static enum io
starttls_filter_miss(
	const struct stream *stream, enum status status, const char *cause, struct fault *fault)
{
	const struct starttls_filter *filter = stream->impl;
	const struct handshake *handshake = &filter->talk.handshake;
	size_t length;
	const char *answer = starttls_answer(handshake, &length);
	if (starttls_is_tls(handshake) && !filter->answered)
		return starttls_filter_fault(stream, status, STARTTLS_AT_ONCE, fault);
	(void)starttls_filter_fault(stream, status, cause, fault);
	if (handshake->taken == 0)
		fault_add(fault,
			" without an answer; if the server expects TLS at once, use TLS "
			"without --starttls");
	else if (handshake->in_length > 0 && !filter->answered)
		fault_add(fault, " inside its answer");
	if (length > 0 && answer[0] >= ' ' && !filter->answered)
		starttls_filter_quote(answer, length, fault);
	return IO_FAIL;
}

/* The connection failed, or has ended. */
static enum io
starttls_filter_lost(const struct stream *stream, struct fault *cause, struct fault *fault)
{
	if (fault_is_set(cause))
		fault_move(fault, cause);
	else
		(void)starttls_filter_miss(
			stream, STATUS_TLS, "the server closed the connection", fault);
	return IO_FAIL;
}

static enum io
starttls_filter_start(struct stream *stream, int64_t now, struct fault *fault)
{
	struct starttls_filter *filter = stream->impl;
	const struct handshake_request request = { .host = filter->config.name };
	filter->started = true;
	filter->deadline = tls_filter_deadline(&filter->config, now);
	return handshake_start(&filter->talk.handshake, filter->config.starttls, &request)
		? IO_OK
		: starttls_filter_refuse(stream, fault);
}

/* Data after the answer, before TLS, may be injected (CVE-2011-0411): refuse it. */
static enum io
starttls_filter_check(struct stream *stream, struct fault *cause, struct fault *fault)
{
	char byte;
	size_t got = 0;
	enum io result = filter_receive(stream, &byte, 1, &got, cause);
	if (result == IO_AGAIN)
		return IO_OK;
	return result == IO_OK ? starttls_filter_fault(stream, STATUS_TLS,
					 "the server sent data after its answer", fault)
			       : starttls_filter_lost(stream, cause, fault);
}

static enum io
starttls_filter_talk(struct stream *stream, struct fault *fault)
{
	struct starttls_filter *filter = stream->impl;
	struct fault cause = FAULT_NONE;
	enum io result = IO_OK;
	if (!filter->answered) {
		enum handshake_result taken;
		result = handshake_talk_step(stream, &filter->talk, &taken, &cause);
		filter->answered = result == IO_OK;
		if (result == IO_OK && taken != HANDSHAKE_DONE)
			return starttls_filter_refuse(stream, fault);
	}
	if (result == IO_OK)
		result = handshake_talk_send(stream, &filter->talk, &cause);
	if (result == IO_OK)
		return starttls_filter_check(stream, &cause, fault);
	return result == IO_AGAIN ? IO_AGAIN : starttls_filter_lost(stream, &cause, fault);
}

static enum io
starttls_filter_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct starttls_filter *filter = stream->impl;
	enum io result = IO_OK;
	(void)pollset;
	if (!filter->started)
		result = starttls_filter_start(stream, now, fault);
	if (result == IO_OK)
		result = starttls_filter_talk(stream, fault);
	if (result == IO_AGAIN && now >= filter->deadline)
		result = starttls_filter_miss(stream, STATUS_TIMEOUT, "timed out", fault);
	if (result == IO_OK)
		filter_become_lower(stream);
	return result;
}

static void
starttls_filter_ask(const struct stream *stream, struct pollset *pollset)
{
	const struct starttls_filter *filter = stream->impl;
	(void)stream_ask(&stream->read, pollset);
	pollset_until(pollset, filter->deadline);
}

/* It is read and written only after it has become the connection. */
static const struct stream_ops starttls_filter_ops = {
	.open = starttls_filter_open,
	.ask = starttls_filter_ask,
};

bool
starttls_filter_add(
	struct stream **top, const struct tls_filter_config *config, struct fault *fault)
{
	struct stream *stream =
		filter_add(top, &starttls_filter_ops, sizeof(struct starttls_filter), fault);
	if (stream == NULL)
		return false;
	struct starttls_filter *filter = stream->impl;
	filter->config = *config;
	return true;
}
