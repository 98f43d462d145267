/* Carriers; see carrier.h. */
#include "flow/carrier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/fanout.h"
#include "flow/message.h"
#include "flow/splice.h"

/* A read that brings this part of the ring's size is a sign that more will come: only then is it
 * worth its while to have the kernel move it. For a few bytes a read and a write are quicker. */
#define CARRIER_MUCH 8

/* The most that is read at once where line ends are converted. */
#define CARRIER_RAW ((size_t)32 * 1024)

/* Reads up to `most` bytes and puts them into the buffer with their line ends converted; there is
 * room for twice as much. */
static enum io
carrier_fill_converted(struct carrier *carrier, struct stream *source, size_t most, size_t *got,
	struct fault *fault)
{
	unsigned char *made = carrier->raw + most;
	struct iovec space = { carrier->raw, most }, pieces[2];
	enum io result = source->ops->read(source, &space, 1, got, fault);
	if (result != IO_OK)
		return result;
	*got = crlf_feed(&carrier->crlf, carrier->raw, *got, made);
	size_t done = 0;
	int count = buf_space(&carrier->buf, pieces);
	for (int i = 0; i < count && done < *got; i++) {
		size_t part = *got - done < pieces[i].iov_len ? *got - done : pieces[i].iov_len;
		memcpy(pieces[i].iov_base, made + done, part);
		done += part;
	}
	buf_added(&carrier->buf, *got);
	carrier->brought = *got > 0;
	return IO_OK;
}

/* --- a ring of bytes --- */

static void
carrier_ring_close(struct carrier *carrier)
{
	if (carrier->buf.data == carrier->spare)
		carrier->buf.data = NULL;
	buf_close(&carrier->buf);
	free(carrier->raw);
	carrier->raw = NULL;
}

static bool
carrier_ring_exists(const struct carrier *carrier)
{
	return carrier->buf.size > 0;
}

static bool
carrier_ring_make(struct carrier *carrier, const struct stream *source, struct fault *fault)
{
	if (carrier_ring_exists(carrier))
		return true;
	if (carrier->converts)
		carrier->raw = malloc(CARRIER_RAW * 3);
	if (buf_open(&carrier->buf, carrier->size) && (carrier->raw != NULL || !carrier->converts))
		return true;
	carrier_ring_close(carrier);
	if (!carrier->lean || carrier->converts)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "buffer for %s", source->name);
	carrier->buf = (struct buf){ carrier->spare, sizeof carrier->spare, 0, 0 };
	return true;
}

static bool
carrier_ring_has_room(const struct carrier *carrier)
{
	if (!carrier_ring_exists(carrier))
		return true;
	/* It has to be empty before the kernel can take over. */
	if (carrier->splice && carrier->much && buf_used(&carrier->buf) > 0)
		return false;
	/* Converted, one byte may need two. */
	return buf_room(&carrier->buf) > carrier->converts;
}

static bool
carrier_ring_has_data(const struct carrier *carrier)
{
	return buf_used(&carrier->buf) > 0;
}

/* Hands over to the kernel, if it is time, both ends let it, and nothing is left in the ring. */
static bool
carrier_ring_rises(struct carrier *carrier, const struct stream *source)
{
	if (!carrier->splice || !carrier->much || buf_used(&carrier->buf) > 0 || source->last)
		return false;
	carrier->splice = false;
	if (!splice_open(carrier, source))
		return false;
	carrier_ring_close(carrier);
	log_line(LOG_DEBUG, "from %s to %s: %s", source->name, carrier->sink->name,
		carrier->ops->name);
	return true;
}

static enum io
carrier_ring_fill(struct carrier *carrier, struct stream *source, size_t *got, struct fault *fault)
{
	struct iovec space[2];
	if (carrier_ring_rises(carrier, source))
		return carrier->ops->fill(carrier, source, got, fault);
	if (!carrier_ring_make(carrier, source, fault))
		return IO_FAIL;
	size_t room = buf_room(&carrier->buf) / 2;
	if (carrier->converts)
		return carrier_fill_converted(
			carrier, source, room < CARRIER_RAW ? room : CARRIER_RAW, got, fault);
	int count = buf_space(&carrier->buf, space);
	enum io result = source->ops->read(source, space, count, got, fault);
	if (result == IO_OK)
		buf_added(&carrier->buf, *got);
	carrier->much = result == IO_OK && *got >= carrier->size / CARRIER_MUCH;
	carrier->brought = result == IO_OK && *got > 0;
	return result;
}

/* Cuts the pieces behind the first line end, if there is one. */
static int
carrier_cut_line(struct iovec *pieces, int count, bool *line)
{
	*line = false;
	for (int i = 0; i < count; i++) {
		const char *start = pieces[i].iov_base;
		const char *end = memchr(start, '\n', pieces[i].iov_len);
		if (end == NULL)
			continue;
		*line = true;
		pieces[i].iov_len = (size_t)(end - start) + 1;
		return i + 1;
	}
	return count;
}

static enum io
carrier_ring_drain(struct carrier *carrier, struct stream *sink, size_t *put, struct fault *fault)
{
	struct iovec bytes[2];
	bool line = false;
	int count = buf_bytes(&carrier->buf, bytes);
	if (carrier->units)
		count = carrier_cut_line(bytes, count, &line);
	enum io result = sink->ops->write(sink, bytes, count, put, fault);
	carrier->unit_ended = result == IO_OK && line && *put == stream_total(bytes, count);
	if (result == IO_OK)
		buf_taken(&carrier->buf, *put);
	if (carrier->lean && !carrier->much && buf_used(&carrier->buf) == 0)
		carrier_ring_close(carrier);
	return result;
}

static size_t
carrier_ring_drop(struct carrier *carrier)
{
	size_t dropped = buf_used(&carrier->buf);
	buf_taken(&carrier->buf, dropped);
	return dropped;
}

const struct carrier_ops carrier_ring = {
	.name = "ring",
	.has_room = carrier_ring_has_room,
	.has_data = carrier_ring_has_data,
	.fill = carrier_ring_fill,
	.drain = carrier_ring_drain,
	.drop = carrier_ring_drop,
	.close = carrier_ring_close,
};

bool
carrier_open(struct carrier *carrier, const struct stream *source, const struct stream *sink,
	const struct carrier_config *config, struct fault *fault)
{
	*carrier = (struct carrier){
		.ops = &carrier_ring,
		.sink = sink,
		.size = config->size,
		.splice = config->splice && !config->crlf && !config->units,
		.units = config->units,
		.lean = config->lean,
		.pipe = { -1, -1 },
	};
	if (source->box != NULL) {
		fanout_open(carrier, source);
		return true;
	}
	if (source->rmessages || sink->wmessage_max > 0 || config->decode != NULL)
		return message_open(carrier, source, config, fault);
	carrier->converts = config->crlf;
	return carrier->lean || carrier_ring_make(carrier, source, fault);
}

bool
carrier_leave(struct carrier *carrier, size_t held, struct fault *fault)
{
	/* There is always room for a read: "nothing read" would be taken for "nothing there". */
	if (!buf_open(&carrier->buf, held + carrier->size))
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "buffer");
	carrier->ops = &carrier_ring;
	return true;
}

void
carrier_close(struct carrier *carrier)
{
	if (carrier->ops != NULL)
		carrier->ops->close(carrier);
}
