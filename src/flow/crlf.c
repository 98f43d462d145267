/* Line ends for the network; see stage.h. */
#include "flow/stage.h"

static size_t
crlf_change(struct stage *stage, const unsigned char *in, size_t n, bool first, unsigned char *out)
{
	size_t made = 0;
	bool after_cr = stage->after_cr && !first;
	for (size_t i = 0; i < n; i++) {
		if (in[i] == '\n' && !after_cr)
			out[made++] = '\r';
		out[made++] = in[i];
		after_cr = in[i] == '\r';
	}
	stage->after_cr = after_cr;
	return made;
}

static const struct stage_ops crlf_ops = { .change = crlf_change };

const struct stage crlf_stage = { .ops = &crlf_ops };
