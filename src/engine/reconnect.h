/* Connecting again when the connection of a transfer was lost (--retry with --resume). */
#ifndef SOCKCAT_ENGINE_RECONNECT_H
#define SOCKCAT_ENGINE_RECONNECT_H

#include <stdbool.h>

#include "base/fault.h"

struct client;

/* Whether another connection can continue the session that has ended with this fault. Retries are
 * counted from the beginning if there was progress. */
bool reconnect_wants(struct client *client, const struct fault *fault);

#endif
