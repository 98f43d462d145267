/* Operands; see operands.h. */
#include "cli/operands.h"

#include <string.h>

#include "base/parse.h"
#include "net/endpoint.h"
#include "net/endpoint_uri.h"
#include "net/targets.h"

/* Whether the optional argument of the row is a number or a time. */
static bool
operands_is_amount(const struct option_row *row)
{
	return row->type == OPTION_OPTIONAL &&
		(row->argument[0] == 'N' || strstr(row->argument, "TIME") != NULL);
}

/* The option without its argument for which the first operand may be meant; OPTION_COUNT: none. */
static unsigned
operands_lacking(const struct options *options)
{
	uint64_t number;
	int64_t span;
	const char *first = options->operands[0];
	if (parse_count(first, UINT64_MAX, &number) != PARSE_OK &&
		parse_time(first, &span) != PARSE_OK)
		return OPTION_COUNT;
	unsigned i = 0;
	while (i < OPTION_COUNT &&
		(options->count[i] == 0 || options->text[i] != NULL ||
			!operands_is_amount(&option_rows[i])))
		i++;
	return i;
}

bool
operands_check_amount(const struct options *options, struct fault *fault)
{
	unsigned lacking = operands_lacking(options);
	return lacking == OPTION_COUNT ||
		fault_set(fault, STATUS_USAGE, 0,
			"extra operand '%s'; if it is the argument of --%s write --%s=%s",
			options->operands[0], option_rows[lacking].name, option_rows[lacking].name,
			options->operands[0]);
}

/* Operand i is one too many. */
static bool
operands_too_many(const struct options *options, int i, struct fault *fault)
{
	if (!operands_check_amount(options, fault))
		return false;
	fault->usage = true;
	return fault_set(fault, STATUS_USAGE, 0, "extra operand '%s'%s",
		endpoint_public(options->operands[i]),
		options_has(options, OPTION_send)
			? "; to send several files write -- FILE... at the end"
			: "");
}

static bool
operands_missing(const char *what, struct fault *fault)
{
	fault->usage = true;
	return fault_set(fault, STATUS_USAGE, 0, "missing %s", what);
}

/* Options that determine the kind of socket. Each scheme conflicts with a range of them. */
static const enum option_id operands_kinds[] = {
	OPTION_udp,
	OPTION_udplite,
	OPTION_unixsock,
	OPTION_vsock,
	OPTION_sctp,
	OPTION_seqpacket,
	OPTION_mptcp,
	OPTION_ipv4,
	OPTION_ipv6,
	OPTION_source,
	OPTION_source_port,
};
#define OPERANDS_DATAGRAMS 2
#define OPERANDS_NOT_TCP 5
/* From here on they conflict with inherited sockets; the others may match the socket. */
#define OPERANDS_NOT_PASSED 6
#define OPERANDS_KINDS (sizeof operands_kinds / sizeof operands_kinds[0])

/* Fails if one of the kinds from `first` to before `last` is given. */
static bool
operands_exclude(const struct options *options, const char *prefix, size_t first, size_t last,
	struct fault *fault)
{
	for (size_t i = first; i < last; i++)
		if (options_has(options, operands_kinds[i]))
			return fault_set(fault, STATUS_USAGE, 0, "'%s' conflicts with --%s", prefix,
				option_rows[operands_kinds[i]].name);
	return true;
}

/* Implies the options of a scheme. */
static bool
operands_imply(struct options *options, const struct endpoint_uri *uri, struct fault *fault)
{
	switch (uri->scheme) {
	case ENDPOINT_URI_PLAIN:
		break;
	case ENDPOINT_URI_TCP:
		return operands_exclude(options, uri->prefix, 0, OPERANDS_NOT_TCP, fault);
	case ENDPOINT_URI_TLS:
		options_imply(options, OPTION_ssl, uri->prefix);
		if (operands_exclude(options, uri->prefix, 0, OPERANDS_NOT_TCP, fault))
			return true;
		if (options_has(options, OPTION_udp) && !options_has(options, OPTION_unixsock))
			fault_add(fault, " (use dtls://)");
		return false;
	case ENDPOINT_URI_DTLS:
		options_imply(options, OPTION_ssl, uri->prefix);
		options_imply(options, OPTION_udp, uri->prefix);
		return operands_exclude(
			options, uri->prefix, OPERANDS_DATAGRAMS, OPERANDS_NOT_TCP, fault);
	case ENDPOINT_URI_UDP:
		options_imply(options, OPTION_udp, uri->prefix);
		return operands_exclude(
			options, uri->prefix, OPERANDS_DATAGRAMS, OPERANDS_NOT_TCP, fault);
	case ENDPOINT_URI_UNIX:
		options_imply(options, OPTION_unixsock, uri->prefix);
		break;
	case ENDPOINT_URI_VSOCK:
		options_imply(options, OPTION_vsock, uri->prefix);
		break;
	case ENDPOINT_URI_FD:
		return operands_exclude(
			options, uri->prefix, OPERANDS_NOT_PASSED, OPERANDS_KINDS, fault);
	}
	return true;
}

