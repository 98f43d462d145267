/* The relay on streams played by a script; see script.h. */
#include "script.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "flow/stage.h"
#include "flow/relay.h"
#include "frame/frame.h"
#include "broadcast/bus.h"
#include "filter/filter.h"
#include "filter/telnet.h"
#include "read_ahead.h"
#include "stream/lender.h"

/* No script needs more turns: a script that uses them all never ends. */
#define SCRIPT_TURNS 200000

/* The most that time passes in a turn beyond the awaited time, and so between a limit and the
 * end. */
#define SCRIPT_SLACK (8 * CLOCK_MILLISECOND)

/* The opening steps of the script's filter. */
#define SCRIPT_OPENS 5

/* The most messages of a read or a write. */
#define SCRIPT_BATCH 5

enum script_fate { SCRIPT_ENDS, SCRIPT_FAILS, SCRIPT_NEVER };

struct script {
	const uint8_t *bytes;
	size_t left;
	int64_t now;
	int64_t signalled_at; /* CLOCK_NEVER: no signal */
	int64_t failed_at;    /* CLOCK_NEVER: no failure but the idle limit */
	const char *broken;   /* the first rule that was broken */
	enum status first;    /* the first failure that a stream reported, or the signal */
	bool idled;           /* the idle limit has passed */
	/* The local input may be published by this queue on a bus: */
	bool on_bus;
	struct bus bus;
	struct bus_queue queue, publisher;
	struct stream publisher_stream;
	struct script_end *local, *remote;
	struct relay *relay;
	unsigned turn; /* of the relay */
	bool readable; /* the remote end fired for reading in this turn, */
	bool writable; /* for writing */
	bool awaited;  /* a write of the filter waits for input */
};

/* The running script: sys_splice gets descriptors only. */
static struct script *script_running;

/* The most pieces of a lender. */
#define SCRIPT_PIECES 2048

/* Lent memory of an end: each read adds a piece. */
struct script_lender {
	struct lender lender;
	struct script_end *end;
	unsigned char bytes[1024];
	size_t start, end_of[SCRIPT_PIECES]; /* of the bytes */
	size_t first, count;                 /* of the pieces */
	uint64_t taken;
};

/* A stream. Its input is `total` bytes, then its fate; it accepts `accepts` bytes. */
struct script_end {
	struct script *script;
	struct stream *stream;
	struct script_end *other;
	enum status read_status, write_status;
	enum script_fate fate;
	size_t total, given;   /* bytes that a read has handed out */
	size_t accepts, taken; /* bytes that a write has accepted */
	bool stalls;           /* accepts no more than that, without an error */
	bool discards;         /* discards everything after that, like a program's closed input */
	bool wakes;            /* sometimes signals a read independently of poll(2) */
	int64_t moved_at;      /* the last movement of its input */
	bool queues;           /* accepted data waits in the kernel for its reader */
	bool holds;            /* that reader takes nothing any more */
	size_t untaken;        /* bytes that wait there */
	size_t seen_untaken;   /* the same at the last look */
	size_t seen_taken;     /* what it had accepted at the last look */
	bool lends;            /* its reads lend memory */
	bool repeats;          /* its end may be read more than once, by a filter */
	bool begins;           /* its writes report a partly written piece */
	bool told_splice, told_splice_to; /* splice(2) reported the failure, once */
	bool ended, failed_read, failed_write, failed_shut, told_end, arrived;
	bool read_dry;        /* the last read found nothing and expects nothing later */
	unsigned shuts_again; /* how often shut returns IO_AGAIN */
	int64_t arrived_at;   /* the last time when shut found progress */
	unsigned salt;
	bool single;                         /* its reads return one message */
	bool flips;                          /* a transform changes all bytes written here */
	struct iovec messages[SCRIPT_BATCH]; /* of the last read */
};

static unsigned
script_next(struct script *script)
{
	if (script->left == 0)
		return 0; /* an exhausted script always makes progress */
	script->left--;
	return *script->bytes++;
}

static size_t
script_next_size(struct script *script, size_t max)
{
	size_t value = script_next(script);
	value |= (size_t)script_next(script) << 8;
	return max == 0 ? 0 : value % (max + 1);
}

static void
script_break(struct script *script, bool holds, const char *rule)
{
	if (!holds && script->broken == NULL)
		script->broken = rule;
}

static void
script_fails(struct script *script, enum status status)
{
	if (script->first == STATUS_OK)
		script->first = status;
}

/* Records movement of the input of this end. */
static void
script_moves(struct script_end *end)
{
	end->moved_at = end->script->now;
}

/* The end has accepted n bytes. */
static void
script_accept(struct script_end *end, size_t n)
{
	end->taken += n;
	end->untaken += end->queues ? n : 0;
	script_moves(end->other);
}

static unsigned char
script_byte(const struct script_end *end, size_t i)
{
	unsigned char byte = (unsigned char)(((i * 2654435761u) >> 7 ^ (i * end->salt)) % 255);
	/* Telnet escapes 255 and CR. */
	return byte == '\r' ? '\n' : byte;
}

/* The expected byte at an offset. */
static unsigned char
script_wanted(const struct script_end *end, size_t i)
{
	return script_byte(end->other, i) ^ (end->flips ? 1 : 0);
}

static bool
script_is_boxed(const struct script_end *end)
{
	return end->script->on_bus && end == end->script->local;
}

/* Splits the read bytes into messages, some of them empty. */
static void
script_cut(struct script_end *end, const struct iovec *piece, size_t n)
{
	struct stream *stream = end->stream;
	size_t count = 1 + script_next(end->script) % SCRIPT_BATCH, done = 0;
	stream->loan.messages = NULL;
	if (end->single || count == 1)
		return;
	for (size_t i = 0; i < count; i++) {
		size_t part = i + 1 < count ? script_next_size(end->script, n - done) : n - done;
		end->messages[i] = (struct iovec){ (unsigned char *)piece->iov_base + done, part };
		done += part;
	}
	stream->loan.messages = end->messages;
	stream->loan.count = count;
}

