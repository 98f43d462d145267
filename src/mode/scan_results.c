/* The results of a scan; see scan_results.h. */
#include "mode/scan_results.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/log.h"

/* Up to this number of ports those that are not open are listed without -v, too. */
#define SCAN_RESULTS_LISTED 10

/* What has to be printed about a probe. */
struct scan_line {
	enum probe_stage stage;
	int64_t resolve_time, connect_time, handshake_time;
	const char *protocol;
	char *target, *address, *cause, *banner; /* owned; NULL: none */
};

/* Ports of which one has to be open. */
struct scan_range {
	bool open;
	enum status status; /* as of struct scan_results */
};

/* The status of two failures: a refusal is an answer, and less than all others. */
static void
scan_results_worsen(enum status *status, enum status other)
{
	if (*status == STATUS_OK || *status == STATUS_NO)
		*status = other != STATUS_OK ? other : *status;
}

bool
scan_results_open(struct scan_results *results, const struct config *config, struct fault *fault)
{
	const struct targets *targets = &config->targets;
	*results = (struct scan_results){ .config = config };
	bool good = (results->sums = calloc(targets->count, sizeof *results->sums)) != NULL;
	for (size_t i = 0; i < targets->count && good; i++) {
		const struct target *target = &targets->list[i];
		struct scan_sum *sum = &results->sums[i];
		*sum = (struct scan_sum){ .target = target, .count = targets_probes(target) };
		results->count += sum->count;
		size_t ranges = target->ports.range_count;
		sum->ranges = calloc(ranges + 1, sizeof *sum->ranges);
		if (targets_hosts(target) > 1)
			sum->all = calloc(1, sizeof *sum->all);
		good = sum->ranges != NULL && (sum->all != NULL || targets_hosts(target) == 1);
	}
	results->kept =
		results->count < SCAN_RESULTS_KEPT ? (size_t)results->count : SCAN_RESULTS_KEPT;
	results->listed = results->count > 1 &&
		(results->count <= SCAN_RESULTS_LISTED || config->verbose > 0);
	if (good)
		results->entries = calloc(results->kept, sizeof *results->entries);
	return results->entries != NULL || fault_set(fault, STATUS_MEMORY, ENOMEM, "probe");
}

static void
scan_results_free_line(struct scan_line *line)
{
	if (line == NULL)
		return;
	free(line->target);
	free(line->address);
	free(line->cause);
	free(line->banner);
	free(line);
}

/* Whether open ports have lines without -v. */
static bool
scan_results_prints(const struct scan_results *results)
{
	return results->count > 1 || results->config->banner.wanted;
}

static bool
scan_results_is_open(const struct scan_results *results, enum probe_state state)
{
	return state == PROBE_OPEN ||
		(state == PROBE_OPEN_FILTERED && results->config->rules.silence_is_open);
}

bool
scan_results_is_of_all(
	const struct config *config, const struct target *target, enum probe_state state)
{
	return state == PROBE_UNRESOLVED && !hosts_know(&config->hosts, &target->endpoint);
}

/* The text of a failure without "connect NAME: ". */
static const char *
scan_results_cause(const struct probe *probe)
{
	const char *text = probe->result.fault.text, *name = probe->dial.name;
	if (probe->result.state == PROBE_CLOSED || text == NULL)
		return NULL;
	if (name == NULL || strncmp(text, "resolve ", 8) == 0)
		return text;
	const char *at = strstr(text, name);
	size_t length = strlen(name);
	return at != NULL && strncmp(at + length, ": ", 2) == 0 ? at + length + 2 : text;
}

static struct scan_line *
scan_results_line(const struct probe *probe)
{
	const struct probe_result *result = &probe->result;
	const struct dial *dial = &probe->dial;
	const struct address *to = dial->peer.length > 0 ? &dial->peer
		: dial->resolve.count == 1               ? &dial->resolve.addresses[0]
							 : NULL;
	struct scan_line *line = malloc(sizeof *line);
	if (line == NULL)
		return NULL;
	const char *cause = scan_results_cause(probe);
	*line = (struct scan_line){ .stage = result->stage,
		.resolve_time = result->resolve_time,
		.connect_time = result->connect_time,
		.handshake_time = result->handshake_time,
		.protocol = dial->config.transport->name,
		.target = dial->name != NULL ? strdup(dial->name) : NULL,
		.address = to != NULL ? address_print(to) : NULL,
		.cause = cause != NULL ? strdup(cause) : NULL,
		.banner = result->banner != NULL ? strdup(result->banner) : NULL };
	if (line->address != NULL && line->target != NULL &&
		strcmp(line->address, line->target) == 0) {
		free(line->address);
		line->address = NULL;
	}
	return line;
}

