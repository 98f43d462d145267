/* Changing to TLS inside of another protocol (net/starttls.h): a filter below that of TLS, which
 * opens in many steps and then becomes the stream of the connection. */
#ifndef SOCKCAT_FILTER_STARTTLS_FILTER_H
#define SOCKCAT_FILTER_STARTTLS_FILTER_H

#include "filter/tls_filter.h"

/* Puts the filter on top, as the config says, which has `starttls`; see tls_filter_add. False and a
 * fault if there is no memory.
 *
 * Status of `open`: 35 if the server refuses, answers something else, or sends more than its
 * answer; 28. */
bool starttls_filter_add(
	struct stream **top, const struct tls_filter_config *config, struct fault *fault);

#endif
