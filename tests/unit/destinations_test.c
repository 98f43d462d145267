/* Which addresses a proxy server connects to: what is special in every notation that an address can
 * have, and what entries say of it. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "net/destinations.h"
#include "net/resolve.h"

static const struct {
	const char *allow, *deny, *to;
	const char *words; /* NULL: not refused */
} destinations_cases[] = {
	{ NULL, NULL, "192.0.2.1:80", NULL },
	{ NULL, NULL, "10.0.0.1:80", NULL },
	{ NULL, NULL, "2001:db8::1", NULL },
	{ NULL, NULL, "127.0.0.1:80", "a loopback address" },
	{ NULL, NULL, "127.255.255.254:80", "a loopback address" },
	{ NULL, NULL, "::1", "a loopback address" },
	{ NULL, NULL, "::ffff:127.0.0.1", "a loopback address" },
	{ NULL, NULL, "::ffff:169.254.169.254", "a link-local address" },
	{ NULL, NULL, "::ffff:0.0.0.0", "an unspecified address" },
	{ NULL, NULL, "::127.0.0.1", "an unspecified address" },
	{ NULL, NULL, "64:ff9b::127.0.0.1", "a loopback address" },
	{ NULL, NULL, "64:ff9b::169.254.169.254", "a link-local address" },
	{ NULL, NULL, "64:ff9b::192.0.2.1", NULL },
	{ NULL, NULL, "64:ff9b:1::127.0.0.1", "a loopback address" },
	{ NULL, NULL, "64:ff9b:1:abcd::169.254.169.254", "a link-local address" },
	{ NULL, NULL, "64:ff9b:1:a9fe:a9:fe00::", "a link-local address" },
	{ NULL, NULL, "64:ff9b:1:a9fe:a9:fe00:0:1", "a link-local address" },
	{ NULL, NULL, "64:ff9b:1:007f:0:1::", "a loopback address" },
	{ NULL, NULL, "64:ff9b:1::7f:0:100:0", "a loopback address" },
	{ NULL, NULL, "64:ff9b:1::192.0.2.1", NULL },
	{ NULL, NULL, "64:ff9b:1:c000:2:0100::", NULL },
	{ NULL, NULL, "2002:7f00:1::1", "a loopback address" },
	{ NULL, NULL, "2002:a9fe:a9fe::1", "a link-local address" },
	{ NULL, NULL, "2002:0:1::1", "an unspecified address" },
	{ NULL, NULL, "2002:c000:201::1", NULL },
	{ NULL, NULL, "2001:0:7f00:1::1", "a loopback address" },
	{ NULL, NULL, "2001:0:c000:201:0:ffff:80ff:fffe", "a loopback address" },
	{ NULL, NULL, "2001:0:c000:201:0:ffff:5601:5601", "a link-local address" },
	{ NULL, NULL, "2001:0:c000:201:0:ffff:3fff:fdfe", NULL },
	{ NULL, NULL, "::ffff:0:127.0.0.1", "a loopback address" },
	{ NULL, NULL, "::ffff:0:192.0.2.1", NULL },
	{ NULL, NULL, "::", "an unspecified address" },
	{ NULL, NULL, "0.0.0.0:80", "an unspecified address" },
	{ NULL, NULL, "0.1.2.3:80", "an unspecified address" },
	{ NULL, NULL, "169.254.169.254:80", "a link-local address" },
	{ NULL, NULL, "febf::1", "a link-local address" },
	{ NULL, NULL, "224.0.0.1:80", "a multicast address" },
	{ NULL, NULL, "239.255.255.255:80", "a multicast address" },
	{ NULL, NULL, "255.255.255.255:80", "a broadcast address" },
	{ NULL, NULL, "ff02::1", "a multicast address" },
	/* Networks that have more than special addresses do not allow these. */
	{ "0.0.0.0/0", NULL, "127.0.0.1:80", "a loopback address" },
	{ "*", NULL, "127.0.0.1:80", "a loopback address" },
	{ "*", NULL, "::1", "a loopback address" },
	{ "*", NULL, "192.0.2.1:80", NULL },
	{ "*", NULL, "2001:db8::1", NULL },
	{ "::/0", NULL, "192.0.2.1:80", "not in --allow-dest" },
	{ "127.0.0.0/8", NULL, "127.0.0.1:80", NULL },
	{ "127.0.0.1", NULL, "127.0.0.1:80", NULL },
	{ "127.0.0.1", NULL, "::ffff:127.0.0.1", NULL },
	{ "127.0.0.1", NULL, "127.0.0.2:80", "a loopback address" },
	{ "127.0.0.1", NULL, "192.0.2.1:80", "not in --allow-dest" },
	{ "[::1]", NULL, "::1", NULL },
	{ "::1,10.0.0.0/8", NULL, "10.255.0.1:80", NULL },
	{ "169.254.169.254:80", NULL, "169.254.169.254:80", NULL },
	{ "169.254.169.254:80", NULL, "169.254.169.254:81", "a link-local address" },
	/* Ports. */
	{ "192.0.2.0/24:80", NULL, "192.0.2.1:80", NULL },
	{ "192.0.2.0/24:http", NULL, "192.0.2.1:80", NULL },
	{ "192.0.2.0/24:443", NULL, "192.0.2.1:80", "not in --allow-dest" },
	{ "192.0.2.0/24:79-81", NULL, "192.0.2.1:80", NULL },
	{ "192.0.2.0/24:81-90", NULL, "192.0.2.1:80", "not in --allow-dest" },
	{ "[2001:db8::/32]:80", NULL, "2001:db8::1", NULL },
	{ "[2001:db8::]/32:80", NULL, "2001:db8::1", NULL },
	{ "[2001:db8::1]:81", NULL, "2001:db8::1", "not in --allow-dest" },
	{ "*:80", NULL, "192.0.2.1:80", NULL },
	/* Deny wins. */
	{ "192.0.2.1", "192.0.2.0/24", "192.0.2.1:80", "denied by --deny-dest" },
	{ NULL, "192.0.2.0/24:443,*:25", "192.0.2.1:80", NULL },
	{ NULL, "192.0.2.0/24:443,*:80", "192.0.2.1:80", "denied by --deny-dest" },
	{ "127.0.0.1", "*:80", "127.0.0.1:80", "denied by --deny-dest" },
	{ NULL, "::/0", "2001:db8::1", "denied by --deny-dest" },
	{ NULL, "192.0.2.1", "::ffff:192.0.2.1", "denied by --deny-dest" },
	{ NULL, "192.0.2.0/24", "64:ff9b::192.0.2.1", "denied by --deny-dest" },
	{ NULL, "192.0.2.0/24:443", "64:ff9b::192.0.2.1", NULL },
	{ "64:ff9b::/96", "192.0.2.1", "64:ff9b::192.0.2.1", "denied by --deny-dest" },
	{ NULL, "64:ff9b::/96", "64:ff9b::192.0.2.1", "denied by --deny-dest" },
	{ "192.0.2.1", NULL, "64:ff9b::192.0.2.1", "not in --allow-dest" },
	{ NULL, "192.0.2.0/24", "64:ff9b:1::192.0.2.1", "denied by --deny-dest" },
	{ NULL, "192.0.2.0/24", "64:ff9b:1:c000:2:0100::", "denied by --deny-dest" },
	{ NULL, "192.0.2.0/24", "2002:c000:201::1", "denied by --deny-dest" },
	{ NULL, "192.0.2.0/24", "2001:0:cb00:7101:0:ffff:3fff:fdfe", "denied by --deny-dest" },
	{ NULL, "203.0.113.0/24", "2001:0:cb00:7101:0:ffff:3fff:fdfe", "denied by --deny-dest" },
	{ NULL, "192.0.2.0/24", "::ffff:0:192.0.2.1", "denied by --deny-dest" },
	{ "::/96", "192.0.2.0/24", "::192.0.2.1", "denied by --deny-dest" },
	/* What is inside is allowed by an entry without other addresses only. */
	{ "::/96", NULL, "::192.0.2.1", NULL },
	{ "::/96", NULL, "::127.0.0.1", "a loopback address" },
	{ "64:ff9b::/96,127.0.0.1", NULL, "64:ff9b::127.0.0.1", "a loopback address" },
	{ "64:ff9b::127.0.0.1", NULL, "64:ff9b::127.0.0.1", NULL },
	{ "2002:c000:201::/48", NULL, "2002:c000:201::1", NULL },
	/* The port of the proxy server. */
	{ "127.0.0.0/8", NULL, "127.0.0.1:9", "the port of this proxy server" },
	{ "127.0.0.0/8", NULL, "127.3.0.1:9", "the port of this proxy server" },
	{ NULL, NULL, "192.0.2.1:9", NULL },
};

