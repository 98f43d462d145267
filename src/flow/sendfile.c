/* A file that is sent from where it lies; see sendfile.h. */
#include "flow/sendfile.h"

#include <errno.h>

#include "flow/splice.h"
#include "sys/sys.h"

/* The most that one call sends; the other direction waits so long. */
#define SENDFILE_SIZE ((size_t)1024 * 1024)

static bool
sendfile_has_room(const struct carrier *carrier)
{
	return carrier->promised == 0;
}

static bool
sendfile_has_data(const struct carrier *carrier)
{
	return carrier->promised > 0;
}

static enum io
sendfile_fill(struct carrier *carrier, struct stream *source, size_t *got, struct fault *fault)
{
	size_t left = 0;
	*got = 0;
	if (!source->last && sys_file_left(source->splice_from, &left) && left > 0) {
		carrier->promised = left < SENDFILE_SIZE ? left : SENDFILE_SIZE;
		return IO_OK;
	}
	if (!carrier_leave(carrier, 0, fault))
		return IO_FAIL;
	return carrier->ops->fill(carrier, source, got, fault);
}

static enum io
sendfile_drain(struct carrier *carrier, struct stream *sink, size_t *put, struct fault *fault)
{
	ssize_t n = sys_sendfile(sink->splice_to, carrier->file, carrier->promised);
	if (n >= 0) {
		/* Nothing: the file has been cut; how much is left is asked anew. */
		carrier->promised = n > 0 ? carrier->promised - (size_t)n : 0;
		*put = carrier->fetched = (size_t)n;
		carrier->brought = n > 0;
		return IO_OK;
	}
	if (sys_would_block(errno))
		return IO_AGAIN;
	int error = errno;
	carrier->promised = 0;
	if (!carrier_leave(carrier, 0, fault))
		return IO_FAIL;
	if (splice_is_refused(error)) {
		splice_report_refusal(sink);
		return IO_AGAIN;
	}
	/* A failing disk will say so again when it is read; what a socket says, it says once. */
	if (error == EIO)
		return IO_AGAIN;
	sink->write_error = error;
	return sink->ops->write(sink, NULL, 0, put, fault);
}

static size_t
sendfile_drop(struct carrier *carrier)
{
	/* Nothing was taken of the file yet. */
	carrier->promised = 0;
	return 0;
}

static void
sendfile_close(struct carrier *carrier)
{
	carrier->promised = 0;
}

static const struct carrier_ops sendfile_ops = {
	.name = "sendfile",
	.has_room = sendfile_has_room,
	.has_data = sendfile_has_data,
	.fill = sendfile_fill,
	.drain = sendfile_drain,
	.drop = sendfile_drop,
	.close = sendfile_close,
};

bool
sendfile_open(struct carrier *carrier, const struct stream *source)
{
	size_t left = 0;
	if (source->splice_from == -1 || carrier->sink->splice_to == -1 ||
		!sys_file_left(source->splice_from, &left) || left == 0)
		return false;
	carrier->file = source->splice_from;
	carrier->ops = &sendfile_ops;
	return true;
}
