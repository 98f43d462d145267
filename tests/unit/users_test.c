/* Lists of users, on a machine that has two. */
#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "check.h"
#include "net/users.h"

static int users_test_error;

struct passwd *__wrap_getpwnam(const char *name);

struct passwd *
__wrap_getpwnam(const char *name)
{
	static struct passwd found;
	errno = users_test_error;
	found.pw_uid = strcmp(name, "ada") == 0 ? 1000 : 4000000000u;
	return strcmp(name, "ada") == 0 || strcmp(name, "77x") == 0 ? &found : NULL;
}

static bool
users_test_add(struct users *users, const char *text)
{
	struct fault fault = FAULT_NONE;
	bool good = users_add(users, text, &fault);
	CHECK(good == !fault_is_set(&fault));
	CHECK(good || fault.status == STATUS_VALUE);
	fault_clear(&fault);
	return good;
}

/* A list of one word, which is no user. */
static bool
users_test_is_bad(const char *text)
{
	struct users users = { .count = 0 };
	bool good = users_test_add(&users, text);
	users_close(&users);
	return !good;
}

int
main(void)
{
	struct users users = { .count = 0 };
	CHECK(!users_have(&users, 0));
	CHECK(users_test_add(&users, "ada,0,77x"));
	CHECK(users_test_add(&users, "4294967294"));
	CHECK(users.count == 4);
	CHECK(users_have(&users, 0) && users_have(&users, 1000) &&
		users_have(&users, 4000000000u) && users_have(&users, 4294967294u));
	CHECK(!users_have(&users, 1) && !users_have(&users, 77) && !users_have(&users, (uid_t)-1));
	users_close(&users);

	CHECK(users_test_is_bad("") && users_test_is_bad(",") && users_test_is_bad("ada,") &&
		users_test_is_bad("0,,1") && users_test_is_bad("4294967295") &&
		users_test_is_bad("18446744073709551616") && users_test_is_bad("-1") &&
		users_test_is_bad("0x0") && users_test_is_bad(" 0") && users_test_is_bad("Ada") &&
		users_test_is_bad("bob"));
	users_test_error = EIO;
	CHECK(users_test_is_bad("bob"));
	CHECK(!users_test_is_bad("ada"));
	return check_verdict("users");
}
