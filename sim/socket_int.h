/*
 * socket_int.h: local sockets (AF_UNIX), shared by socket.c (what they are),
 * socket_name.c (addresses, connections), socket_io.c (messages) and
 * socket_calls.c (the rest of the calls).
 */
#ifndef VMSIM_SIM_SOCKET_INT_H
#define VMSIM_SIM_SOCKET_INT_H

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "sim/syscall_int.h"

#define SOCKET_PRI 88 /* PSOCK of FreeBSD 5 */
#define SOCKET_BUFFER 212992u /* net.core.wmem_default */
#define SOCKET_BACKLOG 4096u /* net.core.somaxconn */
#define SOCKET_QUEUE 10u /* net.unix.max_dgram_qlen */
#define SOCKET_FDS 253u /* SCM_MAX_FD */
#define SUN_MAX 110u /* struct sockaddr_un */
#define SUN_PATH 2u /* offset of sun_path */

#define SHUT_IN 1u
#define SHUT_OUT 2u
#define SHUT_ALL 3u

struct sock_name { /* a struct sockaddr_un; length 0: none */
	uint32_t length;
	uint8_t bytes[SUN_MAX + 1];
};

struct sock_cred { /* struct ucred */
	int32_t pid;
	uint32_t uid, gid;
};

struct sock_msg {
	TAILQ_ENTRY(sock_msg) link;
	struct socket *from; /* referenced: its buffer holds the message */
	struct sock_cred cred;
	struct file **fds; /* referenced */
	uint32_t nfds;
	uint32_t first, bytes; /* unread */
	uint32_t charge; /* of the sender's buffer */
	uint8_t data[];
};

enum sock_state { SOCK_OPEN, SOCK_LISTENING, SOCK_CONNECTED };

/*
 * Somebody's as long as it is referenced: by its file, its peer, messages it
 * has sent. `dead`: the file is gone.
 */
struct socket {
	LIST_ENTRY(socket) named; /* sysstate.sockets, while it has a name */
	TAILQ_ENTRY(socket) waiting; /* in a listener's queue */
	struct sysstate *ss;
	struct file *f; /* NULL: not accepted yet, or dead */
	uint32_t refs;
	int type;
	enum sock_state state;
	bool dead;
	struct socket *peer; /* referenced */
	struct sock_name name;
	struct inode *ip; /* of a path; referenced */
	bool borrowed_name; /* of the listener that it came through */
	TAILQ_HEAD(, sock_msg) msgs; /* received, oldest first */
	uint32_t nmsgs;
	TAILQ_HEAD(, socket) accepts; /* connections not yet accepted */
	uint32_t naccepts, backlog;
	uint32_t sent, buffer; /* bytes in others' queues, at most */
	uint32_t receive_buffer; /* SO_RCVBUF: only remembered */
	uint32_t shut; /* SHUT_IN, SHUT_OUT */
	int error; /* to be told once */
	bool reading; /* somebody copies a message out */
	struct sock_cred peer_cred;
	uint64_t options; /* bit n: SO_* number n is on */
	int64_t timeout[2]; /* to receive, to send: ns; 0: none */
	struct poll_head head;
	uint64_t ino;
};

/* ---- socket.c ---- */

struct socket *socket_new(struct sysstate *ss, int type);
void socket_hold(struct socket *s);
void socket_drop(struct socket *s);
/* The socket's file goes, or what never had one. */
void socket_end(struct socket *s);
/* A file for it, or -ENOMEM; the socket's first reference goes with it. */
int socket_file(struct socket *s, uint32_t flags, struct file **out);
/* -EBADF, -ENOTSOCK. */
int socket_get(struct sysctx *c, uint64_t fd, struct socket **out);
void socket_tell(struct socket *s, uint32_t events);
bool socket_has(const struct socket *s, int option);
bool socket_writable(const struct socket *s);
bool socket_queue_full(const struct socket *s); /* of datagrams */
void socket_set_peer(struct socket *s, struct socket *peer);
void socket_shut(struct socket *s, uint32_t how);
struct sock_cred socket_cred(const struct sysctx *c);
struct sock_msg *msg_new(struct socket *from, uint32_t bytes);
void msg_queue(struct socket *to, struct sock_msg *m);
void msg_unqueue(struct socket *s, struct sock_msg *m);
void msg_free(struct sock_msg *m);

/* Sleeping in a call, with the socket's own time limit. */
struct sock_wait {
	bool nonblock;
	struct deadline end;
};
void sock_wait_begin(struct sysctx *c, const struct socket *s, bool out,
    bool nonblock, struct sock_wait *w);
/* Until woken: 0, -EAGAIN, -EINTR, -ERESTARTSYS. */
int sock_wait(struct sysctx *c, const struct sock_wait *w, const void *chan,
    const char *wmesg);

/* ---- socket_name.c ---- */

/* The caller's address; -EFAULT, -EINVAL. */
int sock_name_in(struct sysctx *c, vm_offset_t va, uint64_t length,
    struct sock_name *n);
/* To the caller, cut at its room; *size_va: the room, then the length. */
int sock_name_out(struct sysctx *c, const struct sock_name *n,
    vm_offset_t va, vm_offset_t size_va);
/* Who has the name, not referenced; -ENOENT, -ECONNREFUSED, -EPROTOTYPE. */
int socket_find(struct sysctx *c, const struct sock_name *n, int type,
    struct socket **out);
int socket_autobind(struct socket *s);
void socket_unname(struct socket *s);

/* ---- socket_io.c ---- */

int64_t socket_send_uio(struct sysctx *c, struct socket *s, struct uio *u,
    uint32_t flags);
int64_t socket_recv_uio(struct sysctx *c, struct socket *s, struct uio *u,
    uint32_t flags);

#endif
