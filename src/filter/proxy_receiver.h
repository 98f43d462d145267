/* Receiving a header of the PROXY protocol: a filter that opens by reading it and then becomes the
 * stream below; and one that fails if there is a header, of a peer that must not send one. */
#ifndef SOCKCAT_FILTER_PROXY_RECEIVER_H
#define SOCKCAT_FILTER_PROXY_RECEIVER_H

#include "base/fault.h"
#include "net/proxy_reader.h"
#include "stream/stream.h"

/* Puts the filter on top. The reader, which was started, has to outlive it, and has the header when
 * the stream is open. Status of `open`: 102; the owner limits its time. False and a fault if there
 * is no memory. */
bool proxy_receiver_add(struct stream **top, struct proxy_reader *reader, struct fault *fault);

/* The header was not received; `cause`: why. Returns IO_FAIL. */
enum io proxy_receiver_fail(const struct stream *stream, const char *cause, struct fault *fault);

/* The same for a peer that is not trusted: a read fails with status 103 if the first bytes are a
 * header. Nothing is held back, so that either side may send first. */
bool proxy_receiver_add_guard(struct stream **top, struct fault *fault);

#endif
