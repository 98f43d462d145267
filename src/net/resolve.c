/* Name resolution; see resolve.h. */
#include "net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sys/sys.h"

/* Shared by the loop and the thread; the second to set `left` frees it. */
struct resolve_job {
	char *host;
	struct addrinfo hints, *found;
	int result, error;
	int done;         /* the write end of a pipe; closing it wakes the loop */
	atomic_bool left; /* the loop or the thread has finished with the job */
};

/* Look-ups whose result has not been taken, and those of them that were abandoned. */
static atomic_size_t resolve_pending, resolve_left;

size_t
resolve_lookups(void)
{
	return atomic_load(&resolve_pending);
}

size_t
resolve_abandoned(void)
{
	return atomic_load(&resolve_left);
}

static void
resolve_free_job(struct resolve_job *job)
{
	if (job->found != NULL)
		freeaddrinfo(job->found);
	(void)sys_close(&job->done);
	free(job->host);
	free(job);
	atomic_fetch_sub(&resolve_pending, 1);
}

static void *
resolve_thread(void *argument)
{
	struct resolve_job *job = argument;
	job->result = getaddrinfo(job->host, NULL, &job->hints, &job->found);
	job->error = errno;
	/* Close the write end last, as that wakes the loop; copy it first, as the loop may free the
	 * job once `left` is set. */
	int done = job->done;
	job->done = -1;
	bool abandoned = atomic_exchange(&job->left, true);
	(void)sys_close(&done);
	if (abandoned) {
		resolve_free_job(job);
		atomic_fetch_sub(&resolve_left, 1);
	}
	return NULL;
}

static bool
resolve_add(struct resolve *resolve, const struct sockaddr *from, socklen_t length, uint32_t port)
{
	struct address *address = &resolve->addresses[resolve->count];
	if (length > sizeof address->storage)
		return false;
	memset(address, 0, sizeof *address);
	memcpy(&address->storage, from, length);
	address->length = length;
	address_set_port(address, (uint16_t)port);
	/* Skip duplicate addresses. */
	for (size_t i = 0; i < resolve->count; i++)
		if (address_equal(&resolve->addresses[i], address))
			return true;
	resolve->count++;
	return true;
}

/* The next entry of the family or, unless `same`, of another one. */
static const struct addrinfo *
resolve_next(const struct addrinfo *entry, int family, bool same)
{
	while (entry != NULL && (entry->ai_family == family) != same)
		entry = entry->ai_next;
	return entry;
}

/*
 * Copies the addresses in the system's order, but with alternating families (RFC 8305, section 4),
 * so that a broken family costs little time.
 */
static enum io
resolve_take(struct resolve *resolve, const struct addrinfo *found, const struct endpoint *endpoint,
	struct fault *fault)
{
	int first = found != NULL ? found->ai_family : AF_UNSPEC;
	const struct addrinfo *turn = resolve_next(found, first, true);
	const struct addrinfo *other = resolve_next(found, first, false);
	bool same = true;

	resolve->addresses = calloc(RESOLVE_MAX, sizeof *resolve->addresses);
	if (resolve->addresses == NULL)
		return IO_FAULT(fault, STATUS_MEMORY, ENOMEM, "resolve %s", endpoint->host);
	while (turn != NULL || other != NULL) {
		if (turn != NULL) {
			if (resolve->count == RESOLVE_MAX)
				resolve->left_out++;
			else
				(void)resolve_add(
					resolve, turn->ai_addr, turn->ai_addrlen, endpoint->port);
			turn = resolve_next(turn->ai_next, first, same);
		}
		const struct addrinfo *swap = turn;
		turn = other;
		other = swap;
		same = !same;
	}
	if (resolve->count > 0)
		return IO_OK;
	return IO_FAULT(fault, resolve_status(endpoint), 0, "resolve %s%s: no address",
		endpoint_role(endpoint), endpoint->host);
}

static enum io
resolve_finish(struct resolve *resolve, int result, int error, const struct addrinfo *found,
	const struct endpoint *endpoint, struct fault *fault)
{
	if (result == 0)
		return resolve_take(resolve, found, endpoint, fault);
	if (result == EAI_SYSTEM)
		return IO_FAULT(fault, resolve_status(endpoint), error, "resolve %s%s",
			endpoint_role(endpoint), endpoint->host);
	return IO_FAULT(fault, result == EAI_MEMORY ? STATUS_MEMORY : resolve_status(endpoint), 0,
		"resolve %s%s: %s", endpoint_role(endpoint), endpoint->host, gai_strerror(result));
}

