/* From the command line to a plan; see command.h. */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parse.h"
#include "cli/frames.h"
#include "cli/help.h"
#include "cli/inherited.h"
#include "cli/operands.h"
#include "cli/options.h"
#include "cli/program.h"
#include "cli/target.h"
#include "mode/mode.h"
#include "mode/service.h"
#include "net/resolve.h"
#include "stream/chat.h"
#include "sys/sys.h"

#define COMMAND_WAIT (30 * CLOCK_SECOND)
/* A datagram peer of a listener for many is gone after so much silence. */
#define COMMAND_PEER (60 * CLOCK_SECOND)
#define COMMAND_LINGER (10 * CLOCK_SECOND)
#define COMMAND_CLIENTS 100
#define COMMAND_QUEUE ((size_t)1024 * 1024)

/* A datagram peer has no end; without -q so much silence after our own is one. */
#define COMMAND_SILENCE (2 * CLOCK_SECOND)

/* The context number of this machine for itself, VMADDR_CID_LOCAL. */
#define COMMAND_VSOCK_LOCAL "1"

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

static bool
command_path(struct plan *plan, const struct options *options, bool listen, const char *path,
	struct fault *fault)
{
	const char *source = options->text[OPTION_source];
	if (source != NULL && !listen) {
		struct endpoint local = { .names = TRANSPORT_UNIX };
		if (!endpoint_set_path(&local, source, fault))
			return false;
		if (!endpoint_address(&local, &plan->local))
			return fault_set(
				fault, STATUS_VALUE, errno, "option --source '%s'", source);
	}
	return endpoint_set_path(&plan->endpoint, path, fault);
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

/* The ports to probe. */
static bool
command_ports(struct plan *plan, const struct options *options, const struct operands *operands,
	struct fault *fault)
{
	for (int i = 0; i < operands->port_count; i++)
		if (!ports_add(&plan->ports, operands->ports[i], plan->transport, fault))
			return false;
	if (options_has(options, OPTION_random_ports))
		ports_shuffle(&plan->ports, (uint64_t)clock_now());
	plan->endpoint.port = plan->ports.list[0];
	return true;
}

static bool
command_host_and_port(struct plan *plan, const struct options *options, bool listen,
	const struct operands *operands, struct fault *fault)
{
	static char any6[] = "::";
	struct endpoint *endpoint = &plan->endpoint;
	char *host = operands->host;
	/* Who wants others to run something has to say so: where, or who. */
	bool named = options_has(options, OPTION_allow) || options_has(options, OPTION_allow_file);
	if (listen && host == NULL && !named && options_runs_program(options))
		endpoint->host = "localhost";
	if (listen && host != NULL && strcmp(host, "*") == 0)
		host = NULL;
	/* One socket for both families. */
	if (listen && host == NULL && options_has(options, OPTION_v6only) &&
		options->value[OPTION_v6only] != 0)
		host = any6;
	if (host != NULL &&
		!endpoint_set_host(endpoint, host, options_has(options, OPTION_nodns), fault))
		return false;
	if (options_has(options, OPTION_probe)) {
		if (!command_ports(plan, options, operands, fault))
			return false;
	} else if (!endpoint_set_port(endpoint, operands->ports[0], plan->transport, fault)) {
		return false;
	}
	if (listen)
		return true;
	if (endpoint->port == 0)
		return fault_set(fault, STATUS_VALUE, 0, "port '0': nobody can listen there");
	return command_local(plan, options, fault);
}

static bool
command_endpoint(struct plan *plan, const struct options *options, bool listen,
	const struct operands *operands, struct fault *fault)
{
	struct endpoint *endpoint = &plan->endpoint;
	if (plan->inherited_count > 0)
		return true;
	plan->transport = command_transport(options, fault);
	if (plan->transport == NULL)
		return false;
	endpoint->names = plan->transport->names;
	endpoint->family = options_has(options, OPTION_ipv4) ? AF_INET
		: options_has(options, OPTION_ipv6)          ? AF_INET6
							     : AF_UNSPEC;
	switch (endpoint->names) {
	case TRANSPORT_UNIX:
		return command_path(plan, options, listen, operands->path, fault);
	case TRANSPORT_VSOCK:
		if (operands->port_count > 1)
			return fault_set(fault, STATUS_USAGE, 0,
				"arguments: several ports cannot be probed with --vsock");
		return endpoint_set_vsock(endpoint,
			operands->host == NULL && options_runs_program(options)
				? COMMAND_VSOCK_LOCAL
				: operands->host,
			operands->ports[0], fault);
	case TRANSPORT_INET:
		break;
	}
	return command_host_and_port(plan, options, listen, operands, fault);
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
	/* A datagram probe waits for nothing but an answer. */
	if (datagrams && plan->mode == &probe_mode && limits == CLOCK_NEVER)
		wait = COMMAND_SILENCE;
	plan->wait = command_time(options, OPTION_wait, wait);
	/* With many, the silence of one is its end. */
	if (datagrams && options_has(options, OPTION_keep_open) && limits == CLOCK_NEVER)
		limits = COMMAND_PEER;
	plan->idle = command_time(options, OPTION_idle_timeout, limits);
	plan->accept_wait = command_time(options, OPTION_accept_timeout, CLOCK_NEVER);
	plan->grace = command_time(options, OPTION_grace, 0);
	plan->linger = command_time(options, OPTION_linger, COMMAND_LINGER);
	plan->quit_after = command_time(
		options, OPTION_quit_after, datagrams && !listen ? COMMAND_SILENCE : CLOCK_NEVER);
	plan->silence = command_time(options, OPTION_quit_after, COMMAND_SILENCE);
	/* nc's -q 0 and -N mean the same on a stream: the reply is awaited. */
	if (plan->quit_after == 0 && !datagrams)
		plan->quit_after = CLOCK_NEVER;
	plan->delay = command_time(options, OPTION_delay, 0);
}

static bool
command_sockopts(struct plan *plan, const struct options *options, struct fault *fault)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (option_rows[i].type == OPTION_FLAG && options->count[i] > 0 &&
			sockopt_is_one(option_rows[i].name) &&
			!sockopt_add(&plan->sockopts, option_rows[i].name, NULL, 1, fault))
			return false;
	for (size_t i = 0; i < options->given_count; i++) {
		const struct option_given *given = &options->given[i];
		const char *name = option_rows[given->option].name;
		if (sockopt_is_one(name) &&
			!sockopt_add(&plan->sockopts, name, given->text, given->value, fault))
			return false;
	}
	return true;
}

