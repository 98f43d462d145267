/*
 * Operations that differ between systems, and system calls restarted after EINTR. No other module
 * tests which system it runs on.
 *
 * common.c and spawn.c are built everywhere, and either the linux*.c files or posix.c (CMake
 * chooses). Unless stated otherwise a function fails with -1 or false and errno.
 */
#ifndef SOCKCAT_SYS_SYS_H
#define SOCKCAT_SYS_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* The number of descriptors to check where each takes a system call. */
#define SYS_DESCRIPTORS 65536

/* --- common.c: system calls, restarted when a signal interrupts them --- */

ssize_t sys_readv(int fd, const struct iovec *pieces, int count);
ssize_t sys_writev(int fd, const struct iovec *pieces, int count);

/* Reads at `offset`; the file offset does not change. */
ssize_t sys_read_at(int fd, const struct iovec *piece, off_t offset);

/* Sends without blocking and without SIGPIPE; `to` may be NULL. */
ssize_t sys_send(
	int fd, const struct iovec *pieces, int count, const struct sockaddr *to, socklen_t length);

/* Receives bytes without blocking, whatever the descriptor's flags. The kernel discards descriptors
 * that the peer passes, as there is no control buffer for them. */
ssize_t sys_receive(int fd, const struct iovec *pieces, int count);

/* Starts a connection; false with EINPROGRESS while it is pending, also after EINTR. */
bool sys_connect(int fd, const struct sockaddr *address, socklen_t length);

/* The number of bytes that can be received from a stream socket. */
bool sys_readable(int fd, size_t *bytes);

/*
 * The amount of data written to a socket or a pipe that the other side has not consumed:
 * unacknowledged bytes (TCP), the memory of unread data (Unix sockets), unread bytes (pipes). The
 * units differ, but a decrease always means that the other side consumed some. False for any other
 * file, and where the system does not report it.
 */
bool sys_untaken(int fd, size_t *amount);

/* The bytes of a regular file from the offset of the descriptor on; 0: another kind of file. */
uint64_t sys_rest_of_file(int fd);

/* The columns of a terminal; 0: not known. */
size_t sys_columns(int fd);

/* Makes poll(2) report a socket readable only when `bytes` bytes have arrived, or its end
 * (SO_RCVLOWAT). */
bool sys_set_low_water(int fd, int bytes);

/* Closes the descriptor and sets it to -1; -1 is ignored. Not retried after EINTR (close(2)). */
bool sys_close(int *fd);

/* Whether the error is EAGAIN or EWOULDBLOCK, which may have the same value. */
bool sys_would_block(int error);

/* Opens a file or device, close-on-exec; O_CREAT creates it with mode 0666 less the umask. */
int sys_open(const char *path, int flags);

/* The same; O_CREAT creates it for the user only. */
int sys_open_private(const char *path, int flags);

/* Starts a thread in which all signals are blocked: the main thread handles them. *thread is to be
 * joined; NULL: it is detached. */
bool sys_start_thread(void *(*run)(void *), void *argument, pthread_t *thread);

/* Passes a descriptor over a Unix socket without blocking, with one NUL byte of data, as some
 * systems do not transmit control messages alone. */
bool sys_pass_descriptor(int to, int fd);

/* Raises the limit of descriptors to `count` if that is permitted; returns the limit. */
size_t sys_allow_descriptors(size_t count);

/* Marks all descriptors above standard error close-on-exec. */
void sys_close_others_on_exec(void);

bool sys_is_nonblocking(int fd);

/* Sets or clears O_NONBLOCK. *was, unless NULL, is the former state. */
bool sys_set_nonblocking(int fd, bool nonblocking, bool *was);

/*
 * Loads a shared object by its absolute path, for the rest of the run, and returns the address of
 * one of its symbols. NULL with *cause, a text that is valid until the next call.
 */
const void *sys_load(const char *path, const char *symbol, const char **cause);

/* --- spawn.c: running programs --- */

/* Finds a program as a shell does: the name itself if it contains a '/', otherwise the first
 * executable file in PATH. The caller frees it; NULL with ENOENT, EACCES or ENOMEM. */
