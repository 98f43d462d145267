/* Telling others that a listener is up, so that no script has to sleep. */
#ifndef SOCKCAT_MODE_READY_H
#define SOCKCAT_MODE_READY_H

#include <stdbool.h>

#include "base/fault.h"
#include "mode/plan.h"
#include "net/listener.h"

/*
 * To be called when clients can come. Writes one line to the plan's ready descriptor, the port's
 * number or the path, and closes it; sends READY=1 to $NOTIFY_SOCKET (sd_notify(3)); and says on
 * standard error where it listens (always if the system chose the port, otherwise with -v).
 */
bool ready_announce(const struct plan *plan, const struct listener *listener, struct fault *fault);

#endif