static const struct service *
command_service(const struct options *options)
{
	return options_has(options, OPTION_to)         ? &service_to
		: options_runs_program(options)        ? &service_program
		: options_has(options, OPTION_chat)    ? &service_chat
		: options_has(options, OPTION_broker)  ? &service_broker
		: options_has(options, OPTION_echo)    ? &service_echo
		: options_has(options, OPTION_discard) ? &service_discard
		: options_has(options, OPTION_chargen) ? &service_chargen
		: options_has(options, OPTION_daytime) ? &service_daytime
						       : &service_stdio;
}

static bool
command_access(struct plan *plan, const struct options *options, struct fault *fault)
{
	static const struct {
		enum option_id option;
		enum access_kind kind;
		bool file;
	} rows[] = {
		{ OPTION_allow, ACCESS_ALLOW, false },
		{ OPTION_deny, ACCESS_DENY, false },
		{ OPTION_allow_file, ACCESS_ALLOW, true },
		{ OPTION_deny_file, ACCESS_DENY, true },
	};
	plan->access.numeric_only = options_has(options, OPTION_nodns);
	for (size_t i = 0; i < options->given_count; i++) {
		const struct option_given *given = &options->given[i];
		for (size_t j = 0; j < sizeof rows / sizeof rows[0]; j++)
			if (given->option == rows[j].option &&
				!access_config_add(&plan->access, rows[j].kind, rows[j].file,
					given->text, fault))
				return false;
		if (given->option == OPTION_allow_uid &&
			!users_add(&plan->users, given->text, fault))
			return false;
	}
	return plan->users.count == 0 || options_has(options, OPTION_listen) ||
		fault_set(fault, STATUS_USAGE, 0,
			"option --allow-uid: it is of use only with --listen");
}

