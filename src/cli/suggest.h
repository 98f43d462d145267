/* Messages for unknown options, with suggestions. */
#ifndef SOCKCAT_CLI_SUGGEST_H
#define SOCKCAT_CLI_SUGGEST_H

#include "base/fault.h"

/* Both always return false, with a fault of status 2. */

/* An unknown letter, with the hint, or NULL: with the equivalent of its meaning in other tools. */
bool suggest_letter(int letter, const char *hint, struct fault *fault);

/* An unknown or ambiguous "--nam=value", with the names that it may abbreviate, or a similar one.
 */
bool suggest_name(const char *word, struct fault *fault);

#endif
