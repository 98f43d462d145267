/* Options that change, delay or limit the data; see command.h. */
#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "engine/service.h"
#include "flow/stage.h"
#include "mode/mode.h"

/* Parses "RATE[:BURST]". */
static bool
stages_rate(struct stage *rate, const char *text, struct fault *fault)
{
	const char *colon = strchr(text, ':');
	char *first = colon != NULL ? strndup(text, (size_t)(colon - text)) : strdup(text);
	uint64_t bytes = 0, burst = 0;
	if (first == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "--rate");
	bool good = parse_size(first, INT64_MAX, &bytes) == PARSE_OK && bytes > 0 &&
		(colon == NULL || parse_size(colon + 1, INT64_MAX, &burst) == PARSE_OK);
	free(first);
	if (!good)
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --rate '%s': expected bytes per second, such as 10M or 10M:64k",
			text);
	*rate = rate_stage;
	rate->amount = (int64_t)bytes;
	rate->burst = (size_t)burst;
	return true;
}

bool
stages_config(struct config *config, const struct options *options, struct fault *fault)
{
	struct stage *next = config->stages;
	int64_t delay = times_option(options, OPTION_delay, 0);
	if (options_has(options, OPTION_crlf))
		*next++ = crlf_stage;
	if (delay > 0) {
		*next = pace_stage;
		next++->amount = delay;
	}
	if (config->end == CONFIG_END_AUTO && config->mode == &connect_mode &&
		config->service->local == SERVICE_STDIO && config->transport->message_max == 0 &&
		!config->frames.used)
		*next++ = request_line_stage;
	if (!options_has(options, OPTION_rate))
		return true;
	if (!stages_rate(next, options->text[OPTION_rate], fault))
		return false;
	config->receive_stages[0] = *next;
	return true;
}
