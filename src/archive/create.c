/* Creating an archive; see create.h. */
#include "archive/create.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/attributes.h"
#include "archive/names.h"
#include "archive/preserve.h"
#include "base/log.h"
#include "sys/sys.h"

#define CREATE_BLOCK (256 * 1024)
/* As tar: the archive's size is a multiple of it. */
#define CREATE_RECORD 10240

struct create {
	unsigned preserve;
	struct archive *archive;
	struct archive_entry *entry;              /* of the current file */
	struct archive_entry_linkresolver *links; /* files with several names */
	unsigned char *buffer, *zeros;            /* of CREATE_BLOCK bytes each */
	uint64_t left_out;
	struct fault output; /* writing failed */
};

/* A file: where it is, and its name in the archive. */
struct create_file {
	int directory;
	const char *name;
	char *path; /* owned */
	struct stat status;
};

static la_ssize_t
create_write(struct archive *archive, void *context, const void *bytes, size_t n)
{
	struct create *create = context;
	const struct iovec piece = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = n };
	(void)archive;
	ssize_t written = sys_writev(STDOUT_FILENO, &piece, 1);
	if (written == -1)
		(void)fault_set(&create->output, STATUS_OUTPUT, errno, "write standard output");
	return written;
}

static bool
create_fail(struct create *create, const char *path, struct fault *fault)
{
	const char *cause = archive_error_string(create->archive);
	if (fault_is_set(&create->output)) {
		fault_move(fault, &create->output);
		return false;
	}
	return archive_errno(create->archive) == ENOMEM
		? fault_set(fault, STATUS_MEMORY, 0, "out of memory")
		: fault_set(fault, STATUS_INPUT, 0, "archive %s: %s", path,
			  cause != NULL ? cause : "unknown error");
}

/* Writes n bytes of an entry. */
static bool
create_data(
	struct create *create, const void *bytes, size_t n, const char *path, struct fault *fault)
{
	la_ssize_t written = archive_write_data(create->archive, bytes, n);
	return (written >= 0 && (size_t)written == n) || create_fail(create, path, fault);
}

/* Records which parts of a file have data. A file without holes needs no record. */
static void
create_find_data(struct archive_entry *entry, int fd, const struct stat *status)
{
	off_t start, stop, size = status->st_size;
	/* All of it has space on the disk (st_blocks: units of 512 bytes). */
	if (status->st_blocks >= (size + 511) / 512)
		return;
	for (off_t at = 0; at < size; at = stop) {
		sys_next_data(fd, at, size, &start, &stop);
		if (at == 0 && start == 0 && stop == size)
			return;
		if (start == size)
			stop = size;
		archive_entry_sparse_add_entry(entry, start, stop - start);
	}
}

/* Writes a part of a file that has data. */
static bool
create_part(
	struct create *create, int fd, off_t at, off_t stop, const char *path, struct fault *fault)
{
	while (at < stop) {
		size_t n = stop - at < CREATE_BLOCK ? (size_t)(stop - at) : CREATE_BLOCK;
		const struct iovec piece = { .iov_base = create->buffer, .iov_len = n };
		ssize_t got = sys_read_at(fd, &piece, at);
		if (got == -1)
			return fault_set(fault, STATUS_INPUT, errno, "read %s", path);
		if (got == 0)
			return fault_set(fault, STATUS_INPUT, 0,
				"read %s: the file became shorter while it was read", path);
		if (!create_data(create, create->buffer, (size_t)got, path, fault))
			return false;
		at += got;
	}
	return true;
}

/* Writes the content of a file. libarchive takes holes as zeros, and drops them. */
static bool
create_content(struct create *create, struct archive_entry *entry, int fd,
	const struct create_file *file, struct fault *fault)
{
	la_int64_t start, length, at = 0;
	off_t size = file->status.st_size;
	struct stat now;
	bool sparse = archive_entry_sparse_reset(entry) > 0;
	do {
		start = 0;
		length = size;
		if (sparse && archive_entry_sparse_next(entry, &start, &length) != ARCHIVE_OK) {
			start = size;
			length = 0;
		}
		while (at < start) {
			size_t n = start - at < CREATE_BLOCK ? (size_t)(start - at) : CREATE_BLOCK;
			if (!create_data(create, create->zeros, n, file->path, fault))
				return false;
			at += (la_int64_t)n;
		}
		if (!create_part(create, fd, start, start + length, file->path, fault))
			return false;
		at = start + length;
	} while (at < size);
	if (fstat(fd, &now) == -1)
		return fault_set(fault, STATUS_INPUT, errno, "read %s", file->path);
	return (now.st_size == size && now.st_mtim.tv_sec == file->status.st_mtim.tv_sec &&
		       now.st_mtim.tv_nsec == file->status.st_mtim.tv_nsec) ||
		fault_set(fault, STATUS_INPUT, 0, "read %s: the file changed while it was read",
			file->path);
}

