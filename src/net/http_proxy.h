/* Tunnels through HTTP proxies: CONNECT (RFC 9110, 9.3.6; messages: RFC 9112). */
#ifndef SOCKCAT_NET_HTTP_PROXY_H
#define SOCKCAT_NET_HTTP_PROXY_H

#include "net/handshake.h"

/* The limits of an answer's header. */
#define HTTP_PROXY_HEADER_MAX ((size_t)16 * 1024)
#define HTTP_PROXY_LINES_MAX 100

extern const struct handshake_protocol http_proxy_protocol;

#endif
