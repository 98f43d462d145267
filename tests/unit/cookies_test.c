/* The cookies of DTLS: a client and a server of the plug-in, whose datagrams are those of the test.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "check.h"
#include "plugin/tls.h"

#define COOKIES_TEST_MOST 64

/* The datagrams to one side. */
struct cookies_test_way {
	unsigned char bytes[COOKIES_TEST_MOST][2048];
	size_t lengths[COOKIES_TEST_MOST];
	size_t first, count;
};

struct cookies_test_end {
	struct cookies_test_way *in, *out;
};

static struct cookies_test_way cookies_test_to_server, cookies_test_to_client;

static void
cookies_test_put(struct cookies_test_way *way, const void *bytes, size_t length)
{
	CHECK(way->count < COOKIES_TEST_MOST && length <= sizeof way->bytes[0]);
	way->lengths[way->count] = length;
	if (length > 0)
		memcpy(way->bytes[way->count], bytes, length);
	way->count++;
}

static enum io
cookies_test_read(void *state, void *bytes, size_t size, size_t *got)
{
	struct cookies_test_way *way = ((struct cookies_test_end *)state)->in;
	if (way->first == way->count)
		return IO_AGAIN;
	*got = way->lengths[way->first] < size ? way->lengths[way->first] : size;
	memcpy(bytes, way->bytes[way->first++], *got);
	return IO_OK;
}

static enum io
cookies_test_write(void *state, const void *bytes, size_t size, size_t *put)
{
	cookies_test_put(((struct cookies_test_end *)state)->out, bytes, size);
	*put = size;
	return IO_OK;
}

/* Both sides of a test. */
struct cookies_test {
	struct tls *server, *client;
	struct cookies_test_end server_end, client_end;
	void *listening, *asking;
	struct fault fault;
};

static void
cookies_test_clear(void)
{
	cookies_test_to_server.first = cookies_test_to_server.count = 0;
	cookies_test_to_client.first = cookies_test_to_client.count = 0;
}

static void
cookies_test_open(struct cookies_test *test)
{
	const struct tls_settings server = {
		.server = true, .datagrams = true, .self_signed = true
	};
	const struct tls_settings client = { .datagrams = true, .unverified = true };
	cookies_test_clear();
	*test = (struct cookies_test){
		.server_end = { &cookies_test_to_server, &cookies_test_to_client },
		.client_end = { &cookies_test_to_client, &cookies_test_to_server },
	};
	const struct tls_bottom below_server = { &test->server_end, cookies_test_read,
		cookies_test_write };
	const struct tls_bottom below_client = { &test->client_end, cookies_test_read,
		cookies_test_write };
	test->server = tls_new(&server, &test->fault);
	test->client = tls_new(&client, &test->fault);
	if (test->server == NULL || test->client == NULL) {
		(void)fprintf(stderr, "%s\n", test->fault.text);
		exit(1);
	}
	test->listening = test->server->ops->session_new(
		test->server->context, &below_server, "client", NULL, &test->fault);
	test->asking = test->client->ops->session_new(
		test->client->context, &below_client, "server", NULL, &test->fault);
	CHECK(test->listening != NULL && test->asking != NULL);
	test->client->ops->set_datagram_max(test->asking, 1400);
}

static void
cookies_test_close(struct cookies_test *test)
{
	test->server->ops->session_free(test->listening);
	test->client->ops->session_free(test->asking);
	CHECK(!fault_is_set(&test->fault));
	fault_clear(&test->fault);
	tls_free(test->server);
	tls_free(test->client);
}

/* The client's next step, which must not end its handshake. */
static void
cookies_test_ask(struct cookies_test *test)
{
	CHECK(test->client->ops->handshake(test->asking, &test->fault) == IO_AGAIN);
}

static bool
cookies_test_listen(struct cookies_test *test, const char *peer, int64_t now)
{
	return test->server->ops->listen(test->listening, peer, strlen(peer), now);
}

/* A handshake, with the address of the first and the second ClientHello, the time between them, and
 * whether it begins. */
static void
cookies_test_row(const char *first, const char *second, int64_t before, int64_t after, bool begins)
{
	struct cookies_test test;
	cookies_test_open(&test);
	cookies_test_ask(&test);
	CHECK(cookies_test_to_server.count == 1);
	CHECK(!cookies_test_listen(&test, first, before));
	CHECK(cookies_test_to_client.count == 1);
	CHECK(cookies_test_to_client.lengths[0] < cookies_test_to_server.lengths[0]);
	cookies_test_ask(&test);
	CHECK(cookies_test_to_server.count == 2);
	CHECK(cookies_test_listen(&test, second, after) == begins);
	/* Otherwise it gets a new cookie. */
	CHECK(cookies_test_to_client.count == (begins ? 1 : 2));
	cookies_test_close(&test);
}

