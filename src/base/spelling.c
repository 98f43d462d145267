/* Misspelt words; see spelling.h. */
#include "base/spelling.h"

#include <stdint.h>
#include <string.h>

/* The longest name to compare, and the largest distance. */
#define SPELLING_LENGTH 32
#define SPELLING_DISTANCE 2

static size_t
spelling_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The optimal string alignment distance: insertions, deletions, substitutions and transpositions.
 * Both lengths are at most SPELLING_LENGTH. */
static size_t
spelling_edits(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t cost[SPELLING_LENGTH + 1][SPELLING_LENGTH + 1];
	for (size_t i = 0; i <= a_length; i++)
		cost[i][0] = i;
	for (size_t j = 0; j <= b_length; j++)
		cost[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		for (size_t j = 1; j <= b_length; j++) {
			size_t change = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			size_t shift = spelling_min(cost[i - 1][j], cost[i][j - 1]) + 1;
			cost[i][j] = spelling_min(change, shift);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				cost[i][j] = spelling_min(cost[i][j], cost[i - 2][j - 2] + 1);
		}
	}
	return cost[a_length][b_length];
}

size_t
spelling_distance(const char *word, size_t length, const char *name)
{
	size_t name_length = strlen(name);
	/* Short words are similar to too many names. */
	size_t max = spelling_min(length / 4, SPELLING_DISTANCE);
	if (max == 0 || length > SPELLING_LENGTH || name_length == 0 ||
		name_length > SPELLING_LENGTH)
		return SIZE_MAX;
	size_t edits = spelling_edits(word, length, name, name_length);
	return edits <= max ? edits : SIZE_MAX;
}