static enum io
script_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct script_end *end = stream->impl;
	struct script *script = end->script;
	size_t room = stream_total(pieces, count);

	script_break(script, room > 0, "a read has room");
	script_break(script, !end->failed_read, "a failed source is not read again");
	script_break(script, !end->ended || end->repeats, "an ended source is not read again");
	script_break(script, !end->told_splice || stream->read.error != 0,
		"an error of splice is returned by the next read");
	unsigned decision = end->told_splice ? 0 : script_next(script);
	end->read_dry = true;
	stream->ready = false;
	if (decision % 8 == 7) {
		stream->read.at = clock_after(script->now, decision * CLOCK_MILLISECOND);
		end->read_dry = false;
		return IO_AGAIN;
	}
	if (decision % 4 == 3)
		return IO_AGAIN;
	if (end->given == end->total) {
		switch (end->fate) {
		case SCRIPT_ENDS:
			end->ended = true;
			return IO_END;
		case SCRIPT_FAILS:
			end->failed_read = true;
			script_fails(script, end->read_status);
			(void)fault_set(fault, end->read_status, ECONNRESET, "script");
			return IO_FAIL;
		case SCRIPT_NEVER:
			return IO_AGAIN;
		}
	}
	size_t n = end->total - end->given;
	if (n > room)
		n = room;
	if (stream->caps.messages) {
		/* A message of any size, even 0, before the end. */
		n = script_next_size(script, n);
		if (n == 0 && script->left == 0)
			n = end->total - end->given < room ? end->total - end->given : room;
	} else if (decision % 4 == 2) {
		n = 1;
	} else if (decision % 4 == 1) {
		n = 1 + script_next_size(script, n - 1);
	}
	for (size_t i = 0, put = 0; i < (size_t)count && put < n; i++) {
		unsigned char *at = pieces[i].iov_base;
		for (size_t j = 0; j < pieces[i].iov_len && put < n; j++, put++)
			at[j] = script_byte(end, end->given + put);
	}
	end->given += n;
	end->read_dry = false;
	script_moves(end);
	if (stream->caps.messages)
		script_cut(end, pieces, n);
	*got = n;
	return IO_OK;
}

static enum io
script_lender_read(struct lender *lender, size_t *got)
{
	struct script_lender *loan = (struct script_lender *)lender;
	struct stream *stream = loan->end->stream;
	size_t at = loan->count > 0 ? loan->end_of[loan->count - 1] : 0;
	size_t most = loan->end->other->stream->caps.message_max;
	struct iovec space = { loan->bytes + at, sizeof loan->bytes - at };
	struct fault fault = FAULT_NONE;
	if (most > 0 && most < space.iov_len)
		space.iov_len = most;
	stream->read.at = 0;
	enum io result = script_read(stream, &space, 1, got, &fault);
	fault_clear(&fault);
	if (result == IO_OK) {
		loan->end_of[loan->count++] = at + *got;
		lender->count++;
		lender->bytes += *got;
	}
	return result;
}

static int
script_lender_lend(const struct lender *lender, struct iovec *pieces, int room)
{
	const struct script_lender *loan = (const struct script_lender *)lender;
	size_t start = loan->start;
	int count = 0;
	for (size_t i = loan->first; i < loan->count && count < room; i++, count++) {
		pieces[count] = (struct iovec){ (char *)(uintptr_t)loan->bytes + start,
			loan->end_of[i] - start };
		start = loan->end_of[i];
	}
	return count;
}

static void
script_lender_consume(struct lender *lender, size_t bytes, size_t messages)
{
	struct script_lender *loan = (struct script_lender *)lender;
	bool apart = loan->end->other->stream->caps.message_max > 0;
	script_break(loan->end->script, bytes <= lender->bytes && (messages > 0) == apart,
		"no more is consumed than was lent");
	loan->start += bytes;
	lender->bytes -= bytes;
	for (size_t i = 0; apart ? i < messages
				 : lender->count > 0 && loan->end_of[loan->first] <= loan->start;
		i++) {
		loan->first++;
		lender->count--;
	}
	script_break(loan->end->script,
		!apart || loan->first == 0 || loan->end_of[loan->first - 1] == loan->start,
		"messages are consumed whole");
}

static const struct lender_ops script_lender_ops = { script_lender_read, script_lender_lend,
	script_lender_consume };

/* Makes the end lend its reads. */
static void
script_lend(struct script_end *end, struct script_lender *loan)
{
	*loan = (struct script_lender){
		.lender = { .ops = &script_lender_ops, .taken = &loan->taken }, .end = end
	};
	end->stream->caps.lender = &loan->lender;
	end->single = true;
	/* The only failure of a lender is a reader that does not keep up. */
	end->read_status = STATUS_SEND;
	end->lends = true;
}

static enum io
script_fail_write(struct script_end *end, struct fault *fault)
{
	end->failed_write = true;
	script_fails(end->script, end->write_status);
	if (end->write_status == STATUS_OUTPUT)
		(void)fault_set_quiet(fault, end->write_status);
	else
		(void)fault_set(fault, end->write_status, EPIPE, "script");
	return IO_FAIL;
}

static enum io
script_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	struct script_end *end = stream->impl;
	struct script *script = end->script;
	size_t offered = stream_total(pieces, count), messages = 0;

	script_break(script, !end->failed_write, "a failed sink is not written again");
	script_break(script, !end->told_end, "nothing is written behind the end");
	script_break(script, !end->told_splice_to || stream->write.error != 0,
		"an error of splice is returned by the next write");
	if (end->taken >= end->accepts && !end->discards)
		return end->stalls ? IO_AGAIN : script_fail_write(end, fault);
	/* The offered bytes are discarded in the next turn. */
	if (end->taken >= end->accepts && !stream->stats.discarding) {
		*put = 0;
		stream->stats.discarding = true;
		stream->write.error = 0;
		end->told_splice_to = false;
		if (count > 0)
			script_moves(end->other);
		stream->hangup.fd = -1;
		return IO_OK;
	}
	unsigned decision = script_next(script);
	if (decision % 4 == 3) {
		if (decision % 8 == 7) {
			stream->write.at = clock_after(script->now, decision * CLOCK_MILLISECOND);
			stream->stats.retried++;
		}
		return IO_AGAIN;
	}
	size_t n = offered;
	if (stream->caps.message_max == 0 && n > 0) {
		if (decision % 4 == 2)
			n = 1;
		else if (decision % 4 == 1)
			n = 1 + script_next_size(script, n - 1);
	}
	if (stream->caps.message_max > 0 && count > 0) {
		script_break(script, count == 1 || (size_t)count <= stream->caps.batch,
			"no more messages are written than are taken at once");
		messages = 1 + (decision % 4 == 0 ? script_next(script) % (unsigned)count : 0);
		n = stream_total(pieces, (int)messages);
	}
	for (size_t i = 0, seen = 0; i < (size_t)count && seen < n; i++) {
		const unsigned char *at = pieces[i].iov_base;
		for (size_t j = 0; j < pieces[i].iov_len && seen < n; j++, seen++)
			script_break(script, at[j] == script_wanted(end, end->taken + seen),
				"the bytes arrive whole, once and in order");
	}
	/* A check for a reader moves nothing. */
	if (count > 0)
		script_accept(end, n);
	else
		stream->hangup.fd = -1;
	stream->mid_message = end->begins && n < offered;
	script_break(script, end->taken <= end->other->given, "no byte is invented");
	*put = messages > 0 ? messages : n;
	return IO_OK;
}

