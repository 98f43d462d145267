/*
 * The channel between the source and the sink of a flow, bounded in size. It is a ring of bytes, a
 * pipe in the kernel, or holds messages; the flow does not know which.
 */
#ifndef SOCKCAT_FLOW_CHANNEL_H
#define SOCKCAT_FLOW_CHANNEL_H

#include "base/buf.h"
#include "flow/stage.h"
#include "frame/frame.h"
#include "stream/stream.h"

/* The usual bound: larger than any datagram, and large enough that copying costs more than the
 * system calls do. */
#define CHANNEL_SIZE ((size_t)256 * 1024)

/* The size of a lazy ring that could not allocate its memory: enough to make progress. */
#define CHANNEL_SPARE 128

struct channel;
struct framed_channel;

struct channel_ops {
	const char *name;
	bool (*has_room)(const struct channel *channel);
	bool (*has_data)(const struct channel *channel);
	enum io (*fill)(struct channel *, struct stream *source, size_t *got, struct fault *);

	/* Lends the oldest data: fills *pieces, which has room for `room`, or points it to pieces
	 * of its own. Returns their number. */
	int (*lend)(struct channel *, struct iovec **pieces, int room);

	/* A write took this much of what was lent; messages: 0 if the sink takes bytes. */
	void (*consume)(struct channel *, size_t bytes, size_t messages);

	/* In place of lend and consume: moves data to the sink. NULL: it lends. */
	enum io (*drain)(
		struct channel *, struct stream *sink, int64_t now, size_t *put, struct fault *);

	/* Frees what the kind owns; NULL: nothing. */
	void (*close)(struct channel *);
};

/* What to do with a message that the sink's format cannot carry. */
enum channel_oversize { CHANNEL_OVERSIZE_FAIL, CHANNEL_OVERSIZE_TRUNCATE, CHANNEL_OVERSIZE_SKIP };

/* The ring, which a splice channel falls back to. */
extern const struct channel_ops channel_ring;

/* The configuration of a flow and its channel. */
struct flow_config {
	size_t buffer;              /* size of the channel in bytes; > 0 */
	bool half_close;            /* the sink, when the source has ended and all is written */
	bool splice;                /* the kernel may move the bytes */
	bool lazy;                  /* allocate memory only while there is data */
	const struct stage *stages; /* up to one without operations; not owned; NULL: none */
	const struct frame *decode; /* format of the source; not owned; NULL: a read is a message */
	const struct frame *encode; /* format of the sink; not owned; NULL: leave them unchanged */
	enum channel_oversize oversize;
	uint64_t most; /* messages to receive; 0: all */
};

struct channel {
	const struct channel_ops *ops;
	const struct stream *sink; /* not owned */
	struct stage_list stages;
	/* Adjacent, to save space in each idle client: */
	bool ready : 1;   /* a fill needs no read */
	bool lazy : 1;    /* a ring has no memory while it is empty */
	bool splice : 1;  /* the kernel may take over from a ring */
	bool bulk : 1;    /* the last read was large, from a source that splice(2) reads */
	bool full : 1;    /* the pipe of a splice takes nothing before the next drain */
	unsigned stuck;   /* splice: consecutive EAGAIN although the source has data */
	size_t part;      /* bytes read that are not a whole message yet */
	size_t fetched;   /* bytes to count as read; the flow resets it */
	uint64_t brought; /* messages, or reads with data; the flow resets it */
	uint64_t skipped, truncated; /* messages that the sink's format could not carry */
	/* ring: */
	struct buf buf;
	unsigned char spare[CHANNEL_SPARE]; /* the memory of buf when there was no other */
	size_t size;
	unsigned char *raw; /* input of the transform; owned, allocated with the ring */
	/* splice: */
	int pipe[2];  /* owned */
	size_t piped; /* bytes in the pipe */
	/* lent data: */
	struct lender *lender; /* not owned; NULL: the channel has data of its own */
	/* messages: */
	struct framed_channel *framed; /* owned */
	uint64_t taken;                /* bytes of the source in messages, and between them */
};

/* The other kinds; see their files. Each changes the channel to its kind. */
bool framed_channel_open(struct channel *channel, const struct stream *source,
	const struct flow_config *config, struct fault *fault);
void lent_open(struct channel *channel, const struct stream *source);

/* False: the descriptors do not allow it, or no pipe. */
bool splice_open(struct channel *channel, const struct stream *source);

/* Chooses the kind that suits both ends. False and a fault if there is no memory. */
bool channel_open(struct channel *channel, const struct stream *source, const struct stream *sink,
	const struct flow_config *config, struct fault *fault);

/* Changes a splice channel to a ring with room for a read after the `held` bytes that the caller
 * adds to it. False and a fault if there is no memory. */
bool channel_leave(struct channel *channel, size_t held, struct fault *fault);

/* One write to the sink, of as much as the stages let pass. There has to be data. */
enum io channel_drain(struct channel *channel, struct stream *sink, int64_t now, size_t *put,
	struct fault *fault);

/* Frees it; also good on a zeroed struct. */
void channel_close(struct channel *channel);

#endif
