/*
 * The stream of a program: writes go to its standard input, reads come from its standard output.
 * It inherits standard error, unless it has a terminal, whose end of input is a character (^D).
 *
 * The stream ends with the output pipe. If the program has exited while another process keeps the
 * pipe open, it ends after a time without output. Input that the program does not read is dropped.
 * Closing the stream releases the process (child.h).
 */
#ifndef SOCKCAT_PROGRAM_EXEC_H
#define SOCKCAT_PROGRAM_EXEC_H

#include "base/fault.h"
#include "net/endpoint.h"
#include "plugin/tls_ops.h"
#include "stream/stream.h"
#include "sys/sys.h"

/* The program and its connection. The pointers must outlive the stream. */
struct exec_config {
	const char *path;   /* of the executable */
	char *const *argv;  /* ends with NULL */
	const char *name;   /* for messages */
	bool terminal;      /* use a pseudo-terminal instead of two pipes */
	bool raw;           /* the terminal is in raw mode */
	bool clear;         /* see child_env_make */
	bool strict;        /* an exit status other than 0 is a failure of the stream */
	uint64_t processes; /* see sys_limit_processes; 0: no limit */
	const char *protocol;
	struct address own, peer;
	struct sys_credentials from;
	bool secure;          /* the connection uses TLS, with: */
	struct tls_facts tls; /* which live until the program is started */
};

/* Creates the stream; its `open` starts the program. NULL and a fault if memory runs out. */
struct stream *exec_new(const struct exec_config *config, struct fault *fault);

/* Whether the program has ended; *status is then its exit status, or 128 + n after signal n. */
bool exec_has_ended(const struct stream *stream, int *status);

#endif
