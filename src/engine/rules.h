/* The rules of a session: those of its service, changed by the command line. */
#ifndef SOCKCAT_ENGINE_RULES_H
#define SOCKCAT_ENGINE_RULES_H

#include "engine/config.h"
#include "flow/relay.h"
#include "stream/stream.h"

/* `local` is open, so that its properties are known. */
struct relay_rules rules_make(const struct config *config, const struct stream *local);

/* Whether nothing on the local side ends the session. */
bool rules_wait_for_peer(const struct config *config);

#endif
