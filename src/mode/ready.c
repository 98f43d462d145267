/* Telling others that a listener is up; see ready.h. */
#include "mode/ready.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/sys.h"

static bool
ready_write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		struct iovec piece = { (char *)(uintptr_t)text, size };
		ssize_t n = sys_writev(fd, &piece, 1);
		if (n == -1)
			return false;
		text += n;
		size -= (size_t)n;
	}
	return true;
}

/* "PORT\n" or "PATH\n" in one piece: what comes behind the host in the printed address. */
static bool
ready_write(int fd, const struct plan *plan, const struct listener *listener, struct fault *fault)
{
	char *shown = address_print(&listener->sockets[0].address);
	char *longer = shown != NULL ? realloc(shown, strlen(shown) + 2) : NULL;
	if (longer == NULL) {
		free(shown);
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "write --ready-fd %d", fd);
	}
	shown = longer;
	memcpy(shown + strlen(shown), "\n", 2);
	const char *colon = strrchr(shown, ':');
	const char *line =
		plan->transport->names == TRANSPORT_UNIX || colon == NULL ? shown : colon + 1;
	bool written = ready_write_all(fd, line, strlen(line));
	int error = errno;
	free(shown);
	/* The reader sees the end; a standard descriptor stays, or a socket would take it. */
	bool closed = fd <= STDERR_FILENO || sys_close(&fd);
	if (!written)
		return fault_set(
			fault, STATUS_OUTPUT, error, "write --ready-fd %d", plan->ready_fd);
	return closed ||
		fault_set(fault, STATUS_OUTPUT, errno, "close --ready-fd %d", plan->ready_fd);
}

/* The service manager's socket; nobody listening there is no failure of ours. */
static void
ready_notify(const char *path)
{
	static char message[] = "READY=1";
	struct endpoint endpoint = { .names = TRANSPORT_UNIX };
	struct fault fault = FAULT_NONE;
	struct address address;
	struct iovec piece = { message, sizeof message - 1 };
	int fd = sys_socket(AF_UNIX, SOCK_DGRAM, 0);
	if (!endpoint_set_path(&endpoint, path, &fault))
		errno = ENAMETOOLONG;
	if (fd == -1 || fault_is_set(&fault) || !endpoint_address(&endpoint, &address) ||
		sys_send(fd, &piece, 1, (const struct sockaddr *)&address.storage,
			address.length) == -1)
		log_line(LOG_VERBOSE, "NOTIFY_SOCKET %s: %s", path, strerror(errno));
	fault_clear(&fault);
	(void)sys_close(&fd);
}

bool
ready_announce(const struct plan *plan, const struct listener *listener, struct fault *fault)
{
	bool chosen = plan->transport->names != TRANSPORT_UNIX && plan->inherited_count == 0 &&
		plan->endpoint.port == 0;
	for (size_t i = 0; i < listener->count; i++) {
		char *shown = address_print(&listener->sockets[i].address);
		log_line(chosen ? LOG_ALWAYS : LOG_VERBOSE, "listening on %s",
			shown != NULL ? shown : "?");
		free(shown);
	}
	const char *notify = getenv("NOTIFY_SOCKET");
	if (notify != NULL && notify[0] != '\0')
		ready_notify(notify);
	return plan->ready_fd == -1 || ready_write(plan->ready_fd, plan, listener, fault);
}
