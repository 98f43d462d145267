/*
 * Fuzzes the control messages of datagrams, of any level, type and length, also truncated. Passed
 * descriptors are closed exactly once, nothing is read past the end, and an address is of one of
 * the two families or none.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/sys.h"

#define CONTROL_FUZZ_FD 1000

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
ssize_t __wrap_recvmsg(int fd, struct msghdr *header, int flags);
bool __wrap_sys_close(int *fd);

static const uint8_t *control_fuzz_bytes;
static size_t control_fuzz_left;
static int control_fuzz_passed, control_fuzz_closed;

bool
__wrap_sys_close(int *fd)
{
	if (*fd != CONTROL_FUZZ_FD + control_fuzz_closed)
		abort();
	control_fuzz_closed++;
	return true;
}

/* Stores control messages like put_cmsg of Linux, truncating the last one. */
ssize_t
__wrap_recvmsg(int fd, struct msghdr *header, int flags)
{
	static const int kinds[][2] = { { IPPROTO_IP, IP_PKTINFO }, { IPPROTO_IPV6, IPV6_PKTINFO },
		{ SOL_SOCKET, SCM_RIGHTS }, { SOL_SOCKET, SCM_CREDENTIALS }, { IPPROTO_UDP, 104 },
		{ SOL_SOCKET, SO_RXQ_OVFL }, { SOL_SOCKET, SO_TIMESTAMP } };
	unsigned char *at = header->msg_control;
	size_t room = header->msg_controllen, used = 0;
	(void)fd, (void)flags;
	memset(at, 0xa5, room);
	while (control_fuzz_left >= 2 && room - used >= CMSG_LEN(0)) {
		uint8_t kind = control_fuzz_bytes[0], length = control_fuzz_bytes[1];
		control_fuzz_bytes += 2;
		control_fuzz_left -= 2;
		struct cmsghdr c = { .cmsg_level = kinds[kind % 7][0],
			.cmsg_type = kinds[kind % 7][1] };
		size_t most = room - used - CMSG_LEN(0), take = length < most ? length : most;
		if (length > most)
			header->msg_flags |= MSG_CTRUNC;
		unsigned char data[256];
		memset(data, 0, sizeof data);
		memcpy(data, control_fuzz_bytes,
			take < control_fuzz_left ? take : control_fuzz_left);
		if (kind % 7 == 2) {
			/* Whole descriptors only, like scm_detach_fds. */
			take -= take % sizeof(int);
			for (size_t i = 0; i < take; i += sizeof(int)) {
				int passed = CONTROL_FUZZ_FD + control_fuzz_passed++;
				memcpy(data + i, &passed, sizeof passed);
			}
		}
		size_t skip = take < control_fuzz_left ? take : control_fuzz_left;
		control_fuzz_bytes += skip;
		control_fuzz_left -= skip;
		c.cmsg_len = CMSG_LEN(take);
		memcpy(at + used, &c, sizeof c);
		memcpy(at + used + CMSG_LEN(0), data, take);
		used += CMSG_SPACE(take);
		if (used > room)
			used = room;
	}
	header->msg_controllen = used;
	header->msg_namelen = 0;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct sys_message message;
	char byte;
	struct iovec piece = { &byte, 1 };
	if (n < 1)
		return 0;
	control_fuzz_bytes = bytes + 1;
	control_fuzz_left = n - 1;
	control_fuzz_passed = control_fuzz_closed = 0;
	memset(&message, 0xff, sizeof message);
	if (sys_receive_message(-1, &piece, 1, (bytes[0] & 1) != 0, &message) != 0 ||
		control_fuzz_closed != control_fuzz_passed)
		abort();
	if (message.at_length != 0 &&
		(message.at_length != sizeof(struct sockaddr_in) ||
			message.at.ss_family != AF_INET) &&
		(message.at_length != sizeof(struct sockaddr_in6) ||
			message.at.ss_family != AF_INET6))
		abort();
	return 0;
}
