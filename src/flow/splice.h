/*
 * The carrier that is a pipe in the kernel: splice(2) moves bytes into and out of it, and they
 * never pass through this process. For two streams of bytes whose descriptors the kernel can
 * splice. A ring becomes one once much comes at a time.
 *
 * Where the kernel refuses (a terminal, a file opened with O_APPEND, some of /proc), when a source
 * ends or fails, and when only what has arrived is still wanted, what the pipe holds goes into a
 * ring and the carrier is one from there on: no byte is lost or doubled, and the streams' own
 * operations say what happens next.
 */
#ifndef SOCKCAT_FLOW_SPLICE_H
#define SOCKCAT_FLOW_SPLICE_H

#include <stdbool.h>

#include "flow/carrier.h"

/* Whether it suits both ends, and the pipe could be made; the carrier is then of this kind. */
bool splice_open(struct carrier *carrier, const struct stream *source);

/* Whether the error says that the kernel does not do it, which is no failure: the streams' own
 * operations will. And the line that tells so. */
bool splice_is_refused(int error);
void splice_report_refusal(const struct stream *stream);

#endif
