/* The option --to; see target.h. */
#include "cli/target.h"

#include "net/word.h"

static bool
target_set(struct plan_to *to, const struct word *word, bool numeric, struct fault *fault)
{
	struct endpoint *endpoint = &to->endpoint;
	enum transport_names names = word->scheme == WORD_UNIX ? TRANSPORT_UNIX
		: word->scheme == WORD_VSOCK                   ? TRANSPORT_VSOCK
							       : TRANSPORT_INET;
	to->transport = transport_find(names, word->scheme == WORD_UDP, false, -1);
	endpoint->names = names;
	if (names == TRANSPORT_UNIX)
		return endpoint_set_path(endpoint, word->host, fault);
	if (names == TRANSPORT_VSOCK)
		return endpoint_set_vsock(endpoint, word->host, word->port, fault);
	if (!endpoint_set_host(endpoint, word->host, numeric, fault) ||
		!endpoint_set_port(endpoint, word->port, to->transport, fault))
		return false;
	return endpoint->port > 0 ||
		fault_set(fault, STATUS_VALUE, 0, "port '0': nobody can listen there");
}

bool
target_plan(struct plan *plan, const struct options *options, struct fault *fault)
{
	char *text = (char *)(uintptr_t)options->text[OPTION_to];
	struct word word;
	if (text == NULL)
		return true;
	if (!word_split(&word, text, fault))
		return false;
	if (word.scheme == WORD_FD)
		return fault_set(fault, STATUS_VALUE, 0,
			"option --to 'fd://%s': it has to be an address", word.host);
	return target_set(&plan->to, &word, options_has(options, OPTION_nodns), fault);
}
