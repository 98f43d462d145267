/* A line that is replaced; see status_line.h. */
#include "engine/status_line.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/sys.h"

#define STATUS_LINE_COLUMNS 80

bool
status_line_exists(void)
{
	return isatty(STDERR_FILENO);
}

size_t
status_line_columns(void)
{
	size_t columns = sys_columns(STDERR_FILENO);
	return columns > 0 ? columns : STATUS_LINE_COLUMNS;
}

void
status_line_show(const char *text)
{
	size_t columns = status_line_columns();
	/* A job in the background would write into what the foreground shows. */
	pid_t foreground = tcgetpgrp(STDERR_FILENO);
	bool background = foreground > 0 && foreground != getpgrp();
	char *shown = background ? NULL : strndup(text, columns - 1);
	if (shown != NULL)
		log_progress(shown);
	free(shown);
}

void
status_line_clear(void)
{
	log_progress(NULL);
}
