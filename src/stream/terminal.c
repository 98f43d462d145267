/* Output to a terminal; see terminal.h. */
#include "stream/terminal.h"

#include <termios.h>
#include <unistd.h>

#include "sys/sys.h"

static struct text *
terminal_text(struct terminal *terminal)
{
	return terminal->text != NULL ? terminal->text : &terminal->own;
}

/* Writes what is kept. False with errno. */
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
		terminal->end += text_feed(terminal_text(terminal), pieces[i].iov_base,
			pieces[i].iov_len, &used, terminal->shown + terminal->end,
			TERMINAL_SIZE - terminal->end);
		taken += used;
		if (used < pieces[i].iov_len)
			break;
	}
	/* The next call meets an error again, and reports it. */
	*kept = !terminal_flush(terminal, fd);
	return (ssize_t)taken;
}

bool
terminal_finish(struct terminal *terminal, int fd)
{
	if (!terminal_flush(terminal, fd))
		return false;
	terminal->end = text_finish(terminal_text(terminal), terminal->shown);
	return terminal_flush(terminal, fd);
}

bool
terminal_in_background(int fd)
{
	pid_t foreground = tcgetpgrp(fd);
	return foreground > 0 && foreground != getpgrp() && tcgetsid(fd) == getsid(0);
}
