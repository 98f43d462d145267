/* Length fields after a header; see part.h. */
#include "frame/part.h"

#include <inttypes.h>
#include <stdio.h>

#include "frame/parameter.h"

bool
part_take_header(struct frame *frame, const char **text, const char **why)
{
	uint64_t value;
	if (!parameter_take(text, ",offset=") || !parameter_number(text, SIZE_MAX, &value, why))
		return false;
	frame->header = (size_t)value;
	if (value <= frame->max)
		return true;
	*why = "the header is longer than --max-message";
	return false;
}

void
part_describe(uint64_t value, const unsigned char *bytes, size_t width, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "length %" PRIu64, value);
	for (size_t i = 0; i < width && used < size; i++)
		used += (size_t)snprintf(
			text + used, size - used, "%s%02x", i == 0 ? " (" : " ", bytes[i]);
	if (used < size)
		(void)snprintf(text + used, size - used, ")");
}
