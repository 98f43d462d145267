/*
 * A stream: where bytes or messages come from and go to. Five operations and plain fields; what
 * can be data is a field, not a sixth operation. None of the operations blocks.
 */
#ifndef SOCKCAT_STREAM_STREAM_H
#define SOCKCAT_STREAM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/fault.h"
#include "base/io.h"
#include "stream/bulk.h"

struct post_box;
struct stream;

struct stream_ops {
	/* One step towards a stream that can be used: IO_OK when it is, IO_AGAIN, IO_FAIL. */
	enum io (*open)(struct stream *stream, struct fault *fault);

	/*
	 * Reads into the pieces. IO_OK: *got bytes are there (a message may be empty); IO_AGAIN:
	 * nothing yet; IO_END: the other side has ended, and will again say so; IO_FAIL.
	 */
	enum io (*read)(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
		struct fault *fault);

	/*
	 * Writes from the pieces. IO_OK: the first *put bytes were taken (a message: all of them);
	 * IO_AGAIN: none; IO_FAIL. With count == 0 it writes what it has `kept`, or asks whether
	 * the stream still takes anything at all.
	 */
	enum io (*write)(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
		struct fault *fault);

	/*
	 * Ends the sending: with `half_close` the other side sees the end. IO_OK only when all that
	 * was written is known to have arrived, as far as the kind can know; IO_AGAIN before.
	 */
	enum io (*shut)(struct stream *stream, struct fault *fault);

	/* Gives everything back. Without `clean` the other side is told of it, if it can be. */
	void (*close)(struct stream *stream);
};

struct stream {
	const struct stream_ops *ops;
	char *name;         /* owned; for messages */
	int rfd, wfd;       /* to wait on; -1: nothing to wait on */
	short rwait, wwait; /* what a read, a write waits for: poll(2) events */
	int64_t ragain;     /* a read, a write is not tried again before; 0: poll decides */
	int64_t wagain;
	struct bulk bulk; /* large reads, if the kind has them; whoever reads notes how much came */
	int splice_from;  /* the kernel can take what a read would get from here, … */
	int splice_to;    /* … put what a write would into here; -1: it cannot */
	int read_error;   /* what it said when it failed: it says so once, so the next read, … */
	int write_error;  /* … or write, repeats it; 0: nothing */
	const bool *news; /* something has happened that a read wants to see; NULL: never */
	bool pending;     /* a read finds something without waiting */
	bool eof;         /* a read has said IO_END */
	bool terminal;    /* a person types what is read */
	bool last;        /* only what has arrived by the next read is wanted; then IO_AGAIN */
	bool endless;     /* has no end of its own: only silence ends it (datagrams) */
	bool kept;        /* something that write took is still to be written */
	bool begun;       /* part of a piece is written, and others wait for the rest of it */
	int64_t lagain;   /* the look for a vanished reader is not repeated before; 0: any time */
	bool watch;       /* while there is nothing to write, look for a reader that went away */
	bool deaf;        /* nobody reads what is written: it is dropped */
	bool half_close;  /* shut tells the other side; otherwise it only waits for arrival */
	bool clean;       /* set by the owner before close: the session ended well */
	bool rmessages;   /* a read is one whole message, or as many as `messages` says */
	bool single;      /* set by the owner before open: a read is to be one message only */
	const struct iovec *messages; /* the last read's, all in its first piece; NULL: one */
	size_t message_count;
	struct post_box *box;     /* what is read waits here, in shared blocks (post.h); NULL: no */
	const char *from;         /* what its messages are from, if not from its name; not owned */
	size_t wmessage_max;      /* a write is one whole message of at most this size; 0: bytes */
	size_t wbatch;            /* > 1: a write is up to so many messages, one a piece, … */
	size_t wtaken;            /* … and this is how many the last one took */
	size_t unarrived;         /* what the last shut found that has not arrived yet */
	uint64_t ignored;         /* messages from others than the peer */
	const uint64_t *left_out; /* messages of the peer that nobody took; NULL: there are none */
	uint64_t retried;         /* operations put off because the system was out of buffers */
	void *impl;               /* owned; known to the kind's own file only */
};

/* Fields that suit a stream of bytes with no descriptors yet. Takes the name. */
void stream_init(struct stream *stream, const struct stream_ops *ops, char *name, void *impl);

/* Closes the stream if it was initialised; also good on a zeroed struct. */
void stream_close(struct stream *stream);

static inline bool
stream_has_news(const struct stream *stream)
{
	return stream->news != NULL && *stream->news;
}

/* For pieces of which n bytes in all are to be used: the sum of their lengths. */
size_t stream_total(const struct iovec *pieces, int count);

#endif
