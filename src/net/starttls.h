/*
 * The conversation in clear text with which protocols change to TLS, without I/O (handshake.h). The
 * host of the request is the name of the server, if it is known. TLS starts when all of `out` is
 * sent; what the server sends before belongs to an attacker.
 *
 * An opening of more than STARTTLS_LINES_MAX lines or STARTTLS_BYTES_MAX bytes is malformed.
 */
#ifndef SOCKCAT_NET_STARTTLS_H
#define SOCKCAT_NET_STARTTLS_H

#include "net/handshake.h"

#define STARTTLS_LINES_MAX 100
#define STARTTLS_BYTES_MAX ((size_t)16 * 1024)

/* The protocol of this name: smtp, imap, pop3, ftp, ldap, xmpp, postgres, mysql, nntp or sieve;
 * NULL: unknown. */
const struct handshake_protocol *starttls_find(const char *name);

/* The name of a protocol. */
const char *starttls_name(const struct handshake_protocol *protocol);

/* The line, tag or text of the server with which it failed; its length, 0: none. */
const char *starttls_answer(const struct handshake *handshake, size_t *length);

#define STARTTLS_AT_ONCE "the server expects TLS at once; use TLS without --starttls"

/* Whether the answer is an alert of TLS, of a server that speaks nothing else. */
bool starttls_is_tls(const struct handshake *handshake);

/* --- for the rows of starttls.c --- */

/* Line-based protocols: `steps` follow the protocol. */
struct starttls_lines {
	struct handshake_protocol protocol; /* first: found by its address */
	const struct starttls_step *steps;  /* the last one has no `good` */
};

struct starttls_step {
	const char *send; /* NULL: nothing, the server sends first */
	const char *good; /* the first word of the line that ends the step */
	const char *also; /* another one; NULL: none */
	const char *skip; /* how lines begin that may come before; NULL: none */
};

bool starttls_lines_start(struct handshake *handshake);
enum handshake_result starttls_lines_step(struct handshake *handshake);

/* Takes one more byte of the current line or tag, the last two bytes of which are always kept.
 * HANDSHAKE_MALFORMED if there are too many. */
enum handshake_result starttls_more(struct handshake *handshake);

/* Fail with an answer that is no text for a message; one that is TLS is named. */
enum handshake_result starttls_malformed(struct handshake *handshake, const char *words);

/* Fails with the text of the server in its answer, `in`; NULL: it has none. */
enum handshake_result starttls_refuse(struct handshake *handshake, const char *words, unsigned code,
	const unsigned char *text, size_t length);

extern const struct handshake_protocol starttls_xmpp, starttls_ldap, starttls_postgres,
	starttls_mysql;

#endif
