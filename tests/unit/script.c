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
#include "flow/relay.h"
#include "frame/frame.h"
#include "stream/telnet.h"

/* No script needs more turns; one that does never ends. */
#define SCRIPT_TURNS 200000

/* The most messages that one read brings, or one write takes. */
#define SCRIPT_BATCH 5

enum script_fate { SCRIPT_ENDS, SCRIPT_FAILS, SCRIPT_NEVER };

struct script {
	const uint8_t *bytes;
	size_t left;
	int64_t now, signalled_at; /* CLOCK_NEVER: no signal came */
	const char *broken;        /* the first rule that was broken */
	enum status first;         /* the first failure that a stream reported, or the signal */
	bool timed;                /* the relay may have ended it by one of its times */
	struct script_end *local, *remote;
	struct relay *relay;
};

/* The one that runs: a splice knows descriptors only. */
static struct script *script_running;

/* One stream. Its input is `total` bytes, then its fate; it takes bytes up to `accepts`. */
struct script_end {
	struct script *script;
	struct stream stream;
	struct script_end *other;
	enum status read_status, write_status;
	enum script_fate fate;
	size_t total, given;   /* bytes that a read has handed out */
	size_t accepts, taken; /* bytes that a write has accepted */
	bool stalls;           /* having accepted so many it takes no more, and says nothing, … */
	bool deafens;          /* … or takes all that comes for nothing, as a program does that
				* does not read any more */
	bool news;             /* there is something that a read wants to see */
	bool told_splice, told_splice_to; /* that it fails; the kernel says so once */
	bool ended, failed_read, failed_write, failed_shut, told_end, arrived;
	bool read_dry;        /* the last read brought nothing */
	unsigned shuts_again; /* so often says shut "not yet" */
	unsigned salt;
	struct iovec messages[SCRIPT_BATCH]; /* of the last read */
};

