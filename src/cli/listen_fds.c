/* Inherited sockets; see listen_fds.h. */
#include "cli/listen_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/parse.h"
#include "engine/service.h"
#include "net/endpoint.h"
#include "net/transport.h"
#include "stream/stdio.h"
#include "mode/mode.h"
#include "sys/sys.h"

/* SD_LISTEN_FDS_START */
#define LISTEN_FDS_FIRST (STDERR_FILENO + 1)

void
listen_fds_look(struct listen_fds *passed)
{
	const char *process = getenv("LISTEN_PID");
	uint64_t number;
	*passed = (struct listen_fds){ .count = NULL };
	/* The variables may be inherited from a parent that they were set for. */
	if (process == NULL || parse_count(process, INT32_MAX, &number) != PARSE_OK ||
		number != (uint64_t)getpid())
		return;
	passed->count = getenv("LISTEN_FDS");
	passed->names = getenv("LISTEN_FDNAMES");
	if (passed->count != NULL && parse_count(passed->count, 0, &number) == PARSE_OK)
		passed->count = NULL;
}

/* Implies the options of the socket's transport; fails if given options contradict it. */
static bool
listen_fds_imply(struct options *options, const struct transport *transport, const char *as,
	struct fault *fault)
{
	const struct {
		enum option_id option;
		bool is;
	} kinds[] = {
		{ OPTION_unixsock, transport->names == TRANSPORT_UNIX },
		{ OPTION_vsock, transport->names == TRANSPORT_VSOCK },
		{ OPTION_udplite, transport->protocol == SYS_UDPLITE },
		{ OPTION_udp, !transport->connected },
		{ OPTION_seqpacket, transport->connected && transport->message_max > 0 },
		{ OPTION_sctp, transport->protocol == SYS_SCTP },
	};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		enum option_id option = kinds[i].option;
		if (!kinds[i].is && options_has(options, option))
			return fault_set(fault, STATUS_USAGE, 0, "'%s' conflicts with --%s", as,
				option_rows[option].name);
		/* OPTION_udp, implied for UDP-Lite too, conflicts with OPTION_udplite. */
		if (kinds[i].is && option != OPTION_udplite && !options_has(options, option))
			options_imply(options, option, as);
	}
	return true;
}

/* Whether a datagram socket is bound. */
static bool
listen_fds_is_bound(int fd)
{
	struct address own;
	if (!address_of_socket(&own, fd))
		return false;
	if (own.any.sa_family == AF_UNIX)
		return own.length > offsetof(struct sockaddr_un, sun_path);
	return address_port(&own) != 0 ||
		(own.any.sa_family != AF_INET && own.any.sa_family != AF_INET6);
}

/* Whether the socket has a peer. */
static bool
listen_fds_is_connected(int fd)
{
	return getpeername(fd, NULL, NULL) == 0 || errno == EFAULT;
}

/* Why a socket cannot be used for listening or, unless `listen`, as a connection; NULL: it can.
 * With -l but without -k a connection can be used, too: it has been accepted already. */
static const char *
listen_fds_fault(
	int fd, const struct transport *transport, const struct options *options, bool listens)
{
	bool listen = options_has(options, OPTION_listen);
	if (transport == NULL)
		return "not a supported socket";
	if (!listen)
		return listens ? "the socket is listening; use -l" : NULL;
	if (!transport->connected)
		return listen_fds_is_connected(fd) ? "the socket is connected; omit -l"
			: listen_fds_is_bound(fd)  ? NULL
						   : "the socket is not bound";
	if (listens)
		return NULL;
	if (!listen_fds_is_connected(fd))
		return "the socket is not listening";
	return options_has(options, OPTION_keep_open) ? "the socket is connected, which conflicts "
							"with -k"
						      : NULL;
}

/* Adds a socket to the config. */
static bool
listen_fds_add(struct config *config, const struct options *options, int fd, bool passed,
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
	const char *wrong = listen_fds_fault(fd, transport, options, listens);
	/* A connection that was reset has no peer, but a pending error. */
	int error = wrong != NULL && listen && transport != NULL && transport->connected
		? transport_pending_error(fd)
		: 0;
	if (error != 0)
		return fault_set(fault, STATUS_RECEIVE, error, "%s", name);
	if (wrong != NULL)
		return fault_set(fault, status, 0, "%s: %s", name, wrong);
	bool accepted = listen && transport->connected && !listens;
	if (config->listen_fds_count > 0 && (accepted || config->accepted))
		return fault_set(fault, status, 0,
			"%s: a connection has to be the only socket that is passed", name);
	config->accepted = accepted;
	if (config->listen_fds_count > 0 && transport != config->transport)
		return fault_set(fault, status, 0, "%s: another kind of socket than descriptor %d",
			name, config->inherited[0]);
	config->transport = transport;
	config->inherited[config->listen_fds_count++] = fd;
	return true;
}

