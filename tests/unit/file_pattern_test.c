/* The names of files of clients. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "filter/file_pattern.h"

static void
file_pattern_test_expands(
	const char *pattern, uint64_t number, const char *address, const char *wanted)
{
	bool numbered, addressed;
	CHECK(file_pattern_check(pattern, &numbered, &addressed));
	char *name = file_pattern_expand(pattern, number, address);
	CHECK(name != NULL && strcmp(name, wanted) == 0);
	if (name != NULL && strcmp(name, wanted) != 0)
		(void)fprintf(stderr, "\"%s\" instead of \"%s\"\n", name, wanted);
	free(name);
}

static void
file_pattern_test_checks(const char *pattern, bool good, bool has_number, bool has_address)
{
	bool numbered = true, addressed = true;
	CHECK(file_pattern_check(pattern, &numbered, &addressed) == good);
	CHECK(!good || (numbered == has_number && addressed == has_address));
}

int
main(void)
{
	file_pattern_test_expands("", 1, "", "");
	file_pattern_test_expands("plain", 1, "a", "plain");
	file_pattern_test_expands("100%%", 1, "a", "100%");
	file_pattern_test_expands("%%n%%a", 1, "a", "%n%a");
	file_pattern_test_expands("%n", UINT64_MAX, "", "18446744073709551615");
	file_pattern_test_expands(
		"%n%n", UINT64_MAX, "", "1844674407370955161518446744073709551615");
	file_pattern_test_expands("%a%n%a", 12, "%n", "_n12_n");
	file_pattern_test_expands("d/%a", 0, "127.0.0.1:80", "d/127.0.0.1:80");
	file_pattern_test_expands("%a", 0, "[fe80::1%eth0]:80", "[fe80::1_eth0]:80");
	file_pattern_test_expands("%a", 0, "../../etc/passwd", "_._.._etc_passwd");
	file_pattern_test_expands("%a", 0, ".", "_");
	file_pattern_test_expands("%a", 0, "..", "_.");
	file_pattern_test_expands("%a", 0, "", "_");
	file_pattern_test_expands("%a", 0, "@a/b\n\x1b\xc3\xa4\\ '\"$*?~", "@a_b____________");
	file_pattern_test_checks("", true, false, false);
	file_pattern_test_checks("%%", true, false, false);
	file_pattern_test_checks("a%nb", true, true, false);
	file_pattern_test_checks("%a", true, false, true);
	file_pattern_test_checks("%n%a", true, true, true);
	file_pattern_test_checks("%", false, false, false);
	file_pattern_test_checks("a%", false, false, false);
	file_pattern_test_checks("%%%", false, false, false);
	file_pattern_test_checks("%x", false, false, false);
	file_pattern_test_checks("%N", false, false, false);
	file_pattern_test_checks("%5n", false, false, false);
	return check_verdict("file_pattern");
}
