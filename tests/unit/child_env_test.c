/* The environment of a program describes the connection and contains nothing that the peer
 * chose. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "check.h"
#include "program/child_env.h"

/* The value of a variable; NULL: not set. A duplicate is a failure. */
static const char *
child_env_test_get(char **environment, const char *name)
{
	const char *found = NULL;
	size_t length = strlen(name);
	for (size_t i = 0; environment[i] != NULL; i++) {
		if (strncmp(environment[i], name, length) != 0 || environment[i][length] != '=')
			continue;
		CHECK(found == NULL);
		found = environment[i] + length + 1;
	}
	return found;
}

static bool
child_env_test_is(char **environment, const char *name, const char *wanted)
{
	const char *value = child_env_test_get(environment, name);
	return value != NULL && strcmp(value, wanted) == 0;
}

static struct address
child_env_test_inet6(const char *text, uint16_t port)
{
	struct address address = { .length = sizeof(struct sockaddr_in6) };
	struct sockaddr_in6 *inet = (struct sockaddr_in6 *)&address.storage;
	inet->sin6_family = AF_INET6;
	inet->sin6_port = htons(port);
	CHECK(inet_pton(AF_INET6, text, &inet->sin6_addr) == 1);
	return address;
}

/* What the peer has chosen is printable and whole, or not there. */
static void
child_env_test_tls(char *const *inherited, const struct address *own, const struct address *peer,
	const struct sys_credentials *from)
{
	char **made = child_env_make(inherited, false, "tcp", own, peer, from, NULL);
	CHECK(made != NULL);
	CHECK(child_env_test_get(made, "SOCKCAT_TLS_VERIFIED") == NULL);
	CHECK(child_env_test_get(made, "SOCKCAT_TLS_PEER_SUBJECT") == NULL);
	child_env_free(made);

	struct tls_facts facts = { .version = "TLSv1.3",
		.cipher = "TLS_AES_128_GCM_SHA256",
		.alpn = "h2",
		.server_name = "www.example-1.org",
		.subject = "CN=a b\\, c",
		.pin = "sha256//x",
		.verified = true };
	made = child_env_make(inherited, true, "tcp", own, peer, from, &facts);
	CHECK(made != NULL);
	CHECK(child_env_test_is(made, "SOCKCAT_TLS_PROTOCOL", "TLSv1.3"));
	CHECK(child_env_test_is(made, "SOCKCAT_TLS_CIPHER", "TLS_AES_128_GCM_SHA256"));
	CHECK(child_env_test_is(made, "SOCKCAT_TLS_ALPN", "h2"));
	CHECK(child_env_test_is(made, "SOCKCAT_TLS_SERVER_NAME", "www.example-1.org"));
	CHECK(child_env_test_is(made, "SOCKCAT_TLS_PEER_SUBJECT", "CN=a b\\, c"));
	CHECK(child_env_test_is(made, "SOCKCAT_TLS_PEER_PIN", "sha256//x"));
	CHECK(child_env_test_is(made, "SOCKCAT_TLS_VERIFIED", "1"));
	CHECK(child_env_test_get(made, "NCAT_TLS_VERIFIED") == NULL);
	child_env_free(made);

	char text[NI_MAXHOST + 1];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	facts = (struct tls_facts){ .server_name = "$(reboot)", .subject = text, .alpn = "a\nB=c" };
	made = child_env_make(inherited, false, "tcp", own, peer, from, &facts);
	CHECK(made != NULL);
	CHECK(child_env_test_get(made, "SOCKCAT_TLS_SERVER_NAME") == NULL);
	CHECK(child_env_test_get(made, "SOCKCAT_TLS_PEER_SUBJECT") == NULL);
	CHECK(child_env_test_get(made, "SOCKCAT_TLS_ALPN") == NULL);
	CHECK(child_env_test_get(made, "SOCKCAT_TLS_PROTOCOL") == NULL);
	CHECK(child_env_test_is(made, "SOCKCAT_TLS_VERIFIED", "0"));
	child_env_free(made);
	text[NI_MAXHOST - 1] = '\0';
	made = child_env_make(inherited, false, "tcp", own, peer, from, &facts);
	CHECK(made != NULL);
	CHECK(child_env_test_is(made, "SOCKCAT_TLS_PEER_SUBJECT", text));
	child_env_free(made);
}

