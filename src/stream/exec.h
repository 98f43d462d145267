/*
 * The stream of a program: what is written is its standard input, what is read its standard output.
 * Its standard error is ours, unless it has a terminal, whose end of input is a character (^D).
 *
 * The end of its output is what the pipe says; that it has ended says so only if something that it
 * has started keeps the pipe open and is silent for a while. What it does not read is dropped
 * (`deaf`). When the stream is closed it is left to child.h.
 */
#ifndef SOCKCAT_STREAM_EXEC_H
#define SOCKCAT_STREAM_EXEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "net/endpoint.h"
#include "stream/stream.h"
#include "sys/sys.h"

/* What to run, and for which connection; outlives the stream, but for the addresses. */
struct exec_config {
	const char *path;   /* the file */
	char *const *argv;  /* its words, ending in NULL */
	const char *name;   /* for messages */
	bool terminal;      /* it gets a terminal instead of two pipes */
	bool clear;         /* it gets little of our environment */
	uint64_t processes; /* its user may have so many; 0: no limit of its own */
	const char *protocol;
	struct address own, peer;
	struct sys_credentials from;
};

/* Makes the stream; the program is started by its `open`. False if there is no memory. */
bool exec_init(struct stream *stream, const struct exec_config *config, struct fault *fault);

/* Whether it has ended; then *status is its exit status, or 128 + n after signal n. */
bool exec_has_ended(const struct stream *stream, int *status);

#endif
