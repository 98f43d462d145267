/* A listener for many: every client has a session of its own, side by side, in one loop. */
#ifndef SOCKCAT_MODE_HUB_H
#define SOCKCAT_MODE_HUB_H

#include <stdbool.h>

#include "base/fault.h"
#include "mode/mode.h"
#include "net/listener.h"

/*
 * Announces the listener, and serves who comes until a signal ends it, or as many as the plan says
 * have come. False and the fault if not all went well; what fails of one client is told at once,
 * and ends no other. With access lists, SIGHUP has them made anew.
 */
bool hub_run(
	struct run *run, struct listener *listener, struct access *access, struct fault *fault);

#endif
