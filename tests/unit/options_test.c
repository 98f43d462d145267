/* The option table is consistent, and the parser follows it. */
#include <string.h>

#include "check.h"
#include "cli/options.h"

/* The last operand, or "". */
static const char *options_test_last = "";

/* Parses words separated by spaces; returns the status. */
static enum status
options_test_parse(const char *line, struct options *options)
{
	static char copy[512];
	char *argv[32] = { (char[]){ "sockcat" } };
	int argc = 1;
	struct fault fault = FAULT_NONE;
	(void)snprintf(copy, sizeof copy, "%s", line);
	for (char *at = copy; *at != '\0' && argc < 31;) {
		size_t span = strcspn(at, " ");
		argv[argc++] = at;
		at += span;
		if (*at == ' ')
			*at++ = '\0';
	}
	argv[argc] = NULL;
	bool good = options_parse(options, NULL, argc, argv, &fault) &&
		options_rules_conflicts(options, &fault) && options_rules_needs(options, &fault);
	bool some = options->operand_count > 0;
	options_test_last = some ? options->operands[options->operand_count - 1] : "";
	options_close(options);
	enum status status = fault.status;
	CHECK(good == (status == STATUS_OK));
	CHECK(good || (fault.text != NULL && strchr(fault.text, '\n') == NULL));
	fault_clear(&fault);
	return status;
}

/* Every id of the list is that of an option or a class, and not the row's own. */
static bool
options_test_list(const char *list, const char *own)
{
	while (*list != '\0') {
		size_t span = strcspn(list, " ");
		bool known = false;
		for (unsigned i = 0; i < OPTION_COUNT; i++)
			known |= strlen(option_rows[i].id) == span &&
				strncmp(option_rows[i].id, list, span) == 0 &&
				strcmp(option_rows[i].id, own) != 0;
		for (unsigned i = 0; i < OPTION_CLASSES; i++)
			known |= strlen(option_classes[i].id) == span &&
				strncmp(option_classes[i].id, list, span) == 0;
		if (!known)
			return false;
		list += span + (list[span] == ' ');
	}
	return true;
}

/* The message for an invalid command line. */
static bool
options_test_says(char *word, const char *wanted)
{
	char *argv[] = { (char[]){ "sockcat" }, word, NULL };
	struct options options;
	struct fault fault = FAULT_NONE;
	bool good = options_parse(&options, NULL, 2, argv, &fault);
	bool said = !good && fault.status == STATUS_USAGE && fault.text != NULL &&
		strstr(fault.text, wanted) != NULL;
	if (!said)
		(void)fprintf(stderr, "%s: %s\n", word, fault.text != NULL ? fault.text : "good");
	fault_clear(&fault);
	options_close(&options);
	return said;
}

