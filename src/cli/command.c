/* Turning the command line into a config; see command.h. */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "cli/compat.h"
#include "cli/foreign.h"
#include "cli/help.h"
#include "cli/listen_fds.h"
#include "cli/operands.h"
#include "cli/options.h"
#include "mode/mode.h"
#include "engine/service.h"
#include "net/resolve.h"
#include "broadcast/chat.h"
#include "sys/sys.h"

/* Clients at a time over datagrams. */
#define COMMAND_PEERS 100
#define COMMAND_QUEUE ((size_t)1024 * 1024)

/* VMADDR_CID_LOCAL: the local host. */
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
		(void)fault_set(
			fault, STATUS_USAGE, 0, "options: no transport supports this combination");
	return transport;
}

static bool
command_path(struct config *config, const struct options *options, bool listen, const char *path,
	struct fault *fault)
{
	const char *source = options->text[OPTION_source];
	if (source != NULL && !listen) {
		struct endpoint local = { .names = TRANSPORT_UNIX };
		if (!endpoint_set_path(&local, source, fault))
			return false;
		if (!endpoint_address(&local, &config->local))
			return fault_set(
				fault, STATUS_VALUE, errno, "invalid --source '%s'", source);
	}
	return endpoint_set_path(&config->endpoint, path, fault);
}

/* The local address to bind; names are not allowed, so resolving does not block. */
static bool
command_local(struct config *config, const struct options *options, struct fault *fault)
{
	struct endpoint local = { .names = TRANSPORT_INET, .family = config->endpoint.family };
	char *source = (char *)(uintptr_t)options->text[OPTION_source];
	const char *port = options->text[OPTION_source_port];
	struct resolve resolve;
	if (port != NULL && !endpoint_set_port(&local, port, config->transport, fault))
		return false;
	config->local_port = (uint16_t)local.port;
	if (source == NULL)
		return true;
	if (!endpoint_set_host(&local, source, true, fault))
		return false;
	if (config->endpoint.numeric &&
		(strchr(local.host, ':') != NULL) != (strchr(config->endpoint.host, ':') != NULL))
		return fault_set(fault, STATUS_BIND, 0,
			"bind %s: %s is an address of the other family", local.host,
			config->endpoint.host);
	enum io found = resolve_start(&resolve, &local, fault);
	if (found == IO_OK) {
		config->local = resolve.addresses[0];
		config->endpoint.family = config->local.storage.ss_family;
	}
	resolve_close(&resolve);
	return found == IO_OK;
}

static bool
command_host_and_port(struct config *config, const struct compat *compat,
	const struct options *options, bool listen, const struct operands *operands,
	struct fault *fault)
{
	static char any6[] = "::";
	struct endpoint *endpoint = &config->endpoint;
	char *host = operands->host;
	/* Programs are run and connections made for clients of other hosts only if an address or
	 * an access list is given. */
	bool named = options_has(options, OPTION_allow) || options_has(options, OPTION_allow_file);
	if (listen && host == NULL && !named &&
		(options_runs_program(options) || options_has(options, OPTION_proxy_server)))
		endpoint->host = "localhost";
	if (listen && host == NULL && endpoint->host == NULL && endpoint->family != AF_INET6)
		endpoint->host = compat->any;
	if (listen && host != NULL && strcmp(host, "*") == 0)
		host = NULL;
	/* --v6only=off: one socket for both families. */
	if (listen && host == NULL && options_has(options, OPTION_v6only) &&
		options->value[OPTION_v6only] != 0)
		host = any6;
	bool probes = options_has(options, OPTION_probe);
	if (host != NULL && !probes &&
		!endpoint_set_host(endpoint, host, hosts_refuse(&config->hosts, host), fault))
		return false;
	if (probes) {
		if (!probes_targets(config, options, operands, fault))
			return false;
	} else if (!endpoint_set_port(endpoint, operands->ports[0], config->transport, fault)) {
		return false;
	}
	if (listen)
		return true;
	if (endpoint->port == 0 && !probes)
		return fault_set(fault, STATUS_VALUE, 0, "port '0' is only valid with -l");
	return command_local(config, options, fault);
}

static bool
command_endpoint(struct config *config, const struct compat *compat, const struct options *options,
	bool listen, const struct operands *operands, struct fault *fault)
{
	struct endpoint *endpoint = &config->endpoint;
	if (config->listen_fds_count > 0)
		return true;
	config->transport = command_transport(options, fault);
	if (config->transport == NULL)
		return false;
	endpoint->names = config->transport->names;
	endpoint->family = options_has(options, OPTION_ipv4) ? AF_INET
		: options_has(options, OPTION_ipv6)          ? AF_INET6
							     : AF_UNSPEC;
	switch (endpoint->names) {
	case TRANSPORT_UNIX:
		return command_path(config, options, listen, operands->path, fault);
	case TRANSPORT_VSOCK:
		if (operands->port_count > 1)
			return fault_set(
				fault, STATUS_USAGE, 0, "--vsock conflicts with several ports");
		if (operands->port_count == 0)
			return fault_set(fault, STATUS_USAGE, 0, "--vsock requires a port");
		return endpoint_set_vsock(endpoint,
			operands->host == NULL && options_runs_program(options)
				? COMMAND_VSOCK_LOCAL
				: operands->host,
			operands->ports[0], fault);
	case TRANSPORT_INET:
		break;
	}
	return command_host_and_port(config, compat, options, listen, operands, fault);
}