char *sys_find_program(const char *name);

/* Opens a pseudo-terminal, in raw mode if `raw`: ends[0] is its master, non-blocking, ends[1] its
 * slave. The window size is copied from the first standard descriptor that is a terminal. On
 * failure the caller closes the ends that are not -1. */
bool sys_open_terminal(int ends[static 2], bool raw);

/* Duplicates a descriptor, close-on-exec. */
int sys_duplicate(int fd);

/* Whether `count` more descriptors can be opened within RLIMIT_NOFILE; false with EMFILE otherwise.
 * Does not open any, since other threads need them too. */
bool sys_can_open(size_t count);

struct sys_program {
	const char *path;
	char *const *argv, *const *environment;
	int in, out;   /* become its standard input and output */
	int report;    /* becomes its standard error; -1: that is inherited */
	bool terminal; /* in == out is a terminal: also its standard error and controlling one */
	uint64_t processes; /* see sys_limit_processes; 0: no limit */
};

/*
 * Starts a program as the leader of a new session and process group, with no descriptors but in,
 * out and standard error, with no signal blocked or ignored. Where the system supports it, the
 * program receives SIGTERM when this process dies. Returns its process ID after execve(2)
 * succeeded; -1 with the error of fork(2) or execve(2). All descriptors above standard error must
 * be close-on-exec.
 */
pid_t sys_spawn(const struct sys_program *program);

/* --- one of linux.c, posix.c --- */

/* Features that depend on the system. */
enum sys_feature { SYS_FEATURE_ALWAYS, SYS_FEATURE_LINUX };
bool sys_has(enum sys_feature feature);

/* Their descriptors are close-on-exec and non-blocking. */
int sys_socket(int family, int type, int protocol);
int sys_accept(int listener, struct sockaddr *address, socklen_t *length);
bool sys_pipe(int ends[static 2]);

/*
 * The directory of the running executable, its symbolic links resolved, and the owner of the
 * executable. The caller frees it. NULL, and *owner unchanged, where the system does not tell, and
 * in a process that has privileges which its caller has not.
 */
char *sys_program_folder(uid_t *owner);

/* Requests the signal for this process when its parent dies. */
void sys_end_with_parent(int signal);

/* Limits the processes of this process's user (RLIMIT_NPROC), also after execve(2); never raises
 * the limit. Safe between fork and execve. */
bool sys_limit_processes(uint64_t count);

/* Whether the descriptor is open for `access`, O_RDONLY or O_WRONLY; true if unknown. */
bool sys_is_open_for(int fd, int access);

/*
 * Reopens the file of a descriptor, so that the new descriptor has its own file status flags
 * (descriptors that share an open file description share O_NONBLOCK).
 */
int sys_reopen(int fd, int flags);

/* Moves up to n bytes between two descriptors, one of which is a pipe, inside the kernel and
 * without blocking (splice(2)). EINVAL or ENOSYS if not supported. */
ssize_t sys_splice(int from, int to, size_t n);

/* Enlarges the capacity of a pipe if the system allows it. */
void sys_enlarge_pipe(int fd, int bytes);

/* Opens a set of descriptors to wait for whose cost does not grow with the idle ones (epoll(7)); -1
 * where the system has none: use poll(2). */
int sys_watcher(void);

/* Adds a descriptor, or if it is `known` changes its events (as of poll(2)). EPERM: it is always
 * ready, and not added. */
bool sys_watch(int watcher, int fd, short events, bool known);
void sys_unwatch(int watcher, int fd);

struct sys_fired {
	int fd;
	short events; /* as of poll(2) */
};

/* Waits like poll(2); returns the number of descriptors stored in fired[capacity], or -1. */
int sys_watched(int watcher, struct sys_fired *fired, int capacity, int timeout);

/* Whether an accepted TCP socket has the options of the listening one. */
bool sys_accepts_options(void);

/* Whether a TCP socket whose connection was refused can be connected again. POSIX leaves the state
 * of such a socket open (connect). */
