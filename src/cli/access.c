/* Options that restrict clients; see command.h. */
#include "cli/command.h"

/* What the options of a listening Unix socket require besides the table of options. */
static bool
access_check_unix(const struct config *config, const struct options *options, struct fault *fault)
{
	static const enum option_id ids[] = { OPTION_allow_uid, OPTION_mode, OPTION_group };
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		if (!options_has(options, ids[i]))
			continue;
		const char *lack = !options_has(options, OPTION_listen) ? "requires --listen"
			: ids[i] == OPTION_allow_uid                    ? NULL
			: config->listen_fds_count > 0 ? "conflicts with inherited sockets"
			: config->endpoint.host[0] == '@'
			? "requires a path: abstract sockets have no permissions"
			: NULL;
		if (lack != NULL)
			return fault_set(
				fault, STATUS_USAGE, 0, "--%s %s", option_rows[ids[i]].name, lack);
	}
	return true;
}

bool
access_config(struct config *config, const struct options *options, struct fault *fault)
{
	static const struct {
		enum option_id option;
		enum acl_kind kind;
		bool file;
	} rows[] = {
		{ OPTION_allow, ACL_ALLOW, false },
		{ OPTION_deny, ACL_DENY, false },
		{ OPTION_allow_file, ACL_ALLOW, true },
		{ OPTION_deny_file, ACL_DENY, true },
	};
	if (!access_check_unix(config, options, fault))
		return false;
	config->access.numeric_only = options_has(options, OPTION_nodns);
	for (size_t i = 0; i < options->given_count; i++) {
		const struct option_given *given = &options->given[i];
		for (size_t j = 0; j < sizeof rows / sizeof rows[0]; j++)
			if (given->option == rows[j].option &&
				!acl_config_add(&config->access, rows[j].kind, rows[j].file,
					given->text, fault))
				return false;
		if (given->option == OPTION_allow_uid &&
			!uid_list_add(&config->users, given->text, fault))
			return false;
	}
	return permissions_parse(&config->permissions, options->text[OPTION_mode],
		options->text[OPTION_group], fault);
}
