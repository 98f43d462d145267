/*
 * A failure as a value: the operation, its object, the cause and the exit status.
 *
 * The function that knows the cause sets the fault and returns false (or IO_FAIL); its callers do
 * not print. The first cause wins: setting a fault that is set changes nothing.
 */
#ifndef SOCKCAT_BASE_FAULT_H
#define SOCKCAT_BASE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum status {
#define STATUS(name, number, text) STATUS_##name = (number),
#include "base/status.def"
#undef STATUS
	STATUS_SIGNAL = 128 /* plus the signal's number */
};

/*
 * status == STATUS_OK <=> nothing failed.
 * quiet: no message is printed (standard output was closed by its reader, a signal).
 * text: NULL if nothing failed, if the fault is quiet, or if memory ran out.
 */
struct fault {
	enum status status;
	bool quiet;
	bool usage;     /* print the usage after the message, which does not say what to write */
	bool transient; /* the other side says that the same may succeed later */
	char *text;     /* owned; may contain bytes received from a peer: escape when printing */
	int signal;     /* the signal that ended the run; 0: none; the status is 128 + signal */
};

#define FAULT_NONE ((struct fault){ .status = STATUS_OK })

/*
 * Sets the text to the formatted message, followed by ": " and strerror(error) unless error is 0.
 * Always returns false, for `return fault_set(...)`.
 */
bool fault_set(struct fault *fault, enum status status, int error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Appends to the text of a fault that is set; if memory runs out the text is unchanged. */
void fault_add(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends bytes of a peer in quotation marks, a NUL as ^@, and at most FAULT_QUOTED of them. */
#define FAULT_QUOTED 120
void fault_add_quoted(struct fault *fault, const void *bytes, size_t n);

/* Like fault_set, without a message. */
bool fault_set_quiet(struct fault *fault, enum status status);

/* A signal ended the run: status 128 + signal, no message. */
bool fault_set_signal(struct fault *fault, int signal);

static inline bool
fault_is_set(const struct fault *fault)
{
	return fault->status != STATUS_OK;
}

/* Moves a fault, and unsets the source; a target that is set stays as it is. */
void fault_move(struct fault *to, struct fault *from);

/* Frees the text and sets FAULT_NONE. */
void fault_clear(struct fault *fault);

/* Row i of the table of statuses (for --help=exit); false after the last row. */
bool fault_status_row(size_t i, int *number, const char **text);

/* What a status means; NULL: the table does not have it. */
const char *fault_status_text(uint64_t status);

#endif
