/*
 * Networks and access lists: parsing, matching against a model that compares single bits, and
 * reloading (faults D52, H94, H95).
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "net/acl.h"
#include "net/cidr.h"

int __real_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);
int __wrap_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* The only names that resolve; the address of the first changes. */
static const char *acl_test_moving = "192.0.2.7";

int
__wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **found)
{
	struct addrinfo numeric = *hints;
	if ((hints->ai_flags & AI_NUMERICHOST) == 0) {
		if (strcmp(host, "moving.test") == 0)
			host = acl_test_moving;
		else if (strcmp(host, "six.test") == 0)
			host = "2001:db8::6";
		else
			return EAI_NONAME;
	}
	numeric.ai_flags |= AI_NUMERICHOST;
	return __real_getaddrinfo(host, service, &numeric, found);
}

static const struct {
	const char *text, *fault; /* fault NULL: valid */
} acl_test_words[] = {
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
	{ "192.0.2.0/255.255.255.0", "write 192.0.2.0/24" },
	{ "192.0.2.0:255.255.255.0", "write 192.0.2.0/24" },
	{ "192.0.2.0/255.0.255.0", "from 0 to 32" },
	{ "0.0.0.0/0.0.0.0", "write 0.0.0.0/0" },
	{ "192.0.2.1/255.255.255.255", "write 192.0.2.1/32" },
	{ "192.0.2.0/99999999999999999999", "from 0 to 32" },
	{ "2001:db8::/129", "from 0 to 128" },
	{ "10.1.2.3/8", "write 10.0.0.0/8 for the network" },
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
	{ "[]", "invalid character in the name" },
	{ "/8", "must not be empty" },
	{ "::1%lo", "only a link-local address" },
	{ "fe80::1%no-such-interface", "no such interface" },
	{ "six.test/64", "a name cannot have a prefix length" },
	{ "six_test!", "invalid character in the name" },
};

static void
acl_test_parse(void)
{
	for (size_t i = 0; i < sizeof acl_test_words / sizeof acl_test_words[0]; i++) {
		struct acl_config config = { .count = 0 };
		struct fault fault = FAULT_NONE;
		const char *wanted = acl_test_words[i].fault;
		bool good =
			acl_config_add(&config, ACL_ALLOW, false, acl_test_words[i].text, &fault);
		bool right = good == (wanted == NULL) &&
			(good ||
				(fault.status == STATUS_VALUE &&
					strstr(fault.text, wanted) != NULL));
		if (!right)
			(void)fprintf(stderr, "'%s': %s\n", acl_test_words[i].text,
				good ? "taken" : fault.text);
		CHECK(right);
		fault_clear(&fault);
		acl_config_close(&config);
	}
}

static struct address
acl_test_address(const char *text)
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

/* Loads a list of two options (NULL: not given), with names resolved. */
static enum io
acl_test_await(struct acl *access, enum io result, struct fault *fault)
{
	struct pollset pollset = { .polls = NULL };
	while (result == IO_AGAIN) {
		pollset_begin(&pollset);
		acl_ask(access, &pollset);
		(void)poll(pollset.polls, (nfds_t)pollset.count, -1);
		result = acl_step(access, &pollset, fault);
	}
	pollset_close(&pollset);
	return result;
}

static void
acl_test_make(struct acl *access, struct acl_config *config, const char *allow, const char *deny)
{
	struct fault fault = FAULT_NONE;
	*config = (struct acl_config){ .sources = NULL };
	CHECK(allow == NULL || acl_config_add(config, ACL_ALLOW, false, allow, &fault));
	CHECK(deny == NULL || acl_config_add(config, ACL_DENY, false, deny, &fault));
	CHECK(acl_test_await(access, acl_start(access, config, &fault), &fault) == IO_OK);
	CHECK(!fault_is_set(&fault));
}

