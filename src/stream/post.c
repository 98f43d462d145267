/* One to many; see post.h. */
#include "stream/post.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct post_block {
	size_t references;
	size_t length;
	unsigned char bytes[];
};

/* --- boxes --- */

void
post_wake(struct post_box *box)
{
	struct post *post = box->post;
	if (post == NULL || box->is_woken)
		return;
	box->is_woken = true;
	box->next_woken = post->woken;
	post->woken = box;
}

struct post_box *
post_next_woken(struct post *post)
{
	struct post_box *box = post->woken;
	if (box != NULL) {
		post->woken = box->next_woken;
		box->is_woken = false;
	}
	return box;
}

void
post_join(struct post *post, struct post_box *box, struct stream *stream, bool deaf)
{
	*box = (struct post_box){ .post = post, .stream = stream, .deaf = deaf };
	box->next = post->first;
	if (post->first != NULL)
		post->first->previous = box;
	post->first = box;
	/* Whoever comes too late is told that at once. */
	stream->pending = post->ended;
}

static void
post_release(struct post_block *block)
{
	if (--block->references == 0)
		free(block);
}

static struct post_block *
post_pop(struct post_box *box)
{
	struct post_block *block = box->blocks[box->head];
	box->head = (box->head + 1) % box->capacity;
	box->count--;
	box->offset = 0;
	return block;
}

/* Somebody who could not be heard may try again. */
void
post_unblock(struct post *post)
{
	for (struct post_box *box = post->first; box != NULL; box = box->next) {
		if (!box->blocked)
			continue;
		box->blocked = false;
		box->stream->wagain = 1;
		post_wake(box);
	}
}

void
post_leave(struct post_box *box)
{
	struct post *post = box->post;
	if (post == NULL)
		return;
	while (box->count > 0)
		post_release(post_pop(box));
	free(box->blocks);
	*(box->previous != NULL ? &box->previous->next : &post->first) = box->next;
	if (box->next != NULL)
		box->next->previous = box->previous;
	for (struct post_box **at = &post->woken; box->is_woken && *at != NULL;
		at = &(*at)->next_woken) {
		if (*at == box) {
			*at = box->next_woken;
			break;
		}
	}
	*box = (struct post_box){ .post = NULL };
	post_unblock(post);
}

static bool
post_push(struct post_box *box, struct post_block *block)
{
	if (box->count == box->capacity) {
		size_t capacity = box->capacity == 0 ? 8 : box->capacity * 2;
		struct post_block **blocks = NULL;
		if (capacity <= SIZE_MAX / sizeof(struct post_block *))
			blocks = malloc(capacity * sizeof(struct post_block *));
		if (blocks == NULL)
			return false;
		for (size_t i = 0; i < box->count; i++)
			blocks[i] = box->blocks[(box->head + i) % box->capacity];
		free(box->blocks);
		box->blocks = blocks;
		box->capacity = capacity;
		box->head = 0;
	}
	box->blocks[(box->head + box->count++) % box->capacity] = block;
	box->bytes += block->length;
	block->references++;
	return true;
}

/* --- saying something --- */

static bool
post_hears(const struct post_box *box, const struct post_box *from)
{
	return box != from && !box->deaf && !box->full;
}

static struct post_block *
post_make(const struct iovec *pieces, int count)
{
	size_t length = stream_total(pieces, count), done = 0;
	struct post_block *block = NULL;
	if (length <= SIZE_MAX - sizeof *block)
		block = malloc(sizeof *block + length);
	if (block == NULL)
		return NULL;
	*block = (struct post_block){ .references = 1, .length = length };
	for (int i = 0; i < count; i++) {
		if (pieces[i].iov_len > 0)
			memcpy(block->bytes + done, pieces[i].iov_base, pieces[i].iov_len);
		done += pieces[i].iov_len;
	}
	return block;
}

/* Puts it into one box, or does what is done about a full one. */
static void
post_put(struct post *post, struct post_box *box, struct post_block *block)
{
	bool fits = box->count == 0 || (box->bytes <= post->limit &&
					       block->length <= post->limit - box->bytes);
	if (!fits && post->slow == POST_DROP) {
		box->dropped++;
		return;
	}
	/* Without memory for it, it is as if it were full. */
	if ((!fits && post->slow == POST_DISCONNECT) || !post_push(box, block))
		box->full = true;
	box->stream->pending = true;
	post_wake(box);
}

static bool
post_say_block(struct post_box *from, const struct iovec *pieces, int count, struct fault *fault)
{
	struct post *post = from->post;
	struct post_block *block = post_make(pieces, count);
	if (block == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "send to all");
	for (struct post_box *box = post->first; box != NULL; box = box->next)
		if (post_hears(box, from))
			post_put(post, box, block);
	post_release(block);
	return true;
}

