/* --report: the format of the report, and where it goes; --progress; --stats. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "cli/command.h"

/* "fd:N". False: it is not that. */
static bool
reports_descriptor(const char *text, int *fd)
{
	uint64_t number;
	if (strncmp(text, "fd:", 3) != 0 || parse_count(text + 3, INT_MAX, &number) != PARSE_OK)
		return false;
	*fd = (int)number;
	return true;
}

static bool
reports_progress(struct config *config, const struct options *options, struct fault *fault)
{
	static const char *const forms[] = {
		[CONFIG_PROGRESS_BAR] = "bar",
		[CONFIG_PROGRESS_LINE] = "line",
		[CONFIG_PROGRESS_JSON] = "json",
	};
	const char *text = options->text[OPTION_progress];
	config->progress.size = (uint64_t)options->value[OPTION_size];
	/* Transfers show it on a terminal, as other programs that copy files do. */
	bool transfers = options_has(options, OPTION_send) || options_has(options, OPTION_receive);
	if (!options_has(options, OPTION_progress) &&
		(!transfers || options_has(options, OPTION_keep_open) || !isatty(STDERR_FILENO)))
		return true;
	config->progress.form = CONFIG_PROGRESS_BAR;
	for (int i = CONFIG_PROGRESS_BAR; text != NULL; i++) {
		if (i > CONFIG_PROGRESS_JSON)
			return fault_set(fault, STATUS_VALUE, 0,
				"invalid --progress '%s': expected bar, line or json", text);
		config->progress.form = (enum config_progress_form)i;
		if (strcmp(text, forms[i]) == 0)
			break;
	}
	return true;
}

bool
reports_config(struct config *config, const struct options *options, struct fault *fault)
{
	static const struct {
		const char *name;
		enum event_report format;
	} formats[] = { { "json", EVENT_REPORT_JSON }, { "text", EVENT_REPORT_TEXT } };
	const char *text = options->text[OPTION_report];
	struct config_report *report = &config->report;
	report->fd = -1;
	config->stats = options_has(options, OPTION_stats);
	if (!reports_progress(config, options, fault))
		return false;
	if (text == NULL)
		return true;
	size_t length = strcspn(text, ":");
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
		if (strlen(formats[i].name) == length &&
			strncmp(text, formats[i].name, length) == 0)
			report->format = formats[i].format;
	report->name = text[length] == ':' ? text + length + 1 : "standard error";
	if (text[length] == '\0')
		report->fd = STDERR_FILENO;
	else if (strncmp(report->name, "fd:", 3) == 0 &&
		!reports_descriptor(report->name, &report->fd))
		report->format = EVENT_REPORT_NONE;
	if (report->format == EVENT_REPORT_NONE || report->name[0] == '\0')
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --report '%s': expected json or text, json:FILE or json:fd:N",
			text);
	return true;
}
