/* The channel that writes the data that a source lends (stream/lender.h), without a copy. */
#include "flow/channel.h"

#include "stream/lender.h"

static bool
lent_has_room(const struct channel *channel)
{
	/* The lender bounds its data. */
	(void)channel;
	return true;
}

static bool
lent_has_data(const struct channel *channel)
{
	return channel->lender->count > 0;
}

static enum io
lent_fill(struct channel *channel, struct stream *source, size_t *got, struct fault *fault)
{
	struct lender *lender = channel->lender;
	size_t before = lender->count;
	(void)source;
	enum io result = lender->ops->read(lender, got);
	channel->brought = lender->count - before;
	if (result == IO_FAIL)
		(void)fault_set(fault, STATUS_SEND, 0, "send to %s: queue full (%zu bytes)",
			channel->sink->name, lender->bytes);
	return result;
}

static int
lent_lend(struct channel *channel, struct iovec **pieces, int room)
{
	return channel->lender->ops->lend(channel->lender, *pieces, room);
}

static void
lent_consume(struct channel *channel, size_t bytes, size_t messages)
{
	channel->lender->ops->consume(channel->lender, bytes, messages);
}

static const struct channel_ops lent_ops = {
	.name = "copied from the shared queue",
	.has_room = lent_has_room,
	.has_data = lent_has_data,
	.fill = lent_fill,
	.lend = lent_lend,
	.consume = lent_consume,
};

void
lent_open(struct channel *channel, const struct stream *source)
{
	channel->lender = source->caps.lender;
	channel->ops = &lent_ops;
}
