/* How far the sessions have got; see progress.h. */
#include "engine/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/amount.h"
#include "base/clock.h"
#include "base/event_bar.h"
#include "base/log.h"
#include "engine/account.h"
#include "engine/run.h"
#include "engine/session.h"
#include "engine/status_line.h"
#include "net/tcp_state.h"

struct progress_form {
	int64_t count_every, print_every; /* `count_every` is at most a second */
	bool redraws; /* it is printed again when the width of the terminal changes */
	void (*print)(const struct event *event);
};

static void
progress_print_bar(const struct event *event)
{
	char text[EVENT_BAR_ROOM];
	if (event->kind == EVENT_progress_ended) {
		event_emit(event);
		return;
	}
	event_bar_print(text, event, status_line_columns());
	status_line_show(text);
}

static void
progress_print_json(const struct event *event)
{
	struct event reported = *event;
	reported.always = false;
	if (event_reports())
		event_emit(&reported);
	else
		event_print_json(&reported);
}

static const struct progress_form progress_forms[] = {
	[CONFIG_PROGRESS_BAR] = { STATUS_LINE_REFRESH, STATUS_LINE_REFRESH, true,
		progress_print_bar },
	[CONFIG_PROGRESS_LINE] = { CLOCK_SECOND, 10 * CLOCK_SECOND, false, event_emit },
	[CONFIG_PROGRESS_JSON] = { CLOCK_SECOND, CLOCK_SECOND, false, progress_print_json },
};

/* --- counting --- */

/* Adds the counts of a session. */
static void
progress_take(struct event *total, const struct session *session)
{
	const struct config *config = session->run->config;
	const struct event one = account_counts(EVENT_progress, session);
	total->sent += one.sent;
	total->received += one.received;
	total->messages_sent += one.messages_sent;
	total->messages_received += one.messages_received;
	if (!config->keep_open && session->remote->write.fd != -1)
		tcp_state_add(total, config->transport, session->remote->write.fd);
}

/* The number of bytes that the source will have delivered; 0: not known. The size of a source is
 * that of what is counted only if the bytes are not changed on the way. */
static uint64_t
progress_size(const struct config *config, const struct flow *flow)
{
	return config->frames.used || stage_transform(&flow->channel.stages) != NULL ? 0
		: flow->source->caps.size > 0 ? flow->source->caps.size
					      : flow->sink->caps.wanted;
}

/* Whether all bytes of the source have been written, and acknowledged. */
static bool
progress_is_confirmed(const struct relay *relay, const struct flow *flow)
{
	return flow->state == FLOW_DONE && flow->eof && flow->lost == 0 &&
		flow->read == flow->written && !fault_is_set(&flow->fault) &&
		!fault_is_set(&relay->cause);
}

/* Looks at the directions of the only session. */
static void
progress_look(struct progress *progress, const struct session *session)
{
	const struct config *config = session->run->config;
	const struct relay *relay = &session->relay;
	if (config->keep_open)
		return;
	if (relay->rules.send) {
		progress->sent.size = progress_size(config, &relay->out);
		progress->sent.confirmed = progress_is_confirmed(relay, &relay->out);
	}
	if (relay->rules.receive) {
		progress->received.size = progress_size(config, &relay->in);
		progress->received.confirmed = progress_is_confirmed(relay, &relay->in);
	}
	progress->sends = relay->rules.send;
}

/* Whether a direction of known size is not complete. */
static bool
progress_is_partial(const struct progress_side *side)
{
	return side->size > side->meter.last.bytes;
}

/* Whether the progress is that of what was sent: of known size, or more than what was received. */
static bool
progress_is_of_sent(const struct progress *progress)
{
	const struct progress_side *sent = &progress->sent, *received = &progress->received;
	if (progress->run->config->progress.size == 0 &&
		progress_is_partial(sent) != progress_is_partial(received))
		return progress_is_partial(sent);
	return sent->meter.last.bytes != received->meter.last.bytes
		? sent->meter.last.bytes > received->meter.last.bytes
		: progress->sends;
}

static void
progress_describe(const struct progress *progress, struct event *event, int64_t now)
{
	bool sent = progress_is_of_sent(progress);
	const struct progress_side *side = sent ? &progress->sent : &progress->received;
	const struct meter *meter = &side->meter;
	uint64_t wanted = progress->run->config->progress.size;
	event->direction = sent ? "sent" : "received";
	event->moved = meter->last.bytes;
	event->rate = meter_rate(meter, METER_MOMENT);
	event->mean_rate = meter_mean(meter);
	event->duration = (uint64_t)(now - progress->began);
	event->size = wanted > 0 ? wanted : side->size;
	/* It was wrong, or the file has grown. */
	if (event->moved > event->size)
		event->size = 0;
	if (event->size == 0)
		return;
	event->eta = (uint64_t)meter_eta(meter, event->size);
	event->percent = (uint64_t)((double)event->moved / (double)event->size * 100);
	if (event->moved == event->size && side->confirmed)
		event->percent = 100;
	else if (event->percent > 99)
		event->percent = 99;
}

/* The sums of all sessions. */
static struct event
progress_count(struct progress *progress, int64_t now)
{
	struct event event = progress->ended;
	for (const struct session *session = progress->first; session != NULL;
		session = session->progress.next) {
		progress_take(&event, session);
		progress_look(progress, session);
	}
	meter_set(&progress->sent.meter, event.sent, now);
	meter_set(&progress->received.meter, event.received, now);
	return event;
}

