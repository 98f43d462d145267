/* Help and version; see help.h. */
#include "cli/help.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/options.h"

#define HELP_WIDTH 80
#define HELP_INDENT 28

static const char *const help_groups[OPTION_GROUPS] = {
	[OPTION_CONNECTION] = "Connection",
	[OPTION_TRANSPORT] = "Transport",
	[OPTION_ADDRESS] = "Addresses and sockets",
	[OPTION_TIMES] = "Times (2, 0.5, 500ms, 3m, 1h)",
	[OPTION_SESSION] = "Session",
	[OPTION_OTHER] = "Other",
};

/* Prints a text from a column on, broken at spaces before the width is reached. */
static void
help_print_wrapped(const char *text, int column)
{
	for (const char *space = ""; *text != '\0'; space = " ") {
		size_t word = strcspn(text, " ");
		if (column + (int)strlen(space) + (int)word >= HELP_WIDTH) {
			(void)printf("\n%*s", HELP_INDENT, "");
			column = HELP_INDENT;
			space = "";
		}
		column += printf("%s%.*s", space, (int)word, text);
		text += word + (text[word] == ' ');
	}
	(void)putchar('\n');
}

static void
help_print_row(const struct option_row *row)
{
	bool named = row->name[0] != '\0', valued = row->argument[0] != '\0';
	int column = 0;
	column += row->letter != 0 ? printf("  -%c%s", row->letter, named ? ", " : " ")
				   : printf("      ");
	if (named)
		column += printf("--%s%s", row->name, valued ? " " : "");
	column += printf("%s", row->argument);
	if (column + 2 > HELP_INDENT) {
		(void)putchar('\n');
		column = 0;
	}
	(void)printf("%*s", HELP_INDENT - column, "");
	help_print_wrapped(row->help, HELP_INDENT);
}

static bool
help_finish(struct fault *fault)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return true;
	/* A reader that went away has seen enough. */
	return errno == EPIPE ? fault_set_quiet(fault, STATUS_OUTPUT)
			      : fault_set(fault, STATUS_OUTPUT, errno, "write standard output");
}

bool
help_show(struct fault *fault)
{
	(void)fputs(
		"Usage: sockcat [OPTION]... HOST PORT      connect\n"
		"       sockcat -l [OPTION]... [HOST] PORT  listen\n"
		"       sockcat [-l] -U [OPTION]... PATH    Unix-domain socket\n"
		"       sockcat -z [OPTION]... HOST PORT    does the port answer?\n"
		"\n"
		"Connects standard input and output to a socket. Exit status 0 means that every\n"
		"byte read from either side was written to the other, and both ended cleanly.\n",
		stdout);
	for (unsigned group = 0; group < OPTION_GROUPS; group++) {
		(void)printf("\n%s\n", help_groups[group]);
		for (unsigned i = 0; i < OPTION_COUNT; i++)
			if (option_rows[i].group == group)
				help_print_row(&option_rows[i]);
	}
	(void)puts("\nExit status");
	int number;
	const char *text;
	for (size_t i = 0; fault_status_row(i, &number, &text); i++) {
		(void)printf("  %3d  %*s", number, HELP_INDENT - 7, "");
		help_print_wrapped(text, HELP_INDENT);
	}
	return help_finish(fault);
}

bool
help_show_version(struct fault *fault)
{
	(void)puts("sockcat " SOCKCAT_VERSION);
	return help_finish(fault);
}