ssize_t __wrap_sys_splice(int from, int to, size_t n);

/* Takes bytes from the end as the kernel would, into the pipe. */
static ssize_t
script_splice_from(struct script_end *end, int pipe, size_t n)
{
	unsigned char bytes[1024];
	unsigned decision = script_next(end->script);
	size_t left = end->total - end->given;
	end->read_dry = true;
	errno = EAGAIN;
	if (decision % 4 == 3 || (left == 0 && end->fate == SCRIPT_NEVER))
		return -1;
	if (left == 0 && end->fate == SCRIPT_FAILS) {
		end->told_splice = true;
		errno = ECONNRESET;
		return -1;
	}
	n = n < sizeof bytes ? n : sizeof bytes;
	n = n < left ? n : left;
	if (decision % 4 == 2 && n > 0)
		n = 1 + script_next_size(end->script, n - 1);
	for (size_t i = 0; i < n; i++)
		bytes[i] = script_byte(end, end->given + i);
	script_break(end->script, n == 0 || write(pipe, bytes, n) == (ssize_t)n,
		"the pipe takes what fits");
	end->given += n;
	end->read_dry = n == 0;
	if (n > 0)
		script_moves(end);
	return (ssize_t)n;
}

/* Moves bytes from the pipe to the end. */
static ssize_t
script_splice_to(struct script_end *end, int pipe, int back, size_t n)
{
	unsigned char bytes[4096];
	size_t put = 0;
	enum io result = IO_AGAIN;
	ssize_t held = read(pipe, bytes, sizeof bytes);
	if (held <= 0)
		return held;
	bool takes = end->taken < end->accepts || end->stream->stats.discarding;
	if (takes) {
		struct iovec piece = { bytes, n < (size_t)held ? n : (size_t)held };
		struct fault fault = FAULT_NONE;
		struct stream stream = *end->stream;
		result = script_write(&stream, &piece, 1, &put, &fault);
		fault_clear(&fault);
	}
	script_break(end->script,
		put == (size_t)held ||
			write(back, bytes + put, (size_t)held - put) == held - (ssize_t)put,
		"the pipe keeps what is not taken");
	if (result == IO_OK)
		return (ssize_t)put;
	end->told_splice_to = !takes && !end->stalls;
	errno = end->told_splice_to ? EPIPE : EAGAIN;
	return -1;
}

/* The other end of a channel's pipe. */
static int
script_pipe_end(const struct script *script, int from)
{
	const int *out = script->relay->out.channel.pipe, *in = script->relay->in.channel.pipe;
	return out[0] == from ? out[1] : in[1];
}

ssize_t
__wrap_sys_splice(int from, int to, size_t n)
{
	struct script *script = script_running;
	struct script_end *ends[] = { script->local, script->remote };
	if (script_next(script) % 32 == 31) {
		errno = EINVAL;
		return -1;
	}
	for (size_t i = 0; i < 2; i++) {
		/* A pipe with data is emptied before it is filled again, so the order is kept. */
		if (ends[i]->stream->read.splice == from)
			return script_splice_from(ends[i], to, n);
		if (ends[i]->stream->write.splice == to)
			return script_splice_to(ends[i], from, script_pipe_end(script, from), n);
	}
	abort();
}

bool __wrap_sys_untaken(int fd, size_t *amount);

bool
__wrap_sys_untaken(int fd, size_t *amount)
{
	struct script *script = script_running;
	struct script_end *end =
		fd == script->local->stream->write.fd ? script->local : script->remote;
	script_break(script,
		end->untaken > 0 || end->seen_untaken > 0 || end->taken != end->seen_taken ||
			end->stream->caps.taken != NULL,
		"nothing is looked for where nothing waits");
	end->seen_untaken = end->untaken;
	end->seen_taken = end->taken;
	*amount = end->untaken;
	return end->queues;
}

/* The reader takes some of the waiting bytes, or other processes write there. */
static void
script_take(struct script_end *end)
{
	size_t most = end->untaken < 3 ? end->untaken : 3;
	if (end->queues && end->holds)
		end->untaken += script_next(end->script) % 2;
	if (most == 0 || end->holds)
		return;
	end->untaken -= 1 + script_next(end->script) % most;
	script_moves(end->other);
}

static enum io
script_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct script_end *end = stream->impl;
	struct script *script = end->script;

	script_break(script, !end->arrived, "the end is sent once");
	if (half_close) {
		script_break(script, !fault_is_set(&script->relay->cause),
			"no end is sent after a failure");
		script_break(script, !end->other->failed_read, "a failed source is no good end");
		script_break(script, end->taken == end->other->given || script_is_boxed(end->other),
			"the end is sent last");
		end->told_end = true;
	}
	if (end->failed_shut || end->fate == SCRIPT_FAILS) {
		if (script_next(script) % 16 == 15) {
			end->failed_shut = true;
			return script_fail_write(end, fault);
		}
	}
	if (end->shuts_again > 0) {
		size_t before = stream->stats.unarrived;
		end->shuts_again--;
		stream->stats.unarrived = end->shuts_again / 2 + 1;
		if (stream->stats.unarrived != before)
			end->arrived_at = script->now;
		stream->write.at = clock_after(script->now, 50 * CLOCK_MILLISECOND);
		return IO_AGAIN;
	}
	end->arrived = true;
	return IO_OK;
}

static void
script_close(struct stream *stream, bool clean)
{
	(void)clean;
	stream->impl = NULL;
}