static bool
command_sockopts(struct config *config, const struct options *options, struct fault *fault)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (option_rows[i].type == OPTION_FLAG && options->count[i] > 0 &&
			sockopt_exists(option_rows[i].name) &&
			!sockopt_add(&config->sockopts, option_rows[i].name, NULL, 1, fault))
			return false;
	for (size_t i = 0; i < options->given_count; i++) {
		const struct option_given *given = &options->given[i];
		const char *name = option_rows[given->option].name;
		if (sockopt_exists(name) &&
			!sockopt_add(&config->sockopts, name, given->text, given->value, fault))
			return false;
	}
	return true;
}

static const struct service *
command_service(const struct options *options)
{
	return options_has(options, OPTION_to)              ? &service_to
		: options_has(options, OPTION_proxy_server) ? &service_proxy
		: options_has(options, OPTION_tar)          ? &service_program
		: options_has(options, OPTION_send)         ? &service_send
		: options_has(options, OPTION_receive)      ? &service_receive
		: options_runs_program(options)             ? &service_program
		: options_has(options, OPTION_chat)         ? &service_chat
		: options_has(options, OPTION_broker)       ? &service_broker
		: options_has(options, OPTION_echo)         ? &service_echo
		: options_has(options, OPTION_discard)      ? &service_discard
		: options_has(options, OPTION_chargen)      ? &service_chargen
		: options_has(options, OPTION_daytime)      ? &service_daytime
							    : &service_stdio;
}

static bool
command_session(struct config *config, const struct compat *compat, const struct options *options,
	bool input_closed, struct fault *fault)
{
	static const enum bus_slow slows[] = { BUS_WAIT, BUS_DROP, BUS_DISCONNECT };
	static const enum config_until untils[] = { CONFIG_UNTIL_BOTH, CONFIG_UNTIL_PEER,
		CONFIG_UNTIL_INPUT, CONFIG_UNTIL_EITHER };
	static const enum config_end ends[] = { CONFIG_END_AUTO, CONFIG_END_SHUTDOWN,
		CONFIG_END_KEEP, CONFIG_END_CLOSE };
	config->service = command_service(options);
	config->no_input =
		options_has(options, OPTION_no_stdin) || options_has(options, OPTION_recv_only);
	config->no_output = options_has(options, OPTION_send_only);
	config->end = options_has(options, OPTION_end)     ? ends[options->value[OPTION_end]]
		: options_has(options, OPTION_half_close)  ? CONFIG_END_SHUTDOWN
		: options_has(options, OPTION_no_shutdown) ? CONFIG_END_KEEP
		: options_has(options, OPTION_quit_after)  ? compat->end_quit
							   : compat->end;
	config->keep_open = options_has(options, OPTION_keep_open);
	config->receive_limit = (uint64_t)options->value[OPTION_recv_limit];
	config->max_conns = options_has(options, OPTION_max_conns)
		? (uint64_t)options->value[OPTION_max_conns]
		: config->transport->connected ? compat->max_conns
					       : COMMAND_PEERS;
	config->max_children = options_has(options, OPTION_max_children)
		? (uint64_t)options->value[OPTION_max_children]
		: config->max_conns;
	config->max_per_host = (uint64_t)options->value[OPTION_max_conns_per_host];
	config->max_accepts = (uint64_t)options->value[OPTION_max_accepts];
	config->queue = options_has(options, OPTION_queue) ? (size_t)options->value[OPTION_queue]
							   : COMMAND_QUEUE;
	config->slow = options_has(options, OPTION_slow) ? slows[options->value[OPTION_slow]]
		: config->service->local == SERVICE_BUS  ? BUS_DISCONNECT
		: config->service->local == SERVICE_STDIO || config->transport->connected
		? BUS_WAIT
		/* The peers share a receive queue: do not let one with a slow local side block it.
		 */
		: BUS_DROP;
	if (builtin_answers(config->service->builtin) && !config->transport->connected &&
		config->frames.used)
		return fault_set(fault, STATUS_USAGE, 0,
			"--frame conflicts with --%s over datagrams", config->service->name);
	config->nick = options_has(options, OPTION_nick) ? options->text[OPTION_nick] : "operator";
	if (!chat_is_name(config->nick))
		return fault_set(fault, STATUS_VALUE, 0,
			"invalid --nick '%s': expected 1 to %d letters, digits, '-' or '_'",
			config->nick, CHAT_NAME_MAX);
	config->refuse = options_has(options, OPTION_refuse);
	config->telnet = options_has(options, OPTION_telnet);
	config->raw = options_has(options, OPTION_raw);
	config->no_splice = options_has(options, OPTION_no_splice);
	config->verbose = options->count[OPTION_verbose];
	config->capture = (struct capture_config){
		.hex_dump = options->text[OPTION_hex_dump],
		.output = options->text[OPTION_output],
		.append = options_has(options, OPTION_append_output),
	};
	if (options_has(options, OPTION_until))
		config->until = untils[options->value[OPTION_until]];
	if (config->end == CONFIG_END_CLOSE && config->until == CONFIG_UNTIL_BOTH)
		return fault_set(fault, STATUS_USAGE, 0, "--end=close conflicts with --until=both");
	config->ready_fd = -1;
	if (options_has(options, OPTION_ready_fd)) {
		config->ready_fd = (int)options->value[OPTION_ready_fd];
		if (fcntl(config->ready_fd, F_GETFD) == -1)
			return fault_set(fault, STATUS_VALUE, errno, "invalid --ready-fd '%d'",
				config->ready_fd);
	}
	/* With --send-only there is nothing to do without input. */
	if (config->no_output && input_closed && !options_has(options, OPTION_in))
		return fault_set(fault, STATUS_INPUT, EBADF, "read standard input");
	return true;
}