static void
progress_print(struct progress *progress, enum event_kind kind, struct event *event, int64_t now)
{
	char other[AMOUNT_ROOM], detail[96] = "";
	progress_describe(progress, event, now);
	bool sent = progress_is_of_sent(progress);
	uint64_t back = sent ? event->received : event->sent;
	amount_put_size(other, back);
	if (back > 0)
		(void)snprintf(detail, sizeof detail, "%s %s", other, sent ? "received" : "sent");
	if (progress->run->config->keep_open)
		(void)snprintf(detail + strlen(detail), sizeof detail - strlen(detail),
			"%s%" PRIu64 " client%s", back > 0 ? ", " : "", progress->sessions,
			progress->sessions == 1 ? "" : "s");
	event->kind = kind;
	event->always = true;
	event->detail = detail[0] != '\0' ? detail : NULL;
	event_enter(0);
	progress->form->print(event);
}

/* --- the task --- */

static void
progress_ask(struct task *task, struct pollset *pollset, int64_t now)
{
	const struct progress *progress = (struct progress *)task;
	(void)now;
	pollset_until(pollset, progress->due);
}

/* Stops showing the line on a terminal where received data is shown, too. */
static bool
progress_gives_way(struct progress *progress)
{
	if (!progress->shares || !log_gave_way())
		return false;
	progress->due = CLOCK_NEVER;
	progress->gave_way = true;
	event_enter(0);
	event_emit(&(struct event){ .kind = EVENT_progress_hidden });
	return true;
}

static bool
progress_step(struct task *task, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct progress *progress = (struct progress *)task;
	struct engine *engine = &progress->run->engine;
	const struct progress_form *form = progress->form;
	bool resized = engine->resized && form->redraws;
	(void)pollset, (void)fault;
	engine->resized = false;
	if (progress->due == CLOCK_NEVER || (now < progress->due && !resized) ||
		progress_gives_way(progress))
		return true;
	struct event event = progress_count(progress, now);
	progress->due = clock_after(now, form->count_every);
	if (progress->first == NULL) {
		status_line_clear();
		progress->due = CLOCK_NEVER;
	} else if (now >= progress->print_at || resized) {
		progress_print(progress, EVENT_progress, &event, now);
		progress->print_at = clock_after(now, form->print_every);
	}
	return true;
}

static const struct task_ops progress_task = {
	.name = "progress", .background = true, .ask = progress_ask, .step = progress_step
};

/* --- sessions --- */

void
progress_add(struct progress *progress, struct session *session, int64_t now)
{
	struct progress_entry *entry = &session->progress;
	/* The operator of a chat is not a client. */
	if (progress->run == NULL || session->id == 0)
		return;
	*entry = (struct progress_entry){ .next = progress->first, .listed = true };
	if (progress->first != NULL)
		progress->first->progress.previous = session;
	progress->first = session;
	if (progress->sessions++ == 0) {
		progress->began = now;
		meter_start(&progress->sent.meter, now);
		meter_start(&progress->received.meter, now);
		progress->print_at = clock_after(now, progress->form->print_every);
	}
	if (progress->due != CLOCK_NEVER || progress->gave_way)
		return;
	progress->due = clock_after(now, progress->form->count_every);
	engine_wake(&progress->run->engine, &progress->task);
}

void
progress_remove(struct progress *progress, struct session *session)
{
	struct progress_entry *entry = &session->progress;
	if (!entry->listed)
		return;
	progress_take(&progress->ended, session);
	progress_look(progress, session);
	*(entry->previous != NULL ? &entry->previous->progress.next : &progress->first) =
		entry->next;
	if (entry->next != NULL)
		entry->next->progress.previous = entry->previous;
	entry->listed = false;
}

/* Whether both are the same terminal. */
static bool
progress_is_terminal(int one, int other)
{
	struct stat a, b;
	return isatty(one) && fstat(one, &a) == 0 && fstat(other, &b) == 0 &&
		a.st_rdev == b.st_rdev;
}

bool
progress_open(struct progress *progress, struct run *run, struct fault *fault)
{
	const struct config *config = run->config;
	enum config_progress_form form = config->progress.form;
	if (form == CONFIG_PROGRESS_NONE)
		return true;
	/* A report on standard error takes the place of the line, too. */
	bool terminal = status_line_exists() && config->report.fd != STDERR_FILENO;
	if (form == CONFIG_PROGRESS_BAR && !terminal)
		form = CONFIG_PROGRESS_LINE;
	progress->run = run;
	progress->form = &progress_forms[form];
	progress->due = CLOCK_NEVER;
	progress->shares =
		form == CONFIG_PROGRESS_BAR && progress_is_terminal(STDERR_FILENO, STDOUT_FILENO);
	return engine_add(&run->engine, &progress->task, &progress_task, fault);
}

void
progress_close(struct progress *progress)
{
	if (progress->run == NULL)
		return;
	engine_remove(&progress->run->engine, &progress->task);
	status_line_clear();
	if (progress->sessions == 0)
		return;
	int64_t now = clock_now();
	struct event event = progress_count(progress, now);
	progress_print(progress, EVENT_progress_ended, &event, now);
}
