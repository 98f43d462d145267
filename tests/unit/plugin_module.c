/* The plug-ins of plugin_test: one source, built with other definitions for each. */
#include "plugin/plugin.h"

struct plugin_module {
	struct plugin_head head;
	int answer;
};

#ifdef PLUGIN_TEST_EXPORTS
PLUGIN_EXPORT extern const struct plugin_module sockcat_plugin;

const struct plugin_module sockcat_plugin = {
	.head = { PLUGIN_TEST_MAGIC, sizeof(struct plugin_module), PLUGIN_TEST_VERSION },
	.answer = 42,
};
#endif
