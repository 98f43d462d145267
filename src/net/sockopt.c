/* Socket options; see sockopt.h. */
#include "net/sockopt.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

static const struct {
	const char *name;
	int level, option;
	size_t offset;
} sockopt_rows[] = {
	{ "--rcvbuf", SOL_SOCKET, SO_RCVBUF, offsetof(struct sockopt, receive_buffer) },
	{ "--sndbuf", SOL_SOCKET, SO_SNDBUF, offsetof(struct sockopt, send_buffer) },
};

bool
sockopt_apply(const struct sockopt *values, int fd, struct fault *fault)
{
	for (size_t i = 0; i < sizeof sockopt_rows / sizeof sockopt_rows[0]; i++) {
		int value;
		memcpy(&value, (const char *)values + sockopt_rows[i].offset, sizeof value);
		if (value != 0 &&
			setsockopt(fd, sockopt_rows[i].level, sockopt_rows[i].option, &value,
				sizeof value) == -1)
			return fault_set(
				fault, STATUS_MISSING, errno, "%s %d", sockopt_rows[i].name, value);
	}
	return true;
}
