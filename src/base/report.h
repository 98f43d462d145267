/*
 * The destination of a report: complete lines, written without ever waiting. A line that cannot be
 * written at once is dropped; the owner counts it. After a line that was written in part the rest
 * comes first.
 */
#ifndef SOCKCAT_BASE_REPORT_H
#define SOCKCAT_BASE_REPORT_H

#include <stdbool.h>
#include <stddef.h>

struct report {
	int fd;      /* owned; -1: none, or it has failed */
	bool socket; /* it may block, as it shares its file status flags */
	int error;   /* of the write that has failed; 0: none */
	char *rest;  /* owned: the rest of a line, from `start` up to `end` */
	size_t start, end;
};

/* Writes the rest of a line. True if there is none left. */
bool report_flush(struct report *report);

/* Writes a line with its line end, or takes all of it. False: it is dropped. */
bool report_write(struct report *report, const char *line, size_t n);

/* Closes it; the error stays. */
void report_close(struct report *report);

#endif
