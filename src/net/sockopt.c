/* Socket options; see sockopt.h. */
#include "net/sockopt.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/parse.h"
#include "net/multicast.h"
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

/* A level and an OPTNAME_TEXT; level -1: no option for this family. */
struct sockopt_name {
	int level;
	const char *option;
};

#define SOCKOPT_NEW (SOCKOPT_DIALLING | SOCKOPT_LISTENING)

/* Flags: the option is for datagram sockets only; its value is an address or an interface. */
enum { SOCKOPT_DATAGRAMS = 1, SOCKOPT_BINDS = 2 };

struct sockopt_row {
	const char *name;
	unsigned when;
	enum sockopt_type type;
	struct sockopt_name other, inet6; /* `inet6` for IPv6 sockets, `other` for all others */
	unsigned flags;
};

/* The same option for all families, or one of each protocol. */
#define SOCKOPT_AT(level, option) \
	{ \
		level, OPTNAME_TEXT(option) \
	}
#define SOCKOPT_SOCKET(option) SOCKOPT_AT(SOL_SOCKET, option), SOCKOPT_AT(SOL_SOCKET, option)
#define SOCKOPT_TCP(option) SOCKOPT_AT(IPPROTO_TCP, option), SOCKOPT_AT(IPPROTO_TCP, option)
#define SOCKOPT_INET(ipv4, ipv6) SOCKOPT_AT(IPPROTO_IP, ipv4), SOCKOPT_AT(IPPROTO_IPV6, ipv6)

static const struct sockopt_row sockopt_rows[] = {
	{ "interface", SOCKOPT_NEW, SOCKOPT_TEXT, SOCKOPT_SOCKET(SO_BINDTODEVICE), SOCKOPT_BINDS },
	{ "broadcast", SOCKOPT_NEW, SOCKOPT_NUMBER, SOCKOPT_SOCKET(SO_BROADCAST), 0 },
	{ "tos", SOCKOPT_NEW, SOCKOPT_TOS, SOCKOPT_INET(IP_TOS, IPV6_TCLASS), 0 },
	{ "ttl", SOCKOPT_NEW, SOCKOPT_NUMBER, SOCKOPT_INET(IP_TTL, IPV6_UNICAST_HOPS), 0 },
	{ "ttl", SOCKOPT_NEW, SOCKOPT_NUMBER, SOCKOPT_INET(IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS),
		SOCKOPT_DATAGRAMS },
	{ "min-ttl", SOCKOPT_NEW, SOCKOPT_NUMBER, SOCKOPT_INET(IP_MINTTL, IPV6_MINHOPCOUNT), 0 },
	{ "rcvbuf", SOCKOPT_NEW | SOCKOPT_CONNECTED, SOCKOPT_NUMBER, SOCKOPT_SOCKET(SO_RCVBUF), 0 },
	{ "sndbuf", SOCKOPT_NEW | SOCKOPT_CONNECTED, SOCKOPT_NUMBER, SOCKOPT_SOCKET(SO_SNDBUF), 0 },
	{ "keepalive", SOCKOPT_CONNECTED, SOCKOPT_NUMBER, SOCKOPT_SOCKET(SO_KEEPALIVE), 0 },
	{ "keepalive-idle", SOCKOPT_CONNECTED, SOCKOPT_SECONDS, SOCKOPT_TCP(TCP_KEEPIDLE), 0 },
	{ "keepalive-interval", SOCKOPT_CONNECTED, SOCKOPT_SECONDS, SOCKOPT_TCP(TCP_KEEPINTVL), 0 },
	{ "keepalive-count", SOCKOPT_CONNECTED, SOCKOPT_NUMBER, SOCKOPT_TCP(TCP_KEEPCNT), 0 },
	{ "nodelay", SOCKOPT_CONNECTED, SOCKOPT_SWITCH, SOCKOPT_TCP(TCP_NODELAY), 0 },
	{ "user-timeout", SOCKOPT_NEW, SOCKOPT_MILLISECONDS, SOCKOPT_TCP(TCP_USER_TIMEOUT), 0 },
	{ "congestion", SOCKOPT_NEW, SOCKOPT_TEXT, SOCKOPT_TCP(TCP_CONGESTION), 0 },
	{ "fastopen", SOCKOPT_DIALLING, SOCKOPT_NUMBER, SOCKOPT_TCP(TCP_FASTOPEN_CONNECT), 0 },
	{ "fastopen", SOCKOPT_LISTENING, SOCKOPT_NUMBER, SOCKOPT_TCP(TCP_FASTOPEN), 0 },
	{ "mark", SOCKOPT_NEW, SOCKOPT_NUMBER, SOCKOPT_SOCKET(SO_MARK), 0 },
	{ "v6only", SOCKOPT_LISTENING, SOCKOPT_SWITCH, SOCKOPT_AT(-1, 0),
		SOCKOPT_AT(IPPROTO_IPV6, IPV6_V6ONLY), 0 },
	{ "reuse-port", SOCKOPT_NEW, SOCKOPT_NUMBER, SOCKOPT_SOCKET(SO_REUSEPORT), 0 },
	{ "join", SOCKOPT_NEW, SOCKOPT_GROUP, SOCKOPT_INET(0, 0),
		SOCKOPT_BINDS | SOCKOPT_DATAGRAMS },
	{ "mtu-discovery", SOCKOPT_NEW, SOCKOPT_DISCOVERY,
		SOCKOPT_INET(IP_MTU_DISCOVER, IPV6_MTU_DISCOVER), 0 },
	{ "sockopt", SOCKOPT_NEW | SOCKOPT_CONNECTED, SOCKOPT_ANY, SOCKOPT_AT(0, 0),
		SOCKOPT_AT(0, 0), 0 },
};

