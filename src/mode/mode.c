/* Running a mode; see mode.h. */
#include "mode/mode.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/event.h"
#include "engine/reporter.h"
#include "flow/relay.h"
#include "sys/sys.h"

/* Tells where the sender of a part that is continued has to begin. */
static void
mode_report_part(const struct config_files *files)
{
	char command[40];
	if (files->file.offset == 0)
		return;
	(void)snprintf(command, sizeof command, "tail -c +%" PRIu64, files->file.offset + 1);
	event_emit(&(struct event){ .kind = EVENT_part_resumed,
		.object = files->out,
		.count = files->file.offset,
		.detail = command });
}

bool
mode_run(struct config *config, struct fault *fault)
{
	struct run run = { .config = config, .digests = { .file = { .fd = -1 } } };
	struct engine *engine = &run.engine;
	if (config->mode->replace == NULL)
		sys_close_others_on_exec();
	event_set_style(config->style, config->numeric);
	event_configure(config->verbose, config->keep_open);
	if (!reporter_open(config, fault))
		return false;
	int64_t patience = config->linger > RELAY_GRACE ? config->linger : RELAY_GRACE;
	mode_report_part(&config->files);
	bool done = engine_open(engine, &config->capture, patience, fault) &&
		acl_config_read(&config->access, fault) &&
		digests_open(&run.digests, config, fault) && engine_start(engine, fault) &&
		progress_open(&run.progress, &run, fault) && config->mode->run(&run, fault);
	progress_close(&run.progress);
	/* With --grace programs may finish too, but not without it when the signal arrives together
	 * with the end of the last session. */
	bool graceful = done && engine->end_signal != 0 && config->grace > 0;
	if (!engine_end_programs(engine, graceful) && done)
		done = fault_set_signal(fault, engine->end_signal);
	/* After a signal, wait a moment only. */
	patience = fault->signal != 0 ? RELAY_GRACE : config->linger;
	bool recorded = engine_finish(engine, patience, fault);
	if (!done || !recorded)
		(void)fault_set(fault, STATUS_INTERNAL, 0, "%s: failed", config->mode->name);
	bool reported = reporter_finish(engine, config, fault);
	bool good = done && recorded && reported;
	if (good && config->mode->replace != NULL)
		good = config->mode->replace(config, fault);
	engine_close(engine);
	digests_close(&run.digests);
	return good;
}
