/* The carrier of what is said to many: it writes from the blocks that wait in the source's box,
 * which all share; nothing is copied for this one. */
#ifndef SOCKCAT_FLOW_FANOUT_H
#define SOCKCAT_FLOW_FANOUT_H

#include "flow/carrier.h"

/* For a source that has a box. */
void fanout_open(struct carrier *carrier, const struct stream *source);

#endif
