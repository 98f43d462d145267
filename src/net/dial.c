/* Connecting; see dial.h. */
#include "net/dial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/dial_socket.h"
#include "sys/sys.h"

/* RFC 8305, section 5: "Connection Attempt Delay". */
#define DIAL_STAGGER (250 * CLOCK_MILLISECOND)

/* A Unix listener whose queue is full: there is no event to poll for. */
#define DIAL_RETRY (10 * CLOCK_MILLISECOND)

/* Reports failed attempts after a successful one. If all fail, the fault names them. */
static void
dial_report_failures(struct dial *dial)
{
	const char *text = dial->failures.text;
	if (text == NULL || strlen(text) <= dial->reported)
		return;
	/* Skip the separator. */
	event_emit(&(struct event){ .kind = EVENT_attempt_failed,
		.cause = text + (dial->reported > 0 ? dial->reported + 2 : 0) });
	dial->reported = strlen(text);
}

void
dial_emit(const struct dial *dial, struct event event, const struct address *to)
{
	if (!event.always && !event_wants(event.kind))
		return;
	char *address = address_print(to);
	event.target = dial->name;
	event.protocol = dial->config.transport->name;
	event.address = address != NULL && strcmp(address, dial->name) != 0 ? address : NULL;
	event_emit(&event);
	free(address);
}

/* Whether a failure is reported by events only. */
static bool
dial_is_quiet(const struct dial *dial, enum status status)
{
	return dial->config.quiet && dial->config.to.names == TRANSPORT_INET &&
		(status == STATUS_CONNECT || status == STATUS_TIMEOUT);
}

/* Records the failure of an address. */
static void
dial_note(struct dial *dial, const struct address *address, enum status status, const char *cause)
{
	char *shown = address_print(address);
	const char *name = shown != NULL ? shown : "?";
	bool only = dial->resolve.count == 1;
	if (status == STATUS_CONNECT && dial->config.to.names == TRANSPORT_INET)
		dial_emit(dial, (struct event){ .kind = EVENT_connect_failed, .cause = cause },
			address);
	if (fault_is_set(&dial->failures)) {
		dial->mixed |= dial->failures.status != status;
		fault_add(&dial->failures, "; %s: %s", name, cause);
	} else if (only) {
		(void)fault_set(&dial->failures, status, 0, "connect %s: %s", dial->name, cause);
	} else {
		(void)fault_set(
			&dial->failures, status, 0, "connect %s: %s: %s", dial->name, name, cause);
	}
	free(shown);
}

static void
dial_note_error(struct dial *dial, const struct address *address, int error)
{
	dial_note(dial, address, transport_status(error, STATUS_CONNECT),
		unix_path_cause(address, error));
	dial->refused &= error == ECONNREFUSED;
	dial->cause = error;
}

static void
dial_drop(struct dial *dial, size_t i)
{
	(void)sys_close(&dial->attempts[i].fd);
	dial->attempts[i] = dial->attempts[--dial->count];
}

static enum io
dial_won(struct dial *dial, size_t i)
{
	struct dial_attempt *won = &dial->attempts[i];
	/* The peer may differ from the requested address: 0.0.0.0 connects to the local host. */
	if (!address_of_peer(&dial->peer, won->fd))
		dial->peer = *won->address;
	(void)address_of_socket(&dial->own, won->fd);
	if (dial->config.transport->connected && address_port(&dial->own) != 0 &&
		address_equal(&dial->peer, &dial->own)) {
		dial_note(dial, won->address, STATUS_CONNECT,
			"connected to itself (no listener on that port)");
		dial_drop(dial, i);
		return IO_AGAIN;
	}
	dial->fd = won->fd;
	won->fd = -1;
	dial_drop(dial, i);
	while (dial->count > 0)
		dial_drop(dial, 0);
	dial->state = DIAL_CONNECTED;
	dial_report_failures(dial);
	return IO_OK;
}

/* Calls connect(2) for an attempt. */
static enum io
dial_connect(struct dial *dial, size_t i, int64_t now)
{
	struct dial_attempt *attempt = &dial->attempts[i];
	const struct address *to = attempt->address;
	attempt->again = 0;
	dial->group = dial->config.groups && !dial->config.transport->connected &&
		dial_socket_is_group(attempt->fd, to);
	if (dial->group)
		return dial_won(dial, i);
	if (sys_connect(attempt->fd, &to->any, to->length))
		return dial_won(dial, i);
	if (errno == EINPROGRESS)
		return IO_AGAIN;
	if (errno == EAGAIN && to->any.sa_family == AF_UNIX) {
		attempt->again = clock_after(now, DIAL_RETRY);
		return IO_AGAIN;
	}
	dial_note_error(dial, to, errno);
	dial_drop(dial, i);
	return IO_AGAIN;
}

