/* One to many; see post.h. */
#include "stream/post.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* So many places an empty box may keep. */
#define POST_FEW 64

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
	box->next_woken = NULL;
	*(post->woken != NULL ? &post->last_woken->next_woken : &post->woken) = box;
	post->last_woken = box;
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

static void
post_forget_woken(struct post *post, struct post_box *box)
{
	struct post_box *before = NULL;
	if (!box->is_woken)
		return;
	for (struct post_box *other = post->woken; other != box; other = other->next_woken)
		before = other;
	*(before != NULL ? &before->next_woken : &post->woken) = box->next_woken;
	if (post->last_woken == box)
		post->last_woken = before;
	box->is_woken = false;
}

static void
post_append(struct post *post, struct post_box *box)
{
	box->next = NULL;
	box->previous = post->last;
	*(post->last != NULL ? &post->last->next : &post->first) = box;
	post->last = box;
}

static void
post_take_out(struct post *post, struct post_box *box)
{
	*(box->previous != NULL ? &box->previous->next : &post->first) = box->next;
	*(box->next != NULL ? &box->next->previous : &post->last) = box->previous;
}

void
post_join(struct post *post, struct post_box *box, struct stream *stream, bool deaf)
{
	*box = (struct post_box){ .post = post, .stream = stream, .deaf = deaf };
	post_append(post, box);
	post->hearers += !deaf;
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
	box->weight -= block->length + POST_COST;
	box->offset = 0;
	/* What a burst needed is not kept. */
	if (box->count == 0 && box->capacity > POST_FEW) {
		free(box->blocks);
		box->blocks = NULL;
		box->capacity = box->head = 0;
	}
	return block;
}

void
post_block(struct post_box *box)
{
	box->post->blocked += !box->blocked;
	box->blocked = true;
	box->stream->wagain = CLOCK_NEVER;
	post_take_out(box->post, box);
	post_append(box->post, box);
}

void
post_unblock(struct post *post)
{
	if (post->blocked == 0)
		return;
	post->blocked = 0;
	for (struct post_box *box = post->first; box != NULL; box = box->next) {
		if (!box->blocked)
			continue;
		box->blocked = false;
		box->stream->wagain = 1;
		post_wake(box);
	}
}

void
post_mute(struct post_box *box)
{
	if (box->post == NULL || box->deaf)
		return;
	box->deaf = true;
	box->post->hearers--;
	post_unblock(box->post);
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
	post_take_out(post, box);
	post_forget_woken(post, box);
	post->hearers -= !box->deaf;
	post->blocked -= box->blocked;
	*box = (struct post_box){ .post = NULL };
	post_unblock(post);
}

/* --- saying something --- */

static bool
post_hears(const struct post_box *box, const struct post_box *from)
{
	return box != from && !box->deaf;
}

/* Room for one block more. */
static bool
post_reserve(struct post_box *box)
{
	struct post_block **blocks = NULL;
	size_t capacity = box->capacity == 0 ? 8 : box->capacity * 2;
	if (box->count < box->capacity)
		return true;
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
	return true;
}