static unsigned
script_next(struct script *script)
{
	if (script->left == 0)
		return 0; /* an exhausted script always makes progress, so that every run ends */
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

static unsigned char
script_byte(const struct script_end *end, size_t i)
{
	/* 255 would mean something to telnet. */
	return (unsigned char)(((i * 2654435761u) >> 7 ^ (i * end->salt)) % 255);
}

static enum io
script_open(struct stream *stream, struct fault *fault)
{
	(void)stream;
	(void)fault;
	return IO_OK;
}

/* Cuts what was read into some messages, of which any may be empty. */
static void
script_cut(struct script_end *end, const struct iovec *piece, size_t n)
{
	struct stream *stream = &end->stream;
	size_t count = 1 + script_next(end->script) % SCRIPT_BATCH, done = 0;
	stream->messages = NULL;
	if (stream->single || count == 1)
		return;
	for (size_t i = 0; i < count; i++) {
		size_t part = i + 1 < count ? script_next_size(end->script, n - done) : n - done;
		end->messages[i] = (struct iovec){ (unsigned char *)piece->iov_base + done, part };
		done += part;
	}
	stream->messages = end->messages;
	stream->message_count = count;
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
	script_break(script, !end->told_splice || stream->read_error != 0,
		"what the kernel has told a splice is told the read");
	unsigned decision = end->told_splice ? 0 : script_next(script);
	end->read_dry = true;
	end->news = false;
	if (decision % 4 == 3) {
		if (decision % 8 == 7)
			stream->ragain = clock_after(script->now, decision * CLOCK_MILLISECOND);
		return IO_AGAIN;
	}
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
	if (stream->rmessages) {
		/* A message of any size, also of none, in front of the end. */
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
	if (stream->rmessages)
		script_cut(end, pieces, n);
	*got = n;
	return IO_OK;
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
	size_t offered = stream_total(pieces, count);

	script_break(script, !end->failed_write, "a failed sink is not written again");
	script_break(script, !end->told_end, "nothing is written behind the end");
	script_break(script, !end->told_splice_to || stream->write_error != 0,
		"what the kernel has told a splice is told the write");
	if (end->taken >= end->accepts && !end->deafens)
		return end->stalls ? IO_AGAIN : script_fail_write(end, fault);
	/* What was offered is written to nowhere with the next turn. */
	if (end->taken >= end->accepts && !stream->deaf) {
		*put = 0;
		stream->deaf = true;
		stream->write_error = 0;
		end->told_splice_to = false;
		return IO_OK;
	}
	unsigned decision = script_next(script);
	if (decision % 4 == 3) {
		if (decision % 8 == 7) {
			stream->wagain = clock_after(script->now, decision * CLOCK_MILLISECOND);
			stream->retried++;
		}
		return IO_AGAIN;
	}
	size_t n = offered;
	if (stream->wmessage_max == 0 && n > 0) {
		if (decision % 4 == 2)
			n = 1;
		else if (decision % 4 == 1)
			n = 1 + script_next_size(script, n - 1);
	}
	if (stream->wmessage_max > 0 && count > 0) {
		script_break(script, count == 1 || (size_t)count <= stream->wbatch,
			"no more messages are written than are taken at once");
		stream->wtaken =
			1 + (decision % 4 == 0 ? script_next(script) % (unsigned)count : 0);
		n = stream_total(pieces, (int)stream->wtaken);
	}
	for (size_t i = 0, seen = 0; i < (size_t)count && seen < n; i++) {
		const unsigned char *at = pieces[i].iov_base;
		for (size_t j = 0; j < pieces[i].iov_len && seen < n; j++, seen++)
			script_break(script, at[j] == script_byte(end->other, end->taken + seen),
				"the bytes arrive whole, once and in order");
	}
	end->taken += n;
	script_break(script, end->taken <= end->other->given, "no byte is invented");
	*put = n;
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
	return (ssize_t)n;
}

/* Gives the end what is in the pipe, or some of it. */
static ssize_t
script_splice_to(struct script_end *end, int pipe, int back, size_t n)
{
	unsigned char bytes[4096];
	size_t put = 0;
	enum io result = IO_AGAIN;
	ssize_t held = read(pipe, bytes, n < sizeof bytes ? n : sizeof bytes);
	if (held <= 0)
		return held;
	bool takes = end->taken < end->accepts || end->stream.deaf;
	if (takes) {
		struct iovec piece = { bytes, (size_t)held };
		struct fault fault = FAULT_NONE;
		struct stream stream = end->stream;
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

/* The other end of a carrier's pipe. */
static int
script_pipe_end(const struct script *script, int from)
{
	const int *out = script->relay->out.carrier.pipe, *in = script->relay->in.carrier.pipe;
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
		/* A pipe that holds anything is emptied before it is filled again, so the order
		 * stays. */
		if (ends[i]->stream.splice_from == from)
			return script_splice_from(ends[i], to, n);
		if (ends[i]->stream.splice_to == to)
			return script_splice_to(ends[i], from, script_pipe_end(script, from), n);
	}
	abort();
}

static enum io
script_shut(struct stream *stream, struct fault *fault)
{
	struct script_end *end = stream->impl;
	struct script *script = end->script;

	script_break(script, !end->arrived, "the end is told once");
	if (stream->half_close) {
		script_break(script, !end->other->failed_read, "a failed source is no good end");
		script_break(script, end->taken == end->other->given, "the end is told last");
		end->told_end = true;
	}
	if (end->failed_shut || end->fate == SCRIPT_FAILS) {
		if (script_next(script) % 16 == 15) {
			end->failed_shut = true;
			return script_fail_write(end, fault);
		}
	}
	if (end->shuts_again > 0) {
		end->shuts_again--;
		stream->unarrived = end->shuts_again / 2 + 1;
		stream->wagain = clock_after(script->now, 50 * CLOCK_MILLISECOND);
		return IO_AGAIN;
	}
	end->arrived = true;
	return IO_OK;
}

static void
script_close(struct stream *stream)
{
	(void)stream;
}

static const struct stream_ops script_ops = { script_open, script_read, script_write, script_shut,
	script_close };

static void
script_begin_end(struct script_end *end, struct script *script, struct script_end *other, int fd)
{
	unsigned decision = script_next(script);
	stream_init(&end->stream, &script_ops, NULL, end);
	end->stream.name = (char[]){ "script" };
	end->script = script;
	end->other = other;
	end->stream.rfd = end->stream.wfd = fd;
	end->total = script_next_size(script, decision % 2 == 0 ? 40 : 700);
	end->fate = decision % 16 < 10 ? SCRIPT_ENDS
		: decision % 16 < 13   ? SCRIPT_FAILS
				       : SCRIPT_NEVER;
	end->accepts = decision / 16 % 4 == 3 ? script_next_size(script, 500) : SIZE_MAX;
	end->stalls = decision / 16 % 4 == 2;
	end->deafens = decision / 16 % 4 == 1 && end->read_status == STATUS_INPUT;
	if (end->deafens)
		end->accepts = script_next_size(script, 500);
	if (end->deafens)
		end->stream.news = &end->news;
	if (end->stalls)
		end->accepts = script_next_size(script, 100);
	end->shuts_again = decision / 64 == 3 ? script_next(script) : 0;
	end->salt = (unsigned)fd;
}

/* Lets some of what was asked for fire, and time pass. False if nothing can ever happen again;
 * `signalled`: a signal has just come. */
static bool
script_wait(struct script *script, struct interest *interest, bool signalled)
{
	unsigned decision = script_next(script);
	bool fired = false;
	script->local->news = decision % 64 == 63;
	for (size_t i = 0; i < interest->count; i++) {
		struct pollfd *poll = &interest->polls[i];
		struct script_end *end =
			poll->fd == script->local->stream.rfd ? script->local : script->remote;
		bool reads = (poll->events & POLLIN) != 0;
		if (reads && end->fate == SCRIPT_NEVER && end->given == end->total)
			continue; /* an idle pipe, a silent peer */
		if (poll->events == 0 && end->taken < end->accepts)
			continue; /* the reader is still there */
		if (end->stalls && end->taken >= end->accepts && (poll->events & POLLIN) == 0)
			continue;
		if (decision >> i % 8 & 1)
			continue;
		poll->revents = poll->events != 0 ? poll->events : POLLERR;
		fired = true;
	}
	/* An interrupted wait, or one that takes its time. */
	if (fired || signalled || decision != 0) {
		script->now += decision % 3 * CLOCK_MILLISECOND;
		return true;
	}
	if (interest->deadline == CLOCK_NEVER)
		return false;
	if (interest->deadline > script->now)
		script->now = interest->deadline;
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
		.out = { .buffer = 1 + script_next_size(script, 100) },
		.in = { .buffer = 1 + script_next_size(script, 100) },
		.send = decision % 8 != 7,
		.receive = true,
		.at_peer_end = (enum flow_stop)(decision / 8 % 3),
		.at_input_end = decision / 32 % 4 == 3 ? FLOW_STOP_DRAINED : FLOW_GOES_ON,
		.quit_after = script_next_span(script),
		.linger = 1 + (int64_t)script_next(script) * CLOCK_MILLISECOND,
		.idle = script_next_span(script),
	};
	/* A side that never ends needs a time that ends the session. */
	bool never = script->local->fate == SCRIPT_NEVER || script->remote->fate == SCRIPT_NEVER;
	never |= script->remote->stalls || (script->local->stalls && decision % 2 == 0);
	if (never && rules.idle == CLOCK_NEVER)
		rules.idle = 5 * CLOCK_SECOND;
	return rules;
}

/* The contract, at the end of a run. */
static void
script_judge(struct script *script, const struct relay *relay, const struct relay_rules *rules)
{
	const struct script_end *local = script->local, *remote = script->remote;
	enum status status = relay->cause.status;
	bool timed = status == STATUS_TIMEOUT ? rules->idle != CLOCK_NEVER
		: status == STATUS_SEND ? relay->unconfirmed || rules->quit_after != CLOCK_NEVER
					: false;

	/* The user wants no more than so many messages, whoever has not ended yet. */
	bool limited = rules->receive_limit > 0 && relay->in.reads >= rules->receive_limit;
	script_break(script, rules->receive_limit == 0 || relay->in.reads <= rules->receive_limit,
		"no more is received than was wanted");

	script_break(script,
		status == script->first || (script->first == STATUS_OK && timed) ||
			(timed && status == STATUS_TIMEOUT) || (timed && relay->unconfirmed) ||
			(timed && relay->quitting),
		"the status is that of the first cause");
	/* What is dropped before it was looked for messages counts as nothing. */
	bool framed = rules->out.decode != NULL && status != STATUS_OK;
	script_break(script,
		(relay->out.read == local->given && relay->in.read == remote->given) ||
			(framed && relay->out.read <= local->given &&
				relay->in.read <= remote->given),
		"what was read is counted");
	script_break(script, local->stream.clean == (status == STATUS_OK || relay->unconfirmed),
		"only a good end is clean");
	if (status == STATUS_OK) {
		script_break(script, script->first == STATUS_OK, "no failure goes unreported");
		script_break(script, remote->taken == local->given && local->taken == remote->given,
			"0 means that every byte read was written");
		script_break(
			script, !rules->send || remote->arrived, "0 means that all has arrived");
		script_break(script, local->arrived, "0 means that local output was finished");
		if (rules->send && rules->at_peer_end == FLOW_GOES_ON && !limited)
			script_break(
				script, local->ended, "the peer's end never cancels our sending");
		/* Nobody reads what the peer still says, and nothing is left to tell it. */
		bool unwanted = local->stream.deaf && relay->out.state == FLOW_DONE;
		if (rules->quit_after == CLOCK_NEVER && rules->at_input_end == FLOW_GOES_ON &&
			!limited && !unwanted)
			script_break(
				script, remote->ended, "no timer stands in for the peer's end");
	}
	/* What was received is written before a failure is reported, unless writing it failed, or a
	 * signal or an idle limit found a local reader that took nothing for too long. */
	int64_t still = script->now - relay->in.moved_at;
	bool idle = rules->idle != CLOCK_NEVER && (still >= RELAY_GRACE || still >= rules->idle);
	bool late = script->now >= clock_after(script->signalled_at, RELAY_GRACE);
	if (!local->failed_write && !local->failed_shut && !idle && !late)
		script_break(script, local->taken == remote->given,
			"what was received is written before the report");
	/* … and after a failed send, what the peer had sent is fetched first (of messages, as much
	 * as a moment allows). */
	if (status == STATUS_SEND && !remote->stream.rmessages && remote->failed_write &&
		!local->failed_write && !relay->hurries && !idle && !limited)
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
	tally->deaf += script->local->stream.deaf;
	tally->late_replies +=
		status == STATUS_OK && script->remote->told_end && script->remote->total > 0;
}

const char *
script_run(const uint8_t *bytes, size_t n, struct script_tally *tally)
{
	struct script script = {
		.bytes = bytes, .left = n, .now = CLOCK_SECOND, .signalled_at = CLOCK_NEVER
	};
	struct script_end local = { .read_status = STATUS_INPUT, .write_status = STATUS_OUTPUT };
	struct script_end remote = { .read_status = STATUS_RECEIVE, .write_status = STATUS_SEND };
	struct interest interest = { .polls = NULL };
	struct fault fault = FAULT_NONE;
	struct relay relay;

	script.local = &local;
	script.remote = &remote;
	script.relay = &relay;
	script_running = &script;
	script_begin_end(&local, &script, &remote, 1000);
	script_begin_end(&remote, &script, &local, 2000);
	local.stream.watch = true;
	struct relay_rules rules = script_rules(&script);
	unsigned decision = script_next(&script);
	bool messages = decision % 4 == 3;
	if (decision / 32 % 8 == 7)
		rules.out.delay = 1 + script_next(&script) % 64 * CLOCK_MILLISECOND;
	if (decision / 32 % 8 == 6)
		rules.receive_limit = 1 + script_next_size(&script, 10);
	if (messages) {
		remote.stream.rmessages = true;
		remote.stream.wmessage_max = 1 + script_next_size(&script, rules.out.buffer - 1);
		remote.stream.wbatch = script_next(&script) % (SCRIPT_BATCH + 1);
		remote.stream.single = rules.receive_limit > 0;
	}
	/* Frames of one byte change nothing, but take the way of all frames. */
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
		local.stream.splice_from = local.stream.splice_to = 1000;
		remote.stream.splice_from = remote.stream.splice_to = 2000;
	}
	/* Around a stream that knows nothing of telnet, telnet changes nothing. */
	bool layered = !messages && decision / 32 % 8 == 5 && telnet_init(&remote.stream, &fault);
	unsigned interrupted = decision / 4 % 8 == 7 ? script_next(&script) : SCRIPT_TURNS;

	if (!relay_open(&relay, &local.stream, &remote.stream, &rules, script.now, &fault)) {
		fault_clear(&fault);
		return NULL;
	}
	bool over = false;
	for (unsigned turn = 0; !over && script.broken == NULL; turn++) {
		interest_begin(&interest);
		relay_ask(&relay, &interest, script.now);
		if (turn == SCRIPT_TURNS || !script_wait(&script, &interest, turn == interrupted)) {
			/* Only somebody's patience ends it. */
			if (turn >= interrupted || !local.stalls) {
				script_break(&script, false, "the relay ends");
				break;
			}
			interrupted = turn;
		}
		if (turn == interrupted)
			script.signalled_at = script.now;
		if (turn == interrupted && !fault_is_set(&relay.cause))
			script_fails(&script, (enum status)(STATUS_SIGNAL + SIGTERM));
		/* A loop that knows of a signal says so at every turn from then on. */
		if (turn >= interrupted) {
			struct fault ended = FAULT_NONE;
			(void)fault_set_signal(&ended, SIGTERM);
			relay_fail(&relay, &ended, script.now);
		}
		over = relay_step(&relay, &interest, script.now);
		script_break(&script,
			rules.in.splice || buf_used(&relay.in.carrier.buf) <= rules.in.buffer,
			"buffers stay within their bound");
	}
	if (script.broken == NULL)
		script_judge(&script, &relay, &rules);
	script_count(tally, &script, &relay, messages);
	relay_close(&relay);
	interest_close(&interest);
	if (layered)
		remote.stream.ops->close(&remote.stream);
	return script.broken;
}
