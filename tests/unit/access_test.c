/*
 * Networks and access lists: what is taken and refused, who may come, against a model that looks at
 * one bit at a time; and lists that are made anew (faults D52, H94, H95).
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "net/access.h"
#include "net/network.h"

int __real_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);
int __wrap_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* The names that there are: one that moves, one of an address, and none else. */
static const char *access_test_moving = "192.0.2.7";

int
__wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **found)
{
	struct addrinfo numeric = *hints;
	if ((hints->ai_flags & AI_NUMERICHOST) == 0) {
		if (strcmp(host, "moving.test") == 0)
			host = access_test_moving;
		else if (strcmp(host, "six.test") == 0)
			host = "2001:db8::6";
		else
			return EAI_NONAME;
	}
	numeric.ai_flags |= AI_NUMERICHOST;
	return __real_getaddrinfo(host, service, &numeric, found);
}

static const struct {
	const char *text, *fault; /* fault NULL: it is good */
} access_test_words[] = {
	{ "192.0.2.1", NULL },
	{ "0.0.0.0/0", NULL },
	{ "128.0.0.0/1", NULL },
	{ "192.0.2.0/31", NULL },
	{ "192.0.2.1/32", NULL },
	{ "::/0", NULL },
	{ "2001:db8::/32", NULL },
	{ "2001:db8::/127", NULL },
	{ "2001:db8::1/128", NULL },
	{ "[2001:db8::1]", NULL },
	{ "[2001:db8::]/32", NULL },
	{ "::ffff:192.0.2.0/120", NULL },
	{ "fe80::1", NULL },
	{ "fe80::/10", NULL },
	{ "fe80::1%lo", NULL },
	{ "fe80::%lo/64", NULL },
	{ "[fe80::1%1]", NULL },
	{ "192.0.2.0/33", "from 0 to 32" },
	{ "192.0.2.0/", "from 0 to 32" },
	{ "192.0.2.0/-1", "from 0 to 32" },
	{ "192.0.2.0/24x", "from 0 to 32" },
	{ "192.0.2.0/24/24", "from 0 to 32" },
	{ "192.0.2.0/255.255.255.0", "from 0 to 32" },
	{ "192.0.2.0/99999999999999999999", "from 0 to 32" },
	{ "2001:db8::/129", "from 0 to 128" },
	{ "10.1.2.3/8", "write 10.0.0.0/8 for all of it" },
	{ "192.0.2.1/31", "write 192.0.2.0/31" },
	{ "192.0.2.1/0", "write 0.0.0.0/0" },
	{ "2001:db8::1/127", "write 2001:db8::/127" },
	{ "fe80::1%lo/64", "write fe80::%lo/64" },
	{ "::ffff:192.0.2.0/24", "write ::/24" },
	{ "192.0.2", "four decimal numbers" },
	{ "192.0.2.256", "four decimal numbers" },
	{ "0300.0.2.1", "four decimal numbers" },
	{ "0x7f000001", "four decimal numbers" },
	{ "192.0.2.1-9", "write its networks" },
	{ "192.0.2.*", "write its networks" },
	{ "*", "write its networks" },
	{ "192.0.2.1:80", "not an IPv6 address" },
	{ "[192.0.2.1]", "not an IPv6 address" },
	{ "[::1", "not an IPv6 address" },
	{ "::1]", "not an IPv6 address" },
	{ "[]", "a character that names do not have" },
	{ "/8", "it is empty" },
	{ "::1%lo", "only a link-local address" },
	{ "fe80::1%no-such-interface", "no such interface" },
	{ "six.test/64", "a name has no length" },
	{ "six_test!", "a character that names do not have" },
};

static void
access_test_parse(void)
{
	for (size_t i = 0; i < sizeof access_test_words / sizeof access_test_words[0]; i++) {
		struct access_config config = { .count = 0 };
		struct fault fault = FAULT_NONE;
		const char *wanted = access_test_words[i].fault;
		bool good = access_config_add(
			&config, ACCESS_ALLOW, false, access_test_words[i].text, &fault);
		bool right = good == (wanted == NULL) &&
			(good ||
				(fault.status == STATUS_VALUE &&
					strstr(fault.text, wanted) != NULL));
		if (!right)
			(void)fprintf(stderr, "'%s': %s\n", access_test_words[i].text,
				good ? "taken" : fault.text);
		CHECK(right);
		fault_clear(&fault);
		access_config_close(&config);
	}
}

