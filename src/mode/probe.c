/*
 * Probing: only whether ports answer. Many are tried side by side, and reported in the order in
 * which they were asked for.
 *
 * A refusal is the answer "no": status 1. What kept the question from being asked, or answered,
 * keeps its own status. A datagram socket is not refused by connecting to it: it is asked with an
 * empty datagram, and silence is no answer, neither yes nor no.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "mode/caller.h"
#include "mode/mode.h"
#include "sys/sys.h"

/* How many are under way at once: enough to be quick, and gentle to both ends. */
#define PROBE_MANY 64

enum probe_state { PROBE_DIALLING, PROBE_ASKED, PROBE_DONE };

struct probe {
	enum probe_state state;
	struct caller caller;
	size_t entry;
	struct fault fault; /* PROBE_DONE: what was wrong; unset: it answers */
};

struct probing {
	struct run *run;
	struct probe probes[PROBE_MANY]; /* of the ports from `reported` to `begun`, each at its
					    number modulo PROBE_MANY */
	size_t count;
	size_t begun, reported;
	size_t most;          /* how many may be under way */
	bool stuck;           /* there was more to report than standard error took */
	struct resolve known; /* the first one's addresses, when it is reported */
	size_t silent;        /* reported with another answer than "open" */
	struct fault failure; /* the first of them that was no refusal, or else the first */
};

static struct probe *
probe_at(struct probing *probing, size_t i)
{
	return &probing->probes[i % PROBE_MANY];
}

static void
probe_finish(struct probe *probe)
{
	struct fault *fault = &probe->fault;
	if (fault->status == STATUS_CONNECT && probe->caller.dial.refused)
		fault->status = STATUS_NO;
	probe->state = PROBE_DONE;
}

/* The connection is there; a datagram socket still has to be asked, and another address if it is
 * refused. */
static enum io
probe_ask(struct probe *probe, int64_t now)
{
	const struct dial_config *config = &probe->caller.config;
	struct iovec nothing = { NULL, 0 };
	struct dial *dial = &probe->caller.dial;
	enum io result = IO_OK;
	if (config->transport->connected || config->transport->names == TRANSPORT_UNIX)
		return IO_OK;
	while (result == IO_OK) {
		if (sys_send(dial->fd, &nothing, 1, NULL, 0) != -1) {
			probe->state = PROBE_ASKED;
			return IO_AGAIN;
		}
		result = dial_refused(dial, errno, now, &probe->fault);
	}
	return result;
}

static void
probe_take(struct probe *probe, enum io result, int64_t now)
{
	probe->state = PROBE_DIALLING;
	if (result == IO_OK)
		result = probe_ask(probe, now);
	if (result != IO_AGAIN)
		probe_finish(probe);
}

/* An answer, a refusal, or no time any more. */
static void
probe_listen(struct probe *probe, const struct interest *interest, int64_t now)
{
	struct dial *dial = &probe->caller.dial;
	char byte;
	struct iovec piece = { &byte, sizeof byte };
	if (interest_fired(interest, probe->entry)) {
		ssize_t n = sys_receive(dial->fd, &piece, 1);
		if (n != -1)
			probe_finish(probe);
		else if (!sys_would_block(errno))
			probe_take(probe, dial_refused(dial, errno, now, &probe->fault), now);
	} else if (now >= probe->caller.config.deadline) {
		(void)fault_set(&probe->fault, STATUS_TIMEOUT, 0,
			"probe %s: no answer, but no refusal either", dial->name);
		probe_finish(probe);
	}
}

/* Begins the next one; false if it has to wait. */
static bool
probe_begin(struct probing *probing)
{
	size_t i = probing->begun;
	const struct run *run = probing->run;
	const struct plan *plan = run->plan;
	struct probe *probe = probe_at(probing, i);
	struct dial *dial = &probe->caller.dial;
	struct dial_config *config = &probe->caller.config;
	*probe = (struct probe){ .entry = INTEREST_NONE };
	*dial = (struct dial){ .fd = -1 };
	*config = caller_config(run);
	if (plan->ports.count > 0)
		config->to.port = plan->ports.list[i];
	/* The name was looked up for the first. */
	if (i > 0)
		config->known = probing->reported > 0 ? &probing->known
						      : &probe_at(probing, 0)->caller.dial.resolve;
	enum io result = dial_start(dial, config, run->loop.now, &probe->fault);
	/* Out of descriptors: later, when others have given theirs back. */
	if (result == IO_FAIL && probe->fault.status == STATUS_MEMORY &&
		probing->begun > probing->reported) {
		fault_clear(&probe->fault);
		caller_close(&probe->caller);
		probing->most = probing->begun - probing->reported;
		return false;
	}
	probing->begun++;
	probe_take(probe, result, run->loop.now);
	return true;
}

static void
probe_report_open(const struct dial *dial)
{
	char *peer = address_print(&dial->peer);
	if (peer != NULL && strcmp(peer, dial->name) != 0)
		log_line(LOG_VERBOSE, "%s: open (at %s)", dial->name, peer);
	else
		log_line(LOG_VERBOSE, "%s: open", dial->name);
	free(peer);
}