void
scan_results_take(struct scan_results *results, uint64_t number, struct probe *probe)
{
	struct probe_result *result = &probe->result;
	struct fault *fault = &result->fault;
	bool open = scan_results_is_open(results, result->state);
	struct scan_entry *entry = &results->entries[number % results->kept];
	bool shown = open ? scan_results_prints(results) || event_wants(EVENT_probe_open)
			  : results->listed || event_wants(EVENT_probe_failed) ||
			result->state == PROBE_UNRESOLVED;
	*entry = (struct scan_entry){ .known = true,
		.state = (uint8_t)result->state,
		.status = (uint8_t)(open ? STATUS_OK : fault->status),
		.line = shown ? scan_results_line(probe) : NULL };
	if (open || (fault_is_set(&results->cause) && results->cause.status != STATUS_NO))
		return;
	if (!fault_is_set(&results->cause) || fault->status != STATUS_NO) {
		fault_clear(&results->cause);
		fault_move(&results->cause, fault);
	}
}

/* --- in order --- */

/* The descriptor that the line has to wait for, as it was asked for; -1: none. */
static int
scan_results_stuck(const struct scan_results *results, const struct scan_entry *entry)
{
	if (entry->line == NULL)
		return -1;
	if (!scan_results_is_open(results, (enum probe_state)entry->state))
		return results->listed && log_is_stuck() ? STDERR_FILENO : -1;
	return scan_results_prints(results) && pollset_look(STDOUT_FILENO, POLLOUT) == 0
		? STDOUT_FILENO
		: -1;
}

static void
scan_results_print(const struct scan_results *results, const struct scan_entry *entry)
{
	const struct scan_line *line = entry->line;
	enum probe_state state = (enum probe_state)entry->state;
	bool open = scan_results_is_open(results, state);
	bool unresolved = scan_results_is_of_all(
		results->config, results->sums[results->target].target, state);
	/* The only cause is the message of the run. */
	bool only = unresolved ? results->config->targets.count == 1
			       : results->count == 1 && state != PROBE_CLOSED;
	if (line == NULL)
		return;
	event_emit(&(struct event){
		.kind = open         ? EVENT_probe_open
			: only       ? EVENT_probe_ended
			: unresolved ? EVENT_probe_unresolved
				     : EVENT_probe_failed,
		.always = open       ? scan_results_prints(results)
			: unresolved ? !only
				     : results->listed,
		.target = line->target,
		.address = line->address,
		.protocol = line->protocol,
		.cause = line->cause,
		.banner = line->banner,
		.state = probe_state_word(state),
		.stage = probe_stage_word(line->stage),
		.resolve_time = (uint64_t)line->resolve_time,
		.connect_time = (uint64_t)line->connect_time,
		.handshake_time = (uint64_t)line->handshake_time,
	});
}

/* Adds the result to what it decides. */
static void
scan_results_add(struct scan_results *results, enum status status)
{
	struct scan_sum *sum = &results->sums[results->target];
	const struct ports *ports = &sum->target->ports;
	uint16_t port = ports->count > 0 ? ports->list[results->offset % ports->count] : 0;
	bool open = status == STATUS_OK;
	results->open += open;
	scan_results_worsen(&results->worst, status);
	if (sum->all != NULL) {
		sum->all->open |= open;
		scan_results_worsen(&sum->all->status, status);
		return;
	}
	if (ports_is_single(ports, port))
		scan_results_worsen(&results->status, status);
	for (size_t i = 0; i < ports->range_count; i++) {
		if (port < ports->ranges[i].first || port > ports->ranges[i].last)
			continue;
		sum->ranges[i].open |= open;
		scan_results_worsen(&sum->ranges[i].status, status);
	}
}