static struct address
access_test_address(const char *text)
{
	struct address address = { .length = 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address.storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address.storage;
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		address.length = sizeof *v4;
	} else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		address.length = sizeof *v6;
	} else {
		abort();
	}
	address_set_port(&address, 4711);
	return address;
}

/* Makes a list of two options, NULL: not given; all names are looked up. */
static enum io
access_test_await(struct access *access, enum io result, struct fault *fault)
{
	struct interest interest = { .polls = NULL };
	while (result == IO_AGAIN) {
		interest_begin(&interest);
		access_ask(access, &interest);
		(void)poll(interest.polls, (nfds_t)interest.count, -1);
		result = access_step(access, &interest, fault);
	}
	interest_close(&interest);
	return result;
}

static void
access_test_make(
	struct access *access, struct access_config *config, const char *allow, const char *deny)
{
	struct fault fault = FAULT_NONE;
	*config = (struct access_config){ .sources = NULL };
	CHECK(allow == NULL || access_config_add(config, ACCESS_ALLOW, false, allow, &fault));
	CHECK(deny == NULL || access_config_add(config, ACCESS_DENY, false, deny, &fault));
	CHECK(access_test_await(access, access_start(access, config, &fault), &fault) == IO_OK);
	CHECK(!fault_is_set(&fault));
}

static const struct {
	const char *allow, *deny, *peer;
	bool permitted;
} access_test_peers[] = {
	{ NULL, NULL, "192.0.2.1", true },
	{ "192.0.2.1", NULL, "192.0.2.1", true },
	{ "192.0.2.1", NULL, "192.0.2.2", false },
	{ "192.0.2.1", NULL, "2001:db8::1", false },
	{ NULL, "192.0.2.1", "192.0.2.1", false },
	{ NULL, "192.0.2.1", "192.0.2.2", true },
	{ NULL, "192.0.2.1", "2001:db8::1", true },
	/* Denied is denied, however narrow the permission. */
	{ "192.0.2.1", "192.0.2.0/24", "192.0.2.1", false },
	{ "192.0.2.0/24", "192.0.2.1", "192.0.2.1", false },
	{ "192.0.2.0/24", "192.0.2.1", "192.0.2.2", true },
	{ "192.0.2.0/24,198.51.100.1, 2001:db8::/32", NULL, "198.51.100.1", true },
	{ "192.0.2.0/24,198.51.100.1, 2001:db8::/32", NULL, "2001:db8:1::1", true },
	{ "192.0.2.0/24,198.51.100.1, 2001:db8::/32", NULL, "2001:db9::1", false },
	/* The ends of prefixes. */
	{ "0.0.0.0/0", NULL, "255.255.255.255", true },
	{ "0.0.0.0/0", NULL, "::1", false },
	{ "128.0.0.0/1", NULL, "128.0.0.0", true },
	{ "128.0.0.0/1", NULL, "127.255.255.255", false },
	{ "192.0.2.4/31", NULL, "192.0.2.5", true },
	{ "192.0.2.4/31", NULL, "192.0.2.6", false },
	{ "192.0.2.4/31", NULL, "192.0.2.3", false },
	{ "192.0.2.4/32", NULL, "192.0.2.5", false },
	{ "2001:db8::2/127", NULL, "2001:db8::3", true },
	{ "2001:db8::2/127", NULL, "2001:db8::1", false },
	{ "2001:db8::2/128", NULL, "2001:db8::3", false },
	{ "2001:db8::2/128", NULL, "2001:db8::2", true },
	/* A mapped address is the IPv4 address, on either side; ::/0 has no IPv4 in it. */
	{ "192.0.2.0/24", NULL, "::ffff:192.0.2.9", true },
	{ NULL, "192.0.2.0/24", "::ffff:192.0.2.9", false },
	{ "::ffff:192.0.2.0/120", NULL, "192.0.2.9", true },
	{ "::ffff:192.0.2.0/120", NULL, "::ffff:192.0.2.9", true },
	{ "::ffff:0.0.0.0/96", NULL, "203.0.113.1", true },
	{ "::/0", NULL, "2001:db8::1", true },
	{ "::/0", NULL, "192.0.2.1", false },
	{ "::/0", NULL, "::ffff:192.0.2.1", false },
	{ NULL, "::/0", "::ffff:192.0.2.1", true },
	{ NULL, "::/0,0.0.0.0/0", "::ffff:192.0.2.1", false },
	/* All addresses of names. */
	{ "moving.test", NULL, "192.0.2.7", true },
	{ "moving.test,six.test", NULL, "2001:db8::6", true },
	{ "moving.test", NULL, "192.0.2.8", false },
	{ NULL, "moving.test", "::ffff:192.0.2.7", false },
};