static const struct stream_ops script_ops = {
	.read = script_read,
	.write = script_write,
	.shut = script_shut,
	.close = script_close,
};

static void
script_begin_end(struct script_end *end, struct script *script, struct script_end *other, int fd)
{
	unsigned decision = script_next(script);
	end->stream = stream_new(&script_ops, strdup("script"), 0, NULL);
	end->stream->impl = end;
	end->script = script;
	end->other = other;
	end->moved_at = script->now;
	end->stream->read.fd = end->stream->write.fd = fd;
	end->total = script_next_size(script, decision % 2 == 0 ? 40 : 700);
	end->fate = decision % 16 < 10 ? SCRIPT_ENDS
		: decision % 16 < 13   ? SCRIPT_FAILS
				       : SCRIPT_NEVER;
	end->accepts = decision / 16 % 4 == 3 ? script_next_size(script, 500) : SIZE_MAX;
	end->stalls = decision / 16 % 4 == 2;
	end->discards = decision / 16 % 4 == 1 && end->read_status == STATUS_INPUT;
	if (end->discards)
		end->accepts = script_next_size(script, 500);
	end->wakes = end->discards;
	if (end->stalls)
		end->accepts = script_next_size(script, 100);
	end->shuts_again = decision / 64 == 3 ? script_next(script) : 0;
	end->salt = (unsigned)fd;
	decision = script_next(script);
	end->queues = decision % 4 == 3;
	end->holds = decision / 4 % 4 == 3;
	end->begins = end == script->local && decision / 16 % 4 == 3 && !end->discards;
}

/* --- a filter as TLS or a proxy would be: it opens in steps, reads too far, and at times can read
 * only when it can write, and write only when it can read --- */

struct script_filter {
	struct read_ahead ahead;
	struct script_end *end;
	unsigned opens;      /* steps of opening */
	bool waits;          /* the next read waits for output */
	unsigned since;      /* since this turn */
	int64_t at;          /* or until this time; 0: for the descriptor */
	bool blocked;        /* the next write waits for input */
	int64_t unblocks;    /* as `at` */
	unsigned long turns; /* writes that have waited */
};

/* States the sides after an operation; a side that waits is not that of the lower stream. */
static void
script_filter_follow(struct stream *stream)
{
	const struct script_filter *filter = stream->impl;
	struct stream_side read = stream->read, write = stream->write;
	stream_follow(stream);
	if (filter->waits)
		stream->read = read;
	if (filter->blocked)
		stream->write = write;
}

/* Whether a write waits for input. It may be tried before that has come. */
static bool
script_filter_blocks(struct stream *stream)
{
	struct script_filter *filter = stream->impl;
	struct script *script = filter->end->script;
	if (filter->blocked) {
		bool due =
			filter->unblocks != 0 ? script->now >= filter->unblocks : script->readable;
		filter->turns += due;
		filter->blocked = script->awaited = !due;
		if (filter->blocked)
			stream->write.at = filter->unblocks;
		return filter->blocked;
	}
	filter->blocked = script->awaited = script_next(script) % 4 == 3;
	if (filter->blocked) {
		stream->write = stream->lower->read;
		filter->unblocks = stream->write.at;
	}
	return filter->blocked;
}

static enum io
script_filter_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct script_filter *filter = stream->impl;
	script_break(filter->end->script, stream->lower->opened, "the lower stream opens first");
	script_break(filter->end->script, filter->opens == 0 || pollset != NULL,
		"a step of opening knows what fired");
	if (++filter->opens < SCRIPT_OPENS) {
		stream->read = stream->write;
		if (filter->opens % 2 == 0)
			stream->read.at = clock_after(now, CLOCK_MILLISECOND);
		return IO_AGAIN;
	}
	enum io result = read_ahead_fill(stream, &filter->ahead, fault);
	/* The peer may send nothing. */
	return result == IO_END || filter->opens > 2 * SCRIPT_OPENS ? IO_OK : result;
}

static enum io
script_filter_read(struct stream *stream, const struct iovec *pieces, int count, size_t *got,
	struct fault *fault)
{
	struct script_filter *filter = stream->impl;
	struct script *script = filter->end->script;
	bool ahead = stream->ready;
	script_break(script, filter->opens >= SCRIPT_OPENS, "it is read when it is open");
	script_break(script,
		!filter->waits || stream->read.draining || script->turn == filter->since ||
			(filter->at != 0 ? script->now >= filter->at : script->writable),
		"a read that waits for output is not tried before");
	filter->waits = !filter->waits && !stream->read.draining && script_next(script) % 4 == 3;
	if (filter->waits) {
		filter->since = script->turn;
		stream->read = stream->lower->write;
		filter->at = stream->read.at;
		return IO_AGAIN;
	}
	struct stream_side write = stream->write;
	enum io result = read_ahead_take(stream, &filter->ahead, pieces, count, got, fault);
	stream->write = write;
	script_filter_follow(stream);
	if (ahead)
		script_moves(filter->end);
	return result;
}

static enum io
script_filter_write(struct stream *stream, const struct iovec *pieces, int count, size_t *put,
	struct fault *fault)
{
	if (count > 0 && script_filter_blocks(stream))
		return IO_AGAIN;
	enum io result = stream_write(stream->lower, pieces, count, put, fault);
	script_filter_follow(stream);
	return result;
}

static enum io
script_filter_shut(struct stream *stream, bool half_close, struct fault *fault)
{
	struct script_filter *filter = stream->impl;
	filter->blocked = filter->end->script->awaited = false;
	enum io result = stream_shut(stream->lower, half_close, fault);
	script_filter_follow(stream);
	return result;
}

static const struct stream_ops script_filter_ops = {
	.open = script_filter_open,
	.read = script_filter_read,
	.write = script_filter_write,
	.shut = script_filter_shut,
};

/* Puts the filter on top; NULL without memory. */
static struct script_filter *
script_filter_add(struct stream **top, struct script_end *end, struct fault *fault)
{
	struct stream *stream =
		filter_add(top, &script_filter_ops, sizeof(struct script_filter), fault);
	if (stream == NULL)
		return NULL;
	struct script_filter *filter = stream->impl;
	filter->end = end;
	return filter;
}

