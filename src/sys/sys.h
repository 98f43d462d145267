/*
 * The verbs that differ between systems, and the system calls whose interruption by a signal has
 * to be handled. Nothing above this floor asks which system it runs on.
 *
 * common.c is the same everywhere; exactly one of linux.c and posix.c is built (CMake chooses).
 * Unless said otherwise a function returns -1, or false, and leaves the cause in errno.
 */
#ifndef SOCKCAT_SYS_SYS_H
#define SOCKCAT_SYS_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Where descriptors have to be asked for one by one, so many are. */
#define SYS_DESCRIPTORS 65536

/* --- common.c: system calls, restarted when a signal interrupts them --- */

ssize_t sys_readv(int fd, const struct iovec *pieces, int count);
ssize_t sys_writev(int fd, const struct iovec *pieces, int count);

/* Reads at an offset, which is not moved. */
ssize_t sys_read_at(int fd, const struct iovec *piece, off_t offset);

/* Sends without blocking and without SIGPIPE; `to` may be NULL. */
ssize_t sys_send(
	int fd, const struct iovec *pieces, int count, const struct sockaddr *to, socklen_t length);

/* Receives bytes without blocking, whatever the descriptor's flags. Descriptors that the peer
 * passes along are refused by the kernel, as there is no room for them. */
ssize_t sys_receive(int fd, const struct iovec *pieces, int count);

/* Starts a connection; false with EINPROGRESS while it is under way, also after a signal. */
bool sys_connect(int fd, const struct sockaddr *address, socklen_t length);

/* Bytes that have arrived on a stream socket and can be received. */
bool sys_readable(int fd, size_t *bytes);

/* Lets poll(2) say that a socket can be read only when so many bytes are there, or its end. False
 * where that cannot be said. */
bool sys_set_low_water(int fd, int bytes);

/* Closes and forgets a descriptor; -1 is ignored. Never tried twice (close(2), EINTR). */
bool sys_close(int *fd);

/* Whether the error says "not now"; POSIX has two names for it, which may be one. */
bool sys_would_block(int error);

/* Opens a file or device, close-on-exec; what O_CREAT makes is for all whom umask lets. */
int sys_open(const char *path, int flags);

/* Passes a copy of the descriptor over a Unix socket, with one byte that nobody needs. */
bool sys_pass_descriptor(int to, int fd);

bool sys_is_nonblocking(int fd);

/* Sets O_NONBLOCK. *was tells whether it was set before. */
bool sys_set_nonblocking(int fd, bool nonblocking, bool *was);

/* --- spawn.c: other programs --- */

/* The file that a shell would run for this name: itself if it has a '/', otherwise the first in
 * PATH that can be executed. To be freed; NULL with ENOENT, EACCES or ENOMEM. */
char *sys_find_program(const char *name);

/* A new pseudo-terminal, ends[0] for whoever plays the user, who is not blocked, and ends[1] for
 * the program; as wide and high as the first of our standard descriptors that is a terminal. */
bool sys_open_terminal(int ends[static 2]);

/* Another descriptor for the same, close-on-exec. */
int sys_duplicate(int fd);

/* What to run: the file, its words, its environment; `in` and `out` become its standard input and
 * output. With `terminal` they are one, which becomes its standard error and that of a session of
 * its own, too. `processes`: see sys_limit_processes; 0: no limit of its own. */
struct sys_program {
	const char *path;
	char *const *argv, *const *environment;
	int in, out;
	bool terminal;
	uint64_t processes;
};

/*
 * Starts it as the leader of a process group of its own, without any other descriptor than these
 * and standard error, with no signal blocked or ignored, and such that it is told to end (SIGTERM)
 * when this process dies, where the system can do that. Returns its number when it runs; -1 with
 * the error of fork(2) or execve(2). All descriptors above standard error have to be close-on-exec.
 */
pid_t sys_spawn(const struct sys_program *program);

/* --- one of linux.c, posix.c --- */

/* What a build may have or not. */
enum sys_feature { SYS_FEATURE_ALWAYS, SYS_FEATURE_LINUX };
bool sys_has(enum sys_feature feature);

/* A new socket, a new connection, a new pipe: close-on-exec and non-blocking. */
int sys_socket(int family, int type, int protocol);
int sys_accept(int listener, struct sockaddr *address, socklen_t *length);
bool sys_pipe(int ends[static 2]);

/* Marks all descriptors above standard error close-on-exec. */
void sys_close_others_on_exec(void);

/* This process gets the signal when its parent dies. */
void sys_end_with_parent(int signal);

/* From now on this process, and what it becomes, cannot start another while its user has so many;
 * never more than before. Safe between fork and execve. */
bool sys_limit_processes(uint64_t most);

/*
 * Opens again what a descriptor is open on, so that the new one has file status flags of its own
 * (O_NONBLOCK is shared by all that share an open file description).
 */
int sys_reopen(int fd, int flags);

/* Moves up to n bytes between two descriptors, one of which is a pipe, without blocking and without
 * seeing them. EINVAL or ENOSYS where the system cannot do that. */
ssize_t sys_splice(int from, int to, size_t n);

/* Lets a pipe hold more, if the system allows that; otherwise nothing changes. */
void sys_enlarge_pipe(int fd, int bytes);

/*
 * A set of descriptors to wait on, whose cost is that of what happens; -1 where the system has
 * none: then poll(2) is all there is.
 */
