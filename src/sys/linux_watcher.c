/* epoll(7); see sys.h. */
#define _GNU_SOURCE
#include "sys/sys.h"

#include <errno.h>
#include <sys/epoll.h>

/* Events per call of epoll_wait. */
#define WATCHER_BATCH 64

int
sys_watcher(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

/* EPOLLIN and so on have the values of POLLIN and so on. */
bool
sys_watch(int watcher, int fd, short events, bool known)
{
	struct epoll_event event = { .events = (uint32_t)(unsigned short)events, .data.fd = fd };
	if (epoll_ctl(watcher, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0)
		return true;
	/* Closing a descriptor removes it from the set; its number may be in use again. */
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
sys_watched(int watcher, struct sys_fired *fired, int capacity, int timeout)
{
	struct epoll_event events[WATCHER_BATCH];
	int count = epoll_wait(
		watcher, events, capacity < WATCHER_BATCH ? capacity : WATCHER_BATCH, timeout);
	for (int i = 0; i < count; i++)
		fired[i] = (struct sys_fired){ events[i].data.fd, (short)events[i].events };
	return count;
}
