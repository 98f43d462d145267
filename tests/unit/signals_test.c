/* F160: the signals that are returned, however many arrived before. What is restored for a program
 * that replaces the process. */
#include "engine/signals.h"

#include <signal.h>

#include "check.h"

/* More than a pipe holds. */
#define SIGNALS_TEST_MANY 70000

static void
signals_test_many(void)
{
	struct fault fault = FAULT_NONE;
	CHECK(signals_open(&fault));
	CHECK(signals_take() == 0);

	for (int i = 0; i < SIGNALS_TEST_MANY; i++)
		(void)raise(i % 2 == 0 ? SIGUSR1 : SIGCHLD);
	(void)raise(SIGTERM);
	/* Each once, in the order of their first arrival. */
	CHECK(signals_take() == SIGUSR1);
	CHECK(signals_take() == SIGCHLD);
	CHECK(signals_take() == SIGTERM);
	CHECK(signals_take() == 0);

	(void)raise(SIGUSR1);
	CHECK(signals_take() == SIGUSR1);
	CHECK(signals_take() == 0);
	/* The default action applies to a second one. */
	struct sigaction action;
	CHECK(sigaction(SIGINT, NULL, &action) == 0 && action.sa_handler == SIG_DFL);

	signals_close();
}

static void (*signals_test_action(int signal))(int)
{
	struct sigaction action;
	CHECK(sigaction(signal, NULL, &action) == 0);
	return action.sa_handler;
}

static void
signals_test_restore(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGCHLD, SIGPIPE,
		SIGXFSZ };
	const size_t count = sizeof numbers / sizeof numbers[0];
	struct fault fault = FAULT_NONE;
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old = { .sa_handler = SIG_DFL };
	sigset_t mask, now;
	for (size_t i = 0; i < count; i++)
		CHECK(sigaction(numbers[i], i % 2 == 0 ? &old : &ignore, NULL) == 0);
	(void)sigemptyset(&mask);
	(void)sigaddset(&mask, SIGCHLD);
	(void)sigaddset(&mask, SIGALRM);
	CHECK(sigprocmask(SIG_SETMASK, &mask, NULL) == 0);

	signals_ignore_errors();
	CHECK(signals_test_action(SIGPIPE) == SIG_IGN && signals_test_action(SIGXFSZ) == SIG_IGN);
	CHECK(signals_open(&fault));
	(void)raise(SIGUSR1);
	CHECK(signals_restore() == 0);
	for (size_t i = 0; i < count; i++)
		CHECK(signals_test_action(numbers[i]) == (i % 2 == 0 ? SIG_DFL : SIG_IGN));
	CHECK(sigprocmask(SIG_SETMASK, NULL, &now) == 0);
	for (int signal = 1; signal <= SIGXFSZ; signal++)
		CHECK(sigismember(&now, signal) == sigismember(&mask, signal));
	signals_close();

	/* A terminating signal is not lost. */
	CHECK(signals_open(&fault));
	(void)raise(SIGUSR1);
	(void)raise(SIGINT);
	CHECK(signals_restore() == SIGINT);
	signals_close();
}

int
main(void)
{
	signals_test_many();
	signals_test_restore();
	return check_verdict("signals");
}
