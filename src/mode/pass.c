/* Passing: the connection is made, and given to whoever is at the other end of standard output. */
#include <errno.h>
#include <unistd.h>

#include "mode/caller.h"
#include "mode/mode.h"
#include "sys/sys.h"

static bool
pass_run(struct run *run, struct fault *fault)
{
	struct caller caller = { .dial = { .fd = -1 } };
	struct sockaddr_storage own = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof own;
	/* Other sockets would take the byte and quietly drop what comes with it. */
	if (getsockname(STDOUT_FILENO, (struct sockaddr *)&own, &size) == -1 ||
		own.ss_family != AF_UNIX)
		return fault_set(fault, STATUS_OUTPUT, 0,
			"pass the connection over standard output: it is not a Unix socket");
	bool done = caller_dial(&caller, run, fault);
	/* A connection that is over already would look like one that has ended well. */
	if (done && caller.dial.error != 0)
		done = fault_set(fault, STATUS_RECEIVE, caller.dial.error, "receive from %s",
			caller.dial.name);
	if (done) {
		int fd = caller.dial.fd;
		const bool ours = run->plan->inherited_count == 0;
		/* Who gets it does not expect a socket that does not block. */
		done = sockopt_apply(&run->plan->sockopts, fd, SOCKOPT_CONNECTED, false, fault);
		if (done &&
			((ours && !sys_set_nonblocking(fd, false, NULL)) ||
				!sys_pass_descriptor(STDOUT_FILENO, fd)))
			done = fault_set(fault, STATUS_OUTPUT, errno,
				"pass the connection over standard output");
	}
	/* Its path is the socket's name, and has to last as long. */
	if (done)
		socketfile_leave(&caller.dial.file);
	caller_close(&caller);
	return done;
}

const struct mode pass_mode = { "pass", pass_run };
