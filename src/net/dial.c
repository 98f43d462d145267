/* Connecting; see dial.h. */
#include "net/dial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/dial_socket.h"
#include "net/tcp_state.h"
#include "sys/sys.h"

/* A Unix listener whose queue is full: there is no event to poll for. */
#define DIAL_RETRY (10 * CLOCK_MILLISECOND)

void
dial_emit(const struct dial *dial, struct event event, const struct address *to)
{
	if (!event.always && !event_wants(event.kind))
		return;
	char *address = to->length > 0 ? address_print(to) : NULL;
	event.target = dial->name;
	event.protocol = dial->config.transport->name;
	event.address = address != NULL && strcmp(address, dial->name) != 0 ? address : NULL;
	event_emit(&event);
	free(address);
}

static void
dial_drop(struct dial *dial, size_t i)
{
	(void)sys_close(&dial->attempts[i].fd);
	dial->attempts[i] = dial->attempts[--dial->count];
}

/* Drops an attempt that has failed: the next one starts at once. */
static enum io
dial_fail(struct dial *dial, size_t i)
{
	dial_drop(dial, i);
	dial->next_at = 0;
	return IO_AGAIN;
}

static enum io
dial_won(struct dial *dial, size_t i)
{
	struct dial_attempt *won = &dial->attempts[i];
	/* The peer may differ from the requested address: 0.0.0.0 connects to the local host. */
	if (!won->found && !address_of_peer(&dial->peer, won->fd))
		dial->peer = *won->address;
	dial->made = won->made;
	(void)address_of_socket(&dial->own, won->fd);
	if (dial->config.transport->connected && address_port(&dial->own) != 0 &&
		address_equal(&dial->peer, &dial->own)) {
		dial_failures_add(dial, won->address, STATUS_CONNECT,
			"connected to itself (no listener on that port)");
		return dial_fail(dial, i);
	}
	dial->fd = won->fd;
	won->fd = -1;
	dial_drop(dial, i);
	while (dial->count > 0)
		dial_drop(dial, 0);
	dial->state = DIAL_CONNECTED;
	dial_failures_report(dial);
	return IO_OK;
}

/* Whether the connection was established before it was reset: the peer may have sent data. */
static bool
dial_was_connected(const struct dial *dial, int error)
{
	return dial->config.transport->tcp && (error == ECONNRESET || error == EPIPE);
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
	if (dial_socket_connect(&dial->config, attempt->fd, to, &attempt->made))
		return dial_won(dial, i);
	if (errno == EINPROGRESS) {
		/* The loopback interface has delivered the answer by now. */
		attempt->found = dial->config.transport->tcp && address_is_loopback(to) &&
			address_of_peer(&dial->peer, attempt->fd);
		return attempt->found ? dial_won(dial, i) : IO_AGAIN;
	}
	if (errno == EAGAIN && to->any.sa_family == AF_UNIX) {
		attempt->again = clock_after(now, DIAL_RETRY);
		return IO_AGAIN;
	}
	int error = errno;
	if (dial_was_connected(dial, error)) {
		dial->error = error;
		return dial_won(dial, i);
	}
	dial_failures_add_error(dial, to, error);
	if (error == ECONNREFUSED)
		dial_spare_keep(dial->config.spare, dial->config.transport, to, &attempt->fd);
	return dial_fail(dial, i);
}

/* Starts an attempt for the next address. */
static enum io
dial_begin(struct dial *dial, int64_t now)
{
	const struct address *to = &dial->resolve.addresses[dial->next++];
	struct fault fault = FAULT_NONE;
	dial->next_at = clock_after(now, dial->config.stagger);
	dial_emit(dial, (struct event){ .kind = EVENT_attempt }, to);
	int fd = dial_spare_take(dial->config.spare, dial->config.transport, to);
	if (fd == -1)
		fd = dial_socket_open(&dial->config, &dial->file, to, &fault);
	if (fd == -1) {
		dial_failures_add(dial, to, fault.status, fault.text != NULL ? fault.text : "");
		dial->failures.refused = false;
		fault_clear(&fault);
		dial->next_at = 0;
		return IO_AGAIN;
	}
	if (!dial->config.probe)
		(void)transport_abort_on_close(dial->config.transport, fd, true);
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
	dial_failures_end(dial, fault);
	return IO_FAIL;
}

static enum io
dial_resolved(struct dial *dial, enum io result, int64_t now, struct fault *fault)
{
	if (result != IO_OK)
		return result;
	dial->attempts = calloc(dial->resolve.count, sizeof *dial->attempts);
	if (dial->attempts == NULL)
		return IO_FAULT(fault, STATUS_MEMORY, ENOMEM, "connect %s", dial->name);
	dial->state = DIAL_CONNECTING;
	dial->tried = clock_now();
	return dial_advance(dial, now, fault);
}

