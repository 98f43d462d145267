/*
 * Targets that no proxy is used for: a list with commas or blanks between its entries.
 *
 *     example.com, .example.com   the name, and all names below it
 *     10.0.0.0/8, ::1             addresses
 *     *                           everything
 */
#ifndef SOCKCAT_NET_NOPROXY_H
#define SOCKCAT_NET_NOPROXY_H

#include "base/fault.h"
#include "net/endpoint.h"

/*
 * Makes the target direct if the list has it. `lenient`: entries that are neither names nor
 * networks are skipped, as in a variable of the environment. Status 3 or 27.
 */
bool noproxy_find(const char *list, struct endpoint *target, bool lenient, struct fault *fault);

#endif
