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

/* Prints a text from a column on, wrapped at spaces; further lines are indented. */
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
	if (row->type == OPTION_OPTIONAL)
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
	/* No message if the reader has closed the pipe. */
	return errno == EPIPE ? fault_set_quiet(fault, STATUS_OUTPUT)
			      : fault_set(fault, STATUS_OUTPUT, errno, "write standard output");
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

const char *
help_usage(void)
{
	return "usage: sockcat [OPTION]... HOST PORT                      connect\n"
	       "       sockcat [OPTION]... host:port|udp://...|unix:PATH  the same\n"
	       "       sockcat -l [OPTION]... [HOST] PORT                 listen\n"
	       "       sockcat [-l] [OPTION]... [HOST] PORT -- PROG [ARG]...\n"
	       "       sockcat -z [OPTION]... HOST PORT...                test ports\n";
}

/* Fits on a screen. */
static void
help_print_brief(void)
{
	(void)printf("%s", help_usage());
	(void)fputs("\nExamples\n"
		    "  sockcat HOST 80                             connect\n"
		    "  sockcat -l 9000                             listen\n"
		    "  sockcat HOST 9000 < FILE                    send a file\n"
		    "  sockcat -l 9000 > FILE                      receive a file\n"
		    "  sockcat -zv HOST 22 80 8000-8010            test ports\n"
		    "  sockcat --wait-for=30 HOST 22 -- PROG       wait for a port\n"
		    "  sockcat -l --receive=DIR 9000               store files in DIR\n"
		    "  sockcat HOST 9000 --send FILE|DIR           send one to be stored\n"
		    "  sockcat -lk 9000 -- PROG                    run a program\n"
		    "  sockcat -lk --to HOST:80 9000               relay\n"
		    "\n",
		stdout);
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (option_rows[i].brief)
			help_print_row(&option_rows[i]);
	int column = printf("More: man sockcat, --help=all, --help=TOPIC:");
	for (unsigned group = 0; group < OPTION_GROUPS; group++) {
		if (column + (int)strlen(option_groups[group].topic) + 1 >= HELP_WIDTH)
			column = printf("\n ") - 1;
		column += printf(" %s", option_groups[group].topic);
	}
	(void)puts(" exit");
}

static void
help_print_all(void)
{
	(void)printf("%s", help_usage());
	for (unsigned group = 0; group < OPTION_GROUPS; group++) {
		(void)putchar('\n');
		help_print_group(group);
	}
	(void)putchar('\n');
	help_print_statuses();
}

/* The topic of --help=TOPIC or --help TOPIC; NULL: none. */
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
	unsigned group = 0;
	while (topic != NULL && group < OPTION_GROUPS &&
		strcmp(option_groups[group].topic, topic) != 0)
		group++;
	if (topic != NULL && group < OPTION_GROUPS) {
		help_print_group(group);
	} else if (topic != NULL && strcmp(topic, "exit") == 0) {
		help_print_statuses();
	} else if (topic != NULL && strcmp(topic, "all") == 0) {
		help_print_all();
	} else if (options->text[OPTION_help] == NULL) {
		help_print_brief();
	} else {
		(void)fault_set(
			fault, STATUS_VALUE, 0, "invalid --help '%s': expected one of ", topic);
		for (group = 0; group < OPTION_GROUPS; group++)
			fault_add(fault, "%s|", option_groups[group].topic);
		fault_add(fault, "exit|all");
		return false;
	}
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
