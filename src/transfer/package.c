/* Directories that are sent; see package.h. */
#include "transfer/package.h"

#include <poll.h>

#include "base/clock.h"
#include "sys/sys.h"

/* How often to read the program's standard error while it writes no archive: it blocks when that
 * pipe is full. */
#define PACKAGE_LISTEN (100 * CLOCK_MILLISECOND)

bool
package_open(struct package *package, char *const *options, const char *path, int *fd, bool *ready,
	struct fault *fault)
{
	bool good = archiver_create(&package->archiver, options, path, ready, fault);
	*fd = package->archiver.archive;
	package->archiver.archive = -1;
	return good;
}

/* The number of bytes that can be read; IO_END: there are none, and no more will come. */
static enum io
package_look(int fd, size_t *n)
{
	bool ended = (pollset_look(fd, POLLIN) & (POLLHUP | POLLERR)) != 0;
	if (sys_readable(fd, n) && *n > 0)
		return IO_OK;
	return ended ? IO_END : IO_AGAIN;
}

enum io
package_next(
	struct package *package, int fd, struct stream_side *side, size_t *n, struct fault *fault)
{
	struct archiver *archiver = &package->archiver;
	enum io result = package_look(fd, n);
	int awaited = fd;
	if (result == IO_AGAIN)
		archiver_listen(archiver);
	if (result == IO_END) {
		result = archiver_end(archiver, fault);
		awaited = archiver->report;
		package->left_out += result == IO_OK && fault_is_set(fault);
		if (result == IO_OK)
			result = IO_END;
	}
	if (result == IO_END)
		fault_clear(fault);
	side->fd = awaited;
	side->at = 0;
	side->by = clock_after(clock_now(), PACKAGE_LISTEN);
	return result;
}

bool
package_check(const struct package *package, struct fault *fault)
{
	return package->left_out == 0 ||
		fault_set(fault, STATUS_INPUT, 0, "files that cannot be sent were left out");
}

void
package_close(struct package *package)
{
	archiver_close(&package->archiver);
}
