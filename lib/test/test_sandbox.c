/*
 * Each case is a child that enters a sandbox and does one thing: what must be
 * forbidden kills it (SIGSYS) or fails, what is needed works.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "lib/sandbox.h"
#include "lib/sandbox_inner.h"
#include "lib/secret.h"
#include "tests/check.h"

extern char **environ;

/* What the children find: made once, before any of them. */
static char	 folder[64];		/* may be written */
static char	 notes[96];		/* may be read; holds a file */
static char	 note[128];
static char	 outside_file[96];	/* anybody may read it, but for us */
static int	 listener, port;	/* TCP, of the loopback */
static int	 given;			/* a socket that is not connected */
static int	 pair[2];
static pid_t	 sibling;		/* another child, of this user */
static int	 landlock;		/* its version in this kernel */

static const char *const writes[] = { folder, NULL };
static const char *const reads[] = { notes, NULL };

/* An exit status: 0 is well, others tell the line. */
#define MUST(x) do {							\
	if (!(x)) {							\
		dprintf(2, "# line %d: %s (%s)\n", __LINE__, #x,	\
		    strerror(errno));					\
		_exit(1);						\
	}								\
} while (0)
/* Forbidden in a way that can be told. */
#define MUST_FAIL(x, why)	MUST((x) == -1 && errno == (why))

/* What is tried. */
static void
open_outside(void)
{
	MUST_FAIL(open(outside_file, O_RDONLY), EACCES);
}

static void
open_many_outside(void)
{
	char	 path[64];

	open_outside();
	MUST_FAIL(open(outside_file, O_WRONLY), EACCES);
	MUST_FAIL(open("/tmp/drawbridge-outside", O_CREAT | O_WRONLY, 0600),
	    EACCES);
	MUST_FAIL(open("/", O_RDONLY | O_DIRECTORY), EACCES);
	/* A sibling's memory, and our own. */
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)sibling);
	MUST_FAIL(open(path, O_RDONLY), EACCES);
	MUST_FAIL(open("/proc/self/mem", O_RDWR), EACCES);
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)sibling);
	MUST_FAIL(open(path, O_RDONLY), EACCES);
}

static void
read_only(void)
{
	char	 text[4];
	int	 fd;

	MUST((fd = open(note, O_RDONLY)) != -1);
	MUST(read(fd, text, 4) == 4 && memcmp(text, "note", 4) == 0);
	open_outside();
}

static void
write_inside_read(void)
{
	char	 path[160];

	read_only();
	MUST_FAIL(open(note, O_WRONLY), EACCES);
	MUST_FAIL(truncate(note, 0), EACCES);
	MUST_FAIL(unlink(note), EACCES);
	snprintf(path, sizeof(path), "%s/more", notes);
	MUST_FAIL(open(path, O_CREAT | O_WRONLY, 0600), EACCES);
	MUST_FAIL(mkdir(path, 0700), EACCES);
}

static void
write_with_loop(void)
{
	(void)!open(note, O_WRONLY);
}

static void
make_socket(void)
{
	(void)!socket(AF_INET, SOCK_STREAM, 0);
}

static void
make_unix_socket(void)
{
	(void)!socket(AF_UNIX, SOCK_STREAM, 0);
}

static void
connect_given(void)
{
	struct sockaddr_in	 to = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port) };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)!connect(given, (struct sockaddr *)&to, sizeof(to));
}

static void
bind_given(void)
{
	struct sockaddr_in	 to = { .sin_family = AF_INET };

	MUST_FAIL(bind(given, (struct sockaddr *)&to, sizeof(to)), EACCES);
}

static void
filter_given(void)
{
	(void)!setsockopt(given, SOL_SOCKET, SO_ATTACH_FILTER, "", 0);
}

static void
run(void)
{
	char		 name[] = "/bin/true";
	char		*args[] = { name, NULL };

	(void)execve(args[0], args, environ);
}

static void
make_process(void)
{
	if (fork() == 0)
		_exit(0);
}

