/* Socket options that the user can set: one row each in sockopt.c. */
#ifndef SOCKCAT_NET_SOCKOPT_H
#define SOCKCAT_NET_SOCKOPT_H

#include <stdbool.h>

#include "base/fault.h"

/* The values; 0: not set. */
struct sockopt {
	int receive_buffer, send_buffer; /* bytes */
};

/* Sets what is set; status 4 and the option's name if the kernel refuses. */
bool sockopt_apply(const struct sockopt *values, int fd, struct fault *fault);

#endif
