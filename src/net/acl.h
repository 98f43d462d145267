/*
 * Access lists: the addresses of permitted peers.
 *
 * A denied peer is rejected. If there is an allow list, even an empty one, all other peers are
 * rejected too. Peers without an IP address (Unix sockets) match no list.
 *
 * A list takes effect when it has been loaded completely; if loading fails, the previous list stays
 * in effect. Names are resolved to all their addresses while the list is loaded, and not later.
 */
#ifndef SOCKCAT_NET_ACL_H
#define SOCKCAT_NET_ACL_H

#include "base/fault.h"
#include "base/pollset.h"
#include "base/io.h"
#include "net/endpoint.h"
#include "net/cidr.h"
#include "net/resolve.h"

/* The most networks or names of a list, and the largest file in bytes. */
#define ACL_MAX ((size_t)65536)
#define ACL_FILE_MAX ((size_t)4 * 1024 * 1024)

enum acl_kind { ACL_ALLOW, ACL_DENY, ACL_KINDS };

/* A source of entries: an option's argument, or a file. */
struct acl_source {
	enum acl_kind kind;
	bool file;
	const char *text; /* not owned; the entries, or the path of the file */
	char *bytes;      /* owned; the contents of a file that can be read only once, or NULL */
	size_t n;         /* the size of bytes */
};

/* Must outlive the list. */
struct acl_config {
	struct acl_source *sources; /* owned, in any order */
	size_t count;
	bool numeric_only;
};

/* The networks of a kind. */
struct acl_part {
	struct cidr *list; /* owned */
	size_t count;
	bool given; /* a source of this kind exists */
};

/* A name to resolve. */
struct acl_name {
	char *host; /* owned */
	const struct acl_source *source;
	size_t line; /* in a file */
};

/* A list that is being loaded, or in effect. */
struct acl_list {
	struct acl_part parts[ACL_KINDS];
	struct acl_name *names; /* owned */
	size_t name_count;
	size_t looked_up; /* the number of resolved names */
};

struct acl {
	const struct acl_config *config; /* NULL: all peers are permitted */
	struct acl_list list;            /* in effect if `loaded` */
	struct acl_list fresh;           /* being loaded if `loading` */
	bool loaded, loading;
	struct resolve resolve;   /* of `endpoint` */
	struct endpoint endpoint; /* the name that is being resolved */
};

/* Adds a source. Status 3 for an option with an invalid entry (names are not resolved), or 27. */
bool acl_config_add(struct acl_config *config, enum acl_kind kind, bool file, const char *text,
	struct fault *fault);
void acl_config_close(struct acl_config *config);

/* Reads the sources that are not regular files, such as pipes and terminals. It may block, so call
 * it while signals still have their default action. Status 3, 26 or 27. */
bool acl_config_read(struct acl_config *config, struct fault *fault);

/*
 * Adds the entries of a text, separated by commas and blanks; in files also by line breaks, with
 * comments from '#' to the end of the line. Status 3 or 27.
 */
bool acl_list_add(struct acl_list *list, const struct acl_config *config,
	const struct acl_source *source, const char *bytes, size_t n, struct fault *fault);

/* Frees the list; a zeroed struct is allowed. */
void acl_list_close(struct acl_list *list);

/*
 * Loads the list, or reloads it; a reload in progress is abandoned. IO_OK: the list is in effect.
 * IO_AGAIN: names are being resolved; call acl_ask, poll, acl_step. IO_FAIL: the previous list
 * stays in effect; status 3, 6, 26 (a file cannot be read, or on a reload is not a regular file)
 * or 27.
 */
enum io acl_start(struct acl *acl, const struct acl_config *config, struct fault *fault);
enum io acl_reload(struct acl *acl, struct fault *fault);
void acl_ask(struct acl *acl, struct pollset *pollset);
enum io acl_step(struct acl *acl, const struct pollset *pollset, struct fault *fault);

/* The name that is being resolved; NULL: no list is being loaded. */
const char *acl_awaits(const struct acl *acl);

/* Whether the peer is permitted. NULL, or no list: all are. */
bool acl_permits(const struct acl *acl, const struct address *peer);

/* Whether no peer can be permitted: the allow list is empty, or covered by the deny list. False if
 * the lists are too long to compare. */
bool acl_permits_none(const struct acl *acl);

/* Frees the list; a zeroed struct is allowed. */
void acl_close(struct acl *acl);

#endif
