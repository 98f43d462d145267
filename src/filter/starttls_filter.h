/* Changing to TLS inside of another protocol (net/starttls.h): a filter below that of TLS, which
 * opens in many steps and then becomes the stream of the connection. */
#ifndef SOCKCAT_FILTER_STARTTLS_FILTER_H
#define SOCKCAT_FILTER_STARTTLS_FILTER_H

#include "base/fault.h"
#include "net/handshake.h"
#include "stream/stream.h"

/* Puts the filter on top. `name`: of the server, which has to outlive the opening; NULL: unknown.
 * `limit`: of the opening, a span; `by`: a time by which it has to be over, too, 0: none. False and
 * a fault if there is no memory.
 *
 * Status of `open`: 35 if the server refuses, answers something else, or sends more than its
 * answer; 28. */
bool starttls_filter_add(struct stream **top, const struct handshake_protocol *protocol,
	const char *name, int64_t limit, int64_t by, struct fault *fault);

#endif
