/*
 * sockcat-archive: the program that sockcat runs to send and receive directories. It is a program
 * of its own, so that an error in the library for archives cannot reach the process that has the
 * connection, and so that the kernel can confine it.
 */
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "archive/create.h"
#include "archive/extract.h"
#include "archive/preserve.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/parse.h"

#define MAIN_ENTRIES 1000000

enum main_option {
	MAIN_PRESERVE = 256,
	MAIN_MAX_SIZE,
	MAIN_MAX_ENTRIES,
	MAIN_FORCE,
	MAIN_FRESH,
	MAIN_LEFT_OUT
};

static bool
main_usage(struct fault *fault)
{
	return fault_set(fault, STATUS_USAGE, 0,
		"usage: sockcat-archive create [--preserve=LIST] [--left-out=STATUS] PATH... | "
		"extract [--preserve=LIST] [--max-size=SIZE] [--max-entries=N] [--force] "
		"[--fresh] DIRECTORY");
}

static bool
main_option(struct extract_config *config, uint64_t *left_out, int option, struct fault *fault)
{
	switch ((enum main_option)option) {
	case MAIN_PRESERVE:
		return preserve_parse(&config->preserve, optarg, fault);
	case MAIN_MAX_SIZE:
		return parse_size(optarg, INT64_MAX, &config->max_size) == PARSE_OK ||
			fault_set(fault, STATUS_VALUE, 0, "invalid --max-size '%s'", optarg);
	case MAIN_MAX_ENTRIES:
		return parse_count(optarg, INT64_MAX, &config->max_entries) == PARSE_OK ||
			fault_set(fault, STATUS_VALUE, 0, "invalid --max-entries '%s'", optarg);
	case MAIN_FORCE:
		config->replace = true;
		return true;
	case MAIN_FRESH:
		config->fresh = true;
		return true;
	case MAIN_LEFT_OUT:
		return parse_count(optarg, UINT8_MAX, left_out) == PARSE_OK ||
			fault_set(fault, STATUS_VALUE, 0, "invalid --left-out '%s'", optarg);
	default:
		return main_usage(fault);
	}
}

static bool
main_run(int argc, char *argv[], struct fault *fault)
{
	static const struct option options[] = {
		{ "preserve", required_argument, NULL, MAIN_PRESERVE },
		{ "max-size", required_argument, NULL, MAIN_MAX_SIZE },
		{ "max-entries", required_argument, NULL, MAIN_MAX_ENTRIES },
		{ "force", no_argument, NULL, MAIN_FORCE },
		{ "fresh", no_argument, NULL, MAIN_FRESH },
		{ "left-out", required_argument, NULL, MAIN_LEFT_OUT },
		{ NULL, 0, NULL, 0 },
	};
	struct extract_config extract = { .preserve = PRESERVE_DEFAULT,
		.max_entries = MAIN_ENTRIES };
	if (argc < 3)
		return main_usage(fault);
	const char *verb = argv[1];
	uint64_t left_out = STATUS_INPUT;
	int option;
	opterr = 0;
	while ((option = getopt_long(argc - 1, argv + 1, "", options, NULL)) != -1)
		if (!main_option(&extract, &left_out, option, fault))
			return false;
	char **paths = argv + 1 + optind;
	if (strcmp(verb, "create") == 0 && paths[0] != NULL) {
		const struct create_config create = { paths, extract.preserve,
			(enum status)left_out };
		return create_run(&create, fault);
	}
	extract.directory = paths[0];
	return strcmp(verb, "extract") == 0 && paths[0] != NULL && paths[1] == NULL
		? extract_run(&extract, fault)
		: main_usage(fault);
}

int
main(int argc, char *argv[])
{
	struct fault fault = FAULT_NONE;
	log_set_name("sockcat-archive");
	/* Names are bytes, which in this locale are not changed. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)sigaction(SIGPIPE, &(const struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	if (!main_run(argc, argv, &fault))
		(void)log_last(fault.text != NULL ? fault.text : "out of memory");
	int status = (int)fault.status;
	fault_clear(&fault);
	return status;
}
