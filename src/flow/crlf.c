/* Line ends for the network; see crlf.h. */
#include "flow/crlf.h"

size_t
crlf_feed(struct crlf *crlf, const unsigned char *in, size_t n, unsigned char *out)
{
	size_t made = 0;
	for (size_t i = 0; i < n; i++) {
		if (in[i] == '\n' && !crlf->after_cr)
			out[made++] = '\r';
		out[made++] = in[i];
		crlf->after_cr = in[i] == '\r';
	}
	return made;
}