/* Goes to the next target whose last result was reported. */
static void
scan_results_go_on(struct scan_results *results, uint64_t count)
{
	const struct scan_sum *sum = &results->sums[results->target];
	results->reported += count;
	results->offset += count;
	if (results->offset == sum->count) {
		results->target++;
		results->offset = 0;
	}
}

int
scan_results_report(struct scan_results *results)
{
	while (results->reported < results->count) {
		struct scan_entry *entry = &results->entries[results->reported % results->kept];
		if (!entry->known)
			break;
		int stuck = scan_results_stuck(results, entry);
		if (stuck != -1)
			return stuck;
		scan_results_print(results, entry);
		scan_results_free_line(entry->line);
		struct scan_sum *sum = &results->sums[results->target];
		sum->unresolved = scan_results_is_of_all(
			results->config, sum->target, (enum probe_state)entry->state);
		enum status status = (enum status)entry->status;
		if (sum->unresolved) {
			scan_results_worsen(&results->worst, status);
			scan_results_worsen(&results->status, status);
		} else {
			scan_results_add(results, status);
		}
		*entry = (struct scan_entry){ .known = false };
		scan_results_go_on(results, sum->unresolved ? sum->count - results->offset : 1);
	}
	return -1;
}

/* --- the end --- */

/* What was asked for and is not open. */
static enum status
scan_results_status(const struct scan_results *results)
{
	enum status status = results->status;
	enum config_needs needs = results->config->scan.needs;
	if (needs == CONFIG_NEEDS_ANY)
		return results->open > 0 ? STATUS_OK : results->worst;
	if (needs == CONFIG_NEEDS_ALL)
		return results->worst;
	for (size_t i = 0; i < results->config->targets.count; i++) {
		const struct scan_sum *sum = &results->sums[i];
		for (size_t j = 0; j < sum->target->ports.range_count; j++)
			if (!sum->ranges[j].open)
				scan_results_worsen(&status, sum->ranges[j].status);
		if (sum->all != NULL && !sum->all->open)
			scan_results_worsen(&status, sum->all->status);
	}
	return status;
}

/* The message about many probes. */
static void
scan_results_explain(
	struct scan_results *results, enum status status, bool expired, struct fault *fault)
{
	const struct targets *targets = &results->config->targets;
	const struct fault *cause = &results->cause;
	const char *host = targets->count == 1 && targets->list[0].network.size == 0
		? targets->list[0].endpoint.host
		: NULL;
	(void)fault_set(fault, status, 0, "%s%s%" PRIu64 " of %" PRIu64 " ports open",
		host != NULL ? host : "", host != NULL ? ": " : "", results->open, results->count);
	if (expired)
		fault_add(fault, "; %" PRIu64 " not probed within %.10gs (--for)",
			results->count - results->reported,
			(double)results->config->scan.limit / CLOCK_SECOND);
	else if (status != STATUS_NO && cause->status == status && !results->listed &&
		cause->text != NULL)
		fault_add(fault, "; %s", cause->text);
}

bool
scan_results_conclude(struct scan_results *results, bool expired, struct fault *fault)
{
	enum status status = expired ? STATUS_LIMIT : scan_results_status(results);
	struct fault *cause = &results->cause;
	bool alone = results->count == 1 ||
		(results->config->targets.count == 1 && results->sums[0].unresolved);
	if (status == STATUS_OK)
		return true;
	bool quiet = cause->quiet;
	if (expired || !alone)
		scan_results_explain(results, status, expired, fault);
	else if (cause->status != STATUS_NO)
		fault_move(fault, cause);
	else
		(void)fault_set_quiet(fault, STATUS_NO);
	fault->quiet |= quiet;
	return false;
}

void
scan_results_close(struct scan_results *results)
{
	for (size_t i = 0; i < results->kept && results->entries != NULL; i++)
		scan_results_free_line(results->entries[i].line);
	for (size_t i = 0; results->sums != NULL && i < results->config->targets.count; i++) {
		free(results->sums[i].ranges);
		free(results->sums[i].all);
	}
	free(results->sums);
	free(results->entries);
	fault_clear(&results->cause);
	*results = (struct scan_results){ .config = NULL };
}