struct sys_fired {
	int fd;
	short events; /* as of poll(2) */
};
int sys_watcher(void);

/* What is wanted of a descriptor, which the set knows already or not. EPERM: it is always ready,
 * and not in the set. */
bool sys_watch(int watcher, int fd, short events, bool known);
void sys_unwatch(int watcher, int fd);

/* Waits as poll(2) does, and tells up to `most` descriptors that have fired; how many, or -1. */
int sys_watched(int watcher, struct sys_fired *fired, int most, int timeout);

/* Whether a TCP connection that connect(2) has promised has been made, or has failed: with Fast
 * Open it is begun only when something is sent, be it nothing. */
bool sys_is_connected(int fd);

/* Bytes sent that the peer's kernel has not acknowledged (the end of sending counts too). False
 * where that cannot be asked. */
bool sys_unacknowledged(int fd, size_t *bytes);

/* Probes an idle TCP connection after `idle` seconds, every `interval`, giving up after `count`. */
bool sys_keep_alive(int fd, int idle, int interval, int count);

/* Whose process a Unix socket was connected by, or is listened on by; `user` SYS_NO_USER: not
 * known. `process` is 0 if it cannot be seen from here. */
#define SYS_NO_USER ((uid_t)-1)
struct sys_credentials {
	uid_t user;
	gid_t group;
	pid_t process;
};
void sys_peer_credentials(int fd, struct sys_credentials *credentials);

/* Bytes that nobody can guess. */
bool sys_random(void *bytes, size_t length);

/* What one datagram brought along. */
struct sys_message {
	struct sockaddr_storage from;
	socklen_t from_length;      /* 0: the sender has no address */
	struct sockaddr_storage at; /* the own address it was sent to, port 0 */
	socklen_t at_length;        /* 0: not known */
	size_t length;
	size_t segment; /* it is several, of so many bytes each, the last may be shorter; 0: one */
	bool truncated; /* the datagram was longer than the space */
	bool end;       /* not a message: the peer has ended (connected kinds) */
};

/* Prepares a connected socket so that sys_receive_message can tell an empty message from the `end`,
 * or takes that back. Returns whether anything was changed. */
bool sys_mark_end(int fd, bool on);

/* Prepares a datagram socket so that sys_receive_message can tell `at`. */
void sys_mark_own_address(int fd);

/* The largest packet that the path of a connected socket takes, headers included. False: not known.
 */
bool sys_path_mtu(int fd, int *bytes);

/* How many datagrams the kernel has dropped on the socket for want of room. False: not known. */
bool sys_dropped(int fd, uint64_t *count);

/* Receives one datagram without blocking. `connected`: the kind has an end (seqpacket). */
ssize_t sys_receive_message(
	int fd, const struct iovec *pieces, int count, bool connected, struct sys_message *message);

/*
 * Receives up to `count` datagrams, but no more than one call brings, each at its own `slot` bytes
 * of the space. Returns how many.
 */
int sys_receive_messages(
	int fd, unsigned char *space, size_t slot, struct sys_message *messages, int count);

/* Lets the kernel join the datagrams of one peer that come together (`segment` of sys_message); or
 * takes that back. False where it cannot. */
bool sys_join_received(int fd, bool on);

/* How many datagrams, of one length and side by side in memory, one call can send as one piece that
 * the kernel cuts; 0: it cannot. For UDP sockets only. */
int sys_segments(int fd);

/*
 * Sends datagrams over a connected socket, one from each piece, in order and with as few calls as
 * possible; up to `segments` of them joined (sys_segments). Returns how many were taken, > 0.
 */
int sys_send_messages(int fd, const struct iovec *pieces, int count, int segments);

/*
 * Like sys_send, but from the own address `at` (length 0: any). A machine with several addresses
 * has to answer from the one that was asked, or the peer will not take it for the answer.
 */
ssize_t sys_send_from(int fd, const struct iovec *pieces, int count, const struct sockaddr *to,
	socklen_t length, const struct sockaddr_storage *at, socklen_t at_length);

/* Binds a Unix socket to an address that the system makes up, so that it can be answered. */
bool sys_bind_unnamed(int fd);

/* The address of a virtual machine's port, port 0 being any that is free; false where there is no
 * such family. */
bool sys_vsock_address(
	uint32_t cid, uint32_t port, struct sockaddr_storage *address, socklen_t *length);
bool sys_vsock_parts(const struct sockaddr_storage *address, uint32_t *cid, uint32_t *port);

/* Protocol numbers, -1 where the system has none. */
enum sys_protocol { SYS_UDPLITE, SYS_MPTCP, SYS_SCTP };
int sys_protocol_number(enum sys_protocol protocol);

/*
 * Removes a Unix socket file that no process listens on any more. Fails with EEXIST if the path is
 * not a socket, EADDRINUSE if the socket is alive; nothing but a dead socket is ever removed, even
 * if somebody swaps the file meanwhile, and a listener that is alive is not disturbed.
 */
bool sys_remove_dead_socket(const char *path);

/* Looks at a file, which has to be a socket with a living owner; false if it is not. */
struct stat;
bool sys_look_at_socket(const char *path, struct stat *status);

/* Removes the file only if it is (still) this one. */
bool sys_remove_same(const char *path, dev_t device, ino_t inode);

#endif