static enum io
resolve_start_thread(struct resolve *resolve, const struct endpoint *endpoint,
	const struct addrinfo *hints, struct fault *fault)
{
	int ends[2] = { -1, -1 };
	struct resolve_job *job = calloc(1, sizeof *job);
	if (job == NULL)
		goto fail;
	atomic_fetch_add(&resolve_pending, 1);
	job->hints = *hints;
	job->done = -1;
	job->host = strdup(endpoint->host);
	if (job->host == NULL || !sys_pipe(ends))
		goto fail_job;
	job->done = ends[1];
	if (!sys_start_thread(resolve_thread, job, NULL))
		goto fail_pipe;
	resolve->job = job;
	resolve->fd = ends[0];
	return IO_AGAIN;

fail_pipe:
	(void)sys_close(&ends[0]);
fail_job:
	resolve_free_job(job);
fail:
	return IO_FAULT(fault, STATUS_MEMORY, errno, "resolve %s", endpoint->host);
}

enum io
resolve_start(struct resolve *resolve, const struct endpoint *endpoint, struct fault *fault)
{
	*resolve = (struct resolve){ .fd = -1, .entry = POLLSET_NONE };
	if (endpoint->names != TRANSPORT_INET) {
		resolve->addresses = calloc(1, sizeof *resolve->addresses);
		if (resolve->addresses == NULL)
			return IO_FAULT(fault, STATUS_MEMORY, ENOMEM, "resolve");
		if (!endpoint_address(endpoint, resolve->addresses))
			return IO_FAULT(fault, STATUS_MISSING, errno, "address of %s",
				endpoint->host != NULL ? endpoint->host : "*");
		resolve->count = 1;
		return IO_OK;
	}
	/* Any type, to get one entry per address. */
	struct addrinfo hints = {
		.ai_family = endpoint->family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = endpoint->numeric ? AI_NUMERICHOST : 0,
	};
	if (!endpoint->numeric)
		return resolve_start_thread(resolve, endpoint, &hints, fault);
	struct addrinfo *found = NULL;
	int result = getaddrinfo(endpoint->host, NULL, &hints, &found);
	enum io done = resolve_finish(resolve, result, errno, found, endpoint, fault);
	if (found != NULL)
		freeaddrinfo(found);
	return done;
}

enum io
resolve_again(
	struct resolve *resolve, const struct resolve *found, uint16_t port, struct fault *fault)
{
	*resolve = (struct resolve){
		.fd = -1,
		.entry = POLLSET_NONE,
		.count = found->count,
		.left_out = found->left_out,
		.addresses = calloc(found->count, sizeof *resolve->addresses),
	};
	if (resolve->addresses == NULL)
		return IO_FAULT(fault, STATUS_MEMORY, ENOMEM, "resolve");
	for (size_t i = 0; i < found->count; i++) {
		resolve->addresses[i] = found->addresses[i];
		address_set_port(&resolve->addresses[i], port);
	}
	return IO_OK;
}

void
resolve_ask(struct resolve *resolve, struct pollset *pollset)
{
	resolve->entry = pollset_ask(pollset, resolve->fd, POLLIN);
}

enum io
resolve_step(struct resolve *resolve, const struct endpoint *endpoint,
	const struct pollset *pollset, struct fault *fault)
{
	return pollset_fired(pollset, resolve->entry) ? resolve_look(resolve, endpoint, fault)
						      : IO_AGAIN;
}

enum io
resolve_look(struct resolve *resolve, const struct endpoint *endpoint, struct fault *fault)
{
	struct resolve_job *job = resolve->job;
	if (!atomic_load(&job->left))
		return IO_AGAIN;
	enum io done =
		resolve_finish(resolve, job->result, job->error, job->found, endpoint, fault);
	resolve->job = NULL;
	resolve_free_job(job);
	(void)sys_close(&resolve->fd);
	return done;
}

void
resolve_close(struct resolve *resolve)
{
	if (resolve->job != NULL) {
		if (atomic_exchange(&resolve->job->left, true))
			resolve_free_job(resolve->job);
		else
			atomic_fetch_add(&resolve_left, 1);
		(void)sys_close(&resolve->fd);
	}
	free(resolve->addresses);
	*resolve = (struct resolve){ .fd = -1, .entry = POLLSET_NONE };
}
