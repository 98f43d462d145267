/* The modes: one row and one file each. */
#ifndef SOCKCAT_MODE_MODE_H
#define SOCKCAT_MODE_MODE_H

#include "base/fault.h"
#include "engine/run.h"

struct mode {
	const char *name;
	/* Runs the mode; false and a fault on failure. */
	bool (*run)(struct run *run, struct fault *fault);
	/* After a successful run and its report: may replace the process by a program, which gets
	 * the descriptors and the environment of the start. NULL: never. False and a fault on
	 * failure. */
	bool (*replace)(const struct config *config, struct fault *fault);
};

extern const struct mode connect_mode, listen_mode, scan_mode, wait_mode, ping_mode, fdpass_mode;

/* Runs the config's mode. Reads the access lists that can be read only once into the config. */
bool mode_run(struct config *config, struct fault *fault);

#endif