/* Tells those whose turn it is. */
static void
probe_report(struct probing *probing)
{
	probing->stuck = false;
	while (probing->reported < probing->begun &&
		probe_at(probing, probing->reported)->state == PROBE_DONE) {
		/* What there is to tell is what was asked for: it waits until it can be told. */
		probing->stuck = log_is_stuck(LOG_VERBOSE);
		if (probing->stuck)
			return;
		struct probe *probe = probe_at(probing, probing->reported);
		struct fault *fault = &probe->fault;
		if (!fault_is_set(fault)) {
			probe_report_open(&probe->caller.dial);
		} else {
			if (probing->count > 1 && probe->caller.dial.resolve.count > 0)
				log_line(
					LOG_VERBOSE, "%s", fault->text != NULL ? fault->text : "?");
			probing->silent++;
			if (!fault_is_set(&probing->failure) ||
				(probing->failure.status == STATUS_NO &&
					fault->status != STATUS_NO)) {
				fault_clear(&probing->failure);
				fault_move(&probing->failure, fault);
			}
			fault_clear(fault);
		}
		if (probing->reported++ == 0) {
			probing->known = probe->caller.dial.resolve;
			probe->caller.dial.resolve = (struct resolve){ .fd = -1 };
		}
		caller_close(&probe->caller);
	}
}

/* Whether another one may begin: the first alone, until the name is resolved. */
static bool
probe_may_begin(const struct probing *probing)
{
	if (probing->begun == 0 || probing->reported > 0)
		return probing->begun < probing->count &&
			probing->begun - probing->reported < probing->most;
	return probing->begun < probing->count && probing->begun < probing->most &&
		probing->probes[0].caller.dial.state != DIAL_RESOLVING;
}

static bool
probe_turn(struct probing *probing, struct fault *fault)
{
	struct loop *loop = &probing->run->loop;
	loop_begin(loop);
	for (size_t i = probing->reported; i < probing->begun; i++) {
		struct probe *probe = probe_at(probing, i);
		if (probe->state == PROBE_DIALLING) {
			dial_ask(&probe->caller.dial, &loop->interest);
		} else if (probe->state == PROBE_ASKED) {
			probe->entry = interest_ask(&loop->interest, probe->caller.dial.fd, POLLIN);
			interest_until(&loop->interest, probe->caller.config.deadline);
		}
	}
	if (probing->stuck)
		(void)interest_ask(&loop->interest, STDERR_FILENO, POLLOUT);
	if (!loop_wait_or_end(loop, fault))
		return false;
	if (loop->wants_report) {
		loop->wants_report = false;
		log_line(LOG_ALWAYS, "probed %zu of %zu ports", probing->reported, probing->count);
	}
	for (size_t i = probing->reported; i < probing->begun; i++) {
		struct probe *probe = probe_at(probing, i);
		if (probe->state == PROBE_DIALLING)
			probe_take(probe,
				dial_step(&probe->caller.dial, &loop->interest, loop->now,
					&probe->fault),
				loop->now);
		else if (probe->state == PROBE_ASKED)
			probe_listen(probe, &loop->interest, loop->now);
	}
	return true;
}

static bool
probe_all(struct probing *probing, struct fault *fault)
{
	/* Without an address there is nothing to ask the others. */
	while (probing->reported < probing->count &&
		(probing->reported == 0 || probing->known.count > 0)) {
		while (probe_may_begin(probing) && probe_begin(probing))
			continue;
		probe_report(probing);
		if (probing->reported < probing->begun && !probe_turn(probing, fault))
			return false;
		probe_report(probing);
	}
	return true;
}

static bool
probe_run(struct run *run, struct fault *fault)
{
	const struct plan *plan = run->plan;
	struct probing *probing = calloc(1, sizeof *probing);
	if (probing == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "probe");
	probing->run = run;
	probing->count = plan->ports.count > 0 ? plan->ports.count : 1;
	probing->most = PROBE_MANY;
	probing->known.fd = -1;
	bool open = probe_all(probing, fault) && probing->silent == 0;
	if (!fault_is_set(fault) && probing->silent > 1)
		(void)fault_set(fault, probing->failure.status, 0,
			"probe %s: %zu of %zu ports are not open; %s", plan->endpoint.host,
			probing->silent, probing->count,
			probing->failure.text != NULL ? probing->failure.text : "");
	else if (!fault_is_set(fault) && probing->silent > 0)
		fault_move(fault, &probing->failure);
	for (size_t i = probing->reported; i < probing->begun; i++) {
		caller_close(&probe_at(probing, i)->caller);
		fault_clear(&probe_at(probing, i)->fault);
	}
	fault_clear(&probing->failure);
	resolve_close(&probing->known);
	free(probing);
	return open;
}

const struct mode probe_mode = { "probe", probe_run };
