/* Back-off while the kernel is out of buffers; see backoff.h. */
#include "stream/backoff.h"

#include <errno.h>

bool
backoff_waits(struct backoff *backoff, int error, struct stream *stream, int64_t *again)
{
	if (error != ENOBUFS && error != ENOMEM)
		return false;
	int64_t now = clock_now();
	if (backoff->ends == 0)
		backoff->ends = clock_after(now, BACKOFF_LIMIT);
	if (now >= backoff->ends)
		return false;
	*again = clock_after(now, BACKOFF_PAUSE);
	stream_counters(stream)->retried++;
	return true;
}
