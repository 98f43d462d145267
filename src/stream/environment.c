/* The environment of a program; see environment.h. */
#include "stream/environment.h"

#include <ctype.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/sys.h"

static const char *const environment_prefixes[] = { "SOCKCAT_", "NCAT_" };
static const char *const environment_names[] = { "PROTO", "REMOTE_ADDR", "REMOTE_PORT",
	"LOCAL_ADDR", "LOCAL_PORT", "PEER_UID", "PEER_GID", "PEER_PID" };
#define ENVIRONMENT_PREFIXES (sizeof environment_prefixes / sizeof environment_prefixes[0])
#define ENVIRONMENT_NAMES (sizeof environment_names / sizeof environment_names[0])

/* What of the environment every program may know, as it begins. */
static const char *const environment_common[] = { "PATH=", "HOME=", "USER=", "LOGNAME=", "SHELL=",
	"LANG=", "LANGUAGE=", "LC_", "TZ=", "TERM=", "TMPDIR=" };
#define ENVIRONMENT_COMMON (sizeof environment_common / sizeof environment_common[0])

/* What the names of one prefix are set to; "": not at all. */
struct environment_values {
	char text[ENVIRONMENT_NAMES][NI_MAXHOST];
};

static void
environment_describe(const struct address *address, char host[static NI_MAXHOST],
	char service[static NI_MAXHOST])
{
	uint32_t cid, port;
	if (sys_vsock_parts(&address->storage, &cid, &port)) {
		(void)snprintf(host, NI_MAXHOST, "%" PRIu32, cid);
		(void)snprintf(service, NI_MAXHOST, "%" PRIu32, port);
	} else if (address->length == 0 || address->storage.ss_family == AF_UNIX ||
		getnameinfo((const struct sockaddr *)&address->storage, address->length, host,
			NI_MAXHOST, service, NI_MAXHOST, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
		host[0] = service[0] = '\0';
	}
}

static void
environment_identify(const struct sys_credentials *from, char user[static NI_MAXHOST],
	char group[static NI_MAXHOST], char process[static NI_MAXHOST])
{
	user[0] = group[0] = process[0] = '\0';
	if (from->user == SYS_NO_USER)
		return;
	(void)snprintf(user, NI_MAXHOST, "%ju", (uintmax_t)from->user);
	(void)snprintf(group, NI_MAXHOST, "%ju", (uintmax_t)from->group);
	/* To a program 0 would be its own group. */
	if (from->process > 0)
		(void)snprintf(process, NI_MAXHOST, "%jd", (intmax_t)from->process);
}

/* Whether it is one of those that are set here, "NAME=…". */
static bool
environment_is_ours(const char *entry)
{
	for (size_t i = 0; i < ENVIRONMENT_PREFIXES; i++) {
		size_t prefix = strlen(environment_prefixes[i]);
		if (strncmp(entry, environment_prefixes[i], prefix) != 0)
			continue;
		for (size_t j = 0; j < ENVIRONMENT_NAMES; j++) {
			size_t name = strlen(environment_names[j]);
			if (strncmp(entry + prefix, environment_names[j], name) == 0 &&
				entry[prefix + name] == '=')
				return true;
		}
	}
	return false;
}

static bool
environment_is_common(const char *entry)
{
	for (size_t i = 0; i < ENVIRONMENT_COMMON; i++)
		if (strncmp(entry, environment_common[i], strlen(environment_common[i])) == 0)
			return true;
	return false;
}

static char *
environment_join(const char *prefix, const char *name, const char *value)
{
	size_t size = strlen(prefix) + strlen(name) + strlen(value) + sizeof "=";
	char *entry = malloc(size);
	if (entry != NULL)
		(void)snprintf(entry, size, "%s%s=%s", prefix, name, value);
	return entry;
}

char **
environment_make(char *const *inherited, bool clear, const char *protocol,
	const struct address *own, const struct address *peer, const struct sys_credentials *from)
{
	struct environment_values values;
	size_t count = 0, used = 0;
	(void)snprintf(values.text[0], NI_MAXHOST, "%s", protocol);
	for (char *at = values.text[0]; *at != '\0'; at++)
		*at = (char)toupper((unsigned char)*at);
	environment_describe(peer, values.text[1], values.text[2]);
	environment_describe(own, values.text[3], values.text[4]);
	environment_identify(from, values.text[5], values.text[6], values.text[7]);

	while (inherited[count] != NULL)
		count++;
	char **made = calloc(count + ENVIRONMENT_PREFIXES * ENVIRONMENT_NAMES + 1, sizeof *made);
	bool good = made != NULL;
	for (size_t i = 0; i < count && good; i++)
		if (!environment_is_ours(inherited[i]) &&
			(!clear || environment_is_common(inherited[i])))
			good = (made[used++] = strdup(inherited[i])) != NULL;
	for (size_t i = 0; i < ENVIRONMENT_PREFIXES; i++)
		for (size_t j = 0; j < ENVIRONMENT_NAMES && good; j++)
			if (values.text[j][0] != '\0')
				good = (made[used++] = environment_join(environment_prefixes[i],
						environment_names[j], values.text[j])) != NULL;
	if (good)
		return made;
	environment_free(made);
	return NULL;
}

void
environment_free(char **environment)
{
	for (size_t i = 0; environment != NULL && environment[i] != NULL; i++)
		free(environment[i]);
	free(environment);
}