/* Opens a chain of streams; everything that it waits for happens. */
static bool
script_open(struct script *script, struct stream *top, struct fault *fault)
{
	struct pollset pollset = { .polls = NULL };
	enum io result = stream_open(top, NULL, script->now, fault);
	for (unsigned turn = 0; result == IO_AGAIN && script->broken == NULL; turn++) {
		pollset_begin(&pollset);
		stream_ask_open(top, &pollset);
		script_break(script,
			turn < SCRIPT_TURNS &&
				(pollset.count > 0 || pollset.deadline != CLOCK_NEVER),
			"an opening waits for something, and ends");
		for (size_t i = 0; i < pollset.count; i++)
			pollset.polls[i].revents = pollset.polls[i].events;
		if (pollset.count == 0 && pollset.deadline > script->now)
			script->now = pollset.deadline;
		result = stream_open(top, &pollset, script->now, fault);
	}
	script_break(
		script, result != IO_FAIL || fault_is_set(fault), "a failed opening has a cause");
	script_break(script, result != IO_OK || top->opened, "an open stream says so");
	pollset_close(&pollset);
	script->local->moved_at = script->remote->moved_at = script->now;
	return result == IO_OK;
}

/* Publishes a piece while there is a subscriber, or ends the bus. False: finished. */
static bool
script_publish(struct script *script)
{
	struct script_end *local = script->local;
	unsigned char bytes[20];
	size_t left = local->total - local->given, most = script->remote->stream->caps.message_max,
	       said;
	struct fault fault = FAULT_NONE;
	if (!script->on_bus || script->queue.publish_only || script->bus.ended)
		return false;
	if (script->relay->out.state != FLOW_OPEN) {
		bus_unsubscribe(&script->queue);
		return false;
	}
	if (left == 0 && local->fate == SCRIPT_NEVER)
		return false;
	if (left == 0) {
		local->ended = true;
		bus_end(&script->bus);
		return true;
	}
	if (most == 0 || most > sizeof bytes)
		most = sizeof bytes;
	if (most > left)
		most = left;
	struct iovec piece = { bytes, 1 + script_next(script) % most };
	for (size_t i = 0; i < piece.iov_len; i++)
		bytes[i] = script_byte(local, local->given + i);
	enum io result = bus_publish(&script->publisher, &piece, 1, false, &said, &fault);
	fault_clear(&fault);
	if (result != IO_OK)
		return false;
	local->given += piece.iov_len;
	script_moves(local);
	return true;
}

/* Another client takes data: queues that wait for room in the bus are woken. */
static void
script_take_elsewhere(struct script *script)
{
	const struct flow *in = &script->relay->in;
	if (!script->on_bus || script_next(script) % 8 != 7)
		return;
	script->bus.taken++;
	if (in->state < FLOW_SHUTTING && in->channel.ops->has_data(&in->channel))
		script_moves(script->remote);
}

/* Lets some awaited events happen, and time pass. False if nothing can happen any more;
 * `signalled`: a signal has just arrived. */
static bool
script_wait(struct script *script, struct pollset *pollset, bool signalled)
{
	unsigned decision = script_next(script);
	bool fired = script_publish(script);
	script->turn++;
	script->readable = script->writable = false;
	if (script->local->wakes && decision % 64 == 63)
		script->local->stream->ready = true;
	for (size_t i = 0; i < pollset->count; i++) {
		struct pollfd *poll = &pollset->polls[i];
		struct script_end *end = poll->fd == script->local->stream->write.fd
			? script->local
			: script->remote;
		bool reads = (poll->events & POLLIN) != 0;
		bool awaited = script->awaited && end == script->remote;
		if (reads && end->fate == SCRIPT_NEVER && end->given == end->total && !awaited)
			continue; /* an idle pipe, a silent peer */
		if (poll->events == 0 && end->taken < end->accepts)
			continue; /* the reader is still there */
		if (end->stalls && end->taken >= end->accepts && (poll->events & POLLIN) == 0)
			continue;
		if (decision >> i % 8 & 1)
			continue;
		poll->revents = poll->events != 0 ? poll->events : POLLERR;
		script->readable |= end == script->remote && reads;
		script->writable |= end == script->remote && (poll->events & POLLOUT) != 0;
		fired = true;
	}
	/* An interrupted or slow wait. */
	if (fired || signalled || decision != 0)
		script->now += decision % 3 * CLOCK_MILLISECOND;
	else if (pollset->deadline == CLOCK_NEVER)
		return false;
	else if (pollset->deadline > script->now)
		script->now = pollset->deadline;
	script_take(script->local);
	script_take(script->remote);
	script_take_elsewhere(script);
	return true;
}

static int64_t
script_next_span(struct script *script)
{
	unsigned decision = script_next(script);
	return decision % 2 == 0 ? CLOCK_NEVER : (int64_t)decision * 20 * CLOCK_MILLISECOND;
}

static struct relay_rules
script_rules(struct script *script)
{
	unsigned decision = script_next(script);
	struct relay_rules rules = {
		.out = { .buffer = 2 + script_next_size(script, 99), .half_close = true },
		.in = { .buffer = 2 + script_next_size(script, 99), .half_close = true },
		.send = decision % 8 != 7,
		.receive = true,
		.at_peer_end = (enum flow_stop)(decision / 8 % 3),
		.at_input_end = decision / 32 % 4 == 3 ? FLOW_STOP_DRAINED : FLOW_GOES_ON,
		.quit_after = script_next_span(script),
		.linger = 1 + (int64_t)script_next(script) * CLOCK_MILLISECOND,
		.idle = script_next_span(script),
	};
	decision = script_next(script);
	rules.served = decision % 2 == 1;
	rules.ends_idle = decision / 2 % 4 == 3;
	/* A side that never ends needs a time limit of the session. */
	bool never = script->local->fate == SCRIPT_NEVER || script->remote->fate == SCRIPT_NEVER;
	never |= script->remote->stalls || (script->local->stalls && decision % 2 == 0);
	if (never && rules.idle == CLOCK_NEVER)
		rules.idle = 5 * CLOCK_SECOND;
	return rules;
}

/* --- stages of the test --- */

/* Bytes that a gate passes at a time, and milliseconds in between. */
#define SCRIPT_GATE 7