bool sys_can_reconnect(void);

/* Whether a TCP connection is established, or has failed, after connect(2) returned success: with
 * Fast Open the handshake begins with the first send, even an empty one. */
bool sys_is_connected(int fd);

/* The bytes sent, and the FIN, that the peer's kernel has not acknowledged. False where the system
 * does not report them. */
bool sys_unacknowledged(int fd, size_t *bytes);

/* Whether a TCP connection ended because keep-alive probes were not answered: all data sent had
 * been acknowledged, and the peer did not reset the connection. False where the system does not
 * report it. */
bool sys_ended_by_probe(int fd);

/* What the kernel has measured of a TCP connection. False where it does not report that. */
struct sys_tcp_state {
	uint64_t round_trip, variation; /* nanoseconds, smoothed */
	uint64_t retransmissions;       /* segments sent again */
};
bool sys_tcp_state(int fd, struct sys_tcp_state *state);

/* Probes an idle TCP connection after `idle` seconds, every `interval`, giving up after `count`. */
bool sys_keep_alive(int fd, int idle, int interval, int count);

/* The process that connected, or listens on, the other end of a Unix socket. */
#define SYS_NO_USER ((uid_t)-1)
struct sys_credentials {
	uid_t user; /* SYS_NO_USER: none of the fields is known */
	gid_t group;
	pid_t process; /* 0: in another PID namespace */
};
void sys_peer_credentials(int fd, struct sys_credentials *credentials);

/* Fills with unpredictable bytes. */
bool sys_random(void *bytes, size_t length);

/* The metadata of a received datagram. */
struct sys_message {
	struct sockaddr_storage from;
	socklen_t from_length;      /* 0: the sender has no address */
	struct sockaddr_storage at; /* the own address it was sent to, port 0 */
	socklen_t at_length;        /* 0: not known */
	size_t length;
	size_t segment; /* several datagrams of this length, the last may be shorter; 0: one */
	bool truncated; /* the datagram was longer than the space */
	bool end;       /* no datagram: the peer closed the connection (seqpacket) */
};

/* Lets sys_receive_message distinguish an empty message from `end` on a connected socket (sets
 * SO_PASSCRED), or undoes that. Returns whether the option changed. */
bool sys_mark_end(int fd, bool on);

/* Lets sys_receive_message fill in `at` for a datagram socket. */
void sys_mark_own_address(int fd);

/* The path MTU of a connected socket in bytes, headers included. False: not known. */
bool sys_path_mtu(int fd, int *bytes);

/* The number of datagrams that the kernel dropped because the receive buffer was full. False: not
 * known. */
bool sys_dropped(int fd, uint64_t *count);

/* The length of the next message, without receiving it. False with EAGAIN if there is none,
 * EOPNOTSUPP where the system does not report it, or another error. */
bool sys_next_length(int fd, size_t *length);

/* Receives one datagram without blocking. `connected`: the socket can have an `end` (seqpacket). */
ssize_t sys_receive_message(
	int fd, const struct iovec *pieces, int count, bool connected, struct sys_message *message);

/*
 * Receives up to `count` datagrams with one call, datagram i into the `slot` bytes at
 * space + i * slot. Returns their number, or -1.
 */
int sys_receive_messages(
	int fd, unsigned char *space, size_t slot, struct sys_message *messages, int count);

/* Turns UDP GRO on or off: the kernel joins consecutive datagrams of one sender (`segment` of
 * sys_message). False where it is not supported. */
bool sys_join_received(int fd, bool on);

/* The number of datagrams, of one length and contiguous in memory, that one call can send for the
 * kernel to split (UDP GSO); 0: not supported. For UDP sockets only. */
int sys_segments(int fd);

/*
 * Sends one datagram from each piece over a connected socket, in order, joining up to `segments` of
 * them (sys_segments). Returns the number sent, > 0, or -1.
 */
int sys_send_messages(int fd, const struct iovec *pieces, int count, int segments);

