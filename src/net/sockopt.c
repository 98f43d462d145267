/* Socket options; see sockopt.h. */
#include "net/sockopt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "net/optname.h"

enum sockopt_type {
	SOCKOPT_NUMBER,
	SOCKOPT_SECONDS, /* from nanoseconds */
	SOCKOPT_MILLISECONDS,
	SOCKOPT_SWITCH,    /* on, off */
	SOCKOPT_DISCOVERY, /* do, dont, want, probe */
	SOCKOPT_TOS,
	SOCKOPT_TEXT,
	SOCKOPT_GROUP,
	SOCKOPT_ANY
};

/* A level and a number; level -1: not for this family. */
struct sockopt_place {
	int level, option;
};

#define SOCKOPT_NOT_FOR \
	{ \
		-1, 0 \
	}
#define SOCKOPT_NEW (SOCKOPT_DIALLING | SOCKOPT_LISTENING)

struct sockopt_row {
	const char *name;
	unsigned when;
	enum sockopt_type type;
	struct sockopt_place other, inet6; /* of all others, of an IPv6 socket */
	bool datagrams;                    /* only for datagram sockets */
	enum status refused;
};

/* For options of one level, whatever the family. */
#define SOCKOPT_BOTH(level, option) \
	{ level, option }, \
	{ \
		level, option \
	}

