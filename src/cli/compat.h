/*
 * Compatibility: the defaults of sockcat and those of OpenBSD's nc, applied before the options are
 * read. Selected by --compat, or by the name by which the program was called.
 */
#ifndef SOCKCAT_CLI_COMPAT_H
#define SOCKCAT_CLI_COMPAT_H

#include "base/event.h"
#include "cli/options.h"
#include "engine/config.h"

struct compat {
	const char *program;                  /* the name in messages */
	const struct options_letter *letters; /* that differ; NULL: none */
	enum event_style style;
	const char *any;            /* the address of a listener without one; NULL: both families */
	int64_t wait;               /* for resolving and connecting */
	int64_t silence;            /* of datagrams after the end of input */
	uint64_t max_conns;         /* clients at a time over connections */
	enum config_end end;        /* at the end of input */
	enum config_end end_quit;   /* the same with --quit-after */
	struct config_rules config; /* taken over as they are */
};

/* The row for a program's name (argv[0]); the default if it is none of a row. */
const struct compat *compat_of_program(const char *path);

/* The row of a word of --compat. */
const struct compat *compat_of_word(int64_t index);

#endif
