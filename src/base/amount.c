/* Amounts as text; see amount.h. */
#include "base/amount.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

static void
amount_put(char *text, uint64_t bytes, const char *behind)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = (double)bytes;
	size_t i = 0;
	/* From 999.95 on, one decimal is 1000.0. */
	for (; value >= (i == 0 ? 1000 : 999.95) && i + 1 < sizeof units / sizeof units[0]; i++)
		value /= 1000;
	(void)snprintf(text, AMOUNT_ROOM, "%.*f %s%s", i > 0, value, units[i], behind);
}

void
amount_put_size(char text[static AMOUNT_ROOM], uint64_t bytes)
{
	amount_put(text, bytes, "");
}

void
amount_put_rate(char text[static AMOUNT_ROOM], uint64_t rate)
{
	amount_put(text, rate, "/s");
}

void
amount_put_span(char text[static AMOUNT_ROOM], uint64_t span)
{
	uint64_t seconds = span / CLOCK_SECOND + (span % CLOCK_SECOND >= CLOCK_SECOND / 2);
	uint64_t minutes = seconds / 60, hours = minutes / 60;
	seconds %= 60;
	if (hours == 0)
		(void)snprintf(text, AMOUNT_ROOM, "%" PRIu64 ":%02" PRIu64, minutes, seconds);
	else if (hours < 100)
		(void)snprintf(text, AMOUNT_ROOM, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, hours,
			minutes % 60, seconds);
	else
		(void)snprintf(
			text, AMOUNT_ROOM, "%" PRIu64 "d %02" PRIu64 "h", hours / 24, hours % 24);
}
