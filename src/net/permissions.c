/* Permissions of a socket file; see permissions.h. */
#include "net/permissions.h"

#include <stdlib.h>
#include <string.h>

bool
permissions_parse(
	struct permissions *permissions, const char *mode, const char *group, struct fault *fault)
{
	*permissions = PERMISSIONS_OWNER;
	if (group != NULL)
		permissions->mode = 0660;
	if (mode != NULL) {
		size_t digits = strspn(mode, "01234567");
		permissions->mode = (mode_t)strtoul(mode, NULL, 8);
		if (mode[digits] != '\0' || digits == 0 || digits > 4 || permissions->mode > 0777)
			return fault_set(fault, STATUS_VALUE, 0,
				"invalid --mode '%s': expected octal permissions such as 0660",
				mode);
	}
	return group == NULL || id_find_group("--group", group, &permissions->group, fault);
}
