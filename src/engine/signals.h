/*
 * Signals as readable bytes: the handler writes the number to a pipe that the loop reads.
 */
#ifndef SOCKCAT_ENGINE_SIGNALS_H
#define SOCKCAT_ENGINE_SIGNALS_H

#include <stdbool.h>

#include "base/fault.h"

/* Ignores SIGPIPE and SIGXFSZ, whose causes are returned as errors of the calls. Also needed for
 * the last message of main. To be called first: what signals_restore restores is saved here. */
void signals_ignore_errors(void);

/*
 * Handles SIGINT, SIGTERM, SIGHUP, SIGQUIT (unless they are ignored: nohup, background jobs),
 * SIGUSR1, SIGINFO and SIGWINCH where the system has them, and SIGCHLD. The first terminating
 * signal restores the default action of all of them, so that a second one ends the process at once.
 * Process-wide: at most one may be open.
 */
bool signals_open(struct fault *fault);

/* Whether the signal requests a report: SIGUSR1 or SIGINFO. */
bool signals_asks_report(int signal);

/* Whether the width of the terminal has changed: SIGWINCH. */
bool signals_is_resize(int signal);

/* Makes a terminating signal a request too, unless it was ignored at signals_open. */
void signals_request(int signal);

/* Restores the old actions, except for those of requests, which are ignored from then on. */
void signals_close(void);

/*
 * Restores all actions and the mask of the start, for a program that replaces this process
 * (execve(2)); signals are open. A terminating signal that arrives meanwhile ends the process or
 * reaches the program. Returns one that was received before but not taken, and then restores
 * nothing; 0: none.
 */
int signals_restore(void);

/* The read end of the pipe. */
int signals_fd(void);

/* The next received signal; 0: none. */
int signals_take(void);

/* Ends the process by the default action of the signal. Returns only if that is to ignore it. */
void signals_raise(int signal);

#endif