/*
 * Like sys_send, with the source address `at` (length 0: any). A host with several addresses has to
 * reply from the address that the request was sent to, or the peer ignores the reply.
 */
ssize_t sys_send_from(int fd, const struct iovec *pieces, int count, const struct sockaddr *to,
	socklen_t length, const struct sockaddr_storage *at, socklen_t at_length);

/* Binds a Unix socket to an address that the system chooses, so that the peer can reply. */
bool sys_bind_unnamed(int fd);

/* Makes the AF_VSOCK address of a virtual machine's port, 0 for any free one, and the reverse.
 * False where the system has no AF_VSOCK, or the address is of another family. */
bool sys_vsock_address(
	uint32_t cid, uint32_t port, struct sockaddr_storage *address, socklen_t *length);
bool sys_vsock_parts(const struct sockaddr_storage *address, uint32_t *cid, uint32_t *port);

/* The protocol number; -1: not supported. */
enum sys_protocol { SYS_UDPLITE, SYS_MPTCP, SYS_SCTP };
int sys_protocol_number(enum sys_protocol protocol);

/*
 * Removes a stale Unix socket, one that no process has open. Fails with EEXIST if the path is not a
 * socket, EADDRINUSE if the socket is in use, EACCES if that cannot be determined, ENOENT if the
 * file is gone. Never removes another file, even if it replaces the socket meanwhile, and does not
 * disturb a listener (posix.c: but for a race).
 */
bool sys_remove_dead_socket(const char *path);

/* Gets the status of a Unix socket's file; false unless it is a socket that a process has open. */
struct stat;
bool sys_look_at_socket(const char *path, struct stat *status);

/*
 * Sets the group and then the mode of a socket's file that has this device and inode number and no
 * permissions yet; otherwise fails with ESTALE. Does not follow a symbolic link that replaces it
 * meanwhile (posix.c: but for a race).
 */
bool sys_set_access(const char *path, dev_t device, ino_t inode, mode_t mode, gid_t group);

/* Opens a directory, to open and rename files in it; one that may not be listed only for that, so
 * that fsync(2) fails with EBADF (posix.c: fails with EACCES). */
int sys_open_directory(const char *path);

/* Renames a file of the directory; fails with EEXIST if there is one of the new name (posix.c, and
 * where the file system has no such operation: by link(2) and unlink(2), so both names may remain).
 */
bool sys_rename_new(int directory, const char *from, const char *to);

/* Removes the file if it has this device and inode number; otherwise fails with ESTALE. */
bool sys_remove_same(const char *path, dev_t device, ino_t inode);

/*
 * Confines this process, for the rest of its life, to creating, writing, renaming and removing files
 * below the directory, with `empties` also directories: no other file can be opened, also none can
 * be read or executed there, and no TCP connection made (landlock(7), as far as the kernel knows
 * it). ENOSYS or EOPNOTSUPP: the kernel does not have it, or it is switched off.
 */
bool sys_confine(int directory, bool empties);

/* Whether sys_sync_all writes all files of a file system, not only the directory itself. */
bool sys_can_sync_all(void);

/* Writes everything that the file system of the directory has not written yet to its disk. */
bool sys_sync_all(int directory);

/* Whether the umask alone decides which permissions files get in the directory and in those made
 * there, not an access control list. False: not known. */
bool sys_has_plain_modes(int directory);

/* The file type of a directory entry, as in st_mode; 0: not known. */
struct dirent;
mode_t sys_entry_type(const struct dirent *entry);

/* The next range with data, from `from` up to `end`, the file's size; none: *start is `end`. Where
 * the system does not tell holes from data, everything is data. Changes the file offset. */
void sys_next_data(int fd, off_t from, off_t end, off_t *start, off_t *stop);

/* Extended attributes, as in listxattr(2), getxattr(2), setxattr(2); ENOTSUP where there are none. */
ssize_t sys_list_attributes(int fd, char *names, size_t size);
ssize_t sys_get_attribute(int fd, const char *name, void *value, size_t size);
bool sys_set_attribute(int fd, const char *name, const void *value, size_t size);

#endif
