/* An archive from standard input; see source.h. */
#include "archive/source.h"

#include <archive.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/sys.h"

/* Reads the next bytes; their number, 0 at the end, -1. */
static ssize_t
source_next(struct source *source)
{
	const struct iovec piece = { .iov_base = source->buffer, .iov_len = SOURCE_SIZE };
	ssize_t n = sys_readv(STDIN_FILENO, &piece, 1);
	if (n == -1)
		(void)fault_set(&source->fault, STATUS_INPUT, errno, "read standard input");
	else if (n == 0)
		source->ended = true;
	else
		end_blocks_feed(&source->blocks, source->buffer, (size_t)n);
	return n;
}

/* Called by libarchive. */
static la_ssize_t
source_read(struct archive *archive, void *context, const void **bytes)
{
	struct source *source = context;
	(void)archive;
	*bytes = source->buffer;
	return source_next(source);
}

bool
source_open(struct source *source, struct fault *fault)
{
	source->buffer = malloc(SOURCE_SIZE);
	source->archive = archive_read_new();
	if (source->buffer == NULL || source->archive == NULL)
		return fault_set(fault, STATUS_MEMORY, 0, "out of memory");
	if (archive_read_support_format_tar(source->archive) != ARCHIVE_OK ||
		archive_read_open2(source->archive, source, NULL, source_read, NULL, NULL) !=
			ARCHIVE_OK)
		return source_fail(source, "archive", fault);
	return true;
}

void
source_close(struct source *source)
{
	if (source->archive != NULL)
		(void)archive_read_free(source->archive);
	source->archive = NULL;
	free(source->buffer);
	source->buffer = NULL;
	fault_clear(&source->fault);
}

bool
source_fail(struct source *source, const char *object, struct fault *fault)
{
	const char *cause = archive_error_string(source->archive);
	if (fault_is_set(&source->fault)) {
		fault_move(fault, &source->fault);
		return false;
	}
	if (archive_errno(source->archive) == ENOMEM)
		return fault_set(fault, STATUS_MEMORY, 0, "out of memory");
	/* libarchive asked for more than there was. */
	if (source->ended)
		return fault_set(fault, STATUS_CUT, 0,
			"extract %s: the archive was cut at byte %llu", object,
			(unsigned long long)source->blocks.total);
	return fault_set(fault, STATUS_FRAMING, 0, "extract %s: malformed tar archive: %s", object,
		cause != NULL ? cause : "unknown error");
}

bool
source_finish(struct source *source, struct fault *fault)
{
	uint64_t last = (uint64_t)archive_read_header_position(source->archive);
	while (!source->ended && source->blocks.nonzero <= last &&
		(source->blocks.total <= last || source->blocks.total - last <= END_BLOCKS_MAX)) {
		if (source_next(source) == -1) {
			fault_move(fault, &source->fault);
			return false;
		}
	}
	switch (end_blocks_check(&source->blocks, last)) {
	case END_BLOCKS_CUT:
		return fault_set(fault, STATUS_CUT, 0,
			"extract archive: it ends without its two blocks of zeros");
	case END_BLOCKS_AFTER:
		return fault_set(fault, STATUS_FRAMING, 0,
			"extract archive: there is data after the end of the archive");
	case END_BLOCKS_GOOD:
	default:
		return true;
	}
}