/* Adds the passed sockets with that name; NULL: all. */
static bool
listen_fds_add_passed(struct config *config, const struct options *options,
	const struct listen_fds *passed, const char *name, struct fault *fault)
{
	uint64_t count;
	if (parse_count(passed->count, RESOLVE_MAX, &count) != PARSE_OK)
		return fault_set(fault, STATUS_LISTEN, 0,
			"invalid LISTEN_FDS '%s': expected a number from 1 to %d", passed->count,
			RESOLVE_MAX);
	const char *at = passed->names;
	for (int i = 0; i < (int)count; i++) {
		size_t length = at != NULL ? strcspn(at, ":") : 0;
		bool wanted = name == NULL ||
			(at != NULL && strlen(name) == length && strncmp(at, name, length) == 0);
		if (wanted && !listen_fds_add(config, options, LISTEN_FDS_FIRST + i, true, fault))
			return false;
		if (at != NULL)
			at = at[length] == ':' ? at + length + 1 : NULL;
	}
	return true;
}

static bool
listen_fds_add_named(struct config *config, const struct options *options, const char *text,
	const struct listen_fds *passed, struct fault *fault)
{
	uint64_t number;
	if (parse_count(text, INT32_MAX, &number) == PARSE_OK &&
		(number == STDIN_FILENO || number > STDERR_FILENO))
		return listen_fds_add(config, options, (int)number, false, fault);
	if (text[strspn(text, "0123456789")] != '\0' && passed->count != NULL &&
		!listen_fds_add_passed(config, options, passed, text, fault))
		return false;
	if (config->listen_fds_count > 1 && !options_has(options, OPTION_listen))
		return fault_set(fault, STATUS_VALUE, 0,
			"endpoint 'fd://%s': %zu descriptors have this name", text,
			config->listen_fds_count);
	return config->listen_fds_count > 0 ||
		fault_set(fault, STATUS_VALUE, 0,
			"endpoint 'fd://%s': expected a descriptor (0, or from 3) or a name in "
			"LISTEN_FDNAMES",
			endpoint_public(text));
}

/* Keeps the endpoint for messages. */
static bool
listen_fds_name(struct config *config, const char *text, struct fault *fault)
{
	const char *shown = endpoint_public(text);
	size_t size = strlen(shown) + sizeof "fd://";
	config->listen_fds_name = malloc(size);
	if (config->listen_fds_name == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "endpoint 'fd://%s'", shown);
	(void)snprintf(config->listen_fds_name, size, "fd://%s", shown);
	return true;
}

bool
listen_fds_config(struct config *config, struct options *options, const struct operands *operands,
	const struct listen_fds *passed, struct fault *fault)
{
	if (operands->passed) {
		if (!listen_fds_add_passed(config, options, passed, NULL, fault))
			return false;
	} else if (operands->descriptor == NULL) {
		return true;
	} else if (!listen_fds_name(config, operands->descriptor, fault) ||
		!listen_fds_add_named(config, options, operands->descriptor, passed, fault)) {
		return false;
	}
	return listen_fds_imply(
		options, config->transport, operands->passed ? "LISTEN_FDS" : "fd://", fault);
}

bool
listen_fds_settle(struct config *config, struct fault *fault)
{
	static const char *const variables[] = { "LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS",
		"LISTEN_FDNAMES", "NOTIFY_SOCKET" };
	const char *notify = getenv("NOTIFY_SOCKET");
	/* They are for the program that replaces the process. */
	if (config->mode->replace != NULL)
		return true;
	if (notify != NULL && notify[0] != '\0') {
		config->notify = strdup(notify);
		if (config->notify == NULL)
			return fault_set(fault, STATUS_MEMORY, ENOMEM, "NOTIFY_SOCKET");
	}
	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
		(void)unsetenv(variables[i]);
	if (config->listen_fds_count == 0 || config->inherited[0] != STDIN_FILENO)
		return true;
	if (config->service->local == SERVICE_STDIO)
		return fault_set(fault, STATUS_USAGE, 0,
			"endpoint 'fd://0': standard input is the socket; requires a service "
			"(--to, -e, --echo ...)");
	config->inherited[0] = stdio_take_input();
	return config->inherited[0] != -1 ||
		fault_set(fault, transport_status(errno, STATUS_VALUE), errno, "endpoint 'fd://0'");
}
