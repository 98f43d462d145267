/* The report of a run (--report): where it goes, and its last event. */
#ifndef SOCKCAT_ENGINE_REPORTER_H
#define SOCKCAT_ENGINE_REPORTER_H

#include "base/fault.h"
#include "engine/config.h"
#include "engine/engine.h"

/* Opens the destination, if there is one. False and a fault (status 23). */
bool reporter_open(const struct config *config, struct fault *fault);

/*
 * Reports the result of the run, and waits up to a second until the destination takes that. False
 * and a fault if it has failed, or did not take the last line. A line on standard error makes the
 * fault quiet, which is in it.
 */
bool reporter_finish(struct engine *engine, const struct config *config, struct fault *fault);

#endif
