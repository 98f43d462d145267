/* The result of a non-blocking operation. */
#ifndef SOCKCAT_BASE_IO_H
#define SOCKCAT_BASE_IO_H

#include "base/fault.h"

enum io {
	IO_OK,    /* done, at least in part */
	IO_AGAIN, /* would block: poll for the object's events, then call it again */
	IO_END,   /* clean end of input */
	IO_FAIL   /* failed; the fault is set */
};

/* Like fault_set; the value is IO_FAIL. */
#define IO_FAULT(...) ((void)fault_set(__VA_ARGS__), IO_FAIL)

#endif
