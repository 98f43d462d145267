/* One session: standard input and output on one side, an open connection on the other. */
#ifndef SOCKCAT_MODE_SESSION_H
#define SOCKCAT_MODE_SESSION_H

#include <stdbool.h>

#include "base/fault.h"
#include "mode/mode.h"
#include "stream/stream.h"

/* Runs it to its end and closes the remote stream. False and the fault if not all went well. */
bool session_run(struct run *run, struct stream *remote, struct fault *fault);

#endif