/* The stage belongs to the flow to this end: it has passed bytes that the end gets, or got. */
static void
script_observe(struct script_end *end, struct stage *stage, const struct iovec *pieces, int count,
	size_t n)
{
	size_t seen = 0;
	for (int i = 0; i < count && seen < n; i++) {
		const unsigned char *at = pieces[i].iov_base;
		for (size_t j = 0; j < pieces[i].iov_len && seen < n; j++, seen++)
			script_break(end->script,
				at[j] == script_wanted(end, (size_t)stage->amount + seen),
				"an observer sees what passes, once and in order");
	}
	stage->amount += (int64_t)n;
	script_break(end->script, (size_t)stage->amount == end->taken,
		"an observer sees all that passes");
}

static void
script_observe_out(
	struct stage *stage, const struct iovec *pieces, int count, size_t n, int64_t now)
{
	(void)now;
	script_observe(script_running->remote, stage, pieces, count, n);
}

static void
script_observe_in(struct stage *stage, const struct iovec *pieces, int count, size_t n, int64_t now)
{
	(void)now;
	script_observe(script_running->local, stage, pieces, count, n);
}

static size_t
script_gate_limit(const struct stage *stage, const struct iovec *pieces, int count)
{
	(void)pieces, (void)count;
	script_break(script_running, stage->until <= script_running->now,
		"a gate is asked when its time has come");
	return SCRIPT_GATE;
}

static void
script_gate_passed(
	struct stage *stage, const struct iovec *pieces, int count, size_t n, int64_t now)
{
	script_break(script_running, stage->until <= now, "nothing passes a closed gate");
	script_break(script_running,
		n <= SCRIPT_GATE || (stage->messages && n <= pieces[0].iov_len && count == 1),
		"no more passes than a gate allows");
	stage->until = clock_after(now, (int64_t)n * CLOCK_MILLISECOND);
}

static size_t
script_flip(struct stage *stage, const unsigned char *in, size_t n, bool first, unsigned char *out)
{
	(void)stage, (void)first;
	for (size_t i = 0; i < n; i++)
		out[i] = in[i] ^ 1;
	return n;
}

/* Some stages towards the end. NULL: none. */
static const struct stage *
script_stages(struct script_end *end, bool lent, struct stage stages[static 5])
{
	static const struct stage_ops gate = { .limit = script_gate_limit,
		.passed = script_gate_passed };
	static const struct stage_ops flip = { .change = script_flip };
	static const struct stage_ops out = { .passed = script_observe_out };
	static const struct stage_ops in = { .passed = script_observe_in };
	unsigned decision = script_next(end->script);
	size_t count = 0;
	if (decision % 2 == 0)
		return NULL;
	if (decision / 2 % 4 == 3) {
		stages[count] = pace_stage;
		stages[count++].amount = 1 + script_next(end->script) % 64 * CLOCK_MILLISECOND;
	}
	if (decision / 8 % 2 == 1)
		stages[count++] = (struct stage){ .ops = &gate };
	end->flips = !lent && decision / 16 % 4 == 3;
	if (end->flips)
		stages[count++] = (struct stage){ .ops = &flip };
	stages[count++] = (struct stage){ .ops = end == end->script->remote ? &out : &in };
	stages[count] = (struct stage){ .ops = NULL };
	return stages;
}

static bool
script_is_gated(const struct stage *stages)
{
	for (; stages != NULL && stages->ops != NULL; stages++)
		if (stages->ops->limit != NULL)
			return true;
	return false;
}

static int64_t
script_later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The last movement in either direction. */
static int64_t
script_moved_at(const struct script *script)
{
	return script_later(script->local->moved_at, script->remote->moved_at);
}

/* The limit on time without movement. */
static int64_t
script_limit(const struct script *script, const struct relay_rules *rules)
{
	bool served = rules->served && script->failed_at != CLOCK_NEVER;
	return served ? clock_earlier(rules->idle, rules->linger) : rules->idle;
}

/* Checks the time limits at the end of a run. */
static void
script_judge_limits(
	struct script *script, const struct relay *relay, const struct relay_rules *rules)
{
	const struct script_end *local = script->local, *remote = script->remote;
	enum status status = relay->cause.status;
	int64_t moved_at = script_moved_at(script), limit = script_limit(script, rules);
	int64_t still = script->now - moved_at;
	/* A look may find progress that another look found. */
	int64_t late = rules->idle / (script->on_bus ? 8 : 16);
	/* For a peer without an end silence is the end: the quit time limits it, and the idle limit
	 * starts after it. */
	bool silent =
		remote->stream->caps.endless && local->ended && rules->quit_after <= rules->idle;
	late += silent ? rules->quit_after + rules->idle : 0;
	/* Where the limit is an end it starts again for the rest. */
	late += rules->ends_idle ? rules->idle : 0;
	script_break(script,
		status != STATUS_TIMEOUT || !silent || !remote->arrived ||
			relay->in.lost + relay->out.lost > 0,
		"silence that is awaited is no timeout");
	script_break(script, status != STATUS_TIMEOUT || still >= rules->idle,
		"the idle limit counts from the last movement");
	script_break(script,
		status != STATUS_TIMEOUT || script_is_gated(rules->out.stages) ||
			script_is_gated(rules->in.stages) ||
			still <= rules->idle + late + SCRIPT_SLACK,
		"the idle limit ends what does not move");
	script_break(script, !local->stream->mid_message || local->failed_write || relay->aborting,
		"a piece that has begun to go out is finished");
	script_break(script,
		script->now <= clock_after(script->signalled_at, RELAY_GRACE + SCRIPT_SLACK),
		"a signal ends it within the grace");
	if (script->failed_at == CLOCK_NEVER || relay->aborting)
		return;
	/* After a failure only the local side is waited for, */
	bool cut = local->taken != remote->given && !local->failed_write;
	still = script->now - script_later(moved_at, script->failed_at);
	script_break(script, !cut || still >= limit, "what was received has its time");
	script_break(script,
		!cut || script_is_gated(rules->in.stages) ||
			still <= limit + limit / 16 + SCRIPT_SLACK,
		"what was received has no more than its time");
	/* and OUT while it makes progress. */
	cut = remote->taken != local->given && !remote->failed_write && !relay->unconfirmed;
	still = script->now - script_later(local->moved_at, script->failed_at);
	script_break(script, !cut || still >= clock_earlier(limit, RELAY_GRACE),
		"what was read has its grace");
}