static const struct {
	const char *allow, *deny, *peer;
	bool permitted;
} acl_test_peers[] = {
	{ NULL, NULL, "192.0.2.1", true },
	{ "192.0.2.1", NULL, "192.0.2.1", true },
	{ "192.0.2.1", NULL, "192.0.2.2", false },
	{ "192.0.2.1", NULL, "2001:db8::1", false },
	{ NULL, "192.0.2.1", "192.0.2.1", false },
	{ NULL, "192.0.2.1", "192.0.2.2", true },
	{ NULL, "192.0.2.1", "2001:db8::1", true },
	/* Deny wins, however specific the allowed network. */
	{ "192.0.2.1", "192.0.2.0/24", "192.0.2.1", false },
	{ "192.0.2.0/24", "192.0.2.1", "192.0.2.1", false },
	{ "192.0.2.0/24", "192.0.2.1", "192.0.2.2", true },
	{ "192.0.2.0/24,198.51.100.1, 2001:db8::/32", NULL, "198.51.100.1", true },
	{ "192.0.2.0/24,198.51.100.1, 2001:db8::/32", NULL, "2001:db8:1::1", true },
	{ "192.0.2.0/24,198.51.100.1, 2001:db8::/32", NULL, "2001:db9::1", false },
	/* Boundaries of prefixes. */
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
	/* An IPv4-mapped address is the IPv4 address, on either side; ::/0 contains no IPv4. */
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
	/* All addresses of a name. */
	{ "moving.test", NULL, "192.0.2.7", true },
	{ "moving.test,six.test", NULL, "2001:db8::6", true },
	{ "moving.test", NULL, "192.0.2.8", false },
	{ NULL, "moving.test", "::ffff:192.0.2.7", false },
};

static void
acl_test_permits(void)
{
	for (size_t i = 0; i < sizeof acl_test_peers / sizeof acl_test_peers[0]; i++) {
		struct acl_config config;
		struct acl access;
		struct address peer = acl_test_address(acl_test_peers[i].peer);
		acl_test_make(&access, &config, acl_test_peers[i].allow, acl_test_peers[i].deny);
		bool right = acl_permits(&access, &peer) == acl_test_peers[i].permitted;
		if (!right)
			(void)fprintf(stderr, "row %zu: %s\n", i, acl_test_peers[i].peer);
		CHECK(right);
		acl_close(&access);
		acl_config_close(&config);
	}
	struct address anybody = acl_test_address("192.0.2.1");
	CHECK(acl_permits(NULL, &anybody));
}

static const struct {
	const char *allow, *deny;
	bool none;
} acl_test_lists[] = {
	{ NULL, NULL, false },
	{ NULL, "0.0.0.0/0", false },
	{ NULL, "::/0", false },
	{ NULL, "::/0 0.0.0.0/0", true },
	{ NULL, "0.0.0.0/1 128.0.0.0/1 ::/0", false }, /* not detected */
	{ "192.0.2.1", NULL, false },
	{ "192.0.2.1", "::/0", false },
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.0/24", "192.0.2.1", false },
	{ "192.0.2.0/24 2001:db8::1", "0.0.0.0/0 2001:db8::/32", true },
	{ "192.0.2.0/24 2001:db8::1", "0.0.0.0/0", false },
	{ "::ffff:192.0.2.1", "192.0.0.0/16", true },
};

static void
acl_test_none(void)
{
	for (size_t i = 0; i < sizeof acl_test_lists / sizeof acl_test_lists[0]; i++) {
		struct acl_config config;
		struct acl access;
		acl_test_make(&access, &config, acl_test_lists[i].allow, acl_test_lists[i].deny);
		bool right = acl_permits_none(&access) == acl_test_lists[i].none;
		if (!right)
			(void)fprintf(stderr, "list %zu\n", i);
		CHECK(right);
		acl_close(&access);
		acl_config_close(&config);
	}
}

/* A link-local address is relative to an interface, which a list may name. */
static void
acl_test_scopes(void)
{
	struct acl_config config;
	struct acl access;
	struct address peer = acl_test_address("fe80::5");
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&peer.storage;
	acl_test_make(&access, &config, "fe80::%1/64", NULL);
	v6->sin6_scope_id = 1;
	CHECK(acl_permits(&access, &peer));
	v6->sin6_scope_id = 2;
	CHECK(!acl_permits(&access, &peer));
	acl_close(&access);
	acl_config_close(&config);
	acl_test_make(&access, &config, "fe80::/64", NULL);
	CHECK(acl_permits(&access, &peer));
	acl_close(&access);
	acl_config_close(&config);
}

/* Peers without an IP address match no list. */
static void
acl_test_others(void)
{
	struct acl_config config;
	struct acl access;
	struct address local = { .length = sizeof(struct sockaddr_un) };
	struct address none = { .length = 0 };
	struct address cut = acl_test_address("192.0.2.1");
	local.storage.ss_family = AF_UNIX;
	cut.length = 4;
	acl_test_make(&access, &config, NULL, NULL);
	CHECK(acl_permits(&access, &local) && acl_permits(&access, &none));
	acl_close(&access);
	acl_config_close(&config);
	acl_test_make(&access, &config, NULL, "0.0.0.0/0,::/0");
	CHECK(acl_permits(&access, &local) && acl_permits(&access, &none));
	acl_close(&access);
	acl_config_close(&config);
	acl_test_make(&access, &config, "0.0.0.0/0,::/0", NULL);
	CHECK(!acl_permits(&access, &local) && !acl_permits(&access, &none));
	CHECK(!acl_permits(&access, &cut));
	acl_close(&access);
	acl_config_close(&config);
}

