/* Lists of user IDs; see uid_list.h. */
#include "net/uid_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/id.h"

static bool
uid_list_add_word(struct uid_list *users, const char *word, struct fault *fault)
{
	uid_t user = 0;
	if (!id_find_user("--allow-uid", word, &user, fault))
		return false;
	uid_t *longer = realloc(users->list, (users->count + 1) * sizeof *users->list);
	if (longer == NULL)
		return fault_set(fault, STATUS_MEMORY, ENOMEM, "option --allow-uid");
	users->list = longer;
	users->list[users->count++] = user;
	return true;
}

bool
uid_list_add(struct uid_list *users, const char *text, struct fault *fault)
{
	for (bool more = true; more;) {
		size_t length = strcspn(text, ",");
		char *word = strndup(text, length);
		if (word == NULL)
			return fault_set(fault, STATUS_MEMORY, ENOMEM, "option --allow-uid");
		bool good = uid_list_add_word(users, word, fault);
		free(word);
		if (!good)
			return false;
		more = text[length] == ',';
		text += length + more;
	}
	return true;
}

bool
uid_list_contains(const struct uid_list *users, uid_t user)
{
	for (size_t i = 0; i < users->count; i++)
		if (users->list[i] == user)
			return true;
	return false;
}

void
uid_list_close(struct uid_list *users)
{
	free(users->list);
	*users = (struct uid_list){ .list = NULL };
}
