/* The end of a tar archive; see end_blocks.h. */
#include "archive/end_blocks.h"

#define END_BLOCKS_LEAST 1024

void
end_blocks_feed(struct end_blocks *blocks, const unsigned char *bytes, size_t n)
{
	size_t end = n;
	while (end > 0 && bytes[end - 1] == 0)
		end--;
	if (end > 0)
		blocks->nonzero = blocks->total + end;
	blocks->total += n;
}

enum end_blocks_verdict
end_blocks_check(const struct end_blocks *blocks, uint64_t last)
{
	if (blocks->nonzero > last)
		return END_BLOCKS_AFTER;
	if (blocks->total < last || blocks->total - last < END_BLOCKS_LEAST)
		return END_BLOCKS_CUT;
	return blocks->total - last > END_BLOCKS_MAX ? END_BLOCKS_AFTER : END_BLOCKS_GOOD;
}
