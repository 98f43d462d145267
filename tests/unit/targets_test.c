/* What to probe: which texts are targets, with how many probes, and the addresses of networks. */
#include <string.h>
#include <stdlib.h>

#include "check.h"
#include "net/targets.h"

/* The status, and if that is 0 the transport, the host as printed, and the number of probes. */
static const struct {
	const char *text;
	enum status status;
	const char *transport, *host;
	uint64_t probes;
} targets_test_rows[] = {
	{ "a:22", STATUS_OK, "tcp", "a", 1 },
	{ "a:22,443,8000-8100", STATUS_OK, "tcp", "a", 103 },
	{ "127.0.0.1:http", STATUS_OK, "tcp", "127.0.0.1", 1 },
	{ "[::1]:1-65535", STATUS_OK, "tcp", "::1", 65535 },
	{ "tcp://a:1", STATUS_OK, "tcp", "a", 1 },
	{ "udp://a:53", STATUS_OK, "udp", "a", 1 },
	{ "unix:/run/x.sock", STATUS_OK, "unix", "/run/x.sock", 1 },
	{ "unix:@x", STATUS_OK, "unix", "@x", 1 },
	{ "10.0.0.0/28:22", STATUS_OK, "tcp", "10.0.0.0", 16 },
	{ "10.0.0.0/28:22,80-81", STATUS_OK, "tcp", "10.0.0.0", 48 },
	{ "10.0.0.7/32:22", STATUS_OK, "tcp", "10.0.0.7", 1 },
	{ "10.0.0.0/8:22", STATUS_OK, "tcp", "10.0.0.0", 1 << 24 },
	{ "[2001:db8::/120]:22", STATUS_OK, "tcp", "2001:db8::", 256 },
	{ "udp://10.0.0.0/30:53", STATUS_OK, "udp", "10.0.0.0", 4 },
	{ "10.0.0.0/7:22", STATUS_VALUE, NULL, NULL, 0 },
	{ "0.0.0.0/0:22", STATUS_VALUE, NULL, NULL, 0 },
	{ "[2001:db8::/64]:22", STATUS_VALUE, NULL, NULL, 0 },
	{ "[::/0]:22", STATUS_VALUE, NULL, NULL, 0 },
	{ "[fe80::%lo/120]:22", STATUS_VALUE, NULL, NULL, 0 },
	{ "10.0.0.1/28:22", STATUS_VALUE, NULL, NULL, 0 },
	{ "10.0.0.0/33:22", STATUS_VALUE, NULL, NULL, 0 },
	{ "10.0.0.0/:22", STATUS_VALUE, NULL, NULL, 0 },
	{ "a/28:22", STATUS_VALUE, NULL, NULL, 0 },
	{ "a:", STATUS_VALUE, NULL, NULL, 0 },
	{ "a", STATUS_VALUE, NULL, NULL, 0 },
	{ "22", STATUS_VALUE, NULL, NULL, 0 },
	{ ":22", STATUS_VALUE, NULL, NULL, 0 },
	{ "a:90-80", STATUS_VALUE, NULL, NULL, 0 },
	{ "a:22,,80", STATUS_VALUE, NULL, NULL, 0 },
	{ "a:0", STATUS_VALUE, NULL, NULL, 0 },
	{ "::1:22", STATUS_VALUE, NULL, NULL, 0 },
	{ "unix:", STATUS_VALUE, NULL, NULL, 0 },
	{ "fd://3", STATUS_VALUE, NULL, NULL, 0 },
	{ "http://a:80", STATUS_VALUE, NULL, NULL, 0 },
};

static struct targets_rules
targets_test_rules(void)
{
	return (struct targets_rules){ transport_find(TRANSPORT_INET, false, false, -1), AF_UNSPEC,
		NULL, false };
}

static void
targets_test_rows_all(void)
{
	const struct targets_rules rules = targets_test_rules();
	for (size_t i = 0; i < sizeof targets_test_rows / sizeof targets_test_rows[0]; i++) {
		struct targets targets = { .list = NULL };
		struct fault fault = FAULT_NONE;
		char text[64];
		(void)snprintf(text, sizeof text, "%s", targets_test_rows[i].text);
		bool good = targets_add(&targets, text, &rules, &fault);
		if (fault.status != targets_test_rows[i].status)
			(void)fprintf(stderr, "target '%s'\n", targets_test_rows[i].text);
		CHECK(fault.status == targets_test_rows[i].status);
		CHECK(good == (fault.status == STATUS_OK));
		if (good) {
			const struct target *target = &targets.list[0];
			CHECK(strcmp(target->transport->name, targets_test_rows[i].transport) == 0);
			CHECK(strcmp(target->endpoint.host, targets_test_rows[i].host) == 0);
			CHECK(targets_probes(target) == targets_test_rows[i].probes);
			CHECK(targets_check(&targets, &fault));
		}
		fault_clear(&fault);
		targets_close(&targets);
	}
}

/* Address i of a network, as printed. */
static bool
targets_test_is(const char *network, uint64_t i, const char *expected)
{
	const struct targets_rules rules = targets_test_rules();
	struct targets targets = { .list = NULL };
	struct fault fault = FAULT_NONE;
	char text[64];
	(void)snprintf(text, sizeof text, "%s", network);
	bool good = targets_add(&targets, text, &rules, &fault);
	struct address address = targets_address(&targets.list[0], i);
	char *shown = address_print(&address);
	good = good && shown != NULL && strcmp(shown, expected) == 0;
	free(shown);
	fault_clear(&fault);
	targets_close(&targets);
	return good;
}

int
main(void)
{
	targets_test_rows_all();
	CHECK(targets_test_is("10.0.0.0/28:22", 0, "10.0.0.0"));
	CHECK(targets_test_is("10.0.0.0/28:22", 15, "10.0.0.15"));
	CHECK(targets_test_is("10.0.0.0/8:22", 0x123456, "10.18.52.86"));
	CHECK(targets_test_is("10.255.255.240/28:22", 15, "10.255.255.255"));
	CHECK(targets_test_is("[2001:db8::/104]:22", 0x10203, "2001:db8::1:203"));

	/* All networks together are limited, too. */
	const struct targets_rules rules = targets_test_rules();
	struct targets targets = { .list = NULL };
	struct fault fault = FAULT_NONE;
	char large[] = "10.0.0.0/8:1-256", one[] = "a:1";
	CHECK(targets_add(&targets, large, &rules, &fault) && targets_check(&targets, &fault));
	CHECK(targets_add(&targets, one, &rules, &fault) && !targets_check(&targets, &fault));
	CHECK(fault.status == STATUS_VALUE);
	fault_clear(&fault);
	targets_close(&targets);

	/* An endpoint in one word is no host. */
	CHECK(targets_is_word("a:22") && targets_is_word("[::1]:22") && targets_is_word("unix:/x"));
	CHECK(targets_is_word("tcp://a:22") && targets_is_word("10.0.0.0/28:22"));
	CHECK(!targets_is_word("a") && !targets_is_word("::1") && !targets_is_word("[::1]"));
	CHECK(!targets_is_word("fe80::1%eth0") && !targets_is_word("10.0.0.0/28"));
	return check_verdict("targets");
}
