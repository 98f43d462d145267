/* What a listener of many clients loads again at SIGHUP. */
#ifndef SOCKCAT_ENGINE_RELOAD_H
#define SOCKCAT_ENGINE_RELOAD_H

#include "engine/engine.h"
#include "net/acl.h"

/* Begins to reload the lists if that was requested, and goes on with it. `pollset`: of the last
 * acl_ask. */
void reload_step(struct engine *engine, struct acl *access, const struct pollset *pollset);

#endif
