/* The streams of a post office; see member.h. */
#include "stream/member.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct member {
	struct post_box *box; /* not owned */
	size_t most;          /* of a message; 0: it says bytes */
	bool speaker;
};

static enum io
member_open(struct stream *stream, struct fault *fault)
{
	(void)stream, (void)fault;
	return IO_OK;
}

/* What waits is taken from the box itself (flow/fanout.h). */
static enum io
member_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	(void)stream, (void)pieces, (void)count, (void)fault;
	*got = 0;
	return IO_END;
}

static enum io
member_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct member *member = stream->impl;
	*put = 0;
	if (count == 0)
		return IO_OK;
	bool apart = member->most > 0;
	enum io result = post_say(member->box, pieces, count, apart, &stream->wtaken, fault);
	if (result != IO_OK)
		return result;
	*put = stream_total(pieces, apart ? (int)stream->wtaken : count);
	/* There is no descriptor to wait on: what is left has its turn at once. */
	stream->wagain = 1;
	return IO_OK;
}

static enum io
member_shut(struct stream *stream, struct fault *fault)
{
	struct member *member = stream->impl;
	(void)fault;
	/* Otherwise it is no good end that all could be told. */
	if (member->speaker && stream->half_close)
		post_end(member->box->post);
	return IO_OK;
}

static void
member_close(struct stream *stream)
{
	struct member *member = stream->impl;
	post_leave(member->box);
	free(member);
}

static const struct stream_ops member_ops = {
	.open = member_open,
	.read = member_read,
	.write = member_write,
	.shut = member_shut,
	.close = member_close,
};

static bool
member_make(struct stream *stream, struct post *post, const struct member *how, struct fault *fault)
{
	struct member *member = malloc(sizeof *member);
	char *name = strdup(how->speaker ? "all clients" : "the other clients");
	if (member == NULL || name == NULL) {
		free(member);
		free(name);
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "send to all");
	}
	*member = *how;
	stream_init(stream, &member_ops, name, member);
	post_join(post, how->box, stream, how->speaker);
	stream->box = how->speaker ? NULL : how->box;
	stream->wmessage_max = how->most;
	stream->wbatch = how->most > 0 ? SIZE_MAX : 0;
	return true;
}

bool
member_init_speaker(struct stream *stream, struct post *post, struct post_box *box, size_t most,
	struct fault *fault)
{
	const struct member how = { box, most, true };
	return member_make(stream, post, &how, fault);
}

bool
member_init(struct stream *stream, struct post *post, struct post_box *box, size_t most,
	struct fault *fault)
{
	const struct member how = { box, most, false };
	return member_make(stream, post, &how, fault);
}
