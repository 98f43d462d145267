/* Numbers, times and sizes, as a table (faults N158, N166, C44), and the poll timeout. */
#include <limits.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/parse.h"
#include "check.h"

static const struct {
	const char *text;
	uint64_t max;
	enum parse result;
	uint64_t value;
} parse_test_counts[] = {
	{ "0", 65535, PARSE_OK, 0 },
	{ "00", 65535, PARSE_OK, 0 },
	{ "000", 65535, PARSE_OK, 0 },
	{ "0000000000000000000000000", 65535, PARSE_OK, 0 },
	{ "00000000000000000000000001", 65535, PARSE_OK, 1 },
	{ "80", 65535, PARSE_OK, 80 },
	{ "00080", 65535, PARSE_OK, 80 },
	{ "65535", 65535, PARSE_OK, 65535 },
	{ "65536", 65535, PARSE_RANGE, 0 },
	{ "99999", 65535, PARSE_RANGE, 0 },
	{ "4294967376", 65535, PARSE_RANGE, 0 },           /* 80 + 2^32 */
	{ "18446744073709551696", 65535, PARSE_RANGE, 0 }, /* 80 + 2^64 */
	{ "18446744073709551615", UINT64_MAX, PARSE_OK, UINT64_MAX },
	{ "18446744073709551616", UINT64_MAX, PARSE_RANGE, 0 },
	{ "", 65535, PARSE_BAD, 0 },
	{ "-1", 65535, PARSE_BAD, 0 },
	{ "-0", 65535, PARSE_BAD, 0 },
	{ "+0", 65535, PARSE_BAD, 0 },
	{ " 0", 65535, PARSE_BAD, 0 },
	{ "\t1", 65535, PARSE_BAD, 0 },
	{ "0\n", 65535, PARSE_BAD, 0 },
	{ "+80", 65535, PARSE_BAD, 0 },
	{ " 80", 65535, PARSE_BAD, 0 },
	{ "80 ", 65535, PARSE_BAD, 0 },
	{ "80x", 65535, PARSE_BAD, 0 },
	{ "0x50", 65535, PARSE_BAD, 0 },
	{ "8e1", 65535, PARSE_BAD, 0 },
	{ "80.0", 65535, PARSE_BAD, 0 },
	{ "99999x", 65535, PARSE_BAD, 0 },
	{ "7", 5, PARSE_RANGE, 0 },
	{ "0", 0, PARSE_OK, 0 },
	{ "00", 0, PARSE_OK, 0 },
	{ "1", 0, PARSE_RANGE, 0 },
};

#define S CLOCK_SECOND

static const struct {
	const char *text;
	enum parse result;
	int64_t value;
} parse_test_times[] = {
	{ "0", PARSE_OK, 0 },
	{ "00", PARSE_OK, 0 },
	{ "000.0", PARSE_OK, 0 },
	{ "0ms", PARSE_OK, 0 },
	{ "+1", PARSE_BAD, 0 },
	{ " 1", PARSE_BAD, 0 },
	{ "2", PARSE_OK, 2 * S },
	{ "2s", PARSE_OK, 2 * S },
	{ "0.5", PARSE_OK, S / 2 },
	{ "1.5", PARSE_OK, S + S / 2 },
	{ "1.5h", PARSE_OK, 5400 * S },
	{ "1.5m", PARSE_OK, 90 * S },
	{ "500ms", PARSE_OK, S / 2 },
	{ "0.25ms", PARSE_OK, 250000 },
	{ "3m", PARSE_OK, 180 * S },
	{ "1h", PARSE_OK, 3600 * S },
	{ "0.000000001", PARSE_OK, 1 },
	{ "0.0000000009", PARSE_OK, 0 },
	{ "0.123456789", PARSE_OK, 123456789 },
	{ "1000000000", PARSE_OK, 1000000000 * S },
	{ "1000000000.1", PARSE_RANGE, 0 },
	{ "1000000001", PARSE_RANGE, 0 },
	{ "277777h", PARSE_OK, 999997200 * S },
	{ "277778h", PARSE_RANGE, 0 },
	{ "1000000000000ms", PARSE_OK, 1000000000 * S },
	{ "9223372036854775808", PARSE_RANGE, 0 },
	{ "99999999999999999999999h", PARSE_RANGE, 0 },
	{ "99999999999999999999999x", PARSE_BAD, 0 },
	{ "", PARSE_BAD, 0 },
	{ ".5", PARSE_OK, S / 2 },
	{ ".5m", PARSE_OK, 30 * S },
	{ ".", PARSE_BAD, 0 },
	{ "1m30s", PARSE_OK, 90 * S },
	{ "1h1m1s1ms", PARSE_OK, 3661 * S + S / 1000 },
	{ "1h.5m", PARSE_OK, 3630 * S },
	{ "30s1m", PARSE_BAD, 0 },
	{ "1m1m", PARSE_BAD, 0 },
	{ "1m30", PARSE_BAD, 0 },
	{ "1m ", PARSE_BAD, 0 },
	{ "277777h1000000s", PARSE_RANGE, 0 },
	{ "99999999999999999999999h1s", PARSE_RANGE, 0 },
	{ "5.", PARSE_BAD, 0 },
	{ "1.5.5", PARSE_BAD, 0 },
	{ "-1", PARSE_BAD, 0 },
	{ "5 m", PARSE_BAD, 0 },
	{ "5M", PARSE_BAD, 0 },
	{ "5d", PARSE_BAD, 0 },
	{ "5mm", PARSE_BAD, 0 },
	{ "1e9", PARSE_BAD, 0 },
	{ "inf", PARSE_BAD, 0 },
	{ "nan", PARSE_BAD, 0 },
};

