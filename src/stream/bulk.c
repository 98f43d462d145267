/* Much in a row; see bulk.h. */
#include "stream/bulk.h"

#include "base/clock.h"
#include "sys/sys.h"

/* Where the mark is raised to, and how much has to come before that. */
#define BULK_MARK ((size_t)512 * 1024)
#define BULK_NEEDED ((uint64_t)8 * 1024 * 1024)

/* What a read brings at least (a ring's whole) if the mark was reached. Less, and the wait was over
 * before it was: it held up a sender that has so much under way and no more. */
#define BULK_WORTH (BULK_MARK / 2)

/* A read of less says that the sender is not that fast. */
#define BULK_SMALL ((size_t)16 * 1024)

#define BULK_PATIENCE CLOCK_MILLISECOND

void
bulk_init(struct bulk *bulk, int fd)
{
	*bulk = (struct bulk){ .fd = fd, .needed = BULK_NEEDED };
}

void
bulk_end(struct bulk *bulk)
{
	if (bulk->on)
		(void)sys_set_low_water(bulk->fd, 1);
	bulk->on = false;
	bulk->streak = 0;
	bulk->latest = 0;
}

void
bulk_note(struct bulk *bulk, size_t n)
{
	if (bulk->fd == -1)
		return;
	if (n < BULK_SMALL) {
		/* The less it was worth, the longer it is not tried again. */
		if (bulk->on)
			bulk->needed *= 2;
		bulk_end(bulk);
		return;
	}
	bulk->streak += n;
	if (!bulk->on && bulk->streak >= bulk->needed)
		bulk->on = sys_set_low_water(bulk->fd, (int)BULK_MARK);
	if (bulk->on && n < BULK_WORTH && clock_now() >= bulk->latest && bulk->latest != 0) {
		bulk->needed *= 2;
		bulk_end(bulk);
	}
	if (bulk->on)
		bulk->latest = clock_after(clock_now(), BULK_PATIENCE);
}