/* Starts an attempt for the next address. */
static enum io
dial_begin(struct dial *dial, int64_t now)
{
	const struct address *to = &dial->resolve.addresses[dial->next++];
	struct fault fault = FAULT_NONE;
	dial->next_at = clock_after(now, DIAL_STAGGER);
	int fd = dial_socket_open(&dial->config, &dial->file, to, &fault);
	if (fd == -1) {
		dial_note(dial, to, fault.status, fault.text != NULL ? fault.text : "");
		dial->refused = false;
		fault_clear(&fault);
		return IO_AGAIN;
	}
	if (!dial->config.probe)
		transport_abort_on_close(dial->config.transport, fd, true);
	dial->attempts[dial->count] =
		(struct dial_attempt){ .address = to, .fd = fd, .entry = POLLSET_NONE };
	return dial_connect(dial, dial->count++, now);
}

/* Starts attempts until one is pending whose time has not passed, or no address is left. */
static enum io
dial_advance(struct dial *dial, int64_t now, struct fault *fault)
{
	const struct resolve *resolve = &dial->resolve;
	while (dial->next < resolve->count && (dial->count == 0 || now >= dial->next_at))
		if (dial_begin(dial, now) == IO_OK)
			return IO_OK;
	if (dial->count > 0)
		return IO_AGAIN;
	if (resolve->left_out > 0)
		fault_add(
			&dial->failures, "; %zu more addresses were not tried", resolve->left_out);
	if (dial->mixed) {
		dial->failures.status = STATUS_CONNECT;
		dial->refused = false;
	}
	dial->failures.quiet = !dial->mixed && dial_is_quiet(dial, dial->failures.status);
	fault_move(fault, &dial->failures);
	return IO_FAIL;
}

static enum io
dial_resolved(struct dial *dial, enum io result, int64_t now, struct fault *fault)
{
	if (result != IO_OK)
		return result;
	dial->state = DIAL_CONNECTING;
	return dial_advance(dial, now, fault);
}

/* Returns and clears the pending error of the socket; 0: none. */
static int
dial_pending_error(int fd)
{
	int error = 0;
	socklen_t size = sizeof error;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1 ? errno : error;
}

/* Uses the inherited connection. */
static enum io
dial_adopt(struct dial *dial, struct fault *fault)
{
	int fd = dial->config.inherited;
	const char *name = dial->config.listen_fds_name;
	if (!dial->config.probe)
		transport_abort_on_close(dial->config.transport, fd, true);
	if (!address_of_peer(&dial->peer, fd)) {
		int error = errno;
		/* A connection that was reset has no peer address, but a pending error and the
		 * data received before it; a socket that was never connected has neither. */
		if (dial->config.transport->connected)
			dial->error = dial_pending_error(fd);
		if (dial->error == 0)
			return IO_FAULT(fault, STATUS_VALUE, error, "endpoint '%s'", name);
	}
	if (!address_of_socket(&dial->own, fd))
		return IO_FAULT(fault, STATUS_VALUE, errno, "endpoint '%s'", name);
	if (!sockopt_apply(dial->config.options, fd, SOCKOPT_DIALLING, true, fault))
		return IO_FAIL;
	free(dial->name);
	dial->name = dial->error != 0 ? strdup(name) : address_print(&dial->peer);
	if (dial->name == NULL)
		return IO_FAULT(fault, STATUS_MEMORY, ENOMEM, "endpoint '%s'", name);
	dial->fd = fd;
	dial->state = DIAL_CONNECTED;
	return IO_OK;
}

enum io
dial_start(struct dial *dial, int64_t now, struct fault *fault)
{
	const struct dial_config *config = &dial->config;
	dial->fd = -1;
	dial->refused = true;
	if (config->inherited != -1)
		return dial_adopt(dial, fault);
	if (dial->name == NULL)
		dial->name = endpoint_print(&config->to);
	if (dial->name == NULL)
		return IO_FAULT(fault, STATUS_MEMORY, ENOMEM, "connect");
	enum io resolved = config->known != NULL
		? resolve_again(&dial->resolve, config->known, (uint16_t)config->to.port, fault)
		: resolve_start(&dial->resolve, &config->to, fault);
	return dial_resolved(dial, resolved, now, fault);
}

void
dial_ask(struct dial *dial, struct pollset *pollset)
{
	pollset_until(pollset, dial->config.deadline);
	if (dial->state == DIAL_RESOLVING) {
		resolve_ask(&dial->resolve, pollset);
		return;
	}
	for (size_t i = 0; i < dial->count; i++) {
		struct dial_attempt *attempt = &dial->attempts[i];
		attempt->entry = POLLSET_NONE;
		if (attempt->again != 0)
			pollset_until(pollset, attempt->again);
		else
			attempt->entry = pollset_ask(pollset, attempt->fd, POLLOUT);
	}
	if (dial_has_more(dial))
		pollset_until(pollset, dial->next_at);
}