static const struct {
	const char *text;
	uint64_t max;
	enum parse result;
	uint64_t value;
} parse_test_numbers[] = {
	{ "00", 255, PARSE_OK, 0 },
	{ "0x0", 255, PARSE_OK, 0 },
	{ "0x00", 255, PARSE_OK, 0 },
	{ "0Xff", 255, PARSE_OK, 255 },
	{ "0x0000000000000000000000001", 255, PARSE_OK, 1 },
	{ "0x100", 255, PARSE_RANGE, 0 },
	{ "256", 255, PARSE_RANGE, 0 },
	{ "0x10000000000000000", UINT64_MAX, PARSE_RANGE, 0 },
	{ "0xffffffffffffffff", UINT64_MAX, PARSE_OK, UINT64_MAX },
	{ "0x", 255, PARSE_BAD, 0 },
	{ "0x+1", 255, PARSE_BAD, 0 },
	{ "0x 1", 255, PARSE_BAD, 0 },
	{ "+0x1", 255, PARSE_BAD, 0 },
	{ " 0x1", 255, PARSE_BAD, 0 },
	{ "x1", 255, PARSE_BAD, 0 },
	{ "ff", 255, PARSE_BAD, 0 },
};

static const struct {
	const char *text;
	uint64_t max;
	enum parse result;
	uint64_t value;
} parse_test_sizes[] = {
	{ "0", INT32_MAX, PARSE_OK, 0 },
	{ "00", INT32_MAX, PARSE_OK, 0 },
	{ "00k", INT32_MAX, PARSE_OK, 0 },
	{ "+1k", INT32_MAX, PARSE_BAD, 0 },
	{ " 1k", INT32_MAX, PARSE_BAD, 0 },
	{ "4096", INT32_MAX, PARSE_OK, 4096 },
	{ "64k", INT32_MAX, PARSE_OK, 65536 },
	{ "64K", INT32_MAX, PARSE_OK, 65536 },
	{ "10M", INT32_MAX, PARSE_OK, 10485760 },
	{ "1G", INT32_MAX, PARSE_OK, 1073741824 },
	{ "2G", INT32_MAX, PARSE_RANGE, 0 },
	{ "2147483647", INT32_MAX, PARSE_OK, INT32_MAX },
	{ "2147483648", INT32_MAX, PARSE_RANGE, 0 },
	{ "17179869183G", UINT64_MAX, PARSE_OK, UINT64_C(17179869183) << 30 },
	{ "17179869184G", UINT64_MAX, PARSE_RANGE, 0 },
	{ "99999999999999999999", UINT64_MAX, PARSE_RANGE, 0 },
	{ "-1", INT32_MAX, PARSE_BAD, 0 },
	{ "1T", INT32_MAX, PARSE_BAD, 0 },
	{ "1kB", INT32_MAX, PARSE_BAD, 0 },
	{ "k", INT32_MAX, PARSE_BAD, 0 },
	{ "1.5M", INT32_MAX, PARSE_BAD, 0 },
	{ "", INT32_MAX, PARSE_BAD, 0 },
};

