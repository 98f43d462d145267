/* From the command line to a plan; see command.h. */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "cli/help.h"
#include "cli/options.h"
#include "mode/mode.h"
#include "net/resolve.h"
#include "sys/sys.h"

#define COMMAND_WAIT (30 * CLOCK_SECOND)
#define COMMAND_LINGER (10 * CLOCK_SECOND)

/* A datagram peer has no end; without -q so much silence after our own is one. */
#define COMMAND_SILENCE (2 * CLOCK_SECOND)

static const struct transport *
command_transport(const struct options *options, struct fault *fault)
{
	int protocol = -1;
	if (options_has(options, OPTION_mptcp))
		protocol = SYS_MPTCP;
	else if (options_has(options, OPTION_sctp))
		protocol = SYS_SCTP;
	else if (options_has(options, OPTION_udplite))
		protocol = SYS_UDPLITE;
	enum transport_names names = options_has(options, OPTION_unixsock) ? TRANSPORT_UNIX
		: options_has(options, OPTION_vsock)                       ? TRANSPORT_VSOCK
									   : TRANSPORT_INET;
	const struct transport *transport = transport_find(names,
		options_has(options, OPTION_udp) || options_has(options, OPTION_udplite),
		options_has(options, OPTION_seqpacket), protocol);
	if (transport == NULL)
		(void)fault_set(fault, STATUS_USAGE, 0, "options: there is no such transport");
	return transport;
}

/* Sorts the operands: where they stand tells what they are. NULL: not given. */
static bool
command_operands(
	const struct options *options, bool listen, char **host, char **port, struct fault *fault)
{
	char **operands = options->operands;
	int count = options->operand_count;
	bool has_port = listen && options_has(options, OPTION_source_port);
	bool has_host = listen && options_has(options, OPTION_source);
	*host = has_host ? (char *)(uintptr_t)options->text[OPTION_source] : NULL;
	*port = has_port ? (char *)(uintptr_t)options->text[OPTION_source_port] : NULL;

	int most = 2 - has_host - has_port;
	if (count > most)
		return fault_set(fault, STATUS_USAGE, 0, "argument '%s': it is one too many",
			operands[most]);
	if (!listen && count < 2)
		return fault_set(fault, STATUS_USAGE, 0,
			count == 0 ? "arguments: a host and a port are missing (see --help)"
				   : "arguments: a port is missing (see --help)");
	if (listen && count == 0 && !has_port)
		return fault_set(
			fault, STATUS_USAGE, 0, "arguments: a port is missing (see --help)");
	if (!has_port)
		*port = operands[--count];
	if (count > 0)
		*host = operands[0];
	return true;
}

static bool
command_path(struct plan *plan, const struct options *options, bool listen, struct fault *fault)
{
	const char *source = options->text[OPTION_source];
	bool listen_there = listen && source != NULL;
	int wanted = listen_there ? 0 : 1;
	if (options->operand_count > wanted)
		return fault_set(fault, STATUS_USAGE, 0, "argument '%s': it is one too many",
			options->operands[wanted]);
	if (options->operand_count < wanted)
		return fault_set(
			fault, STATUS_USAGE, 0, "arguments: a path is missing (see --help)");
	if (source != NULL && !listen) {
		struct endpoint local = { .names = TRANSPORT_UNIX };
		if (!endpoint_set_path(&local, source, fault))
			return false;
		if (!endpoint_address(&local, &plan->local))
			return fault_set(
				fault, STATUS_VALUE, errno, "option --source '%s'", source);
	}
	return endpoint_set_path(
		&plan->endpoint, listen_there ? source : options->operands[0], fault);
}

/* The local address of a connection: an address, no name, so that it is there at once. */
static bool
command_local(struct plan *plan, const struct options *options, struct fault *fault)
{
	struct endpoint local = { .names = TRANSPORT_INET, .family = plan->endpoint.family };
	char *source = (char *)(uintptr_t)options->text[OPTION_source];
	const char *port = options->text[OPTION_source_port];
	struct resolve resolve;
	if (port != NULL && !endpoint_set_port(&local, port, plan->transport, fault))
		return false;
	plan->local_port = (uint16_t)local.port;
	if (source == NULL)
		return true;
	if (!endpoint_set_host(&local, source, true, fault))
		return false;
	if (plan->endpoint.numeric &&
		(strchr(local.host, ':') != NULL) != (strchr(plan->endpoint.host, ':') != NULL))
		return fault_set(fault, STATUS_BIND, 0,
			"bind %s: %s is an address of the other family", local.host,
			plan->endpoint.host);
	enum io found = resolve_start(&resolve, &local, fault);
	if (found == IO_OK) {
		plan->local = resolve.addresses[0];
		plan->endpoint.family = plan->local.storage.ss_family;
	}
	resolve_close(&resolve);
	return found == IO_OK;
}

