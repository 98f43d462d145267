/*
 * Standard input and output shared by many clients. Received data is written in the pieces in which
 * it arrives; a partly written piece is finished before one of another client. If standard input is
 * a regular file, each client reads it from the initial offset; otherwise it is published to all
 * (bus.h).
 */
#ifndef SOCKCAT_BROADCAST_STDIO_MUX_H
#define SOCKCAT_BROADCAST_STDIO_MUX_H

#include <sys/types.h>

#include "base/fault.h"
#include "broadcast/bus.h"
#include "stream/stdio.h"
#include "stream/stream.h"

struct stdio_mux {
	struct stream *stdio;             /* owned */
	struct bus bus;                   /* for standard input unless it is a regular file */
	struct stream *publisher;         /* owned: publishes standard input */
	struct bus_queue publisher_queue; /* of `publisher` */
	bool file;                        /* standard input is a regular file */
	off_t start;                      /* the initial offset of the file */
	int watch;                /* owned: polled for the end of standard output's reader, or -1 */
	struct bus_queue *writer; /* of the client whose piece is partly written; NULL: none */
	size_t left;              /* unwritten bytes of that piece */
	uint64_t taken;           /* changes whenever standard output takes data */
};

/* `input`: standard input is read, and published as messages of up to `max` bytes, or as bytes if
 * `max` is 0. False and a fault. The caller closes it in any case. */
bool stdio_mux_open(struct stdio_mux *mux, const struct stdio_config *config, bool input,
	size_t max, struct fault *fault);

/* Closes standard output, which may report write errors. False and a fault. */
bool stdio_mux_finish(struct stdio_mux *mux, struct fault *fault);

/* A zeroed struct is allowed. */
void stdio_mux_close(struct stdio_mux *mux);

/* The local side of a client. NULL and a fault if memory runs out. */
struct stream *stdio_mux_new(struct stdio_mux *mux, struct bus_queue *queue, struct fault *fault);

#endif
