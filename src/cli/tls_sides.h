/*
 * The sides of a run that use TLS, and which of them an option is of. With TLS on one side only,
 * all options are of that side; an option that has no effect, or of which it is not clear which
 * side it is of, is an error.
 */
#ifndef SOCKCAT_CLI_TLS_SIDES_H
#define SOCKCAT_CLI_TLS_SIDES_H

#include "base/fault.h"
#include "cli/options.h"
#include "engine/config.h"

/* The sides of a run as a set. */
#define TLS_SIDES_CONNECTION 1U /* the connections */
#define TLS_SIDES_TARGET 2U     /* the target of --to */
#define TLS_SIDES_BOTH (TLS_SIDES_CONNECTION | TLS_SIDES_TARGET)

/* The sides that use TLS. */
unsigned tls_sides_find(const struct config *config, const struct options *options);

/* Whether an option was given for this side. */
bool tls_sides_has(const struct config *config, const struct options *options, unsigned side,
	enum option_id option);

/* The argument of an option for this side; NULL: it was not given. */
const char *tls_sides_text(const struct config *config, const struct options *options,
	unsigned side, enum option_id option);

/* Checks that each option of TLS is of a side. Status 2. */
bool tls_sides_check(
	const struct config *config, const struct options *options, struct fault *fault);

#endif
