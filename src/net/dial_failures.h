/* The failures of a dial: the cause of each address, and the fault that lists all of them. */
#ifndef SOCKCAT_NET_DIAL_FAILURES_H
#define SOCKCAT_NET_DIAL_FAILURES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "net/endpoint.h"

struct dial;

/* Initially FAULT_NONE and zeroed, but `refused`, which is true. */
struct dial_failures {
	struct fault fault; /* the list; the status is that of the first failure */
	size_t reported;    /* length of the reported part of its text */
	bool mixed;         /* the failures had different statuses */
	bool refused;       /* all failures were ECONNREFUSED: the host is up */
	int error;          /* of the last attempt that failed; 0: none, or not known */
};

/* Adds the failure of an address. */
void dial_failures_add(
	struct dial *dial, const struct address *address, enum status status, const char *cause);
void dial_failures_add_error(struct dial *dial, const struct address *address, int error);

/* Emits the failures of a dial that has succeeded. */
void dial_failures_report(struct dial *dial);

/* All addresses have failed: moves the list to *fault. */
void dial_failures_end(struct dial *dial, struct fault *fault);

/* The time is up: adds the pending addresses and those not tried, and moves the list. */
void dial_failures_time_out(struct dial *dial, struct fault *fault);

#endif
