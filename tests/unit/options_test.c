/* The option table is consistent, and the parser keeps it. */
#include <string.h>

#include "check.h"
#include "cli/options.h"

/* Parses words separated by spaces; the status. */
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
	bool good = options_parse(options, argc, argv, &fault);
	enum status status = fault.status;
	CHECK(good == (status == STATUS_OK));
	CHECK(good || (fault.text != NULL && strchr(fault.text, '\n') == NULL));
	fault_clear(&fault);
	return status;
}

int
main(void)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];
		CHECK(row->name[0] != '\0' || row->letter != 0);
		CHECK(row->help[0] != '\0' && row->group < OPTION_GROUPS);
		CHECK((row->type == OPTION_FLAG) == (row->argument[0] == '\0'));
		CHECK((row->excludes >> i & 1) == 0 && (row->needs & row->excludes) == 0);
		CHECK(row->type == OPTION_FLAG || row->repeat == OPTION_ONCE);
		for (unsigned j = 0; j < i; j++) {
			CHECK(row->letter == 0 || row->letter != option_rows[j].letter);
			CHECK(row->name[0] == '\0' || strcmp(row->name, option_rows[j].name) != 0);
		}
	}

	struct options options;
	CHECK(options_test_parse("host 80", &options) == STATUS_OK);
	CHECK(options.operand_count == 2 && strcmp(options.operands[1], "80") == 0);
	CHECK(options_test_parse("host -v 80 -v -w 2", &options) == STATUS_OK);
	CHECK(options.count[OPTION_verbose] == 2 && options.operand_count == 2);
	CHECK(options.value[OPTION_limits] == INT64_C(2000000000));
	CHECK(options_test_parse("-lvnp 8080", &options) == STATUS_OK);
	CHECK(options_has(&options, OPTION_listen) && options_has(&options, OPTION_nodns));
	CHECK(strcmp(options.text[OPTION_source_port], "8080") == 0);
	CHECK(options_test_parse("-- -h", &options) == STATUS_OK);
	CHECK(options.operand_count == 1 && !options_has(&options, OPTION_help));
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
	CHECK(options_test_parse("-w 0", &options) == STATUS_VALUE);
	CHECK(options_test_parse("-q 0", &options) == STATUS_OK);
	CHECK(options_test_parse("-q -1", &options) == STATUS_VALUE);
	CHECK(options_test_parse("--until=never", &options) == STATUS_VALUE);
	CHECK(options_test_parse("--until=pee", &options) == STATUS_VALUE);
	CHECK(options_test_parse("-I 2G", &options) == STATUS_VALUE);
	CHECK(options_test_parse("-I 0", &options) == STATUS_VALUE);
	CHECK(options_test_parse("-I 64k", &options) == STATUS_OK);
	CHECK(options.value[OPTION_rcvbuf] == 65536);
	return check_verdict("options");
}
