/* Numbers, times and sizes; see parse.h. */
#include "base/parse.h"

#include <string.h>

#include "base/clock.h"

/* Reads a run of digits at *text and moves behind it. */
static enum parse
parse_digits(const char **text, uint64_t max, uint64_t *value)
{
	const char *at = *text;
	bool large = false;
	uint64_t sum = 0;
	if (*at < '0' || *at > '9')
		return PARSE_BAD;
	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');
		if (large || digit > max || sum > (max - digit) / 10)
			large = true;
		else
			sum = sum * 10 + digit;
	}
	*text = at;
	*value = sum;
	return large ? PARSE_RANGE : PARSE_OK;
}

enum parse
parse_count(const char *text, uint64_t max, uint64_t *value)
{
	enum parse result = parse_digits(&text, max, value);
	return *text != '\0' ? PARSE_BAD : result;
}

enum parse
parse_number(const char *text, uint64_t max, uint64_t *value)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	uint64_t sum = 0;
	bool large = false;
	if (text[0] != '0' || (text[1] | 0x20) != 'x')
		return parse_count(text, max, value);
	text += 2;
	if (*text == '\0')
		return PARSE_BAD;
	for (; *text != '\0'; text++) {
		const char *digit = strchr(digits, *text);
		if (digit == NULL)
			return PARSE_BAD;
		uint64_t add = (uint64_t)(digit - digits) % 16;
		if (large || add > max || sum > (max - add) / 16)
			large = true;
		else
			sum = sum * 16 + add;
	}
	*value = sum;
	return large ? PARSE_RANGE : PARSE_OK;
}

enum parse
parse_time(const char *text, int64_t *nanoseconds)
{
	static const struct {
		const char *name;
		int64_t nanoseconds;
	} units[] = {
		{ "", CLOCK_SECOND },
		{ "s", CLOCK_SECOND },
		{ "ms", CLOCK_MILLISECOND },
		{ "m", 60 * CLOCK_SECOND },
		{ "h", 3600 * CLOCK_SECOND },
	};
	uint64_t whole;
	enum parse result = parse_digits(&text, (uint64_t)PARSE_TIME_MAX * 1000, &whole);
	if (result == PARSE_BAD)
		return PARSE_BAD;

	/* The fraction in units of 10^-9 of the unit. */
	int64_t fraction = 0;
	if (*text == '.') {
		int64_t place = CLOCK_SECOND;
		text++;
		if (*text < '0' || *text > '9')
			return PARSE_BAD;
		for (; *text >= '0' && *text <= '9'; text++) {
			place /= 10;
			fraction += place * (*text - '0');
		}
	}
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (strcmp(text, units[i].name) != 0)
			continue;
		int64_t unit = units[i].nanoseconds;
		int64_t limit = PARSE_TIME_MAX * CLOCK_SECOND;
		int64_t part = fraction * (unit / CLOCK_MILLISECOND) / 1000;
		if (result != PARSE_OK || (int64_t)whole > (limit - part) / unit)
			return PARSE_RANGE;
		*nanoseconds = (int64_t)whole * unit + part;
		return PARSE_OK;
	}
	return PARSE_BAD;
}

enum parse
parse_size(const char *text, uint64_t max, uint64_t *bytes)
{
	static const char units[] = "kKmMgG";
	uint64_t number;
	enum parse result = parse_digits(&text, max, &number);
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
