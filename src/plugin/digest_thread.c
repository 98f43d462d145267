/* Adding to a digest in a thread; see digest_thread.h. */
#include "plugin/digest_thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/digest_ops.h"
#include "sys/sys.h"

#define DIGEST_THREAD_BLOCKS 4
#define DIGEST_THREAD_BLOCK ((size_t)128 * 1024)

/* The most threads: more do not make the processor faster, but take memory. */
#define DIGEST_THREADS 16

/* The thread has the state and the blocks from `done` to `full`, the loop the one after them. */
struct digest_thread {
	const struct digest_ops *ops;
	void *state; /* not owned */
	pthread_t id;
	pthread_mutex_t mutex;  /* of all up to `ended` */
	pthread_cond_t changed; /* any of these */
	uint64_t done, full;    /* blocks that were added, and filled, since the beginning */
	bool ended;             /* no other one will be filled */
	bool failed;            /* of the thread; the loop reads it when the thread has ended */
	size_t filled;          /* bytes of the block that the loop fills */
	unsigned char blocks[DIGEST_THREAD_BLOCKS][DIGEST_THREAD_BLOCK];
};

/* Running. */
static atomic_uint digest_threads;

static unsigned char *
digest_thread_block(struct digest_thread *thread, uint64_t number)
{
	return thread->blocks[number % DIGEST_THREAD_BLOCKS];
}

/* Waits for the next block. False: none follows. */
static bool
digest_thread_await(struct digest_thread *thread)
{
	while (thread->done == thread->full && !thread->ended)
		(void)pthread_cond_wait(&thread->changed, &thread->mutex);
	return thread->done < thread->full;
}

static void *
digest_thread_run(void *argument)
{
	struct digest_thread *thread = argument;
	(void)pthread_mutex_lock(&thread->mutex);
	while (digest_thread_await(thread)) {
		const unsigned char *block = digest_thread_block(thread, thread->done);
		(void)pthread_mutex_unlock(&thread->mutex);
		if (!thread->failed)
			thread->failed =
				!thread->ops->add(thread->state, block, DIGEST_THREAD_BLOCK);
		(void)pthread_mutex_lock(&thread->mutex);
		thread->done++;
		(void)pthread_cond_signal(&thread->changed);
	}
	(void)pthread_mutex_unlock(&thread->mutex);
	return NULL;
}

static void
digest_thread_free(struct digest_thread *thread)
{
	(void)pthread_cond_destroy(&thread->changed);
	(void)pthread_mutex_destroy(&thread->mutex);
	free(thread);
}

struct digest_thread *
digest_thread_start(const struct digest_ops *ops, void *state)
{
	struct digest_thread *thread =
		digest_threads < DIGEST_THREADS ? malloc(sizeof *thread) : NULL;
	if (thread == NULL)
		return NULL;
	/* Not the blocks: they take memory when they are filled. */
	memset(thread, 0, offsetof(struct digest_thread, blocks));
	thread->ops = ops;
	thread->state = state;
	(void)pthread_mutex_init(&thread->mutex, NULL);
	(void)pthread_cond_init(&thread->changed, NULL);
	if (!sys_start_thread(digest_thread_run, thread, &thread->id)) {
		digest_thread_free(thread);
		return NULL;
	}
	digest_threads++;
	return thread;
}

/* Gives the block that is full to the thread, and waits for one that is empty. */
static void
digest_thread_give(struct digest_thread *thread)
{
	(void)pthread_mutex_lock(&thread->mutex);
	thread->full++;
	(void)pthread_cond_signal(&thread->changed);
	while (thread->full - thread->done == DIGEST_THREAD_BLOCKS)
		(void)pthread_cond_wait(&thread->changed, &thread->mutex);
	(void)pthread_mutex_unlock(&thread->mutex);
	thread->filled = 0;
}

void
digest_thread_add(struct digest_thread *thread, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	while (length > 0) {
		size_t room = DIGEST_THREAD_BLOCK - thread->filled;
		size_t part = length < room ? length : room;
		memcpy(digest_thread_block(thread, thread->full) + thread->filled, at, part);
		thread->filled += part;
		at += part;
		length -= part;
		if (thread->filled == DIGEST_THREAD_BLOCK)
			digest_thread_give(thread);
	}
}

bool
digest_thread_end(struct digest_thread *thread)
{
	if (thread == NULL)
		return true;
	(void)pthread_mutex_lock(&thread->mutex);
	thread->ended = true;
	(void)pthread_cond_signal(&thread->changed);
	(void)pthread_mutex_unlock(&thread->mutex);
	(void)pthread_join(thread->id, NULL);
	bool good = !thread->failed &&
		thread->ops->add(
			thread->state, digest_thread_block(thread, thread->full), thread->filled);
	digest_thread_free(thread);
	digest_threads--;
	return good;
}