#define SOCKOPT_ROWS (sizeof sockopt_rows / sizeof sockopt_rows[0])

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
			"invalid --tos '%s': expected a number from 0 to 255 (or 0x0 to 0xff), "
			"or a name such as ef, af11, cs1 or lowdelay",
			text);
	*value = (int)number;
	return true;
}

/* Converts the value from the command line. */
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
	struct multicast group;
	struct optname any;
	switch (row->type) {
	case SOCKOPT_NUMBER:
		/* A mark has 32 bits. */
		option->number = (int)(uint32_t)value;
		return true;
	case SOCKOPT_SECONDS:
		/* Round up. */
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
		/* The kernel would truncate the name to that of another interface. */
		return (row->flags & SOCKOPT_BINDS) == 0 || strlen(option->text) < IF_NAMESIZE ||
			fault_set(fault, STATUS_BIND, 0, "invalid --%s '%s': no such interface",
				row->name, option->text);
	case SOCKOPT_GROUP:
		return multicast_parse(&group, option->text, fault);
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
sockopt_exists(const char *name)
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
	if (optname_value(row->inet6.option) == OPTNAME_MISSING)
		return fault_set(fault, STATUS_MISSING, 0,
			"option --%s is not supported by this system", name);
	struct sockopt *longer =
		realloc(options->list, (options->count + 1) * sizeof *options->list);
	if (longer == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "option --%s", name);
	options->list = longer;
	options->list[options->count++] = option;
	return true;
}

struct sockopt_target {
	int fd, family, type;
	enum sockopt_when when;
	bool all; /* an option that does not apply to this family is a fault */
};

/* Reports the option and, if the kernel chose another value, that one. With -vv only when it was
 * set on the socket before. */
static void
sockopt_report(const struct sockopt_target *target, const struct sockopt_row *row,
	const struct sockopt *option, int level, int name, bool number)
{
	int now = 0;
	socklen_t size = sizeof now;
	bool again = target->when == SOCKOPT_CONNECTED && (row->when & SOCKOPT_NEW) != 0;
	char actual[24];
	struct event event = {
		.kind = again ? EVENT_option_set_again : EVENT_option_set,
		.object = option->name,
		.detail = option->text != NULL && option->text[0] != '\0' ? option->text : NULL,
	};
	if (number && getsockopt(target->fd, level, name, &now, &size) == 0 && size == sizeof now &&
		now != option->number) {
		(void)snprintf(actual, sizeof actual, "%d", now);
		event.cause = actual;
	}
	event_emit(&event);
}

