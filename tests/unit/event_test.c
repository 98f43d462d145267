/* The lines of the text writer, and the syntax of all templates. */
#include "base/event.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static bool
event_test_is(const struct event *event, const char *expected)
{
	char *text = event_text(event);
	bool same = text != NULL && strcmp(text, expected) == 0;
	if (!same)
		(void)fprintf(stderr, "'%s' instead of '%s'\n", text != NULL ? text : "", expected);
	free(text);
	return same;
}

/* Every template has only known fields and balanced brackets; only hidden ones are empty. */
static void
event_test_templates(const char *syntax)
{
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		struct event event = { .kind = (enum event_kind)kind };
		const char *one = "1";
#define EVENT_TEST_SET_TEXT(id) event.id = one
#define EVENT_TEST_SET_COUNT(id) event.id = 1
#define EVENT_TEST_SET_TIME(id) event.id = 1
#define EVENT_TEST_SET_RATE(id) event.id = 1
#define EVENT_TEST_SET_ADDRESS(id) event.id = one
#define EVENT_FIELD(id, type, name) EVENT_TEST_SET_##type(id);
#include "base/event.def"
		event.target = "1:1";
		char *text = event_text(&event);
		CHECK(text != NULL && (text[0] != '\0' || !event_wants(event.kind)));
		CHECK(text != NULL && strpbrk(text, syntax) == NULL);
		CHECK(text != NULL && strstr(text, "  ") == NULL);
		free(text);
	}
}

/* The words of OpenBSD's nc. */
static void
event_test_nc(void)
{
	struct event event = { .kind = EVENT_connected, .target = "localhost:80" };
	event_set_style(EVENT_STYLE_NC, true);
	event_configure(1, false);
	event_test_templates("{}|?");
	event.protocol = "tcp";
	event.address = "127.0.0.1:80";
	CHECK(event_test_is(
		&event, "Connection to localhost (127.0.0.1) 80 port [tcp/*] succeeded!"));
	event.target = "[::1]:80";
	event.address = NULL;
	CHECK(event_test_is(&event, "Connection to ::1 80 port [tcp/*] succeeded!"));
	/* Neither a path nor an empty or long port is mistaken for a host and port. */
	event.target = "/a:b";
	CHECK(event_test_is(&event, "Connection to /a:b succeeded!"));
	event.target = "@a:";
	CHECK(event_test_is(&event, "Connection to @a: succeeded!"));
	event.kind = EVENT_connect_failed;
	event.target = "a:1";
	event.cause = "c";
	CHECK(event_test_is(&event, "connect to a port 1 (tcp) failed: c"));
	CHECK(event_wants(EVENT_connect_failed) && !event_wants(EVENT_session_closed));
	CHECK(!event_wants(EVENT_probe_failed) && event_wants(EVENT_session_failed));
	event_set_style(EVENT_STYLE_OWN, false);
	event_configure(0, false);
}

int
main(void)
{
	event_test_templates("{}[]|?");
	event_test_nc();
	CHECK(event_test_is(&(struct event){ .kind = EVENT_accepted, .peer = "192.0.2.1:5" },
		"connection from 192.0.2.1:5"));
	CHECK(event_test_is(&(struct event){ .kind = EVENT_accepted, .peer = "/s", .pid = 7 },
		"connection from /s, uid 0, gid 0, pid 7"));
	/* Out of memory for the address. */
	CHECK(event_test_is(&(struct event){ .kind = EVENT_accepted }, "connection from ?"));
	CHECK(event_test_is(&(struct event){ .kind = EVENT_probe_open,
				    .target = "a:1",
				    .state = "open",
				    .connect_time = 1260000 },
		"a:1 open 1.3ms"));
	CHECK(event_test_is(&(struct event){ .kind = EVENT_session_closed, .peer = "p", .sent = 1 },
		"closed p: 1 byte sent, 0 bytes received"));
	CHECK(event_test_is(
		&(struct event){
			.kind = EVENT_session_closed, .peer = "p", .slow = 1, .dropped = 2 },
		"closed p: 0 bytes sent, 0 bytes received, 1 message dropped (slow client), "
		"2 datagrams dropped by the kernel"));
	/* Brackets and braces in values are literal. */
	CHECK(event_test_is(
		&(struct event){ .kind = EVENT_session_failed, .cause = "[{peer}]" }, "[{peer}]"));
	CHECK(event_wants(EVENT_session_failed) && !event_wants(EVENT_accepted));
	event_configure(2, false);
	event_enter(3);
	CHECK(event_wants(EVENT_path) && !event_wants(EVENT_connect_failed));
	CHECK(event_test_is(
		&(struct event){ .kind = EVENT_accepted, .peer = "p" }, "[3] connection from p"));
	return check_verdict("event");
}
