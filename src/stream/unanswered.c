/* Messages to send again; see unanswered.h. */
#include "stream/unanswered.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* In front of each message. */
typedef uint32_t unanswered_length;

/* Empty messages need room, too. */
#define UNANSWERED_ROOM (UNANSWERED_MAX * 2)

void
unanswered_drop(struct unanswered *unanswered)
{
	free(unanswered->bytes);
	*unanswered = (struct unanswered){ .incomplete = true };
}

static bool
unanswered_add(struct unanswered *unanswered, const struct iovec *message)
{
	unanswered_length length = (unanswered_length)message->iov_len;
	if (message->iov_len > UNANSWERED_MAX - unanswered->payload)
		return false;
	size_t used = unanswered->used + sizeof length + message->iov_len;
	if (used > UNANSWERED_ROOM)
		return false;
	if (used > unanswered->size) {
		size_t size = used * 2 < UNANSWERED_ROOM ? used * 2 : UNANSWERED_ROOM;
		unsigned char *larger = realloc(unanswered->bytes, size);
		if (larger == NULL)
			return false;
		unanswered->bytes = larger;
		unanswered->size = size;
	}
	memcpy(unanswered->bytes + unanswered->used, &length, sizeof length);
	if (length > 0)
		memcpy(unanswered->bytes + unanswered->used + sizeof length, message->iov_base,
			length);
	unanswered->used = unanswered->next = used;
	unanswered->payload += length;
	return true;
}

void
unanswered_keep(struct unanswered *unanswered, const struct iovec *pieces, int count)
{
	for (int i = 0; i < count && !unanswered->incomplete; i++)
		if (!unanswered_add(unanswered, &pieces[i]))
			unanswered_drop(unanswered);
}

bool
unanswered_next(const struct unanswered *unanswered, struct iovec *message)
{
	unanswered_length length;
	if (unanswered->next >= unanswered->used)
		return false;
	memcpy(&length, unanswered->bytes + unanswered->next, sizeof length);
	*message = (struct iovec){ unanswered->bytes + unanswered->next + sizeof length, length };
	return true;
}

void
unanswered_advance(struct unanswered *unanswered)
{
	struct iovec message;
	if (unanswered_next(unanswered, &message))
		unanswered->next += sizeof(unanswered_length) + message.iov_len;
}

void
unanswered_rewind(struct unanswered *unanswered)
{
	unanswered->next = 0;
}
