/* The loop; see loop.h. */
#include "flow/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "base/clock.h"
#include "flow/signals.h"
#include "stream/child.h"

bool
loop_open(struct loop *loop, struct fault *fault)
{
	*loop = (struct loop){ .now = clock_now() };
	return signals_open(fault);
}

void
loop_close(struct loop *loop)
{
	signals_close();
	interest_close(&loop->interest);
}

void
loop_begin(struct loop *loop)
{
	interest_begin(&loop->interest);
	loop->now = clock_now();
}

bool
loop_take_signals(struct loop *loop)
{
	bool ended = false;
	for (int signal = signals_take(); signal != 0; signal = signals_take()) {
		if (signal == SIGUSR1)
			loop->wants_report = true;
		else if (signal == SIGCHLD)
			ended = true;
		else if (signal == SIGHUP && loop->reloads)
			loop->wants_reload = true;
		else if (loop->end_signal == 0)
			loop->end_signal = signal;
	}
	return ended;
}

bool
loop_wait(struct loop *loop, struct fault *fault)
{
	struct interest *interest = &loop->interest;
	size_t signals = interest_ask(interest, signals_fd(), POLLIN);
	bool ended = false;
	child_ask(interest, loop->now);
	if (interest->failed)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "wait");
	int timeout = clock_poll_timeout(loop->now, interest->deadline);
	if (poll(interest->polls, (nfds_t)interest->count, timeout) == -1) {
		if (errno != EINTR && errno != EAGAIN)
			return fault_set(fault, errno == ENOMEM ? STATUS_MEMORY : STATUS_INTERNAL,
				errno, "wait");
		for (size_t i = 0; i < interest->count; i++)
			interest->polls[i].revents = 0;
		ended = loop_take_signals(loop);
	} else if (interest_fired(interest, signals)) {
		ended = loop_take_signals(loop);
	}
	loop->now = clock_now();
	child_look(ended, loop->now);
	return true;
}

bool
loop_wait_or_end(struct loop *loop, struct fault *fault)
{
	return loop_wait(loop, fault) &&
		(loop->end_signal == 0 || fault_set_signal(fault, loop->end_signal));
}
