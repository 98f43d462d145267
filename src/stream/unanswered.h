/* Copies of messages that were sent and not answered yet, up to 64 KiB, to send them again to
 * another address. */
#ifndef SOCKCAT_STREAM_UNANSWERED_H
#define SOCKCAT_STREAM_UNANSWERED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/* The most bytes of messages that are kept. */
#define UNANSWERED_MAX ((size_t)65536)

/* Zeroed at first. Invariant: next <= used <= size. */
struct unanswered {
	unsigned char *bytes; /* owned: the messages, each after its length */
	size_t used, size;
	size_t payload;  /* bytes of messages in it */
	size_t next;     /* offset of the next message to repeat */
	bool incomplete; /* space ran out; nothing is stored */
};

/* Copies the messages, one a piece. */
void unanswered_keep(struct unanswered *unanswered, const struct iovec *pieces, int count);

/* The next message to repeat; unanswered_advance goes on to the one after it. False: none. */
bool unanswered_next(const struct unanswered *unanswered, struct iovec *message);
void unanswered_advance(struct unanswered *unanswered);

/* Starts to repeat all messages. */
void unanswered_rewind(struct unanswered *unanswered);

/* Frees them, and keeps no more. */
void unanswered_drop(struct unanswered *unanswered);

#endif
