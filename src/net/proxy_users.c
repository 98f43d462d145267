/* The users of a proxy server; see proxy_users.h. */
#include "net/proxy_users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/handshake.h"
#include "net/proxy_login.h"
#include "net/secret_file.h"

static bool
proxy_users_add(struct proxy_users *users, const struct proxy_user *user, struct fault *fault)
{
	struct proxy_user *list = realloc(users->list, (users->count + 1) * sizeof *list);
	if (list == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "--proxy-auth-file");
	users->list = list;
	list[users->count++] = *user;
	return true;
}

bool
proxy_users_read(struct proxy_users *users, const char *path, struct fault *fault)
{
	struct proxy_login_lines lines = { .source = path };
	struct proxy_user user;
	users->text = lines.next = secret_file_read(path, STATUS_INPUT, fault);
	if (users->text == NULL)
		return false;
	while (proxy_login_line(&lines, &user.name, &user.password, fault))
		if (!proxy_users_add(users, &user, fault))
			return false;
	if (fault_is_set(fault))
		return false;
	return users->count > 0 ||
		fault_set(fault, STATUS_VALUE, 0, "read %s: no USER:PASSWORD", path);
}

/* Whether they differ, without a branch that depends on a byte. */
static unsigned
proxy_users_differ(const char *known, const void *given, size_t length)
{
	unsigned char a[HANDSHAKE_SECRET_MAX] = { 0 }, b[HANDSHAKE_SECRET_MAX] = { 0 };
	size_t known_length = strlen(known);
	unsigned differ = known_length != length;
	memcpy(a, known, known_length);
	if (length > 0)
		memcpy(b, given, length);
	for (size_t i = 0; i < sizeof a; i++)
		differ |= a[i] ^ b[i];
	return differ;
}

bool
proxy_users_match(const struct proxy_users *users, const void *name, size_t name_length,
	const void *password, size_t password_length)
{
	unsigned matches = 0;
	if (name_length > HANDSHAKE_SECRET_MAX || password_length > HANDSHAKE_SECRET_MAX)
		return false;
	for (size_t i = 0; i < users->count; i++) {
		const struct proxy_user *user = &users->list[i];
		unsigned differ = proxy_users_differ(user->name, name, name_length);
		differ |= proxy_users_differ(user->password, password, password_length);
		matches |= differ == 0;
	}
	return matches != 0;
}

void
proxy_users_close(struct proxy_users *users)
{
	free(users->text);
	free(users->list);
	*users = (struct proxy_users){ .text = NULL };
}
