/* What to write instead; see hint.h. */
#include "cli/hint.h"

#include <string.h>

#include "cli/options.h"

/* Letters that mean different things elsewhere, or something that hardly anybody needs. */
static const struct {
	char letter;
	const char *hint;
} hint_letters[] = {
	{ 'a', "on macOS it is about its own interfaces; write --interface IF" },
	{ 'A', "on macOS it is about its own interfaces; write --interface IF" },
	{ 'D', "to debug the socket write --sockopt SOCKET:DEBUG:1" },
	{ 'f', "for a file or a device write <FILE >FILE" },
	{ 'g', "source routing is gone from the Internet, and from here" },
	{ 'G', "source routing is gone from the Internet, and from here" },
	{ 'H', "for keep-alive probes write --keepalive --keepalive-idle TIME" },
	{ 'L', "to go on listening write -l -k" },
	{ 'm', "for the least time to live write --min-ttl N" },
	{ 'S', "TCP MD5 signatures are not supported" },
	{ 'Z', "DCCP is gone from the kernel; there are --udp, --udplite and --sctp" },
};

bool
hint_letter(int letter, struct fault *fault)
{
	for (size_t i = 0; i < sizeof hint_letters / sizeof hint_letters[0]; i++)
		if (hint_letters[i].letter == letter)
			return fault_set(fault, STATUS_USAGE, 0,
				"option -%c: there is no such option: %s", letter,
				hint_letters[i].hint);
	return fault_set(
		fault, STATUS_USAGE, 0, "option -%c: there is no such option (see --help)", letter);
}

/* A longer word is no slip of the pen for any name. */
#define HINT_LENGTH 32
#define HINT_SLIPS 2

static size_t
hint_least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters have to be changed, added, left out or swapped with their neighbour to make one
 * word the other (optimal string alignment). Both are at most HINT_LENGTH long. */
static size_t
hint_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t cost[HINT_LENGTH + 1][HINT_LENGTH + 1];
	for (size_t i = 0; i <= a_length; i++)
		cost[i][0] = i;
	for (size_t j = 0; j <= b_length; j++)
		cost[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		for (size_t j = 1; j <= b_length; j++) {
			size_t change = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			size_t least = hint_least(cost[i - 1][j], cost[i][j - 1]) + 1;
			cost[i][j] = hint_least(change, least);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				cost[i][j] = hint_least(cost[i][j], cost[i - 2][j - 2] + 1);
		}
	}
	return cost[a_length][b_length];
}

static bool
hint_is_near(const char *word, size_t length, const char *name)
{
	size_t name_length = strlen(name);
	if (length > HINT_LENGTH || name_length == 0 || name_length > HINT_LENGTH)
		return false;
	/* Of a short word half would be another name. */
	size_t most = hint_least(length / 4, HINT_SLIPS);
	return most > 0 && hint_distance(word, length, name, name_length) <= most;
}

bool
hint_name(const char *word, struct fault *fault)
{
	const char *name = strncmp(word, "--", 2) == 0 ? word + 2 : word;
	size_t length = strcspn(name, "=");
	bool first = true;
	for (unsigned i = 0; i < OPTION_COUNT && length > 0; i++) {
		if (strncmp(option_rows[i].name, name, length) != 0)
			continue;
		if (first)
			(void)fault_set(fault, STATUS_USAGE, 0,
				"option --%.*s: it may be short for --%s", (int)length, name,
				option_rows[i].name);
		else
			fault_add(fault, ", --%s", option_rows[i].name);
		first = false;
	}
	for (unsigned i = 0; i < OPTION_COUNT && !fault_is_set(fault); i++)
		if (hint_is_near(name, length, option_rows[i].name))
			return fault_set(fault, STATUS_USAGE, 0,
				"option --%.*s: there is no such option; did you mean --%s?",
				(int)length, name, option_rows[i].name);
	return fault_set(fault, STATUS_USAGE, 0,
		"option --%.*s: there is no such option (see --help)",
		(int)hint_least(length, 1000), name);
}