/* Checks the contract at the end of a run. */
static void
script_judge(struct script *script, const struct relay *relay, const struct relay_rules *rules)
{
	const struct script_end *local = script->local, *remote = script->remote;
	enum status status = relay->cause.status;
	bool timed = status == STATUS_TIMEOUT ? rules->idle != CLOCK_NEVER
		: status == STATUS_SEND ? relay->unconfirmed || rules->quit_after != CLOCK_NEVER
					: false;

	/* The limit of messages ends the session, whatever has not ended; the idle limit may, too.
	 */
	bool limited = rules->receive_limit > 0 && relay->in.reads >= rules->receive_limit;
	script_break(script, rules->receive_limit == 0 || relay->in.reads <= rules->receive_limit,
		"no more is received than was wanted");

	script_break(script,
		status == script->first || (script->first == STATUS_OK && timed) ||
			(timed && status == STATUS_TIMEOUT) || (timed && relay->unconfirmed) ||
			(timed && relay->quitting),
		"the status is that of the first cause");
	/* Data in the queue that is not read any more does not count. */
	if (script->on_bus) {
		script_break(script, relay->out.read <= local->given, "no byte is invented");
		script->local->given = relay->out.read;
	}
	/* Bytes dropped before they were searched for messages do not count. */
	bool framed = rules->out.decode != NULL && status != STATUS_OK;
	script_break(script,
		(relay->out.read == local->given && relay->in.read == remote->given) ||
			(framed && relay->out.read <= local->given &&
				relay->in.read <= remote->given),
		"what was read is counted");
	script_break(script,
		relay->out.read == relay->out.written + relay->out.lost &&
			relay->in.read == relay->in.written + relay->in.lost,
		"what was lost is counted");
	script_break(script,
		relay->out.written == remote->taken && relay->in.written == local->taken,
		"what was written is counted");
	script_break(script,
		relay->out.stop != FLOW_STOP_DRAINED || local->ended || local->failed_read ||
			local->read_dry || remote->failed_write || script->on_bus,
		"a drained source has nothing left");
	script_break(script, relay->clean == (status == STATUS_OK || relay->unconfirmed),
		"only a good end is clean");
	if (status == STATUS_OK) {
		script_break(script, script->first == STATUS_OK, "no failure goes unreported");
		script_break(script, remote->taken == local->given && local->taken == remote->given,
			"0 means that every byte read was written");
		script_break(
			script, !rules->send || remote->arrived, "0 means that all has arrived");
		script_break(script, local->arrived, "0 means that local output was finished");
		limited |= rules->ends_idle && script->idled;
		if (rules->send && rules->at_peer_end == FLOW_GOES_ON && !limited)
			script_break(
				script, local->ended, "the peer's end never cancels our sending");
		/* Received data is discarded, and nothing is left to send. */
		bool unwanted = local->stream->stats.discarding && relay->out.state == FLOW_DONE;
		if (rules->quit_after == CLOCK_NEVER && rules->at_input_end == FLOW_GOES_ON &&
			!limited && !unwanted)
			script_break(
				script, remote->ended, "no timer stands in for the peer's end");
	}
	/* Received data is written before a failure is reported, unless writing failed, or a signal
	 * or the idle limit found a local reader that took nothing for too long. */
	int64_t limit = script_limit(script, rules);
	int64_t since = script_moved_at(script);
	if (script->failed_at != CLOCK_NEVER)
		since = script_later(since, script->failed_at);
	int64_t still = script->now - since;
	bool idle = limit != CLOCK_NEVER && still >= limit;
	bool late = script->now >= clock_after(script->signalled_at, RELAY_GRACE);
	if (!local->failed_write && !local->failed_shut && !idle && !late)
		script_break(script, local->taken == remote->given,
			"what was received is written before the report");
	/* After a failed send, the data of the peer is received first (messages: as much as a
	 * moment allows). */
	if (status == STATUS_SEND && !remote->stream->caps.messages && remote->failed_write &&
		!local->failed_write && !relay->aborting && !idle && !limited)
		script_break(script, remote->read_dry,
			"what the peer had sent is fetched before the report");
}

static void
script_count(struct script_tally *tally, const struct script *script, const struct relay *relay,
	bool messages)
{
	int status = (int)relay->cause.status;
	tally->runs++;
	tally->clean += status == STATUS_OK;
	tally->input_failed += status == STATUS_INPUT;
	tally->output_failed += status == STATUS_OUTPUT;
	tally->send_failed += status == STATUS_SEND;
	tally->receive_failed += status == STATUS_RECEIVE;
	tally->timed_out += status == STATUS_TIMEOUT;
	tally->signalled += status > STATUS_SIGNAL;
	tally->half_closed += script->remote->told_end;
	tally->messages += messages;
	tally->discarded += script->local->stream->stats.discarding;
	tally->lent += script->local->lends || script->remote->lends;
	tally->staged += relay->rules.out.stages != NULL && relay->out.written > 0;
	tally->on_bus += script->on_bus && relay->out.read > 0;
	tally->mid_message += script->local->begins && relay->in.written > 0;
	tally->queued += script->local->queues || script->remote->queues;
	tally->late_replies +=
		status == STATUS_OK && script->remote->told_end && script->remote->total > 0;
}

/* Whether no data of the end was acknowledged for that time. */
static bool
script_lingers(const struct script_end *end, int64_t linger)
{
	return end->stream->stats.unarrived > 0 && end->script->now - end->arrived_at >= linger;
}

/* One turn; true when the session is over. */
static bool
script_step(struct script *script, struct relay *relay, const struct pollset *pollset)
{
	const struct relay_rules *rules = &relay->rules;
	bool quitting = relay->quitting, unconfirmed = relay->unconfirmed;
	int64_t still = script->now - script->local->moved_at, span = rules->quit_after;
	script->idled |= script->now - script_moved_at(script) >= rules->idle;
	bool over = relay_step(relay, pollset, script->now);
	if (script->failed_at == CLOCK_NEVER && fault_is_set(&relay->cause) &&
		relay->cause.status != STATUS_TIMEOUT)
		script->failed_at = script->now;
	if (script->local->stream->stats.discarding)
		span = clock_earlier(span, RELAY_GRACE);
	script_break(script, quitting || !relay->quitting || still >= span,
		"the quit time begins when the last of the input has moved");
	script_break(script,
		quitting || !relay->quitting || relay->out.state == FLOW_DONE ||
			fault_is_set(&relay->cause),
		"what is not sent at the end of the quit time is a failure");
	script_break(script,
		unconfirmed || !relay->unconfirmed ||
			script_lingers(script->local, rules->linger) ||
			script_lingers(script->remote, rules->linger),
		"the linger restarts with each acknowledgement");
	script_break(script,
		rules->in.splice || buf_used(&relay->in.channel.buf) <= rules->in.buffer,
		"buffers stay within their bound");
	return over;
}

