/*
 * The carrier of messages. What is read lies in one buffer; messages are found in it (decoded, if
 * the source has a frame format; otherwise what one read brings is one message), made ready for the
 * sink (encoded) in a batch of as many as are there, and written with as few calls as the sink
 * needs. Nothing is read while a batch waits, and nothing waits for more to come.
 *
 * A message is never cut, joined with another one or delivered before it is whole; order stays.
 */
#ifndef SOCKCAT_FLOW_MESSAGE_H
#define SOCKCAT_FLOW_MESSAGE_H

#include <stdbool.h>

#include "flow/carrier.h"

/* Makes the carrier one of messages. False and a fault if there is no memory. */
bool message_open(struct carrier *carrier, const struct stream *source,
	const struct carrier_config *config, struct fault *fault);

#endif
