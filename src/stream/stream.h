/*
 * A stream: a source and sink of bytes or messages. It has seven operations; everything that can be
 * data is a field. No operation blocks.
 *
 * A filter is a stream on top of another one, its `lower`; the kind at the bottom has the
 * descriptors. The owner uses the top only.
 */
#ifndef SOCKCAT_STREAM_STREAM_H
#define SOCKCAT_STREAM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/fault.h"
#include "base/io.h"
#include "base/pollset.h"
#include "stream/lowat.h"

struct lender;
struct stream;

/* An operation that a kind does not need is NULL: it is open from the start, sends no end, or owns
 * nothing but `impl`. */
struct stream_ops {
	/* One step of opening: IO_OK when the stream can be used, IO_AGAIN, IO_FAIL. The lower
	 * stream is open. `pollset`: what was asked for; at the first step what another stream
	 * has asked for, or NULL. */
	enum io (*open)(struct stream *stream, const struct pollset *pollset, int64_t now,
		struct fault *fault);

	/* Asks for what the next step of `open` needs. NULL: for what the read side waits for. */
	void (*ask)(const struct stream *stream, struct pollset *pollset);

	/*
	 * Reads into the pieces. IO_OK: *got bytes were read (a message may be empty); IO_AGAIN:
	 * nothing yet; IO_END: the peer has ended its sending, at every further read, too; IO_FAIL.
	 */
	enum io (*read)(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
		struct fault *fault);

	/*
	 * Writes from the pieces. IO_OK: the first *put bytes were taken, or the first *put
	 * messages; IO_AGAIN: none; IO_FAIL. With count == 0 it writes what is `buffered`, or
	 * checks whether a reader is left; IO_END: none is, but nothing is lost.
	 */
	enum io (*write)(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
		struct fault *fault);

	/*
	 * Ends the sending: with `half_close` the peer sees the end, without it only the arrival is
	 * awaited. IO_OK only when all that was written is known to have arrived, as far as the
	 * kind can know; IO_AGAIN before.
	 */
	enum io (*shut)(struct stream *stream, bool half_close, struct fault *fault);

	/*
	 * The session has ended well: makes its result permanent. IO_OK; IO_AGAIN: the write side
	 * says what to wait for; IO_FAIL. Not called again after IO_OK.
	 */
	enum io (*settle)(struct stream *stream, struct fault *fault);

	/* Only the peer can end the session from now on: watches whether it is still there. */
	void (*watch)(struct stream *stream);

	/* Frees what the kind owns besides `impl`. Without `clean` the session has failed: a
	 * connection is reset, if it can be. */
	void (*close)(struct stream *stream, bool clean);
};

/* A time in the past: at once. */
#define STREAM_NOW ((int64_t)1)

/* One direction of a stream, or the watch for a reader that closes. */
struct stream_side {
	int fd;            /* to poll; -1: none */
	short events;      /* poll(2) events to wait for; 0: errors and hang-ups only */
	bool draining;     /* only what has arrived by now is wanted; then IO_AGAIN */
	int error;         /* what splice(2) met and the next operation reports; 0: nothing */
	int splice;        /* descriptor that splice(2) reads from, or writes to; -1: none */
	unsigned reopened; /* changes when fd becomes another open file description */
	int64_t at; /* not tried before this time; 0: poll(2) decides. Reset by each operation */
	int64_t by; /* tried at this time even if fd has not fired; 0: no limit */
};

/* Facts that are fixed once the stream is open. */
struct stream_caps {
	bool retries;          /* while it opens: it has a time limit of its own for each try */
	bool messages;         /* a read is one whole message, or as many as the loan says */
	bool endless;          /* has no end of its own: only silence ends it (datagrams) */
	bool terminal;         /* input is typed by a person */
	size_t message_max;    /* a write is whole messages of at most this size; 0: bytes */
	size_t overhead;       /* bytes that a write adds to each message */
	uint64_t size;         /* bytes that it will deliver; 0: not known */
	uint64_t wanted;       /* bytes that it will take in all; 0: not known */
	size_t path;           /* the most bytes of a message in one packet; 0: not known */
	size_t batch;          /* > 1: a write is up to this many messages, one a piece */
	struct lender *lender; /* lends what a read would copy; not owned; NULL: reads copy */
	struct lowat *lowat;   /* the low-water mark of the reads; not owned; NULL: none */
	uint64_t *taken; /* not owned; changes when another stream that writes have to wait for
			    makes progress; NULL: they wait for none */
};

/* What the last read returned besides bytes; valid until the next one. */
struct stream_loan {
	const struct iovec *messages; /* the messages, all in its first piece; NULL: one */
	size_t count;                 /* of messages */
	size_t needs;                 /* > 0: IO_AGAIN, as the next message needs this much space */
	const char *from;             /* the sender; not owned; NULL: the stream's name */
};

/* Counters and facts for reports; kept by the kind at the bottom. */
struct stream_stats {
	uint64_t ignored;      /* messages from senders other than the peer */
	uint64_t left_out;     /* messages of the peer that were dropped */
	uint64_t unsent;       /* messages that were taken but not sent: no network */
	uint64_t unsent_bytes; /* their bytes, as far as they are known */
	uint64_t retried;      /* operations put off because the system was out of buffers */
	size_t unarrived;      /* bytes that the last shut found not to have arrived */
	int broken;            /* the error that ended the connection; 0: none */
	bool discarding : 1;   /* what is written is dropped: the reader is gone */
	bool parted : 1;       /* its end was sent after a refusal that a reset could destroy */
	bool unfinished : 1;   /* another connection can continue what the kind does */
	bool busy : 1;         /* one side has refused it as busy: another connection may succeed */
	bool silent : 1;       /* opening failed, and nothing was sent: the peer needs a reset */
	struct fault *verdict; /* not owned: the result that the kind has found, which comes before
				  what it has caused; NULL: it finds none */
};