static void
access_test_permits(void)
{
	for (size_t i = 0; i < sizeof access_test_peers / sizeof access_test_peers[0]; i++) {
		struct access_config config;
		struct access access;
		struct address peer = access_test_address(access_test_peers[i].peer);
		access_test_make(
			&access, &config, access_test_peers[i].allow, access_test_peers[i].deny);
		bool right = access_permits(&access, &peer) == access_test_peers[i].permitted;
		if (!right)
			(void)fprintf(stderr, "row %zu: %s\n", i, access_test_peers[i].peer);
		CHECK(right);
		access_close(&access);
		access_config_close(&config);
	}
	struct address anybody = access_test_address("192.0.2.1");
	CHECK(access_permits(NULL, &anybody));
}

static const struct {
	const char *allow, *deny;
	bool nobody;
} access_test_lists[] = {
	{ NULL, NULL, false },
	{ NULL, "0.0.0.0/0", false },
	{ NULL, "::/0", false },
	{ NULL, "::/0 0.0.0.0/0", true },
	{ NULL, "0.0.0.0/1 128.0.0.0/1 ::/0", false }, /* not seen */
	{ "192.0.2.1", NULL, false },
	{ "192.0.2.1", "::/0", false },
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.0/24", "192.0.2.1", false },
	{ "192.0.2.0/24 2001:db8::1", "0.0.0.0/0 2001:db8::/32", true },
	{ "192.0.2.0/24 2001:db8::1", "0.0.0.0/0", false },
	{ "::ffff:192.0.2.1", "192.0.0.0/16", true },
};

static void
access_test_nobody(void)
{
	for (size_t i = 0; i < sizeof access_test_lists / sizeof access_test_lists[0]; i++) {
		struct access_config config;
		struct access access;
		access_test_make(
			&access, &config, access_test_lists[i].allow, access_test_lists[i].deny);
		bool right = access_permits_nobody(&access) == access_test_lists[i].nobody;
		if (!right)
			(void)fprintf(stderr, "list %zu\n", i);
		CHECK(right);
		access_close(&access);
		access_config_close(&config);
	}
}

/* A link-local address is one at each interface; a list may say which is meant. */
static void
access_test_scopes(void)
{
	struct access_config config;
	struct access access;
	struct address peer = access_test_address("fe80::5");
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&peer.storage;
	access_test_make(&access, &config, "fe80::%1/64", NULL);
	v6->sin6_scope_id = 1;
	CHECK(access_permits(&access, &peer));
	v6->sin6_scope_id = 2;
	CHECK(!access_permits(&access, &peer));
	access_close(&access);
	access_config_close(&config);
	access_test_make(&access, &config, "fe80::/64", NULL);
	CHECK(access_permits(&access, &peer));
	access_close(&access);
	access_config_close(&config);
}

/* Who has no IP address is in no list. */
static void
access_test_others(void)
{
	struct access_config config;
	struct access access;
	struct address local = { .length = sizeof(struct sockaddr_un) };
	struct address none = { .length = 0 };
	struct address cut = access_test_address("192.0.2.1");
	local.storage.ss_family = AF_UNIX;
	cut.length = 4;
	access_test_make(&access, &config, NULL, NULL);
	CHECK(access_permits(&access, &local) && access_permits(&access, &none));
	access_close(&access);
	access_config_close(&config);
	access_test_make(&access, &config, NULL, "0.0.0.0/0,::/0");
	CHECK(access_permits(&access, &local) && access_permits(&access, &none));
	access_close(&access);
	access_config_close(&config);
	access_test_make(&access, &config, "0.0.0.0/0,::/0", NULL);
	CHECK(!access_permits(&access, &local) && !access_permits(&access, &none));
	CHECK(!access_permits(&access, &cut));
	access_close(&access);
	access_config_close(&config);
}

static void
access_test_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0)
		abort();
}