static bool
command_config(struct config *config, const struct compat *compat, struct options *options,
	bool input_closed, struct fault *fault)
{
	bool listen = options_has(options, OPTION_listen);
	struct operands operands;
	struct listen_fds passed;
	listen_fds_look(&passed);
	config->mode = listen                           ? &listen_mode
		: options_has(options, OPTION_wait_for) ? &wait_mode
		: options_has(options, OPTION_ping)     ? &ping_mode
		: options_has(options, OPTION_probe)    ? &scan_mode
		: options_has(options, OPTION_pass_fd)  ? &fdpass_mode
							: &connect_mode;
	if (options_has(options, OPTION_broker))
		options_imply(options, OPTION_keep_open, "--broker");
	if (options_has(options, OPTION_chat))
		options_imply(options, OPTION_keep_open, "--chat");
	repeat_imply(options);
	tls_imply(options);
	serve_proxy_imply(options);
	/* Schemes imply options: check conflicts again after them. */
	operands_cut_program(options, passed.count != NULL);
	if (!foreign_check(options, fault) || !options_rules_conflicts(options, fault) ||
		!operands_sort(&operands, options, passed.count != NULL, fault) ||
		!listen_fds_config(config, options, &operands, &passed, fault) ||
		!options_rules_conflicts(options, fault) || !options_rules_needs(options, fault) ||
		!connecting_hosts(config, options, fault) ||
		!command_endpoint(config, compat, options, listen, &operands, fault) ||
		!probes_config(config, options, fault) ||
		!command_sockopts(config, options, fault) ||
		(options_has(options, OPTION_banner) &&
			!banner_parse(&config->banner, options->text[OPTION_banner], fault)) ||
		!access_config(config, options, fault) || !target_config(config, options, fault) ||
		!serve_proxy_config(config, options, fault) ||
		!connecting_config(config, options, fault) ||
		!program_config(config, options, fault) || !frames_config(config, options, fault) ||
		!command_session(config, compat, options, input_closed, fault) ||
		!proxies_config(config, options, fault) ||
		!headers_config(config, options, fault) ||
		!transfer_config(config, options, fault) ||
		!repeat_config(config, options, fault) || !listen_fds_settle(config, fault) ||
		!files_config(config, options, fault) || !reports_config(config, options, fault) ||
		!stages_config(config, options, fault) || !tls_config(config, options, fault))
		return false;
	times_config(config, compat, options);
	return files_skip(config, options, fault);
}

enum command
command_parse(struct config *config, int argc, char *argv[], bool input_closed, struct fault *fault)
{
	struct options options;
	enum command result = COMMAND_BAD;
	config->ready_fd = config->report.fd = -1;
	config->tls_files = TLS_FILES_NONE;
	const struct compat *compat = compat_of_program(argv[0]);
	bool parsed = options_parse(&options, compat->letters, argc, argv, fault);
	if (options_has(&options, OPTION_compat) && compat->letters == NULL) {
		compat = compat_of_word(options.value[OPTION_compat]);
		options_close(&options);
		fault_clear(fault);
		parsed = options_parse(&options, compat->letters, argc, argv, fault);
	}
	log_set_name(compat->program);
	config->rules = compat->config;
	config->style = compat->style;
	config->numeric = options_has(&options, OPTION_nodns);
	if (parsed && options_has(&options, OPTION_help))
		result = help_show(&options, fault) ? COMMAND_DONE : COMMAND_BAD;
	else if (parsed && options_has(&options, OPTION_list_formats))
		result = help_list_formats(fault) ? COMMAND_DONE : COMMAND_BAD;
	else if (parsed && options_has(&options, OPTION_version))
		result = help_show_version(fault) ? COMMAND_DONE : COMMAND_BAD;
	else if (parsed && command_config(config, compat, &options, input_closed, fault))
		result = COMMAND_RUN;
	options_close(&options);
	return result;
}
