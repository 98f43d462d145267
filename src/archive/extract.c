/* Extracting an archive; see extract.h. */
#include "archive/extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/attributes.h"
#include "archive/leftovers.h"
#include "archive/member.h"
#include "archive/source.h"
#include "archive/tree.h"
#include "base/log.h"
#include "sys/sys.h"

/* The memory that libarchive may allocate for a hostile archive. */
#define EXTRACT_MEMORY (UINT64_C(96) << 20)

struct extract {
	const struct extract_config *config;
	struct source source;
	struct tree tree;
	uint64_t size, entries, done; /* so far; the last entry may not be done */
};

/* Limits the memory, unless the process has more already, as with a sanitizer. */
static void
extract_limit_memory(void)
{
	struct rlimit old, new;
	if (getrlimit(RLIMIT_DATA, &old) == -1 || old.rlim_cur <= EXTRACT_MEMORY)
		return;
	new = (struct rlimit){ .rlim_cur = EXTRACT_MEMORY, .rlim_max = old.rlim_max };
	(void)setrlimit(RLIMIT_DATA, &new);
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		(void)setrlimit(RLIMIT_DATA, &old);
	else
		(void)munmap(page, 4096);
}

/* Gives up all that the extraction does not need. */
static void
extract_confine(const struct extract *extract)
{
	const struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };
	(void)setrlimit(RLIMIT_CORE, &none);
	extract_limit_memory();
	if (!sys_confine(extract->tree.root, extract->tree.fresh))
		log_line("warning: this kernel cannot confine the extraction (Landlock); its names "
			 "are checked all the same",
			true);
}

static bool
extract_refuse(const char *name, const char *why, struct fault *fault)
{
	if (why == MEMBER_NO_MEMORY)
		return fault_set(fault, STATUS_MEMORY, 0, "out of memory");
	return fault_set(fault, STATUS_FRAMING, 0, "extract '%s': refused: %s",
		name != NULL ? name : "", why);
}

/* Counts the bytes of a file before they are written. */
static bool
extract_count(struct extract *extract, const char *path, int64_t size, struct fault *fault)
{
	uint64_t max = extract->config->max_size;
	if (size < 0)
		return extract_refuse(path, "its size is negative", fault);
	if (max != 0 && (uint64_t)size > max - extract->size)
		return fault_set(fault, STATUS_SIZE, 0,
			"extract %s: larger than --max-size with its %" PRId64 " bytes", path,
			size);
	extract->size += (uint64_t)size;
	return true;
}

static bool
extract_write(int fd, const unsigned char *bytes, size_t n, off_t offset)
{
	while (n > 0) {
		ssize_t written = pwrite(fd, bytes, n, offset);
		if (written == -1 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes += written;
		n -= (size_t)written;
		offset += written;
	}
	return true;
}

/* Copies the content of an entry: what is not in a block is a hole. */
static bool
extract_content(
	struct extract *extract, int fd, const char *path, int64_t size, struct fault *fault)
{
	const void *bytes;
	size_t n;
	la_int64_t offset, end = 0;
	for (;;) {
		int result = archive_read_data_block(extract->source.archive, &bytes, &n, &offset);
		if (result == ARCHIVE_EOF)
			break;
		if (result != ARCHIVE_OK)
			return source_fail(&extract->source, path, fault);
		if (offset < 0 || offset > size || (int64_t)n > size - offset)
			return extract_refuse(path, "it has data after its end", fault);
		if (!extract_write(fd, bytes, n, (off_t)offset))
			return fault_set(fault, STATUS_OUTPUT, errno, "write %s", path);
		end = offset + (la_int64_t)n;
	}
	/* A hole at the end. */
	return end == size || ftruncate(fd, (off_t)size) == 0 ||
		fault_set(fault, STATUS_OUTPUT, errno, "set the size of %s", path);
}

static bool
extract_file(struct extract *extract, struct archive_entry *entry, const char *path,
	const struct preserve_values *values, struct fault *fault)
{
	struct tree_file file;
	int64_t size = archive_entry_size(entry);
	if (!extract_count(extract, path, size, fault) ||
		!tree_begin(&extract->tree, &file, path, values, fault))
		return false;
	if (!extract_content(extract, file.fd, path, size, fault) ||
		!attributes_set(extract->config->preserve, file.fd, entry, path, fault)) {
		tree_abandon(&file);
		return false;
	}
	return tree_finish(&extract->tree, &file, values, fault);
}

/* Makes a hard link. */
static bool
extract_link(struct extract *extract, const char *path, const char *name, struct fault *fault)
{
	char *target;
	const char *why = member_check(name, &target);
	if (why != NULL)
		return why == MEMBER_NO_MEMORY
			? extract_refuse(path, why, fault)
			: extract_refuse(path, "its hard link leads out of the directory", fault);
	bool good = tree_link(&extract->tree, path, target, fault);
	free(target);
	return good;
}

static bool
extract_symlink(struct extract *extract, const char *path, const char *target, struct fault *fault)
{
	const char *why = member_check_target(path, target);
	return why == NULL ? tree_symlink(&extract->tree, path, target, fault)
			   : extract_refuse(path, why, fault);
}

/* Makes the file of an entry. An empty path is the directory itself. */
static bool
extract_entry(
	struct extract *extract, struct archive_entry *entry, const char *path, struct fault *fault)
{
	const char *link = archive_entry_hardlink(entry);
	const struct preserve_values values = {
		.mode = (mode_t)archive_entry_perm(entry) & 0777,
		.user = (uid_t)archive_entry_uid(entry),
		.group = (gid_t)archive_entry_gid(entry),
		.modified = { .tv_sec = (time_t)archive_entry_mtime(entry),
			.tv_nsec = archive_entry_mtime_nsec(entry) },
	};
	if (path[0] == '\0')
		return archive_entry_filetype(entry) == AE_IFDIR && link == NULL
			? tree_root(&extract->tree, &values, fault)
			: extract_refuse(archive_entry_pathname(entry),
				  "it would replace the directory", fault);
	if (link != NULL)
		return extract_link(extract, path, link, fault);
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return extract_file(extract, entry, path, &values, fault);
	case AE_IFDIR:
		return tree_directory(&extract->tree, path, &values, fault);
	case AE_IFLNK:
		return extract_symlink(extract, path, archive_entry_symlink(entry), fault);
	case AE_IFCHR:
	case AE_IFBLK:
		return extract_refuse(path, "it is a device", fault);
	case AE_IFIFO:
		return extract_refuse(path, "it is a FIFO", fault);
	default:
		return extract_refuse(path, "its type is not known", fault);
	}
}

