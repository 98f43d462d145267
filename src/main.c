/* sockcat: parse, run, report. */
#include <stdlib.h>

#include "base/fault.h"
#include "base/log.h"
#include "cli/command.h"
#include "flow/signals.h"
#include "mode/mode.h"
#include "stream/stdio.h"
#include "sys/sys.h"

/* At most one line, and the status that the shell sees. `compat`: nc knows 0, 1 and 2. */
static int
main_report(struct fault *fault, bool compat)
{
	int status = (int)fault->status, signal = fault->signal;
	if (fault_is_set(fault) && !fault->quiet)
		log_last_line(fault->text != NULL ? fault->text : "out of memory");
	fault_clear(fault);
	if (signal != 0)
		signals_raise(signal);
	return compat && status > STATUS_USAGE ? STATUS_NO : status;
}

int
main(int argc, char *argv[])
{
	struct fault fault = FAULT_NONE;
	struct plan plan;
	bool input_closed = stdio_fill_gaps();
	sys_close_others_on_exec();
	signals_ignore_errors();
	if (command_parse(&plan, argc, argv, input_closed, &fault) == COMMAND_RUN)
		(void)mode_run(&plan, &fault);
	plan_close(&plan);
	return main_report(&fault, plan.compat);
}
