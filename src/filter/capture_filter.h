/* A filter that appends what is read and written to the capture files. */
#ifndef SOCKCAT_FILTER_CAPTURE_FILTER_H
#define SOCKCAT_FILTER_CAPTURE_FILTER_H

#include "base/fault.h"
#include "filter/capture.h"
#include "stream/stream.h"

/* Puts the filter on top of a stream, if there is a capture file. The capture and its client
 * outlive it; it stays the outermost one, as the capture wakes it. False and a fault if there is no
 * memory. */
bool capture_filter_add(struct stream **top, struct capture *capture, struct capture_client *client,
	struct fault *fault);

/*
 * A line of the dump: "TIME > OFFSET  HEX  |TEXT|\n", for up to CAPTURE_FILTER_LINE_BYTES bytes;
 * `time` has no line breaks. Returns its length.
 */
#define CAPTURE_FILTER_LINE_BYTES 16
#define CAPTURE_FILTER_LINE_MAX 160
size_t capture_filter_line(char line[static CAPTURE_FILTER_LINE_MAX], const char *time,
	char direction, uint64_t offset, const unsigned char *bytes, size_t n);

#endif
