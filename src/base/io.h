/* How one non-blocking step went. */
#ifndef SOCKCAT_BASE_IO_H
#define SOCKCAT_BASE_IO_H

enum io {
	IO_OK,    /* it was done, at least in part */
	IO_AGAIN, /* not now: wait for what the object asks for, then step again */
	IO_END,   /* the other side has ended its sending, cleanly */
	IO_FAIL   /* it cannot be done; the fault says why */
};

#endif
