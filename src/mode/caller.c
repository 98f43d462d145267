/* Dialling in the loop; see caller.h. */
#include "mode/caller.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "stream/datagram.h"
#include "stream/socket.h"

void
caller_report(const struct dial *dial)
{
	char *peer = address_print(&dial->peer), *own = address_print(&dial->own);
	log_event(LOG_VERBOSE, "connected to %s from %s (%s)", peer != NULL ? peer : "?",
		own != NULL ? own : "?", dial->config->transport->name);
	free(peer);
	free(own);
}

struct dial_config
caller_config(const struct run *run)
{
	const struct plan *plan = run->plan;
	return (struct dial_config){
		.transport = plan->transport,
		.to = plan->endpoint,
		.local = plan->local,
		.local_port = plan->local_port,
		.options = &plan->sockopts,
		.inherited = plan->inherited_count > 0 ? plan->inherited[0] : -1,
		.deadline = clock_after(run->loop.now, plan->wait),
	};
}

bool
caller_dial(struct caller *caller, struct run *run, struct fault *fault)
{
	struct dial *dial = &caller->dial;
	struct loop *loop = &run->loop;
	caller->config = caller_config(run);
	enum io result = dial_start(dial, &caller->config, loop->now, fault);
	while (result == IO_AGAIN) {
		loop_begin(loop);
		dial_ask(dial, &loop->interest);
		if (!loop_wait_or_end(loop, fault))
			return false;
		if (loop->wants_report) {
			loop->wants_report = false;
			log_line(LOG_ALWAYS, "connecting to %s", dial->name);
		}
		result = dial_step(dial, &loop->interest, loop->now, fault);
	}
	if (result == IO_OK)
		caller_report(dial);
	return result == IO_OK;
}

bool
caller_stream(struct stream *stream, struct dial *dial, struct fault *fault)
{
	const struct transport *transport = dial->config->transport;
	char *name = strdup(dial->name);
	int fd = dial->fd;
	dial->fd = -1;
	if (!transport->connected)
		return datagram_init(
			stream, transport, fd, name, DATAGRAM_CONNECTED, &dial->peer, fault);
	return socket_init(stream, transport, fd, dial->error, name, fault);
}

void
caller_close(struct caller *caller)
{
	dial_close(&caller->dial);
}
