/*
 * What the kinds share that are laid around another stream: they have its fields, and pass on what
 * they do not change.
 *
 * Every operation begins with layer_enter, works on the inner stream, and ends with layer_leave; in
 * between the outer stream's fields are not to be used.
 */
#ifndef SOCKCAT_STREAM_LAYER_H
#define SOCKCAT_STREAM_LAYER_H

#include "stream/stream.h"

/*
 * Lays a kind around the stream: from here on `stream` is of that kind, and *inner holds what it
 * was. The name is the outer stream's, and only borrowed by the inner one. `impl` belongs to the
 * new kind, whose close closes the inner stream too.
 */
void layer_init(
	struct stream *stream, struct stream *inner, const struct stream_ops *ops, void *impl);

/* The owner's wishes, which are in the fields of the outer stream, go to the inner one. */
void layer_enter(const struct stream *stream, struct stream *inner);

/* What the inner stream waits for, and has found out, shows at the outer one. */
void layer_leave(struct stream *stream, const struct stream *inner);

#endif
