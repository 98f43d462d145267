/* Socket options: which values are accepted, before any socket exists. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "check.h"
#include "net/optname.h"
#include "net/sockopt.h"

static const struct {
	const char *name, *text;
	enum status status;
	int number;
} sockopt_test_rows[] = {
	{ "tos", "ef", STATUS_OK, 0xb8 },
	{ "tos", "af11", STATUS_OK, 0x28 },
	{ "tos", "lowdelay", STATUS_OK, 0x10 },
	{ "tos", "0xb8", STATUS_OK, 0xb8 },
	{ "tos", "255", STATUS_OK, 255 },
	{ "tos", "256", STATUS_VALUE, 0 },
	{ "tos", "-1", STATUS_VALUE, 0 },
	{ "tos", "EF", STATUS_VALUE, 0 },
	{ "tos", "", STATUS_VALUE, 0 },
	{ "interface", "abcdefghijklmno", STATUS_OK, 0 },
	{ "interface", "abcdefghijklmnop", STATUS_BIND, 0 },
	{ "interface", "lo", STATUS_OK, 0 },
	{ "join", "239.1.2.3", STATUS_OK, 0 },
	{ "join", "239.1.2.3%lo", STATUS_OK, 0 },
	{ "join", "10.0.0.1@232.1.2.3", STATUS_OK, 0 },
	{ "join", "ff02::1%lo", STATUS_OK, 0 },
	{ "join", "::1@ff35::1%1", STATUS_OK, 0 },
	{ "join", "10.0.0.1", STATUS_VALUE, 0 },
	{ "join", "::1", STATUS_VALUE, 0 },
	{ "join", "", STATUS_VALUE, 0 },
	{ "join", "@", STATUS_VALUE, 0 },
	{ "join", "@239.1.2.3", STATUS_VALUE, 0 },
	{ "join", "::1@239.1.2.3", STATUS_VALUE, 0 },
	{ "join", "239.1.2.3%", STATUS_BIND, 0 },
	{ "join", "239.1.2.3%no-such-interface", STATUS_BIND, 0 },
	{ "join", "239.1.2.3 ", STATUS_VALUE, 0 },
	{ "sockopt", "SOCKET:BROADCAST:1", STATUS_OK, 0 },
	{ "sockopt", "SOCKET:SO_BROADCAST:1", STATUS_OK, 0 },
	{ "sockopt", "TCP:NODELAY:0x1", STATUS_OK, 0 },
	{ "sockopt", "1:6:1", STATUS_OK, 0 },
	{ "sockopt", "SOCKET:BROADCAST:", STATUS_VALUE, 0 },
	{ "sockopt", "SOCKET:BROADCAST", STATUS_VALUE, 0 },
	{ "sockopt", "SOCKET", STATUS_VALUE, 0 },
	{ "sockopt", "", STATUS_VALUE, 0 },
	{ "sockopt", "::", STATUS_VALUE, 0 },
	{ "sockopt", "SOCKET:NODELAY:1", STATUS_VALUE, 0 },
	{ "sockopt", "FOO:NODELAY:1", STATUS_VALUE, 0 },
	{ "sockopt", "99999999999:1:1", STATUS_VALUE, 0 },
};

int
main(void)
{
	for (size_t i = 0; i < sizeof sockopt_test_rows / sizeof sockopt_test_rows[0]; i++) {
		struct sockopts options = { .list = NULL };
		struct fault fault = FAULT_NONE;
		bool good = sockopt_add(
			&options, sockopt_test_rows[i].name, sockopt_test_rows[i].text, 0, &fault);
		if (fault.status != sockopt_test_rows[i].status)
			(void)fprintf(stderr, "--%s '%s': %d\n", sockopt_test_rows[i].name,
				sockopt_test_rows[i].text, (int)fault.status);
		CHECK(fault.status == sockopt_test_rows[i].status);
		CHECK(good == (options.count == 1));
		if (good && sockopt_test_rows[i].number != 0)
			CHECK(options.list[0].number == sockopt_test_rows[i].number);
		fault_clear(&fault);
		sockopt_close(&options);
	}

	/* Each macro expands to a plain number, or is undefined. */
	static const struct {
		const char *name, *text;
	} names[] = {
#define OPTNAME(level, prefix, name) { #prefix #name, OPTNAME_TEXT(prefix##name) },
#include "net/optname.def"
#undef OPTNAME
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		CHECK(optname_value(names[i].text) >= 0 ||
			strcmp(names[i].text, names[i].name) == 0);

	struct optname parsed;
	struct fault fault = FAULT_NONE;
	CHECK(optname_parse(&parsed, "IP:TTL:-1", &fault));
	CHECK(parsed.level == IPPROTO_IP && parsed.option == IP_TTL && parsed.number == -1);
	CHECK(optname_parse(&parsed, "SOCKET:RCVBUF:4096", &fault));
	CHECK(parsed.level == SOL_SOCKET && parsed.option == SO_RCVBUF && parsed.number == 4096);
	CHECK(optname_parse(&parsed, "6:13:a:b", &fault));
	CHECK(parsed.level == 6 && parsed.option == 13 && strcmp(parsed.text, "a:b") == 0);
	CHECK(!sockopt_exists("listen") && sockopt_exists("ttl"));
	return check_verdict("sockopt");
}
