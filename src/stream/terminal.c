/* Output to a terminal; see terminal.h. */
#include "stream/terminal.h"

#include "sys/sys.h"

/* Writes what is kept. False with errno if not all of it could be. */
static bool
terminal_flush(struct terminal *terminal, int fd)
{
	while (terminal->start < terminal->end) {
		struct iovec piece = { terminal->shown + terminal->start,
			terminal->end - terminal->start };
		ssize_t n = sys_writev(fd, &piece, 1);
		if (n == -1)
			return false;
		terminal->start += (size_t)n;
	}
	terminal->start = terminal->end = 0;
	return true;
}

ssize_t
terminal_write(struct terminal *terminal, int fd, const struct iovec *pieces, int count, bool *kept)
{
	*kept = terminal->start < terminal->end;
	if (!terminal_flush(terminal, fd))
		return -1;
	size_t taken = 0;
	for (int i = 0; i < count; i++) {
		size_t used;
		terminal->end += text_feed(&terminal->text, pieces[i].iov_base, pieces[i].iov_len,
			&used, terminal->shown + terminal->end, TERMINAL_SIZE - terminal->end);
		taken += used;
		if (used < pieces[i].iov_len)
			break;
	}
	/* An error here is found again, and reported, by the next call. */
	*kept = !terminal_flush(terminal, fd);
	return (ssize_t)taken;
}

bool
terminal_finish(struct terminal *terminal, int fd)
{
	if (!terminal_flush(terminal, fd))
		return false;
	terminal->end = text_finish(&terminal->text, terminal->shown);
	return terminal_flush(terminal, fd);
}
