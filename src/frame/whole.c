/* Messages whose boundaries the transport keeps. */
#include "frame/formats.h"

#include <string.h>

#include "frame/part.h"

static enum frame_result
whole_decode(const struct frame *frame, unsigned char *bytes, size_t n, struct frame_part *part)
{
	if (n > frame->max)
		return part_bad(part, frame->max, PART_TOO_LONG);
	return part_done(part, bytes, n, n);
}

static size_t
whole_encode(const struct frame *frame, const unsigned char *message, size_t length,
	const struct frame_about *about, unsigned char *out, struct frame_refusal *refusal)
{
	(void)about;
	if (length > frame->max)
		return part_refuse(refusal, "more than the socket takes", frame->max);
	memcpy(out, message, length);
	return length;
}

/* frame->max is the largest message of the transport. */
const struct frame_format whole_datagram = {
	.name = "datagram",
	.usage = "datagram",
	.layout = "one datagram (datagram and seqpacket sockets)",
	.cannot = "more than the socket takes",
	.whole = true,
	.decode = whole_decode,
	.growth = { .per = 1, .times = 1 },
	.encode = whole_encode,
};
