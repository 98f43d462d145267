/*
 * Signals as readable bytes. The handler writes the signal's number into a pipe, and the loop
 * reads it there: nothing else ever happens inside a handler.
 */
#ifndef SOCKCAT_FLOW_SIGNALS_H
#define SOCKCAT_FLOW_SIGNALS_H

#include <stdbool.h>

#include "base/fault.h"

/* Ignores SIGPIPE and SIGXFSZ, whose causes come back as errors of the calls. From the first lines
 * of main to the last: a message may meet them, too. */
void signals_ignore_errors(void);

/*
 * Takes SIGINT, SIGTERM, SIGHUP, SIGQUIT (those that were not ignored already: nohup, background
 * jobs), SIGUSR1, and SIGCHLD in any case. The first terminating signal gives all of them their
 * default action back, so that a second one ends the process at once. Process-wide: at most one may
 * be open.
 */
bool signals_open(struct fault *fault);

/* From now on a terminating signal is a request, too. Not if it was ignored when signals_open was
 * called: then it still is. */
void signals_request(int signal);

/* Gives the old actions back, but for SIGUSR1 and SIGCHLD, which are ignored from then on. */
void signals_close(void);

/* The descriptor that becomes readable. */
int signals_fd(void);

/* The next signal that has come, 0 if there is none. */
int signals_take(void);

/* Ends this process by the signal's default action. Returns only if that is to ignore it. */
void signals_raise(int signal);

#endif
