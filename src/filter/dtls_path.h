/* The largest datagram of DTLS that the network takes in one packet. */
#ifndef SOCKCAT_FILTER_DTLS_PATH_H
#define SOCKCAT_FILTER_DTLS_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "net/endpoint.h"
#include "stream/stream.h"

/* The bytes of such a datagram on a stream of datagrams. `probing`: none is larger than what nearly
 * all networks take, whatever is known. */
size_t dtls_path_find(const struct stream *stream, bool probing);

/* The same on the way to an address; 0: not known. */
size_t dtls_path_to(const struct address *to);

#endif
