/* The state of a run. */
#ifndef SOCKCAT_ENGINE_RUN_H
#define SOCKCAT_ENGINE_RUN_H

#include <stdint.h>

#include "engine/engine.h"
#include "engine/config.h"
#include "engine/digests.h"
#include "engine/progress.h"

struct run {
	const struct config *config;
	struct engine engine;
	struct digests digests;
	struct progress progress;
	uint64_t sessions; /* the number of the last one */
};

#endif
