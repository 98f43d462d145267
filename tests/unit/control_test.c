/* Truncated control messages, as on an inherited socket whose options produce more than there is
 * room for (T20). */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <string.h>

#include "check.h"
#include "sys/sys.h"

ssize_t __wrap_recvmsg(int fd, struct msghdr *header, int flags);

/* The room for the last control message, and its level and type. */
static size_t control_test_room;
static int control_test_level, control_test_type;

/* Fills the room with an ignored message and, at the end, the one under test. */
ssize_t
__wrap_recvmsg(int fd, struct msghdr *header, int flags)
{
	unsigned char *at = header->msg_control;
	struct cmsghdr c = { .cmsg_level = SOL_SOCKET, .cmsg_type = SO_TIMESTAMP };
	size_t last = CMSG_LEN(control_test_room);
	(void)fd, (void)flags;
	memset(at, 0x7f, header->msg_controllen);
	c.cmsg_len = (socklen_t)(header->msg_controllen - CMSG_SPACE(control_test_room));
	memcpy(at, &c, sizeof c);
	at += c.cmsg_len;
	c = (struct cmsghdr){ .cmsg_level = control_test_level, .cmsg_type = control_test_type };
	c.cmsg_len = (socklen_t)last;
	memcpy(at, &c, sizeof c);
	header->msg_flags |= MSG_CTRUNC;
	header->msg_namelen = 0;
	return 1;
}

static void
control_test_cut(int level, int type, size_t size, socklen_t wanted)
{
	char byte;
	struct iovec piece = { &byte, 1 };
	control_test_level = level;
	control_test_type = type;
	for (control_test_room = 0; control_test_room <= size; control_test_room += 4) {
		struct sys_message message;
		bool whole = control_test_room == size;
		memset(&message, 0xff, sizeof message);
		CHECK(sys_receive_message(-1, &piece, 1, false, &message) == 1);
		CHECK(message.at_length == (whole ? wanted : 0));
		CHECK(message.segment == (whole && wanted == 0 ? 0x7f7f7f7f : 0));
	}
}

int
main(void)
{
	control_test_cut(
		IPPROTO_IP, IP_PKTINFO, sizeof(struct in_pktinfo), sizeof(struct sockaddr_in));
	control_test_cut(IPPROTO_IPV6, IPV6_PKTINFO, sizeof(struct in6_pktinfo),
		sizeof(struct sockaddr_in6));
	control_test_cut(IPPROTO_UDP, 104, sizeof(int), 0);
	return check_verdict("control");
}
