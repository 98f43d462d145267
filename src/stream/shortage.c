/* Out of buffers; see shortage.h. */
#include "stream/shortage.h"

#include <errno.h>

bool
shortage_is(int error)
{
	return error == ENOBUFS || error == ENOMEM;
}

bool
shortage_waits(struct shortage *shortage, struct stream *stream)
{
	int64_t now = clock_now();
	if (shortage->ends == 0)
		shortage->ends = clock_after(now, SHORTAGE_LIMIT);
	if (now >= shortage->ends)
		return false;
	stream->wagain = clock_after(now, SHORTAGE_PAUSE);
	stream->retried++;
	return true;
}

void
shortage_ends(struct shortage *shortage)
{
	shortage->ends = 0;
}