static void
acl_test_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0)
		abort();
}

/* Checks the fault of a file's content. */
static void
acl_test_file_fault(const char *path, const char *text, const char *wanted)
{
	struct acl_config config = { .sources = NULL };
	struct acl access;
	struct fault fault = FAULT_NONE;
	acl_test_write(path, text);
	CHECK(acl_config_add(&config, ACL_DENY, true, path, &fault));
	CHECK(acl_test_await(&access, acl_start(&access, &config, &fault), &fault) == IO_FAIL);
	if (fault.text == NULL || strstr(fault.text, wanted) == NULL)
		(void)fprintf(stderr, "'%s': %s\n", text, fault.text);
	CHECK(fault.text != NULL && strstr(fault.text, wanted) != NULL);
	CHECK(strstr(fault.text, path) != NULL);
	fault_clear(&fault);
	acl_close(&access);
	acl_config_close(&config);
}

static void
acl_test_files(const char *path)
{
	static const char *const good[] = { "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4",
		"192.0.2.5", "192.0.2.7", "198.51.100.255" };
	struct acl_config config = { .sources = NULL };
	struct acl access;
	struct fault fault = FAULT_NONE;
	acl_test_write(path,
		"# a comment, with 192.0.2.99\n\n192.0.2.1\n  192.0.2.2\t192.0.2.3,192.0.2.4 # "
		"192.0.2.99\r\n"
		"192.0.2.5#192.0.2.99\nmoving.test\n198.51.100.0/24");
	CHECK(acl_config_add(&config, ACL_ALLOW, true, path, &fault));
	CHECK(acl_test_await(&access, acl_start(&access, &config, &fault), &fault) == IO_OK);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct address peer = acl_test_address(good[i]);
		CHECK(acl_permits(&access, &peer));
	}
	struct address other = acl_test_address("192.0.2.99");
	CHECK(!acl_permits(&access, &other));
	CHECK(!acl_permits_none(&access));
	acl_close(&access);

	/* An empty allow list is not the same as none. */
	acl_test_write(path, "# empty\n");
	CHECK(acl_test_await(&access, acl_start(&access, &config, &fault), &fault) == IO_OK);
	CHECK(acl_permits_none(&access));
	CHECK(!acl_permits(&access, &other));
	acl_close(&access);
	acl_config_close(&config);

	acl_test_file_fault(path, "192.0.2.1\n\n# x\n 10.1.2.3/8\n", "(line 4 of ");
	acl_test_file_fault(path, "192.0.2.1\nno.test\n", "(line 2 of ");
	acl_test_file_fault(path, "192.0.2.1\xe2\x80\x8b\n", "(line 1 of ");
	acl_test_file_fault(path,
		"\xef\xbb\xbf"
		"192.0.2.1\n",
		"(line 1 of ");
	(void)unlink(path);
	CHECK(acl_config_add(&config, ACL_ALLOW, true, path, &fault));
	CHECK(acl_start(&access, &config, &fault) == IO_FAIL);
	CHECK(fault.status == STATUS_INPUT && strstr(fault.text, path) != NULL);
	CHECK(!acl_permits(&access, &other));
	fault_clear(&fault);
	acl_close(&access);
	acl_config_close(&config);
	CHECK(acl_config_add(&config, ACL_ALLOW, true, "/", &fault));
	CHECK(acl_start(&access, &config, &fault) == IO_FAIL && fault.status == STATUS_INPUT);
	fault_clear(&fault);
	acl_close(&access);
	acl_config_close(&config);
}

