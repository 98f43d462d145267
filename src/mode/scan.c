/*
 * The mode of -z: whether ports are open. Many are probed at a time; each name is looked up once,
 * by the first probe of its target, for which the others wait.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "engine/status_line.h"
#include "mode/mode.h"
#include "mode/probe.h"
#include "mode/scan_results.h"
#include "net/dial_socket.h"
#include "sys/sys.h"

/* The most probes at a time: a thousand ports that do not answer take as long as one. */
#define SCAN_MANY 1024

/* Descriptors that are left for all else. */
#define SCAN_RESERVE 24

/* The most probes that start in a turn. */
#define SCAN_BATCH 256

/* When the progress is shown first. */
#define SCAN_PATIENCE (1500 * CLOCK_MILLISECOND)

struct scan_probe {
	struct probe probe; /* first: found by its address */
	struct scan_target *of;
	uint64_t number;
	char host[INET6_ADDRSTRLEN]; /* of a network */
	struct scan_probe *next;     /* unused */
	struct scan_probe *other;    /* of all */
};

enum scan_state { SCAN_UNKNOWN, SCAN_RESOLVING, SCAN_RESOLVED };

struct scan_target {
	const struct target *target;
	uint64_t first, count, next; /* probes */
	enum scan_state state;
	struct probe *resolver; /* SCAN_RESOLVING: the first probe */
	struct resolve known;   /* SCAN_RESOLVED: the addresses */
};

struct scan {
	struct task task; /* first: found by its address */
	struct run *run;
	struct probe_queue finished;
	struct scan_results results;
	struct scan_target *targets; /* owned */
	size_t at;                   /* the first that has probes to start */
	struct scan_probe *probes, *unused;
	struct dial_spare spare;
	bool brief; /* nothing is printed about closed ports */
	size_t active, max;
	int64_t deadline;
	int64_t shown_at; /* when to show the progress again; CLOCK_NEVER: standard error is no
			     terminal */
	int stuck;        /* the descriptor that has no room for the next line; -1: none */
	bool expired;
};

/* --- starting --- */

/* The next probe to start; NULL: there is none, or it has to wait. */
static struct scan_target *
scan_next(struct scan *scan)
{
	size_t count = scan->run->config->targets.count;
	uint64_t end = scan->results.reported + scan->results.kept;
	while (scan->at < count && scan->targets[scan->at].next == scan->targets[scan->at].count)
		scan->at++;
	for (size_t i = scan->at; i < count; i++) {
		struct scan_target *of = &scan->targets[i];
		if (of->first + of->next >= end)
			break;
		if (of->next == of->count || of->state == SCAN_RESOLVING)
			continue;
		if (of->state == SCAN_RESOLVED || of->target->endpoint.numeric ||
			resolve_lookups() < PROBE_LOOKUPS)
			return of;
	}
	return NULL;
}

static struct scan_probe *
scan_take_unused(struct scan *scan)
{
	struct scan_probe *probe = scan->unused;
	if (probe != NULL) {
		scan->unused = probe->next;
		return probe;
	}
	probe = calloc(1, sizeof *probe);
	if (probe != NULL) {
		probe->other = scan->probes;
		scan->probes = probe;
	}
	return probe;
}

static void
scan_release(struct scan *scan, struct scan_probe *probe)
{
	probe_close(&probe->probe);
	probe->next = scan->unused;
	scan->unused = probe;
	scan->active--;
}

/* Whether a probe failed for lack of what others will give back. */
static bool
scan_is_short(const struct probe *probe)
{
	enum status status = probe->result.fault.status;
	return probe->phase == PROBE_DONE && probe->result.state == PROBE_ERROR &&
		(status == STATUS_MEMORY || status == STATUS_BIND ||
			probe->dial.failures.error == EADDRNOTAVAIL);
}

/* Takes the addresses of the first probe, which others need. */
static void
scan_learn(struct scan_target *of, struct probe *probe)
{
	if (of->state == SCAN_RESOLVED || probe->dial.state == DIAL_RESOLVING)
		return;
	struct fault ignored = FAULT_NONE;
	of->resolver = NULL;
	/* The addresses of --resolve are those of one port. */
	of->state = probe->dial.resolve.given ? SCAN_UNKNOWN : SCAN_RESOLVED;
	if (of->state == SCAN_UNKNOWN)
		return;
	if (resolve_again(&of->known, &probe->dial.resolve, 0, &ignored) != IO_OK)
		of->state = SCAN_UNKNOWN;
	fault_clear(&ignored);
}

