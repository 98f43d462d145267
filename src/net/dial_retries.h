/* The retries of a dial (--retry): after a failure that may pass it begins again with the look-up.
 */
#ifndef SOCKCAT_NET_DIAL_RETRIES_H
#define SOCKCAT_NET_DIAL_RETRIES_H

#include "base/fault.h"
#include "base/io.h"
#include "base/retry.h"

struct dial;
struct dial_config;

/* Initially zeroed. */
struct dial_retries {
	char *cause; /* owned; of the last failure, until the next try has ended; NULL: none */
};

/* Begins: IO_OK: with a try; IO_AGAIN: with a pause, as a connection was lost; IO_FAIL: that is not
 * to be made again. */
enum io dial_retries_begin(struct dial *dial, int64_t now, struct fault *fault);

/* Whether another try of the config follows the failure. If so, reports and takes the fault, and
 * sets when it starts; otherwise adds the number of tries to the fault. `name`: of what is tried.
 */
bool dial_retries_take(struct dial_retries *retries, const struct dial_config *config,
	const char *name, int64_t now, int64_t *at, struct fault *fault);

/* The try has ended: there is nothing more to report. */
void dial_retries_end(struct dial_retries *retries);

/* Reports the last failure of what is closed before it has ended. */
void dial_retries_close(
	struct dial_retries *retries, const struct dial_config *config, const char *name);

#endif
