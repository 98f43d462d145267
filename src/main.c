/* sockcat: parses the command line, runs the mode, reports the result. */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/help.h"
#include "engine/signals.h"
#include "mode/mode.h"
#include "stream/stdio.h"

/* Prints at most one line, and the usage where that helps, and returns the exit status. `failure`:
 * of every failure; 0: its own. */
static int
main_report(struct fault *fault, enum status failure)
{
	int status = (int)fault->status, signal = fault->signal;
	if (fault_is_set(fault) && !fault->quiet)
		(void)log_last(fault->text != NULL ? fault->text : "out of memory");
	if (fault->usage)
		(void)log_plain(help_usage(), strlen(help_usage()));
	fault_clear(fault);
	if (signal != 0)
		signals_raise(signal);
	return status != STATUS_OK && failure != STATUS_OK ? (int)failure : status;
}

int
main(int argc, char *argv[])
{
	struct fault fault = FAULT_NONE;
	struct config config = { .mode = NULL };
	bool input_closed;
	bool good = stdio_fill_gaps(&input_closed, &fault);
	signals_ignore_errors();
	if (good && command_parse(&config, argc, argv, input_closed, &fault) == COMMAND_RUN)
		(void)mode_run(&config, &fault);
	config_close(&config);
	return main_report(&fault, config.rules.failure);
}