/* Fills in the header. */
static void
create_describe(
	const struct create *create, struct archive_entry *entry, const struct create_file *file)
{
	const struct stat *status = &file->status;
	archive_entry_set_pathname(entry, file->path);
	archive_entry_set_filetype(entry, status->st_mode & S_IFMT);
	archive_entry_set_perm(entry, status->st_mode & 0777);
	archive_entry_set_size(entry, S_ISREG(status->st_mode) ? status->st_size : 0);
	if ((create->preserve & PRESERVE_MODE) == 0)
		archive_entry_set_perm(entry, S_ISDIR(status->st_mode) ? 0755 : 0644);
	if ((create->preserve & PRESERVE_TIME) != 0)
		archive_entry_set_mtime(entry, status->st_mtim.tv_sec, status->st_mtim.tv_nsec);
	if ((create->preserve & PRESERVE_OWNER) != 0) {
		archive_entry_set_uid(entry, (la_int64_t)status->st_uid);
		archive_entry_set_gid(entry, (la_int64_t)status->st_gid);
	}
	/* For the link resolver. */
	archive_entry_set_dev(entry, status->st_dev);
	archive_entry_set_ino(entry, (la_int64_t)status->st_ino);
	archive_entry_set_nlink(entry, (unsigned)status->st_nlink);
}

/* Writes the header; what only this system understands is not written. */
static bool
create_header(
	struct create *create, struct archive_entry *entry, const char *path, struct fault *fault)
{
	archive_entry_set_dev(entry, 0);
	archive_entry_set_ino(entry, 0);
	archive_entry_set_nlink(entry, 1);
	int result = archive_write_header(create->archive, entry);
	/* ARCHIVE_WARN: a name that is not UTF-8 is written as it is. */
	return result == ARCHIVE_OK || result == ARCHIVE_WARN || create_fail(create, path, fault);
}

/* Writes a regular file, or a hard link to one that was written. */
static bool
create_regular(struct create *create, struct archive_entry *entry, int fd,
	const struct create_file *file, struct fault *fault)
{
	struct archive_entry *first = entry, *other = NULL;
	archive_entry_linkify(create->links, &first, &other);
	if (archive_entry_hardlink(entry) != NULL)
		return create_header(create, entry, file->path, fault);
	create_find_data(entry, fd, &file->status);
	return attributes_get(create->preserve, fd, entry, file->path, fault) &&
		create_header(create, entry, file->path, fault) &&
		create_content(create, entry, fd, file, fault);
}

static bool
create_symlink(struct create *create, struct archive_entry *entry, const struct create_file *file,
	struct fault *fault)
{
	size_t size = (size_t)file->status.st_size + 4096;
	char *target = malloc(size);
	ssize_t n = target == NULL ? -1 : readlinkat(file->directory, file->name, target, size - 1);
	bool good = n >= 0 || fault_set(fault, STATUS_INPUT, errno, "read %s", file->path);
	if (good) {
		target[n] = '\0';
		archive_entry_set_symlink(entry, target);
		good = create_header(create, entry, file->path, fault);
	}
	free(target);
	return good;
}

static bool create_any(struct create *create, int directory, const struct names_entry *entry,
	const char *parent, struct fault *fault);

/* Writes a directory and, after it, what is in it. */
static bool
create_directory(struct create *create, struct archive_entry *entry, int fd,
	const struct create_file *file, struct fault *fault)
{
	struct names names;
	if (!attributes_get(create->preserve, fd, entry, file->path, fault) ||
		!create_header(create, entry, file->path, fault))
		return false;
	bool good = names_read(&names, fd) ||
		fault_set(fault, STATUS_INPUT, errno, "read directory %s", file->path);
	for (size_t i = 0; good && i < names.count; i++)
		good = create_any(create, fd, &names.list[i], file->path, fault);
	names_close(&names);
	return good;
}

/* Opens a regular file or a directory, and writes it. */
static bool
create_opened(struct create *create, struct archive_entry *entry, struct create_file *file,
	mode_t type, struct fault *fault)
{
	bool directory = S_ISDIR(type);
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(file->directory, file->name, directory ? flags | O_DIRECTORY : flags);
	if (fd == -1 || fstat(fd, &file->status) == -1)
		(void)fault_set(fault, STATUS_INPUT, errno, "open %s", file->path);
	else if ((file->status.st_mode & S_IFMT) != type)
		(void)fault_set(fault, STATUS_INPUT, 0,
			"open %s: the file was replaced while it was read", file->path);
	bool good = !fault_is_set(fault);
	if (good) {
		create_describe(create, entry, file);
		good = directory ? create_directory(create, entry, fd, file, fault)
				 : create_regular(create, entry, fd, file, fault);
	}
	(void)sys_close(&fd);
	return good;
}

/* Leaves out a file that cannot be sent. */
static bool
create_leave_out(struct create *create, const struct create_file *file, struct fault *fault)
{
	const char *kind = S_ISSOCK(file->status.st_mode) ? "a socket"
		: S_ISFIFO(file->status.st_mode)          ? "a FIFO"
							  : "a device";
	size_t size = strlen(file->path) + 64;
	char *line = malloc(size);
	if (line == NULL)
		return fault_set(fault, STATUS_MEMORY, 0, "out of memory");
	(void)snprintf(line, size, "%s: left out: it is %s", file->path, kind);
	log_line(line, true);
	free(line);
	create->left_out++;
	return true;
}