static const struct sockopt_row sockopt_rows[] = {
	{ "interface", SOCKOPT_NEW, SOCKOPT_TEXT, SOCKOPT_BOTH(SOL_SOCKET, SO_BINDTODEVICE), false,
		STATUS_BIND },
	{ "broadcast", SOCKOPT_NEW, SOCKOPT_NUMBER, SOCKOPT_BOTH(SOL_SOCKET, SO_BROADCAST), false,
		STATUS_MISSING },
	{ "tos", SOCKOPT_NEW, SOCKOPT_TOS, { IPPROTO_IP, IP_TOS }, { IPPROTO_IPV6, IPV6_TCLASS },
		false, STATUS_MISSING },
	{ "ttl", SOCKOPT_NEW, SOCKOPT_NUMBER, { IPPROTO_IP, IP_TTL },
		{ IPPROTO_IPV6, IPV6_UNICAST_HOPS }, false, STATUS_MISSING },
	{ "ttl", SOCKOPT_NEW, SOCKOPT_NUMBER, { IPPROTO_IP, IP_MULTICAST_TTL },
		{ IPPROTO_IPV6, IPV6_MULTICAST_HOPS }, true, STATUS_MISSING },
	{ "min-ttl", SOCKOPT_NEW, SOCKOPT_NUMBER, { IPPROTO_IP, IP_MINTTL },
		{ IPPROTO_IPV6, IPV6_MINHOPCOUNT }, false, STATUS_MISSING },
	{ "rcvbuf", SOCKOPT_NEW | SOCKOPT_CONNECTED, SOCKOPT_NUMBER,
		SOCKOPT_BOTH(SOL_SOCKET, SO_RCVBUF), false, STATUS_MISSING },
	{ "sndbuf", SOCKOPT_NEW | SOCKOPT_CONNECTED, SOCKOPT_NUMBER,
		SOCKOPT_BOTH(SOL_SOCKET, SO_SNDBUF), false, STATUS_MISSING },
	{ "keepalive", SOCKOPT_CONNECTED, SOCKOPT_NUMBER, SOCKOPT_BOTH(SOL_SOCKET, SO_KEEPALIVE),
		false, STATUS_MISSING },
	{ "keepalive-idle", SOCKOPT_CONNECTED, SOCKOPT_SECONDS,
		SOCKOPT_BOTH(IPPROTO_TCP, TCP_KEEPIDLE), false, STATUS_MISSING },
	{ "keepalive-interval", SOCKOPT_CONNECTED, SOCKOPT_SECONDS,
		SOCKOPT_BOTH(IPPROTO_TCP, TCP_KEEPINTVL), false, STATUS_MISSING },
	{ "keepalive-count", SOCKOPT_CONNECTED, SOCKOPT_NUMBER,
		SOCKOPT_BOTH(IPPROTO_TCP, TCP_KEEPCNT), false, STATUS_MISSING },
	{ "nodelay", SOCKOPT_CONNECTED, SOCKOPT_SWITCH, SOCKOPT_BOTH(IPPROTO_TCP, TCP_NODELAY),
		false, STATUS_MISSING },
	{ "user-timeout", SOCKOPT_NEW, SOCKOPT_MILLISECONDS,
		SOCKOPT_BOTH(IPPROTO_TCP, TCP_USER_TIMEOUT), false, STATUS_MISSING },
	{ "congestion", SOCKOPT_NEW, SOCKOPT_TEXT, SOCKOPT_BOTH(IPPROTO_TCP, TCP_CONGESTION), false,
		STATUS_MISSING },
	{ "fastopen", SOCKOPT_DIALLING, SOCKOPT_NUMBER,
		SOCKOPT_BOTH(IPPROTO_TCP, TCP_FASTOPEN_CONNECT), false, STATUS_MISSING },
	{ "fastopen", SOCKOPT_LISTENING, SOCKOPT_NUMBER, SOCKOPT_BOTH(IPPROTO_TCP, TCP_FASTOPEN),
		false, STATUS_MISSING },
	{ "mark", SOCKOPT_NEW, SOCKOPT_NUMBER, SOCKOPT_BOTH(SOL_SOCKET, SO_MARK), false,
		STATUS_MISSING },
	{ "v6only", SOCKOPT_LISTENING, SOCKOPT_SWITCH, SOCKOPT_NOT_FOR,
		{ IPPROTO_IPV6, IPV6_V6ONLY }, false, STATUS_MISSING },
	{ "reuse-port", SOCKOPT_NEW, SOCKOPT_NUMBER, SOCKOPT_BOTH(SOL_SOCKET, SO_REUSEPORT), false,
		STATUS_MISSING },
	{ "join", SOCKOPT_NEW, SOCKOPT_GROUP, { IPPROTO_IP, 0 }, { IPPROTO_IPV6, 0 }, true,
		STATUS_BIND },
	{ "mtu-discovery", SOCKOPT_NEW, SOCKOPT_DISCOVERY, { IPPROTO_IP, IP_MTU_DISCOVER },
		{ IPPROTO_IPV6, IPV6_MTU_DISCOVER }, false, STATUS_MISSING },
	{ "sockopt", SOCKOPT_NEW | SOCKOPT_CONNECTED, SOCKOPT_ANY, SOCKOPT_BOTH(0, 0), false,
		STATUS_MISSING },
};

#define SOCKOPT_ROWS (sizeof sockopt_rows / sizeof sockopt_rows[0])

/* A multicast group, as RFC 3678 wants it; source.ss_family 0: from anybody. */
struct sockopt_group {
	unsigned interface; /* 0: the system's choice */
	struct sockaddr_storage group, source;
};

static bool
sockopt_parse_address(const char *text, size_t length, struct sockaddr_storage *address)
{
	char bare[INET6_ADDRSTRLEN];
	struct sockaddr_in *inet = (struct sockaddr_in *)address;
	struct sockaddr_in6 *inet6 = (struct sockaddr_in6 *)address;
	memset(address, 0, sizeof *address);
	if (length >= sizeof bare)
		return false;
	memcpy(bare, text, length);
	bare[length] = '\0';
	if (inet_pton(AF_INET, bare, &inet->sin_addr) == 1)
		address->ss_family = AF_INET;
	else if (inet_pton(AF_INET6, bare, &inet6->sin6_addr) == 1)
		address->ss_family = AF_INET6;
	return address->ss_family != 0;
}

