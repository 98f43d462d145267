/* The retries of a dial (--retry): after a failure that may pass it begins again with the look-up.
 */
#ifndef SOCKCAT_NET_DIAL_RETRIES_H
#define SOCKCAT_NET_DIAL_RETRIES_H

#include "base/fault.h"
#include "base/retry.h"

struct dial;

/* Initially zeroed, but `retry.since`. */
struct dial_retries {
	struct retry retry;
	char *cause; /* owned; of the last failure, until the dial has ended; NULL: none */
};

/* Whether another try follows the failure. If so, reports and takes the fault, and sets
 * dial->next_at; otherwise adds the number of tries to it. */
bool dial_retries_take(struct dial *dial, int64_t now, struct fault *fault);

/* The dial has ended: there is nothing more to report. */
void dial_retries_end(struct dial *dial);

/* Reports the last failure of a dial that is closed before it has ended. */
void dial_retries_close(struct dial *dial);

#endif
