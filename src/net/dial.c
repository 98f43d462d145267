/* Making a connection; see dial.h. */
#include "net/dial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sys/sys.h"

/* RFC 8305, section 5: "Connection Attempt Delay". */
#define DIAL_STAGGER (250 * CLOCK_MILLISECOND)

/* A Unix listener whose queue is full has no event to wait for. */
#define DIAL_RETRY (10 * CLOCK_MILLISECOND)

static enum status
dial_status(int error)
{
	return transport_status(error, STATUS_CONNECT);
}

/* Notes why an address did not do; the caller goes on with the others. */
static void
dial_note(struct dial *dial, const struct address *address, enum status status, const char *cause)
{
	char *shown = address_print(address);
	const char *name = shown != NULL ? shown : "?";
	bool only = dial->resolve.count == 1;
	log_line(LOG_DEBUG, "connect %s: %s", name, cause);
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
dial_drop(struct dial *dial, size_t i)
{
	(void)sys_close(&dial->attempts[i].fd);
	dial->attempts[i] = dial->attempts[--dial->count];
}

/* A TCP client that picks as its own port the one it calls can connect to itself. */
static bool
dial_is_own(const struct address *peer, const struct address *own)
{
	return address_port(own) != 0 && address_equal(peer, own);
}

static enum io
dial_won(struct dial *dial, size_t i)
{
	struct dial_attempt *won = &dial->attempts[i];
	/* Not always what was asked for: 0.0.0.0 is this machine. */
	dial->peer = *won->address;
	dial->peer.length = sizeof dial->peer.storage;
	if (getpeername(won->fd, (struct sockaddr *)&dial->peer.storage, &dial->peer.length) == -1)
		dial->peer = *won->address;
	dial->own.length = sizeof dial->own.storage;
	memset(&dial->own.storage, 0, sizeof dial->own.storage);
	if (getsockname(won->fd, (struct sockaddr *)&dial->own.storage, &dial->own.length) == -1)
		dial->own.length = 0;
	if (dial->config->transport->connected && dial_is_own(&dial->peer, &dial->own)) {
		dial_note(dial, won->address, STATUS_CONNECT,
			"connected to itself, as nobody else listens there");
		dial_drop(dial, i);
		return IO_AGAIN;
	}
	dial->fd = won->fd;
	won->fd = -1;
	dial_drop(dial, i);
	while (dial->count > 0)
		dial_drop(dial, 0);
	dial->state = DIAL_CONNECTED;
	return IO_OK;
}

/* The local end for a connection to the address; length 0: none is wanted. */
static struct address
dial_local(const struct dial_config *config, const struct address *to)
{
	struct address local = config->local;
	if (local.length == 0 && config->local_port != 0) {
		/* All zero but family and port is "any address", in both families. */
		local.storage.ss_family = to->storage.ss_family;
		local.length = to->length;
		address_set_port(&local, config->local_port);
	}
	return local;
}

/* Binds the local end, if that was asked for or is needed. */
static bool
dial_bind(struct dial *dial, int fd, const struct address *local, const struct address *to)
{
	int on = 1;
	if (local->length == 0) {
		/* An unnamed datagram socket could not be answered. Not all expect an answer. */
		if (to->storage.ss_family == AF_UNIX && !dial->config->transport->connected)
			(void)sys_bind_unnamed(fd);
		return true;
	}
	if (local->storage.ss_family != to->storage.ss_family) {
		errno = EAFNOSUPPORT;
		return false;
	}
	if (local->storage.ss_family == AF_UNIX)
		return socketfile_bind(&dial->file, fd, local);
	/* On a port of which old connections linger. For datagrams it would mean sharing the port.
	 */
	if (dial->config->transport->connected)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	return bind(fd, (const struct sockaddr *)&local->storage, local->length) == 0;
}

/* The outcome of a call of connect. */
static enum io
dial_connect(struct dial *dial, size_t i, int64_t now)
{
	struct dial_attempt *attempt = &dial->attempts[i];
	const struct address *to = attempt->address;
	attempt->again = 0;
	if (sys_connect(attempt->fd, (const struct sockaddr *)&to->storage, to->length))
		return dial_won(dial, i);
	if (errno == EINPROGRESS)
		return IO_AGAIN;
	if (errno == EAGAIN && to->storage.ss_family == AF_UNIX) {
		attempt->again = clock_after(now, DIAL_RETRY);
		return IO_AGAIN;
	}
	int error = errno;
	dial_note(dial, to, dial_status(error), strerror(error));
	dial->refused &= error == ECONNREFUSED;
	dial_drop(dial, i);
	return IO_AGAIN;
}

/* Begins the next address. */
static enum io
dial_begin(struct dial *dial, int64_t now)
{
	const struct dial_config *config = dial->config;
	const struct address *to = &dial->resolve.addresses[dial->next++];
	struct fault fault = FAULT_NONE;
	int protocol, fd = -1;

	dial->next_at = clock_after(now, DIAL_STAGGER);
	if (transport_protocol(config->transport, &protocol))
		fd = sys_socket(to->storage.ss_family, config->transport->type, protocol);
	if (fd == -1) {
		dial_note(dial, to, dial_status(errno), strerror(errno));
		dial->refused = false;
		return IO_AGAIN;
	}
	if (!sockopt_apply(config->options, fd, SOCKOPT_DIALLING, true, &fault)) {
		dial_note(dial, to, fault.status, fault.text != NULL ? fault.text : "");
		dial->refused = false;
		fault_clear(&fault);
		(void)sys_close(&fd);
		return IO_AGAIN;
	}
	struct address local = dial_local(config, to);
	if (!dial_bind(dial, fd, &local, to)) {
		int error = errno;
		char *shown = address_print(&local);
		(void)fault_set(&fault, STATUS_BIND, error, "bind %s", shown != NULL ? shown : "?");
		dial_note(dial, to, STATUS_BIND, fault.text != NULL ? fault.text : "");
		dial->refused = false;
		fault_clear(&fault);
		free(shown);
		(void)sys_close(&fd);
		return IO_AGAIN;
	}
	dial->attempts[dial->count] =
		(struct dial_attempt){ .address = to, .fd = fd, .entry = INTEREST_NONE };
	return dial_connect(dial, dial->count++, now);
}

/* Begins addresses until one is under way and has its time, or none is left. */
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
	if (!fault_is_set(fault))
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

/* Takes the connection that is there already. */
static enum io
dial_adopt(struct dial *dial, struct fault *fault)
{
	int fd = dial->config->inherited;
	dial->peer.length = dial->own.length = sizeof dial->peer.storage;
	if (getpeername(fd, (struct sockaddr *)&dial->peer.storage, &dial->peer.length) == -1 ||
		getsockname(fd, (struct sockaddr *)&dial->own.storage, &dial->own.length) == -1) {
		(void)fault_set(fault, STATUS_VALUE, errno, "descriptor %d", fd);
		return IO_FAIL;
	}
	if (!sockopt_apply(dial->config->options, fd, SOCKOPT_DIALLING, true, fault))
		return IO_FAIL;
	dial->name = address_print(&dial->peer);
	if (dial->name == NULL) {
		(void)fault_set(fault, STATUS_MEMORY, ENOMEM, "descriptor %d", fd);
		return IO_FAIL;
	}
	dial->fd = fd;
	dial->state = DIAL_CONNECTED;
	return IO_OK;
}

enum io
dial_start(struct dial *dial, const struct dial_config *config, int64_t now, struct fault *fault)
{
	*dial = (struct dial){ .config = config, .fd = -1, .refused = true };
	if (config->inherited != -1)
		return dial_adopt(dial, fault);
	dial->name = endpoint_print(&config->to);
	if (dial->name == NULL) {
		(void)fault_set(fault, STATUS_MEMORY, ENOMEM, "connect");
		return IO_FAIL;
	}
	enum io resolved = config->known != NULL
		? resolve_again(&dial->resolve, config->known, (uint16_t)config->to.port, fault)
		: resolve_start(&dial->resolve, &config->to, fault);
	return dial_resolved(dial, resolved, now, fault);
}

void
dial_ask(struct dial *dial, struct interest *interest)
{
	interest_until(interest, dial->config->deadline);
	if (dial->state == DIAL_RESOLVING) {
		resolve_ask(&dial->resolve, interest);
		return;
	}
	for (size_t i = 0; i < dial->count; i++) {
		struct dial_attempt *attempt = &dial->attempts[i];
		attempt->entry = INTEREST_NONE;
		if (attempt->again != 0)
			interest_until(interest, attempt->again);
		else
			attempt->entry = interest_ask(interest, attempt->fd, POLLOUT);
	}
	if (dial->next < dial->resolve.count)
		interest_until(interest, dial->next_at);
}

/* An attempt whose socket has become writable has succeeded, or failed with SO_ERROR. */
static enum io
dial_look(struct dial *dial, size_t i)
{
	struct dial_attempt *attempt = &dial->attempts[i];
	int error = 0;
	socklen_t size = sizeof error;
	if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1)
		error = errno;
	/* A reset belongs to a connection that was made: the peer may have said something before.
	 */
	bool made = error == 0 ||
		(dial->config->transport->tcp && (error == ECONNRESET || error == EPIPE));
	if (made) {
		dial->error = error;
		return dial_won(dial, i);
	}
	dial_note(dial, attempt->address, dial_status(error), strerror(error));
	dial->refused &= error == ECONNREFUSED;
	dial_drop(dial, i);
	return IO_AGAIN;
}