static void
trace(void)
{
	(void)!ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void
read_other(void)
{
	char		 here[8];
	struct iovec	 local = { here, 8 }, remote = { here, 8 };

	(void)!process_vm_readv(sibling, &local, 1, &remote, 1, 0);
}

static void
be_root(void)
{
	MUST(getuid() != 0 && geteuid() != 0 && getgid() != 0);
	(void)!setuid(0);
}

static void
be_root_fails(void)
{
	MUST(getuid() != 0 && geteuid() != 0 && getgid() != 0);
	MUST(getgroups(0, NULL) == 1);
	MUST_FAIL(setuid(0), EPERM);
	MUST_FAIL(setresuid(0, 0, 0), EPERM);
	MUST_FAIL(setgroups(0, NULL), EPERM);
}

static void
kill_other(void)
{
	(void)!kill(getppid(), 0);
}

static void
kill_other_fails(void)
{
	MUST_FAIL(kill(getppid(), 0), EPERM);
	MUST_FAIL(kill(sibling, 0), EPERM);
	MUST(kill(getpid(), 0) == 0);
}

/* Of the same user, but not one of ours: Landlock's sixth version. */
static void
kill_outside(void)
{
	if (landlock < 6)
		return;
	MUST_FAIL(kill(getppid(), 0), EPERM);
	MUST_FAIL(kill(sibling, 0), EPERM);
	MUST(kill(getpid(), 0) == 0);
}

static void
map_code(void)
{
	(void)!mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
make_code(void)
{
	void	*p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(p != MAP_FAILED);
	(void)!mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static void
do_mount(void)
{
	(void)!mount("none", folder, "tmpfs", 0, NULL);
}

static void
new_space(void)
{
	(void)!unshare(CLONE_NEWUSER);
}

/* clone() with a thread's flags and one that makes a namespace. */
static void
clone_space(void)
{
	(void)!syscall(SYS_clone, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND |
	    CLONE_NEWUSER, NULL, NULL, NULL, NULL);
}

static void
load_program(void)
{
	(void)!syscall(SYS_bpf, 0, NULL, 0);
}

static void
keys(void)
{
	(void)!syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, 0, 0, 0, 0);
}

static void
watch_faults(void)
{
	(void)!syscall(SYS_userfaultfd, 0);
}

static void
ring(void)
{
	MUST_FAIL(syscall(SYS_io_uring_setup, 1, NULL), ENOSYS);
}

/* The other numbering of x86-64: seccomp sees another architecture. */
static void
other_numbers(void)
{
#ifdef __x86_64__
	(void)!syscall(SYS_getpid | 0x40000000);
#else
	_exit(0);
#endif
}

static void
raise_limit(void)
{
	struct rlimit	 l = { 1, 1 };

	(void)!setrlimit(RLIMIT_NOFILE, &l);
}

static void
limited(void)
{
	void	*p;
	int	 n = 0, fd;

	while ((fd = dup(0)) != -1 && n < 100)
		n = fd;
	MUST(fd == -1 && errno == EMFILE && n == 31);
	if (SANDBOX_SANITIZED)
		return;
	MUST((p = malloc(1 << 20)) != NULL);
	free(p);
	MUST((p = malloc(128 << 20)) == NULL);
	free(p);
}

/* What works. */
static void *
thread(void *arg)
{
	void	*p = malloc(100000);
	int	*n = arg;

	MUST(p != NULL);
	memset(p, 1, 100000);
	free(p);
	++*n;
	return NULL;
}

static void
crypto(void)
{
	unsigned char	 key[32], sig[64], hash[32];
	EVP_PKEY	*pk;
	EVP_MD_CTX	*m;
	size_t		 len = sizeof(sig);

	MUST(RAND_bytes(key, sizeof(key)) == 1);
	randombytes_buf(key, sizeof(key));
	MUST(EVP_Digest("a", 1, hash, NULL, EVP_sha256(), NULL) == 1);
	pk = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key, 32);
	MUST(pk != NULL && (m = EVP_MD_CTX_new()) != NULL);
	MUST(EVP_DigestSignInit(m, NULL, NULL, NULL, pk) == 1);
	MUST(EVP_DigestSign(m, sig, &len, hash, 32) == 1);
	EVP_MD_CTX_free(m);
	EVP_PKEY_free(pk);
}

static void
compute(void)
{
	void	*secret;
	char	 name[64];

	crypto();
	MUST((secret = secret_new(64)) != NULL);
	secret_free(secret, 64);
	MUST((secret = secret_new(10000)) != NULL);
	secret_free(secret, 10000);
	MUST(write(pair[0], "x", 1) == 1 && read(pair[1], name, 1) == 1);
	MUST(sysconf(_SC_NPROCESSORS_ONLN) > 0);
	MUST(sysconf(_SC_OPEN_MAX) > 0);
	MUST(time(NULL) > 0);
	fprintf(stderr, "%s", "");
}

struct turns {
	int	 ticks, works, got;
	uv_timer_t timer;
	uv_async_t async;
	uv_pipe_t pipe;
	uv_work_t work;
	char	 buf[64];
};

static void
on_work(uv_work_t *w)
{
	struct turns	*t = w->data;

	crypto();
	t->works++;
	MUST(uv_async_send(&t->async) == 0);
}

static void
after_work(uv_work_t *w, int status)
{
	(void)w;
	MUST(status == 0);
}

static void
on_async(uv_async_t *a)
{
	uv_close((uv_handle_t *)a, NULL);
}

static void
on_timer(uv_timer_t *timer)
{
	struct turns	*t = timer->data;

	if (++t->ticks == 3)
		uv_close((uv_handle_t *)timer, NULL);
}

static void
on_room(uv_handle_t *h, size_t len, uv_buf_t *buf)
{
	struct turns	*t = h->data;

	(void)len;
	*buf = uv_buf_init(t->buf, sizeof(t->buf));
}

/* A descriptor comes over the pipe. */
static void
on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct turns	*t = s->data;
	uv_pipe_t	*p = (uv_pipe_t *)s;

	(void)buf;
	if (n == 0)
		return;
	MUST(n == 1);
	t->got = uv_pipe_pending_count(p);
	uv_close((uv_handle_t *)s, NULL);
}

