/*
 * A thread that adds to a digest, so that the loop can move the next bytes meanwhile. They are
 * copied into a queue; if it is full, the loop waits.
 */
#ifndef SOCKCAT_PLUGIN_DIGEST_THREAD_H
#define SOCKCAT_PLUGIN_DIGEST_THREAD_H

#include <stdbool.h>
#include <stddef.h>

struct digest_ops;
struct digest_thread;

/* Starts one, which uses `state` until its end. NULL: there is no thread or no memory for another
 * one, and nothing has changed. */
struct digest_thread *digest_thread_start(const struct digest_ops *ops, void *state);

/* The bytes belong to the caller again. */
void digest_thread_add(struct digest_thread *thread, const void *bytes, size_t length);

/* Adds what is in the queue, and frees all. False: the library has failed. NULL is allowed. */
bool digest_thread_end(struct digest_thread *thread);

#endif
