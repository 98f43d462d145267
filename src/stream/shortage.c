/* Out of buffers; see shortage.h. */
#include "stream/shortage.h"

#include <errno.h>

bool
shortage_waits(struct shortage *shortage, int error, struct stream *stream, int64_t *again)
{
	if (error != ENOBUFS && error != ENOMEM)
		return false;
	int64_t now = clock_now();
	if (shortage->ends == 0)
		shortage->ends = clock_after(now, SHORTAGE_LIMIT);
	if (now >= shortage->ends)
		return false;
	*again = clock_after(now, SHORTAGE_PAUSE);
	stream->retried++;
	return true;
}

void
shortage_ends(struct shortage *shortage)
{
	shortage->ends = 0;
}
