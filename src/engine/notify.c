/* Reporting readiness; see notify.h. */
#include "engine/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "stream/output.h"
#include "sys/sys.h"

/* How long to wait for the service manager, as sd_notify(3) does. */
#define NOTIFY_MANAGER (5 * CLOCK_SECOND)

/* --- the service manager --- */

/* A missing service manager is no failure of the listener. */
static void
notify_manager_failed(const struct notify *notify, int error)
{
	event_emit(&(struct event){ .kind = EVENT_notify_failed,
		.object = notify->config->notify,
		.cause = strerror(error) });
}

static void
notify_connect(struct notify *notify, int64_t now)
{
	struct endpoint endpoint = { .names = TRANSPORT_UNIX };
	struct fault bad = FAULT_NONE;
	struct address address;
	int fd = sys_socket(AF_UNIX, SOCK_DGRAM, 0), error = errno;
	bool good = fd != -1;
	if (!endpoint_set_path(&endpoint, notify->config->notify, &bad) ||
		!endpoint_address(&endpoint, &address)) {
		good = false;
		error = ENAMETOOLONG;
	}
	fault_clear(&bad);
	/* Connected, so that poll(2) reports whether the queue of the manager has room. */
	if (good && !sys_connect(fd, (struct sockaddr *)&address.storage, address.length)) {
		good = false;
		error = errno;
	}
	notify->manager_ends = clock_after(now, NOTIFY_MANAGER);
	if (good) {
		notify->manager = fd;
		return;
	}
	(void)sys_close(&fd);
	notify_manager_failed(notify, error);
}

/* Sends the message; the queue of a busy service manager may be full. */
static enum io
notify_send(struct notify *notify, int64_t now)
{
	static char message[] = "READY=1";
	const struct iovec piece = { message, sizeof message - 1 };
	if (sys_send(notify->manager, &piece, 1, NULL, 0) == -1) {
		int error = errno;
		if (sys_would_block(error) && now < notify->manager_ends)
			return IO_AGAIN;
		notify_manager_failed(notify, error);
	}
	(void)sys_close(&notify->manager);
	return IO_OK;
}

/* --- the ready descriptor --- */

/* "PORT\n" or "PATH\n": what follows the host in the printed address. */
static bool
notify_print(struct notify *notify, const struct address *address, struct fault *fault)
{
	char *shown = address_print(address);
	char *longer = shown != NULL ? realloc(shown, strlen(shown) + 2) : NULL;
	if (longer == NULL) {
		free(shown);
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "write --ready-fd %d",
			notify->config->ready_fd);
	}
	notify->line = longer;
	memcpy(longer + strlen(longer), "\n", 2);
	const char *colon = strrchr(longer, ':');
	bool whole = notify->config->transport->names == TRANSPORT_UNIX || colon == NULL;
	notify->left = strlen(whole ? longer : colon + 1);
	return true;
}

/* Prepares the descriptor so that a write does not block. False with errno. */
static bool
notify_open(struct notify *notify)
{
	int fd = notify->config->ready_fd;
	struct stat status;
	bool was = true;
	notify->opened = true;
	notify->fd = fd;
	if (fstat(fd, &status) == -1)
		return false;
	/* poll(2) never reports the reading end of a pipe as writable. */
	if (!sys_is_open_for(fd, O_WRONLY)) {
		errno = EBADF;
		return false;
	}
	notify->socket = S_ISSOCK(status.st_mode);
	if (!S_ISFIFO(status.st_mode) && !isatty(fd))
		return true;
	notify->fd = sys_reopen(fd, O_WRONLY | O_NONBLOCK);
	if (notify->fd == -1) {
		notify->fd = fd;
		notify->restore = sys_set_nonblocking(fd, true, &was) && !was;
	}
	return true;
}

/* Closes the descriptor, so that the reader sees the end. A standard descriptor stays open: the
 * next socket would get its number. False with errno. */
static bool
notify_finish(struct notify *notify)
{
	int given = notify->config->ready_fd;
	bool good = notify->fd == given || sys_close(&notify->fd);
	if (notify->restore)
		(void)sys_set_nonblocking(given, false, NULL);
	free(notify->line);
	notify->line = NULL;
	return (given <= STDERR_FILENO || sys_close(&given)) && good;
}

static enum io
notify_write(struct notify *notify, struct fault *fault)
{
	int given = notify->config->ready_fd;
	bool good = notify->opened || notify_open(notify);
	while (good && notify->left > 0) {
		const char *text = notify->line + strlen(notify->line) - notify->left;
		const struct output output = { notify->fd, notify->socket };
		ssize_t n = output_write(&output, text, notify->left);
		if (n == -1 && sys_would_block(errno))
			return IO_AGAIN;
		good = n != -1;
		notify->left -= good ? (size_t)n : 0;
	}
	if (!good)
		(void)fault_set(fault, STATUS_OUTPUT, errno, "write --ready-fd %d", given);
	else if (!notify_finish(notify))
		(void)fault_set(fault, STATUS_OUTPUT, errno, "close --ready-fd %d", given);
	return fault_is_set(fault) ? IO_FAIL : IO_OK;
}

/* --- both --- */

static void
notify_report(const struct config *config, const struct listener *listener)
{
	bool chosen = config->transport->names != TRANSPORT_UNIX && config->listen_fds_count == 0 &&
		config->endpoint.port == 0;
	if (config->accepted)
		return;
	for (size_t i = 0; i < listener->count; i++) {
		char *shown = address_print(&listener->sockets[i].address);
		event_emit(&(struct event){
			.kind = config->transport->connected ? EVENT_listening : EVENT_bound,
			.always = chosen,
			.peer = shown });
		free(shown);
	}
}

enum io
notify_start(struct notify *notify, const struct config *config, const struct listener *listener,
	int64_t now, struct fault *fault)
{
	*notify = (struct notify){ .config = config, .manager = -1 };
	notify_report(config, listener);
	if (config->ready_fd != -1 && !notify_print(notify, &listener->sockets[0].address, fault))
		return IO_FAIL;
	if (config->notify != NULL)
		notify_connect(notify, now);
	return notify_step(notify, now, fault);
}

void
notify_ask(const struct notify *notify, struct pollset *pollset)
{
	if (notify->manager != -1)
		pollset_until(pollset, notify->manager_ends);
	(void)pollset_ask(pollset, notify->manager != -1 ? notify->manager : notify->fd, POLLOUT);
}

enum io
notify_step(struct notify *notify, int64_t now, struct fault *fault)
{
	if (notify->manager != -1 && notify_send(notify, now) == IO_AGAIN)
		return IO_AGAIN;
	return notify->line == NULL ? IO_OK : notify_write(notify, fault);
}

void
notify_close(struct notify *notify)
{
	if (notify->config == NULL)
		return;
	(void)sys_close(&notify->manager);
	if (notify->opened && notify->line != NULL)
		(void)notify_finish(notify);
	free(notify->line);
	*notify = (struct notify){ .config = NULL };
}