/* Checks the name of an entry and makes its file. */
static bool
extract_next(struct extract *extract, struct archive_entry *entry, struct fault *fault)
{
	const char *name = archive_entry_pathname(entry);
	char *path;
	if (++extract->entries > extract->config->max_entries)
		return fault_set(fault, STATUS_SIZE, 0,
			"extract archive: more than %" PRIu64 " entries (--max-entries)",
			extract->config->max_entries);
	const char *why = member_check(name, &path);
	if (why != NULL)
		return extract_refuse(name, why, fault);
	bool good = extract_entry(extract, entry, path, fault);
	free(path);
	return good;
}

static bool
extract_all(struct extract *extract, struct fault *fault)
{
	struct archive_entry *entry;
	for (;;) {
		int result = archive_read_next_header(extract->source.archive, &entry);
		if (result == ARCHIVE_EOF)
			return source_finish(&extract->source, fault);
		/* ARCHIVE_WARN: the entry is there, but part of its header is not understood. */
		if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
			return source_fail(&extract->source, "archive", fault);
		if (!extract_next(extract, entry, fault))
			return false;
		extract->done++;
	}
}

/* Empties a fresh directory. */
static bool
extract_clear(const struct extract *extract, struct fault *fault)
{
	return !extract->tree.fresh || leftovers_remove(extract->tree.root) ||
		fault_set(fault, STATUS_OUTPUT, errno, "remove what an earlier transfer has left");
}

/* After a failure: what was complete remains, but not in a fresh directory. */
static void
extract_fail(struct extract *extract, struct fault *fault)
{
	struct fault second = FAULT_NONE;
	if (extract->tree.fresh)
		(void)extract_clear(extract, &second);
	else if (extract->entries > 0)
		fault_add(fault, " (extracted before: %" PRIu64 ")", extract->done);
	fault_clear(&second);
}

bool
extract_run(const struct extract_config *config, struct fault *fault)
{
	struct extract extract = { .config = config,
		.source = { .fault = FAULT_NONE },
		.tree = { .replace = config->replace,
			.fresh = config->fresh,
			.preserve = config->preserve } };
	/* A file that is too large is an error of write(2). */
	(void)sigaction(SIGXFSZ, &(const struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	/* Removing what is left of a deep directory needs one for each level. */
	(void)sys_allow_descriptors(SYS_DESCRIPTORS);
	bool good = tree_open(&extract.tree, config->directory, fault);
	if (good)
		extract_confine(&extract);
	good = good && extract_clear(&extract, fault) && source_open(&extract.source, fault) &&
		extract_all(&extract, fault);
	if (!good && extract.tree.root != -1)
		extract_fail(&extract, fault);
	if (extract.tree.root != -1 && (good || !extract.tree.fresh))
		good = tree_settle(&extract.tree, fault) && good;
	/* Status 0 means that the files are stored. */
	if (good && !sys_sync_all(extract.tree.root))
		good = fault_set(fault, STATUS_OUTPUT, errno, "sync %s", config->directory);
	source_close(&extract.source);
	tree_close(&extract.tree);
	return good;
}