static void
scan_finish(struct scan *scan, struct scan_probe *probe)
{
	struct scan_target *of = probe->of;
	if (of->resolver == &probe->probe) {
		of->resolver = NULL;
		of->state = SCAN_UNKNOWN;
		scan_learn(of, &probe->probe);
	}
	if (scan_results_is_of_all(scan->run->config, of->target, probe->probe.result.state))
		of->next = of->count;
	scan_results_take(&scan->results, probe->number, &probe->probe);
	scan_release(scan, probe);
}

/* The configuration of the next probe of a target; *host is set for a network. */
static struct dial_config
scan_configure(const struct scan_target *of, const struct config *config, struct resolve *host,
	struct address *address, char *text)
{
	const struct target *target = of->target;
	size_t ports = target->ports.count;
	uint16_t port = ports > 0 ? target->ports.list[of->next % ports] : 0;
	struct dial_config wanted = config_dial_target(config, target, port, clock_now());
	if (of->state == SCAN_RESOLVED)
		wanted.known = &of->known;
	if (target->network.size > 0) {
		*address = targets_address(target, of->next / (ports > 0 ? ports : 1));
		*host = (struct resolve){ .addresses = address, .count = 1, .fd = -1 };
		const void *bytes = address->any.sa_family == AF_INET
			? (const void *)&address->v4.sin_addr
			: (const void *)&address->v6.sin6_addr;
		(void)inet_ntop(address->any.sa_family, bytes, text, INET6_ADDRSTRLEN);
		wanted.known = host;
		wanted.to.host = text;
	}
	return wanted;
}

/* Starts a probe. False if it has to wait until others have ended. */
static bool
scan_start(struct scan *scan, struct scan_target *of)
{
	struct scan_probe *probe = scan_take_unused(scan);
	struct resolve host;
	struct address address;
	if (probe == NULL) {
		scan->max = scan->active;
		return false;
	}
	struct dial_config wanted =
		scan_configure(of, scan->run->config, &host, &address, probe->host);
	wanted.spare = &scan->spare;
	wanted.brief = scan->brief;
	probe->of = of;
	probe->number = of->first + of->next;
	probe_start(&probe->probe, &wanted, of->target->secure, &scan->finished);
	scan->active++;
	if (scan->active > 1 && scan_is_short(&probe->probe)) {
		/* The queue was empty before. */
		(void)probe_queue_take(&scan->finished);
		scan_release(scan, probe);
		scan->max = scan->active;
		return false;
	}
	/* Several connections are closed by reset, so that none is left in TIME_WAIT. */
	probe->probe.reset = scan->results.count > 1;
	of->next++;
	if (of->state == SCAN_UNKNOWN && of->target->network.size == 0) {
		of->state = SCAN_RESOLVING;
		of->resolver = &probe->probe;
		scan_learn(of, &probe->probe);
	}
	return true;
}

/* Learns the addresses of names. */
static void
scan_look(struct scan *scan)
{
	size_t count = scan->run->config->targets.count;
	for (size_t i = scan->at; i < count; i++)
		if (scan->targets[i].resolver != NULL)
			scan_learn(&scan->targets[i], scan->targets[i].resolver);
}

/* Starts and reports what is possible now. */
static void
scan_advance(struct scan *scan)
{
	struct scan_target *of;
	struct probe *done;
	size_t started = 0;
	do {
		while ((done = probe_queue_take(&scan->finished)) != NULL)
			scan_finish(scan, (struct scan_probe *)done);
		scan->stuck = scan_results_report(&scan->results);
		of = scan->active < scan->max ? scan_next(scan) : NULL;
	} while (of != NULL && started++ < SCAN_BATCH && scan_start(scan, of));
	if (scan->results.reported == scan->results.count)
		engine_remove(&scan->run->engine, &scan->task);
	else if (started > SCAN_BATCH || scan->finished.first != NULL)
		engine_wake(&scan->run->engine, &scan->task);
}

/* --- the task --- */

static void
scan_show(struct scan *scan, int64_t now)
{
	const struct scan_results *results = &scan->results;
	char text[128];
	if (now < scan->shown_at)
		return;
	(void)snprintf(text, sizeof text,
		"%" PRIu64 " of %" PRIu64 " ports probed, %" PRIu64 " open", results->reported,
		results->count, results->open);
	status_line_show(text);
	scan->shown_at = clock_after(now, STATUS_LINE_REFRESH);
}

static void
scan_ask(struct task *task, struct pollset *pollset, int64_t now)
{
	const struct scan *scan = (struct scan *)task;
	(void)now;
	if (scan->stuck != -1)
		(void)pollset_ask(pollset, scan->stuck, POLLOUT);
	pollset_until(pollset, scan->deadline);
	pollset_until(pollset, scan->shown_at);
}