static void
cookies_test_rows(void)
{
	const int64_t now = 1000 * CLOCK_SECOND;
	cookies_test_row("a", "a", now, now, true);
	cookies_test_row("a", "b", now, now, false);
	cookies_test_row("a", "aa", now, now, false);
	cookies_test_row("", "", now, now, true);
	cookies_test_row("a", "a", now, now + 60 * CLOCK_SECOND, true);
	cookies_test_row("a", "a", now, now + 121 * CLOCK_SECOND, false);
	cookies_test_row("a", "a", now, now - 61 * CLOCK_SECOND, false);
}

/* The handshake goes on, and data passes. */
static void
cookies_test_whole(void)
{
	struct cookies_test test;
	char got[8];
	size_t n = 0;
	cookies_test_open(&test);
	cookies_test_ask(&test);
	CHECK(!cookies_test_listen(&test, "a", 0));
	cookies_test_ask(&test);
	CHECK(cookies_test_listen(&test, "a", 0));
	const struct tls_bottom bottom = { &test.server_end, cookies_test_read,
		cookies_test_write };
	test.server->ops->set_bottom(test.listening, &bottom, "a");
	CHECK(test.server->ops->handshake(test.listening, &test.fault) == IO_AGAIN);
	cookies_test_ask(&test);
	CHECK(test.server->ops->handshake(test.listening, &test.fault) == IO_OK);
	CHECK(test.client->ops->handshake(test.asking, &test.fault) == IO_OK);
	CHECK(test.client->ops->write(test.asking, "hello", 5, &n, &test.fault) == IO_OK);
	CHECK(test.server->ops->read(test.listening, got, sizeof got, &n, &test.fault) == IO_OK);
	CHECK(n == 5 && memcmp(got, "hello", 5) == 0);
	cookies_test_close(&test);
}

/* What is no ClientHello, or no whole one, is ignored. */
static void
cookies_test_garbage(void)
{
	struct cookies_test test;
	static const unsigned char alert[] = { 21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 1, 0 };
	unsigned char hello[2048];
	cookies_test_open(&test);
	cookies_test_ask(&test);
	size_t length = cookies_test_to_server.lengths[0];
	memcpy(hello, cookies_test_to_server.bytes[0], length);
	cookies_test_clear();
	cookies_test_put(&cookies_test_to_server, "", 0);
	CHECK(!cookies_test_listen(&test, "a", 0));
	cookies_test_put(&cookies_test_to_server, "hello", 5);
	CHECK(!cookies_test_listen(&test, "a", 0));
	cookies_test_put(&cookies_test_to_server, alert, sizeof alert);
	CHECK(!cookies_test_listen(&test, "a", 0));
	CHECK(cookies_test_to_client.count == 0);
	for (size_t cut = 0; cut < length; cut++) {
		cookies_test_clear();
		cookies_test_put(&cookies_test_to_server, hello, cut);
		CHECK(!cookies_test_listen(&test, "a", 0));
		CHECK(cookies_test_to_client.count == 0);
	}
	/* It still listens. */
	cookies_test_clear();
	cookies_test_put(&cookies_test_to_server, hello, length);
	CHECK(!cookies_test_listen(&test, "a", 0));
	CHECK(cookies_test_to_client.count == 1);
	cookies_test_close(&test);
}

/* A later one without a cookie begins nothing, and one with a cookie that was changed neither. */
static void
cookies_test_changed(void)
{
	struct cookies_test test;
	cookies_test_open(&test);
	cookies_test_ask(&test);
	CHECK(!cookies_test_listen(&test, "a", 0));
	cookies_test_ask(&test);
	unsigned char *hello = cookies_test_to_server.bytes[1];
	/* After the headers, the version, the random bytes and an empty identity of a session. */
	size_t at = 13 + 12 + 2 + 32 + 1;
	CHECK(hello[at - 1] == 0 && hello[at] == 16);
	for (size_t i = 0; i < 16; i++) {
		hello[at + 1 + i] ^= 1;
		cookies_test_to_server.first = 1;
		CHECK(!cookies_test_listen(&test, "a", 0));
		hello[at + 1 + i] ^= 1;
	}
	cookies_test_to_server.first = 1;
	CHECK(cookies_test_listen(&test, "a", 0));
	cookies_test_close(&test);
}

int
main(void)
{
	cookies_test_rows();
	cookies_test_whole();
	cookies_test_garbage();
	cookies_test_changed();
	return check_verdict("cookies");
}
