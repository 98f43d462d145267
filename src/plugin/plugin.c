#include "plugin/plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/sys.h"

/* Below the directory of the executable; the second is PLUGIN_FOLDER, that of an installation. */
static const char *const plugin_folders[] = { "libexec/sockcat", PLUGIN_FOLDER };

#define PLUGIN_FOLDERS (sizeof plugin_folders / sizeof plugin_folders[0])

/* The caller frees it; NULL: out of memory. */
static char *
plugin_path(const char *directory, const char *folder, const char *name)
{
	size_t size = strlen(directory) + strlen(folder) + strlen(name) + sizeof "//.so";
	char *path = malloc(size);
	if (path != NULL)
		(void)snprintf(path, size, "%s/%s/%s.so", directory, folder, name);
	return path;
}

/* Whether only root and `owner` can change the file or folder. Sets errno otherwise. */
static bool
plugin_is_safe(const char *path, mode_t type, uid_t owner)
{
	struct stat status;
	if (lstat(path, &status) == -1)
		return false;
	errno = EPERM;
	return (status.st_mode & S_IFMT) == type && (status.st_mode & S_IWOTH) == 0 &&
		(status.st_uid == 0 || status.st_uid == owner);
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

/* Opens the first that is there. NULL without a fault: there is none. */
static const void *
plugin_find(const struct plugin *plugin, const char *directory, uid_t owner, struct fault *fault)
{
	const void *found = NULL;
	for (size_t i = 0; i < PLUGIN_FOLDERS && found == NULL && !fault_is_set(fault); i++) {
		char *path = plugin_path(directory, plugin_folders[i], plugin->name);
		if (path == NULL)
			return fault_set(fault, STATUS_MEMORY, ENOMEM, "open plug-in"), NULL;
		if (plugin_check(path, strlen(directory) + 1, owner))
			found = plugin_load(plugin, path, fault);
		else if (errno == EPERM)
			fault_set(fault, STATUS_MISSING, 0,
				"open plug-in %s: users other than root and sockcat's owner could "
				"change it",
				path);
		else if (errno != ENOENT && errno != ENOTDIR)
			fault_set(fault, STATUS_MISSING, errno, "open plug-in %s", path);
		free(path);
	}
	return found;
}

const void *
plugin_open(const struct plugin *plugin, struct fault *fault)
{
	uid_t owner = geteuid();
	char *directory = sys_program_folder(&owner);
	const void *found =
		plugin_find(plugin, directory == NULL ? PLUGIN_PROGRAMS : directory, owner, fault);
	free(directory);
	if (found == NULL && !fault_is_set(fault))
		fault_set(fault, STATUS_MISSING, 0,
			PLUGIN_STATIC ? "open plug-in %s: a static program has no plug-ins (Debian "
					"package %s)"
				      : "open plug-in %s: not installed (Debian package %s)",
			plugin->name, plugin->package);
	return found;
}
