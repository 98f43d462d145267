/* Endpoints as one word: what they are taken apart into, and what is refused (faults H93, H94). */
#include <string.h>

#include "check.h"
#include "net/word.h"

static const struct {
	const char *text;
	bool good;
	enum word_scheme scheme;
	const char *host, *port;
} word_test_rows[] = {
	{ "host:80", true, WORD_PLAIN, "host", "80" },
	{ "127.0.0.1:80", true, WORD_PLAIN, "127.0.0.1", "80" },
	{ "[::1]:80", true, WORD_PLAIN, "[::1]", "80" },
	{ "[fe80::1%lo]:http", true, WORD_PLAIN, "[fe80::1%lo]", "http" },
	{ "host:", true, WORD_PLAIN, "host", "" },
	{ "*:80", true, WORD_PLAIN, "*", "80" },
	{ "tcp://host:80", true, WORD_TCP, "host", "80" },
	{ "udp://[::1]:53", true, WORD_UDP, "[::1]", "53" },
	{ "vsock://2:1024", true, WORD_VSOCK, "2", "1024" },
	{ "unix:/a/b:c@d", true, WORD_UNIX, "/a/b:c@d", NULL },
	{ "unix:@name", true, WORD_UNIX, "@name", NULL },
	{ "unix://x", true, WORD_UNIX, "//x", NULL },
	{ "unix:%2Fx", true, WORD_UNIX, "%2Fx", NULL },
	{ "unix:", true, WORD_UNIX, "", NULL },
	{ "fd://7", true, WORD_FD, "7", NULL },
	{ "tcp:80", true, WORD_PLAIN, "tcp", "80" },
	{ "::1", false, WORD_PLAIN, NULL, NULL },
	{ "::1:80", false, WORD_PLAIN, NULL, NULL },
	{ "[::1]", false, WORD_PLAIN, NULL, NULL },
	{ "[::1", false, WORD_PLAIN, NULL, NULL },
	{ "[::1]80", false, WORD_PLAIN, NULL, NULL },
	{ "[::1]x:80", false, WORD_PLAIN, NULL, NULL },
	{ ":80", false, WORD_PLAIN, NULL, NULL },
	{ "a:b:c", false, WORD_PLAIN, NULL, NULL },
	{ "tcp://host", false, WORD_TCP, NULL, NULL },
	{ "tcp://", false, WORD_TCP, NULL, NULL },
	{ "http://host:80", false, WORD_PLAIN, NULL, NULL },
	{ "TCP://host:80", false, WORD_PLAIN, NULL, NULL },
	{ "user:secret@host:80", false, WORD_PLAIN, NULL, NULL },
	{ "tcp://user:secret@host:80", false, WORD_TCP, NULL, NULL },
	{ "secret@[::1]:80", false, WORD_PLAIN, NULL, NULL },
};

int
main(void)
{
	for (size_t i = 0; i < sizeof word_test_rows / sizeof word_test_rows[0]; i++) {
		struct word word;
		struct fault fault = FAULT_NONE;
		char text[64];
		(void)snprintf(text, sizeof text, "%s", word_test_rows[i].text);
		bool good = word_split(&word, text, &fault);
		if (good != word_test_rows[i].good)
			(void)fprintf(stderr, "word '%s'\n", word_test_rows[i].text);
		CHECK(good == word_test_rows[i].good);
		CHECK(good || fault.status == STATUS_VALUE);
		CHECK(good || fault.text == NULL || strstr(fault.text, "secret") == NULL);
		if (good) {
			CHECK(word.scheme == word_test_rows[i].scheme);
			CHECK(strcmp(word.host, word_test_rows[i].host) == 0);
			CHECK((word.port == NULL) == (word_test_rows[i].port == NULL));
			CHECK(word.port == NULL || strcmp(word.port, word_test_rows[i].port) == 0);
		}
		fault_clear(&fault);
	}
	CHECK(word_is_one("a:b") && !word_is_one("ab"));
	CHECK(word_has_scheme("unix:/x") && word_has_scheme("foo://x"));
	CHECK(!word_has_scheme("a:80") && !word_has_scheme("://x"));
	return check_verdict("word");
}