/* Whether the socket has no peer; unknown for SCTP seqpacket sockets. */
static bool
dial_is_unconnected(const struct dial *dial, int fd)
{
	struct address peer;
	return dial->config.transport->protocol != SYS_SCTP && !address_of_peer(&peer, fd) &&
		errno == ENOTCONN;
}

/* The socket of an attempt is writable: it is connected, or SO_ERROR has the cause. */
static enum io
dial_look(struct dial *dial, size_t i, int64_t now)
{
	struct dial_attempt *attempt = &dial->attempts[i];
	int error = dial_pending_error(attempt->fd);
	if (error == 0 && dial_is_unconnected(dial, attempt->fd)) {
		/* An interrupted connect may not have started; or a reset has just arrived. */
		error = dial_pending_error(attempt->fd);
		if (error == 0) {
			attempt->again = clock_after(now, DIAL_RETRY);
			return IO_AGAIN;
		}
	}
	/* The connection was established before the reset: the peer may have sent data. */
	bool connected = error == 0 ||
		(dial->config.transport->tcp && (error == ECONNRESET || error == EPIPE));
	if (connected) {
		dial->error = error;
		return dial_won(dial, i);
	}
	dial_note_error(dial, attempt->address, error);
	dial_drop(dial, i);
	return IO_AGAIN;
}

static enum io
dial_timed_out(struct dial *dial, struct fault *fault)
{
	if (dial->state == DIAL_RESOLVING)
		return IO_FAULT(
			fault, STATUS_TIMEOUT, 0, "resolve %s: timed out", dial->config.to.host);
	for (size_t i = 0; i < dial->count; i++)
		dial_emit(dial, (struct event){ .kind = EVENT_connect_timed_out },
			dial->attempts[i].address);
	if (fault_is_set(&dial->failures))
		(void)fault_set(fault, STATUS_TIMEOUT, 0, "%s; %zu others timed out",
			dial->failures.text != NULL ? dial->failures.text : "connect",
			dial->count + dial->resolve.count - dial->next);
	else
		(void)fault_set(fault, STATUS_TIMEOUT, 0, "connect %s: timed out", dial->name);
	fault->quiet = dial_is_quiet(dial, STATUS_TIMEOUT);
	return IO_FAIL;
}

enum io
dial_step(struct dial *dial, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	enum io result = IO_AGAIN;
	if (dial->state == DIAL_RESOLVING) {
		result = resolve_step(&dial->resolve, &dial->config.to, pollset, fault);
		result = dial_resolved(dial, result, now, fault);
	} else {
		/* Backwards: dial_drop moves the last attempt, already handled, to i. */
		for (size_t i = dial->count; i-- > 0 && result == IO_AGAIN;) {
			const struct dial_attempt *attempt = &dial->attempts[i];
			if (attempt->again != 0 && attempt->again <= now)
				result = dial_connect(dial, i, now);
			else if (pollset_fired(pollset, attempt->entry))
				result = dial_look(dial, i, now);
		}
		if (result == IO_AGAIN)
			result = dial_advance(dial, now, fault);
	}
	if (result == IO_AGAIN && now >= dial->config.deadline)
		return dial_timed_out(dial, fault);
	return result;
}

enum io
dial_refused(struct dial *dial, int error, int64_t now, struct fault *fault)
{
	dial_note_error(dial, &dial->peer, error);
	(void)sys_close(&dial->fd);
	dial->state = DIAL_CONNECTING;
	return dial_advance(dial, now, fault);
}

void
dial_report(const struct dial *dial)
{
	enum event_kind kind = dial->group ? EVENT_sending : EVENT_connected;
	if (!event_wants(kind))
		return;
	char *peer = address_print(&dial->peer), *own = address_print(&dial->own);
	const struct event event = {
		.kind = kind, .peer = dial->peer.length == 0 ? dial->name : peer, .local = own
	};
	dial_emit(dial, event, &dial->peer);
	free(peer);
	free(own);
}

void
dial_close(struct dial *dial)
{
	if (dial->config.transport == NULL)
		return;
	unix_path_remove(&dial->file);
	while (dial->count > 0)
		dial_drop(dial, 0);
	(void)sys_close(&dial->fd);
	resolve_close(&dial->resolve);
	fault_clear(&dial->failures);
	free(dial->name);
	*dial = (struct dial){ .fd = -1 };
}
