/* Connecting: dial, then one session. */
#include <string.h>

#include "mode/caller.h"
#include "mode/mode.h"
#include "mode/session.h"
#include "stream/datagram.h"
#include "stream/socket.h"

/* Makes the stream of the connection, which it takes over. */
static bool
connect_stream(struct stream *remote, struct dial *dial, struct fault *fault)
{
	const struct transport *transport = dial->config->transport;
	char *name = strdup(dial->name);
	int fd = dial->fd;
	dial->fd = -1;
	if (!transport->connected)
		return datagram_init(
			remote, transport, fd, name, DATAGRAM_CONNECTED, &dial->peer, fault);
	return socket_init(remote, transport, fd, dial->error, name, fault);
}

static bool
connect_run(struct run *run, struct fault *fault)
{
	struct stream remote = { .ops = NULL };
	struct caller caller = { .dial = { .fd = -1 } };
	bool done = caller_dial(&caller, run, fault) &&
		connect_stream(&remote, &caller.dial, fault) && session_run(run, &remote, fault);
	caller_close(&caller);
	return done;
}

const struct mode connect_mode = { "connect", connect_run };
