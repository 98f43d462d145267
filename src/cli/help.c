/* Help and version; see help.h. */
#include "cli/help.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "frame/frame.h"
#include "cli/options.h"

#define HELP_WIDTH 80
#define HELP_INDENT 28
#define HELP_STATUS_INDENT 7

/* Prints a text from a column on, broken at spaces before the width is reached; further lines are
 * indented. */
static void
help_print_wrapped(const char *text, int column, int indent)
{
	for (const char *space = ""; *text != '\0'; space = " ") {
		size_t word = strcspn(text, " ");
		if (column + (int)strlen(space) + (int)word >= HELP_WIDTH) {
			(void)printf("\n%*s", indent, "");
			column = indent;
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
		column += printf("--%s", row->name);
	if (row->type == OPTION_TOPIC)
		column += printf("[=%s]", row->argument);
	else if (valued)
		column += printf("%s%s", named ? " " : "", row->argument);
	if (column + 2 > HELP_INDENT) {
		(void)putchar('\n');
		column = 0;
	}
	(void)printf("%*s", HELP_INDENT - column, "");
	help_print_wrapped(row->help, HELP_INDENT, HELP_INDENT);
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

static void
help_print_usage(void)
{
	(void)fputs(
		"Usage: sockcat [OPTION]... HOST PORT       connect\n"
		"       sockcat [OPTION]... ENDPOINT        host:port, [::1]:port, unix:/path\n"
		"       sockcat -l [OPTION]... [HOST] PORT  listen\n"
		"       sockcat [-l] -U [OPTION]... PATH    Unix-domain socket\n"
		"       sockcat [-l] [OPTION]... [HOST] PORT -- PROG [ARG]...\n"
		"       sockcat -z [OPTION]... HOST PORT... do ports answer? (22 http 20-30)\n"
		"\n"
		"Connects standard input and output to a socket. Exit status 0 means that every\n"
		"byte read from either side was written to the other, and both ended cleanly.\n"
		"\n"
		"Parts: --help=",
		stdout);
	for (unsigned group = 0; group < OPTION_GROUPS; group++)
		(void)printf("%s|", option_groups[group].topic);
	(void)puts("exit");
}

static void
help_print_group(unsigned group)
{
	(void)printf("%s\n", option_groups[group].title);
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (option_rows[i].group == group)
			help_print_row(&option_rows[i]);
}

static void
help_print_statuses(void)
{
	int number;
	const char *text;
	(void)puts("Exit status");
	for (size_t i = 0; fault_status_row(i, &number, &text); i++) {
		(void)printf("  %3d  ", number);
		help_print_wrapped(text, HELP_STATUS_INDENT, HELP_STATUS_INDENT);
	}
}

/* What --help=PART, or --help PART, asks for; NULL: everything. */
static const char *
help_topic(const struct options *options)
{
	if (options->text[OPTION_help] != NULL)
		return options->text[OPTION_help];
	return options->operand_count == 1 ? options->operands[0] : NULL;
}

bool
help_show(const struct options *options, struct fault *fault)
{
	const char *topic = help_topic(options);
	for (unsigned group = 0; group < OPTION_GROUPS && topic != NULL; group++) {
		if (strcmp(option_groups[group].topic, topic) == 0) {
			help_print_group(group);
			return help_finish(fault);
		}
	}
	if (topic != NULL && strcmp(topic, "exit") == 0) {
		help_print_statuses();
		return help_finish(fault);
	}
	if (options->text[OPTION_help] != NULL) {
		(void)fault_set(
			fault, STATUS_VALUE, 0, "option --help '%s': it has to be one of ", topic);
		for (unsigned group = 0; group < OPTION_GROUPS; group++)
			fault_add(fault, "%s|", option_groups[group].topic);
		fault_add(fault, "exit");
		return false;
	}
	help_print_usage();
	for (unsigned group = 0; group < OPTION_GROUPS; group++) {
		(void)putchar('\n');
		help_print_group(group);
	}
	(void)putchar('\n');
	help_print_statuses();
	return help_finish(fault);
}

bool
help_show_version(struct fault *fault)
{
	(void)puts("sockcat " SOCKCAT_VERSION);
	return help_finish(fault);
}

bool
help_list_formats(struct fault *fault)
{
	const struct frame_format *format;
	for (size_t i = 0; (format = frame_row(i)) != NULL; i++) {
		(void)printf("%s\n    ", format->usage);
		help_print_wrapped(format->layout, 4, 4);
		if (format->cannot[0] != '\0') {
			(void)printf("    cannot carry: ");
			help_print_wrapped(format->cannot, 18, 6);
		}
	}
	return help_finish(fault);
}
