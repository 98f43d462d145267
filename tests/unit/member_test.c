/* Names in an archive, and the recognition of its end. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "archive/end_blocks.h"
#include "archive/member.h"
#include "check.h"

static void
member_test_names(void)
{
	static const char *const cases[][2] = {
		{ "a", "a" },
		{ "a/b/", "a/b" },
		{ "./a//./b/.", "a/b" },
		{ ".", "" },
		{ "./", "" },
		{ "...", "..." },
		{ "a/..b/c..", "a/..b/c.." },
		{ "\xff", "\xff" },
		{ "\xc3\xbc", "\xc3\xbc" },
		{ "", NULL },
		{ "/", NULL },
		{ "//a", NULL },
		{ "..", NULL },
		{ "a/..", NULL },
		{ "a/../b", NULL },
		{ "../a", NULL },
		{ "a\x1f", NULL },
		{ "a\x7f", NULL },
		{ "\xc2\x9b", NULL },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *path;
		const char *why = member_check(cases[i][0], &path);
		CHECK((why == NULL) == (cases[i][1] != NULL));
		CHECK((path == NULL) == (why != NULL));
		CHECK(path == NULL || cases[i][1] == NULL || strcmp(path, cases[i][1]) == 0);
		free(path);
	}
}

static void
member_test_lengths(void)
{
	char name[5000], *path;
	memset(name, 'x', sizeof name);
	name[255] = '\0';
	CHECK(member_check(name, &path) == NULL);
	free(path);
	name[255] = 'x';
	name[256] = '\0';
	CHECK(member_check(name, &path) != NULL);
	for (size_t i = 1; i < sizeof name; i += 2)
		name[i] = '/';
	name[256] = 'x';
	name[4095] = '\0';
	CHECK(member_check(name, &path) == NULL);
	free(path);
	name[4095] = '/';
	name[4096] = '\0';
	CHECK(member_check(name, &path) != NULL);
	CHECK(member_check_target("a", name) != NULL);
}

static void
member_test_targets(void)
{
	static const struct {
		const char *path, *target;
		bool good;
	} cases[] = {
		{ "a", "b", true },
		{ "a", "./b/c", true },
		{ "a", ".", true },
		{ "a", "..", false },
		{ "d/a", "..", true },
		{ "d/a", "../", true },
		{ "d/a", "./../b", true },
		{ "d/a", "../..", false },
		{ "d/e/a", "../../b", true },
		{ "d/e/a", ".././../../b", false },
		{ "d/a", "b/..", false },
		{ "d/e/a", "../b/../c", false },
		{ "a", "/", false },
		{ "a", "", false },
		{ "a", "b\n", false },
		{ "a", "..b", true },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		CHECK((member_check_target(cases[i].path, cases[i].target) == NULL) ==
			cases[i].good);
}

/* An archive of `last` bytes of entries and a tail, fed in pieces of n bytes. */
static enum end_blocks_verdict
member_test_end(size_t last, size_t zeros, size_t after, size_t n)
{
	size_t size = last + zeros + after;
	unsigned char *bytes = calloc(1, size + 1);
	struct end_blocks blocks = { 0 };
	if (bytes == NULL)
		abort();
	memset(bytes, 'x', last);
	memset(bytes + last + zeros, 'x', after);
	for (size_t i = 0; i < size; i += n)
		end_blocks_feed(&blocks, bytes + i, size - i < n ? size - i : n);
	free(bytes);
	CHECK(blocks.total == size);
	return end_blocks_check(&blocks, last);
}

static void
member_test_ends(void)
{
	static const size_t pieces[] = { 1, 511, 512, 100000 };
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		CHECK(member_test_end(512, 1024, 0, pieces[i]) == END_BLOCKS_GOOD);
		CHECK(member_test_end(512, 9728, 0, pieces[i]) == END_BLOCKS_GOOD);
		CHECK(member_test_end(0, 1024, 0, pieces[i]) == END_BLOCKS_GOOD);
		CHECK(member_test_end(512, 1023, 0, pieces[i]) == END_BLOCKS_CUT);
		CHECK(member_test_end(512, 0, 0, pieces[i]) == END_BLOCKS_CUT);
		CHECK(member_test_end(512, 1024, 1, pieces[i]) == END_BLOCKS_AFTER);
		CHECK(member_test_end(512, 512, 512, pieces[i]) == END_BLOCKS_AFTER);
	}
	CHECK(member_test_end(512, END_BLOCKS_MAX, 0, 4096) == END_BLOCKS_GOOD);
	CHECK(member_test_end(512, END_BLOCKS_MAX + 1, 0, 4096) == END_BLOCKS_AFTER);
	CHECK(end_blocks_check(&(const struct end_blocks){ .total = 100 }, 200) == END_BLOCKS_CUT);
}

int
main(void)
{
	member_test_names();
	member_test_lengths();
	member_test_targets();
	member_test_ends();
	return check_verdict("member");
}
