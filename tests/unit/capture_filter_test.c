/* The lines of a hex dump. */
#include <string.h>

#include "check.h"
#include "filter/capture_filter.h"

static void
capture_filter_test_line(
	char direction, uint64_t offset, const char *bytes, size_t n, const char *wanted)
{
	char line[CAPTURE_FILTER_LINE_MAX];
	size_t length =
		capture_filter_line(line, "T", direction, offset, (const unsigned char *)bytes, n);
	if (length != strlen(wanted) || memcmp(line, wanted, length) != 0)
		(void)fprintf(stderr, "%.*s%s", (int)length, line, wanted);
	CHECK(length == strlen(wanted) && memcmp(line, wanted, length) == 0);
}

int
main(void)
{
	capture_filter_test_line('>', 0, "0123456789abcdef", 16,
		"T > 00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  "
		"|0123456789abcdef|\n");
	capture_filter_test_line('<', 0x1f0, "a\n\033\377", 4,
		"T < 000001f0  61 0a 1b ff                                       |a...|\n");
	capture_filter_test_line('<', UINT64_C(0x123456789a), "", 0,
		"T < 123456789a                                                    ||\n");
	capture_filter_test_line('>', UINT64_MAX, "~ ", 2,
		"T > ffffffffffffffff  7e 20                                             |~ |\n");
	return check_verdict("capture_filter");
}
