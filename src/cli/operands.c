/* The operands, sorted; see operands.h. */
#include "cli/operands.h"

#include <string.h>

#include "net/endpoint.h"
#include "net/word.h"

static bool
operands_too_many(const char *one, struct fault *fault)
{
	return fault_set(
		fault, STATUS_USAGE, 0, "argument '%s': it is one too many", endpoint_public(one));
}

static bool
operands_missing(const char *what, struct fault *fault)
{
	return fault_set(fault, STATUS_USAGE, 0, "arguments: %s missing (see --help)", what);
}

/* Those that say what kind of socket it is to be. A scheme has some of them, from one to the next.
 */
static const enum option_id operands_kinds[] = {
	OPTION_udp,
	OPTION_udplite,
	OPTION_unixsock,
	OPTION_vsock,
	OPTION_sctp,
	OPTION_mptcp,
	OPTION_seqpacket,
	OPTION_ipv4,
	OPTION_ipv6,
	OPTION_source,
	OPTION_source_port,
};
#define OPERANDS_DATAGRAMS 2
#define OPERANDS_NOT_TCP 5
#define OPERANDS_KINDS (sizeof operands_kinds / sizeof operands_kinds[0])

/* None of the kinds from `first` up to `last` has been given. */
static bool
operands_exclude(const struct options *options, const char *prefix, size_t first, size_t last,
	struct fault *fault)
{
	for (size_t i = first; i < last; i++)
		if (options_has(options, operands_kinds[i]))
			return fault_set(fault, STATUS_USAGE, 0,
				"endpoint '%s': it cannot be used together with --%s", prefix,
				option_rows[operands_kinds[i]].name);
	return true;
}

/* The options that a scheme stands for. */
static bool
operands_imply(struct options *options, const struct word *word, struct fault *fault)
{
	switch (word->scheme) {
	case WORD_PLAIN:
		break;
	case WORD_TCP:
		return operands_exclude(options, word->prefix, 0, OPERANDS_NOT_TCP, fault);
	case WORD_UDP:
		options_imply(options, OPTION_udp, word->prefix);
		return operands_exclude(
			options, word->prefix, OPERANDS_DATAGRAMS, OPERANDS_NOT_TCP, fault);
	case WORD_UNIX:
		options_imply(options, OPTION_unixsock, word->prefix);
		break;
	case WORD_VSOCK:
		options_imply(options, OPTION_vsock, word->prefix);
		break;
	case WORD_FD:
		return operands_exclude(options, word->prefix, 0, OPERANDS_KINDS, fault);
	}
	return true;
}

/* One word that says it all. */
static bool
operands_take_word(struct operands *operands, struct options *options, struct fault *fault)
{
	struct word word;
	if (options->operand_count > 1)
		return operands_too_many(options->operands[1], fault);
	if (!word_split(&word, options->operands[0], fault) ||
		!operands_imply(options, &word, fault))
		return false;
	if (word.scheme == WORD_UNIX) {
		operands->path = word.host;
	} else if (word.scheme == WORD_FD) {
		operands->descriptor = word.host;
	} else {
		operands->host = word.host;
		operands->port = word.port;
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
		return operands_too_many(options->operands[wanted], fault);
	if (options->operand_count < wanted)
		return operands_missing("a path is", fault);
	operands->path = listen_there ? source : options->operands[0];
	return true;
}

static bool
operands_take_probe(struct operands *operands, struct options *options, struct fault *fault)
{
	if (options->operand_count < 2)
		return operands_missing(
			options->operand_count == 0 ? "a host and a port are" : "a port is", fault);
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
	int count = options->operand_count, most = 2 - has_host - has_port;
	if (count > most)
		return operands_too_many(options->operands[most], fault);
	if (!listen && count < 2)
		return operands_missing(count == 0 ? "a host and a port are" : "a port is", fault);
	if (count == 0 && !has_port)
		return operands_missing("a port is", fault);
	operands->port = has_port ? (char *)(uintptr_t)options->text[OPTION_source_port]
				  : options->operands[--count];
	operands->ports = &operands->port;
	operands->port_count = 1;
	operands->host = has_host ? (char *)(uintptr_t)options->text[OPTION_source]
		: count > 0       ? options->operands[0]
				  : NULL;
	return true;
}

/* Whether the first `count` say where to connect, or what to listen on. */
static bool
operands_are_whole(const struct options *options, int count, bool passed)
{
	bool listen = options_has(options, OPTION_listen);
	if (options_has(options, OPTION_unixsock))
		return count == (listen && options_has(options, OPTION_source) ? 0 : 1);
	if (listen)
		return count >= 1 || passed || options_has(options, OPTION_source_port);
	const char *first = count > 0 ? options->operands[0] : "";
	return count >= 2 || word_has_scheme(first) || word_is_one(first);
}

void
operands_cut_program(struct options *options, bool passed)
{
	if (options->dashes == options->operand_count || options_runs_program(options) ||
		options_has(options, OPTION_probe) ||
		!operands_are_whole(options, options->dashes, passed))
		return;
	options->program = options->operands + options->dashes;
	options->operand_count = options->dashes;
	options_imply(options, OPTION_exec, "--");
}

bool
operands_sort(
	struct operands *operands, struct options *options, bool passed, struct fault *fault)
{
	bool listen = options_has(options, OPTION_listen);
	/* With -l and -p, or -s, the other half stands alone. */
	bool half = listen &&
		(options_has(options, OPTION_source_port) || options_has(options, OPTION_source));
	const char *first = options->operand_count > 0 ? options->operands[0] : "";
	*operands = (struct operands){ .host = NULL };
	if (passed && listen && !half && options->operand_count == 0) {
		operands->passed = true;
		return operands_exclude(options, "LISTEN_FDS", 0, OPERANDS_KINDS, fault);
	}
	/* After -U a path is a path, whatever it looks like. */
	if (options_has(options, OPTION_unixsock))
		return operands_take_path(operands, options, fault);
	bool word = word_has_scheme(first) || (options->operand_count == 1 && word_is_one(first));
	if (word && half && word_has_scheme(first))
		return operands_too_many(first, fault);
	if (word && !half)
		return operands_take_word(operands, options, fault);
	if (options_has(options, OPTION_probe))
		return operands_take_probe(operands, options, fault);
	return operands_take_host_and_port(operands, options, fault);
}
