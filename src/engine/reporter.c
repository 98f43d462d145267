/* The report of a run; see reporter.h. */
#include "engine/reporter.h"

#include <errno.h>
#include <unistd.h>

#include "base/event.h"
#include "stream/output.h"

/* How long the last line is waited for. */
#define REPORTER_PATIENCE CLOCK_SECOND

bool
reporter_open(const struct config *config, struct fault *fault)
{
	const struct config_report *report = &config->report;
	struct output output;
	if (report->format == EVENT_REPORT_NONE)
		return true;
	bool opened = report->fd != -1 ? output_adopt(&output, report->fd, report->name, fault)
				       : output_open(&output, report->name, true, fault);
	if (opened)
		event_report_to(report->format, output.fd, output.socket, report->name, report->fd);
	return opened;
}

/* What the exit status means; NULL: it is the program's, which is that of one connection. */
static const char *
reporter_meaning(const struct config *config, int status)
{
	if (config->program.status && !config->keep_open)
		return NULL;
	return status > STATUS_SIGNAL ? "ended by a signal" : fault_status_text((uint64_t)status);
}

bool
reporter_finish(struct engine *engine, const struct config *config, struct fault *fault)
{
	const struct config_report *report = &config->report;
	int status = (int)fault->status;
	if (status != STATUS_OK && config->rules.failure != STATUS_OK)
		status = (int)config->rules.failure;
	const struct event event = {
		.kind = EVENT_exit,
		.status = (uint64_t)status,
		.signal = (uint64_t)fault->signal,
		.cause = fault->text,
		.meaning = reporter_meaning(config, status),
	};
	if (!event_reports())
		return event_report_close() == 0 || fault_set_quiet(fault, STATUS_OUTPUT);
	event_enter(0);
	int64_t until = clock_after(clock_now(), REPORTER_PATIENCE);
	int fd, error = 0;
	while (!event_report_last(&event, &fd) && error == 0)
		if (!engine_await(engine, fd, until))
			error = ETIMEDOUT;
	int failed = event_report_close();
	if (failed != 0)
		return fault_set_quiet(fault, STATUS_OUTPUT);
	if (error != 0)
		(void)fault_set(fault, STATUS_OUTPUT, error, "write %s", report->name);
	/* The line says it, or there is no room for a message either. */
	fault->quiet |= report->fd == STDERR_FILENO;
	return error == 0;
}
