/* Sockets that are there already; see inherited.h. */
#include "cli/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/parse.h"
#include "mode/service.h"
#include "net/endpoint.h"
#include "net/transport.h"
#include "stream/stdio.h"
#include "sys/sys.h"

/* The first of the descriptors that are passed. */
#define INHERITED_FIRST (STDERR_FILENO + 1)

void
inherited_look(struct inherited *passed)
{
	const char *process = getenv("LISTEN_PID");
	uint64_t number;
	*passed = (struct inherited){ .count = NULL };
	/* They may be meant for a parent, which has left the variables as they were. */
	if (process == NULL || parse_count(process, INT32_MAX, &number) != PARSE_OK ||
		number != (uint64_t)getpid())
		return;
	passed->count = getenv("LISTEN_FDS");
	passed->names = getenv("LISTEN_FDNAMES");
	if (passed->count != NULL && strcmp(passed->count, "0") == 0)
		passed->count = NULL;
}

/* What a socket is counts as if the options had said it. */
static void
inherited_imply(struct options *options, const struct transport *transport, const char *as)
{
	if (transport->names == TRANSPORT_UNIX)
		options_imply(options, OPTION_unixsock, as);
	if (transport->names == TRANSPORT_VSOCK)
		options_imply(options, OPTION_vsock, as);
	if (!transport->connected)
		options_imply(options, OPTION_udp, as);
	if (transport->connected && transport->message_max > 0)
		options_imply(options, OPTION_seqpacket, as);
	if (transport->protocol == SYS_SCTP)
		options_imply(options, OPTION_sctp, as);
}

/* Whether a datagram socket has an address at which it can be reached. */
static bool
inherited_is_bound(int fd)
{
	struct address own = { .length = sizeof own.storage };
	if (getsockname(fd, (struct sockaddr *)&own.storage, &own.length) == -1)
		return false;
	if (own.storage.ss_family == AF_UNIX)
		return own.length > offsetof(struct sockaddr_un, sun_path);
	return address_port(&own) != 0 ||
		(own.storage.ss_family != AF_INET && own.storage.ss_family != AF_INET6);
}

/* What is wrong with a socket that is to be listened on, or not; NULL if nothing is. */
static const char *
inherited_fault(int fd, const struct transport *transport, bool listen, bool listens)
{
	if (transport == NULL)
		return "it is no socket that can be used";
	if (transport->connected && listens != listen)
		return listens ? "it listens; write -l" : "it does not listen";
	if (!listen)
		return NULL;
	if (getpeername(fd, NULL, NULL) == 0 || errno == EFAULT)
		return "it is connected; leave out -l";
	return transport->connected || inherited_is_bound(fd) ? NULL : "it is not bound";
}

/* Takes one of them. */
static bool
inherited_add(struct plan *plan, const struct options *options, int fd, bool passed,
	struct fault *fault)
{
	bool listen = options_has(options, OPTION_listen), listens = false;
	enum status status = passed && listen ? STATUS_LISTEN : STATUS_VALUE;
	char name[64];
	(void)snprintf(
		name, sizeof name, passed ? "LISTEN_FDS: descriptor %d" : "endpoint 'fd://%d'", fd);
	if (fcntl(fd, F_GETFD) == -1)
		return fault_set(fault, status, errno, "%s", name);
	const struct transport *transport = transport_of_socket(fd, &listens);
	const char *wrong = inherited_fault(fd, transport, listen, listens);
	if (wrong != NULL)
		return fault_set(fault, status, 0, "%s: %s", name, wrong);
	if (plan->inherited_count > 0 && transport != plan->transport)
		return fault_set(fault, status, 0, "%s: it is of another kind than descriptor %d",
			name, plan->inherited[0]);
	plan->transport = transport;
	plan->inherited[plan->inherited_count++] = fd;
	return true;
}

/* Takes those that are named so; NULL: all. */
static bool
inherited_add_passed(struct plan *plan, const struct options *options,
	const struct inherited *passed, const char *name, struct fault *fault)
{
	uint64_t count;
	if (parse_count(passed->count, RESOLVE_MAX, &count) != PARSE_OK)
		return fault_set(fault, STATUS_LISTEN, 0,
			"LISTEN_FDS '%s': it has to be a number from 1 to %d", passed->count,
			RESOLVE_MAX);
	const char *at = passed->names;
	for (int i = 0; i < (int)count; i++) {
		size_t length = at != NULL ? strcspn(at, ":") : 0;
		bool wanted = name == NULL ||
			(at != NULL && strlen(name) == length && strncmp(at, name, length) == 0);
		if (wanted && !inherited_add(plan, options, INHERITED_FIRST + i, true, fault))
			return false;
		if (at != NULL)
			at = at[length] == ':' ? at + length + 1 : NULL;
	}
	return true;
}

static bool
inherited_add_named(struct plan *plan, const struct options *options, const char *text,
	const struct inherited *passed, struct fault *fault)
{
	uint64_t number;
	if (parse_count(text, INT32_MAX, &number) == PARSE_OK &&
		(number == STDIN_FILENO || number > STDERR_FILENO))
		return inherited_add(plan, options, (int)number, false, fault);
	if (text[strspn(text, "0123456789")] != '\0' && passed->count != NULL &&
		!inherited_add_passed(plan, options, passed, text, fault))
		return false;
	if (plan->inherited_count > 1 && !options_has(options, OPTION_listen))
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint 'fd://%s': %zu descriptors have this name", text,
			plan->inherited_count);
	return plan->inherited_count > 0 ||
		fault_set(fault, STATUS_VALUE, 0,
			"endpoint 'fd://%s': it has to be a descriptor's number, from 3, or 0, or a "
			"name in LISTEN_FDNAMES",
			endpoint_public(text));
}

bool
inherited_plan(struct plan *plan, struct options *options, const struct operands *operands,
	const struct inherited *passed, struct fault *fault)
{
	if (operands->passed) {
		if (!inherited_add_passed(plan, options, passed, NULL, fault))
			return false;
	} else if (operands->descriptor == NULL) {
		return true;
	} else if (!inherited_add_named(plan, options, operands->descriptor, passed, fault)) {
		return false;
	}
	inherited_imply(options, plan->transport, operands->passed ? "LISTEN_FDS" : "fd://");
	return true;
}

bool
inherited_settle(struct plan *plan, struct fault *fault)
{
	static const char *const variables[] = { "LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS",
		"LISTEN_FDNAMES" };
	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
		(void)unsetenv(variables[i]);
	if (plan->inherited_count == 0 || plan->inherited[0] != STDIN_FILENO)
		return true;
	if (plan->service == &service_stdio)
		return fault_set(fault, STATUS_USAGE, 0,
			"endpoint 'fd://0': that is standard input; it needs something else to talk "
			"to (--to, -e, --echo ...)");
	plan->inherited[0] = stdio_take_input();
	return plan->inherited[0] != -1 ||
		fault_set(fault, transport_status(errno, STATUS_VALUE), errno, "endpoint 'fd://0'");
}
