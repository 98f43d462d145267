/* Datagrams on Linux, singly and in batches; see sys.h. */
#define _GNU_SOURCE
#include "sys/call.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

/* Linux 4.18 and 5.0; C library headers may be older. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* Messages per call of sendmmsg(2) and of recvmmsg(2). */
#define SYS_CALLS 64
#define SYS_SLOTS 16

/* The most segments of UDP GSO (64 in older kernels), and the largest UDP payload over IPv4. */
#define SYS_SEGMENTS 128
#define SYS_PAYLOAD ((size_t)65507)

/* The control messages that are requested; passed descriptors that fit are closed. */
struct sys_control {
	_Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(struct ucred)) +
		CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

static void
sys_close_received(struct cmsghdr *rights)
{
	size_t count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (size_t i = 0; i < count; i++) {
		int fd;
		memcpy(&fd, CMSG_DATA(rights) + i * sizeof fd, sizeof fd);
		(void)sys_close(&fd);
	}
}

/* Copies the data of a control message. False if it was truncated: an inherited socket may have
 * options whose control messages do not fit (recvmsg(2), MSG_CTRUNC). */
static bool
sys_take_data(struct cmsghdr *c, void *data, size_t size)
{
	if (c->cmsg_len < CMSG_LEN(size))
		return false;
	memcpy(data, CMSG_DATA(c), size);
	return true;
}

/* Gets the own address that a datagram was sent to: ip(7) IP_PKTINFO, RFC 3542 section 6.2. */
static void
sys_take_own_address(struct cmsghdr *c, struct sys_message *message)
{
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		struct sockaddr_in at = { .sin_family = AF_INET };
		if (!sys_take_data(c, &info, sizeof info))
			return;
		at.sin_addr = info.ipi_spec_dst;
		memcpy(&message->at, &at, sizeof at);
		message->at_length = sizeof at;
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;
		struct sockaddr_in6 at = { .sin6_family = AF_INET6 };
		/* A multicast group cannot be the source address of a reply. */
		if (!sys_take_data(c, &info, sizeof info) || IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
			return;
		at.sin6_addr = info.ipi6_addr;
		if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
			at.sin6_scope_id = info.ipi6_ifindex;
		memcpy(&message->at, &at, sizeof at);
		message->at_length = sizeof at;
	}
}

ssize_t
sys_send_from(int fd, const struct iovec *pieces, int count, const struct sockaddr *to,
	socklen_t length, const struct sockaddr_storage *at, socklen_t at_length)
{
	struct sys_control control;
	struct msghdr header = sys_header(pieces, count);
	if (at_length == 0)
		return sys_send(fd, pieces, count, to, length);
	if (at->ss_family == AF_INET6) {
		const struct sockaddr_in6 *own = (const struct sockaddr_in6 *)at;
		const struct in6_pktinfo info = { .ipi6_addr = own->sin6_addr,
			.ipi6_ifindex = own->sin6_scope_id };
		sys_attach(&header, control.bytes, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
	} else {
		const struct in_pktinfo info = {
			.ipi_spec_dst = ((const struct sockaddr_in *)at)->sin_addr
		};
		sys_attach(&header, control.bytes, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
	}
	header.msg_name = (void *)(uintptr_t)to;
	header.msg_namelen = length;
	ssize_t n;
	SYS_RESTART(n, sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL));
	return n;
}

/* Evaluates the control messages; returns whether credentials were among them. */
static bool
sys_take_control(struct msghdr *header, struct sys_message *message)
{
	bool marked = false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
		int segment = 0;
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
			if (sys_take_data(c, &segment, sizeof segment))
				message->segment = segment > 0 ? (size_t)segment : 0;
		} else if (c->cmsg_level != SOL_SOCKET) {
			sys_take_own_address(c, message);
		} else if (c->cmsg_type == SCM_CREDENTIALS) {
			marked = true;
		} else if (c->cmsg_type == SCM_RIGHTS) {
			sys_close_received(c);
		}
	}
	return marked;
}

static void
sys_expect(struct msghdr *header, struct sys_control *control, struct sys_message *message)
{
	header->msg_name = &message->from;
	header->msg_namelen = sizeof message->from;
	header->msg_control = control->bytes;
	header->msg_controllen = sizeof control->bytes;
}

/* Fills in the metadata of a received message; returns whether it had credentials. */
static bool
sys_accept_message(struct msghdr *header, struct sys_message *message, size_t length)
{
	message->from_length = header->msg_namelen;
	message->at_length = 0;
	message->length = length;
	message->segment = 0;
	message->end = false;
	message->truncated = (header->msg_flags & MSG_TRUNC) != 0;
	return sys_take_control(header, message);
}

