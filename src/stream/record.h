/*
 * Files that keep what goes over a connection, both ways: a hex dump, and the bare bytes. A slow
 * file slows the connection; one that has failed does not stop it, but is a failure at the end.
 */
#ifndef SOCKCAT_STREAM_RECORD_H
#define SOCKCAT_STREAM_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "stream/stream.h"

struct record_config {
	const char *hex_dump, *output; /* paths, not owned; NULL: none */
	bool append;                   /* otherwise a file that exists is refused */
};

/* One of the files. What it did not take yet is kept; as long as there is any, no more is read or
 * written on the connection, so it is never more than one read or write can bring. */
struct record_file {
	const char *path;
	int fd; /* -1: there is none, or it has failed */
	char *text;
	size_t used, room;
};

struct record {
	struct record_file hex_dump, output;
	struct fault fault; /* of the first that failed, until it is reported */
};

/* Opens the files. Status 23. To be closed in any case. */
bool record_open(struct record *record, const struct record_config *config, struct fault *fault);

/* False and a fault if a file has failed since this was last asked. */
bool record_report(struct record *record, struct fault *fault);

/* Writes what is left, as long as a file takes some of it within `patience` nanoseconds, closes,
 * and reports. */
bool record_close(struct record *record, int64_t patience, struct fault *fault);

/* Lays the recording of a stream around it, if there is a file; the record has to outlive it.
 * False, with the stream as it was, if there is no memory. */
bool record_init(struct stream *stream, struct record *record, struct fault *fault);

/*
 * A line of the dump: "TIME > OFFSET  HEX  |TEXT|\n", for up to RECORD_LINE_BYTES bytes; `time` has
 * no line breaks. Returns its length.
 */
#define RECORD_LINE_BYTES 16
#define RECORD_LINE_MAX 160
size_t record_line(char line[static RECORD_LINE_MAX], const char *time, char direction,
	uint64_t offset, const unsigned char *bytes, size_t n);

#endif