/* Uses the inherited connection. */
static enum io
dial_adopt(struct dial *dial, struct fault *fault)
{
	int fd = dial->config.inherited;
	const char *name = dial->config.listen_fds_name;
	if (!dial->config.probe)
		(void)transport_abort_on_close(dial->config.transport, fd, true);
	if (!address_of_peer(&dial->peer, fd)) {
		int error = errno;
		/* A connection that was reset has no peer address, but a pending error and the
		 * data received before it; a socket that was never connected has neither. */
		if (dial->config.transport->connected)
			dial->error = transport_pending_error(fd);
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

/* Begins with the look-up. */
static enum io
dial_try(struct dial *dial, int64_t now, struct fault *fault)
{
	const struct dial_config *config = &dial->config;
	dial->fd = -1;
	dial->state = DIAL_RESOLVING;
	dial->failures.refused = true;
	if (config->inherited != -1)
		return dial_adopt(dial, fault);
	if (dial->name == NULL)
		dial->name = endpoint_print(&config->to);
	if (dial->name == NULL)
		return IO_FAULT(fault, STATUS_MEMORY, ENOMEM, "connect");
	bool known = config->known != NULL && !config->known->given &&
		hosts_find(config->hosts, &config->to) == NULL;
	enum io resolved = known
		? resolve_again(&dial->resolve, config->known, (uint16_t)config->to.port, fault)
		: hosts_resolve(config->hosts, &dial->resolve, &config->to, fault);
	dial->began = resolved == IO_AGAIN ? now : 0;
	return dial_resolved(dial, resolved, now, fault);
}

/* Closes and frees everything that belongs to one try. */
static void
dial_reset(struct dial *dial)
{
	unix_path_remove(&dial->file);
	while (dial->count > 0)
		dial_drop(dial, 0);
	(void)sys_close(&dial->fd);
	free(dial->attempts);
	dial->attempts = NULL;
	resolve_close(&dial->resolve);
	fault_clear(&dial->failures.fault);
	dial->failures = (struct dial_failures){ .fault = FAULT_NONE };
	dial->next = 0;
}

/* Ends a turn: another try may follow a failure. */
static enum io
dial_end_turn(struct dial *dial, enum io result, int64_t now, struct fault *fault)
{
	if (result == IO_OK)
		dial_retries_end(&dial->retries);
	if (result != IO_FAIL ||
		!dial_retries_take(
			&dial->retries, &dial->config, dial->name, now, &dial->next_at, fault))
		return result;
	dial_reset(dial);
	dial->state = DIAL_PAUSED;
	return IO_AGAIN;
}

enum io
dial_start(struct dial *dial, int64_t now, struct fault *fault)
{
	enum io begun = dial_retries_begin(dial, now, fault);
	if (begun != IO_OK)
		return begun;
	return dial_end_turn(dial, dial_try(dial, now, fault), now, fault);
}

void
dial_ask(struct dial *dial, struct pollset *pollset)
{
	if (dial->state == DIAL_PAUSED) {
		pollset_until(pollset, dial->next_at);
		return;
	}
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
dial_is_unconnected(struct dial *dial, struct dial_attempt *attempt)
{
	attempt->found = address_of_peer(&dial->peer, attempt->fd);
	return dial->config.transport->protocol != SYS_SCTP && !attempt->found && errno == ENOTCONN;
}

/* The socket of an attempt is writable: it is connected, or SO_ERROR has the cause. */
static enum io
dial_look(struct dial *dial, size_t i, int64_t now)
{
	struct dial_attempt *attempt = &dial->attempts[i];
	int error = transport_pending_error(attempt->fd);
	if (error == 0 && dial_is_unconnected(dial, attempt)) {
		/* An interrupted connect may not have started; or a reset has just arrived. */
		error = transport_pending_error(attempt->fd);
		if (error == 0) {
			attempt->again = clock_after(now, DIAL_RETRY);
			return IO_AGAIN;
		}
	}
	if (error == 0 || dial_was_connected(dial, error)) {
		dial->error = error;
		return dial_won(dial, i);
	}
	dial_failures_add_error(dial, attempt->address, error);
	return dial_fail(dial, i);
}

static enum io
dial_timed_out(struct dial *dial, struct fault *fault)
{
	if (dial->state == DIAL_RESOLVING)
		return IO_FAULT(fault, STATUS_TIMEOUT, 0, "resolve %s%s: timed out",
			endpoint_role(&dial->config.to), dial->config.to.host);
	dial_failures_time_out(dial, fault);
	return IO_FAIL;
}

/* A turn of a try. */
static enum io
dial_go_on(struct dial *dial, const struct pollset *pollset, int64_t now, struct fault *fault)
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
dial_step(struct dial *dial, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	if (dial->state != DIAL_PAUSED)
		return dial_end_turn(dial, dial_go_on(dial, pollset, now, fault), now, fault);
	if (now < dial->next_at)
		return IO_AGAIN;
	dial->config.deadline = clock_after(now, dial->config.wait);
	return dial_end_turn(dial, dial_try(dial, now, fault), now, fault);
}

enum io
dial_refused(struct dial *dial, int error, int64_t now, struct fault *fault)
{
	dial_failures_add_error(dial, &dial->peer, error);
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
	struct event event = {
		.kind = kind, .peer = dial->peer.length == 0 ? dial->name : peer, .local = own
	};
	if (dial->began != 0)
		event.resolve_time = (uint64_t)(dial->tried - dial->began);
	if (dial->tried != 0)
		event.connect_time = (uint64_t)(clock_now() - dial->tried);
	if (event_reports())
		tcp_state_add(&event, dial->config.transport, dial->fd);
	dial_emit(dial, event, &dial->peer);
	free(peer);
	free(own);
}

void
dial_close(struct dial *dial)
{
	if (dial->config.transport == NULL)
		return;
	dial_retries_close(&dial->retries, &dial->config, dial->name);
	dial_reset(dial);
	free(dial->name);
	*dial = (struct dial){ .fd = -1 };
}
