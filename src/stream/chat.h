/*
 * One who takes part in a chat. What is written is lines, which the others get with its name in
 * front and made harmless (text.h); what they say is read. Coming and going is told, too.
 *
 *     /nick NAME     a line that gives it another name: 1 … 32 letters, digits, '-' and '_'
 */
#ifndef SOCKCAT_STREAM_CHAT_H
#define SOCKCAT_STREAM_CHAT_H

#include <stdbool.h>

#include "base/fault.h"
#include "stream/post.h"
#include "stream/stream.h"

#define CHAT_NAME_MAX 32

/* Whether somebody may be called so. */
bool chat_is_name(const char *name);

/* Joins, with a name that is copied. False and a fault if there is no memory. */
bool chat_init(struct stream *stream, struct post *post, struct post_box *box, const char *name,
	struct fault *fault);

#endif
