/* The users and passwords of proxies; see proxy_login.h. */
#include "net/proxy_login.h"

#include <string.h>

#include "net/secret_file.h"

/* Whether the proxy may have this line. */
static bool
proxy_login_fits(const struct proxy_chain *chain, const struct proxy *proxy, const char *user)
{
	if (proxy->password != NULL)
		return false;
	return proxy->user != NULL ? strcmp(proxy->user, user) == 0 : chain->count == 1;
}

/* Cuts a line, which has no line end. */
static bool
proxy_login_cut(const struct proxy_login_lines *lines, char *line, const char **user,
	const char **password, struct fault *fault)
{
	char *colon = strchr(line, ':');
	if (colon == NULL || colon == line)
		return fault_set(fault, STATUS_VALUE, 0,
			"read %s: line %zu: expected USER:PASSWORD", lines->source, lines->number);
	*colon = '\0';
	if (strlen(line) > HANDSHAKE_SECRET_MAX || strlen(colon + 1) > HANDSHAKE_SECRET_MAX)
		return fault_set(fault, STATUS_VALUE, 0,
			"read %s: line %zu: user or password is longer than %d bytes",
			lines->source, lines->number, HANDSHAKE_SECRET_MAX);
	*user = line;
	*password = colon + 1;
	return true;
}

bool
proxy_login_line(struct proxy_login_lines *lines, const char **user, const char **password,
	struct fault *fault)
{
	char *line = secret_file_line(&lines->next, &lines->number);
	return line != NULL && proxy_login_cut(lines, line, user, password, fault);
}

bool
proxy_login_set(struct proxy_chain *chain, char *text, const char *source, struct fault *fault)
{
	struct proxy_login_lines lines = { .next = text, .source = source };
	const char *user, *password;
	while (proxy_login_line(&lines, &user, &password, fault))
		for (size_t i = 0; i < chain->count; i++) {
			struct proxy *proxy = &chain->list[i];
			if (proxy_login_fits(chain, proxy, user)) {
				proxy->user = user;
				proxy->password = password;
			}
		}
	return !fault_is_set(fault);
}
