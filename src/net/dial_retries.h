/* The retries of a dial (--retry): after a failure that may pass it begins again with the look-up.
 */
#ifndef SOCKCAT_NET_DIAL_RETRIES_H
#define SOCKCAT_NET_DIAL_RETRIES_H

#include "base/fault.h"
#include "base/io.h"
#include "base/retry.h"

struct dial;

struct dial_retries {
	struct retry own; /* without `retried` of the configuration */
	char *cause;      /* owned; of the last failure, until the dial has ended; NULL: none */
};

/* Begins: IO_OK: with a try; IO_AGAIN: with a pause, as a connection was lost; IO_FAIL: that is not
 * to be made again. */
enum io dial_retries_begin(struct dial *dial, int64_t now, struct fault *fault);

/* Whether another try follows the failure. If so, reports and takes the fault, and sets
 * dial->next_at; otherwise adds the number of tries to it. */
bool dial_retries_take(struct dial *dial, int64_t now, struct fault *fault);

/* The dial has ended: there is nothing more to report. */
void dial_retries_end(struct dial *dial);

/* Reports the last failure of a dial that is closed before it has ended. */
void dial_retries_close(struct dial *dial);

#endif
