/* Waiting for many descriptors: epoll(7); see sys.h. */
#define _GNU_SOURCE
#include "sys/sys.h"

#include <errno.h>
#include <sys/epoll.h>

/* What one call of epoll_wait brings. */
#define WATCHER_BATCH 64

int
sys_watcher(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

/* The events of poll(2) have the same values here. */
bool
sys_watch(int watcher, int fd, short events, bool known)
{
	struct epoll_event event = { .events = (uint32_t)(unsigned short)events, .data.fd = fd };
	if (epoll_ctl(watcher, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0)
		return true;
	/* A descriptor that was closed is not in the set any more, whatever has its number now. */
	if (known && errno == ENOENT)
		return epoll_ctl(watcher, EPOLL_CTL_ADD, fd, &event) == 0;
	if (!known && errno == EEXIST)
		return epoll_ctl(watcher, EPOLL_CTL_MOD, fd, &event) == 0;
	return false;
}

void
sys_unwatch(int watcher, int fd)
{
	struct epoll_event none = { .events = 0 };
	(void)epoll_ctl(watcher, EPOLL_CTL_DEL, fd, &none);
}

int
sys_watched(int watcher, struct sys_fired *fired, int most, int timeout)
{
	struct epoll_event events[WATCHER_BATCH];
	int count =
		epoll_wait(watcher, events, most < WATCHER_BATCH ? most : WATCHER_BATCH, timeout);
	for (int i = 0; i < count; i++)
		fired[i] = (struct sys_fired){ events[i].data.fd, (short)events[i].events };
	return count;
}
