/*
 * Fuzzes the checks of an archive's names: a path, a NUL, a target, a NUL, and the end of the
 * archive. What is accepted is walked component by component and stays below the directory, and the
 * end is found wherever the bytes are split.
 */
#include <stdint.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "archive/end_blocks.h"
#include "archive/member.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Aborts unless the path consists of names. Returns the number of directories above the last. */
static long
member_fuzz_walk(const char *path)
{
	long depth = 0;
	for (const char *at = path;; depth++) {
		size_t length = strcspn(at, "/");
		if (length == 0 || length > 255 || (length == 1 && at[0] == '.') ||
			(length == 2 && memcmp(at, "..", 2) == 0))
			abort();
		for (size_t i = 0; i < length; i++)
			if ((unsigned char)at[i] < 0x20 || at[i] == 0x7f)
				abort();
		if (at[length] == '\0')
			return depth;
		at += length + 1;
	}
}

/* Aborts if a target leads above the directory at any point, or up after a name. */
static void
member_fuzz_follow(long depth, const char *target)
{
	bool named = false;
	if (target[0] == '/' || target[0] == '\0')
		abort();
	for (const char *at = target; *at != '\0';) {
		size_t length = strcspn(at, "/");
		if (length == 2 && memcmp(at, "..", 2) == 0) {
			if (--depth < 0 || named)
				abort();
		} else if (length > 0 && !(length == 1 && at[0] == '.')) {
			named = true;
		}
		at += length + (at[length] == '/');
	}
}

static char *
member_fuzz_text(const uint8_t **bytes, size_t *n)
{
	const uint8_t *end = memchr(*bytes, 0, *n);
	size_t length = end == NULL ? *n : (size_t)(end - *bytes);
	char *text = malloc(length + 1);
	if (text == NULL)
		abort();
	memcpy(text, *bytes, length);
	text[length] = '\0';
	length += end != NULL;
	*bytes += length;
	*n -= length;
	return text;
}

static void
member_fuzz_end(const uint8_t *bytes, size_t n)
{
	struct end_blocks whole = { 0 }, split = { 0 };
	size_t middle = n > 0 ? bytes[0] % n : 0;
	end_blocks_feed(&whole, bytes, n);
	end_blocks_feed(&split, bytes, middle);
	end_blocks_feed(&split, bytes + middle, n - middle);
	if (whole.total != n || split.total != n || whole.nonzero != split.nonzero)
		abort();
	for (size_t last = 0; last <= n; last++) {
		bool zeros = true;
		for (size_t i = last; i < n; i++)
			zeros &= bytes[i] == 0;
		enum end_blocks_verdict wanted = !zeros ? END_BLOCKS_AFTER
			: n - last < 1024               ? END_BLOCKS_CUT
							: END_BLOCKS_GOOD;
		if (end_blocks_check(&whole, last) != wanted)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n > 3000)
		return 0;
	char *name = member_fuzz_text(&bytes, &n), *target = member_fuzz_text(&bytes, &n);
	char *path, *again = NULL;
	if (member_check(name, &path) == NULL && path[0] != '\0') {
		long depth = member_fuzz_walk(path);
		if (member_check(path, &again) != NULL || strcmp(path, again) != 0)
			abort();
		if (member_check_target(path, target) == NULL)
			member_fuzz_follow(depth, target);
	}
	free(name);
	free(target);
	free(path);
	free(again);
	member_fuzz_end(bytes, n);
	return 0;
}