/* Takes an endpoint in one argument. */
static bool
operands_take_word(struct operands *operands, struct options *options, struct fault *fault)
{
	struct endpoint_uri uri;
	if (options->operand_count > 1)
		return operands_too_many(options, 1, fault);
	bool listen = options_has(options, OPTION_listen);
	if (!endpoint_uri_split(&uri, options->operands[0], listen, fault) ||
		!operands_imply(options, &uri, fault))
		return false;
	if (uri.scheme == ENDPOINT_URI_UNIX) {
		operands->path = uri.host;
	} else if (uri.scheme == ENDPOINT_URI_FD) {
		operands->descriptor = uri.host;
	} else {
		operands->host = uri.host;
		operands->port = uri.port;
		operands->ports = &operands->port;
		operands->port_count = 1;
	}
	return true;
}

static bool
operands_take_path(struct operands *operands, struct options *options, struct fault *fault)
{
	char *source = (char *)(uintptr_t)options->text[OPTION_source];
	bool listen_there = options_has(options, OPTION_listen) && source != NULL;
	int wanted = listen_there ? 0 : 1;
	if (options->operand_count > wanted)
		return operands_too_many(options, wanted, fault);
	if (options->operand_count < wanted)
		return operands_missing("path", fault);
	operands->path = listen_there ? source : options->operands[0];
	return true;
}

static bool
operands_take_probe(struct operands *operands, struct options *options, struct fault *fault)
{
	if (options->operand_count < 2)
		return operands_missing(
			options->operand_count == 0 ? "host and port" : "port", fault);
	operands->host = options->operands[0];
	operands->ports = options->operands + 1;
	operands->port_count = options->operand_count - 1;
	return true;
}

static bool
operands_take_host_and_port(struct operands *operands, struct options *options, struct fault *fault)
{
	bool listen = options_has(options, OPTION_listen);
	bool has_port = listen && options_has(options, OPTION_source_port);
	bool has_host = listen && options_has(options, OPTION_source);
	int count = options->operand_count, max = 2 - has_host - has_port;
	if (count > max)
		return operands_too_many(options, max, fault);
	if (!listen && count < 2)
		return operands_missing(count == 0 ? "host and port" : "port", fault);
	if (count == 0 && !has_port)
		return operands_missing("port", fault);
	operands->port = has_port ? (char *)(uintptr_t)options->text[OPTION_source_port]
				  : options->operands[--count];
	operands->ports = &operands->port;
	operands->port_count = 1;
	operands->host = has_host ? (char *)(uintptr_t)options->text[OPTION_source]
		: count > 0       ? options->operands[0]
				  : NULL;
	return true;
}

/* Whether the first `count` operands are a complete endpoint. */
static bool
operands_are_complete(const struct options *options, int count, bool passed)
{
	bool listen = options_has(options, OPTION_listen);
	if (options_has(options, OPTION_unixsock))
		return count == (listen && options_has(options, OPTION_source) ? 0 : 1);
	if (listen)
		return count >= 1 || passed || options_has(options, OPTION_source_port);
	const char *first = count > 0 ? options->operands[0] : "";
	return count >= 2 || endpoint_uri_has_scheme(first) || endpoint_uri_is_likely(first);
}

void
operands_cut_program(struct options *options, bool passed)
{
	bool waits = options_has(options, OPTION_wait_for);
	if (options->dashes == options->operand_count || options_runs_program(options) ||
		(!waits &&
			(options_has(options, OPTION_probe) ||
				!operands_are_complete(options, options->dashes, passed))))
		return;
	char *const *rest = options->operands + options->dashes;
	options->operand_count = options->dashes;
	if (options_has(options, OPTION_send)) {
		options->files = rest;
		return;
	}
	options->program = rest;
	if (!waits)
		options_imply(options, OPTION_exec, "--");
}

bool
operands_sort(struct operands *operands, struct options *options, bool passed, struct fault *fault)
{
	bool listen = options_has(options, OPTION_listen);
	/* With -l and -p or -s, the operands are the other half only. */
	bool half = listen &&
		(options_has(options, OPTION_source_port) || options_has(options, OPTION_source));
	const char *first = options->operand_count > 0 ? options->operands[0] : "";
	*operands = (struct operands){ .host = NULL };
	if (passed && listen && !half && options->operand_count == 0) {
		operands->passed = true;
		return operands_exclude(
			options, "LISTEN_FDS", OPERANDS_NOT_PASSED, OPERANDS_KINDS, fault);
	}
	/* With -U the operand is a path, even if it looks like an endpoint. */
	if (options_has(options, OPTION_unixsock))
		return operands_take_path(operands, options, fault);
	if (options_has(options, OPTION_probe) && options->operand_count > 1 &&
		targets_is_word(first)) {
		operands->targets = options->operands;
		operands->target_count = options->operand_count;
		return true;
	}
	bool uri = endpoint_uri_has_scheme(first) ||
		(options->operand_count == 1 && endpoint_uri_is_likely(first));
	if (uri && half && endpoint_uri_has_scheme(first))
		return operands_too_many(options, 0, fault);
	if (uri && !half)
		return operands_take_word(operands, options, fault);
	if (options_has(options, OPTION_probe))
		return operands_take_probe(operands, options, fault);
	return operands_take_host_and_port(operands, options, fault);
}
