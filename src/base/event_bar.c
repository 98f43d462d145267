/* Progress as a line of a given width; see event_bar.h. */
#include "base/event_bar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/amount.h"

/* The columns of the bar with its brackets. */
#define EVENT_BAR_LEAST 12
#define EVENT_BAR_MOST 62

/* The room for one part. */
#define EVENT_BAR_PART 64

/* The parts in the order of the line. */
enum event_bar_part {
	EVENT_BAR_SHARE,
	EVENT_BAR_BAR,
	EVENT_BAR_MOVED,
	EVENT_BAR_RATE,
	EVENT_BAR_ETA,
	EVENT_BAR_MEAN,
	EVENT_BAR_MESSAGES,
	EVENT_BAR_RETRANSMITTED,
	EVENT_BAR_OTHER,
	EVENT_BAR_PARTS
};

/* And in the order of their importance. */
static const enum event_bar_part event_bar_order[EVENT_BAR_PARTS] = {
	EVENT_BAR_SHARE,
	EVENT_BAR_RATE,
	EVENT_BAR_ETA,
	EVENT_BAR_MOVED,
	EVENT_BAR_BAR,
	EVENT_BAR_OTHER,
	EVENT_BAR_MEAN,
	EVENT_BAR_MESSAGES,
	EVENT_BAR_RETRANSMITTED,
};

/* Writes the parts; one that there is not is empty. The bar is only as wide as it has to be. */
static void
event_bar_fill(char parts[static EVENT_BAR_PARTS][EVENT_BAR_PART], const struct event *event)
{
	char moved[AMOUNT_ROOM], size[AMOUNT_ROOM], rate[AMOUNT_ROOM], mean[AMOUNT_ROOM];
	char span[AMOUNT_ROOM];
	uint64_t messages = event->messages_sent + event->messages_received;
	amount_put_size(moved, event->moved);
	amount_put_size(size, event->size);
	amount_put_rate(rate, event->rate);
	amount_put_rate(mean, event->mean_rate);
	amount_put_span(span, event->eta > 0 ? event->eta : event->duration);
	for (size_t i = 0; i < EVENT_BAR_PARTS; i++)
		parts[i][0] = '\0';
	if (event->size > 0) {
		(void)snprintf(
			parts[EVENT_BAR_SHARE], EVENT_BAR_PART, "%3" PRIu64 "%%", event->percent);
		(void)snprintf(
			parts[EVENT_BAR_BAR], EVENT_BAR_PART, "[%*s]", EVENT_BAR_LEAST - 2, "");
		(void)snprintf(parts[EVENT_BAR_MOVED], EVENT_BAR_PART, "%8s of %s %s", moved, size,
			event->direction);
	} else {
		(void)snprintf(
			parts[EVENT_BAR_MOVED], EVENT_BAR_PART, "%8s %s", moved, event->direction);
	}
	(void)snprintf(parts[EVENT_BAR_RATE], EVENT_BAR_PART, "%10s", rate);
	(void)snprintf(
		parts[EVENT_BAR_ETA], EVENT_BAR_PART, "%5s%s", span, event->eta > 0 ? " left" : "");
	(void)snprintf(parts[EVENT_BAR_MEAN], EVENT_BAR_PART, "(mean %10s)", mean);
	if (messages > 0)
		(void)snprintf(parts[EVENT_BAR_MESSAGES], EVENT_BAR_PART, "%" PRIu64 " message%s",
			messages, messages == 1 ? "" : "s");
	if (event->retransmissions > 0)
		(void)snprintf(parts[EVENT_BAR_RETRANSMITTED], EVENT_BAR_PART,
			"%" PRIu64 " retransmission%s", event->retransmissions,
			event->retransmissions == 1 ? "" : "s");
	if (event->detail != NULL)
		(void)snprintf(parts[EVENT_BAR_OTHER], EVENT_BAR_PART, "%s", event->detail);
}

/* Draws the bar of this width. */
static void
event_bar_draw(char *text, size_t width, uint64_t percent)
{
	size_t inside = width - 2, full = inside * (size_t)percent / 100;
	text[0] = '[';
	memset(text + 1, ' ', inside);
	memset(text + 1, '=', full);
	if (full < inside)
		text[1 + full] = '>';
	text[width - 1] = ']';
	text[width] = '\0';
}

void
event_bar_print(char text[static EVENT_BAR_ROOM], const struct event *event, size_t columns)
{
	char parts[EVENT_BAR_PARTS][EVENT_BAR_PART];
	bool fits[EVENT_BAR_PARTS] = { false };
	/* The last column stays empty: terminals differ in what they do there. */
	size_t room = columns > EVENT_BAR_ROOM ? EVENT_BAR_ROOM - 1 : columns > 0 ? columns - 1 : 0;
	size_t used = 0, at = 0;
	event_bar_fill(parts, event);
	for (size_t i = 0; i < EVENT_BAR_PARTS; i++) {
		enum event_bar_part part = event_bar_order[i];
		size_t length = strlen(parts[part]), wanted = length + (used > 0);
		fits[part] = length > 0 && wanted <= room - used;
		used += fits[part] ? wanted : 0;
	}
	if (fits[EVENT_BAR_BAR]) {
		size_t width = EVENT_BAR_LEAST + (room - used);
		event_bar_draw(parts[EVENT_BAR_BAR],
			width < EVENT_BAR_MOST ? width : EVENT_BAR_MOST, event->percent);
	}
	text[0] = '\0';
	for (size_t i = 0; i < EVENT_BAR_PARTS; i++)
		if (fits[i])
			at += (size_t)snprintf(text + at, EVENT_BAR_ROOM - at, "%s%s",
				at > 0 ? " " : "", parts[i]);
}
