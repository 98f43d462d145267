/* Users; see users.h. */
#include "net/users.h"

#include <errno.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

/* The highest stands for none. */
#define USERS_MAX ((uid_t)-1 - 1)

/* What looks like a number is one, whatever somebody may be called. */
static bool
users_find(const char *word, uid_t *user, struct fault *fault)
{
	uint64_t number;
	if (word[strspn(word, "0123456789")] == '\0') {
		if (parse_count(word, USERS_MAX, &number) != PARSE_OK)
			return fault_set(fault, STATUS_VALUE, 0,
				"option --allow-uid '%s': it has to be users, by name or number",
				word);
		*user = (uid_t)number;
		return true;
	}
	errno = 0;
	const struct passwd *found = getpwnam(word);
	if (found == NULL) {
		/* Each of these says no more than that there is none, getpwnam(3). */
		bool none = errno == ENOENT || errno == ESRCH || errno == EBADF || errno == EPERM;
		return fault_set(fault, STATUS_VALUE, none ? 0 : errno,
			"option --allow-uid '%s': there is no such user", word);
	}
	*user = found->pw_uid;
	return true;
}

static bool
users_add_word(struct users *users, const char *word, struct fault *fault)
{
	uid_t user;
	if (!users_find(word, &user, fault))
		return false;
	uid_t *longer = realloc(users->list, (users->count + 1) * sizeof *users->list);
	if (longer == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "option --allow-uid");
	users->list = longer;
	users->list[users->count++] = user;
	return true;
}

bool
users_add(struct users *users, const char *text, struct fault *fault)
{
	for (bool more = true; more;) {
		size_t length = strcspn(text, ",");
		char *word = strndup(text, length);
		if (word == NULL)
			return fault_set(fault, STATUS_MEMORY, ENOMEM, "option --allow-uid");
		bool good = users_add_word(users, word, fault);
		free(word);
		if (!good)
			return false;
		more = text[length] == ',';
		text += length + more;
	}
	return true;
}

bool
users_have(const struct users *users, uid_t user)
{
	for (size_t i = 0; i < users->count; i++)
		if (users->list[i] == user)
			return true;
	return false;
}

void
users_close(struct users *users)
{
	free(users->list);
	*users = (struct users){ .list = NULL };
}
