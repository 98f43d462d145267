/* Rates, the window of the estimate, amounts as text, and the line of --progress. */
#include "base/meter.h"

#include <string.h>

#include "base/amount.h"
#include "base/event_bar.h"

#include "check.h"

#define SECOND CLOCK_SECOND

/* Whether the text is the expected one; shows it if not. */
static bool
meter_test_is(const char *text, const char *expected)
{
	bool same = strcmp(text, expected) == 0;
	if (!same)
		(void)fprintf(stderr, "got:    '%s'\nwanted: '%s'\n", text, expected);
	return same;
}

static void
meter_test_steady(void)
{
	struct meter meter;
	int64_t now = 5 * SECOND;
	meter_start(&meter, now);
	CHECK(meter_rate(&meter, METER_WINDOW) == 0 && meter_mean(&meter) == 0);
	CHECK(meter_eta(&meter, 1000) == 0);
	for (uint64_t i = 1; i <= 400; i++)
		meter_set(&meter, i * 250, now += SECOND / 4);
	CHECK(meter_rate(&meter, METER_WINDOW) == 1000);
	CHECK(meter_rate(&meter, METER_MOMENT) == 1000);
	CHECK(meter_mean(&meter) == 1000);
	CHECK(meter_eta(&meter, 110000) == 10 * SECOND);
	/* It has been reached, or the size was wrong. */
	CHECK(meter_eta(&meter, 100000) == 0 && meter_eta(&meter, 5) == 0);
}

/* A fast start does not count any more when it is older than the window. */
static void
meter_test_window(void)
{
	struct meter meter;
	int64_t now = 0;
	uint64_t bytes = 0;
	meter_start(&meter, now);
	for (int i = 0; i < 100; i++)
		meter_set(&meter, bytes += 1000000, now += SECOND);
	for (int i = 0; i < 31; i++)
		meter_set(&meter, bytes += 10, now += SECOND);
	CHECK(meter_rate(&meter, METER_WINDOW) == 10);
	CHECK(meter_mean(&meter) > 700000);
	CHECK(meter_eta(&meter, bytes + 100) == 10 * SECOND);
	/* Nothing moves: unknown, and not a division by 0. */
	for (int i = 0; i < 31; i++)
		meter_set(&meter, bytes, now += SECOND);
	CHECK(meter_rate(&meter, METER_WINDOW) == 0 && meter_eta(&meter, bytes + 1) == 0);
	/* The process was stopped for an hour. */
	meter_set(&meter, bytes += 36000, now += 3600 * SECOND);
	CHECK(meter_rate(&meter, METER_MOMENT) == 10);
}

/* Counted more and less often than once a second. */
static void
meter_test_moment(void)
{
	struct meter meter;
	meter_start(&meter, 0);
	meter_set(&meter, 100, SECOND / 10);
	CHECK(meter_rate(&meter, METER_MOMENT) == 1000);
	meter_set(&meter, 1000, 10 * SECOND);
	CHECK(meter_rate(&meter, METER_MOMENT) == 100);
	meter_set(&meter, 1000, 10 * SECOND);
	CHECK(meter_rate(&meter, METER_MOMENT) == 100);
	/* Never less. */
	meter_set(&meter, 0, 11 * SECOND);
	CHECK(meter_rate(&meter, METER_MOMENT) == 0);
}

static void
meter_test_extremes(void)
{
	struct meter meter;
	meter_start(&meter, 0);
	meter_set(&meter, UINT64_MAX, 1);
	CHECK(meter_rate(&meter, METER_WINDOW) == UINT64_MAX && meter_mean(&meter) == UINT64_MAX);
	meter_start(&meter, 0);
	meter_set(&meter, 1, SECOND);
	CHECK(meter_eta(&meter, UINT64_MAX) == 0);
	CHECK(meter_eta(&meter, 9000001) == INT64_C(9000000) * SECOND);
	CHECK(meter_eta(&meter, 9223372038) == 0);
}