static const struct {
	const char *text;
	enum parse result;
	uint64_t value;
} parse_test_percents[] = {
	{ "0", PARSE_OK, 0 },
	{ "0%", PARSE_OK, 0 },
	{ "10", PARSE_OK, 100000 },
	{ "10%", PARSE_OK, 100000 },
	{ "0.5", PARSE_OK, 5000 },
	{ ".5%", PARSE_OK, 5000 },
	{ "33.3333333", PARSE_OK, 333333 },
	{ "100", PARSE_OK, 1000000 },
	{ "100.0%", PARSE_OK, 1000000 },
	{ "100.1", PARSE_RANGE, 0 },
	{ "101%", PARSE_RANGE, 0 },
	{ "99999999999999999999", PARSE_RANGE, 0 },
	{ "", PARSE_BAD, 0 },
	{ "%", PARSE_BAD, 0 },
	{ "-1", PARSE_BAD, 0 },
	{ "5 %", PARSE_BAD, 0 },
	{ "5%%", PARSE_BAD, 0 },
	{ "5%x", PARSE_BAD, 0 },
	{ "5.", PARSE_BAD, 0 },
	{ "5.5.5", PARSE_BAD, 0 },
};

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

int
main(void)
{
	for (size_t i = 0; i < COUNT(parse_test_counts); i++) {
		uint64_t value = 0;
		enum parse result =
			parse_count(parse_test_counts[i].text, parse_test_counts[i].max, &value);
		if (result != parse_test_counts[i].result)
			(void)fprintf(stderr, "count '%s'\n", parse_test_counts[i].text);
		CHECK(result == parse_test_counts[i].result);
		CHECK(result != PARSE_OK || value == parse_test_counts[i].value);
	}
	for (size_t i = 0; i < COUNT(parse_test_times); i++) {
		int64_t value = -1;
		enum parse result = parse_time(parse_test_times[i].text, &value);
		if (result != parse_test_times[i].result)
			(void)fprintf(stderr, "time '%s'\n", parse_test_times[i].text);
		CHECK(result == parse_test_times[i].result);
		CHECK(result != PARSE_OK || value == parse_test_times[i].value);
	}
	for (size_t i = 0; i < COUNT(parse_test_numbers); i++) {
		uint64_t value = 0;
		enum parse result =
			parse_number(parse_test_numbers[i].text, parse_test_numbers[i].max, &value);
		if (result != parse_test_numbers[i].result)
			(void)fprintf(stderr, "number '%s'\n", parse_test_numbers[i].text);
		CHECK(result == parse_test_numbers[i].result);
		CHECK(result != PARSE_OK || value == parse_test_numbers[i].value);
	}
	for (size_t i = 0; i < COUNT(parse_test_sizes); i++) {
		uint64_t value = 0;
		enum parse result =
			parse_size(parse_test_sizes[i].text, parse_test_sizes[i].max, &value);
		if (result != parse_test_sizes[i].result)
			(void)fprintf(stderr, "size '%s'\n", parse_test_sizes[i].text);
		CHECK(result == parse_test_sizes[i].result);
		CHECK(result != PARSE_OK || value == parse_test_sizes[i].value);
	}

	for (size_t i = 0; i < COUNT(parse_test_percents); i++) {
		uint64_t value = 0;
		enum parse result = parse_percent(parse_test_percents[i].text, &value);
		if (result != parse_test_percents[i].result)
			(void)fprintf(stderr, "percent '%s'\n", parse_test_percents[i].text);
		CHECK(result == parse_test_percents[i].result);
		CHECK(result != PARSE_OK || value == parse_test_percents[i].value);
	}

	CHECK(clock_poll_timeout(5, CLOCK_NEVER) == -1);
	CHECK(clock_poll_timeout(5, 5) == 0 && clock_poll_timeout(5, 4) == 0);
	CHECK(clock_poll_timeout(0, 1) == 1);
	CHECK(clock_poll_timeout(0, CLOCK_MILLISECOND) == 1);
	CHECK(clock_poll_timeout(0, CLOCK_MILLISECOND + 1) == 2);
	CHECK(clock_poll_timeout(0, CLOCK_NEVER - 1) == INT_MAX);
	CHECK(clock_after(CLOCK_NEVER - 1, 2) == CLOCK_NEVER);
	CHECK(clock_after(1, CLOCK_NEVER) == CLOCK_NEVER);
	CHECK(clock_after(1, 2) == 3);
	/* A schedule that begins at 7: no delay moves it. */
	CHECK(clock_scheduled(7, 10, 7, 7) == 17);
	CHECK(clock_scheduled(7, 10, 7, 16) == 17);
	CHECK(clock_scheduled(7, 10, 7, 26) == 17);
	CHECK(clock_scheduled(7, 10, 7, 27) == 27);
	CHECK(clock_scheduled(7, 10, 7, 36) == 27);
	CHECK(clock_scheduled(7, 10, 7, 100) == 97);
	CHECK(clock_scheduled(7, 10, 97, 100) == 107);
	CHECK(clock_scheduled(7, CLOCK_NEVER, 7, 100) == CLOCK_NEVER);
	return check_verdict("parse");
}
