/* The retries of a dial; see dial_retries.h. */
#include "net/dial_retries.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/dial.h"
#include "sys/sys.h"

/* Whether the failure is one of the network or the other side, which may pass. */
static bool
dial_retries_may_pass(enum status status)
{
	return status == STATUS_RESOLVE || status == STATUS_PROXY_NAME ||
		status == STATUS_CONNECT || status == STATUS_TIMEOUT;
}

bool
dial_retries_take(struct dial *dial, int64_t now, struct fault *fault)
{
	struct dial_retries *retries = &dial->retries;
	uint64_t random = 0;
	int64_t delay;
	if (dial->config.retry.most == 0)
		return false;
	dial_retries_end(dial);
	/* Without it there is no jitter. */
	(void)sys_random(&random, sizeof random);
	if (!dial_retries_may_pass(fault->status) ||
		!retry_again(&retries->retry, &dial->config.retry, now, random, &delay)) {
		if (retries->retry.done > 0)
			fault_add(fault, " (%" PRIu64 " attempts)", retries->retry.done + 1);
		return false;
	}
	dial->next_at = clock_after(now, delay);
	retries->cause = fault->text != NULL ? strdup(fault->text) : NULL;
	event_emit(&(struct event){ .kind = EVENT_retrying,
		.target = dial->name,
		.protocol = dial->config.transport->name,
		.cause = fault->text,
		.count = retries->retry.done,
		.delay = (uint64_t)delay });
	fault_clear(fault);
	return true;
}

void
dial_retries_end(struct dial *dial)
{
	free(dial->retries.cause);
	dial->retries.cause = NULL;
}

void
dial_retries_close(struct dial *dial)
{
	const struct dial_retries *retries = &dial->retries;
	if (retries->cause != NULL)
		event_emit(&(struct event){ .kind = EVENT_retry_ended,
			.target = dial->name,
			.protocol = dial->config.transport->name,
			.cause = retries->cause,
			.count = retries->retry.done });
	dial_retries_end(dial);
}
