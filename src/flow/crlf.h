/* Line ends for the network: LF becomes CR LF; a CR LF stays one, however the input is cut. */
#ifndef SOCKCAT_FLOW_CRLF_H
#define SOCKCAT_FLOW_CRLF_H

#include <stdbool.h>
#include <stddef.h>

/* The state between two pieces of one input; zeroed at the start. */
struct crlf {
	bool after_cr;
};

/* Converts n bytes into out, which has room for 2 * n. Returns the number of bytes. */
size_t crlf_feed(struct crlf *crlf, const unsigned char *in, size_t n, unsigned char *out);

#endif
