/* Names of socket options, as in LEVEL:NAME:VALUE, and their numbers. */
#ifndef SOCKCAT_NET_OPTNAME_H
#define SOCKCAT_NET_OPTNAME_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "base/fault.h"

/* On 32-bit systems a sizeof expression, which OPTNAME_TEXT cannot convert. */
#ifdef SO_TIMESTAMP_OLD
#undef SO_TIMESTAMP
#define SO_TIMESTAMP SO_TIMESTAMP_OLD
#endif

/* The number of an option as text; its name if the system does not define the macro. Replaces an
 * #ifndef for each of them. */
#define OPTNAME_TEXT(option) OPTNAME_QUOTE(option)
#define OPTNAME_QUOTE(text) #text

/* No option has this number. */
#define OPTNAME_MISSING (-1)

/* The number in an OPTNAME_TEXT; OPTNAME_MISSING: not supported by this system. */
int optname_value(const char *text);

struct optname {
	int level, option;
	int number;
	const char *text; /* not owned; NULL: the value is the number */
};

/*
 * Parses "LEVEL:NAME:VALUE". The level is SOCKET, IP, IPV6, TCP, UDP or a number; the name is one
 * of optname.def, with or without its prefix (SO_, IP_ and so on), or a number; the value is a
 * number, or else a text. parsed->text points into the text. Status 3, or 4 for a name that this
 * system does not support.
 */
bool optname_parse(struct optname *parsed, const char *text, struct fault *fault);

#endif
