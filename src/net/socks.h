/* SOCKS: version 4 with its extension 4A, and version 5 (RFC 1928) with user names and passwords
 * (RFC 1929). */
#ifndef SOCKCAT_NET_SOCKS_H
#define SOCKCAT_NET_SOCKS_H

#include "net/handshake.h"

extern const struct handshake_protocol socks_v4_protocol, socks_v5_protocol;

#endif