/* Binary data, long words, and too many entries. */
static void
acl_test_bounds(const char *path)
{
	struct acl_config config = { .sources = NULL };
	struct acl_source source = { .kind = ACL_DENY, .file = true, .text = "F" };
	struct acl_list list = { .names = NULL };
	struct fault fault = FAULT_NONE;
	char word[500];
	CHECK(!acl_list_add(&list, &config, &source, "192.0.2.0\0/8", 12, &fault));
	CHECK(fault.status == STATUS_VALUE);
	fault_clear(&fault);
	memset(word, '1', sizeof word);
	CHECK(!acl_list_add(&list, &config, &source, word, sizeof word, &fault));
	CHECK(fault.status == STATUS_VALUE && strlen(fault.text) < 200);
	fault_clear(&fault);
	acl_list_close(&list);

	bool good = true;
	for (size_t i = 0; i < ACL_MAX; i++)
		good = good && acl_list_add(&list, &config, &source, "192.0.2.1\n", 10, &fault);
	CHECK(good && !fault_is_set(&fault));
	CHECK(!acl_list_add(&list, &config, &source, "192.0.2.1\n", 10, &fault));
	CHECK(fault.status == STATUS_VALUE && strstr(fault.text, "more than 65536") != NULL);
	fault_clear(&fault);
	acl_list_close(&list);

	struct acl access;
	CHECK(acl_config_add(&config, ACL_DENY, true, path, &fault));
	acl_test_write(path, "192.0.2.1\n");
	CHECK(truncate(path, (off_t)ACL_FILE_MAX + 1) == 0);
	CHECK(acl_start(&access, &config, &fault) == IO_FAIL);
	CHECK(fault.status == STATUS_VALUE && strstr(fault.text, "longer than") != NULL);
	fault_clear(&fault);
	acl_close(&access);
	acl_config_close(&config);
}

static void
acl_test_reload(const char *path)
{
	struct acl_config config = { .sources = NULL };
	struct acl access;
	struct fault fault = FAULT_NONE;
	struct address one = acl_test_address("192.0.2.1");
	struct address two = acl_test_address("192.0.2.2");
	struct address moving = acl_test_address("192.0.2.7");
	acl_test_write(path, "192.0.2.1 moving.test");
	CHECK(acl_config_add(&config, ACL_DENY, true, path, &fault));
	/* Until the first list is loaded no peer is permitted. */
	enum io result = acl_start(&access, &config, &fault);
	CHECK(result == IO_AGAIN && !acl_permits(&access, &two));
	CHECK(strcmp(acl_awaits(&access), "moving.test") == 0);
	CHECK(acl_test_await(&access, result, &fault) == IO_OK);
	CHECK(acl_awaits(&access) == NULL);
	CHECK(!acl_permits(&access, &one) && acl_permits(&access, &two));
	CHECK(!acl_permits(&access, &moving));

	/* The old list stays in effect until the new one is complete; the name has another address
	 * now. */
	acl_test_moving = "192.0.2.9";
	acl_test_write(path, "192.0.2.2\nmoving.test\n");
	result = acl_reload(&access, &fault);
	CHECK(result == IO_AGAIN);
	CHECK(!acl_permits(&access, &one) && acl_permits(&access, &two));
	CHECK(!acl_permits(&access, &moving));
	CHECK(acl_test_await(&access, result, &fault) == IO_OK);
	CHECK(acl_permits(&access, &one) && !acl_permits(&access, &two));
	CHECK(acl_permits(&access, &moving));

	/* A reload during a reload: the last one counts. */
	acl_test_write(path, "192.0.2.1\nmoving.test\n");
	CHECK(acl_reload(&access, &fault) == IO_AGAIN);
	acl_test_write(path, "192.0.2.7\n");
	CHECK(acl_reload(&access, &fault) == IO_OK);
	CHECK(acl_permits(&access, &one) && !acl_permits(&access, &moving));

	/* Failed reloads: the old list stays in effect. */
	static const char *const bad[] = { "192.0.2.2\nx y/z\n", "192.0.2.2\nno.test\n" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		acl_test_write(path, bad[i]);
		result = acl_test_await(&access, acl_reload(&access, &fault), &fault);
		CHECK(result == IO_FAIL && fault_is_set(&fault));
		CHECK(acl_awaits(&access) == NULL);
		CHECK(acl_permits(&access, &two) && !acl_permits(&access, &moving));
		fault_clear(&fault);
	}
	(void)unlink(path);
	CHECK(acl_reload(&access, &fault) == IO_FAIL && fault.status == STATUS_INPUT);
	CHECK(acl_permits(&access, &two) && !acl_permits(&access, &moving));
	fault_clear(&fault);
	/* A reload that succeeds after them. */
	acl_test_write(path, "192.0.2.2");
	CHECK(acl_reload(&access, &fault) == IO_OK);
	CHECK(!acl_permits(&access, &two) && acl_permits(&access, &moving));
	/* Closed during a look-up. */
	acl_test_write(path, "moving.test");
	CHECK(acl_reload(&access, &fault) == IO_AGAIN);
	acl_close(&access);
	acl_config_close(&config);
	(void)unlink(path);
}