/* One line of the fault of a file's content. */
static void
access_test_file_fault(const char *path, const char *text, const char *wanted)
{
	struct access_config config = { .sources = NULL };
	struct access access;
	struct fault fault = FAULT_NONE;
	access_test_write(path, text);
	CHECK(access_config_add(&config, ACCESS_DENY, true, path, &fault));
	CHECK(access_test_await(&access, access_start(&access, &config, &fault), &fault) ==
		IO_FAIL);
	if (fault.text == NULL || strstr(fault.text, wanted) == NULL)
		(void)fprintf(stderr, "'%s': %s\n", text, fault.text);
	CHECK(fault.text != NULL && strstr(fault.text, wanted) != NULL);
	CHECK(strstr(fault.text, path) != NULL);
	fault_clear(&fault);
	access_close(&access);
	access_config_close(&config);
}

static void
access_test_files(const char *path)
{
	static const char *const good[] = { "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4",
		"192.0.2.5", "192.0.2.7", "198.51.100.255" };
	struct access_config config = { .sources = NULL };
	struct access access;
	struct fault fault = FAULT_NONE;
	access_test_write(path,
		"# a comment, with 192.0.2.99\n\n192.0.2.1\n  192.0.2.2\t192.0.2.3,192.0.2.4 # "
		"192.0.2.99\r\n"
		"192.0.2.5#192.0.2.99\nmoving.test\n198.51.100.0/24");
	CHECK(access_config_add(&config, ACCESS_ALLOW, true, path, &fault));
	CHECK(access_test_await(&access, access_start(&access, &config, &fault), &fault) == IO_OK);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct address peer = access_test_address(good[i]);
		CHECK(access_permits(&access, &peer));
	}
	struct address other = access_test_address("192.0.2.99");
	CHECK(!access_permits(&access, &other));
	CHECK(!access_permits_nobody(&access));
	access_close(&access);

	/* A list of nobody is not a list of everybody. */
	access_test_write(path, "# nobody yet\n");
	CHECK(access_test_await(&access, access_start(&access, &config, &fault), &fault) == IO_OK);
	CHECK(access_permits_nobody(&access));
	CHECK(!access_permits(&access, &other));
	access_close(&access);
	access_config_close(&config);

	access_test_file_fault(path, "192.0.2.1\n\n# x\n 10.1.2.3/8\n", "(line 4 of ");
	access_test_file_fault(path, "192.0.2.1\nno.test\n", "(line 2 of ");
	access_test_file_fault(path, "192.0.2.1\xe2\x80\x8b\n", "(line 1 of ");
	access_test_file_fault(path,
		"\xef\xbb\xbf"
		"192.0.2.1\n",
		"(line 1 of ");
	(void)unlink(path);
	CHECK(access_config_add(&config, ACCESS_ALLOW, true, path, &fault));
	CHECK(access_start(&access, &config, &fault) == IO_FAIL);
	CHECK(fault.status == STATUS_INPUT && strstr(fault.text, path) != NULL);
	CHECK(!access_permits(&access, &other));
	fault_clear(&fault);
	access_close(&access);
	access_config_close(&config);
	CHECK(access_config_add(&config, ACCESS_ALLOW, true, "/", &fault));
	CHECK(access_start(&access, &config, &fault) == IO_FAIL && fault.status == STATUS_INPUT);
	fault_clear(&fault);
	access_close(&access);
	access_config_close(&config);
}

/* What is not text, too long, or too much. */
static void
access_test_bounds(const char *path)
{
	struct access_config config = { .sources = NULL };
	struct access_source source = { .kind = ACCESS_DENY, .file = true, .text = "F" };
	struct access_list list = { .names = NULL };
	struct fault fault = FAULT_NONE;
	char word[500];
	CHECK(!access_list_add(&list, &config, &source, "192.0.2.0\0/8", 12, &fault));
	CHECK(fault.status == STATUS_VALUE);
	fault_clear(&fault);
	memset(word, '1', sizeof word);
	CHECK(!access_list_add(&list, &config, &source, word, sizeof word, &fault));
	CHECK(fault.status == STATUS_VALUE && strlen(fault.text) < 200);
	fault_clear(&fault);
	access_list_close(&list);

	bool good = true;
	for (size_t i = 0; i < ACCESS_MAX; i++)
		good = good && access_list_add(&list, &config, &source, "192.0.2.1\n", 10, &fault);
	CHECK(good && !fault_is_set(&fault));
	CHECK(!access_list_add(&list, &config, &source, "192.0.2.1\n", 10, &fault));
	CHECK(fault.status == STATUS_VALUE && strstr(fault.text, "more than 65536") != NULL);
	fault_clear(&fault);
	access_list_close(&list);

	struct access access;
	CHECK(access_config_add(&config, ACCESS_DENY, true, path, &fault));
	access_test_write(path, "192.0.2.1\n");
	CHECK(truncate(path, (off_t)ACCESS_FILE_MAX + 1) == 0);
	CHECK(access_start(&access, &config, &fault) == IO_FAIL);
	CHECK(fault.status == STATUS_VALUE && strstr(fault.text, "longer than") != NULL);
	fault_clear(&fault);
	access_close(&access);
	access_config_close(&config);
}

