/*
 * Access lists: who may be a peer.
 *
 * What is denied may not. If anybody is allowed by name, nobody else may: also if the list of those
 * is empty, as a file may be. Peers that have no IP address (Unix sockets) are in no list.
 *
 * A list is made whole before it comes into force, so that nobody is ever judged by half of one,
 * and one that cannot be made leaves the old one in force. Names are looked up while it is made,
 * and all their addresses count; what a name stands for later does not matter.
 */
#ifndef SOCKCAT_NET_ACCESS_H
#define SOCKCAT_NET_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "base/interest.h"
#include "base/io.h"
#include "net/endpoint.h"
#include "net/network.h"
#include "net/resolve.h"

/* The most that a list holds, addresses of names included, and the longest file. */
#define ACCESS_MAX ((size_t)65536)
#define ACCESS_FILE_MAX ((size_t)4 * 1024 * 1024)

enum access_kind { ACCESS_ALLOW, ACCESS_DENY, ACCESS_KINDS };

/* Where a part of the list comes from: an option, whose argument is the list, or the path of one.
 */
struct access_source {
	enum access_kind kind;
	bool file;
	const char *text; /* not owned */
	char *bytes;      /* owned: what a file had that can be read only once; NULL: none */
	size_t n;
};

/* What is wanted; outlives the list. */
struct access_config {
	struct access_source *sources; /* owned, in any order */
	size_t count;
	bool numeric_only;
};

/* Networks of a kind. */
struct access_part {
	struct network *list; /* owned */
	size_t count, capacity;
	bool given; /* there is a source of the kind */
};

/* A name to be looked up. */
struct access_name {
	char *host; /* owned */
	const struct access_source *source;
	size_t line; /* of a file */
};

/* A list while it is made, and when it is. */
struct access_list {
	struct access_part parts[ACCESS_KINDS];
	struct access_name *names; /* owned: those from `looked_up` on are still to be */
	size_t name_count, name_capacity, looked_up;
};

struct access {
	const struct access_config *config; /* NULL: everybody may */
	struct access_list list, fresh;     /* the one in force, and the one that is made */
	bool loaded, loading;               /* there is the one, there is the other */
	struct resolve resolve;             /* of the name that is looked up, … */
	struct endpoint endpoint;           /* … and that */
};

/* Adds a source. Status 3 if the words of an option are none of a list (names are not looked up),
 * 27. */
bool access_config_add(struct access_config *config, enum access_kind kind, bool file,
	const char *text, struct fault *fault);
void access_config_close(struct access_config *config);

/* Reads the sources that are pipes, terminals and the like, which may last: to be called while a
 * signal still ends the process by itself. Status 3, 26 or 27. */
bool access_config_read(struct access_config *config, struct fault *fault);

/*
 * Adds what stands in a text: words that commas and blanks part; in a file's also lines, and
 * comments from '#' to the end of theirs. Status 3, or 27.
 */
bool access_list_add(struct access_list *list, const struct access_config *config,
	const struct access_source *source, const char *bytes, size_t n, struct fault *fault);

/* Frees it; also good on a zeroed struct. */
void access_list_close(struct access_list *list);

/*
 * Makes the list, or makes it anew (at any time: what is under way is given up). IO_OK: it is in
 * force; IO_AGAIN: names are being looked up: ask, wait, step; IO_FAIL: status 3, 6, 26 (a file
 * cannot be read; anew also: it is not a plain one, and has nothing more to give) or 27, and what
 * was in force still is.
 */
enum io access_start(
	struct access *access, const struct access_config *config, struct fault *fault);
enum io access_reload(struct access *access, struct fault *fault);
void access_ask(struct access *access, struct interest *interest);
enum io access_step(struct access *access, const struct interest *interest, struct fault *fault);

/* The name that is being looked up, NULL: no list is being made. */
const char *access_awaits(const struct access *access);

/* Whether the peer may come. NULL, or no list given: everybody may. */
bool access_permits(const struct access *access, const struct address *peer);

/* Whether there is certainly nobody who might: none is allowed, or each of them is denied. */
bool access_permits_nobody(const struct access *access);

/* Frees it; also good on a zeroed struct. */
void access_close(struct access *access);

#endif
