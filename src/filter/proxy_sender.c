/* Sending a header of the PROXY protocol; see proxy_sender.h. */
#include "filter/proxy_sender.h"

#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "filter/filter.h"

struct proxy_sender {
	struct proxy_sender_config config;
	size_t sent, length; /* length 0: not made */
	char id[PROXY_HEADER_ID_MAX + 1];
	unsigned char bytes[PROXY_HEADER_MAX];
};

static void
proxy_sender_report(const struct stream *stream, const struct proxy_header *header)
{
	const struct proxy_sender *sender = stream->impl;
	bool known = header->source.length > 0 && header->destination.length > 0;
	if (!event_wants(EVENT_header_sent))
		return;
	char *source = known ? address_print(&header->source) : NULL;
	char *destination = known ? address_print(&header->destination) : NULL;
	bool has_id = sender->length > PROXY_HEADER_V2_FIXED && header->id.length > 0;
	event_emit(&(struct event){ .kind = EVENT_header_sent,
		.peer = stream->name,
		.count = sender->config.version,
		.address = source,
		.local = destination,
		.unique_id =
			has_id && sender->config.version == PROXY_HEADER_V2 ? sender->id : NULL });
	free(source);
	free(destination);
}

/* Makes the header; the stream below is open if its addresses are needed. */
static void
proxy_sender_make(struct stream *stream)
{
	struct proxy_sender *sender = stream->impl;
	struct proxy_header *header = &sender->config.header;
	int fd = stream->lower->write.fd;
	if (sender->config.own && header->source.length == 0)
		(void)address_of_socket(&header->source, fd);
	if (sender->config.own)
		(void)address_of_peer(&header->destination, fd);
	sender->length = proxy_header_write(header, sender->config.version, sender->bytes);
}

static enum io
proxy_sender_open(
	struct stream *stream, const struct pollset *pollset, int64_t now, struct fault *fault)
{
	struct proxy_sender *sender = stream->impl;
	(void)pollset, (void)now;
	if (sender->length == 0)
		proxy_sender_make(stream);
	enum io result = filter_send(stream, sender->bytes, sender->length, &sender->sent, fault);
	if (result != IO_OK)
		return result;
	proxy_sender_report(stream, &sender->config.header);
	filter_become_lower(stream);
	return IO_OK;
}

/* It is read and written only after it has become the stream below. */
static const struct stream_ops proxy_sender_ops = {
	.open = proxy_sender_open,
};

bool
proxy_sender_add(struct stream **top, const struct proxy_sender_config *config, struct fault *fault)
{
	if (config->version == 0)
		return true;
	struct stream *stream =
		filter_add(top, &proxy_sender_ops, sizeof(struct proxy_sender), fault);
	if (stream == NULL)
		return false;
	struct proxy_sender *sender = stream->impl;
	sender->config = *config;
	struct proxy_header_value *id = &sender->config.header.id;
	if (id->bytes != NULL && id->length < sizeof sender->id) {
		memcpy(sender->id, id->bytes, id->length);
		id->bytes = (const unsigned char *)sender->id;
	}
	if (!config->own)
		proxy_sender_make(stream);
	return true;
}