static bool
scan_step(struct task *task, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct scan *scan = (struct scan *)task;
	struct engine *engine = &scan->run->engine;
	(void)pollset;
	if (engine->end_signal != 0)
		return fault_set_signal(fault, engine->end_signal);
	if (engine->wants_report)
		event_emit(&(struct event){ .kind = EVENT_probe_stats,
			.count = scan->results.reported,
			.total = scan->results.count });
	engine->wants_report = false;
	scan_look(scan);
	scan_advance(scan);
	scan_show(scan, now);
	scan->expired = scan->results.reported < scan->results.count && now >= scan->deadline;
	return !scan->expired;
}

static const struct task_ops scan_task = {
	.name = "scan", .shared = true, .ask = scan_ask, .step = scan_step
};

static size_t
scan_max(const struct config *config)
{
	size_t wanted = config->scan.parallel > 0 ? config->scan.parallel : SCAN_MANY;
	/* The lines of nc for failed addresses are printed when they happen: keep their order. */
	if (config->style == EVENT_STYLE_NC && config->verbose > 0)
		return 1;
	size_t room = sys_allow_descriptors(wanted + SCAN_RESERVE);
	if (room < wanted + SCAN_RESERVE)
		wanted = room > SCAN_RESERVE ? room - SCAN_RESERVE : 1;
	return wanted;
}

static bool
scan_open(struct scan *scan, struct run *run, struct fault *fault)
{
	const struct config *config = run->config;
	const struct targets *targets = &config->targets;
	int64_t now = clock_now();
	uint64_t first = 0;
	*scan = (struct scan){ .run = run, .max = 1, .spare = { .fd = -1 }, .stuck = -1 };
	scan->finished = (struct probe_queue){ .engine = &run->engine,
		.owner = &scan->task,
		.empty = config->rules.silence_is_open,
		.banner = &config->banner,
		.tls = &config->tls,
		.proxies = &config->proxies };
	scan->deadline = clock_after(now, config->scan.limit);
	scan->shown_at = status_line_exists() ? clock_after(now, SCAN_PATIENCE) : CLOCK_NEVER;
	if (!scan_results_open(&scan->results, config, fault))
		return false;
	if (scan->results.count > 1)
		scan->max = scan_max(config);
	scan->brief = scan->results.count > 1 && !scan->results.listed &&
		!event_wants(EVENT_probe_failed) && !event_wants(EVENT_connect_failed);
	scan->targets = calloc(targets->count, sizeof *scan->targets);
	if (scan->targets == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "probe");
	for (size_t i = 0; i < targets->count; i++) {
		struct scan_target *of = &scan->targets[i];
		*of = (struct scan_target){ .target = &targets->list[i],
			.first = first,
			.count = targets_probes(&targets->list[i]),
			.known = { .fd = -1 } };
		first += of->count;
	}
	return true;
}

static void
scan_close(struct scan *scan)
{
	while (scan->probes != NULL) {
		struct scan_probe *probe = scan->probes;
		scan->probes = probe->other;
		probe_close(&probe->probe);
		free(probe);
	}
	dial_spare_close(&scan->spare);
	for (size_t i = 0; scan->targets != NULL && i < scan->run->config->targets.count; i++)
		resolve_close(&scan->targets[i].known);
	free(scan->targets);
	scan_results_close(&scan->results);
}

/* Fails once instead of once for each port. */
static bool
scan_check(const struct config *config, struct fault *fault)
{
	for (size_t i = 0; i < config->targets.count; i++) {
		struct dial_config wanted =
			config_dial_target(config, &config->targets.list[i], 0, clock_now());
		if (wanted.to.names == TRANSPORT_INET)
			return dial_socket_check(&wanted, fault);
	}
	return true;
}

static bool
scan_run(struct run *run, struct fault *fault)
{
	struct scan scan;
	bool good = scan_open(&scan, run, fault) && scan_check(run->config, fault) &&
		engine_add(&run->engine, &scan.task, &scan_task, fault);
	if (good)
		scan_advance(&scan);
	good = good && engine_run(&run->engine, fault);
	engine_remove(&run->engine, &scan.task);
	status_line_clear();
	/* What was not printed comes before what was found. */
	if (good || scan.expired)
		good = event_check_output(fault) &&
			scan_results_conclude(&scan.results, scan.expired, fault);
	scan_close(&scan);
	return good;
}

const struct mode scan_mode = { .name = "scan", .run = scan_run };
