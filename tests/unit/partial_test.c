/* Files written beside their final names: names, locks, what is refused, and the commit. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "stream/partial.h"

static char partial_test_folder[] = "/tmp/sockcat-partial-XXXXXX";
static const struct partial_result partial_test_plain, partial_test_sync = { .sync = true };

static void
partial_test_write(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	CHECK(fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	(void)close(fd);
}

/* Whether the file has this text. */
static bool
partial_test_has(const char *name, const char *text)
{
	char found[64] = "";
	int fd = open(name, O_RDONLY | O_NOFOLLOW);
	ssize_t n = fd != -1 ? read(fd, found, sizeof found - 1) : -1;
	(void)close(fd);
	return n == (ssize_t)strlen(text) && strcmp(found, text) == 0;
}

static bool
partial_test_exists(const char *name)
{
	struct stat status;
	return lstat(name, &status) == 0;
}

/* Whether opening fails, with these words in the message. */
static bool
partial_test_refused(const char *directory, const char *path, bool resume, const char *words)
{
	struct partial partial;
	struct fault fault = FAULT_NONE;
	bool refused = !partial_open(&partial, directory, path, resume, &fault) &&
		fault.status == STATUS_OUTPUT && strstr(fault.text, words) != NULL;
	if (!refused)
		(void)fprintf(stderr, "%s: %s\n", path, fault.text != NULL ? fault.text : "opened");
	fault_clear(&fault);
	partial_close(&partial);
	return refused;
}