static void
send_descriptor(int to, int fd)
{
	union {
		struct cmsghdr	 h;
		char		 room[CMSG_SPACE(sizeof(int))];
	}		 c;
	char		 byte = 'x';
	struct iovec	 v = { &byte, 1 };
	struct msghdr	 m = { .msg_iov = &v, .msg_iovlen = 1,
	    .msg_control = &c, .msg_controllen = sizeof(c) };

	memset(&c, 0, sizeof(c));
	c.h.cmsg_len = CMSG_LEN(sizeof(int));
	c.h.cmsg_level = SOL_SOCKET;
	c.h.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&c.h), &fd, sizeof(fd));
	MUST(sendmsg(to, &m, 0) == 1);
}

static void
loop(void)
{
	struct turns	 t;
	uv_loop_t	 l;
	pthread_t	 other;
	int		 n = 0, size = 100000;

	memset(&t, 0, sizeof(t));
	MUST(uv_loop_init(&l) == 0);
	t.timer.data = t.work.data = t.async.data = t.pipe.data = &t;
	MUST(uv_timer_init(&l, &t.timer) == 0);
	MUST(uv_timer_start(&t.timer, on_timer, 1, 1) == 0);
	MUST(uv_async_init(&l, &t.async, on_async) == 0);
	MUST(uv_queue_work(&l, &t.work, on_work, after_work) == 0);
	MUST(uv_pipe_init(&l, &t.pipe, 1) == 0);
	MUST(uv_pipe_open(&t.pipe, dup(pair[0])) == 0);
	MUST(uv_read_start((uv_stream_t *)&t.pipe, on_room, on_read) == 0);
	send_descriptor(pair[1], 0);
	MUST(setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size,
	    sizeof(size)) == 0);
	MUST(uv_run(&l, UV_RUN_DEFAULT) == 0);
	MUST(uv_loop_close(&l) == 0);
	MUST(t.ticks == 3 && t.works == 1 && t.got == 1);
	MUST(pthread_create(&other, NULL, thread, &n) == 0);
	MUST(pthread_setname_np(other, "other") == 0 || errno != ENOSYS);
	MUST(pthread_join(other, NULL) == 0 && n == 1);
	compute();
	open_outside();
}

static void
on_closed(uv_handle_t *h)
{
	free(h);
}

static void
on_customer(uv_stream_t *server, int status)
{
	uv_tcp_t		*c = malloc(sizeof(*c));
	struct sockaddr_storage	 from;
	int			 len = sizeof(from);

	MUST(status == 0 && c != NULL);
	MUST(uv_tcp_init(server->loop, c) == 0);
	MUST(uv_accept(server, (uv_stream_t *)c) == 0);
	MUST(uv_tcp_nodelay(c, 1) == 0);
	MUST(uv_tcp_keepalive(c, 1, 60) == 0);
	MUST(uv_tcp_getpeername(c, (struct sockaddr *)&from, &len) == 0);
	MUST(uv_try_write((uv_stream_t *)c, (uv_buf_t[]){
	    uv_buf_init(folder, 4) }, 1) == 4);
	uv_close((uv_handle_t *)c, on_closed);
	uv_close((uv_handle_t *)server, NULL);
}

