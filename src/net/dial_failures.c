/* The failures of a dial; see dial_failures.h. */
#include "net/dial_failures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/dial.h"

/* Whether a failure is reported by events only. */
static bool
dial_failures_is_quiet(const struct dial *dial, enum status status)
{
	return dial->config.quiet && dial->config.to.names == TRANSPORT_INET &&
		(status == STATUS_CONNECT || status == STATUS_TIMEOUT);
}

/* Appends an address and what became of it. */
static void
dial_failures_list(
	struct dial *dial, const struct address *address, enum status status, const char *cause)
{
	struct fault *fault = &dial->failures.fault;
	char *shown = address_print(address);
	const char *name = shown != NULL ? shown : "?", *role = endpoint_role(&dial->config.to);
	bool only = dial->resolve.count == 1;
	if (fault_is_set(fault))
		fault_add(fault, "; %s: %s", name, cause);
	else if (only)
		(void)fault_set(fault, status, 0, "connect %s%s: %s", role, dial->name, cause);
	else
		(void)fault_set(
			fault, status, 0, "connect %s%s: %s: %s", role, dial->name, name, cause);
	free(shown);
}

void
dial_failures_add(
	struct dial *dial, const struct address *address, enum status status, const char *cause)
{
	struct dial_failures *failures = &dial->failures;
	bool refused = status == STATUS_CONNECT && dial->config.to.names == TRANSPORT_INET;
	dial_emit(dial,
		(struct event){ .kind = refused ? EVENT_connect_failed : EVENT_attempt_ended,
			.cause = cause },
		address);
	failures->mixed |= fault_is_set(&failures->fault) && failures->fault.status != status;
	dial_failures_list(dial, address, status, cause);
}

void
dial_failures_add_error(struct dial *dial, const struct address *address, int error)
{
	/* Most ports of a scan are closed. */
	if (error == ECONNREFUSED && dial->config.brief && dial->resolve.count == 1)
		dial->failures.fault.status = STATUS_CONNECT;
	else
		dial_failures_add(dial, address, transport_status(error, STATUS_CONNECT),
			unix_path_cause(address, error));
	dial->failures.refused &= error == ECONNREFUSED;
	dial->failures.error = error;
	if (dial->config.error != NULL)
		*dial->config.error = error;
}

void
dial_failures_report(struct dial *dial)
{
	struct dial_failures *failures = &dial->failures;
	const char *text = failures->fault.text;
	if (text == NULL || strlen(text) <= failures->reported)
		return;
	/* Skip the separator. */
	event_emit(&(struct event){ .kind = EVENT_attempt_failed,
		.cause = text + (failures->reported > 0 ? failures->reported + 2 : 0) });
	failures->reported = strlen(text);
}

static void
dial_failures_move(struct dial *dial, enum status status, struct fault *fault)
{
	struct fault *list = &dial->failures.fault;
	size_t left_out = dial->resolve.left_out;
	if (left_out > 0)
		fault_add(list, "; %zu more addresses were not tried", left_out);
	list->status = status;
	fault_move(fault, list);
}

void
dial_failures_end(struct dial *dial, struct fault *fault)
{
	struct dial_failures *failures = &dial->failures;
	failures->fault.quiet =
		!failures->mixed && dial_failures_is_quiet(dial, failures->fault.status);
	failures->refused &= !failures->mixed;
	dial_failures_move(dial, failures->mixed ? STATUS_CONNECT : failures->fault.status, fault);
}

static bool
dial_failures_is_pending(const struct dial *dial, const struct address *address)
{
	for (size_t i = 0; i < dial->count; i++)
		if (dial->attempts[i].address == address)
			return true;
	return false;
}

void
dial_failures_time_out(struct dial *dial, struct fault *fault)
{
	const struct resolve *resolve = &dial->resolve;
	for (size_t i = 0; i < resolve->count; i++) {
		const struct address *address = &resolve->addresses[i];
		if (i >= dial->next) {
			dial_failures_list(dial, address, STATUS_TIMEOUT, "not tried");
		} else if (dial_failures_is_pending(dial, address)) {
			dial_emit(dial, (struct event){ .kind = EVENT_connect_timed_out }, address);
			dial_failures_list(dial, address, STATUS_TIMEOUT, "timed out");
		}
	}
	dial->failures.refused = false;
	dial->failures.fault.quiet = dial_failures_is_quiet(dial, STATUS_TIMEOUT);
	dial_failures_move(dial, STATUS_TIMEOUT, fault);
}
