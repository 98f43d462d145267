/* An archive that is read from standard input, and what is known of its end. */
#ifndef SOCKCAT_ARCHIVE_SOURCE_H
#define SOCKCAT_ARCHIVE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/end_blocks.h"
#include "base/fault.h"

struct archive;

#define SOURCE_SIZE (256 * 1024)

struct source {
	struct archive *archive;
	struct end_blocks blocks;
	bool ended;         /* standard input has ended */
	struct fault fault; /* reading failed */
	unsigned char *buffer;
};

/* Opens the archive; close it in any case. Status 27 or 102. */
bool source_open(struct source *source, struct fault *fault);
void source_close(struct source *source);

/* Sets the fault for a failure of libarchive: `object` was read. Returns false. */
bool source_fail(struct source *source, const char *object, struct fault *fault);

/* After the last entry: reads what follows, and checks that the archive is complete. Status 18, 26
 * or 102. */
bool source_finish(struct source *source, struct fault *fault);

#endif
