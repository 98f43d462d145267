/*
 * The program sockcat-archive (src/archive/), which makes an archive of a directory, or extracts
 * one. Its standard error is read: the last line before a status other than 0 is the cause, all
 * others are events.
 */
#ifndef SOCKCAT_TRANSFER_ARCHIVER_H
#define SOCKCAT_TRANSFER_ARCHIVER_H

#include "base/fault.h"
#include "base/io.h"

struct child;
struct stream_side;

#define ARCHIVER_PROGRAM "sockcat-archive"

/* The status of an archive that is complete but for files that cannot be sent. */
#define ARCHIVER_LEFT_OUT STATUS_NO

struct archiver {
	struct child *child; /* NULL: it does not run */
	int archive;         /* owned: its standard output or input; -1: closed */
	int report;          /* owned: its standard error; -1: that has ended */
	char *text;          /* owned: the last lines of that */
	size_t length;
};

#define ARCHIVER_NONE ((struct archiver){ .archive = -1, .report = -1 })

/*
 * Starts the program to archive what is in a directory, or to extract into one: a new one
 * (`fresh`), or one that has files. `options`: of the command line, up to NULL. *ready is set when
 * it has ended. False and a fault: status 4 or 27.
 */
bool archiver_create(struct archiver *archiver, char *const *options, const char *path, bool *ready,
	struct fault *fault);
bool archiver_extract(struct archiver *archiver, char *const *options, int directory, bool fresh,
	bool *ready, struct fault *fault);

/* Reads its standard error. */
void archiver_listen(struct archiver *archiver);

/* Whether it has ended: IO_AGAIN: not yet, wait for `report`, unless that is -1, and *ready; IO_OK:
 * with status 0 or ARCHIVER_LEFT_OUT; IO_FAIL: with another one. For both the fault has its text.
 */
enum io archiver_end(struct archiver *archiver, struct fault *fault);

/* Ends it, after its input or output was closed, and frees all. ARCHIVER_NONE is allowed, and
 * results. */
void archiver_close(struct archiver *archiver);

#endif