static const char *const destinations_bad[] = { "", "a.test", "192.0.2.1/33", "192.0.2.1/24",
	"192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:", "192.0.2.1:9-8", "192.0.2.1:1-",
	"192.0.2.1:no-such", "192.0.2.1,", ",192.0.2.1", "2001:db8::1:x", "[::1", "*x" };

/* Names that another host resolves. */
static const struct {
	const char *deny, *name;
	const char *words;
} destinations_names[] = {
	{ NULL, "localhost", "a name of loopback addresses" },
	{ NULL, "LocalHost.", "a name of loopback addresses" },
	{ NULL, "a.b.localhost", "a name of loopback addresses" },
	{ NULL, "localhost.localdomain", "a name of loopback addresses" },
	{ NULL, "localhost6", "a name of loopback addresses" },
	{ NULL, "ip6-loopback", "a name of loopback addresses" },
	{ NULL, "xlocalhost", NULL },
	{ NULL, "localhost.test", NULL },
	{ NULL, "name.test", NULL },
	{ "192.0.2.1", "name.test", "a name, which the proxy resolves (--proxy-dns=local)" },
	{ "192.0.2.1", "localhost", "a name of loopback addresses" },
};

static void
destinations_test_name(size_t i)
{
	struct destinations destinations = { 0 };
	struct fault fault = FAULT_NONE;
	if (destinations_names[i].deny != NULL)
		CHECK(destinations_add(
			&destinations, DESTINATIONS_DENY, destinations_names[i].deny, &fault));
	const char *words = destinations_refuse_name(&destinations, destinations_names[i].name);
	const char *wanted = destinations_names[i].words;
	CHECK((words == NULL) == (wanted == NULL));
	CHECK(words == NULL || wanted == NULL || strcmp(words, wanted) == 0);
	destinations_close(&destinations);
	fault_clear(&fault);
}

