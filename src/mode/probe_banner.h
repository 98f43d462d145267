/* Reading the banner of a service (net/banner.h) from a stream. */
#ifndef SOCKCAT_MODE_PROBE_BANNER_H
#define SOCKCAT_MODE_PROBE_BANNER_H

#include "base/io.h"
#include "base/pollset.h"
#include "net/banner.h"
#include "stream/stream.h"

/* Adds the events that the next probe_banner_step waits for. */
void probe_banner_ask(const struct banner *banner, const struct banner_config *config,
	const struct stream *stream, struct pollset *pollset);

/* Sends the request and reads the line, without blocking. IO_AGAIN: call probe_banner_ask, poll,
 * probe_banner_step. IO_OK: nothing more will be read; the peer may have closed the connection. */
enum io probe_banner_step(
	struct banner *banner, const struct banner_config *config, struct stream *stream);

#endif
