/*
 * Listening sockets, one per address, and accepting their clients. Either all sockets are opened or
 * none.
 *
 * Without a host there is one V6ONLY socket on [::] and one on 0.0.0.0, or only one if the system
 * lacks the other family. With port 0 the system chooses one port for all sockets. For a transport
 * without connections a client is the sender of the next datagram.
 */
#ifndef SOCKCAT_NET_LISTENER_H
#define SOCKCAT_NET_LISTENER_H

#include "base/fault.h"
#include "base/pollset.h"
#include "base/io.h"
#include "net/acl.h"
#include "net/endpoint.h"
#include "net/hosts.h"
#include "net/permissions.h"
#include "net/proxy_header.h"
#include "net/proxy_trust.h"
#include "net/resolve.h"
#include "net/unix_path.h"
#include "net/sockopt.h"
#include "net/transport.h"
#include "net/uid_list.h"

/* Must outlive the listener. */
struct listener_config {
	const struct transport *transport;
	struct endpoint on;        /* host NULL: any address */
	const struct hosts *hosts; /* addresses to use in place of a look-up; NULL: none */
	const struct sockopts *options;
	const struct acl *access; /* the addresses of permitted clients; NULL: all */
	const struct proxy_trust
		*trusted;             /* clients that send a header of the PROXY protocol; `access`
					  is applied to its address later; NULL: none */
	const struct uid_list *users; /* permitted on a Unix socket; NULL or empty: all */
	struct permissions permissions; /* of a Unix socket's file */
	const int *inherited;           /* listening or bound sockets to use instead */
	size_t listen_fds_count;        /* their number, up to RESOLVE_MAX; 0: none */
	bool accepted; /* the only inherited socket is the connection of the only client */
};

struct listener_socket {
	int fd;
	struct address address;
	size_t entry;
	bool again;         /* accept(2) was tried since the last listener_ask */
	bool gives_options; /* its clients have the options (transport_set_accepted) */
	bool restore;       /* clear O_NONBLOCK on close: other processes may share the socket */
};

enum listener_state { LISTENER_RESOLVING, LISTENER_OPEN };

struct listener {
	const struct listener_config *config;
	enum listener_state state;
	struct resolve resolve;
	struct listener_socket sockets[RESOLVE_MAX];
	size_t count;
	size_t reserve;   /* set by the owner: descriptors for each client besides its socket */
	int64_t paused;   /* end of the pause after accepting or receiving failed; 0: none */
	int64_t silent;   /* when the next such failure may be reported */
	uint64_t refused; /* rejected clients, or datagrams */
	struct unix_path file;
};

struct listener_client {
	int fd; /* owned by the caller; close resets the connection (transport_abort_on_close) */
	bool has_options; /* those of every connection (transport_set_options) */
	struct address peer;
};

/* IO_OK: listening. IO_AGAIN: a name is being resolved; call listener_ask, poll, listener_step.
 * IO_FAIL: status 4, 6, 27, 45 (interface) or 101. */
enum io listener_start(
	struct listener *listener, const struct listener_config *config, struct fault *fault);
enum io listener_step(
	struct listener *listener, const struct pollset *pollset, struct fault *fault);

/* Adds the descriptors for listener_step or, once listening, listener_accept. */
void listener_ask(struct listener *listener, struct pollset *pollset);

/*
 * Accepts the next client. IO_OK; IO_AGAIN: no client is waiting, or descriptors have run out,
 * which is reported once a second; IO_FAIL: status 27 or 101. Aborted connections and network
 * errors are no failure. A client that is not permitted is counted and reset, which it cannot
 * mistake for a clean end; its datagram is dropped. Without connections the socket itself becomes
 * the client's, and the listener closes the others. With `accepted` of the config the socket is the
 * client's, too; if that is not permitted: IO_FAIL, status 103, reported already.
 */
enum io listener_accept(struct listener *listener, const struct pollset *pollset, int64_t now,
	struct listener_client *client, struct fault *fault);

/* Pauses after accepting or receiving failed, and reports the failure at most once a second. */
void listener_pause(struct listener *listener, const char *operation, int error, int64_t now);

/* Emits the event of an accepted client, with its credentials if known. `header`: from a proxy at
 * the address `from`; NULL: there was none. */
void listener_report(int fd, const struct address *peer, const struct transport *transport,
	const struct proxy_header *header, const struct address *from);

/* Whether the access list permits the peer; if not, reports and counts it. */
bool listener_permits(struct listener *listener, const struct address *peer);

/* Closes the sockets and removes the socket file unless it was replaced. A zeroed struct is
 * allowed. */
void listener_close(struct listener *listener);

#endif