static bool
command_session(
	struct plan *plan, const struct options *options, bool input_closed, struct fault *fault)
{
	static const enum post_slow slows[] = { POST_WAIT, POST_DROP, POST_DISCONNECT };
	static const enum plan_until untils[] = { PLAN_UNTIL_BOTH, PLAN_UNTIL_PEER,
		PLAN_UNTIL_INPUT, PLAN_UNTIL_EITHER };
	plan->service = command_service(options);
	plan->no_input =
		options_has(options, OPTION_no_stdin) || options_has(options, OPTION_recv_only);
	plan->no_output = options_has(options, OPTION_send_only);
	plan->no_shutdown = options_has(options, OPTION_no_shutdown);
	plan->keep_open = options_has(options, OPTION_keep_open);
	plan->receive_limit = (uint64_t)options->value[OPTION_recv_limit];
	plan->max_conns = options_has(options, OPTION_max_conns)
		? (uint64_t)options->value[OPTION_max_conns]
		: COMMAND_CLIENTS;
	plan->max_children = options_has(options, OPTION_max_children)
		? (uint64_t)options->value[OPTION_max_children]
		: plan->max_conns;
	plan->max_per_host = (uint64_t)options->value[OPTION_max_conns_per_host];
	plan->max_accepts = (uint64_t)options->value[OPTION_max_accepts];
	plan->queue = options_has(options, OPTION_queue) ? (size_t)options->value[OPTION_queue]
							 : COMMAND_QUEUE;
	plan->slow = options_has(options, OPTION_slow) ? slows[options->value[OPTION_slow]]
		: plan->service->broker                ? POST_DISCONNECT
		: plan->service == &service_stdio || plan->transport->connected
		? POST_WAIT
		/* A side of its own: others, whose datagrams wait in the same place, need not. */
		: POST_DROP;
	if (plan->service->answers && !plan->transport->connected && plan->frames.used)
		return fault_set(fault, STATUS_USAGE, 0,
			"options: --frame and --%s cannot be used together over datagrams",
			plan->service->name);
	plan->nick = options_has(options, OPTION_nick) ? options->text[OPTION_nick] : "operator";
	if (!chat_is_name(plan->nick))
		return fault_set(fault, STATUS_VALUE, 0,
			"option --nick '%s': it has to be 1 to %d letters, digits, '-' or '_'",
			plan->nick, CHAT_NAME_MAX);
	plan->refuse = options_has(options, OPTION_refuse);
	plan->crlf = options_has(options, OPTION_crlf);
	plan->telnet = options_has(options, OPTION_telnet);
	plan->raw = options_has(options, OPTION_raw);
	plan->no_splice = options_has(options, OPTION_no_splice);
	plan->verbose = options->count[OPTION_verbose];
	plan->record = (struct record_config){
		.hex_dump = options->text[OPTION_hex_dump],
		.output = options->text[OPTION_output],
		.append = options_has(options, OPTION_append_output),
	};
	if (options_has(options, OPTION_until))
		plan->until = untils[options->value[OPTION_until]];
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

/* Everything but help and version. */
static bool
command_plan(struct plan *plan, struct options *options, bool input_closed, struct fault *fault)
{
	bool listen = options_has(options, OPTION_listen);
	struct operands operands;
	struct inherited passed;
	inherited_look(&passed);
	plan->mode = listen                            ? &listen_mode
		: options_has(options, OPTION_probe)   ? &probe_mode
		: options_has(options, OPTION_pass_fd) ? &pass_mode
						       : &connect_mode;
	/* A scheme counts as the option that it stands for, so that conflicts are looked for anew.
	 */
	operands_cut_program(options, passed.count != NULL);
	if (!options_check_conflicts(options, fault) ||
		!operands_sort(&operands, options, passed.count != NULL, fault) ||
		!inherited_plan(plan, options, &operands, &passed, fault) ||
		!options_check_conflicts(options, fault) || !options_check_needs(options, fault) ||
		!command_endpoint(plan, options, listen, &operands, fault) ||
		!command_sockopts(plan, options, fault) || !command_access(plan, options, fault) ||
		!target_plan(plan, options, fault) || !program_plan(plan, options, fault) ||
		!frames_plan(plan, options, fault) ||
		!command_session(plan, options, input_closed, fault) ||
		!inherited_settle(plan, fault))
		return false;
	command_times(plan, options, listen);
	return true;
}

enum command
command_parse(struct plan *plan, int argc, char *argv[], bool input_closed, struct fault *fault)
{
	struct options options;
	enum command result = COMMAND_BAD;
	*plan = (struct plan){ .until = PLAN_UNTIL_DEFAULT, .ready_fd = -1 };
	bool parsed = options_parse(&options, argc, argv, fault);
	plan->compat = options_has(&options, OPTION_compat);
	if (parsed && options_has(&options, OPTION_help))
		result = help_show(&options, fault) ? COMMAND_DONE : COMMAND_BAD;
	else if (parsed && options_has(&options, OPTION_list_formats))
		result = help_list_formats(fault) ? COMMAND_DONE : COMMAND_BAD;
	else if (parsed && options_has(&options, OPTION_version))
		result = help_show_version(fault) ? COMMAND_DONE : COMMAND_BAD;
	else if (parsed && command_plan(plan, &options, input_closed, fault))
		result = COMMAND_RUN;
	options_close(&options);
	return result;
}
