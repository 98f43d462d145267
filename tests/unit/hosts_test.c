/* Addresses given in place of a look-up (--resolve). */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "net/hosts.h"

/* Invalid texts, and a part of the cause. */
static const char *const hosts_test_bad[][2] = {
	{ "", "expected HOST:PORT:ADDR" },
	{ "a", "expected HOST:PORT:ADDR" },
	{ "a:80", "expected HOST:PORT:ADDR" },
	{ "a:80:", "expected HOST:PORT:ADDR" },
	{ ":80:127.0.0.1", "must not be empty" },
	{ "a::127.0.0.1", "expected a port" },
	{ "a:http:127.0.0.1", "expected a port" },
	{ "a:*:127.0.0.1", "expected a port" },
	{ "a:65536:127.0.0.1", "expected a port" },
	{ "a:80:127.0.0.1,", "must not be empty" },
	{ "a:80:,127.0.0.1", "must not be empty" },
	{ "a:80:b", "expected an address, not a name" },
	{ "a:80:127.1", "four decimal numbers" },
	{ "a:80:127.0.0.1:81", "not an IPv6 address" },
	{ "a:80:[127.0.0.1]", "not an IPv6 address" },
	{ "a:80:[::1", "not an IPv6 address" },
	{ "a:80:fe80::1", "requires an interface" },
	{ "+a:80:127.0.0.1", "invalid character" },
	{ "-a:80:127.0.0.1", "begins with '-'" },
	{ "127.0.0.1:80:127.0.0.1", "not looked up" },
	{ "[::1]:80:127.0.0.1", "[" },
	{ "**:80:127.0.0.1", "invalid character" },
	{ "u:p@a:80:127.0.0.1", "@a:80" },
};

static void
hosts_test_rejects(void)
{
	for (size_t i = 0; i < sizeof hosts_test_bad / sizeof hosts_test_bad[0]; i++) {
		struct hosts hosts = { .list = NULL };
		struct fault fault = FAULT_NONE;
		CHECK(!hosts_add(&hosts, hosts_test_bad[i][0], &fault));
		bool good = fault.status == STATUS_VALUE && fault.text != NULL &&
			strncmp(fault.text, "invalid --resolve '", 19) == 0 &&
			strstr(fault.text, hosts_test_bad[i][1]) != NULL &&
			strstr(fault.text, "u:p") == NULL;
		if (!good)
			(void)printf("%s: %s\n", hosts_test_bad[i][0], fault.text);
		CHECK(good);
		fault_clear(&fault);
		hosts_close(&hosts);
	}
}

/* The addresses found for a name, as text; "none", or "look up". */
static char *
hosts_test_find(const struct hosts *hosts, const char *host, uint32_t port, int family)
{
	const struct endpoint endpoint = {
		.names = TRANSPORT_INET, .family = family, .host = host, .port = port
	};
	struct fault fault = FAULT_NONE;
	struct resolve resolve;
	static char text[256];
	text[0] = '\0';
	if (hosts_find(hosts, &endpoint) == NULL)
		return strcpy(text, "look up");
	if (hosts_resolve(hosts, &resolve, &endpoint, &fault) != IO_OK) {
		CHECK(fault.status == STATUS_RESOLVE);
		fault_clear(&fault);
		resolve_close(&resolve);
		return strcpy(text, "none");
	}
	CHECK(resolve.given);
	for (size_t i = 0; i < resolve.count; i++) {
		char *one = address_print(&resolve.addresses[i]);
		(void)strcat(strcat(text, i > 0 ? " " : ""), one);
		free(one);
	}
	resolve_close(&resolve);
	return text;
}

static void
hosts_test_finds(void)
{
	static const char *const texts[] = { "*:80:10.0.0.9", "a.test:80:10.0.0.1",
		"b.test:80:10.0.0.2,[2001:db8::1],2001:db8::2,10.0.0.2,10.0.0.3", "*:81:10.0.0.8",
		"A.test:80:10.0.0.7", "*:80:10.0.0.6" };
	static const struct {
		const char *host;
		uint32_t port;
		int family;
		const char *found;
	} rows[] = {
		/* The last entry of a name counts; names have no case. */
		{ "a.test", 80, AF_UNSPEC, "10.0.0.7:80" },
		{ "a.TEST", 80, AF_UNSPEC, "10.0.0.7:80" },
		/* All addresses in their order, once each. */
		{ "b.test", 80, AF_UNSPEC,
			"10.0.0.2:80 [2001:db8::1]:80 [2001:db8::2]:80 10.0.0.3:80" },
		{ "b.test", 80, AF_INET6, "[2001:db8::1]:80 [2001:db8::2]:80" },
		{ "b.test", 80, AF_INET, "10.0.0.2:80 10.0.0.3:80" },
		{ "a.test", 80, AF_INET6, "none" },
		/* Any name, but not any port. */
		{ "c.test", 80, AF_UNSPEC, "10.0.0.6:80" },
		{ "b.test", 81, AF_UNSPEC, "10.0.0.8:81" },
		{ "a.test", 82, AF_UNSPEC, "look up" },
	};
	struct hosts hosts = { .list = NULL };
	struct fault fault = FAULT_NONE;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		CHECK(hosts_add(&hosts, texts[i], &fault));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *found =
			hosts_test_find(&hosts, rows[i].host, rows[i].port, rows[i].family);
		if (strcmp(found, rows[i].found) != 0)
			(void)printf("%s:%u: %s\n", rows[i].host, rows[i].port, found);
		CHECK(strcmp(found, rows[i].found) == 0);
	}
	const struct endpoint address = {
		.names = TRANSPORT_INET, .host = "10.0.0.1", .numeric = true, .port = 80
	};
	const struct endpoint any = { .names = TRANSPORT_INET, .port = 80 };
	const struct endpoint path = { .names = TRANSPORT_UNIX, .host = "a.test", .port = 80 };
	CHECK(hosts_find(&hosts, &address) == NULL && hosts_find(&hosts, &any) == NULL);
	CHECK(hosts_find(&hosts, &path) == NULL && hosts_find(NULL, &address) == NULL);
	hosts_close(&hosts);
}

/* 64 addresses, not more. */
static void
hosts_test_limit(void)
{
	char text[2048] = "a:80:";
	struct hosts hosts = { .list = NULL };
	struct fault fault = FAULT_NONE;
	for (int i = 0; i < RESOLVE_MAX; i++)
		(void)snprintf(text + strlen(text), 32, "%s10.0.0.%d", i > 0 ? "," : "", i);
	CHECK(hosts_add(&hosts, text, &fault) && hosts.list[0].found.count == RESOLVE_MAX);
	(void)strcat(text, ",10.0.1.1");
	CHECK(!hosts_add(&hosts, text, &fault) && fault.status == STATUS_VALUE);
	fault_clear(&fault);
	hosts_close(&hosts);
}

int
main(void)
{
	hosts_test_rejects();
	hosts_test_finds();
	hosts_test_limit();
	return check_verdict("hosts");
}