int
main(void)
{
	static char inherited[][40] = { "PATH=/bin", "NCAT_REMOTE_ADDR=6.6.6.6", "NCAT_PROTOCOL=x",
		"SOCKCAT_LOCAL_PORT=1", "SOCKCAT_PEER_UID=0", "NCAT_PEER_PID=1",
		"SOCKCAT_=", "NCAT_PROTO", "=odd", "EMPTY=", "PATHS=x", "LC_TIME=C", "LC=x",
		"LD_PRELOAD=x", "SOCKCAT_TLS_VERIFIED=1", "SOCKCAT_TLS_PEER_SUBJECT=CN=root" };
	char *entries[sizeof inherited / sizeof inherited[0] + 1] = { NULL };
	for (size_t i = 0; i < sizeof inherited / sizeof inherited[0]; i++)
		entries[i] = inherited[i];

	struct address own = child_env_test_inet6("2001:db8::1", 80);
	struct address peer = child_env_test_inet6("::ffff:192.0.2.7", 40000);
	struct sys_credentials nobody = { .user = SYS_NO_USER };
	char **made = child_env_make(entries, false, "tcp", &own, &peer, &nobody, NULL);
	CHECK(made != NULL);
	CHECK(child_env_test_is(made, "PATH", "/bin"));
	CHECK(child_env_test_is(made, "EMPTY", ""));
	CHECK(child_env_test_is(made, "NCAT_PROTOCOL", "x"));
	CHECK(child_env_test_is(made, "SOCKCAT_", ""));
	CHECK(child_env_test_is(made, "NCAT_PROTO", "TCP"));
	CHECK(child_env_test_is(made, "SOCKCAT_PROTO", "TCP"));
	CHECK(child_env_test_is(made, "NCAT_REMOTE_ADDR", "::ffff:192.0.2.7"));
	CHECK(child_env_test_is(made, "SOCKCAT_REMOTE_PORT", "40000"));
	CHECK(child_env_test_is(made, "NCAT_LOCAL_ADDR", "2001:db8::1"));
	CHECK(child_env_test_is(made, "SOCKCAT_LOCAL_PORT", "80"));
	CHECK(child_env_test_get(made, "SOCKCAT_PEER_UID") == NULL);
	CHECK(child_env_test_get(made, "NCAT_PEER_PID") == NULL);
	child_env_free(made);

	made = child_env_make(entries, true, "tcp", &own, &peer, &nobody, NULL);
	CHECK(made != NULL);
	size_t count = 0;
	while (made[count] != NULL)
		count++;
	CHECK(count == 2 + 10);
	CHECK(child_env_test_is(made, "PATH", "/bin"));
	CHECK(child_env_test_is(made, "LC_TIME", "C"));
	CHECK(child_env_test_is(made, "NCAT_REMOTE_ADDR", "::ffff:192.0.2.7"));
	CHECK(child_env_test_is(made, "SOCKCAT_LOCAL_PORT", "80"));
	child_env_free(made);

	/* The peer of a Unix socket chooses its name. */
	struct address none = { .length = 0 }, named = { .length = sizeof(struct sockaddr_un) };
	struct sockaddr_un *local = (struct sockaddr_un *)&named.storage;
	local->sun_family = AF_UNIX;
	memcpy(local->sun_path, "() { :; }; x", sizeof "() { :; }; x");
	struct sys_credentials from = { .user = 4294967294, .group = 100, .process = 77 };
	made = child_env_make(entries, false, "unix", &none, &named, &from, NULL);
	CHECK(made != NULL);
	CHECK(child_env_test_is(made, "NCAT_PROTO", "UNIX"));
	CHECK(child_env_test_get(made, "NCAT_REMOTE_ADDR") == NULL);
	CHECK(child_env_test_get(made, "SOCKCAT_REMOTE_PORT") == NULL);
	CHECK(child_env_test_get(made, "SOCKCAT_LOCAL_PORT") == NULL);
	CHECK(child_env_test_is(made, "SOCKCAT_PEER_UID", "4294967294"));
	CHECK(child_env_test_is(made, "SOCKCAT_PEER_GID", "100"));
	CHECK(child_env_test_is(made, "NCAT_PEER_PID", "77"));
	child_env_free(made);

	/* A process in another PID namespace. */
	from.process = 0;
	made = child_env_make(entries, false, "unix", &none, &named, &from, NULL);
	CHECK(made != NULL);
	CHECK(child_env_test_is(made, "SOCKCAT_PEER_UID", "4294967294"));
	CHECK(child_env_test_get(made, "SOCKCAT_PEER_PID") == NULL);
	child_env_free(made);

	child_env_test_tls(entries, &own, &peer, &nobody);
	child_env_free(NULL);
	return check_verdict("environment");
}
