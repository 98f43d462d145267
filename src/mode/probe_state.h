/* What a probe has found out, by its phase and its fault. The words and statuses are in probe.def.
 */
#ifndef SOCKCAT_MODE_PROBE_STATE_H
#define SOCKCAT_MODE_PROBE_STATE_H

#include "mode/probe.h"

/* The state of a probe that has ended. */
enum probe_state probe_state_of(const struct probe *probe);

/* The status of a run with this answer alone. */
enum status probe_state_status(enum probe_state state);

#endif
