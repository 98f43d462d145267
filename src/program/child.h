/*
 * Child processes, from their start until they are reaped. The list is global, since SIGCHLD is. An
 * owner releases its child with child_leave; if the child does not exit within CHILD_GRACE, its
 * process group gets SIGTERM, and after another CHILD_GRACE SIGKILL.
 */
#ifndef SOCKCAT_PROGRAM_CHILD_H
#define SOCKCAT_PROGRAM_CHILD_H

#include <sys/types.h>

#include "base/pollset.h"

#define CHILD_GRACE (1 * CLOCK_SECOND)

struct child {
	struct child *next;
	pid_t pid; /* also the number of its process group */
	enum child_state { CHILD_OWNED, CHILD_RELEASED, CHILD_TERMINATED, CHILD_KILLED } state;
	int64_t due;      /* when the next state begins; not for CHILD_OWNED */
	const char *name; /* of the program, for messages; not owned, outlives the process */
	bool ended;       /* exited: `status` is valid */
	int status;       /* the exit status, or 128 + n after signal n */
	bool *ready;      /* the owner's: set when it exits; NULL once released */
	bool reaped;      /* the kernel may reuse its process ID */
	int rest;         /* owned: a pipe with input that it has not read; -1: none */
	size_t untaken;   /* the amount in that pipe at the last check */
};

/* Adds a process that was started; *ready is set when it exits. NULL, after killing it, if memory
 * runs out. */
struct child *child_adopt(pid_t pid, const char *name, bool *ready);

/* Releases a child (NULL: none). Unless `clean`, its process group gets SIGTERM at once, since its
 * peer has left. Otherwise CHILD_GRACE restarts at each read from the pipe `rest` (-1: none), whose
 * descriptor is taken over. */
void child_leave(struct child *child, bool clean, int rest, int64_t now);

/* Stops extending CHILD_GRACE. Returns whether a released child had unread input. */
bool child_limit_grace(void);

/* The number of children. */
size_t child_count(void);

/* Sets the deadline of the pollset to the next due time. */
void child_ask(struct pollset *pollset, int64_t now);

/* Updates the states; `signalled`: SIGCHLD was received. Reports children that were stopped, since
 * their sessions hang until they are continued. */
void child_look(bool signalled, int64_t now);

#endif
