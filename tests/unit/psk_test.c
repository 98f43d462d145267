/* Files of pre-shared keys. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "plugin/psk.h"

#define PSK_TEST_KEY "000102030405060708090a0b0c0d0eFF"

static const char *psk_test_chosen;

static bool
psk_test_parse(struct psk_list *list, const char *text)
{
	struct fault fault = FAULT_NONE;
	bool good = psk_parse(list, strdup(text), psk_test_chosen, "file", &fault);
	CHECK(good == !fault_is_set(&fault));
	CHECK(good || fault.status == STATUS_CREDENTIALS);
	fault_clear(&fault);
	return good;
}

static bool
psk_test_is_bad(const char *text)
{
	struct psk_list list = { .count = 0 };
	bool good = psk_test_parse(&list, text);
	psk_close(&list);
	return !good;
}

static void
psk_test_good(void)
{
	static const unsigned char key[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
		255 };
	struct psk_list list = { .count = 0 };
	CHECK(psk_test_parse(
		&list, "# keys\n\nada:" PSK_TEST_KEY "\r\nurn:a:b:" PSK_TEST_KEY PSK_TEST_KEY));
	CHECK(list.count == 2);
	const struct psk *found = psk_find(&list, "ada", 3);
	CHECK(found == &list.keys[0] && found->size == 16 && memcmp(found->key, key, 16) == 0);
	found = psk_find(&list, "urn:a:b", 7);
	CHECK(found != NULL && found->size == 32 && memcmp(found->key + 16, key, 16) == 0);
	CHECK(psk_find(&list, "ad", 2) == NULL);
	CHECK(psk_find(&list, "ada\0", 4) == NULL);
	CHECK(psk_find(&list, "", 0) == NULL);
	psk_close(&list);
	psk_close(&list);
}

/* The key of an identity that was chosen is the first. */
static void
psk_test_choose(void)
{
	struct psk_list list = { .count = 0 };
	psk_test_chosen = "bob";
	CHECK(psk_test_parse(&list, "ada:" PSK_TEST_KEY "\nbob:" PSK_TEST_KEY PSK_TEST_KEY));
	CHECK(list.count == 2 && strcmp(list.keys[0].identity, "bob") == 0 &&
		list.keys[0].size == 32);
	CHECK(strcmp(list.keys[1].identity, "ada") == 0 && list.keys[1].size == 16);
	psk_close(&list);
	CHECK(psk_test_parse(&list, PSK_TEST_KEY "\n"));
	CHECK(list.count == 1 && strcmp(list.keys[0].identity, "bob") == 0 &&
		list.keys[0].size == 16);
	psk_close(&list);
	CHECK(psk_test_is_bad("ada:" PSK_TEST_KEY));
	CHECK(psk_test_is_bad("bob:" PSK_TEST_KEY "\n" PSK_TEST_KEY PSK_TEST_KEY));
	CHECK(psk_test_is_bad("bob"));
	CHECK(psk_test_is_bad(":" PSK_TEST_KEY));
	psk_test_chosen = NULL;
	CHECK(psk_test_is_bad(PSK_TEST_KEY));
}

static void
psk_test_bad(void)
{
	char longest[PSK_IDENTITY_MAX + sizeof PSK_TEST_KEY + 2];
	CHECK(psk_test_is_bad(""));
	CHECK(psk_test_is_bad("# none\n"));
	CHECK(psk_test_is_bad("ada"));
	CHECK(psk_test_is_bad(":" PSK_TEST_KEY));
	CHECK(psk_test_is_bad("ada:"));
	CHECK(psk_test_is_bad("ada:000102030405060708090a0b0c0d0e"));
	CHECK(psk_test_is_bad("ada:000102030405060708090a0b0c0d0e0"));
	CHECK(psk_test_is_bad("ada:000102030405060708090a0b0c0d0e0g"));
	CHECK(psk_test_is_bad("ada:000102030405060708090a0b0c0d0e/0"));
	CHECK(psk_test_is_bad("ada: " PSK_TEST_KEY));
	CHECK(psk_test_is_bad("ada:" PSK_TEST_KEY PSK_TEST_KEY PSK_TEST_KEY PSK_TEST_KEY "00"));
	CHECK(psk_test_is_bad("ada:" PSK_TEST_KEY "\nada:" PSK_TEST_KEY PSK_TEST_KEY));
	CHECK(psk_test_is_bad("ada:" PSK_TEST_KEY "\nbob"));
	memset(longest, 'x', PSK_IDENTITY_MAX + 1);
	memcpy(longest + PSK_IDENTITY_MAX + 1, ":" PSK_TEST_KEY, sizeof PSK_TEST_KEY + 1);
	CHECK(psk_test_is_bad(longest));
	CHECK(!psk_test_is_bad(longest + 1));
}

int
main(void)
{
	psk_test_good();
	psk_test_choose();
	psk_test_bad();
	return check_verdict("psk");
}
