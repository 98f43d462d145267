#include "plugin/plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/id.h"
#include "sys/sys.h"

/* Below the directory of the executable; the second is PLUGIN_FOLDER, that of an installation. */
static const char *const plugin_folders[] = { "libexec/sockcat", PLUGIN_FOLDER };

#define PLUGIN_FOLDERS (sizeof plugin_folders / sizeof plugin_folders[0])

/* The caller frees it; NULL: out of memory. */
static char *
plugin_path(const char *directory, const char *folder, const char *name, const char *suffix)
{
	size_t size =
		strlen(directory) + strlen(folder) + strlen(name) + strlen(suffix) + sizeof "//";
	char *path = malloc(size);
	if (path != NULL)
		(void)snprintf(path, size, "%s/%s/%s%s", directory, folder, name, suffix);
	return path;
}

/* Whether the members of the group can change a file of this mode, and may be other users. */
static bool
plugin_is_shared(const struct stat *status)
{
	return (status->st_mode & S_IWGRP) != 0 && status->st_gid != 0 &&
		!id_is_private(status->st_gid, status->st_uid);
}

/* Whether only root and `owner` can change the file or folder. Sets errno otherwise. */
static bool
plugin_is_safe(const char *path, mode_t type, uid_t owner)
{
	struct stat status;
	if (lstat(path, &status) == -1)
		return false;
	bool safe = (status.st_mode & S_IFMT) == type && (status.st_mode & S_IWOTH) == 0 &&
		(status.st_uid == 0 || status.st_uid == owner) && !plugin_is_shared(&status);
	errno = EPERM;
	return safe;
}

/* Checks the folders of a path from the byte `start` on, and the file. Those before it are the
 * executable's. */
static bool
plugin_check(char *path, size_t start, uid_t owner)
{
	for (char *slash = strchr(path + start, '/'); slash != NULL;
		slash = strchr(slash + 1, '/')) {
		if (slash - path >= 2 && memcmp(slash - 2, "..", 2) == 0)
			continue;
		*slash = '\0';
		bool safe = plugin_is_safe(path, S_IFDIR, owner);
		*slash = '/';
		if (!safe)
			return false;
	}
	return plugin_is_safe(path, S_IFREG, owner);
}

static const void *
plugin_load(const struct plugin *plugin, const char *path, struct fault *fault)
{
	const char *cause;
	const struct plugin_head *head = sys_load(path, "sockcat_plugin", &cause);
	if (head == NULL)
		return fault_set(fault, STATUS_MISSING, 0, "open plug-in %s: %s", path, cause),
		       NULL;
	if (head->magic != PLUGIN_MAGIC || head->size != plugin->size ||
		strcmp(head->version, SOCKCAT_VERSION) != 0)
		return fault_set(fault, STATUS_MISSING, 0,
			       "open plug-in %s: not of this version (Debian package %s)", path,
			       plugin->package),
		       NULL;
	return head;
}

/* The path of the first that is there, for the caller to free. NULL without a fault: there is none.
 */
static char *
plugin_find(const char *name, const char *suffix, struct fault *fault)
{
	uid_t owner = geteuid();
	char *own = sys_program_folder(&owner), *found = NULL;
	const char *directory = own == NULL ? PLUGIN_PROGRAMS : own;
	for (size_t i = 0; i < PLUGIN_FOLDERS && found == NULL && !fault_is_set(fault); i++) {
		found = plugin_path(directory, plugin_folders[i], name, suffix);
		if (found == NULL) {
			(void)fault_set(fault, STATUS_MEMORY, ENOMEM, "open plug-in");
			break;
		}
		if (plugin_check(found, strlen(directory) + 1, owner))
			break;
		if (errno == EPERM)
			fault_set(fault, STATUS_MISSING, 0,
				"open plug-in %s: users other than root and sockcat's owner could "
				"change it",
				found);
		else if (errno != ENOENT && errno != ENOTDIR)
			fault_set(fault, STATUS_MISSING, errno, "open plug-in %s", found);
		free(found);
		found = NULL;
	}
	free(own);
	return found;
}

const void *
plugin_open(const struct plugin *plugin, struct fault *fault)
{
	char *path = plugin_find(plugin->name, ".so", fault);
	const void *found = path == NULL ? NULL : plugin_load(plugin, path, fault);
	free(path);
	if (found == NULL && !fault_is_set(fault))
		fault_set(fault, STATUS_MISSING, 0,
			PLUGIN_STATIC ? "open plug-in %s: a static program has no plug-ins (Debian "
					"package %s)"
				      : "open plug-in %s: not installed (Debian package %s)",
			plugin->name, plugin->package);
	return found;
}

char *
plugin_program(const char *name, const char *package, struct fault *fault)
{
	char *path = plugin_find(name, "", fault);
	if (path == NULL && !fault_is_set(fault))
		fault_set(fault, STATUS_MISSING, 0, "run %s: not installed (Debian package %s)",
			name, package);
	return path;
}
