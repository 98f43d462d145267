/* Sending a header of the PROXY protocol: a filter that opens by writing it, before anything else,
 * and then becomes the stream below. */
#ifndef SOCKCAT_FILTER_PROXY_SENDER_H
#define SOCKCAT_FILTER_PROXY_SENDER_H

#include "base/fault.h"
#include "net/proxy_header.h"
#include "stream/stream.h"

struct proxy_sender_config {
	enum proxy_header_version version; /* 0: no header */
	struct proxy_header header;        /* copied; its values, but the ID, are written at once */
	bool own; /* the addresses are those of the connection itself, but a source may be given */
};

/* Puts the filter on top; nothing without a version. The config is copied. False and a fault if
 * there is no memory. */
bool proxy_sender_add(
	struct stream **top, const struct proxy_sender_config *config, struct fault *fault);

#endif
