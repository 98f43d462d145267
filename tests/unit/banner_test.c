/* Banners: known answers however they are cut, bounds, and the request of --banner=send:TEXT. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "mode/probe_banner.h"
#include "stream/socket.h"

#define BANNER_TEST(text) (text), sizeof(text) - 1

static const struct {
	const char *in;
	size_t length;
	const char *out; /* NULL: none */
	bool complete;
} banner_test_rows[] = {
	{ BANNER_TEST("SSH-2.0-OpenSSH_9.2\r\nmore"), "SSH-2.0-OpenSSH_9.2", true },
	{ BANNER_TEST("220 hello\n"), "220 hello", true },
	{ BANNER_TEST("no end"), "no end", false },
	{ BANNER_TEST("cr\r"), "cr", false },
	{ BANNER_TEST("\r\n\n\r\nafter empty lines\n"), "after empty lines", true },
	{ BANNER_TEST("\r\n\r\n"), NULL, false },
	{ BANNER_TEST(""), NULL, false },
	{ BANNER_TEST("a\rb\tc\n"), "a^Mb^Ic", true },
	{ BANNER_TEST("\033]0;title\007\033[31mred\n"), "^[]0;title^G^[[31mred", true },
	{ BANNER_TEST("caf\xc3\xa9 \xff\xe2\x80\xae\n"), "caf\xc3\xa9 \\xff\\u202e", true },
	{ BANNER_TEST("cut \xe2\x82"), "cut \\xe2\\x82", false },
	/* MySQL: a length of three bytes, a sequence number and version 10, the byte of LF. */
	{ BANNER_TEST("J\0\0\0\n8.0.36\0"), "J^@^@^@^J8.0.36^@", false },
	{ BANNER_TEST("\0\n\r\n"), "^@", false },
	{ BANNER_TEST("text\nthen\0"), "text", true },
	{ BANNER_TEST("\xff\xfb\x01\xff\xfb\x03"), "\\xff\\xfb^A\\xff\\xfb^C", false },
};

static void
banner_test_feed(struct banner *banner, const char *in, size_t length, size_t piece)
{
	for (size_t at = 0; at < length; at += piece)
		(void)banner_add(banner, (const unsigned char *)in + at,
			piece < length - at ? piece : length - at);
}

static void
banner_test_lines(void)
{
	for (size_t i = 0; i < sizeof banner_test_rows / sizeof banner_test_rows[0]; i++)
		for (size_t piece = 1; piece <= 30; piece++) {
			struct banner banner = { .length = 0 };
			banner_test_feed(
				&banner, banner_test_rows[i].in, banner_test_rows[i].length, piece);
			CHECK(banner_is_complete(&banner) == banner_test_rows[i].complete);
			char *text = banner_text(&banner);
			const char *wanted = banner_test_rows[i].out;
			CHECK((text == NULL) == (wanted == NULL));
			CHECK(text == NULL || wanted == NULL || strcmp(text, wanted) == 0);
			free(text);
		}
}

/* Of a flood BANNER_MAX bytes are kept, and the text says that it is cut. */
static void
banner_test_flood(void)
{
	static const unsigned char bytes[] = { 'a', 0, 0x1b, 0xff, '\r' };
	for (size_t i = 0; i < sizeof bytes; i++) {
		static unsigned char flood[3 * BANNER_MAX];
		struct banner banner = { .length = 0 };
		memset(flood, bytes[i], sizeof flood);
		CHECK(banner_add(&banner, flood, sizeof flood) == BANNER_MAX);
		CHECK(banner_is_complete(&banner));
		CHECK(banner_add(&banner, flood, sizeof flood) == 0);
		char *text = banner_text(&banner);
		if (bytes[i] == '\r') {
			CHECK(text == NULL);
			continue;
		}
		CHECK(text != NULL);
		size_t length = text != NULL ? strlen(text) : 0;
		CHECK(length > BANNER_MAX && length <= 4 * BANNER_MAX + 3);
		CHECK(text != NULL && strcmp(text + length - 3, "...") == 0);
		free(text);
	}
}