enum io
post_say(struct post_box *from, const struct iovec *pieces, int count, bool apart,
	struct fault *fault)
{
	struct post *post = from->post;
	bool anybody = false;
	for (struct post_box *box = post->first; box != NULL; box = box->next) {
		if (!post_hears(box, from))
			continue;
		anybody = true;
		if (post->slow == POST_WAIT && box->bytes >= post->limit) {
			from->blocked = true;
			from->stream->wagain = CLOCK_NEVER;
			return IO_AGAIN;
		}
	}
	if (!anybody)
		return IO_OK;
	if (!apart)
		return post_say_block(from, pieces, count, fault) ? IO_OK : IO_FAIL;
	for (int i = 0; i < count; i++)
		if (!post_say_block(from, &pieces[i], 1, fault))
			return IO_FAIL;
	return IO_OK;
}

void
post_end(struct post *post)
{
	post->ended = true;
	for (struct post_box *box = post->first; box != NULL; box = box->next) {
		box->stream->pending = true;
		post_wake(box);
	}
}

/* --- taking it out --- */

int
post_look(const struct post_box *box, struct iovec *pieces, int most)
{
	int count = 0;
	for (size_t i = 0; i < box->count && count < most; i++, count++) {
		struct post_block *block = box->blocks[(box->head + i) % box->capacity];
		size_t from = i == 0 ? box->offset : 0;
		pieces[count] = (struct iovec){ block->bytes + from, block->length - from };
	}
	return count;
}

/* What is taken out makes room for those who wait for it. */
static void
post_took(struct post_box *box, size_t bytes)
{
	bool was_full = box->bytes >= box->post->limit;
	box->bytes -= bytes;
	if (was_full && box->bytes < box->post->limit)
		post_unblock(box->post);
}

void
post_take(struct post_box *box, size_t bytes)
{
	post_took(box, bytes);
	while (box->count > 0) {
		size_t left = box->blocks[box->head]->length - box->offset;
		if (left > bytes) {
			box->offset += bytes;
			return;
		}
		bytes -= left;
		post_release(post_pop(box));
	}
}

void
post_take_messages(struct post_box *box, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		post_took(box, box->blocks[box->head]->length);
		post_release(post_pop(box));
	}
}

/* --- streams --- */

struct post_end {
	struct post_box *box; /* not owned */
	bool apart;
	bool speaker;
};

static enum io
post_open(struct stream *stream, struct fault *fault)
{
	(void)stream, (void)fault;
	return IO_OK;
}

/* What waits is taken from the box itself (flow/fanout.h). */
static enum io
post_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	(void)stream, (void)pieces, (void)count, (void)fault;
	*got = 0;
	return IO_END;
}

static enum io
post_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct post_end *end = stream->impl;
	*put = 0;
	if (count == 0)
		return IO_OK;
	enum io result = post_say(end->box, pieces, count, end->apart, fault);
	if (result == IO_OK) {
		*put = stream_total(pieces, count);
		stream->wtaken = (size_t)count;
	}
	return result;
}

static enum io
post_shut(struct stream *stream, struct fault *fault)
{
	struct post_end *end = stream->impl;
	(void)fault;
	if (end->speaker)
		post_end(end->box->post);
	return IO_OK;
}

static void
post_close(struct stream *stream)
{
	struct post_end *end = stream->impl;
	post_leave(end->box);
	free(end);
}

static const struct stream_ops post_ops = {
	.open = post_open,
	.read = post_read,
	.write = post_write,
	.shut = post_shut,
	.close = post_close,
};

static bool
post_init(struct stream *stream, struct post *post, struct post_box *box, const struct post_end *how,
	struct fault *fault)
{
	struct post_end *end = malloc(sizeof *end);
	char *name = strdup("the other clients");
	if (end == NULL || name == NULL) {
		free(end);
		free(name);
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "send to all");
	}
	*end = *how;
	stream_init(stream, &post_ops, name, end);
	post_join(post, box, stream, how->speaker);
	stream->box = how->speaker ? NULL : box;
	if (how->apart) {
		stream->wmessage_max = SIZE_MAX;
		stream->wbatch = SIZE_MAX;
	}
	return true;
}

bool
post_init_speaker(struct stream *stream, struct post *post, struct post_box *box, bool apart,
	struct fault *fault)
{
	const struct post_end how = { box, apart, true };
	return post_init(stream, post, box, &how, fault);
}

bool
post_init_member(struct stream *stream, struct post *post, struct post_box *box, bool apart,
	struct fault *fault)
{
	const struct post_end how = { box, apart, false };
	return post_init(stream, post, box, &how, fault);
}
