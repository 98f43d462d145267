/* The configuration of a run: the validated command line with all defaults. */
#ifndef SOCKCAT_ENGINE_CONFIG_H
#define SOCKCAT_ENGINE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/event.h"
#include "flow/flow.h"
#include "frame/frame.h"
#include "net/acl.h"
#include "net/banner.h"
#include "net/dial.h"
#include "net/endpoint.h"
#include "net/hosts.h"
#include "net/proxy.h"
#include "net/proxy_header.h"
#include "net/proxy_trust.h"
#include "net/targets.h"
#include "net/resolve.h"
#include "net/sockopt.h"
#include "net/transport.h"
#include "net/permissions.h"
#include "net/uid_list.h"
#include "broadcast/bus.h"
#include "filter/capture.h"
#include "filter/file.h"
#include "filter/proxy_sender.h"
#include "filter/proxy_server.h"
#include "filter/tls_filter.h"

struct mode;
struct service;

/* Which end finishes the session. */
enum config_until {
	CONFIG_UNTIL_DEFAULT,
	CONFIG_UNTIL_BOTH,
	CONFIG_UNTIL_PEER,
	CONFIG_UNTIL_INPUT,
	CONFIG_UNTIL_EITHER
};

/* What the end of standard input does to the connection. */
enum config_end {
	CONFIG_END_AUTO,     /* as SHUTDOWN, but as KEEP if a client has sent an HTTP/1 request */
	CONFIG_END_SHUTDOWN, /* half-close */
	CONFIG_END_KEEP,     /* nothing */
	CONFIG_END_CLOSE     /* the session ends when all is sent and acknowledged */
};

/* The message formats. */
struct config_frames {
	bool used; /* false: only the socket keeps messages */
	struct frame wire, input, output;
	enum channel_oversize oversize;
};

/* Files instead of standard input and output. */
struct config_files {
	const char *in;  /* it is open as standard input; NULL: none was given */
	const char *out; /* where to write received data (file_pattern.h); NULL: standard output */
	const char *device;      /* it is open as standard output; NULL: none was given */
	struct file_config file; /* of `out` */
};

/* The headers of the PROXY protocol; a version is 0 if there is none. */
struct config_header {
	enum proxy_header_version send;    /* to the endpoint that is connected to */
	enum proxy_header_version forward; /* to that of --to, about the client */
	struct address source;             /* instead of the real one; length 0: none */
	enum proxy_header_version accept;  /* from clients at the trusted addresses */
	struct proxy_trust trust;
};

/* The destination of --to. */
struct config_to {
	const struct transport *transport; /* NULL: no --to */
	struct endpoint endpoint;
	bool secure; /* by TLS */
	struct tls_filter_config tls;
};

/* How the run shows how far it has got. */
enum config_progress_form {
	CONFIG_PROGRESS_NONE,
	CONFIG_PROGRESS_BAR, /* on a terminal; otherwise as LINE */
	CONFIG_PROGRESS_LINE,
	CONFIG_PROGRESS_JSON
};

struct config_progress {
	enum config_progress_form form;
	uint64_t size; /* all bytes of the direction that is shown; 0: as its source says */
};

/* The report of the run. */
struct config_report {
	enum event_report format;
	const char *name; /* the path, or the name of the descriptor for messages; not owned */
	int fd;           /* -1: the path */
};

/* The program that serves each connection. */
struct config_program {
	char *path;         /* owned: the executable; NULL: no program */
	char **argv;        /* owned array of borrowed strings */
	const char *name;   /* for messages; not owned */
	bool status;        /* exit with its status */
	bool strict;        /* see struct exec_config */
	bool terminal;      /* use a pseudo-terminal */
	bool raw;           /* the terminal is in raw mode */
	bool clear;         /* minimal environment */
	uint64_t processes; /* see sys_limit_processes; 0: no limit */
};

/* The files of --send, and where those of --receive are stored. */
struct config_transfer {
	const char **files; /* owned array of borrowed paths */
	size_t count;
	const char *directory; /* not owned */
	char **tree_options;   /* owned array of borrowed strings: of sockcat-archive */
	uint64_t max_size;     /* of a file that is received; 0: no limit */
	mode_t mask;           /* permissions that stored files do not get */
	bool replace;          /* existing files */
	bool resume;           /* continue parts of earlier runs */
	int64_t greeting;      /* the span to wait for the other side's */
};

/* What has to be open of what is probed. */
enum config_needs {
	CONFIG_NEEDS_NAMED, /* each port that was named, and one of each range and network */
	CONFIG_NEEDS_ANY,
	CONFIG_NEEDS_ALL
};

struct config_scan {
	size_t parallel; /* probes at a time; 0: as many as is good */
	int64_t limit;   /* of all of them, a span */
	int64_t silence; /* of a datagram that is not answered, a span */
	enum config_needs needs;
};

/* What tries again and again. */
struct config_repeat {
	int64_t interval;  /* between the starts of two tries */
	int64_t limit;     /* of waiting, a span */
	bool until_closed; /* wait for a target that is not open */
	uint64_t tries;    /* of a ping */
	bool limits_loss;  /* false: a ping succeeds if one try does */
	uint64_t max_loss; /* parts per million */
};

