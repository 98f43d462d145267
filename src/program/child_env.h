/* The environment of a program that serves a connection. */
#ifndef SOCKCAT_PROGRAM_CHILD_ENV_H
#define SOCKCAT_PROGRAM_CHILD_ENV_H

#include "net/endpoint.h"
#include "plugin/tls_ops.h"
#include "sys/sys.h"

/*
 * The inherited environment plus SOCKCAT_PROTO, SOCKCAT_REMOTE_ADDR, SOCKCAT_REMOTE_PORT,
 * SOCKCAT_LOCAL_ADDR, SOCKCAT_LOCAL_PORT, SOCKCAT_PEER_UID, SOCKCAT_PEER_GID, SOCKCAT_PEER_PID and
 * the same names with NCAT_; with `tls`, which may be NULL, SOCKCAT_TLS_PROTOCOL, _CIPHER, _ALPN,
 * _SERVER_NAME, _PEER_SUBJECT, _PEER_PIN and _VERIFIED. Addresses are numeric; for Unix sockets,
 * whose names the peer chooses, they are not set. Inherited variables with these names are removed;
 * with `clear` all but the common ones (PATH, HOME, LANG and so on). The caller frees it
 * (child_env_free); NULL: out of memory.
 */
char **child_env_make(char *const *inherited, bool clear, const char *protocol,
	const struct address *own, const struct address *peer, const struct sys_credentials *from,
	const struct tls_facts *tls);

/* Frees an environment; NULL is allowed. */
void child_env_free(char **environment);

#endif
