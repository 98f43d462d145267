/* Reporting readiness, so that scripts need not sleep. */
#ifndef SOCKCAT_ENGINE_NOTIFY_H
#define SOCKCAT_ENGINE_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/io.h"
#include "base/pollset.h"
#include "engine/config.h"
#include "net/listener.h"

struct notify {
	const struct config *config;
	int manager;          /* owned: the socket of the service manager; -1: done */
	int64_t manager_ends; /* when to give up */
	char *line;           /* owned: to write to the ready descriptor; NULL: nothing */
	size_t left;          /* unwritten bytes at its end */
	bool opened;          /* the ready descriptor is prepared */
	int fd;               /* the one to write to: the ready descriptor, or its file reopened */
	bool socket;          /* it takes sendmsg(2), which does not block */
	bool restore;         /* O_NONBLOCK was set on the ready descriptor, which other processes
				 may share */
};

/*
 * Called when clients can connect. Emits the listening address (always if the system chose the
 * port, otherwise with -v), sends READY=1 to the service manager (sd_notify(3)), writes the port or
 * path as a line to the ready descriptor, and closes it. IO_OK: done; IO_AGAIN: call notify_ask,
 * poll, notify_step; IO_FAIL: status 23 or 27.
 */
enum io notify_start(struct notify *notify, const struct config *config,
	const struct listener *listener, int64_t now, struct fault *fault);
void notify_ask(const struct notify *notify, struct pollset *pollset);
enum io notify_step(struct notify *notify, int64_t now, struct fault *fault);

/* Frees everything; a zeroed struct is allowed. */
void notify_close(struct notify *notify);

#endif
