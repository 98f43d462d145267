/* What the kernel knows about a TCP connection; see tcp_state.h. */
#include "net/tcp_state.h"

#include "sys/sys.h"

void
tcp_state_add(struct event *event, const struct transport *transport, int fd)
{
	struct sys_tcp_state state;
	if (!transport->tcp || !sys_tcp_state(fd, &state))
		return;
	event->rtt = state.round_trip;
	event->rtt_variation = state.variation;
	event->retransmissions = state.retransmissions;
}
