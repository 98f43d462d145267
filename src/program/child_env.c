/* The environment of a program; see child_env.h. */
#include "program/child_env.h"

#include <ctype.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/sys.h"

static const char *const child_env_prefixes[] = { "SOCKCAT_", "NCAT_" };
/* The names behind the first prefix; the first of them also behind the second. */
static const char *const child_env_names[] = { "PROTO", "REMOTE_ADDR", "REMOTE_PORT", "LOCAL_ADDR",
	"LOCAL_PORT", "PEER_UID", "PEER_GID", "PEER_PID", "TLS_PROTOCOL", "TLS_CIPHER", "TLS_ALPN",
	"TLS_SERVER_NAME", "TLS_PEER_SUBJECT", "TLS_PEER_PIN", "TLS_VERIFIED" };
#define CHILD_ENV_TLS 8 /* the first of TLS */
#define CHILD_ENV_PREFIXES (sizeof child_env_prefixes / sizeof child_env_prefixes[0])
#define CHILD_ENV_NAMES (sizeof child_env_names / sizeof child_env_names[0])

/* Prefixes of inherited variables that are kept with `clear`. */
static const char *const child_env_common[] = { "PATH=", "HOME=", "USER=", "LOGNAME=", "SHELL=",
	"LANG=", "LANGUAGE=", "LC_", "TZ=", "TERM=", "TMPDIR=" };
#define CHILD_ENV_COMMON (sizeof child_env_common / sizeof child_env_common[0])

/* The values of the names; "": not set. */
struct child_env_values {
	char text[CHILD_ENV_NAMES][NI_MAXHOST];
};

static void
child_env_describe(const struct address *address, char host[static NI_MAXHOST],
	char service[static NI_MAXHOST])
{
	uint32_t cid, port;
	if (sys_vsock_parts(&address->storage, &cid, &port)) {
		(void)snprintf(host, NI_MAXHOST, "%" PRIu32, cid);
		(void)snprintf(service, NI_MAXHOST, "%" PRIu32, port);
	} else if (address->length == 0 || address->any.sa_family == AF_UNIX ||
		getnameinfo(&address->any, address->length, host, NI_MAXHOST, service, NI_MAXHOST,
			NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
		host[0] = service[0] = '\0';
	}
}

static void
child_env_identify(const struct sys_credentials *from, char user[static NI_MAXHOST],
	char group[static NI_MAXHOST], char process[static NI_MAXHOST])
{
	user[0] = group[0] = process[0] = '\0';
	if (from->user == SYS_NO_USER)
		return;
	(void)snprintf(user, NI_MAXHOST, "%ju", (uintmax_t)from->user);
	(void)snprintf(group, NI_MAXHOST, "%ju", (uintmax_t)from->group);
	/* PID 0 means the own process group in kill(2): do not set it. */
	if (from->process > 0)
		(void)snprintf(process, NI_MAXHOST, "%jd", (intmax_t)from->process);
}

/* A text that the peer has chosen is left out unless it is whole and printable: a part of it could
 * be another's. */
static void
child_env_copy(char value[static NI_MAXHOST], const char *text)
{
	size_t length = text != NULL ? strlen(text) : 0;
	bool good = length < NI_MAXHOST;
	for (size_t i = 0; i < length && good; i++)
		good = text[i] >= ' ' && text[i] <= '~';
	(void)snprintf(value, NI_MAXHOST, "%s", good && length > 0 ? text : "");
}

/* The name of a server, which the client has chosen. */
static void
child_env_copy_host(char value[static NI_MAXHOST], const char *text)
{
	bool good = text != NULL;
	for (const char *at = text; good && *at != '\0'; at++)
		good = isalnum((unsigned char)*at) || strchr("-._", *at) != NULL;
	child_env_copy(value, good ? text : NULL);
}

static void
child_env_secure(const struct tls_facts *tls, char values[][NI_MAXHOST])
{
	const struct tls_facts none = { .version = NULL };
	const struct tls_facts *facts = tls != NULL ? tls : &none;
	child_env_copy(values[0], facts->version);
	child_env_copy(values[1], facts->cipher);
	child_env_copy(values[2], facts->alpn);
	child_env_copy_host(values[3], facts->server_name);
	child_env_copy(values[4], facts->subject);
	child_env_copy(values[5], facts->pin);
	child_env_copy(values[6], tls == NULL ? NULL : facts->verified ? "1" : "0");
}

/* Whether an entry "NAME=VALUE" has a name that is set here. */
static bool
child_env_is_set_here(const char *entry)
{
	for (size_t i = 0; i < CHILD_ENV_PREFIXES; i++) {
		size_t prefix = strlen(child_env_prefixes[i]);
		if (strncmp(entry, child_env_prefixes[i], prefix) != 0)
			continue;
		for (size_t j = 0; j < CHILD_ENV_NAMES; j++) {
			size_t name = strlen(child_env_names[j]);
			if (strncmp(entry + prefix, child_env_names[j], name) == 0 &&
				entry[prefix + name] == '=')
				return true;
		}
	}
	return false;
}

static bool
child_env_is_common(const char *entry)
{
	for (size_t i = 0; i < CHILD_ENV_COMMON; i++)
		if (strncmp(entry, child_env_common[i], strlen(child_env_common[i])) == 0)
			return true;
	return false;
}

static char *
child_env_join(const char *prefix, const char *name, const char *value)
{
	size_t size = strlen(prefix) + strlen(name) + strlen(value) + sizeof "=";
	char *entry = malloc(size);
	if (entry != NULL)
		(void)snprintf(entry, size, "%s%s=%s", prefix, name, value);
	return entry;
}

char **
child_env_make(char *const *inherited, bool clear, const char *protocol, const struct address *own,
	const struct address *peer, const struct sys_credentials *from, const struct tls_facts *tls)
{
	struct child_env_values values;
	size_t count = 0, used = 0;
	(void)snprintf(values.text[0], NI_MAXHOST, "%s", protocol);
	for (char *at = values.text[0]; *at != '\0'; at++)
		*at = (char)toupper((unsigned char)*at);
	child_env_describe(peer, values.text[1], values.text[2]);
	child_env_describe(own, values.text[3], values.text[4]);
	child_env_identify(from, values.text[5], values.text[6], values.text[7]);
	child_env_secure(tls, values.text + CHILD_ENV_TLS);

	while (inherited[count] != NULL)
		count++;
	char **made = calloc(count + CHILD_ENV_PREFIXES * CHILD_ENV_NAMES + 1, sizeof *made);
	bool good = made != NULL;
	for (size_t i = 0; i < count && good; i++)
		if (!child_env_is_set_here(inherited[i]) &&
			(!clear || child_env_is_common(inherited[i])))
			good = (made[used++] = strdup(inherited[i])) != NULL;
	for (size_t i = 0; i < CHILD_ENV_PREFIXES; i++)
		for (size_t j = 0; j < CHILD_ENV_NAMES && good; j++)
			if (values.text[j][0] != '\0' && (i == 0 || j < CHILD_ENV_TLS))
				good = (made[used++] = child_env_join(child_env_prefixes[i],
						child_env_names[j], values.text[j])) != NULL;
	if (good)
		return made;
	child_env_free(made);
	return NULL;
}

void
child_env_free(char **environment)
{
	for (size_t i = 0; environment != NULL && environment[i] != NULL; i++)
		free(environment[i]);
	free(environment);
}