static void
access_test_reload(const char *path)
{
	struct access_config config = { .sources = NULL };
	struct access access;
	struct fault fault = FAULT_NONE;
	struct address one = access_test_address("192.0.2.1");
	struct address two = access_test_address("192.0.2.2");
	struct address moving = access_test_address("192.0.2.7");
	access_test_write(path, "192.0.2.1 moving.test");
	CHECK(access_config_add(&config, ACCESS_DENY, true, path, &fault));
	/* As long as there is no list nobody may. */
	enum io result = access_start(&access, &config, &fault);
	CHECK(result == IO_AGAIN && !access_permits(&access, &two));
	CHECK(strcmp(access_awaits(&access), "moving.test") == 0);
	CHECK(access_test_await(&access, result, &fault) == IO_OK);
	CHECK(access_awaits(&access) == NULL);
	CHECK(!access_permits(&access, &one) && access_permits(&access, &two));
	CHECK(!access_permits(&access, &moving));

	/* The old one holds until the new one is whole; the name stands for something else by now.
	 */
	access_test_moving = "192.0.2.9";
	access_test_write(path, "192.0.2.2\nmoving.test\n");
	result = access_reload(&access, &fault);
	CHECK(result == IO_AGAIN);
	CHECK(!access_permits(&access, &one) && access_permits(&access, &two));
	CHECK(!access_permits(&access, &moving));
	CHECK(access_test_await(&access, result, &fault) == IO_OK);
	CHECK(access_permits(&access, &one) && !access_permits(&access, &two));
	CHECK(access_permits(&access, &moving));

	/* A second request while the first is under way: what it reads counts. */
	access_test_write(path, "192.0.2.1\nmoving.test\n");
	CHECK(access_reload(&access, &fault) == IO_AGAIN);
	access_test_write(path, "192.0.2.7\n");
	CHECK(access_reload(&access, &fault) == IO_OK);
	CHECK(access_permits(&access, &one) && !access_permits(&access, &moving));

	/* Lists that cannot be made: the old one holds. */
	static const char *const bad[] = { "192.0.2.2\nx y/z\n", "192.0.2.2\nno.test\n" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		access_test_write(path, bad[i]);
		result = access_test_await(&access, access_reload(&access, &fault), &fault);
		CHECK(result == IO_FAIL && fault_is_set(&fault));
		CHECK(access_awaits(&access) == NULL);
		CHECK(access_permits(&access, &two) && !access_permits(&access, &moving));
		fault_clear(&fault);
	}
	(void)unlink(path);
	CHECK(access_reload(&access, &fault) == IO_FAIL && fault.status == STATUS_INPUT);
	CHECK(access_permits(&access, &two) && !access_permits(&access, &moving));
	fault_clear(&fault);
	/* And one that can be made after all. */
	access_test_write(path, "192.0.2.2");
	CHECK(access_reload(&access, &fault) == IO_OK);
	CHECK(!access_permits(&access, &two) && access_permits(&access, &moving));
	/* Closed in the middle of a look-up. */
	access_test_write(path, "moving.test");
	CHECK(access_reload(&access, &fault) == IO_AGAIN);
	access_close(&access);
	access_config_close(&config);
	(void)unlink(path);
}

/* What has been read to its end gives nothing the second time, which is no empty list. */
static void
access_test_pipe(void)
{
	struct access_config config = { .sources = NULL };
	struct access access;
	struct fault fault = FAULT_NONE;
	struct address peer = access_test_address("192.0.2.1");
	char path[40];
	int ends[2];
	if (pipe(ends) == -1 || write(ends[1], "192.0.2.1\n", 10) != 10)
		abort();
	(void)close(ends[1]);
	(void)snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
	CHECK(access_config_add(&config, ACCESS_DENY, true, path, &fault));
	CHECK(access_config_read(&config, &fault));
	CHECK(access_start(&access, &config, &fault) == IO_OK);
	CHECK(!access_permits(&access, &peer));
	CHECK(access_reload(&access, &fault) == IO_FAIL);
	CHECK(fault.status == STATUS_INPUT && strstr(fault.text, "no plain file") != NULL);
	CHECK(!access_permits(&access, &peer));
	fault_clear(&fault);
	access_close(&access);
	access_config_close(&config);
	(void)close(ends[0]);
}