struct stream {
	const struct stream_ops *ops;
	struct stream *lower; /* owned; NULL: this is the bottom */
	char *name;           /* owned; for messages */
	struct stream_caps caps;
	struct stream_side read, write;
	struct stream_side hangup; /* while there is nothing to write; fd -1: not watched */
	struct stream_loan loan;
	struct stream_stats stats;
	bool opened;
	bool ready;       /* a read returns data or the end, whatever poll(2) reports */
	bool buffered;    /* something that a write took is still to be written */
	bool mid_message; /* part of a piece is written, and others wait for the rest */
	void *impl;       /* owned; known to the kind's own file only */
};

/* A new stream of bytes without descriptors, with `size` zeroed bytes at `impl`. Takes the name,
 * NULL for lack of memory. NULL and a fault if there is no memory. */
struct stream *stream_new(
	const struct stream_ops *ops, char *name, size_t size, struct fault *fault);

/* The same in memory of the caller's. */
void stream_init(struct stream *stream, const struct stream_ops *ops, char *name, void *impl);

/* Closes and frees the stream and all lower ones, if it is not NULL. `clean`: the session ended
 * well. */
void stream_close(struct stream *stream, bool clean);

/* One step of opening the stream and all lower ones, from the bottom up: IO_OK when all are open,
 * IO_AGAIN, IO_FAIL. `pollset`: of the last stream_ask_open, NULL at the first step. */
enum io stream_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault);

/* Asks for what the next step of stream_open needs. */
void stream_ask_open(const struct stream *stream, struct pollset *pollset);

/* Makes the result of a session that has ended well permanent, from the top down: IO_OK, IO_FAIL,
 * or IO_AGAIN: the write side of *stream says when to call again. NULL: there is nothing. */
enum io stream_settle(struct stream **stream, struct fault *fault);

/* Moves the verdict of a stream that is opening to the fault: it has failed, and still ends its
 * connection. False: there is none. */
bool stream_take_verdict(const struct stream *stream, struct fault *fault);

/* Takes over the lower stream's sides, capabilities and loan; for filters, after each operation. */
void stream_follow(struct stream *stream);

/* Only what has arrived by the next read is wanted. */
void stream_drain(struct stream *stream);

/* See stream_ops; of the bottom. */
void stream_watch(struct stream *stream);

/* Asks for what the side waits for; returns the entry, POLLSET_NONE if it waits for a time. */
size_t stream_ask(const struct stream_side *side, struct pollset *pollset);

static inline enum io
stream_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	stream->read.at = stream->read.by = 0;
	return stream->ops->read(stream, pieces, count, got, fault);
}

static inline enum io
stream_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	stream->write.at = 0;
	return stream->ops->write(stream, pieces, count, put, fault);
}

/* Checks for a reader by a write of no bytes. IO_OK: there is one; do not check again. */
static inline enum io
stream_look(struct stream *stream, struct fault *fault)
{
	size_t put = 0;
	stream->hangup.at = 0;
	return stream->ops->write(stream, NULL, 0, &put, fault);
}

static inline enum io
stream_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	stream->write.at = 0;
	return stream->ops->shut == NULL ? IO_OK : stream->ops->shut(stream, half_close, fault);
}

/* Whether a read returns data or the end, whatever poll(2) reports. */
static inline bool
stream_is_ready(const struct stream *stream)
{
	while (!stream->ready && stream->lower != NULL)
		stream = stream->lower;
	return stream->ready;
}

static inline const struct stream_stats *
stream_stats(const struct stream *stream)
{
	while (stream->lower != NULL)
		stream = stream->lower;
	return &stream->stats;
}

/* The same, to be changed. Valid until the next operation: a stream below may become another one.
 */
static inline struct stream_stats *
stream_counters(struct stream *stream)
{
	while (stream->lower != NULL)
		stream = stream->lower;
	return &stream->stats;
}

/* The source of the last read, for messages. */
static inline const char *
stream_sender(const struct stream *stream)
{
	return stream->loan.from != NULL ? stream->loan.from : stream->name;
}

/* Records a read or splice of n bytes; 0: no data. */
static inline void
stream_note_read(struct stream *stream, size_t n)
{
	if (stream->caps.lowat != NULL)
		stream->read.by = lowat_note(stream->caps.lowat, n);
}

/* Whether the next message of a socket fits into this many bytes; sets loan.needs. False with
 * errno: EAGAIN if it does not fit or there is none. */
bool stream_has_space(struct stream *stream, int fd, size_t space);

/* The sum of the lengths of the pieces. */
size_t stream_total(const struct iovec *pieces, int count);

/* The first `max` bytes of the pieces, in at most `room` pieces; returns the number of pieces. */
int stream_cut(const struct iovec *pieces, int count, size_t max, struct iovec *cut, int room);

/* Copies n bytes, or what there is room for, into the pieces; returns the number of bytes. */
size_t stream_copy(const struct iovec *pieces, int count, const void *bytes, size_t n);

#endif
