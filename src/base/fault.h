/*
 * A failure as a value: what was being done, with whom, why it failed, and the exit status.
 *
 * The function that knows the cause fills the fault and returns false (or IO_FAIL); no layer in
 * between prints or adds a second line. The first cause wins: setting a fault that is already set
 * changes nothing.
 */
#ifndef SOCKCAT_BASE_FAULT_H
#define SOCKCAT_BASE_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum status {
#define STATUS(name, number, text) STATUS_##name = (number),
#include "base/status.def"
#undef STATUS
	STATUS_SIGNAL = 128 /* plus the signal's number */
};

/*
 * status == STATUS_OK <=> nothing failed.
 * quiet: the status says all there is to say (a reader that went away, a signal).
 * text: NULL if nothing failed, if the fault is quiet, or if there was no memory for it.
 */
struct fault {
	enum status status;
	bool quiet;
	char *text; /* owned, may hold bytes from outside: escape when printing */
	int signal; /* that ended the run; 0: none did */
};

#define FAULT_NONE ((struct fault){ STATUS_OK, false, NULL, 0 })

/*
 * Records "FORMAT…: cause", the cause being strerror(error), or nothing if error is 0.
 * Always returns false, so that failing is one statement.
 */
bool fault_set(struct fault *fault, enum status status, int error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Adds to the text of a fault that is set; if there is no memory the text stays as it is. */
void fault_add(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Like fault_set, for an end that needs no message. */
bool fault_set_quiet(struct fault *fault, enum status status);

/* The run was ended by this signal: its status is 128 + signal, without a message. */
bool fault_set_signal(struct fault *fault, int signal);

static inline bool
fault_is_set(const struct fault *fault)
{
	return fault->status != STATUS_OK;
}

/* Moves a fault; the target must be unset, the source is unset afterwards. */
void fault_move(struct fault *to, struct fault *from);

/* Back to FAULT_NONE. */
void fault_clear(struct fault *fault);

/* The table of statuses, for documents: row i, or false behind the last one. */
bool fault_status_row(size_t i, int *number, const char **text);

#endif
