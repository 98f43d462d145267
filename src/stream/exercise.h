/*
 * The local side of the classic exercises: it takes everything and keeps nothing, and says nothing
 * (discard, RFC 863), rotating lines for ever (chargen, RFC 864), or the date and time, once
 * (daytime, RFC 867). Where messages come, chargen and daytime answer each with one, and say
 * nothing by themselves.
 */
#ifndef SOCKCAT_STREAM_EXERCISE_H
#define SOCKCAT_STREAM_EXERCISE_H

#include <stdbool.h>

#include "base/fault.h"
#include "stream/stream.h"

enum exercise_kind { EXERCISE_DISCARD, EXERCISE_CHARGEN, EXERCISE_DAYTIME };

/* `answers`: messages come. False and a fault if there is no memory. */
bool exercise_init(
	struct stream *stream, enum exercise_kind kind, bool answers, struct fault *fault);

#endif
