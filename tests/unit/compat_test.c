/* The name of the program selects the defaults, and the letters of nc mean what they do there. */
#include "cli/compat.h"

#include <string.h>

#include "check.h"

static bool
compat_test_is(const char *path, const char *program)
{
	return strcmp(compat_of_program(path)->program, program) == 0;
}

/* Parses one option and maybe its argument; returns the number of occurrences of `option`, or -1 if
 * it was refused. */
static int
compat_test_take(char *word, char *argument, enum option_id option)
{
	char *argv[] = { (char[]){ "nc" }, word, argument, NULL };
	struct options options;
	struct fault fault = FAULT_NONE;
	bool good = options_parse(
		&options, compat_of_program("nc")->letters, argument != NULL ? 3 : 2, argv, &fault);
	int count = good ? (int)options.count[option] : -1;
	options_close(&options);
	fault_clear(&fault);
	return count;
}

int
main(void)
{
	static const char *const own[] = { NULL, "", "sockcat", "/usr/bin/sockcat", "/nc/sockcat",
		"ncat", "nc.openbsd", "nc/", "-nc" };
	CHECK(compat_test_is("nc", "nc") && compat_test_is("/bin/nc", "nc"));
	CHECK(compat_test_is("./netcat", "netcat"));
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		CHECK(compat_test_is(own[i], "sockcat"));
	CHECK(strcmp(compat_of_word(0)->program, option_rows[OPTION_compat].argument) == 0);

	CHECK(compat_test_take((char[]){ "-m" }, (char[]){ "5" }, OPTION_min_ttl) == 1 ||
		!sys_has(option_rows[OPTION_min_ttl].feature));
	CHECK(compat_test_take((char[]){ "-D" }, NULL, OPTION_sockopt) == 1);
	CHECK(compat_test_take((char[]){ "-q" }, (char[]){ "1" }, OPTION_quit_after) == 1);
	CHECK(compat_test_take((char[]){ "-q" }, (char[]){ "-1" }, OPTION_quit_after) == 0);
	CHECK(compat_test_take((char[]){ "-q-5" }, NULL, OPTION_quit_after) == 0);
	CHECK(compat_test_take((char[]){ "-w" }, (char[]){ "-1" }, OPTION_limits) == -1);
	CHECK(compat_test_take((char[]){ "-N" }, NULL, OPTION_half_close) == 1);
	for (const char *letter = "SVceoZxXP"; *letter != '\0'; letter++)
		CHECK(compat_test_take((char[]){ '-', *letter, '\0' }, NULL, OPTION_help) == -1);
	return check_verdict("compat");
}
