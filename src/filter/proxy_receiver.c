/* Receiving a header of the PROXY protocol; see proxy_receiver.h. */
#include "filter/proxy_receiver.h"

#include <string.h>

#include "filter/filter.h"

struct proxy_receiver {
	struct proxy_reader *reader; /* not owned */
};

/* Classifies the first bytes, once enough of them are there. */
struct proxy_receiver_guard {
	unsigned char first[PROXY_HEADER_SIGNATURE_LENGTH];
	size_t count;
	bool passed;
};

enum io
proxy_receiver_fail(const struct stream *stream, const char *cause, struct fault *fault)
{
	return IO_FAULT(
		fault, STATUS_FRAMING, 0, "receive PROXY header from %s: %s", stream->name, cause);
}

/* The stream below has failed, or ended. */
static enum io
proxy_receiver_lost(struct stream *stream, struct fault *cause, struct fault *fault)
{
	const struct proxy_receiver *receiver = stream->impl;
	int broken = stream_stats(stream)->broken;
	if (broken != 0)
		(void)proxy_receiver_fail(stream, strerror(broken), fault);
	else if (fault_is_set(cause))
		fault_move(fault, cause);
	else
		(void)proxy_receiver_fail(stream,
			receiver->reader->length > 0 ? "the connection ended inside the header"
						     : "the connection ended without a header",
			fault);
	fault_clear(cause);
	return IO_FAIL;
}

static enum io
proxy_receiver_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct proxy_receiver *receiver = stream->impl;
	struct proxy_reader *reader = receiver->reader;
	enum proxy_reader_result taken = PROXY_READER_MORE;
	unsigned char bytes[PROXY_HEADER_MAX];
	struct fault cause = FAULT_NONE;
	(void)pollset, (void)now;
	while (taken == PROXY_READER_MORE) {
		size_t got = 0;
		enum io result = filter_receive(stream, bytes, reader->wants, &got, &cause);
		if (result == IO_AGAIN)
			return IO_AGAIN;
		if (result != IO_OK)
			return proxy_receiver_lost(stream, &cause, fault);
		taken = proxy_reader_take(reader, bytes, got);
	}
	if (taken == PROXY_READER_MALFORMED)
		return proxy_receiver_fail(stream, reader->words, fault);
	filter_become_lower(stream);
	return IO_OK;
}

/* It is read and written only after it has become the stream below. */
static const struct stream_ops proxy_receiver_ops = {
	.open = proxy_receiver_open,
};

bool
proxy_receiver_add(struct stream **top, struct proxy_reader *reader, struct fault *fault)
{
	struct stream *stream =
		filter_add(top, &proxy_receiver_ops, sizeof(struct proxy_receiver), fault);
	if (stream == NULL)
		return false;
	((struct proxy_receiver *)stream->impl)->reader = reader;
	return true;
}

/* --- the guard --- */

/* Looks at the first bytes of what was read. False: they are a header. */
static bool
proxy_receiver_guard_look(
	struct proxy_receiver_guard *guard, const struct iovec *pieces, int count, size_t got)
{
	for (int i = 0; i < count && got > 0 && guard->count < sizeof guard->first; i++) {
		size_t room = sizeof guard->first - guard->count;
		size_t part = pieces[i].iov_len < got ? pieces[i].iov_len : got;
		got -= part;
		part = part < room ? part : room;
		memcpy(guard->first + guard->count, pieces[i].iov_base, part);
		guard->count += part;
	}
	enum proxy_reader_likeness likeness = proxy_reader_look(guard->first, guard->count);
	guard->passed = likeness == PROXY_READER_UNLIKE;
	return likeness != PROXY_READER_ALIKE;
}

static enum io
proxy_receiver_guard_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct proxy_receiver_guard *guard = stream->impl;
	enum io result = stream_read(stream->lower, pieces, count, got, fault);
	stream_follow(stream);
	if (result == IO_OK && !guard->passed &&
		!proxy_receiver_guard_look(guard, pieces, count, *got))
		return IO_FAULT(fault, STATUS_ACCESS, 0,
			"receive PROXY header from %s: the address is not trusted (--proxy-from)",
			stream->name);
	return result;
}

static const struct stream_ops proxy_receiver_guard_ops = {
	.read = proxy_receiver_guard_read,
	.write = filter_write,
	.shut = filter_shut,
};

bool
proxy_receiver_add_guard(struct stream **top, struct fault *fault)
{
	return filter_add(top, &proxy_receiver_guard_ops, sizeof(struct proxy_receiver_guard),
		       fault) != NULL;
}