static bool
command_endpoint(struct plan *plan, const struct options *options, bool listen, struct fault *fault)
{
	struct endpoint *endpoint = &plan->endpoint;
	char *host, *port;
	endpoint->names = plan->transport->names;
	endpoint->family = options_has(options, OPTION_ipv4) ? AF_INET
		: options_has(options, OPTION_ipv6)          ? AF_INET6
							     : AF_UNSPEC;
	if (endpoint->names == TRANSPORT_UNIX)
		return command_path(plan, options, listen, fault);
	if (!command_operands(options, listen, &host, &port, fault))
		return false;
	if (endpoint->names == TRANSPORT_VSOCK)
		return endpoint_set_vsock(endpoint, host, port, fault);
	if (host != NULL &&
		!endpoint_set_host(endpoint, host, options_has(options, OPTION_nodns), fault))
		return false;
	if (!endpoint_set_port(endpoint, port, plan->transport, fault))
		return false;
	if (listen)
		return true;
	if (endpoint->port == 0)
		return fault_set(fault, STATUS_VALUE, 0, "port '0': nobody can listen there");
	return command_local(plan, options, fault);
}

static int64_t
command_time(const struct options *options, enum option_id option, int64_t otherwise)
{
	return options_has(options, option) ? options->value[option] : otherwise;
}

static void
command_times(struct plan *plan, const struct options *options, bool listen)
{
	bool datagrams = !plan->transport->connected;
	int64_t limits = command_time(options, OPTION_limits, CLOCK_NEVER);
	int64_t wait = limits != CLOCK_NEVER ? limits : COMMAND_WAIT;
	plan->wait = command_time(options, OPTION_wait, wait);
	plan->idle = command_time(options, OPTION_idle_timeout, limits);
	plan->linger = command_time(options, OPTION_linger, COMMAND_LINGER);
	plan->quit_after = command_time(
		options, OPTION_quit_after, datagrams && !listen ? COMMAND_SILENCE : CLOCK_NEVER);
	/* nc's -q 0 and -N mean the same on a stream: the reply is awaited. */
	if (plan->quit_after == 0 && !datagrams)
		plan->quit_after = CLOCK_NEVER;
}

static bool
command_session(
	struct plan *plan, const struct options *options, bool input_closed, struct fault *fault)
{
	static const enum plan_until untils[] = { PLAN_UNTIL_BOTH, PLAN_UNTIL_PEER,
		PLAN_UNTIL_INPUT, PLAN_UNTIL_EITHER };
	plan->no_input =
		options_has(options, OPTION_no_stdin) || options_has(options, OPTION_recv_only);
	plan->no_output = options_has(options, OPTION_send_only);
	plan->no_shutdown = options_has(options, OPTION_no_shutdown);
	plan->keep_open = options_has(options, OPTION_keep_open);
	plan->raw = options_has(options, OPTION_raw);
	plan->verbose = options->count[OPTION_verbose];
	if (options_has(options, OPTION_until))
		plan->until = untils[options->value[OPTION_until]];
	plan->sockopt.receive_buffer = (int)options->value[OPTION_rcvbuf];
	plan->sockopt.send_buffer = (int)options->value[OPTION_sndbuf];
	plan->ready_fd = -1;
	if (options_has(options, OPTION_ready_fd)) {
		plan->ready_fd = (int)options->value[OPTION_ready_fd];
		if (fcntl(plan->ready_fd, F_GETFD) == -1)
			return fault_set(fault, STATUS_VALUE, errno, "option --ready-fd '%d'",
				plan->ready_fd);
	}
	/* There is nothing else to such a session than its input. */
	if (plan->no_output && input_closed)
		return fault_set(fault, STATUS_INPUT, EBADF, "read standard input");
	return true;
}

enum command
command_parse(struct plan *plan, int argc, char *argv[], bool input_closed, struct fault *fault)
{
	struct options options;
	*plan = (struct plan){ .until = PLAN_UNTIL_DEFAULT };
	if (!options_parse(&options, argc, argv, fault))
		return COMMAND_BAD;
	if (options_has(&options, OPTION_help))
		return help_show(fault) ? COMMAND_DONE : COMMAND_BAD;
	if (options_has(&options, OPTION_version))
		return help_show_version(fault) ? COMMAND_DONE : COMMAND_BAD;

	bool listen = options_has(&options, OPTION_listen);
	plan->mode = listen                           ? &listen_mode
		: options_has(&options, OPTION_probe) ? &probe_mode
						      : &connect_mode;
	plan->transport = command_transport(&options, fault);
	if (plan->transport == NULL || !command_endpoint(plan, &options, listen, fault) ||
		!command_session(plan, &options, input_closed, fault))
		return COMMAND_BAD;
	command_times(plan, &options, listen);
	return COMMAND_RUN;
}