static void
meter_test_amounts(void)
{
	static const struct {
		void (*put)(char text[static AMOUNT_ROOM], uint64_t amount);
		uint64_t amount;
		const char *text;
	} rows[] = {
		{ amount_put_size, 0, "0 B" },
		{ amount_put_size, 999, "999 B" },
		{ amount_put_size, 1000, "1.0 kB" },
		{ amount_put_size, 999949, "999.9 kB" },
		{ amount_put_size, 999950, "1.0 MB" },
		{ amount_put_size, 3221225472, "3.2 GB" },
		{ amount_put_size, UINT64_MAX, "18.4 EB" },
		{ amount_put_rate, 110000000, "110.0 MB/s" },
		{ amount_put_rate, 0, "0 B/s" },
		{ amount_put_span, 0, "0:00" },
		{ amount_put_span, SECOND / 2, "0:01" },
		{ amount_put_span, 59 * SECOND, "0:59" },
		{ amount_put_span, 60 * SECOND - 1, "1:00" },
		{ amount_put_span, 3599 * SECOND, "59:59" },
		{ amount_put_span, 3600 * SECOND, "1:00:00" },
		{ amount_put_span, (99 * 3600 + 59 * 60 + 59) * SECOND, "99:59:59" },
		{ amount_put_span, 100 * 3600 * SECOND, "4d 04h" },
		{ amount_put_span, UINT64_MAX, "213503d 23h" },
	};
	char text[AMOUNT_ROOM];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		rows[i].put(text, rows[i].amount);
		CHECK(meter_test_is(text, rows[i].text));
	}
}

static const struct event meter_test_event = {
	.direction = "sent",
	.moved = 1300000000,
	.size = 3100000000,
	.percent = 41,
	.rate = 110000000,
	.mean_rate = 98000000,
	.eta = 17 * SECOND,
	.retransmissions = 3,
	.detail = "5.0 kB received",
};

static void
meter_test_widths(void)
{
	static const struct {
		size_t columns;
		const char *text;
	} rows[] = {
		{ 0, "" },
		{ 1, "" },
		{ 4, "" },
		{ 5, " 41%" },
		{ 20, " 41% 110.0 MB/s" },
		{ 40, " 41% [====>     ] 110.0 MB/s  0:17 left" },
		{ 52, " 41%   1.3 GB of 3.1 GB sent 110.0 MB/s  0:17 left" },
		{ 80, " 41% [====>        ]   1.3 GB of 3.1 GB sent 110.0 MB/s  0:17 left" },
	};
	char text[EVENT_BAR_ROOM], wide[EVENT_BAR_ROOM];
	for (size_t i = 0; i + 1 < sizeof rows / sizeof rows[0]; i++) {
		event_bar_print(text, &meter_test_event, rows[i].columns);
		CHECK(meter_test_is(text, rows[i].text));
	}
	for (size_t columns = 1; columns < 1000; columns++) {
		event_bar_print(text, &meter_test_event, columns);
		CHECK(strlen(text) < columns && strpbrk(text, "\r\n\033") == NULL);
	}
	/* All of it; wider ones are not longer. */
	event_bar_print(wide, &meter_test_event, SIZE_MAX);
	CHECK(meter_test_is(text, wide));
	CHECK(strstr(wide, "[=") != NULL && strstr(wide, "(mean  98.0 MB/s)") != NULL &&
		strstr(wide, "3 retransmissions") != NULL &&
		strstr(wide, "5.0 kB received") != NULL);
}

static void
meter_test_values(void)
{
	char text[EVENT_BAR_ROOM];
	struct event event = { .direction = "received", .moved = 7, .duration = 3 * SECOND };
	event_bar_print(text, &event, 50);
	CHECK(meter_test_is(text, "     7 B received      0 B/s  0:03"));
	event.messages_received = 1;
	event_bar_print(text, &event, 80);
	CHECK(strstr(text, " 1 message") != NULL && strstr(text, "messages") == NULL);
	/* The largest values of everything. */
	event = (struct event){
		.direction = "received",
		.moved = UINT64_MAX,
		.size = UINT64_MAX,
		.percent = 100,
		.rate = UINT64_MAX,
		.mean_rate = UINT64_MAX,
		.eta = UINT64_MAX,
		.retransmissions = UINT64_MAX,
		.messages_sent = UINT64_MAX,
		.detail = "18.4 EB received, 18446744073709551615 clients",
	};
	event_bar_print(text, &event, 1000);
	CHECK(strstr(text, "100% [====") != NULL && strchr(text, '>') == NULL);
	CHECK(strlen(text) < EVENT_BAR_ROOM);
}

int
main(void)
{
	meter_test_steady();
	meter_test_window();
	meter_test_moment();
	meter_test_extremes();
	meter_test_amounts();
	meter_test_widths();
	meter_test_values();
	return check_verdict("meter");
}
