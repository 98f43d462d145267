/*
 * The local side of the built-in services: all discard what they receive, and send nothing
 * (discard, RFC 863), rotating lines without end (chargen, RFC 864), or the date and time once
 * (daytime, RFC 867). Over datagrams, chargen and daytime answer each one with one, and send
 * nothing else.
 */
#ifndef SOCKCAT_STREAM_BUILTIN_H
#define SOCKCAT_STREAM_BUILTIN_H

#include <stdbool.h>

#include "base/fault.h"
#include "stream/stream.h"

enum builtin_kind { BUILTIN_NONE, BUILTIN_DISCARD, BUILTIN_CHARGEN, BUILTIN_DAYTIME };

/* Whether it sends something: over datagrams, one for each that it receives. */
static inline bool
builtin_answers(enum builtin_kind kind)
{
	return kind == BUILTIN_CHARGEN || kind == BUILTIN_DAYTIME;
}

/* `messages`: the peer's messages are kept apart. NULL and a fault if there is no memory. */
struct stream *builtin_new(enum builtin_kind kind, bool messages, struct fault *fault);

#endif
