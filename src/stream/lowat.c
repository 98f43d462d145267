/* The low-water mark; see lowat.h. */
#include "stream/lowat.h"

#include "base/clock.h"
#include "sys/sys.h"

/* The raised mark, and the bytes in a row that raise it. */
#define LOWAT_MARK ((size_t)512 * 1024)
#define LOWAT_NEEDED ((uint64_t)8 * 1024 * 1024)

/* A read returns at least this much (the size of a ring) if the mark was reached. Less means that
 * the timer ended the wait: the sender has less than the mark in flight, and was held up. */
#define LOWAT_WORTH (LOWAT_MARK / 2)

/* A smaller read means that the sender is slow. */
#define LOWAT_SMALL ((size_t)16 * 1024)

#define LOWAT_PATIENCE CLOCK_MILLISECOND

void
lowat_init(struct lowat *lowat, int fd)
{
	*lowat = (struct lowat){ .fd = fd, .needed = LOWAT_NEEDED };
}

void
lowat_end(struct lowat *lowat)
{
	if (lowat->on)
		(void)sys_set_low_water(lowat->fd, 1);
	lowat->on = false;
	lowat->streak = 0;
	lowat->latest = 0;
}

int64_t
lowat_note(struct lowat *lowat, size_t n)
{
	if (n < LOWAT_SMALL) {
		/* Try less often each time that it fails. */
		if (lowat->on)
			lowat->needed *= 2;
		lowat_end(lowat);
		return 0;
	}
	lowat->streak += n;
	if (!lowat->on && lowat->streak >= lowat->needed)
		lowat->on = sys_set_low_water(lowat->fd, (int)LOWAT_MARK);
	if (lowat->on && n < LOWAT_WORTH && clock_now() >= lowat->latest && lowat->latest != 0) {
		lowat->needed *= 2;
		lowat_end(lowat);
	}
	if (lowat->on)
		lowat->latest = clock_after(clock_now(), LOWAT_PATIENCE);
	return lowat->latest;
}