static bool
sockopt_is_multicast(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return IN_MULTICAST(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
	return IN6_IS_ADDR_MULTICAST(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* "[SOURCE@]GROUP[%INTERFACE]" */
static bool
sockopt_parse_group(const char *text, struct sockopt_group *parsed, struct fault *fault)
{
	const char *at = strchr(text, '@');
	const char *group = at != NULL ? at + 1 : text;
	const char *percent = strchr(group, '%');
	uint64_t number = 0;
	size_t length = percent != NULL ? (size_t)(percent - group) : strlen(group);

	memset(parsed, 0, sizeof *parsed);
	if (!sockopt_parse_address(group, length, &parsed->group) ||
		!sockopt_is_multicast(&parsed->group))
		return fault_set(fault, STATUS_VALUE, 0,
			"option --join '%s': '%.*s' is not a multicast address", text, (int)length,
			group);
	if (at != NULL &&
		(!sockopt_parse_address(text, (size_t)(at - text), &parsed->source) ||
			parsed->source.ss_family != parsed->group.ss_family))
		return fault_set(fault, STATUS_VALUE, 0,
			"option --join '%s': what stands before the '@' is not an address of the "
			"same family",
			text);
	if (percent == NULL)
		return true;
	if (parse_count(percent + 1, UINT32_MAX, &number) == PARSE_OK)
		parsed->interface = (unsigned)number;
	else
		parsed->interface = if_nametoindex(percent + 1);
	return parsed->interface != 0 ||
		fault_set(fault, STATUS_BIND, 0, "option --join '%s': there is no such interface",
			text);
}

static bool
sockopt_set_group(int fd, int level, const struct sockopt_group *group)
{
#ifdef MCAST_JOIN_SOURCE_GROUP
	struct group_req any = { .gr_interface = group->interface, .gr_group = group->group };
	struct group_source_req one = {
		.gsr_interface = group->interface,
		.gsr_group = group->group,
		.gsr_source = group->source,
	};
	/* Only what this socket has asked for, not what others on this machine have. */
	int off = 0;
#ifdef IP_MULTICAST_ALL
	if (level == IPPROTO_IP)
		(void)setsockopt(fd, level, IP_MULTICAST_ALL, &off, sizeof off);
#endif
#ifdef IPV6_MULTICAST_ALL
	if (level == IPPROTO_IPV6)
		(void)setsockopt(fd, level, IPV6_MULTICAST_ALL, &off, sizeof off);
#endif
	(void)off;
	return group->source.ss_family != 0
		? setsockopt(fd, level, MCAST_JOIN_SOURCE_GROUP, &one, sizeof one) == 0
		: setsockopt(fd, level, MCAST_JOIN_GROUP, &any, sizeof any) == 0;
#else
	(void)fd;
	(void)level;
	(void)group;
	errno = EOPNOTSUPP;
	return false;
#endif
}

static bool
sockopt_parse_tos(const char *text, int *value, struct fault *fault)
{
	static const struct {
		const char *name;
		int value;
	} names[] = {
#define TOS(name, value) { name, value },
#include "net/tos.def"
#undef TOS
	};
	uint64_t number;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(names[i].name, text) == 0) {
			*value = names[i].value;
			return true;
		}
	}
	if (parse_number(text, 255, &number) != PARSE_OK)
		return fault_set(fault, STATUS_VALUE, 0,
			"option --tos '%s': it has to be a number from 0 to 255 (or 0x0 to 0xff), "
			"or a "
			"name such as ef, af11, cs1 or lowdelay",
			text);
	*value = (int)number;
	return true;
}

/* What the row's option is set to. */
static bool
sockopt_convert(
	const struct sockopt_row *row, struct sockopt *option, int64_t value, struct fault *fault)
{
#ifdef IP_PMTUDISC_DO
	static const int discovery[] = { IP_PMTUDISC_DO, IP_PMTUDISC_DONT, IP_PMTUDISC_WANT,
		IP_PMTUDISC_PROBE };
#else
	static const int discovery[] = { 0, 0, 0, 0 };
#endif
	struct sockopt_group group;
	struct optname any;
	switch (row->type) {
	case SOCKOPT_NUMBER:
		/* A number above INT32_MAX is 32 bits (a mark). */
		option->number = (int)(uint32_t)value;
		return true;
	case SOCKOPT_SECONDS:
		/* No less than was asked for. */
		option->number = (int)((value + CLOCK_SECOND - 1) / CLOCK_SECOND);
		return true;
	case SOCKOPT_MILLISECONDS:
		option->number = (int)(value / CLOCK_MILLISECOND);
		return true;
	case SOCKOPT_SWITCH:
		option->number = value == 0;
		return true;
	case SOCKOPT_DISCOVERY:
		option->number = discovery[value];
		return true;
	case SOCKOPT_TOS:
		return sockopt_parse_tos(option->text, &option->number, fault);
	case SOCKOPT_TEXT:
		/* The kernel would cut it, and take another interface. */
		return row->refused != STATUS_BIND || strlen(option->text) < IF_NAMESIZE ||
			fault_set(fault, STATUS_BIND, 0,
				"option --%s '%s': there is no such interface", row->name,
				option->text);
	case SOCKOPT_GROUP:
		return sockopt_parse_group(option->text, &group, fault);
	case SOCKOPT_ANY:
		return optname_parse(&any, option->text, fault);
	}
	return false;
}

static const struct sockopt_row *
sockopt_find(const char *name)
{
	for (size_t i = 0; i < SOCKOPT_ROWS; i++)
		if (strcmp(sockopt_rows[i].name, name) == 0)
			return &sockopt_rows[i];
	return NULL;
}

bool
sockopt_is_one(const char *name)
{
	return sockopt_find(name) != NULL;
}

bool
sockopt_add(struct sockopts *options, const char *name, const char *text, int64_t value,
	struct fault *fault)
{
	const struct sockopt_row *row = sockopt_find(name);
	struct sockopt option = { .name = name, .text = text };
	if (!sockopt_convert(row, &option, value, fault))
		return false;
	if (row->inet6.option == OPTNAME_MISSING)
		return fault_set(fault, STATUS_MISSING, 0,
			"option --%s: this system does not have it", name);
	struct sockopt *longer =
		realloc(options->list, (options->count + 1) * sizeof *options->list);
	if (longer == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "option --%s", name);
	options->list = longer;
	options->list[options->count++] = option;
	return true;
}

/* The socket that options are set on, and when. */
struct sockopt_target {
	int fd, family, type;
	enum sockopt_when when;
	bool all; /* one that is not for this family is a fault */
};

/* Says what was set, and what the kernel made of it, which may be something else. The second time,
 * on the connection, is no news. */
static void
sockopt_report(const struct sockopt_target *target, const struct sockopt_row *row,
	const struct sockopt *option, const struct sockopt_place *place, bool number)
{
	int now = 0;
	socklen_t size = sizeof now;
	const char *text = option->text != NULL ? option->text : "";
	bool again = target->when == SOCKOPT_CONNECTED && (row->when & SOCKOPT_NEW) != 0;
	unsigned level = again ? LOG_DEBUG : LOG_VERBOSE;
	log_writer write = target->when == SOCKOPT_CONNECTED ? log_event : log_line;
	if (number && getsockopt(target->fd, place->level, place->option, &now, &size) == 0 &&
		size == sizeof now && now != option->number)
		write(level, "set --%s %s (it is %d now)", option->name, text, now);
	else
		write(level, "set --%s%s%s", option->name, text[0] != '\0' ? " " : "", text);
}

/* Sets one; *fits: it is for sockets of this family. False with errno, or with a fault. */
static bool
sockopt_set(const struct sockopt_target *target, const struct sockopt_row *row,
	const struct sockopt *option, bool *fits, struct fault *fault)
{
	const struct sockopt_place *place = target->family == AF_INET6 ? &row->inet6 : &row->other;
	bool number = row->type != SOCKOPT_TEXT && row->type != SOCKOPT_GROUP;
	struct sockopt_place named;
	struct sockopt_group group;
	struct optname any;
	const void *value = &option->number;
	socklen_t size = sizeof option->number;

	*fits = place->level != -1;
	if (row->type == SOCKOPT_TEXT) {
		value = option->text;
		size = (socklen_t)strlen(option->text) + 1;
	} else if (row->type == SOCKOPT_GROUP) {
		if (!sockopt_parse_group(option->text, &group, fault))
			return false;
		*fits = group.group.ss_family == target->family;
	} else if (row->type == SOCKOPT_ANY) {
		if (!optname_parse(&any, option->text, fault))
			return false;
		named = (struct sockopt_place){ any.level, any.option };
		place = &named;
		number = false;
		value = any.text != NULL ? (const void *)any.text : &any.number;
		size = any.text != NULL ? (socklen_t)strlen(any.text)
					: (socklen_t)sizeof any.number;
		*fits = (any.level != IPPROTO_IP || target->family == AF_INET) &&
			(any.level != IPPROTO_IPV6 || target->family == AF_INET6);
	}
	if (!*fits)
		return true;
	if (row->type == SOCKOPT_GROUP
			? !sockopt_set_group(target->fd, place->level, &group)
			: setsockopt(target->fd, place->level, place->option, value, size) == -1)
		return false;
	/* An IPv6 socket speaks IPv4, too, with mapped addresses. */
	if (target->family == AF_INET6 && row->other.level == IPPROTO_IP &&
		row->type != SOCKOPT_GROUP)
		(void)setsockopt(target->fd, IPPROTO_IP, row->other.option, value, size);
	sockopt_report(target, row, option, place, number);
	return true;
}

/* One option, by all of its rows. */
static bool
sockopt_apply_one(
	const struct sockopt_target *target, const struct sockopt *option, struct fault *fault)
{
	for (size_t i = 0; i < SOCKOPT_ROWS; i++) {
		const struct sockopt_row *row = &sockopt_rows[i];
		const char *text = option->text != NULL ? option->text : "";
		bool fits;
		if (strcmp(row->name, option->name) != 0 || (row->when & target->when) == 0 ||
			(row->datagrams && target->type != SOCK_DGRAM))
			continue;
		bool set = sockopt_set(target, row, option, &fits, fault);
		/* The second time it is only to have the last word. */
		if (!set && row->type == SOCKOPT_ANY && target->when == SOCKOPT_CONNECTED)
			continue;
		if (!set)
			return fault_set(fault, row->refused, errno, "set --%s%s%s", option->name,
				text[0] != '\0' ? " " : "", text);
		if (!fits && target->all)
			return fault_set(fault, row->refused, 0,
				"set --%s %s: it is not for a socket of this family", option->name,
				text);
	}
	return true;
}

bool
sockopt_apply(const struct sockopts *options, int fd, enum sockopt_when when, bool all,
	struct fault *fault)
{
	struct sockopt_target target = { .fd = fd, .when = when, .all = all };
	struct sockaddr_storage own = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof own;
	if (options->count == 0)
		return true;
	(void)getsockname(fd, (struct sockaddr *)&own, &size);
	target.family = own.ss_family;
	size = sizeof target.type;
	(void)getsockopt(fd, SOL_SOCKET, SO_TYPE, &target.type, &size);
	for (size_t i = 0; i < options->count; i++)
		if (!sockopt_apply_one(&target, &options->list[i], fault))
			return false;
	return true;
}

void
sockopt_close(struct sockopts *options)
{
	free(options->list);
	*options = (struct sockopts){ .list = NULL };
}
