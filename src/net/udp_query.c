/* Asking a UDP port; see udp_query.h. */
#include "net/udp_query.h"

#include <errno.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "sys/sys.h"

/* Send again after a third of the time, but not later than this. */
#define UDP_QUERY_INTERVAL CLOCK_SECOND

#define UDP_QUERY_AGAIN 2

void
udp_query_start(struct udp_query *query, uint16_t port, int64_t now, int64_t deadline)
{
	int64_t third = deadline > now ? (deadline - now) / 3 : 0;
	*query = (struct udp_query){
		.port = port,
		.interval = clock_earlier(third, UDP_QUERY_INTERVAL),
		.next = now,
		.again = UDP_QUERY_AGAIN,
	};
	/* On failure the identifiers are zero, which every service accepts. */
	(void)sys_random(query->random, sizeof query->random);
}

bool
udp_query_send(struct udp_query *query, int fd, int64_t now)
{
	unsigned char bytes[UDP_PROBE_MAX];
	if (now < query->next)
		return true;
	for (size_t i = 0; i < udp_probe_count(query->port); i++) {
		struct iovec piece = { bytes, 0 };
		piece.iov_len = udp_probe_write(query->port, i, query->random, bytes);
		/* Out of room: the request counts as lost. */
		if (sys_send(fd, &piece, 1, NULL, 0) == -1 && !sys_would_block(errno))
			return false;
	}
	query->next = query->again > 0 ? clock_after(now, query->interval) : CLOCK_NEVER;
	query->again -= query->again > 0;
	return true;
}
