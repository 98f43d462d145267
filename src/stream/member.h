/* The streams of a post office (post.h): who says something there, and who also hears it. */
#ifndef SOCKCAT_STREAM_MEMBER_H
#define SOCKCAT_STREAM_MEMBER_H

#include <stdbool.h>

#include "base/fault.h"
#include "stream/post.h"
#include "stream/stream.h"

/* One among many: what is written is said to the others, what they say is read: messages of at most
 * so many bytes; 0: bytes. It has the box until it is closed. False and a fault if there is no
 * memory. */
bool member_init(struct stream *stream, struct post *post, struct post_box *box, size_t most,
	struct fault *fault);

/* The same, but it hears nothing, and its good end is the end of the post. */
bool member_init_speaker(struct stream *stream, struct post *post, struct post_box *box,
	size_t most, struct fault *fault);

#endif