static void
destinations_test_case(size_t i)
{
	struct destinations destinations = { 0 };
	struct fault fault = FAULT_NONE;
	struct endpoint endpoint = { .names = TRANSPORT_INET, .port = 80, .numeric = true };
	struct resolve resolve = { .fd = -1 };
	char host[64];
	(void)snprintf(host, sizeof host, "%s", destinations_cases[i].to);
	char *colon = strchr(host, ':');
	if (colon != NULL && strchr(colon + 1, ':') == NULL) {
		endpoint.port = (uint32_t)strtoul(colon + 1, NULL, 10);
		*colon = '\0';
	}
	endpoint.host = host;
	if (destinations_cases[i].allow != NULL)
		CHECK(destinations_add(
			&destinations, DESTINATIONS_ALLOW, destinations_cases[i].allow, &fault));
	if (destinations_cases[i].deny != NULL)
		CHECK(destinations_add(
			&destinations, DESTINATIONS_DENY, destinations_cases[i].deny, &fault));
	CHECK(resolve_start(&resolve, &endpoint, &fault) == IO_OK);
	if (resolve.count > 0) {
		const char *words = destinations_refuse(&destinations, &resolve.addresses[0], 9);
		const char *wanted = destinations_cases[i].words;
		CHECK((words == NULL) == (wanted == NULL));
		CHECK(words == NULL || wanted == NULL || strcmp(words, wanted) == 0);
	}
	resolve_close(&resolve);
	destinations_close(&destinations);
	fault_clear(&fault);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof destinations_cases / sizeof destinations_cases[0]; i++) {
		unsigned long before = check_failed;
		destinations_test_case(i);
		if (check_failed > before)
			(void)fprintf(stderr, "case %zu: %s\n", i, destinations_cases[i].to);
	}
	for (size_t i = 0; i < sizeof destinations_names / sizeof destinations_names[0]; i++) {
		unsigned long before = check_failed;
		destinations_test_name(i);
		if (check_failed > before)
			(void)fprintf(stderr, "name %zu: %s\n", i, destinations_names[i].name);
	}
	for (size_t i = 0; i < sizeof destinations_bad / sizeof destinations_bad[0]; i++) {
		struct destinations destinations = { 0 };
		struct fault fault = FAULT_NONE;
		bool good = destinations_add(
			&destinations, DESTINATIONS_DENY, destinations_bad[i], &fault);
		CHECK(!good && fault.status == STATUS_VALUE);
		if (good)
			(void)fprintf(stderr, "accepted: %s\n", destinations_bad[i]);
		fault_clear(&fault);
		destinations_close(&destinations);
	}
	return check_verdict("destinations");
}
