/* What a probe has found out; see probe_state.h. */
#include "mode/probe_state.h"

#include <errno.h>

static const struct probe_state_row {
	const char *word;
	enum status status;
} probe_state_rows[] = {
#define STATE(id, word, status, text) [PROBE_##id] = { word, STATUS_##status },
#include "mode/probe.def"
#undef STATE
};

const char *
probe_state_word(enum probe_state state)
{
	return probe_state_rows[state].word;
}

enum status
probe_state_status(enum probe_state state)
{
	return probe_state_rows[state].status;
}

/* What a failure to connect to any address means. */
static enum probe_state
probe_state_of_dial(const struct dial *dial)
{
	bool local = dial->failures.error == 0 || dial->failures.error == EPERM ||
		(dial->failures.error == EACCES && dial->config.to.names == TRANSPORT_UNIX);
	if (dial->failures.refused)
		return PROBE_CLOSED;
	if (dial->failures.error == ETIMEDOUT)
		return PROBE_FILTERED;
	return local ? PROBE_ERROR : PROBE_UNREACHABLE;
}

/* What a failure on the way through the proxies means. */
static enum probe_state
probe_state_of_tunnel(const struct probe *probe)
{
	enum status status = probe->result.fault.status;
	if (status == STATUS_MEMORY || status == STATUS_BIND)
		return PROBE_ERROR;
	if (status == STATUS_RESOLVE)
		return PROBE_UNRESOLVED;
	if (status == STATUS_TIMEOUT)
		return PROBE_FILTERED;
	return probe->error == ECONNREFUSED ? PROBE_CLOSED
		: probe->error == ETIMEDOUT ? PROBE_FILTERED
		: probe->error != 0         ? PROBE_UNREACHABLE
					    : PROBE_REFUSED_BY_PROXY;
}

enum probe_state
probe_state_of(const struct probe *probe)
{
	enum status status = probe->result.fault.status;
	if (status == STATUS_OK)
		return PROBE_OPEN;
	if (probe->phase == PROBE_TUNNELLING)
		return probe_state_of_tunnel(probe);
	/* DTLS: the handshake comes before all that the port may answer. */
	if (probe->phase == PROBE_OPENING && !probe->dial.config.transport->connected &&
		status == STATUS_TIMEOUT)
		return PROBE_FILTERED;
	if (probe->phase == PROBE_OPENING && status == STATUS_CONNECT)
		return probe_state_of_dial(&probe->dial);
	if (probe->phase == PROBE_OPENING)
		return status == STATUS_MEMORY ? PROBE_ERROR : PROBE_REFUSED_BY_TLS;
	if (status == STATUS_CONNECT)
		return probe_state_of_dial(&probe->dial);
	if (status == STATUS_RESOLVE ||
		(status == STATUS_TIMEOUT && probe->dial.state == DIAL_RESOLVING))
		return PROBE_UNRESOLVED;
	if (status == STATUS_TIMEOUT)
		return probe->phase == PROBE_ASKED ? PROBE_OPEN_FILTERED : PROBE_FILTERED;
	return PROBE_ERROR;
}
