/*
 * What the sender and the receiver of files share: the local side of a session, which reads and
 * writes the messages of protocol.h.
 *
 * A failure that has a text for the other side is not one of the stream: it is sent, the rest of
 * what arrives is discarded, both directions end in order, and then it is the verdict on the
 * session (struct stream_stats).
 */
#ifndef SOCKCAT_TRANSFER_EXCHANGE_H
#define SOCKCAT_TRANSFER_EXCHANGE_H

#include "base/fault.h"
#include "stream/stream.h"
#include "transfer/protocol.h"

struct exchange;

/* What the sender and the receiver do differently. */
struct exchange_ops {
	bool sends;
	const char *expects; /* the option of the other side */
	const char *instead; /* what to use if the other side is another program */

	/* Handles a message other than a greeting and an error. False: it is not expected now. */
	bool (*take)(struct exchange *exchange, const struct protocol_message *message);

	/* Takes some of n > 0 bytes of data, which `exchange->data` counts; returns their number.
	 * 0: they have to wait. NULL: there are none. */
	size_t (*take_data)(struct exchange *exchange, const unsigned char *bytes, size_t n);

	/* Whether messages have to wait. */
	bool (*is_busy)(const struct exchange *exchange);
};

struct exchange {
	const struct exchange_ops *ops;
	struct stream *stream; /* not owned */
	char *peer;            /* owned: the name of the other side */
	struct protocol in;
	/* Messages that are not read yet: those from `from` to `to`. */
	unsigned char out[2 * PROTOCOL_MESSAGE_MAX];
	size_t from, to;
	bool greeted;     /* the greeting of the other side has arrived */
	bool digests;     /* this side can compute digests */
	bool digest;      /* both sides can */
	bool failed;      /* there is a verdict; what arrives is discarded */
	bool over;        /* nothing more will be sent */
	bool busy;        /* this side fails as another session writes the part */
	uint64_t data;    /* bytes of data that follow */
	int64_t deadline; /* for the greeting, and for the end after a failure */
	uint64_t taken;   /* bytes that have arrived */
	size_t tail;      /* bytes that arrived when all was over */
	struct fault verdict;
};

struct exchange_config {
	const struct exchange_ops *ops;
	const char *peer;  /* the name of the other side; copied */
	int64_t greeting;  /* how long to wait for its greeting, a span */
	bool needs_digest; /* digests have to be possible */
};

/* Initialises the exchange, which is the `impl` of the stream. False and a fault: status 4 or 27.
 */
bool exchange_open(struct exchange *exchange, struct stream *stream,
	const struct exchange_config *config, int64_t now, struct fault *fault);

/* Opens the stream: sends the greeting. */
enum io exchange_start(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault);

/* Frees what it owns. */
void exchange_close(struct exchange *exchange);

/* Queues a message. There is room for one when `from` == `to`. */
void exchange_put(struct exchange *exchange, const struct protocol_message *message);

/* Fails, as `fault` says, which is taken, and reports it to the other side. */
void exchange_fail(struct exchange *exchange, struct fault *fault);

/* All is done: nothing more will be sent. */
void exchange_end(struct exchange *exchange);

/* Whether the data of a file were verified, for messages. */
const char *exchange_verified(const struct exchange *exchange);

/* Reports that a transfer continues at the offset, or with 0 that it begins again. */
void exchange_report_resumed(const char *name, uint64_t offset, uint64_t size);

/* The operations of the stream. The read returns queued messages, or the end; IO_AGAIN: data may
 * follow. */
enum io exchange_read(struct exchange *exchange, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault);
enum io exchange_write(struct exchange *exchange, const struct iovec *pieces, int count,
	size_t *put, struct fault *fault);
enum io exchange_shut(struct exchange *exchange, bool half_close, struct fault *fault);

#endif
