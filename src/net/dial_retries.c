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

static struct retry *
dial_retries_state(struct dial *dial)
{
	return dial->config.retried != NULL ? dial->config.retried : &dial->retries.own;
}

/* Takes the failure, unless there are no more retries. */
static bool
dial_retries_pause(struct dial *dial, bool may_pass, int64_t now, struct fault *fault)
{
	struct retry *retry = dial_retries_state(dial);
	uint64_t random = 0;
	int64_t delay;
	/* Without it there is no jitter. */
	(void)sys_random(&random, sizeof random);
	if (!may_pass || !retry_again(retry, &dial->config.retry, now, random, &delay)) {
		if (retry->done > 0)
			fault_add(fault, " (%" PRIu64 " attempts)", retry->done + 1);
		return false;
	}
	dial->next_at = clock_after(now, delay);
	dial->retries.cause = fault->text != NULL ? strdup(fault->text) : NULL;
	event_emit(&(struct event){ .kind = EVENT_retrying,
		.target = dial->name,
		.protocol = dial->config.transport->name,
		.cause = fault->text,
		.count = retry->done,
		.delay = (uint64_t)delay });
	fault_clear(fault);
	return true;
}

enum io
dial_retries_begin(struct dial *dial, int64_t now, struct fault *fault)
{
	struct retry *retry = dial_retries_state(dial);
	struct fault *broken = dial->config.broken;
	dial->config.broken = NULL;
	if (retry->done == 0)
		retry->since = now;
	if (broken == NULL)
		return IO_OK;
	dial->fd = -1;
	dial->state = DIAL_PAUSED;
	if (dial_retries_pause(dial, true, now, broken))
		return IO_AGAIN;
	fault_move(fault, broken);
	return IO_FAIL;
}

bool
dial_retries_take(struct dial *dial, int64_t now, struct fault *fault)
{
	if (dial->config.retry.most == 0)
		return false;
	dial_retries_end(dial);
	return dial_retries_pause(dial, dial_retries_may_pass(fault->status), now, fault);
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
			.count = dial_retries_state(dial)->done });
	dial_retries_end(dial);
}
