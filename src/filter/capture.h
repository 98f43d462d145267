/*
 * Capture files: a hex dump, and the raw bytes. All sessions of a run append to the same files;
 * each file has a bounded queue. A stream does not read or write while a queue is full. A file that
 * takes nothing for `patience` while a stream waits is closed. The failure of a file does not stop
 * the sessions; it is a failure of the run.
 */
#ifndef SOCKCAT_FILTER_CAPTURE_H
#define SOCKCAT_FILTER_CAPTURE_H

#include "base/fault.h"
#include "base/pollset.h"
#include "stream/output.h"
#include "stream/stream.h"

/* A queue of this many bytes is full. One read or write may exceed it. */
#define CAPTURE_QUEUE ((size_t)256 * 1024)

struct capture_config {
	const char *hex_dump, *output; /* paths, "-" for standard error; not owned; NULL: none */
	bool append;                   /* otherwise an existing file is an error */
};

struct capture_file {
	const char *path;
	struct output out; /* its descriptor is -1 if there is none, or it has failed */
	char *text;
	size_t start, end, room; /* the queue is text[start..end) */
	bool waits;              /* the last write would have blocked */
	int64_t moved_at;        /* when it last took something, or a stream began to wait */
	size_t entry;            /* of the last capture_ask */
};

#define CAPTURE_FILE_NONE ((struct capture_file){ .out = { .fd = -1 } })

/* A stream that appends. */
struct capture_client {
	struct stream *stream;       /* the filter; not owned */
	bool read, write;            /* the sides that wait */
	struct capture_list *list;   /* the list that it is in; NULL: none */
	struct capture_client *next; /* in that list */
};

struct capture_list {
	struct capture_client *first, *last;
};

struct capture {
	struct capture_file hex_dump, output;
	struct capture_list waiting, woken; /* first in, first out */
	int64_t patience;
	bool closing;       /* after capture_finish */
	bool unbounded;     /* no stream waits any more, as the run ends */
	struct fault fault; /* of the first file that failed, until it is reported */
};

/* Opens the files. False and a fault (status 23). To be closed in any case. */
bool capture_open(struct capture *capture, const struct capture_config *config, int64_t patience,
	struct fault *fault);

/* Whether a file is open. */
bool capture_is_active(const struct capture *capture);

/* Appends to the queue of a file. */
void capture_append(
	struct capture *capture, struct capture_file *file, const void *bytes, size_t n);

/* Writes what the files take now. */
void capture_flush(struct capture *capture);

/* Whether the stream may read, or write, now. If not, the `at` of that side is to be CLOCK_NEVER
 * until the capture sets it to STREAM_NOW, and capture_next_woken returns the client. */
bool capture_admits(struct capture *capture, struct capture_client *client, bool write);

/* Removes the client from its list. */
void capture_forget(struct capture_client *client);

/* Asks for what the next step waits for. */
void capture_ask(struct capture *capture, struct pollset *pollset);

/* Writes what the files take, closes those that take nothing, and wakes streams. */
void capture_step(struct capture *capture, const struct pollset *pollset, int64_t now);

/* The next client that was woken; NULL: none. */
struct capture_client *capture_next_woken(struct capture *capture);

/* Stops streams from waiting, as the run ends. */
void capture_release(struct capture *capture);

/* Emits the failure of a file, once. Returns whether one has failed since the last report. */
bool capture_announce(struct capture *capture);

/* Whether a file has failed and capture_announce was not called since. */
static inline bool
capture_has_failed(const struct capture *capture)
{
	return fault_is_set(&capture->fault) && !capture->fault.quiet;
}

/* False and a fault if a file has failed since the last report. */
bool capture_report(struct capture *capture, struct fault *fault);

/* All streams are closed: from now on the steps write the rest, each file while it takes some of it
 * within `patience` nanoseconds. */
void capture_finish(struct capture *capture, int64_t patience, int64_t now);

/* Whether a queue is not empty. */
bool capture_is_pending(const struct capture *capture);

/* Closes the files, and reports; what they have not taken is a failure. */
bool capture_close(struct capture *capture, struct fault *fault);

#endif