/* ---- against a model ---- */

static uint32_t access_test_random_state = 4711;

static unsigned
access_test_random(unsigned n)
{
	access_test_random_state = access_test_random_state * 1664525 + 1013904223;
	return (access_test_random_state >> 8) % n;
}

/* Addresses of few different bits, so that prefixes are met. */
static void
access_test_random_bytes(unsigned char bytes[static 16], bool v4)
{
	memset(bytes, 0, 16);
	if (v4)
		bytes[10] = bytes[11] = 0xff;
	for (unsigned i = v4 ? 12 : 0; i < 16; i++)
		if (access_test_random(3) == 0)
			bytes[i] = (unsigned char)(access_test_random(2) == 0
					? 1U << access_test_random(8)
					: access_test_random(256));
	/* No mapped one by chance. */
	if (!v4)
		bytes[0] |= 0x20;
}

/* Both in the IPv6 form; one bit after the other. */
static bool
access_test_model(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		if (((a[i / 8] ^ b[i / 8]) & (0x80U >> (i % 8))) != 0)
			return false;
	return true;
}

static void
access_test_property(void)
{
	struct fault fault = FAULT_NONE;
	unsigned long held = 0;
	bool right = true;
	for (unsigned i = 0; i < 200000 && right; i++) {
		unsigned char rule[16], peer[16];
		char shown[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];
		bool rule_v4 = access_test_random(2) == 0, peer_v4 = access_test_random(2) == 0;
		access_test_random_bytes(rule, rule_v4);
		access_test_random_bytes(peer, peer_v4);
		/* Often the two begin alike. */
		if (rule_v4 == peer_v4 && access_test_random(2) == 0)
			memcpy(peer, rule, 12 + access_test_random(5));
		unsigned first = rule_v4 ? 96 : 0, bits = first + access_test_random(129 - first);
		for (unsigned bit = bits; bit < 128; bit++)
			rule[bit / 8] &= (unsigned char)~(0x80U >> (bit % 8));
		bool mapped = access_test_random(2) == 0;
		if (rule_v4 && !mapped) {
			(void)inet_ntop(AF_INET, rule + 12, shown, sizeof shown);
			(void)snprintf(text, sizeof text, "%s/%u", shown, bits - 96);
		} else {
			(void)inet_ntop(AF_INET6, rule, shown, sizeof shown);
			(void)snprintf(text, sizeof text, "%s/%u", shown, bits);
		}
		struct address address = { .length = sizeof(struct sockaddr_in6) };
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address.storage;
		v6->sin6_family = AF_INET6;
		memcpy(&v6->sin6_addr, peer, 16);
		if (peer_v4 && access_test_random(2) == 0) {
			(void)inet_ntop(AF_INET, peer + 12, shown, sizeof shown);
			address = access_test_address(shown);
		}
		struct network outer, inner;
		char copy[sizeof text];
		memcpy(copy, text, sizeof copy);
		right = network_parse(&outer, copy, true, &fault) == NETWORK_IS_ONE &&
			network_of(&inner, &address);
		bool model = rule_v4 == peer_v4 && access_test_model(rule, peer, bits);
		right = right && network_holds(&outer, &inner) == model;
		held += model;
		if (!right)
			(void)fprintf(stderr, "round %u: %s: %s\n", i, text,
				fault.text != NULL ? fault.text : "wrong");
	}
	CHECK(right);
	/* It was no empty question. */
	CHECK(held > 10000);
	fault_clear(&fault);
}

int
main(void)
{
	char path[] = "/tmp/sockcat-access-XXXXXX";
	int fd = mkstemp(path);
	if (fd == -1)
		abort();
	(void)close(fd);
	access_test_parse();
	access_test_permits();
	access_test_nobody();
	access_test_scopes();
	access_test_others();
	access_test_files(path);
	access_test_bounds(path);
	access_test_reload(path);
	access_test_pipe();
	access_test_property();
	(void)unlink(path);
	return check_verdict("access");
}
