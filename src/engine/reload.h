/* What a listener of many clients loads again at SIGHUP: the access lists, and the files of TLS.
 * Each of the two is replaced as a whole or not at all; one does not depend on the other. */
#ifndef SOCKCAT_ENGINE_RELOAD_H
#define SOCKCAT_ENGINE_RELOAD_H

#include "engine/run.h"
#include "net/acl.h"

/* Whether there is something to reload; otherwise SIGHUP ends the run. */
bool reload_is_possible(const struct config *config);

/* Begins to reload if that was requested, and goes on with it. `pollset`: of the last
 * acl_ask. */
void reload_step(struct run *run, struct acl *access, const struct pollset *pollset);

#endif
