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
	bool done = caller_dial(&caller, run, fault);
	if (done) {
		int fd = caller.dial.fd;
		/* Who gets it does not expect a socket that does not block. */
		done = sys_set_nonblocking(fd, false, NULL) &&
			sys_pass_descriptor(STDOUT_FILENO, fd);
		if (!done)
			(void)fault_set(fault, STATUS_OUTPUT, errno,
				"pass the connection over standard output");
	}
	caller_close(&caller);
	return done;
}

const struct mode pass_mode = { "pass", pass_run };