int
main(void)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];
		CHECK(row->name[0] != '\0' || row->letter != 0);
		CHECK(row->help[0] != '\0' && row->group < OPTION_GROUPS);
		CHECK((row->type == OPTION_FLAG) == (row->argument[0] == '\0'));
		CHECK(options_test_list(row->classes, row->id));
		CHECK(options_test_list(row->excludes, row->id));
		CHECK(options_test_list(row->needs, row->id));
		CHECK(row->type == OPTION_FLAG || row->type == OPTION_OPTIONAL ||
			row->repeat == OPTION_ONCE || row->repeat == OPTION_LIST);
		CHECK(row->min <= row->max);
		for (unsigned j = 0; j < i; j++) {
			CHECK(row->letter == 0 || row->letter != option_rows[j].letter);
			CHECK(row->name[0] == '\0' || strcmp(row->name, option_rows[j].name) != 0);
		}
	}

	struct options options;
	CHECK(options_test_parse("host 80", &options) == STATUS_OK);
	CHECK(options.operand_count == 2 && strcmp(options_test_last, "80") == 0);
	CHECK(options_test_parse("host -v 80 -v -w 2", &options) == STATUS_OK);
	CHECK(options.count[OPTION_verbose] == 2 && options.operand_count == 2);
	CHECK(options.value[OPTION_limits] == INT64_C(2000000000));
	CHECK(options_test_parse("-lvnp 8080", &options) == STATUS_OK);
	CHECK(options_has(&options, OPTION_listen) && options_has(&options, OPTION_nodns));
	CHECK(strcmp(options.text[OPTION_source_port], "8080") == 0);
	CHECK(options_test_parse("-- -h", &options) == STATUS_OK);
	CHECK(options.operand_count == 1 && !options_has(&options, OPTION_help));
	CHECK(options.dashes == 0 && strcmp(options_test_last, "-h") == 0);
	CHECK(options_test_parse("-v host -w 2 80 -- -v -- x", &options) == STATUS_OK);
	CHECK(options.operand_count == 5 && options.dashes == 2);
	CHECK(options.count[OPTION_verbose] == 1 && strcmp(options_test_last, "x") == 0);
	CHECK(options_test_parse("host -- 80", &options) == STATUS_OK);
	CHECK(options.operand_count == 2 && options.dashes == 1);
	CHECK(options_test_parse("--until=peer", &options) == STATUS_OK);
	CHECK(options.value[OPTION_until] == 1);

	CHECK(options_test_parse("--no-such", &options) == STATUS_USAGE);
	CHECK(options_test_parse("-Y", &options) == STATUS_USAGE);
	CHECK(options_test_parse("localhost -1", &options) == STATUS_VALUE);
	CHECK(options_test_parse("-w", &options) == STATUS_USAGE);
	CHECK(options_test_parse("--wait", &options) == STATUS_USAGE);
	CHECK(options_test_parse("--udp=1", &options) == STATUS_USAGE);
	CHECK(options_test_parse("-w 1 -w 2", &options) == STATUS_USAGE);
	CHECK(options_test_parse("-4 -6", &options) == STATUS_USAGE);
	CHECK(options_test_parse("-6 -4", &options) == STATUS_USAGE);
	CHECK(options_test_parse("-w 1 --wait 2", &options) == STATUS_USAGE);
	CHECK(options_test_parse("-k", &options) == STATUS_USAGE);
	CHECK(options_test_parse("-w 80x", &options) == STATUS_VALUE);
	CHECK(options_test_parse("-w 0", &options) == STATUS_OK);
	CHECK(options_test_parse("--wait 0", &options) == STATUS_VALUE);
	CHECK(options_test_parse("-q 0", &options) == STATUS_OK);
	CHECK(options_test_parse("-q -1", &options) == STATUS_VALUE);
	CHECK(options_test_parse("--until=never", &options) == STATUS_VALUE);
	CHECK(options_test_parse("--until=pee", &options) == STATUS_VALUE);
	CHECK(options_test_parse("-I 2G", &options) == STATUS_VALUE);
	CHECK(options_test_parse("-I 0", &options) == STATUS_VALUE);
	CHECK(options_test_parse("-I 64k", &options) == STATUS_OK);
	CHECK(options.value[OPTION_rcvbuf] == 65536);

	CHECK(options_test_parse("--idle 1", &options) == STATUS_OK);
	if (sys_has(SYS_FEATURE_LINUX)) {
		CHECK(options_test_parse("--mark 0x10", &options) == STATUS_OK);
		CHECK(options.value[OPTION_mark] == 16);
		CHECK(options_test_parse("--mark 4294967296", &options) == STATUS_VALUE);
		CHECK(options_test_parse("--mark 0x", &options) == STATUS_VALUE);
	} else {
		CHECK(options_test_parse("--mark 0x10", &options) == STATUS_MISSING);
	}
	CHECK(options_test_parse("--help=exit", &options) == STATUS_OK);
	CHECK(options_test_parse("--join 224.0.0.1 --join 224.0.0.2 -u", &options) == STATUS_OK);
	CHECK(options.given_count == 2);
	CHECK(options_test_parse("--join 224.0.0.1", &options) == STATUS_USAGE);
	CHECK(options_test_parse("--append-output", &options) == STATUS_USAGE);
	CHECK(options_test_says((char[]){ "-L" }, "-l -k"));
	CHECK(options_test_says((char[]){ "--ke" }, "--keep-env, --keep-open, --keepalive"));
	CHECK(options_test_says((char[]){ "--udpp" }, "did you mean --udp"));
	CHECK(options_test_says((char[]){ "--lisetn" }, "did you mean --listen"));
	CHECK(options_test_says((char[]){ "--frobnicate" }, "unknown option --frobnicate"));
	CHECK(options_test_says((char[]){ "--"
					  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
		"unknown option"));
	CHECK(options_test_says((char[]){ "--=x" }, "unknown option"));
	return check_verdict("options");
}