static struct post_block *
post_make(const struct iovec *pieces, int count)
{
	size_t length = stream_total(pieces, count), done = 0;
	struct post_block *block = NULL;
	if (length <= SIZE_MAX - sizeof *block - POST_COST)
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

/* There is something to read. */
static void
post_call(struct post_box *box)
{
	box->stream->pending = true;
	box->stream->ragain = 0;
	post_wake(box);
}

static bool
post_has_room(const struct post *post, const struct post_box *box, size_t length)
{
	if (post->slow == POST_WAIT)
		return box->weight < post->limit;
	return box->count == 0 ||
		(box->weight <= post->limit && length + POST_COST <= post->limit - box->weight);
}

/* Puts it into one box that has room for it, or does what is done about a full one. */
static void
post_put(struct post *post, struct post_box *box, struct post_block *block)
{
	bool fits = post_has_room(post, box, block->length);
	if (!fits && (post->slow != POST_DISCONNECT || box->fresh)) {
		/* Where everybody's words are waited for it was only news. */
		box->dropped += post->slow != POST_WAIT;
		return;
	}
	if (!fits) {
		box->full = true;
		post_mute(box);
	} else {
		box->blocks[(box->head + box->count++) % box->capacity] = block;
		box->bytes += block->length;
		box->weight += block->length + POST_COST;
		box->fresh = true;
		block->references++;
	}
	post_call(box);
}

/* Into all boxes, or, without the memory, into none. */
static bool
post_say_block(struct post_box *from, const struct iovec *pieces, int count)
{
	struct post *post = from->post;
	for (struct post_box *box = post->first; box != NULL; box = box->next)
		if (post_hears(box, from) && !post_reserve(box))
			return false;
	struct post_block *block = post_make(pieces, count);
	if (block == NULL)
		return false;
	for (struct post_box *box = post->first; box != NULL; box = box->next)
		if (post_hears(box, from))
			post_put(post, box, block);
	post_release(block);
	return true;
}

static bool
post_must_wait(const struct post *post, const struct post_box *from, size_t length)
{
	for (const struct post_box *box = post->first; box != NULL; box = box->next)
		if (post_hears(box, from) && (post->slow == POST_WAIT || box->fresh) &&
			!post_has_room(post, box, length))
			return true;
	return false;
}

enum io
post_say(struct post_box *from, const struct iovec *pieces, int count, bool apart, size_t *said,
	struct fault *fault)
{
	struct post *post = from->post;
	size_t all = apart ? (size_t)count : 1;
	int each = apart ? 1 : count;
	bool waits = false;
	*said = 0;
	/* Nobody is there to hear it. */
	if (post->hearers == !from->deaf)
		*said = all;
	for (; *said < all; ++*said) {
		waits = post_must_wait(post, from, stream_total(pieces + *said, each));
		if (waits || !post_say_block(from, pieces + *said, each))
			break;
	}
	if (*said > 0) {
		shortage_ends(&from->shortage);
		return IO_OK;
	}
	if (waits) {
		post_block(from);
		return IO_AGAIN;
	}
	if (shortage_waits(&from->shortage, ENOMEM, from->stream, &from->stream->wagain))
		return IO_AGAIN;
	(void)fault_set(fault, STATUS_MEMORY, ENOMEM, "send to all");
	return IO_FAIL;
}

void
post_tell(struct post_box *from, const struct iovec *pieces, int count)
{
	(void)post_say_block(from, pieces, count);
}

static void
post_call_all(struct post *post)
{
	for (struct post_box *box = post->first; box != NULL; box = box->next)
		post_call(box);
}

void
post_expect(struct post *post, bool more)
{
	bool was = post->more;
	post->more = more;
	if (was && !more)
		post_call_all(post);
}

void
post_end(struct post *post)
{
	post->ended = true;
	post_call_all(post);
}

/* --- taking it out --- */

void
post_attend(struct post_box *box)
{
	struct post *post = box->post;
	bool was = box->fresh;
	box->fresh = false;
	if (was && post->slow != POST_WAIT)
		post_unblock(post);
}

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

void
post_take(struct post_box *box, size_t bytes)
{
	bool was_full = box->weight >= box->post->limit;
	box->bytes -= bytes;
	while (box->count > 0) {
		size_t left = box->blocks[box->head]->length - box->offset;
		if (left > bytes) {
			box->offset += bytes;
			break;
		}
		bytes -= left;
		post_release(post_pop(box));
	}
	/* That makes room for those who wait for it. */
	if (was_full && box->weight < box->post->limit)
		post_unblock(box->post);
}

void
post_take_messages(struct post_box *box, size_t count)
{
	bool was_full = box->weight >= box->post->limit;
	for (size_t i = 0; i < count; i++) {
		struct post_block *block = post_pop(box);
		box->bytes -= block->length;
		post_release(block);
	}
	if (was_full && box->weight < box->post->limit)
		post_unblock(box->post);
}
