/* Which plug-ins are opened: those of the same version, in a place that only root and the owner of
 * the executable can write to. */
#include "plugin/plugin.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "sys/sys.h"

#define PLUGIN_TEST_FOLDER "libexec/sockcat/"

struct plugin_test_table {
	struct plugin_head head;
	int answer;
};

/* The table of a plug-in, of this size; NULL: `why` is in the message. */
static const struct plugin_test_table *
plugin_test_open(const char *name, size_t size, const char *why)
{
	struct fault fault = FAULT_NONE;
	const struct plugin plugin = { name, "sockcat-tests", size };
	const struct plugin_test_table *table = plugin_open(&plugin, &fault);
	if (table == NULL) {
		CHECK(fault.status == STATUS_MISSING);
		CHECK(fault.text != NULL && strstr(fault.text, name) != NULL);
		CHECK(fault.text != NULL && strstr(fault.text, why) != NULL);
	} else
		CHECK(!fault_is_set(&fault));
	fault_clear(&fault);
	return table;
}

static void
plugin_test_make(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd != -1 && write(fd, "no object\n", 10) == 10 && fchmod(fd, mode) == 0);
	(void)sys_close(&fd);
}

static void
plugin_test_versions(void)
{
	size_t size = sizeof(struct plugin_test_table);
	const struct plugin_test_table *table = plugin_test_open("good", size, "");
	CHECK(table != NULL && table->answer == 42);
	CHECK(plugin_test_open("good", size + 8, "not of this version") == NULL);
	CHECK(plugin_test_open("stale", size, "not of this version") == NULL);
	CHECK(plugin_test_open("magic", size, "not of this version") == NULL);
	CHECK(plugin_test_open("foreign", size, "does not define") == NULL);
	CHECK(plugin_test_open("missing", size, "not installed (Debian package sockcat-tests)") ==
		NULL);
}

/* These files are made in the folder, which is the working directory's too. */
static void
plugin_test_permissions(void)
{
	static const char *const changeable = "could change it";
	size_t size = sizeof(struct plugin_test_table);
	plugin_test_make(PLUGIN_TEST_FOLDER "broken.so", 0644);
	CHECK(plugin_test_open("broken", size, "broken.so: ") == NULL);
	CHECK(unlink(PLUGIN_TEST_FOLDER "broken.so") == 0);
	plugin_test_make(PLUGIN_TEST_FOLDER "open.so", 0666);
	CHECK(plugin_test_open("open", size, changeable) == NULL);
	CHECK(unlink(PLUGIN_TEST_FOLDER "open.so") == 0);
	CHECK(symlink("good.so", PLUGIN_TEST_FOLDER "linked.so") == 0);
	CHECK(plugin_test_open("linked", size, changeable) == NULL);
	CHECK(unlink(PLUGIN_TEST_FOLDER "linked.so") == 0);
	if (geteuid() == 0) {
		plugin_test_make(PLUGIN_TEST_FOLDER "owned.so", 0644);
		CHECK(chown(PLUGIN_TEST_FOLDER "owned.so", 1, 1) == 0);
		CHECK(plugin_test_open("owned", size, changeable) == NULL);
		CHECK(unlink(PLUGIN_TEST_FOLDER "owned.so") == 0);
	}
	CHECK(chmod("libexec", 0777) == 0);
	CHECK(plugin_test_open("good", size, changeable) == NULL);
	CHECK(chmod("libexec", 0755) == 0);
	CHECK(plugin_test_open("good", size, "") != NULL);
}

int
main(void)
{
	uid_t owner = (uid_t)-1;
	char *folder = sys_program_folder(&owner);
	CHECK(folder != NULL && folder[0] == '/' && chdir(folder) == 0);
	CHECK(owner == geteuid());
	free(folder);
	plugin_test_versions();
	plugin_test_permissions();
	return check_verdict("plugin");
}