/* Writes a file of this type, as in st_mode; 0: it is not known. */
static bool
create_file(struct create *create, struct create_file *file, mode_t type, struct fault *fault)
{
	/* The header of the directory above has been written. */
	struct archive_entry *entry = archive_entry_clear(create->entry);
	if (S_ISREG(type) || S_ISDIR(type))
		return create_opened(create, entry, file, type, fault);
	if (fstatat(file->directory, file->name, &file->status, AT_SYMLINK_NOFOLLOW) == -1)
		return fault_set(fault, STATUS_INPUT, errno, "open %s", file->path);
	type = file->status.st_mode & S_IFMT;
	if (S_ISREG(type) || S_ISDIR(type))
		return create_opened(create, entry, file, type, fault);
	if (!S_ISLNK(type))
		return create_leave_out(create, file, fault);
	create_describe(create, entry, file);
	return create_symlink(create, entry, file, fault);
}

/* Writes a file of a directory; its path in the archive is below `parent`, if any. */
static bool
create_any(struct create *create, int directory, const struct names_entry *entry,
	const char *parent, struct fault *fault)
{
	const char *name = entry->name;
	bool top = strcmp(parent, ".") == 0;
	size_t size = strlen(parent) + strlen(name) + 2;
	struct create_file file = { .directory = directory, .name = name, .path = malloc(size) };
	if (file.path == NULL)
		return fault_set(fault, STATUS_MEMORY, 0, "out of memory");
	(void)snprintf(file.path, size, "%s%s%s", top ? "" : parent, top ? "" : "/", name);
	bool good = create_file(create, &file, entry->type, fault);
	free(file.path);
	return good;
}

/* Writes an argument: its name in the archive is its last component, "." if that is no name. */
static bool
create_argument(struct create *create, const char *path, struct fault *fault)
{
	size_t end = strlen(path);
	while (end > 1 && path[end - 1] == '/')
		end--;
	size_t start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	struct create_file file = { .directory = AT_FDCWD, .name = path };
	file.path = strndup(path + start, end - start);
	if (file.path == NULL)
		return fault_set(fault, STATUS_MEMORY, 0, "out of memory");
	if (file.path[0] == '\0' || strcmp(file.path, "..") == 0 || strcmp(file.path, "/") == 0) {
		free(file.path);
		file.path = strdup(".");
	}
	bool good = file.path != NULL ? create_file(create, &file, 0, fault)
				      : fault_set(fault, STATUS_MEMORY, 0, "out of memory");
	free(file.path);
	return good;
}

static bool
create_open(struct create *create, struct fault *fault)
{
	create->buffer = malloc(CREATE_BLOCK);
	create->zeros = calloc(1, CREATE_BLOCK);
	create->archive = archive_write_new();
	create->entry = archive_entry_new();
	create->links = archive_entry_linkresolver_new();
	if (create->buffer == NULL || create->zeros == NULL || create->archive == NULL ||
		create->entry == NULL || create->links == NULL)
		return fault_set(fault, STATUS_MEMORY, 0, "out of memory");
	if (archive_write_set_format_pax(create->archive) != ARCHIVE_OK ||
		archive_write_set_format_option(create->archive, "pax", "xattrheader", "SCHILY") !=
			ARCHIVE_OK ||
		archive_write_set_bytes_per_block(create->archive, CREATE_RECORD * 16) !=
			ARCHIVE_OK ||
		archive_write_set_bytes_in_last_block(create->archive, CREATE_RECORD) !=
			ARCHIVE_OK ||
		archive_write_open(create->archive, create, NULL, create_write, NULL) != ARCHIVE_OK)
		return create_fail(create, "standard output", fault);
	archive_entry_linkresolver_set_strategy(create->links, ARCHIVE_FORMAT_TAR);
	return true;
}

static void
create_close(struct create *create, bool good)
{
	/* Closing would write the end of an archive that is not complete. */
	if (create->archive != NULL && !good)
		(void)archive_write_fail(create->archive);
	if (create->archive != NULL)
		(void)archive_write_free(create->archive);
	if (create->entry != NULL)
		archive_entry_free(create->entry);
	if (create->links != NULL)
		archive_entry_linkresolver_free(create->links);
	free(create->buffer);
	free(create->zeros);
	fault_clear(&create->output);
}

bool
create_run(const struct create_config *config, struct fault *fault)
{
	struct create create = { .preserve = config->preserve, .output = FAULT_NONE };
	(void)sys_allow_descriptors(SYS_DESCRIPTORS);
	bool good = create_open(&create, fault);
	for (char *const *path = config->paths; good && *path != NULL; path++)
		good = create_argument(&create, *path, fault);
	if (good && archive_write_close(create.archive) != ARCHIVE_OK)
		good = create_fail(&create, "standard output", fault);
	create_close(&create, good);
	if (good && create.left_out > 0)
		good = fault_set(fault, config->left_out, 0, "archive %s: left out: %" PRIu64,
			config->paths[0], create.left_out);
	return good;
}
