/*
 * The results of a scan: kept until those before them are known, printed in the order of the
 * targets, and summed up as the status of the run.
 */
#ifndef SOCKCAT_MODE_SCAN_RESULTS_H
#define SOCKCAT_MODE_SCAN_RESULTS_H

#include "engine/config.h"
#include "mode/probe.h"

/* The most results that are kept. */
#define SCAN_RESULTS_KEPT 65536

struct scan_entry {
	bool known;
	uint8_t state, status;
	struct scan_line *line; /* owned; NULL: nothing is printed */
};

struct scan_sum {
	const struct target *target;
	uint64_t count;            /* of probes */
	bool unresolved;           /* one result is that of all */
	struct scan_range *ranges; /* owned; of the target's ports */
	struct scan_range *all;    /* owned: the whole network; NULL: it is none */
};

struct scan_results {
	const struct config *config;
	uint64_t count, reported, open; /* probes */
	struct scan_sum *sums;          /* owned; one for each target */
	size_t target;                  /* of the next result to report */
	uint64_t offset;                /* its index in the target */
	struct scan_entry *entries;     /* owned; by number modulo `kept` */
	size_t kept;
	bool listed;        /* each that is not open has a line */
	enum status status; /* of what was asked for and is not open; OK: nothing */
	enum status worst;  /* of all that is not open */
	struct fault cause; /* the first failure that is no refusal, or else the first */
};

/* False with a fault: out of memory. To be closed in any case. */
bool scan_results_open(
	struct scan_results *results, const struct config *config, struct fault *fault);

/* Takes the result of a probe, the number of which is less than reported + kept. */
void scan_results_take(struct scan_results *results, uint64_t number, struct probe *probe);

/* Reports results in order while the outputs have room. Returns the descriptor to wait for; -1:
 * the next result is not known yet. */
int scan_results_report(struct scan_results *results);

/* Whether the result is that of all ports of the target: its name does not resolve, and none of
 * them has an address from --resolve. */
bool scan_results_is_of_all(
	const struct config *config, const struct target *target, enum probe_state state);

/* Whether enough is open; otherwise sets the fault of the run. `expired`: the limit of --for. */
bool scan_results_conclude(struct scan_results *results, bool expired, struct fault *fault);

void scan_results_close(struct scan_results *results);

#endif
