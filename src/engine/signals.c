/* Signals as readable bytes; see signals.h. */
#include "engine/signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "sys/sys.h"

#define SIGNALS_COUNT (sizeof signals_rows / sizeof signals_rows[0])

static const struct {
	int number;
	bool ends;   /* a terminating signal, as opposed to a request */
	bool needed; /* handle even if it was ignored or blocked at the start */
} signals_rows[] = {
	{ SIGINT, true, false },
	{ SIGTERM, true, false },
	{ SIGHUP, true, false },
	{ SIGQUIT, true, false },
	{ SIGUSR1, false, false },
#ifdef SIGINFO
	{ SIGINFO, false, false },
#endif
#ifdef SIGWINCH
	{ SIGWINCH, false, false },
#endif
	{ SIGCHLD, false, true },
};

/* Signals whose causes are returned as errors of the calls. */
static const int signals_errors[] = { SIGPIPE, SIGXFSZ };
#define SIGNALS_ERRORS (sizeof signals_errors / sizeof signals_errors[0])

static struct sigaction signals_old[SIGNALS_COUNT], signals_errors_old[SIGNALS_ERRORS];
static sigset_t signals_mask; /* at the start */
static int signals_pipe[2] = { -1, -1 };
static volatile sig_atomic_t signals_requested; /* a request, not a terminating signal; 0: none */

/* Its number is in the pipe: at most one of each, so the pipe never fills up. */
static volatile sig_atomic_t signals_waiting[SIGNALS_COUNT];

/* Async-signal-safe: calls only sigaction and write, and restores errno. */
static void
signals_handle(int number)
{
	int error = errno;
	unsigned char byte = (unsigned char)number;
	bool ends = false, known = false;
	for (size_t i = 0; i < SIGNALS_COUNT; i++) {
		if (signals_rows[i].number != number)
			continue;
		ends = signals_rows[i].ends && number != signals_requested;
		known = signals_waiting[i];
		signals_waiting[i] = true;
	}
	for (size_t i = 0; ends && i < SIGNALS_COUNT; i++) {
		struct sigaction action = { .sa_handler = SIG_DFL };
		if (signals_rows[i].ends && signals_old[i].sa_handler != SIG_IGN)
			(void)sigaction(signals_rows[i].number, &action, NULL);
	}
	ssize_t written = known ? 0 : write(signals_pipe[1], &byte, 1);
	(void)written;
	errno = error;
}

static void
signals_unblock(int signal)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, signal);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void
signals_ignore_errors(void)
{
	struct sigaction action = { .sa_handler = SIG_IGN };
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < SIGNALS_ERRORS; i++)
		(void)sigaction(signals_errors[i], &action, &signals_errors_old[i]);
	(void)sigprocmask(SIG_SETMASK, NULL, &signals_mask);
}

bool
signals_open(struct fault *fault)
{
	if (!sys_pipe(signals_pipe))
		return fault_set(fault, STATUS_MEMORY, errno, "make a pipe for signals");
	for (size_t i = 0; i < SIGNALS_COUNT; i++) {
		struct sigaction action = {
			.sa_handler = signals_handle,
			.sa_flags = SA_RESTART,
		};
		bool needed = signals_rows[i].needed;
		(void)sigemptyset(&action.sa_mask);
		(void)sigaction(signals_rows[i].number, NULL, &signals_old[i]);
		if (needed || signals_old[i].sa_handler != SIG_IGN)
			(void)sigaction(signals_rows[i].number, &action, NULL);
		if (needed)
			signals_unblock(signals_rows[i].number);
	}
	return true;
}

void
signals_request(int signal)
{
	signals_requested = signal;
}

void
signals_close(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	if (signals_pipe[0] == -1)
		return;
	/* A late request must not end the process. */
	for (size_t i = 0; i < SIGNALS_COUNT; i++)
		(void)sigaction(signals_rows[i].number,
			signals_rows[i].ends ? &signals_old[i] : &ignore, NULL);
	(void)sys_close(&signals_pipe[0]);
	(void)sys_close(&signals_pipe[1]);
}

bool
signals_asks_report(int signal)
{
#ifdef SIGINFO
	if (signal == SIGINFO)
		return true;
#endif
	return signal == SIGUSR1;
}

bool
signals_is_resize(int signal)
{
#ifdef SIGWINCH
	return signal == SIGWINCH;
#else
	(void)signal;
	return false;
#endif
}

int
signals_fd(void)
{
	return signals_pipe[0];
}

int
signals_take(void)
{
	unsigned char byte;
	struct iovec piece = { &byte, 1 };
	if (sys_readv(signals_pipe[0], &piece, 1) != 1)
		return 0;
	/* A signal from here on is queued again; an earlier one is merged with this. */
	for (size_t i = 0; i < SIGNALS_COUNT; i++)
		if (signals_rows[i].number == byte)
			signals_waiting[i] = false;
	return byte;
}

int
signals_restore(void)
{
	sigset_t all;
	(void)sigfillset(&all);
	/* From here on a signal stays pending until the actions are the old ones. */
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	for (int signal = signals_take(); signal != 0; signal = signals_take())
		for (size_t i = 0; i < SIGNALS_COUNT; i++)
			if (signals_rows[i].number == signal && signals_rows[i].ends)
				return signal;
	for (size_t i = 0; i < SIGNALS_COUNT; i++)
		(void)sigaction(signals_rows[i].number, &signals_old[i], NULL);
	for (size_t i = 0; i < SIGNALS_ERRORS; i++)
		(void)sigaction(signals_errors[i], &signals_errors_old[i], NULL);
	(void)sigprocmask(SIG_SETMASK, &signals_mask, NULL);
	return 0;
}

void
signals_raise(int signal)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(signal, &action, NULL);
	(void)raise(signal);
	signals_unblock(signal);
}