static const struct {
	const char *in;
	const char *request; /* NULL: invalid */
	size_t length;
} banner_test_arguments[] = {
	{ "send:PING", BANNER_TEST("PING") },
	{ "send:HEAD / HTTP/1.0\\r\\n\\r\\n", BANNER_TEST("HEAD / HTTP/1.0\r\n\r\n") },
	{ "send:\\0\\xff\\\\\\t\\n", BANNER_TEST("\0\xff\\\t\n") },
	{ "send:send:", BANNER_TEST("send:") },
	{ "send:\\q", NULL, 0 },
	{ "send:a\\", NULL, 0 },
	{ "send:\\x4", NULL, 0 },
	{ "send:", NULL, 0 },
	{ "send", NULL, 0 },
	{ "", NULL, 0 },
	{ "Send:x", NULL, 0 },
};

static void
banner_test_requests(void)
{
	struct fault fault = FAULT_NONE;
	struct banner_config config = { .wanted = false };
	CHECK(banner_parse(&config, NULL, &fault) && config.wanted && config.request == NULL);
	for (size_t i = 0; i < sizeof banner_test_arguments / sizeof banner_test_arguments[0];
		i++) {
		const char *wanted = banner_test_arguments[i].request;
		config = (struct banner_config){ .wanted = false };
		CHECK(banner_parse(&config, banner_test_arguments[i].in, &fault) ==
			(wanted != NULL));
		CHECK(fault.status == (wanted != NULL ? STATUS_OK : STATUS_VALUE));
		if (wanted != NULL) {
			CHECK(config.length == banner_test_arguments[i].length);
			CHECK(memcmp(config.request, wanted, config.length) == 0);
		}
		banner_close(&config);
		fault_clear(&fault);
	}
}

/* The request goes out as the peer makes room, and a peer that is gone ends it. */
static void
banner_test_sockets(void)
{
	static unsigned char request[1 << 20];
	struct banner_config config = { .request = request, .length = sizeof request };
	struct banner banner = { .length = 0 };
	static unsigned char space[65536];
	size_t got = 0;
	int pair[2];
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	struct fault fault = FAULT_NONE;
	struct stream *stream = socket_new(transport_find(TRANSPORT_UNIX, false, false, -1),
		pair[0], SOCKET_UNKNOWN, 0, strdup("peer"), &fault);
	CHECK(stream != NULL);
	if (stream == NULL)
		return;
	memset(request, 'x', sizeof request);
	CHECK(probe_banner_step(&banner, &config, stream) == IO_AGAIN);
	CHECK(banner.sent > 0 && banner.sent < sizeof request);
	while (got < sizeof request) {
		ssize_t n = recv(pair[1], space, sizeof space, MSG_DONTWAIT);
		if (n > 0)
			got += (size_t)n;
		else
			CHECK(probe_banner_step(&banner, &config, stream) == IO_AGAIN);
	}
	CHECK(banner.sent == sizeof request);
	CHECK(send(pair[1], "he", 2, 0) == 2);
	CHECK(probe_banner_step(&banner, &config, stream) == IO_AGAIN);
	CHECK(send(pair[1], "llo", 3, 0) == 3);
	CHECK(close(pair[1]) == 0);
	CHECK(probe_banner_step(&banner, &config, stream) == IO_OK);
	char *text = banner_text(&banner);
	CHECK(text != NULL && strcmp(text, "hello") == 0);
	free(text);
	/* Nothing can be sent any more. */
	banner = (struct banner){ .length = 0 };
	CHECK(probe_banner_step(&banner, &config, stream) == IO_OK && banner_text(&banner) == NULL);
	stream_close(stream, true);
}

int
main(void)
{
	banner_test_lines();
	banner_test_flood();
	banner_test_requests();
	banner_test_sockets();
	return check_verdict("banner");
}
