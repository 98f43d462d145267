/* Users and groups; see id.h. */
#include "net/id.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "base/parse.h"

static bool
id_is_number(const char *text)
{
	return text[strspn(text, "0123456789")] == '\0';
}

static bool
id_number(const char *option, const char *noun, const char *text, uint64_t max, uint64_t *number,
	struct fault *fault)
{
	return parse_count(text, max, number) == PARSE_OK ||
		fault_set(fault, STATUS_VALUE, 0,
			"invalid %s '%s': expected a %s, by name or number", option, text, noun);
}

/* getpwnam(3), getgrnam(3): some values of errno mean that there is none. */
static bool
id_missing(const char *option, const char *noun, const char *text, struct fault *fault)
{
	bool none = errno == ENOENT || errno == ESRCH || errno == EBADF || errno == EPERM;
	return fault_set(fault, STATUS_VALUE, none ? 0 : errno, "invalid %s '%s': no such %s",
		option, text, noun);
}

bool
id_find_user(const char *option, const char *text, uid_t *user, struct fault *fault)
{
	uint64_t number = 0;
	if (id_is_number(text)) {
		bool good = id_number(option, "user", text, ID_NO_USER - 1, &number, fault);
		*user = (uid_t)number;
		return good;
	}
	errno = 0;
	const struct passwd *found = getpwnam(text);
	if (found == NULL)
		return id_missing(option, "user", text, fault);
	*user = found->pw_uid;
	return true;
}

bool
id_find_group(const char *option, const char *text, gid_t *group, struct fault *fault)
{
	uint64_t number = 0;
	if (id_is_number(text)) {
		bool good = id_number(option, "group", text, ID_NO_GROUP - 1, &number, fault);
		*group = (gid_t)number;
		return good;
	}
	errno = 0;
	const struct group *found = getgrnam(text);
	if (found == NULL)
		return id_missing(option, "group", text, fault);
	*group = found->gr_gid;
	return true;
}

bool
id_is_private(gid_t group, uid_t user)
{
	const struct passwd *owner = getpwuid(user);
	const struct group *found =
		owner != NULL && owner->pw_gid == group ? getgrgid(group) : NULL;
	if (found == NULL || strcmp(found->gr_name, owner->pw_name) != 0)
		return false;
	for (char **member = found->gr_mem; *member != NULL; member++)
		if (strcmp(*member, owner->pw_name) != 0)
			return false;
	return true;
}
