/* The cause that a relay reports: statuses and messages that depend on the state of both flows. */
#ifndef SOCKCAT_FLOW_RELAY_CAUSE_H
#define SOCKCAT_FLOW_RELAY_CAUSE_H

#include "flow/relay.h"

/* Makes status and message of a broken connection independent of the call that reported it: it is a
 * failure to send if data read for it was not sent, or not acknowledged. After the peer's end, a
 * connection can only fail for data that was sent. */
void relay_cause_settle(const struct relay *relay, struct flow *flow);

/* Sets the cause: OUT made no progress for the whole quit time. */
void relay_cause_set_late(struct relay *relay);

/* At the end: checks that no loss goes unreported, and completes the cause, of which the first
 * stays. */
void relay_cause_complete(struct relay *relay);

/* At the very end: the verdict of a stream takes the place of the cause. */
void relay_cause_decide(struct relay *relay);

#endif
