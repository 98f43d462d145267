/* What a header of the PROXY protocol contains about the TLS of a client's connection. */
#ifndef SOCKCAT_FILTER_PROXY_VALUES_H
#define SOCKCAT_FILTER_PROXY_VALUES_H

#include "net/proxy_header.h"
#include "stream/stream.h"

struct proxy_values {
	unsigned char ssl[1024];
};

/* Sets the values that are known about the stream, if it has TLS. They last as long as `values` and
 * the stream. */
void proxy_values_set(
	struct proxy_values *values, const struct stream *stream, struct proxy_header *header);

#endif