static bool
partial_test_put(struct partial *partial, const char *text)
{
	return write(partial->fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Waits for a commit. */
static enum io
partial_test_commit(
	struct partial *partial, const struct partial_result *result, struct fault *fault)
{
	enum io done;
	while ((done = partial_commit(partial, result, fault)) == IO_AGAIN) {
		struct pollfd poll_done = { partial->done_fd, POLLIN, 0 };
		CHECK(partial->done_fd != -1 && poll(&poll_done, 1, -1) == 1);
	}
	return done;
}

static void
partial_test_result(void)
{
	struct partial partial;
	struct stat status;
	struct fault fault = FAULT_NONE;
	const struct partial_result result = {
		.mode = 0640, .has_mtime = true, .sync = true, .mtime = { 1000000000, 5 }
	};
	CHECK(partial_open(&partial, NULL, "new", false, &fault) && partial.made);
	CHECK(fstat(partial.fd, &status) == 0 && (status.st_mode & 07777) == 0600);
	CHECK(partial_test_put(&partial, "text") && partial_test_exists(".new.part"));
	CHECK(!partial_test_exists("new"));
	CHECK(partial_test_commit(&partial, &result, &fault) == IO_OK && !fault_is_set(&fault));
	CHECK(partial_test_has("new", "text") && !partial_test_exists(".new.part"));
	CHECK(stat("new", &status) == 0 && (status.st_mode & 07777) == 0640);
	CHECK(status.st_mtim.tv_sec == 1000000000 && status.st_mtim.tv_nsec == 5);
	partial_close(&partial);
	CHECK(partial_test_has("new", "text"));

	/* The usual permissions; in a directory that is given, and one that is part of the path. */
	mode_t mask = umask(027);
	CHECK(mkdir("folder", 0700) == 0);
	CHECK(partial_open(&partial, "folder", "one", false, &fault));
	CHECK(partial_test_commit(&partial, &partial_test_plain, &fault) == IO_OK);
	partial_close(&partial);
	CHECK(partial_open(&partial, NULL, "folder/two", false, &fault));
	CHECK(partial_test_commit(&partial, &partial_test_sync, &fault) == IO_OK);
	partial_close(&partial);
	CHECK(stat("folder/one", &status) == 0 && (status.st_mode & 07777) == 0640);
	CHECK(partial_test_exists("folder/two"));
	(void)umask(mask);
	partial_close(&(struct partial){ .fd = 0 });
	CHECK(fcntl(0, F_GETFD) != -1);
}

static void
partial_test_existing(void)
{
	struct partial partial;
	struct fault fault = FAULT_NONE;
	const struct partial_result replace = { .replace = true };
	CHECK(partial_open(&partial, NULL, "late", false, &fault));
	CHECK(partial_test_put(&partial, "mine"));
	partial_test_write("late", "other");
	CHECK(partial_test_commit(&partial, &partial_test_sync, &fault) == IO_FAIL);
	CHECK(fault.status == STATUS_OUTPUT && strstr(fault.text, ".late.part") != NULL &&
		strstr(fault.text, strerror(EEXIST)) != NULL);
	fault_clear(&fault);
	partial_close(&partial);
	CHECK(partial_test_has("late", "other") && partial_test_has(".late.part", "mine"));
	CHECK(!partial_check(NULL, "late", false, NULL, &fault) && fault.status == STATUS_OUTPUT);
	fault_clear(&fault);
	struct partial_found found;
	CHECK(partial_check(NULL, "late", true, &found, &fault) && found.size == 4 && !found.busy);
	CHECK(partial_test_has(".late.part", "mine"));

	/* A stale part is replaced; with `resume` it is kept. */
	CHECK(partial_open(&partial, NULL, "late", true, &fault) && partial.size == 4);
	CHECK(!partial.made && partial_test_put(&partial, "M"));
	partial_close(&partial);
	CHECK(partial_test_has(".late.part", "Mine"));
	CHECK(partial_open(&partial, NULL, "late", false, &fault) && partial.size == 0);
	CHECK(partial_test_put(&partial, "newer"));
	CHECK(partial_test_commit(&partial, &replace, &fault) == IO_OK);
	partial_close(&partial);
	CHECK(partial_test_has("late", "newer") && !partial_test_exists(".late.part"));

	/* A link of the final name is replaced, not followed. */
	CHECK(symlink("late", "link") == 0);
	CHECK(partial_open(&partial, NULL, "link", false, &fault));
	CHECK(partial_test_commit(&partial, &replace, &fault) == IO_OK);
	partial_close(&partial);
	CHECK(partial_test_has("link", "") && partial_test_has("late", "newer"));
}

static void
partial_test_refusals(void)
{
	struct partial partial;
	struct fault fault = FAULT_NONE;
	char longest[256 + 1];
	partial_test_write("victim", "victim");
	CHECK(symlink("victim", ".symlink.part") == 0 && link("victim", ".hard.part") == 0);
	CHECK(mkfifo(".fifo.part", 0600) == 0 && mkdir(".dir.part", 0700) == 0);
	static const char *const names[] = { "symlink", "hard", "fifo", "dir" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		CHECK(partial_test_refused(NULL, names[i], false, ".part"));
		CHECK(partial_test_refused(NULL, names[i], true, ".part"));
	}
	CHECK(partial_test_has("victim", "victim"));
	static const char *const directories[] = { "", "/", ".", "..", "folder", "folder/",
		"a/.." };
	(void)mkdir("a", 0700);
	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
		CHECK(partial_test_refused(NULL, directories[i], false, strerror(EISDIR)));
	CHECK(partial_test_refused(NULL, "none/x", false, strerror(ENOENT)));
	CHECK(partial_test_refused("folder", "../x", false, strerror(EINVAL)));
	CHECK(partial_test_refused("folder", "..", false, strerror(EISDIR)));
	memset(longest, 'n', sizeof longest - 1);
	longest[256] = '\0';
	CHECK(partial_test_refused(NULL, longest, false, strerror(ENAMETOOLONG)));

	/* Another writer. */
	CHECK(partial_open(&partial, NULL, "busy", false, &fault));
	CHECK(partial_test_refused(NULL, "busy", false, "another process"));
	CHECK(partial_test_refused(NULL, "busy", true, "another process"));
	struct partial_found found;
	CHECK(!partial_check(NULL, "busy", true, &found, &fault) && found.busy);
	fault_clear(&fault);
	/* Nothing was written. */
	partial_close(&partial);
	CHECK(!partial_test_exists(".busy.part"));
	/* One that was replaced by another file is left alone. */
	CHECK(partial_open(&partial, NULL, "busy", false, &fault));
	CHECK(unlink(".busy.part") == 0);
	partial_test_write(".busy.part", "");
	partial_close(&partial);
	CHECK(partial_test_exists(".busy.part"));
}

/* A directory: its part, what is refused, and the commit. */
static void
partial_test_tree(void)
{
	struct partial partial, other;
	struct fault fault = FAULT_NONE;
	struct stat status;
	const struct partial_result result = { .tree = true, .sync = true };
	CHECK(partial_open_tree(&partial, ".", "tree", &fault));
	CHECK(fstat(partial.fd, &status) == 0 && (status.st_mode & 07777) == 0700);
	CHECK(!partial_open_tree(&other, ".", "tree", &fault));
	CHECK(fault.text != NULL && strstr(fault.text, "another process") != NULL);
	fault_clear(&fault);
	/* An empty one is removed. */
	partial_close(&partial);
	CHECK(!partial_test_exists(".tree.part"));

	/* One of an earlier run is used again. */
	CHECK(mkdir(".tree.part", 0500) == 0);
	CHECK(partial_open_tree(&partial, ".", "tree", &fault));
	partial_test_write(".tree.part/x", "x");
	partial_close(&partial);
	CHECK(partial_test_exists(".tree.part/x"));
	CHECK(partial_open_tree(&partial, ".", "tree", &fault));
	CHECK(fchmod(partial.fd, 0711) == 0);
	CHECK(partial_test_commit(&partial, &result, &fault) == IO_OK);
	partial_close(&partial);
	CHECK(partial_test_has("tree/x", "x") && !partial_test_exists(".tree.part"));
	CHECK(stat("tree", &status) == 0 && (status.st_mode & 07777) == 0711);

	/* A name that exists, or is made meanwhile, is not replaced. */
	CHECK(!partial_open_tree(&partial, ".", "tree", &fault));
	CHECK(fault.text != NULL && strstr(fault.text, strerror(EEXIST)) != NULL);
	fault_clear(&fault);
	CHECK(partial_open_tree(&partial, ".", "tardy", &fault));
	CHECK(mkdir("tardy", 0700) == 0);
	partial_test_write("tardy/x", "x");
	CHECK(partial_test_commit(&partial, &result, &fault) == IO_FAIL);
	CHECK(fault.status == STATUS_OUTPUT);
	fault_clear(&fault);
	partial_close(&partial);
	CHECK(partial_test_has("tardy/x", "x"));

	/* A link or a file in place of the part. */
	CHECK(symlink("tree", ".linked.part") == 0);
	CHECK(!partial_open_tree(&partial, ".", "linked", &fault));
	fault_clear(&fault);
	partial_test_write(".filed.part", "");
	CHECK(!partial_open_tree(&partial, ".", "filed", &fault));
	fault_clear(&fault);
	CHECK(partial_test_exists(".filed.part"));
}

/* Names of every length, of one and of two bytes a character. */
static void
partial_test_names(void)
{
	struct partial partial;
	struct fault fault = FAULT_NONE;
	char name[256], part[2][256];
	for (size_t length = 240; length <= 255; length++) {
		/* One byte in front of an even number of them, to end with another one. */
		size_t start = (length - 1) % 2;
		memset(name, 'a', sizeof name);
		for (size_t i = start; i + 1 < length; i += 2)
			memcpy(name + i, "\xc3\xa4", 2);
		name[length - 1] = 'x';
		name[length] = '\0';
		for (int i = 0; i < 2; i++) {
			CHECK(partial_open(&partial, NULL, name, false, &fault));
			(void)snprintf(part[i], sizeof part[i], "%s", partial.part_path);
			CHECK(strlen(part[i]) == strlen(partial.part_path));
			size_t at = strspn(part[i] + 1 + start, "\xc3\xa4");
			CHECK(at % 2 == 0);
			CHECK(partial_test_put(&partial, "long"));
			CHECK(partial_test_commit(&partial,
				      &(struct partial_result){ .replace = true },
				      &fault) == IO_OK);
			partial_close(&partial);
			CHECK(partial_test_has(name, "long"));
			/* Another name that begins in the same way has another part. */
			name[length - 1] = 'y';
		}
		CHECK(strcmp(part[0], part[1]) != 0);
	}
	CHECK(!fault_is_set(&fault));
}

int
main(void)
{
	CHECK(mkdtemp(partial_test_folder) != NULL && chdir(partial_test_folder) == 0);
	partial_test_result();
	partial_test_existing();
	partial_test_refusals();
	partial_test_names();
	partial_test_tree();
	CHECK(chdir("/") == 0);
	char command[sizeof partial_test_folder + 16];
	(void)snprintf(command, sizeof command, "rm -rf %s", partial_test_folder);
	CHECK(system(command) == 0);
	return check_verdict("partial");
}
