/* The digests of --digest: each session reports those of its directions at its end, and adds them
 * to the file of --digest-file if it has ended well. */
#ifndef SOCKCAT_ENGINE_DIGESTS_H
#define SOCKCAT_ENGINE_DIGESTS_H

#include "base/fault.h"
#include "engine/config.h"
#include "flow/relay.h"
#include "stream/output.h"

struct digests {
	const char *path; /* of the file; NULL: none */
	struct output file;
	const struct config *config;
	bool failed; /* the file cannot be written: the run has failed, not a session */
};

/* Opens the file. False and a fault (status 23). */
bool digests_open(struct digests *digests, const struct config *config, struct fault *fault);

/* Also good if it was not opened. */
void digests_close(struct digests *digests);

/* Emits the events of a session that is over. */
void digests_report(const struct digests *digests, struct relay *relay, const char *peer);

/*
 * Adds a line to the file for each direction in which data went; if there was none, for what was
 * received. False and a fault (status 23). `number` and `peer` are of the session.
 */
bool digests_write(struct digests *digests, struct relay *relay, uint64_t number,
	const struct address *peer, struct fault *fault);

#endif