/* A pipe can be read once; a reload is an error, not an empty list. */
static void
acl_test_pipe(void)
{
	struct acl_config config = { .sources = NULL };
	struct acl access;
	struct fault fault = FAULT_NONE;
	struct address peer = acl_test_address("192.0.2.1");
	char path[40];
	int ends[2];
	if (pipe(ends) == -1 || write(ends[1], "192.0.2.1\n", 10) != 10)
		abort();
	(void)close(ends[1]);
	(void)snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
	CHECK(acl_config_add(&config, ACL_DENY, true, path, &fault));
	CHECK(acl_config_read(&config, &fault));
	CHECK(acl_start(&access, &config, &fault) == IO_OK);
	CHECK(!acl_permits(&access, &peer));
	CHECK(acl_reload(&access, &fault) == IO_FAIL);
	CHECK(fault.status == STATUS_INPUT && strstr(fault.text, "not a regular file") != NULL);
	CHECK(!acl_permits(&access, &peer));
	fault_clear(&fault);
	acl_close(&access);
	acl_config_close(&config);
	(void)close(ends[0]);
}

/* ---- against a model ---- */

static uint32_t acl_test_random_state = 4711;

static unsigned
acl_test_random(unsigned n)
{
	acl_test_random_state = acl_test_random_state * 1664525 + 1013904223;
	return (acl_test_random_state >> 8) % n;
}

/* Addresses with few different bits, so that prefixes match. */
static void
acl_test_random_bytes(unsigned char bytes[static 16], bool v4)
{
	memset(bytes, 0, 16);
	if (v4)
		bytes[10] = bytes[11] = 0xff;
	for (unsigned i = v4 ? 12 : 0; i < 16; i++)
		if (acl_test_random(3) == 0)
			bytes[i] =
				(unsigned char)(acl_test_random(2) == 0 ? 1U << acl_test_random(8)
									: acl_test_random(256));
	/* Avoid IPv4-mapped addresses. */
	if (!v4)
		bytes[0] |= 0x20;
}

/* Both in IPv6 form; compares bit by bit. */
static bool
acl_test_model(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		if (((a[i / 8] ^ b[i / 8]) & (0x80U >> (i % 8))) != 0)
			return false;
	return true;
}

static void
acl_test_property(void)
{
	struct fault fault = FAULT_NONE;
	unsigned long held = 0;
	bool right = true;
	for (unsigned i = 0; i < 200000 && right; i++) {
		unsigned char rule[16], peer[16];
		char shown[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];
		bool rule_v4 = acl_test_random(2) == 0, peer_v4 = acl_test_random(2) == 0;
		acl_test_random_bytes(rule, rule_v4);
		acl_test_random_bytes(peer, peer_v4);
		/* Often make both begin with the same bits. */
		if (rule_v4 == peer_v4 && acl_test_random(2) == 0)
			memcpy(peer, rule, 12 + acl_test_random(5));
		unsigned first = rule_v4 ? 96 : 0, bits = first + acl_test_random(129 - first);
		for (unsigned bit = bits; bit < 128; bit++)
			rule[bit / 8] &= (unsigned char)~(0x80U >> (bit % 8));
		bool mapped = acl_test_random(2) == 0;
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
		if (peer_v4 && acl_test_random(2) == 0) {
			(void)inet_ntop(AF_INET, peer + 12, shown, sizeof shown);
			address = acl_test_address(shown);
		}
		struct cidr outer, inner;
		char copy[sizeof text];
		memcpy(copy, text, sizeof copy);
		right = cidr_parse(&outer, copy, true, &fault) == CIDR_NETWORK &&
			cidr_from(&inner, &address);
		bool model = rule_v4 == peer_v4 && acl_test_model(rule, peer, bits);
		right = right && cidr_contains(&outer, &inner) == model;
		held += model;
		if (!right)
			(void)fprintf(stderr, "round %u: %s: %s\n", i, text,
				fault.text != NULL ? fault.text : "wrong");
	}
	CHECK(right);
	/* Enough addresses matched. */
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
	acl_test_parse();
	acl_test_permits();
	acl_test_none();
	acl_test_scopes();
	acl_test_others();
	acl_test_files(path);
	acl_test_bounds(path);
	acl_test_reload(path);
	acl_test_pipe();
	acl_test_property();
	(void)unlink(path);
	return check_verdict("access");
}
