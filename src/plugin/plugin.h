/*
 * Plug-ins: parts that need a library which a plain run does not load. A plug-in is a shared
 * object, libexec/sockcat/NAME.so, that exports one constant table, `sockcat_plugin`.
 *
 * It is looked for next to the running executable only (DIRECTORY/libexec/sockcat in a build tree,
 * the installed place relative to DIRECTORY otherwise), whatever the environment and the working
 * directory are. Where the executable is not known, or the process has privileges that its caller
 * has not (set-user-ID, file capabilities: a hard link can be made in any folder), the directory of
 * the configuration replaces it. File and folders have to belong to root or to the owner of the
 * executable, must not be symbolic links, and must not be writable by others, nor by a group,
 * unless it is root's or the owner's private one: a program that was copied to a folder of all
 * users does not run code that another of them has put there.
 */
#ifndef SOCKCAT_PLUGIN_PLUGIN_H
#define SOCKCAT_PLUGIN_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/* The first member of a plug-in's table. Version and size show a plug-in of another build, whose
 * table may have other members. */
struct plugin_head {
	uint32_t magic; /* PLUGIN_MAGIC */
	uint32_t size;  /* of the table */
	const char *version;
};

#define PLUGIN_MAGIC UINT32_C(0x736b6374)

/*
 * In the plug-in's source:
 *     PLUGIN_EXPORT const struct NAME_ops sockcat_plugin = { .head = PLUGIN_HEAD(struct NAME_ops),
 * … }; A plug-in is linked with the static library of all modules: what it calls from base/ is its
 * own copy, without the state that the program's copy has.
 */
#define PLUGIN_EXPORT __attribute__((visibility("default")))
#define PLUGIN_HEAD(type) \
	{ \
		PLUGIN_MAGIC, sizeof(type), SOCKCAT_VERSION \
	}

struct plugin {
	const char *name;    /* of the file, without .so */
	const char *package; /* Debian's that has it */
	size_t size;         /* of the table */
};

/*
 * Opens a plug-in and returns its table, which remains valid; the caller keeps it. NULL: the fault,
 * STATUS_MISSING, names the plug-in and its package.
 */
const void *plugin_open(const struct plugin *plugin, struct fault *fault);

/*
 * The path of a program in the same place, which is checked in the same way. The caller frees it.
 * NULL: the fault names the program and Debian's package that has it.
 */
char *plugin_program(const char *name, const char *package, struct fault *fault);

#endif
