/*
 * A post office: what one says, many get. It is copied once, into a block that all of them share;
 * each has a box, in which the blocks wait for it, and a bound on how much may wait there.
 *
 * Nobody is called back: whoever something came for, or who may try again, is listed as woken, and
 * the owner of the office takes them from there.
 */
#ifndef SOCKCAT_STREAM_POST_H
#define SOCKCAT_STREAM_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/fault.h"
#include "base/io.h"
#include "stream/shortage.h"
#include "stream/stream.h"

/* What a block costs beyond its bytes, so that a box full of empty messages is full, too. */
#define POST_COST 64

/* What is done about a box that is full: the speaker waits, the message is left out for this box,
 * or whoever has the box is sent away. Both not before it has been looked after: nobody is slow who
 * has not had a turn. Until then the speaker waits in any case. */
enum post_slow { POST_WAIT, POST_DROP, POST_DISCONNECT };

struct post_block;
struct post_box;

struct post {
	size_t limit; /* of the weight of a box; into an empty one a message of any size goes */
	enum post_slow slow;
	bool ended;     /* nobody will say anything any more */
	bool more;      /* there is something that could not be said yet */
	size_t hearers; /* boxes that something may be put into */
	size_t blocked; /* boxes that wait until they can be heard */
	/* All boxes, those that have waited longest to be heard first; and who has been woken. */
	struct post_box *first, *last, *woken, *last_woken;
};

struct post_box {
	struct post *post;            /* NULL: it is in none */
	struct stream *stream;        /* the one that has it; not owned */
	struct post_block **blocks;   /* owned, a ring; each block is counted */
	size_t head, count, capacity; /* of them */
	size_t offset;                /* what has been taken of the first block */
	size_t bytes;                 /* that wait */
	size_t weight;                /* the blocks with all their bytes, and their cost */
	uint64_t dropped;             /* messages that were left out */
	bool deaf;                    /* nothing is put in (any more): it only speaks */
	bool full;                    /* it was not emptied in time, and so has become deaf */
	bool fresh;                   /* since something came it has not been looked after */
	bool blocked;                 /* it waits until it can be heard */
	struct shortage shortage;     /* of memory, for what it says */
	bool is_woken;
	struct post_box *next, *previous, *next_woken;
};

/* Takes a box. `deaf`: nothing is ever put in. */
void post_join(struct post *post, struct post_box *box, struct stream *stream, bool deaf);

/* Gives it back, with what is in it; also good on a zeroed struct. */
void post_leave(struct post_box *box);

/* Nothing more is put in; nobody waits for it. What is there stays. Also good on a zeroed struct.
 */
void post_mute(struct post_box *box);

/*
 * Says it to all others. `apart`: each piece is a message, of which the first *said were taken;
 * otherwise all pieces together are bytes, and *said is 1. IO_AGAIN: not now; the box is woken when
 * it is worth a try, or its stream's wagain tells. IO_FAIL: there has been no memory for too long.
 */
enum io post_say(struct post_box *from, const struct iovec *pieces, int count, bool apart,
	size_t *said, struct fault *fault);

/* News for all others, for which nobody waits: with POST_WAIT, too, whoever has no room misses it.
 */
void post_tell(struct post_box *from, const struct iovec *pieces, int count);

/* Whether there is something that could not be said yet. */
void post_expect(struct post *post, bool more);

/* Nobody will say anything any more: the streams of all boxes end when they are empty. */
void post_end(struct post *post);

/* The box is looked after now: as much is taken out as there is room for elsewhere. */
void post_attend(struct post_box *box);

/* What waits in the box, oldest first: up to `most` pieces, one a block. Returns how many. */
int post_look(const struct post_box *box, struct iovec *pieces, int most);

/* So many bytes, or messages, have been taken off the front. */
void post_take(struct post_box *box, size_t bytes);
void post_take_messages(struct post_box *box, size_t count);

/* It waits until it can be heard: its stream is not to be written to before post_unblock. */
void post_block(struct post_box *box);

/* All that wait until they can be heard are woken to try again, who has waited longest first. */
void post_unblock(struct post *post);

/* Somebody is to be looked after: its stream may go on. */
void post_wake(struct post_box *box);

/* The next of them, or NULL. */
struct post_box *post_next_woken(struct post *post);

#endif
