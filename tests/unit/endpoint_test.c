/* Hosts, ports, paths: what is accepted and rejected, and how it is printed (faults C44, G81, H93,
 * H94, H96). */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "check.h"
#include "net/endpoint.h"
#include "net/transport.h"

static const struct {
	const char *host;
	bool good, numeric;
} endpoint_test_hosts[] = {
	{ "127.0.0.1", true, true },
	{ "255.255.255.255", true, true },
	{ "::1", true, true },
	{ "[::1]", true, true },
	{ "fe80::1%lo", true, true },
	{ "[fe80::1%1]", true, true },
	{ "::ffff:127.0.0.1", true, true },
	{ "localhost", true, false },
	{ "example.org", true, false },
	{ "example.org.", true, false },
	{ "xn--bcher-kva.example", true, false },
	{ "a_b.example", true, false },
	{ "1.example", true, false },
	{ "127.1", false, false },
	{ "127.0.0.1.", false, false },
	{ "2130706433", false, false },
	{ "0x7f.1", false, false },
	{ "0x7f000001", false, false },
	{ "0177.0.0.1", false, false },
	{ "127.0.0.01", false, false },
	{ "256.0.0.1", false, false },
	{ "1.2.3.4.5", false, false },
	{ "1.2.3.4:", false, false },
	{ "1.2.3.4:80", false, false },
	{ "[::1]:80", false, false },
	{ "[127.0.0.1]", false, false },
	{ "[]", false, false },
	{ "::1%", false, false },
	{ "fe80::1", false, false },
	{ "fe80::1%no-such-interface", false, false },
	{ "::1%lo", false, false },
	{ "::1%%lo", false, false },
	{ "::g", false, false },
	{ "", false, false },
	{ ".", false, false },
	{ "a..b", false, false },
	{ ".a", false, false },
	{ "-oops", false, false },
	{ "a.-b", false, false },
	{ "a b", false, false },
	{ "a\nb", false, false },
	{ "a\033b", false, false },
	{ "a/b", false, false },
	{ "a%b", false, false },
	{ "b\xc3\xbc"
	  "cher.example",
		false, false },
};

static const struct {
	const char *port;
	bool good;
	uint32_t number;
} endpoint_test_ports[] = {
	{ "0", true, 0 },
	{ "1", true, 1 },
	{ "65535", true, 65535 },
	{ "http", true, 80 },
	{ "65536", false, 0 },
	{ "99999", false, 0 },
	{ "-1", false, 0 },
	{ "80x", false, 0 },
	{ "x80", false, 0 },
	{ "0x50", false, 0 },
	{ "20-30", false, 0 },
	{ "80,81", false, 0 },
	{ "", false, 0 },
	{ " 80", false, 0 },
	{ "no-such-service", false, 0 },
};

static bool
endpoint_test_host(const char *host, bool numeric_only, struct endpoint *endpoint)
{
	static char copy[512];
	struct fault fault = FAULT_NONE;
	(void)snprintf(copy, sizeof copy, "%s", host);
	bool good = endpoint_set_host(endpoint, copy, numeric_only, &fault);
	CHECK(good == !fault_is_set(&fault));
	CHECK(good || fault.status == STATUS_VALUE);
	fault_clear(&fault);
	return good;
}

static void
endpoint_test_path(size_t length, char first, bool good)
{
	char *path = malloc(length + 1);
	struct endpoint endpoint = { .names = TRANSPORT_UNIX };
	struct fault fault = FAULT_NONE;
	struct address address;
	if (path == NULL)
		abort();
	memset(path, 'x', length);
	if (length > 0)
		path[0] = first;
	path[length] = '\0';
	CHECK(endpoint_set_path(&endpoint, path, &fault) == good);
	CHECK(good || fault.status == STATUS_VALUE);
	if (good) {
		CHECK(endpoint_address(&endpoint, &address));
		CHECK(address.length <= sizeof(struct sockaddr_un));
		char *shown = address_print(&address);
		CHECK(shown != NULL && strcmp(shown, path) == 0);
		free(shown);
	}
	fault_clear(&fault);
	free(path);
}

int
main(void)
{
	const struct transport *tcp = transport_find(TRANSPORT_INET, false, false, -1);
	struct endpoint endpoint = { .names = TRANSPORT_INET };
	CHECK(tcp != NULL);
	for (size_t i = 0; i < sizeof endpoint_test_hosts / sizeof endpoint_test_hosts[0]; i++) {
		const char *host = endpoint_test_hosts[i].host;
		bool good = endpoint_test_host(host, false, &endpoint);
		if (good != endpoint_test_hosts[i].good)
			(void)fprintf(stderr, "host '%s'\n", host);
		CHECK(good == endpoint_test_hosts[i].good);
		CHECK(!good || endpoint.numeric == endpoint_test_hosts[i].numeric);
		CHECK(endpoint_test_host(host, true, &endpoint) ==
			(good && endpoint_test_hosts[i].numeric));
	}
	for (size_t i = 0; i < sizeof endpoint_test_ports / sizeof endpoint_test_ports[0]; i++) {
		struct fault fault = FAULT_NONE;
		bool good = endpoint_set_port(&endpoint, endpoint_test_ports[i].port, tcp, &fault);
		if (good != endpoint_test_ports[i].good)
			(void)fprintf(stderr, "port '%s'\n", endpoint_test_ports[i].port);
		CHECK(good == endpoint_test_ports[i].good);
		CHECK(good ? endpoint.port == endpoint_test_ports[i].number
			   : fault.status == STATUS_VALUE);
		fault_clear(&fault);
	}

	char long_name[400];
	memset(long_name, 'a', sizeof long_name);
	long_name[254] = '\0';
	CHECK(endpoint_test_host(long_name, false, &endpoint));
	long_name[254] = 'a';
	long_name[255] = '\0';
	CHECK(!endpoint_test_host(long_name, false, &endpoint));

	/* sun_path has 108 bytes: 107 and a NUL, or a NUL and 107. */
	endpoint_test_path(0, '/', false);
	endpoint_test_path(1, 's', true);
	endpoint_test_path(107, '/', true);
	endpoint_test_path(108, '/', false);
	endpoint_test_path(109, '/', false);
	endpoint_test_path(4096, '/', false);
	endpoint_test_path(1, '@', false);
	endpoint_test_path(2, '@', true);
	endpoint_test_path(108, '@', true);
	endpoint_test_path(109, '@', false);

	struct address address = { .length = sizeof(struct sockaddr_in6) };
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address.storage;
	v6->sin6_family = AF_INET6;
	v6->sin6_addr = in6addr_loopback;
	address_set_port(&address, 8080);
	char *shown = address_print(&address);
	CHECK(shown != NULL && strcmp(shown, "[::1]:8080") == 0);
	free(shown);
	struct address other = address;
	CHECK(address_equal(&address, &other));
	address_set_port(&other, 8081);
	CHECK(!address_equal(&address, &other));

	/* Each row is found by its properties only. */
	CHECK(transport_find(TRANSPORT_UNIX, true, false, -1)->message_max > 0);
	CHECK(transport_find(TRANSPORT_UNIX, false, true, -1)->connected);
	CHECK(transport_find(TRANSPORT_INET, false, true, -1) == NULL);
	return check_verdict("endpoint");
}