/* What depends on the program that is imitated (cli/compat.h). */
struct config_rules {
	enum status failure;  /* the status of every failure; STATUS_OK: its own */
	bool quiet_dial;      /* see struct dial_config */
	bool any_port;        /* a probe succeeds if one port is open */
	bool ports_as_given;  /* probe them in the order of the command line */
	bool silence_is_open; /* of a datagram port that is probed */
	bool ends_with_peer;  /* a single session ends as those of -k do */
	bool ends_idle;       /* see struct relay_rules */
	bool unwatched;       /* see struct stdio_config; not if standard input is not read */
};

struct config {
	const struct mode *mode;
	const struct service *service;
	const struct transport *transport;
	struct endpoint endpoint;   /* to connect to or listen on */
	struct targets targets;     /* to probe instead of the endpoint */
	int inherited[RESOLVE_MAX]; /* inherited sockets to use instead of the endpoint */
	size_t listen_fds_count;    /* their number, more than 1 only with -l; 0: none */
	bool accepted; /* with -l: that is no listening socket, but the connection of a client */
	char *listen_fds_name;      /* owned: "fd://NAME" as written; NULL: LISTEN_FDS */
	struct address local;       /* to bind before connecting; length 0: none */
	uint16_t local_port;        /* to bind without a local address; 0: none */
	struct hosts hosts;         /* addresses to use in place of a look-up */
	struct proxy_chain proxies; /* to connect through */
	struct config_header header;
	struct banner_config banner; /* of the ports that are probed */
	struct sockopts sockopts;
	struct acl_config access;       /* permitted clients */
	struct uid_list users;          /* permitted users of a Unix socket; empty: all */
	struct permissions permissions; /* of the file of a listening Unix socket */
	struct capture_config capture;
	struct config_frames frames;
	struct config_files files;
	struct config_to to; /* with --proxy-server: only the transport */
	struct proxy_server_config proxy_server;
	struct tls_filter_config tls; /* of the connections */
	struct tls_files tls_files;
	struct config_scan scan;
	struct config_program program; /* serves connections, or runs after waiting */
	struct config_repeat repeat;
	struct config_transfer transfer;
	struct config_report report;
	struct config_progress progress;
	int64_t wait;              /* spans; CLOCK_NEVER: no limit */
	struct retry_config retry; /* of connecting */
	int64_t stagger;           /* see struct dial_config */
	int64_t accept_wait;
	int64_t grace;   /* for the clients at SIGTERM */
	int64_t silence; /* the end of a peer without an end, while the listener finishes */
	int64_t idle;
	int64_t quit_after;
	int64_t linger;
	struct stage stages[7];         /* of the sending flow, up to one without operations */
	struct stage receive_stages[6]; /* the same of the receiving flow */
	const char *digest_file;        /* not owned; NULL: none */
	uint64_t receive_limit;         /* messages; 0: none */
	uint64_t max_children;          /* programs at a time, including terminating ones */
	uint64_t max_conns;             /* clients at a time */
	uint64_t max_per_host;          /* clients of one address; 0: no limit */
	uint64_t max_accepts;           /* clients in all; 0: no limit */
	size_t queue;                   /* the limit of a queue in bytes */
	enum bus_slow slow;             /* the policy for a full queue */
	const char *nick;               /* the operator's name in a chat; not owned */
	bool refuse;                    /* reject clients above a limit instead of queueing them */
	enum config_until until;
	enum config_end end;
	const char *end_reason; /* why it is not the default, for messages; NULL: --end */
	int ready_fd;           /* -1: none */
	char *notify;           /* owned: NOTIFY_SOCKET (sd_notify(3)); NULL: none */
	bool keep_open;
	bool no_input;  /* standard input is not read */
	bool no_output; /* received data is discarded */
	bool telnet;
	bool raw;
	bool no_splice; /* every byte passes through the process */
	struct config_rules rules;
	enum event_style style;
	bool stats;   /* print a summary of each session */
	bool numeric; /* look up no names of ports for messages */
	unsigned verbose;
};

/* Whether a read returns one datagram only: --recv-limit counts them, and UDP GRO would affect
 * other processes that share an inherited socket. */
static inline bool
config_reads_single(const struct config *config)
{
	return config->receive_limit > 0 || config->listen_fds_count > 0;
}

/* The configuration of a dial that starts now. */
struct dial_config config_dial(const struct config *config, int64_t now);

/* The same for a port of a target. */
struct dial_config config_dial_target(
	const struct config *config, const struct target *target, uint16_t port, int64_t now);

/* The same for --to. */
struct dial_config config_dial_to(const struct config *config, struct retry *retried, int64_t now);

/* The header that is sent to the endpoint. */
struct proxy_sender_config config_header(const struct config *config);

/* Whether a client at this address has to send a header. */
bool config_trusts(const struct config *config, const struct address *peer);

/* Frees everything; a zeroed struct is allowed. */
void config_close(struct config *config);

#endif