const char *
script_run(const uint8_t *bytes, size_t n, struct script_tally *tally)
{
	struct script script = { .bytes = bytes,
		.left = n,
		.now = CLOCK_SECOND,
		.signalled_at = CLOCK_NEVER,
		.failed_at = CLOCK_NEVER };
	struct script_end local = { .read_status = STATUS_INPUT, .write_status = STATUS_OUTPUT };
	struct script_end remote = { .read_status = STATUS_RECEIVE, .write_status = STATUS_SEND };
	struct pollset pollset = { .polls = NULL };
	struct fault fault = FAULT_NONE;
	struct relay relay;
	struct stage out[5], in[5];
	static struct script_lender local_loan, remote_loan;

	script.local = &local;
	script.remote = &remote;
	script.relay = &relay;
	script_running = &script;
	script_begin_end(&local, &script, &remote, 1000);
	script_begin_end(&remote, &script, &local, 2000);
	local.stream->hangup.fd = local.stream->write.fd;
	struct relay_rules rules = script_rules(&script);
	unsigned decision = script_next(&script);
	bool messages = decision % 4 == 3;
	if (decision / 32 % 8 == 6)
		rules.receive_limit = 1 + script_next_size(&script, 10);
	if (messages) {
		remote.stream->caps.messages = true;
		remote.stream->caps.message_max =
			1 + script_next_size(&script, rules.out.buffer - 1);
		remote.stream->caps.batch = script_next(&script) % (SCRIPT_BATCH + 1);
		remote.single = rules.receive_limit > 0;
	}
	script.on_bus = decision / 4 % 8 == 5 && rules.send;
	if (script.on_bus) {
		script.bus = (struct bus){ .limit = 1 + script_next(&script), .slow = BUS_WAIT };
		stream_init(&script.publisher_stream, &script_ops, NULL, NULL);
		bus_join(&script.bus, &script.publisher, &script.publisher_stream, true);
		bus_join(&script.bus, &script.queue, local.stream, false);
		local.stream->read.fd = -1;
		local.stream->caps.taken = &script.bus.taken;
		local.fate = local.fate == SCRIPT_FAILS ? SCRIPT_ENDS : local.fate;
	}
	/* Frames of one byte change nothing, but use the channel of messages. */
	struct frame single;
	if (decision / 4 % 8 == 6 && rules.receive_limit == 0 &&
		frame_parse(&single, "fixed:1", 1, &fault)) {
		rules.out.decode = rules.out.encode = &single;
		if (!messages)
			rules.in.decode = rules.in.encode = &single;
		if (messages)
			rules.out.encode = NULL;
	}
	rules.in.most = rules.receive_limit;
	rules.out.splice = rules.in.splice = !messages && decision / 32 % 2 == 1;
	if (rules.out.splice) {
		local.stream->read.splice = local.stream->write.splice = 1000;
		remote.stream->read.splice = remote.stream->write.splice = 2000;
	}
	/* Telnet around a stream without telnet changes nothing. */
	struct stream *top = remote.stream;
	struct script_filter *filter = NULL;
	bool telnet = !messages && decision / 32 % 8 == 5;
	if (!messages && (decision / 32 % 8 == 4 || (telnet && script_next(&script) % 2 == 1)))
		filter = script_filter_add(&top, &remote, &fault);
	if (telnet)
		(void)telnet_add(&top, &fault);
	remote.repeats = filter != NULL || telnet;
	unsigned lends = script_next(&script);
	if (lends % 8 == 7 && !script.on_bus && rules.send)
		script_lend(&local, &local_loan);
	if (lends / 8 % 8 == 7 && filter == NULL && !telnet)
		script_lend(&remote, &remote_loan);
	if (!telnet)
		rules.out.stages = script_stages(&remote, script.on_bus || local.lends, out);
	rules.in.stages = script_stages(&local, remote.lends, in);
	unsigned interrupted = decision / 4 % 8 == 7 ? script_next(&script) : SCRIPT_TURNS;

	if (!script_open(&script, top, &fault) ||
		!relay_open(&relay, local.stream, top, &rules, script.now, &fault)) {
		fault_clear(&fault);
		bus_leave(&script.queue);
		bus_leave(&script.publisher);
		stream_close(local.stream, true);
		stream_close(top, true);
		return script.broken;
	}
	bool over = false;
	for (unsigned turn = 0; !over && script.broken == NULL; turn++) {
		pollset_begin(&pollset);
		relay_ask(&relay, &pollset, script.now);
		if (turn == SCRIPT_TURNS || !script_wait(&script, &pollset, turn == interrupted)) {
			/* Only a signal ends it. */
			if (turn >= interrupted || !local.stalls ||
				(rules.served && fault_is_set(&relay.cause) &&
					!local.stream->mid_message)) {
				script_break(&script, false, "the relay ends");
				break;
			}
			interrupted = turn;
		}
		if (turn == interrupted)
			script.signalled_at = script.now;
		if (turn == interrupted && !fault_is_set(&relay.cause))
			script_fails(&script, (enum status)(STATUS_SIGNAL + SIGTERM));
		/* The loop reports a signal in every turn from then on. */
		if (turn >= interrupted) {
			struct fault ended = FAULT_NONE;
			(void)fault_set_signal(&ended, SIGTERM);
			relay_fail(&relay, &ended, script.now);
		}
		over = script_step(&script, &relay, &pollset);
	}
	/* Bytes that were read too far and are not wanted do not count. */
	if (filter != NULL)
		remote.given -= filter->ahead.end - filter->ahead.start;
	if (script.broken == NULL)
		script_judge_limits(&script, &relay, &rules);
	if (script.broken == NULL)
		script_judge(&script, &relay, &rules);
	script_count(tally, &script, &relay, messages);
	tally->filtered += filter != NULL;
	tally->turned += filter != NULL && filter->turns > 0;
	relay_close(&relay);
	bus_leave(&script.queue);
	bus_leave(&script.publisher);
	pollset_close(&pollset);
	stream_close(local.stream, true);
	stream_close(top, true);
	return script.broken;
}
