/* Numbers, times and sizes; see parse.h. */
#include "base/parse.h"

#include <string.h>

#include "base/clock.h"

/* Reads digits of base 10 or 16 at *text and advances *text past them. */
static enum parse
parse_digits(const char **text, uint64_t base, uint64_t max, uint64_t *value)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *first = *text, *found;
	bool large = false;
	uint64_t sum = 0;
	for (; **text != '\0' && (found = strchr(digits, **text)) != NULL; ++*text) {
		uint64_t digit = (uint64_t)(found - digits) % 16;
		if (digit >= base)
			break;
		if (large || digit > max || sum > (max - digit) / base)
			large = true;
		else
			sum = sum * base + digit;
	}
	if (*text == first)
		return PARSE_BAD;
	*value = sum;
	return large ? PARSE_RANGE : PARSE_OK;
}

enum parse
parse_count(const char *text, uint64_t max, uint64_t *value)
{
	enum parse result = parse_digits(&text, 10, max, value);
	return *text != '\0' ? PARSE_BAD : result;
}

enum parse
parse_number(const char *text, uint64_t max, uint64_t *value)
{
	if (text[0] != '0' || (text[1] | 0x20) != 'x')
		return parse_count(text, max, value);
	text += 2;
	enum parse result = parse_digits(&text, 16, max, value);
	return *text != '\0' ? PARSE_BAD : result;
}

/* Reads "2", "0.5" or ".5" into units of 10^-9 at *text and advances *text past it. */
static enum parse
parse_decimal(const char **text, uint64_t *whole, int64_t *fraction)
{
	bool leads = **text == '.';
	enum parse result = PARSE_OK;
	*whole = 0;
	*fraction = 0;
	if (!leads)
		result = parse_digits(text, 10, (uint64_t)PARSE_TIME_MAX * 1000, whole);
	if (result == PARSE_BAD || **text != '.')
		return result;
	int64_t place = CLOCK_SECOND;
	++*text;
	if (**text < '0' || **text > '9')
		return PARSE_BAD;
	for (; **text >= '0' && **text <= '9'; ++*text) {
		place /= 10;
		*fraction += place * (**text - '0');
	}
	return result;
}

/* The length of the unit at *text, which is advanced past it; 0: there is none. */
static int64_t
parse_unit(const char **text)
{
	static const struct {
		const char *name;
		int64_t nanoseconds;
	} units[] = {
		{ "s", CLOCK_SECOND },
		{ "ms", CLOCK_MILLISECOND },
		{ "m", 60 * CLOCK_SECOND },
		{ "h", 3600 * CLOCK_SECOND },
	};
	size_t length = strspn(*text, "smh");
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (strlen(units[i].name) != length || strncmp(*text, units[i].name, length) != 0)
			continue;
		*text += length;
		return units[i].nanoseconds;
	}
	return 0;
}

enum parse
parse_time(const char *text, int64_t *nanoseconds)
{
	const int64_t limit = PARSE_TIME_MAX * CLOCK_SECOND;
	int64_t sum = 0, last = INT64_MAX;
	bool large = false, first = true;
	do {
		uint64_t whole;
		int64_t fraction;
		enum parse result = parse_decimal(&text, &whole, &fraction);
		if (result == PARSE_BAD)
			return PARSE_BAD;
		int64_t unit = first && *text == '\0' ? CLOCK_SECOND : parse_unit(&text);
		/* "1m30s", not "30s1m" or "1m30". */
		if (unit == 0 || unit >= last)
			return PARSE_BAD;
		int64_t part = fraction * (unit / CLOCK_MILLISECOND) / 1000;
		if (result != PARSE_OK || (int64_t)whole > (limit - sum - part) / unit)
			large = true;
		else
			sum += (int64_t)whole * unit + part;
		last = unit;
		first = false;
	} while (*text != '\0');
	if (large)
		return PARSE_RANGE;
	*nanoseconds = sum;
	return PARSE_OK;
}

enum parse
parse_percent(const char *text, uint64_t *millionths)
{
	uint64_t whole;
	int64_t fraction;
	enum parse result = parse_decimal(&text, &whole, &fraction);
	if (result == PARSE_BAD || strcmp(text + (*text == '%'), "") != 0)
		return PARSE_BAD;
	if (result != PARSE_OK || whole > 100 || (whole == 100 && fraction > 0))
		return PARSE_RANGE;
	*millionths = whole * 10000 + (uint64_t)fraction / 100000;
	return PARSE_OK;
}

enum parse
parse_size(const char *text, uint64_t max, uint64_t *bytes)
{
	static const char units[] = "kKmMgG";
	uint64_t number;
	enum parse result = parse_digits(&text, 10, max, &number);
	if (result == PARSE_BAD)
		return PARSE_BAD;
	unsigned shift = 0;
	if (*text != '\0') {
		const char *unit = strchr(units, *text);
		if (unit == NULL || text[1] != '\0')
			return PARSE_BAD;
		shift = 10 * (1 + (unsigned)(unit - units) / 2);
	}
	if (result != PARSE_OK || number > max >> shift)
		return PARSE_RANGE;
	*bytes = number << shift;
	return PARSE_OK;
}