/* `given` was connected to the listener before the sandbox. */
static void
accept_one(void)
{
	uv_tcp_t	 server;
	uv_loop_t	 l;
	char		 text[4];

	MUST(uv_loop_init(&l) == 0);
	MUST(uv_tcp_init(&l, &server) == 0);
	MUST(uv_tcp_open(&server, listener) == 0);
	MUST(uv_listen((uv_stream_t *)&server, 16, on_customer) == 0);
	MUST(uv_run(&l, UV_RUN_DEFAULT) == 0);
	MUST(uv_loop_close(&l) == 0);
	MUST(read(given, text, 4) == 4);
}

static void
statement(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		dprintf(2, "# %s: %s\n", sql, sqlite3_errmsg(db));
		_exit(1);
	}
}

static void
store(void)
{
	char		 path[128], other[128];
	sqlite3		*db;
	int		 status, fd;
	pid_t		 pid;

	snprintf(path, sizeof(path), "%s/store.db", folder);
	MUST(sqlite3_open(path, &db) == SQLITE_OK);
	statement(db, "PRAGMA journal_mode=WAL");
	statement(db, "PRAGMA mmap_size=1048576");
	statement(db, "CREATE TABLE t (n INTEGER PRIMARY KEY, x BLOB)");
	statement(db, "BEGIN; INSERT INTO t VALUES (1, randomblob(9000));"
	    "INSERT INTO t VALUES (2, randomblob(9000)); COMMIT");
	statement(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	statement(db, "PRAGMA journal_mode=DELETE");
	statement(db, "UPDATE t SET x = x");
	statement(db, "VACUUM");
	MUST(sqlite3_close(db) == SQLITE_OK);
	MUST((pid = fork()) != -1);
	if (pid == 0) {
		(void)setpriority(PRIO_PROCESS, 0, 19);
		MUST((fd = open(folder, O_RDONLY | O_DIRECTORY)) != -1);
		MUST(fsync(fd) == 0);
		_exit(7);
	}
	MUST(waitpid(pid, &status, 0) == pid);
	MUST(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	snprintf(other, sizeof(other), "%s/other.db", folder);
	MUST(rename(path, other) == 0);
	MUST((fd = open(other, O_RDWR)) != -1);
	MUST(flock(fd, LOCK_EX) == 0 && ftruncate(fd, 100) == 0);
	MUST(fdatasync(fd) == 0 && close(fd) == 0);
	MUST(unlink(other) == 0);
	loop();
	open_many_outside();
}

static int
spawn(const char *command)
{
	char	 shell[] = "/bin/sh", option[] = "-c", text[256];
	char	*args[] = { shell, option, text, NULL };
	int	 status;
	pid_t	 pid;

	snprintf(text, sizeof(text), "%s", command);
	MUST(posix_spawn(&pid, shell, NULL, NULL, args, environ) == 0);
	MUST(waitpid(pid, &status, 0) == pid);
	return status;
}

static void
run_all(void)
{
	struct addrinfo	*list = NULL;

	MUST(spawn("/bin/true") == 0);
	MUST(spawn("exit 3") == 3 << 8);
	MUST(spawn("printf 'a\\nb\\n' | sort -r | head -1 | grep -q b") == 0);
	MUST(spawn("ls /usr >/dev/null && date >/dev/null") == 0);
	MUST(spawn("test ! -x /usr/bin/python3 || "
	    "/usr/bin/python3 -c 'import json, socket, subprocess'") == 0);
	MUST(spawn("cat /proc/1/environ 2>/dev/null") != 0);
	MUST(spawn("echo x 2>/dev/null >/tmp/drawbridge-outside") != 0);
	MUST(getaddrinfo("localhost", "80", NULL, &list) == 0);
	freeaddrinfo(list);
	MUST((given = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) != -1);
	connect_given();
	bind_given();
	if (!SANDBOX_SANITIZED)
		loop();
	open_outside();
}

/* abort() leaves no dump even where one was asked for. */
static void
die(void)
{
	abort();
}

/* All that is done at the end of a program, as well. */
static void
leave(void)
{
	MUST(malloc(100) != NULL);
	exit(0);
}

enum end { WORKS, DIES, ABORTS };

struct test {
	const char	*name;
	enum sandbox_kind least, most;	/* each of these kinds */
	const char	*const *read;
	const char	*const *write;
	void		(*what)(void);
	enum end	 end;
	bool		 user;		/* as nobody; only if we are root */
};

#define P	SANDBOX_PARSE
#define L	SANDBOX_LOOP
#define A	SANDBOX_ACCEPT
#define S	SANDBOX_STORE
#define R	SANDBOX_RUN

static const struct test tests[] = {
	{ "open a file outside", P, R, NULL, NULL, open_outside, WORKS, false },
	{ "outside of what may be written", S, R, NULL, writes,
	    open_many_outside, WORKS, false },
	{ "read what may be read", P, R, reads, NULL, read_only, WORKS, false },
	{ "write there", S, R, reads, writes, write_inside_read, WORKS, false },
	{ "write there with a loop", P, A, reads, NULL, write_with_loop, DIES,
	    false },
	{ "socket", P, S, NULL, NULL, make_socket, DIES, false },
	{ "unix socket", P, S, NULL, NULL, make_unix_socket, DIES, false },
	{ "connect a given socket", P, S, NULL, NULL, connect_given, DIES,
	    false },
	{ "a filter on a given socket", P, S, NULL, NULL, filter_given, DIES,
	    false },
	{ "execve", P, S, NULL, NULL, run, DIES, false },
	{ "fork", P, A, NULL, NULL, make_process, DIES, false },
	{ "ptrace", P, R, NULL, NULL, trace, DIES, false },
	{ "process_vm_readv", P, R, NULL, NULL, read_other, DIES, false },
	{ "setuid(0)", P, S, NULL, NULL, be_root, DIES, true },
	{ "setuid(0) of a program's", R, R, NULL, NULL, be_root_fails, WORKS,
	    true },
	{ "kill", P, A, NULL, NULL, kill_other, DIES, false },
	{ "kill of another's", S, R, NULL, NULL, kill_other_fails, WORKS,
	    true },
	{ "kill outside", S, R, NULL, NULL, kill_outside, WORKS, false },
	{ "mmap of code", P, S, NULL, NULL, map_code, DIES, false },
	{ "mprotect of code", P, S, NULL, NULL, make_code, DIES, false },
	{ "mount", P, R, NULL, NULL, do_mount, DIES, false },
	{ "unshare", P, R, NULL, NULL, new_space, DIES, false },
	{ "clone of a namespace", P, S, NULL, NULL, clone_space, DIES, false },
	{ "bpf", P, R, NULL, NULL, load_program, DIES, false },
	{ "keyctl", P, R, NULL, NULL, keys, DIES, false },
	{ "userfaultfd", P, R, NULL, NULL, watch_faults, DIES, false },
	{ "io_uring", P, R, NULL, NULL, ring, WORKS, false },
	{ "x32 calls", P, R, NULL, NULL, other_numbers, DIES, false },
	{ "limits stay", P, S, NULL, NULL, raise_limit, DIES, false },
	{ "limits hold", L, R, NULL, NULL, limited, WORKS, false },
	{ "no core dump", S, R, NULL, writes, die, ABORTS, false },
	{ "no core dump of another user", S, R, NULL, writes, die, ABORTS,
	    true },
	{ "exit", P, R, NULL, NULL, leave, WORKS, false },
	{ "compute", P, R, NULL, NULL, compute, WORKS, false },
	{ "loop", L, S, NULL, NULL, loop, WORKS, false },
	{ "accept", A, S, NULL, NULL, accept_one, WORKS, false },
	{ "store", S, S, NULL, writes, store, WORKS, false },
	{ "store of another user", S, S, NULL, writes, store, WORKS, true },
	{ "run", R, R, NULL, NULL, run_all, WORKS, false },
	{ "run as another user", R, R, NULL, NULL, run_all, WORKS, true },
};

#include "lib/test/sandbox_children.h"

int
main(void)
{
	size_t	 i;

	prepare();
	for (i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		all_kinds(&tests[i]);
	seen_from_outside();
	with_threads();
	no_such();
	cores_could_be();
	clean_up();
	return check_done();
}