ssize_t
sys_receive_message(
	int fd, const struct iovec *pieces, int count, bool connected, struct sys_message *message)
{
	struct sys_control control;
	struct msghdr header = sys_header(pieces, count);
	sys_expect(&header, &control, message);
	ssize_t n;
	SYS_RESTART(n, recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
	if (n == -1)
		return -1;
	/* An empty message and the end of a seqpacket connection are both a read of 0 bytes, but
	 * only a message has credentials (unix(7), SO_PASSCRED). */
	bool marked = sys_accept_message(&header, message, (size_t)n);
	message->end = connected && n == 0 && !marked;
	return n;
}

bool
sys_next_length(int fd, size_t *length)
{
	ssize_t n;
	SYS_RESTART(n, recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT));
	*length = n > 0 ? (size_t)n : 0;
	return n != -1;
}

bool
sys_join_received(int fd, bool on)
{
	int value = on;
	return setsockopt(fd, IPPROTO_UDP, UDP_GRO, &value, sizeof value) == 0;
}

int
sys_segments(int fd)
{
	/* An older kernel would ignore the request and send one large datagram. */
	int value = 0;
	socklen_t size = sizeof value;
	return getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &value, &size) == 0 ? SYS_SEGMENTS : 0;
}

/* How many messages can be joined: contiguous, of one length, the last may be shorter. */
static int
sys_count_joined(const struct iovec *pieces, int count, int segments)
{
	size_t length = pieces[0].iov_len, total = length;
	int joined = 1;
	while (joined < count && joined < segments && length > 0) {
		const struct iovec *before = &pieces[joined - 1], *next = &pieces[joined];
		if (before->iov_len != length || next->iov_len == 0 || next->iov_len > length ||
			(char *)before->iov_base + before->iov_len != next->iov_base ||
			total + next->iov_len > SYS_PAYLOAD)
			break;
		total += next->iov_len;
		joined++;
	}
	return joined;
}

int
sys_send_messages(int fd, const struct iovec *pieces, int count, int segments)
{
	struct mmsghdr calls[SYS_CALLS];
	struct iovec joined[SYS_CALLS];
	struct sys_control controls[SYS_CALLS];
	int messages[SYS_CALLS], call = 0;
	memset(calls, 0, sizeof calls);
	for (int i = 0; i < count && call < SYS_CALLS; call++) {
		struct msghdr *header = &calls[call].msg_hdr;
		messages[call] = sys_count_joined(pieces + i, count - i, segments);
		joined[call] = (struct iovec){ pieces[i].iov_base, 0 };
		for (int j = 0; j < messages[call]; j++)
			joined[call].iov_len += pieces[i + j].iov_len;
		header->msg_iov = &joined[call];
		header->msg_iovlen = 1;
		uint16_t segment = (uint16_t)pieces[i].iov_len;
		if (messages[call] > 1)
			sys_attach(header, &controls[call], IPPROTO_UDP, UDP_SEGMENT, &segment,
				sizeof segment);
		i += messages[call];
	}
	int sent;
	SYS_RESTART(sent, sendmmsg(fd, calls, (unsigned)call, MSG_DONTWAIT | MSG_NOSIGNAL));
	if (sent == -1 && errno == ENOSYS) {
		SYS_RESTART(sent,
			sendmsg(fd, &calls[0].msg_hdr, MSG_DONTWAIT | MSG_NOSIGNAL) != -1 ? 1 : -1);
	}
	int taken = sent == -1 ? -1 : 0;
	for (int i = 0; i < sent; i++)
		taken += messages[i];
	return taken;
}

int
sys_receive_messages(
	int fd, unsigned char *space, size_t slot, struct sys_message *messages, int count)
{
	struct mmsghdr calls[SYS_SLOTS];
	struct iovec pieces[SYS_SLOTS];
	struct sys_control controls[SYS_SLOTS];
	memset(calls, 0, sizeof calls);
	count = count < SYS_SLOTS ? count : SYS_SLOTS;
	for (int i = 0; i < count; i++) {
		struct msghdr *header = &calls[i].msg_hdr;
		pieces[i] = (struct iovec){ space + (size_t)i * slot, slot };
		header->msg_iov = &pieces[i];
		header->msg_iovlen = 1;
		sys_expect(header, &controls[i], &messages[i]);
	}
	int got;
	SYS_RESTART(
		got, recvmmsg(fd, calls, (unsigned)count, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL));
	if (got == -1 && errno == ENOSYS) {
		ssize_t n;
		SYS_RESTART(n, recvmsg(fd, &calls[0].msg_hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
		calls[0].msg_len = n > 0 ? (unsigned)n : 0;
		got = n == -1 ? -1 : 1;
	}
	for (int i = 0; i < got; i++)
		(void)sys_accept_message(&calls[i].msg_hdr, &messages[i], calls[i].msg_len);
	return got;
}
