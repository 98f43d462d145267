/* From the command line to a plan. */
#ifndef SOCKCAT_CLI_COMMAND_H
#define SOCKCAT_CLI_COMMAND_H

#include <stdbool.h>

#include "base/fault.h"
#include "mode/plan.h"

enum command {
	COMMAND_RUN,  /* the plan is to be run */
	COMMAND_DONE, /* help or version was asked for, and shown */
	COMMAND_BAD   /* the fault says what is wrong */
};

/*
 * The plan points into argv, which is changed and has to outlive it; it is to be closed in any
 * case. `input_closed`: standard input was closed at the start.
 */
enum command command_parse(
	struct plan *plan, int argc, char *argv[], bool input_closed, struct fault *fault);

#endif
