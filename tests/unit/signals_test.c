/* F160: the signals that are returned, however many arrived before. */
#include "engine/signals.h"

#include <signal.h>

#include "check.h"

/* More than a pipe holds. */
#define SIGNALS_TEST_MANY 70000

int
main(void)
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
	return check_verdict("signals");
}
