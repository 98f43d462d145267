/*
 * The processes that were started and have not been reaped; process-wide, as signals are. Each
 * belongs to somebody until that leaves it. Then it has a moment to end, is told to (SIGTERM, with
 * all of its process group), is killed a moment later, and is forgotten.
 */
#ifndef SOCKCAT_STREAM_CHILD_H
#define SOCKCAT_STREAM_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/interest.h"

/* How long it has to end by itself, and again after it was told to. */
#define CHILD_GRACE (1 * CLOCK_SECOND)

struct child {
	struct child *next;
	pid_t pid; /* also the number of its process group */
	enum child_state { CHILD_OWNED, CHILD_LEFT, CHILD_TOLD, CHILD_KILLED } state;
	int64_t due; /* when the next state begins; not for CHILD_OWNED */
	bool ended;  /* status <=> its exit status, 128 + n after signal n */
	int status;
	bool news;   /* set when it ends; for the owner to clear */
	bool reaped; /* its number is no longer kept from others */
};

/* Takes a process in that has just been started. NULL, and it is killed, if there is no memory. */
struct child *child_adopt(pid_t pid);

/* The owner has no more use for it. Without `clean`, whoever it was working for has gone: it is
 * told to end at once, with all that it has started. NULL is none. */
void child_leave(struct child *child, bool clean, int64_t now);

/* How many there are. */
size_t child_count(void);

/* Asks for the next turn in which something is due. */
void child_ask(struct interest *interest, int64_t now);

/* Does what is due; `signalled`: SIGCHLD has come. */
void child_look(bool signalled, int64_t now);

#endif
