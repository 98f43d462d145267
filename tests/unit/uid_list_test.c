/* Lists of users, with a getpwnam that knows two. */
#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "check.h"
#include "net/uid_list.h"

static int uid_list_test_error;

struct passwd *__wrap_getpwnam(const char *name);

struct passwd *
__wrap_getpwnam(const char *name)
{
	static struct passwd found;
	errno = uid_list_test_error;
	found.pw_uid = strcmp(name, "ada") == 0 ? 1000 : 4000000000u;
	return strcmp(name, "ada") == 0 || strcmp(name, "77x") == 0 ? &found : NULL;
}

static bool
uid_list_test_add(struct uid_list *users, const char *text)
{
	struct fault fault = FAULT_NONE;
	bool good = uid_list_add(users, text, &fault);
	CHECK(good == !fault_is_set(&fault));
	CHECK(good || fault.status == STATUS_VALUE);
	fault_clear(&fault);
	return good;
}

/* A list with one invalid word. */
static bool
uid_list_test_is_bad(const char *text)
{
	struct uid_list users = { .count = 0 };
	bool good = uid_list_test_add(&users, text);
	uid_list_close(&users);
	return !good;
}

int
main(void)
{
	struct uid_list users = { .count = 0 };
	CHECK(!uid_list_contains(&users, 0));
	CHECK(uid_list_test_add(&users, "ada,0,77x"));
	CHECK(uid_list_test_add(&users, "4294967294"));
	CHECK(users.count == 4);
	CHECK(uid_list_contains(&users, 0) && uid_list_contains(&users, 1000) &&
		uid_list_contains(&users, 4000000000u) && uid_list_contains(&users, 4294967294u));
	CHECK(!uid_list_contains(&users, 1) && !uid_list_contains(&users, 77) &&
		!uid_list_contains(&users, (uid_t)-1));
	uid_list_close(&users);

	CHECK(uid_list_test_is_bad("") && uid_list_test_is_bad(",") &&
		uid_list_test_is_bad("ada,") && uid_list_test_is_bad("0,,1") &&
		uid_list_test_is_bad("4294967295") &&
		uid_list_test_is_bad("18446744073709551616") && uid_list_test_is_bad("-1") &&
		uid_list_test_is_bad("0x0") && uid_list_test_is_bad(" 0") &&
		uid_list_test_is_bad("Ada") && uid_list_test_is_bad("bob"));
	uid_list_test_error = EIO;
	CHECK(uid_list_test_is_bad("bob"));
	CHECK(!uid_list_test_is_bad("ada"));
	return check_verdict("users");
}