static enum io
dial_timed_out(struct dial *dial, struct fault *fault)
{
	if (dial->state == DIAL_RESOLVING)
		(void)fault_set(fault, STATUS_TIMEOUT, 0, "resolve %s: no answer in time",
			dial->config->to.host);
	else if (fault_is_set(&dial->failures))
		(void)fault_set(fault, STATUS_TIMEOUT, 0, "%s; no answer from %zu others in time",
			dial->failures.text != NULL ? dial->failures.text : "connect",
			dial->count + dial->resolve.count - dial->next);
	else
		(void)fault_set(
			fault, STATUS_TIMEOUT, 0, "connect %s: no answer in time", dial->name);
	return IO_FAIL;
}

enum io
dial_step(struct dial *dial, const struct interest *interest, int64_t now, struct fault *fault)
{
	enum io result = IO_AGAIN;
	if (dial->state == DIAL_RESOLVING) {
		result = resolve_step(&dial->resolve, &dial->config->to, interest, fault);
		result = dial_resolved(dial, result, now, fault);
	} else {
		/* Backwards: what is dropped is replaced by one that was looked at already. */
		for (size_t i = dial->count; i-- > 0 && result == IO_AGAIN;) {
			const struct dial_attempt *attempt = &dial->attempts[i];
			if (attempt->again != 0 && attempt->again <= now)
				result = dial_connect(dial, i, now);
			else if (interest_fired(interest, attempt->entry))
				result = dial_look(dial, i);
		}
		if (result == IO_AGAIN)
			result = dial_advance(dial, now, fault);
	}
	if (result == IO_AGAIN && now >= dial->config->deadline)
		return dial_timed_out(dial, fault);
	return result;
}

enum io
dial_refused(struct dial *dial, int error, int64_t now, struct fault *fault)
{
	dial_note(dial, &dial->peer, dial_status(error), strerror(error));
	dial->refused &= error == ECONNREFUSED;
	(void)sys_close(&dial->fd);
	dial->state = DIAL_CONNECTING;
	return dial_advance(dial, now, fault);
}

void
dial_close(struct dial *dial)
{
	if (dial->config == NULL)
		return;
	socketfile_remove(&dial->file);
	while (dial->count > 0)
		dial_drop(dial, 0);
	(void)sys_close(&dial->fd);
	resolve_close(&dial->resolve);
	fault_clear(&dial->failures);
	free(dial->name);
	*dial = (struct dial){ .config = NULL, .fd = -1 };
}
