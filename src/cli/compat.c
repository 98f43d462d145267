/* Compatibility; see compat.h. */
#include "cli/compat.h"

#include <string.h>

#include "base/clock.h"

static const struct options_letter compat_letters_nc[] = {
#define LETTER(letter, option, value) { letter, OPTION_##option, value, false, NULL },
#define SIGNED(letter, option) { letter, OPTION_##option, NULL, true, NULL },
#define MISSING(letter, hint) { letter, OPTION_COUNT, NULL, false, hint },
#include "cli/compat_nc.def"
	{ .letter = 0 },
};

static const struct compat compat_own = {
	.program = "sockcat",
	.style = EVENT_STYLE_OWN,
	.wait = 30 * CLOCK_SECOND,
	.silence = 2 * CLOCK_SECOND,
	.max_conns = 100,
	.end = CONFIG_END_AUTO,
	.end_quit = CONFIG_END_AUTO,
};

#define COMPAT_NC(name) \
	{ \
		.program = (name), .letters = compat_letters_nc, .style = EVENT_STYLE_NC, \
		.any = "0.0.0.0", .wait = CLOCK_NEVER, .silence = CLOCK_NEVER, .max_conns = 1, \
		.end = CONFIG_END_KEEP, .end_quit = CONFIG_END_SHUTDOWN, \
		.config = { \
			.failure = STATUS_NO, \
			.quiet_dial = true, \
			.any_port = true, \
			.ports_as_given = true, \
			.silence_is_open = true, \
			.ends_with_peer = true, \
			.ends_idle = true, \
			.unwatched = true, \
		}, \
	}

/* The first is that of --compat=nc. */
static const struct compat compat_rows[] = { COMPAT_NC("nc"), COMPAT_NC("netcat") };

const struct compat *
compat_of_program(const char *path)
{
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : path != NULL ? path : "";
	for (size_t i = 0; i < sizeof compat_rows / sizeof compat_rows[0]; i++)
		if (strcmp(compat_rows[i].program, name) == 0)
			return &compat_rows[i];
	return &compat_own;
}

const struct compat *
compat_of_word(int64_t index)
{
	return &compat_rows[index];
}
