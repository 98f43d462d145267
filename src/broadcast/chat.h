/*
 * A participant of a chat. Lines written to the stream are published to the others, escaped
 * (text.h) and with the name in front; a read returns their lines. Joining and leaving are
 * announced.
 *
 * A participant is greeted with its name and the commands, which are lines:
 *
 *     /nick NAME     changes the name: 1 to 32 letters, digits, '-' and '_'
 *     /who           lists the names of all participants
 *     /quit          ends the stream
 */
#ifndef SOCKCAT_BROADCAST_CHAT_H
#define SOCKCAT_BROADCAST_CHAT_H

#include "base/fault.h"
#include "broadcast/bus.h"
#include "stream/stream.h"

#define CHAT_NAME_MAX 32

/* Whether the name is valid. */
bool chat_is_name(const char *name);

/* Joins with a name, which is copied. NULL and a fault if memory runs out. */
struct stream *chat_new(
	struct bus *bus, struct bus_queue *queue, const char *name, struct fault *fault);

#endif
