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
dial_retries_may_pass(const struct fault *fault)
{
	return fault->transient || fault->status == STATUS_RESOLVE ||
		fault->status == STATUS_PROXY_NAME || fault->status == STATUS_CONNECT ||
		fault->status == STATUS_TIMEOUT;
}

/* Takes the failure, unless there are no more retries. */
static bool
dial_retries_pause(struct dial_retries *retries, const struct dial_config *config, const char *name,
	bool may_pass, int64_t now, int64_t *at, struct fault *fault)
{
	struct retry *retry = config->retried;
	uint64_t random = 0;
	int64_t delay;
	/* Without it there is no jitter. */
	(void)sys_random(&random, sizeof random);
	if (!may_pass || !retry_again(retry, &config->retry, now, random, &delay)) {
		if (retry->done > 0)
			fault_add(fault, " (%" PRIu64 " attempts)", retry->done + 1);
		return false;
	}
	*at = clock_after(now, delay);
	retries->cause = fault->text != NULL ? strdup(fault->text) : NULL;
	event_emit(&(struct event){ .kind = EVENT_retrying,
		.target = name,
		.protocol = config->transport->name,
		.cause = fault->text,
		.count = retry->done,
		.delay = (uint64_t)delay });
	fault_clear(fault);
	return true;
}

enum io
dial_retries_begin(struct dial *dial, int64_t now, struct fault *fault)
{
	const struct dial_config *config = &dial->config;
	struct fault *broken = config->broken;
	dial->config.broken = NULL;
	if (config->retry.most > 0 && config->retried->done == 0)
		config->retried->since = now;
	if (broken == NULL)
		return IO_OK;
	dial->fd = -1;
	dial->state = DIAL_PAUSED;
	if (dial_retries_pause(
		    &dial->retries, config, dial->name, true, now, &dial->next_at, broken))
		return IO_AGAIN;
	fault_move(fault, broken);
	return IO_FAIL;
}

bool
dial_retries_take(struct dial_retries *retries, const struct dial_config *config, const char *name,
	int64_t now, int64_t *at, struct fault *fault)
{
	if (config->retry.most == 0)
		return false;
	dial_retries_end(retries);
	return dial_retries_pause(
		retries, config, name, dial_retries_may_pass(fault), now, at, fault);
}

void
dial_retries_end(struct dial_retries *retries)
{
	free(retries->cause);
	retries->cause = NULL;
}

void
dial_retries_close(struct dial_retries *retries, const struct dial_config *config, const char *name)
{
	if (retries->cause != NULL)
		event_emit(&(struct event){ .kind = EVENT_retry_ended,
			.target = name,
			.protocol = config->transport->name,
			.cause = retries->cause,
			.count = config->retried->done });
	dial_retries_end(retries);
}
