/* What to write instead of an option that there is not. */
#ifndef SOCKCAT_CLI_HINT_H
#define SOCKCAT_CLI_HINT_H

#include <stdbool.h>

#include "base/fault.h"

/* Both always return false, with status 2 and a sentence that helps. */

/* A letter without a row: what other tools mean by it, if that is known. */
bool hint_letter(int letter, struct fault *fault);

/* A word such as "--nam=value": the names that it may be short for, or else be a slip of the pen
 * for. */
bool hint_name(const char *word, struct fault *fault);

#endif
