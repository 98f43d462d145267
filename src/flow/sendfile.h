/*
 * The carrier that holds nothing: sendfile(2) sends a file from where it lies, and the bytes are
 * neither read nor kept. To fill it is to look how much of the file is left; that much is promised,
 * and only the drain takes it. A ring becomes one once much comes at a time.
 *
 * Where the kernel refuses, when the file ends, fails or was cut meanwhile, and when only what is
 * there is still wanted, the carrier is a ring from there on, and the streams' own operations say
 * what happens next.
 */
#ifndef SOCKCAT_FLOW_SENDFILE_H
#define SOCKCAT_FLOW_SENDFILE_H

#include <stdbool.h>

#include "flow/carrier.h"

/* Whether it suits both ends: a file, and something the kernel can put bytes into. The carrier is
 * then of this kind. */
bool sendfile_open(struct carrier *carrier, const struct stream *source);

#endif
