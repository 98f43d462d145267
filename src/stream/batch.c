/* The datagrams of one call; see batch.h. */
#include "stream/batch.h"

bool
batch_receive(struct batch *batch, int fd, unsigned char *space, size_t slot, size_t slots)
{
	slots = slots < BATCH_MAX ? slots : BATCH_MAX;
	int count = sys_receive_messages(fd, space, slot, batch->messages, (int)slots);
	batch->space = space;
	batch->slot = slot;
	batch->count = count > 0 ? (size_t)count : 0;
	batch->next = batch->offset = 0;
	return count != -1;
}
