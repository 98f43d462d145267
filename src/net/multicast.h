/* Joining multicast groups (RFC 3678). */
#ifndef SOCKCAT_NET_MULTICAST_H
#define SOCKCAT_NET_MULTICAST_H

#include "base/fault.h"
#include "net/endpoint.h"

struct multicast {
	unsigned interface; /* 0: the system's choice */
	struct address group;
	struct address source; /* family 0: any */
};

/* Parses "[SOURCE@]GROUP[%INTERFACE]", the argument of --join. Status 3, or 45 for a missing
 * interface. */
bool multicast_parse(struct multicast *multicast, const char *text, struct fault *fault);

/* Joins the group, whose family has the level IPPROTO_IP or IPPROTO_IPV6. False with errno. */
bool multicast_join(const struct multicast *multicast, int fd, int level);

#endif
