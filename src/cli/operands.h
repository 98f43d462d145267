/* Operands: their meaning follows from their position and form. */
#ifndef SOCKCAT_CLI_OPERANDS_H
#define SOCKCAT_CLI_OPERANDS_H

#include "base/fault.h"
#include "cli/options.h"

/* All pointers are borrowed; NULL: not given. */
struct operands {
	char *host;
	char **ports; /* one; for a probe one or more */
	int port_count;
	char **targets; /* of a probe, each an endpoint; instead of all else */
	int target_count;
	char *path;       /* of a Unix socket */
	char *descriptor; /* of fd://: the number or name of an inherited socket */
	char *port;       /* storage for `ports` */
	bool passed;      /* no operands: listen on the passed sockets */
};

/*
 * After a complete endpoint "--" begins a program, which is removed from the operands and implies
 * --exec, unless a program was given. With --wait-for "--" always begins one, and implies nothing.
 * Any other "--" only ends the options. `passed`: a service
 * manager passed sockets, so no operands are a complete endpoint for listening.
 */
void operands_cut_program(struct options *options, bool passed);

/* False and a fault if the first operand may be meant for an option that was given without its
 * number or time. */
bool operands_check_amount(const struct options *options, struct fault *fault);

/*
 * Interprets the operands: HOST PORT, -l PORT, -l HOST PORT with their forms by -s and -p, -U PATH,
 * or an endpoint (net/endpoint_uri.h), which may imply options; for a probe HOST PORT... or several
 * endpoints. The struct contains a pointer to itself and must not be copied. Status 2 or 3.
 */
bool operands_sort(
	struct operands *operands, struct options *options, bool passed, struct fault *fault);

#endif