/* Sets an option; *fits: it applies to the socket's family. False with errno, or with a fault. */
static bool
sockopt_set(const struct sockopt_target *target, const struct sockopt_row *row,
	const struct sockopt *option, bool *fits, struct fault *fault)
{
	const struct sockopt_name *place = target->family == AF_INET6 ? &row->inet6 : &row->other;
	int level = place->level, name = optname_value(place->option);
	bool number = row->type != SOCKOPT_TEXT && row->type != SOCKOPT_GROUP;
	struct multicast group;
	struct optname any;
	const void *value = &option->number;
	socklen_t size = sizeof option->number;

	*fits = level != -1;
	if (row->type == SOCKOPT_TEXT) {
		value = option->text;
		size = (socklen_t)strlen(option->text) + 1;
	} else if (row->type == SOCKOPT_GROUP) {
		if (!multicast_parse(&group, option->text, fault))
			return false;
		*fits = group.group.any.sa_family == target->family;
	} else if (row->type == SOCKOPT_ANY) {
		if (!optname_parse(&any, option->text, fault))
			return false;
		level = any.level;
		name = any.option;
		number = false;
		value = any.text != NULL ? (const void *)any.text : &any.number;
		size = any.text != NULL ? (socklen_t)strlen(any.text)
					: (socklen_t)sizeof any.number;
		*fits = (any.level != IPPROTO_IP || target->family == AF_INET) &&
			(any.level != IPPROTO_IPV6 || target->family == AF_INET6);
	}
	if (!*fits)
		return true;
	if (row->type == SOCKOPT_GROUP ? !multicast_join(&group, target->fd, level)
				       : setsockopt(target->fd, level, name, value, size) == -1)
		return false;
	/* For IPv4-mapped addresses. */
	if (target->family == AF_INET6 && row->other.level == IPPROTO_IP &&
		row->type != SOCKOPT_GROUP)
		(void)setsockopt(
			target->fd, IPPROTO_IP, optname_value(row->other.option), value, size);
	sockopt_report(target, row, option, level, name, number);
	return true;
}

/* Sets an option by each of its rows. */
static bool
sockopt_apply_one(
	const struct sockopt_target *target, const struct sockopt *option, struct fault *fault)
{
	for (size_t i = 0; i < SOCKOPT_ROWS; i++) {
		const struct sockopt_row *row = &sockopt_rows[i];
		const char *text = option->text != NULL ? option->text : "";
		bool fits;
		if (strcmp(row->name, option->name) != 0 || (row->when & target->when) == 0 ||
			((row->flags & SOCKOPT_DATAGRAMS) != 0 && target->type != SOCK_DGRAM))
			continue;
		bool set = sockopt_set(target, row, option, &fits, fault);
		/* It was set on the unconnected socket; some options are rejected after that. */
		if (!set && row->type == SOCKOPT_ANY && target->when == SOCKOPT_CONNECTED)
			continue;
		enum status status =
			(row->flags & SOCKOPT_BINDS) != 0 ? STATUS_BIND : STATUS_MISSING;
		if (!set)
			return fault_set(fault, status, errno, "set --%s%s%s", option->name,
				text[0] != '\0' ? " " : "", text);
		if (!fits && target->all)
			return fault_set(fault, status, 0,
				"set --%s %s: not for a socket of this family", option->name, text);
	}
	return true;
}

bool
sockopt_apply(const struct sockopts *options, int fd, enum sockopt_when when, bool all,
	struct fault *fault)
{
	struct sockopt_target target = { .fd = fd, .when = when, .all = all };
	struct address own;
	socklen_t size = sizeof target.type;
	if (options->count == 0)
		return true;
	(void)address_of_socket(&own, fd);
	target.family = own.any.sa_family;
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
