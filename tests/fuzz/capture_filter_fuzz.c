/*
 * Fuzzes the lines of a hex dump: for any time, offset and bytes the result is one line of
 * printable characters whose digits and text are the bytes.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter/capture_filter.h"

#define RECORD_FUZZ_HEAD 10

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	char line[CAPTURE_FILTER_LINE_MAX], time[64], head[128];
	uint64_t offset;
	if (n < RECORD_FUZZ_HEAD)
		return 0;
	/* A time of any length without control characters. */
	size_t length = bytes[0] % sizeof time;
	memset(time, 'T', sizeof time);
	time[length] = '\0';
	char direction = (bytes[1] & 1) != 0 ? '<' : '>';
	memcpy(&offset, bytes + 2, sizeof offset);
	const uint8_t *data = bytes + RECORD_FUZZ_HEAD;
	size_t count = n - RECORD_FUZZ_HEAD,
	       put = capture_filter_line(line, time, direction, offset, data, count);
	if (count > CAPTURE_FILTER_LINE_BYTES)
		count = CAPTURE_FILTER_LINE_BYTES;
	if (put == 0 || put >= CAPTURE_FILTER_LINE_MAX || line[put - 1] != '\n')
		abort();
	for (size_t i = 0; i + 1 < put; i++)
		if (line[i] < ' ' || line[i] > '~')
			abort();
	int used = snprintf(head, sizeof head, "%.40s %c %08" PRIx64 "  ", time, direction, offset);
	if (used < 0 || strncmp(line, head, (size_t)used) != 0)
		abort();
	const char *hex = line + used;
	for (size_t i = 0; i < count; i++) {
		unsigned value;
		if (sscanf(hex + i * 3 + (i >= CAPTURE_FILTER_LINE_BYTES / 2), "%2x", &value) !=
				1 ||
			value != data[i])
			abort();
	}
	const char *text = line + put - 2 - count;
	if (line[put - 2] != '|' || text[-1] != '|')
		abort();
	for (size_t i = 0; i < count; i++)
		if (text[i] != (data[i] >= ' ' && data[i] <= '~' ? (char)data[i] : '.'))
			abort();
	return 0;
}
