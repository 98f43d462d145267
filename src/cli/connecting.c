/* Options about connecting; see command.h. */
#include "cli/command.h"

bool
connecting_config(struct config *config, const struct options *options, struct fault *fault)
{
	for (size_t i = 0; i < options->given_count; i++)
		if (options->given[i].option == OPTION_resolve &&
			!hosts_add(&config->hosts, options->given[i].text, fault))
			return false;
	return true;
}
