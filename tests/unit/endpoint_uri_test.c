/* Endpoints in one argument: how they are split, and what is rejected (faults H93, H94). */
#include <string.h>

#include "check.h"
#include "net/endpoint_uri.h"

static const struct {
	const char *text;
	bool good;
	enum endpoint_uri_scheme scheme;
	const char *host, *port;
} endpoint_uri_test_rows[] = {
	{ "host:80", true, ENDPOINT_URI_PLAIN, "host", "80" },
	{ "127.0.0.1:80", true, ENDPOINT_URI_PLAIN, "127.0.0.1", "80" },
	{ "[::1]:80", true, ENDPOINT_URI_PLAIN, "[::1]", "80" },
	{ "[fe80::1%lo]:http", true, ENDPOINT_URI_PLAIN, "[fe80::1%lo]", "http" },
	{ "host:", true, ENDPOINT_URI_PLAIN, "host", "" },
	{ "*:80", true, ENDPOINT_URI_PLAIN, "*", "80" },
	{ "tcp://host:80", true, ENDPOINT_URI_TCP, "host", "80" },
	{ "udp://[::1]:53", true, ENDPOINT_URI_UDP, "[::1]", "53" },
	{ "vsock://2:1024", true, ENDPOINT_URI_VSOCK, "2", "1024" },
	{ "unix:/a/b:c@d", true, ENDPOINT_URI_UNIX, "/a/b:c@d", NULL },
	{ "unix:@name", true, ENDPOINT_URI_UNIX, "@name", NULL },
	{ "unix://x", true, ENDPOINT_URI_UNIX, "//x", NULL },
	{ "unix:%2Fx", true, ENDPOINT_URI_UNIX, "%2Fx", NULL },
	{ "unix:", true, ENDPOINT_URI_UNIX, "", NULL },
	{ "fd://7", true, ENDPOINT_URI_FD, "7", NULL },
	{ "tcp:80", true, ENDPOINT_URI_PLAIN, "tcp", "80" },
	{ "::1", false, ENDPOINT_URI_PLAIN, NULL, NULL },
	{ "::1:80", false, ENDPOINT_URI_PLAIN, NULL, NULL },
	{ "[::1]", false, ENDPOINT_URI_PLAIN, NULL, NULL },
	{ "[::1", false, ENDPOINT_URI_PLAIN, NULL, NULL },
	{ "[::1]80", false, ENDPOINT_URI_PLAIN, NULL, NULL },
	{ "[::1]x:80", false, ENDPOINT_URI_PLAIN, NULL, NULL },
	{ ":80", false, ENDPOINT_URI_PLAIN, NULL, NULL },
	{ "a:b:c", false, ENDPOINT_URI_PLAIN, NULL, NULL },
	{ "tcp://host", false, ENDPOINT_URI_TCP, NULL, NULL },
	{ "tcp://", false, ENDPOINT_URI_TCP, NULL, NULL },
	{ "http://host:80", false, ENDPOINT_URI_PLAIN, NULL, NULL },
	{ "TCP://host:80", false, ENDPOINT_URI_PLAIN, NULL, NULL },
	{ "user:secret@host:80", false, ENDPOINT_URI_PLAIN, NULL, NULL },
	{ "tcp://user:secret@host:80", false, ENDPOINT_URI_TCP, NULL, NULL },
	{ "secret@[::1]:80", false, ENDPOINT_URI_PLAIN, NULL, NULL },
};

int
main(void)
{
	for (size_t i = 0; i < sizeof endpoint_uri_test_rows / sizeof endpoint_uri_test_rows[0];
		i++) {
		struct endpoint_uri word;
		struct fault fault = FAULT_NONE;
		char text[64];
		(void)snprintf(text, sizeof text, "%s", endpoint_uri_test_rows[i].text);
		bool good = endpoint_uri_split(&word, text, false, &fault);
		if (good != endpoint_uri_test_rows[i].good)
			(void)fprintf(stderr, "word '%s'\n", endpoint_uri_test_rows[i].text);
		CHECK(good == endpoint_uri_test_rows[i].good);
		CHECK(good || fault.status == STATUS_VALUE);
		CHECK(good || fault.text == NULL || strstr(fault.text, "secret") == NULL);
		if (good) {
			CHECK(word.scheme == endpoint_uri_test_rows[i].scheme);
			CHECK(strcmp(word.host, endpoint_uri_test_rows[i].host) == 0);
			CHECK((word.port == NULL) == (endpoint_uri_test_rows[i].port == NULL));
			CHECK(word.port == NULL ||
				strcmp(word.port, endpoint_uri_test_rows[i].port) == 0);
		}
		fault_clear(&fault);
	}
	static const char *const any[] = { ":80", "tcp://:80", "udp://:80", "vsock://:80" };
	for (size_t i = 0; i < sizeof any / sizeof any[0]; i++) {
		struct endpoint_uri word;
		struct fault fault = FAULT_NONE;
		char text[64];
		(void)snprintf(text, sizeof text, "%s", any[i]);
		CHECK(endpoint_uri_split(&word, text, true, &fault) && word.host == NULL);
		CHECK(word.port != NULL && strcmp(word.port, "80") == 0);
	}
	CHECK(endpoint_uri_is_likely("a:b") && !endpoint_uri_is_likely("ab"));
	CHECK(endpoint_uri_has_scheme("unix:/x") && endpoint_uri_has_scheme("foo://x"));
	CHECK(!endpoint_uri_has_scheme("a:80") && !endpoint_uri_has_scheme("://x"));
	return check_verdict("word");
}
