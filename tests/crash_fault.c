/*
 * Preloaded before a program that is to fail: the N-th call that changes a
 * file below FAULT_DIR, or the N-th allocation, goes wrong.
 *
 * FAULT_DIR	whose files count; calls are numbered from 1, those of the
 *		program and those of the children it forks apart
 * FAULT_CALLS	which calls: `write` (all that change something), `sync`,
 *		`read`, `alloc`; unset: none, only the log is written
 * FAULT_ACKS	if set, writes to the standard output count as well; they
 *		never fail
 * FAULT_AT	number of the call that goes wrong
 * FAULT_ON	if set, all calls from there on
 * FAULT_WHO	`main` (default) or `child`
 * FAULT_DO	`kill`: dies instead of the call; `torn`: dies in the middle
 *		of a write; `both`: so does the program that forked;
 *		else a number: the errno of the call
 * FAULT_LOG	a line for each call: number, thread, process, name, file,
 *		result
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum calls { CALLS_NONE, CALLS_WRITE, CALLS_SYNC, CALLS_READ, CALLS_ALLOC };

/* What a call is. */
enum kind { KIND_WRITE = 1, KIND_SYNC, KIND_READ, KIND_ALLOC };

static enum calls	 calls;
static const char	*dir, *what_to_do;
static size_t		 dir_len;
static unsigned long	 at;
static bool		 acks, on, of_child;
static int		 log_fd = -1;
static pid_t		 main_pid;
static _Atomic unsigned long *counts;	/* [0] the program, [1] children */

void	*__libc_malloc(size_t);
void	*__libc_calloc(size_t, size_t);
void	*__libc_realloc(void *, size_t);
void	*__libc_memalign(size_t, size_t);

__attribute__((constructor))
static void
start(void)
{
	const char	*s = getenv("FAULT_CALLS"), *log = getenv("FAULT_LOG");

	main_pid = getpid();
	counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if ((dir = getenv("FAULT_DIR")) == NULL)
		return;
	dir_len = strlen(dir);
	acks = getenv("FAULT_ACKS") != NULL;
	on = getenv("FAULT_ON") != NULL;
	of_child = getenv("FAULT_WHO") != NULL &&
	    strcmp(getenv("FAULT_WHO"), "child") == 0;
	if ((what_to_do = getenv("FAULT_DO")) == NULL)
		what_to_do = "kill";
	if (getenv("FAULT_AT") != NULL)
		at = strtoul(getenv("FAULT_AT"), NULL, 10);
	if (log != NULL)
		log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY |
		    O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (s == NULL)
		return;
	calls = strcmp(s, "write") == 0 ? CALLS_WRITE :
	    strcmp(s, "sync") == 0 ? CALLS_SYNC :
	    strcmp(s, "read") == 0 ? CALLS_READ :
	    strcmp(s, "alloc") == 0 ? CALLS_ALLOC : CALLS_NONE;
}

static bool
counted(enum kind kind)
{
	switch (calls) {
	case CALLS_NONE:
	case CALLS_WRITE:
		return kind == KIND_WRITE || kind == KIND_SYNC;
	case CALLS_SYNC:
		return kind == KIND_SYNC;
	case CALLS_READ:
		return kind == KIND_READ;
	case CALLS_ALLOC:
		return kind == KIND_ALLOC;
	}
	return false;
}

/* A call under way. */
struct call {
	unsigned long	 n;
	const char	*name;
	const char	*path;
	char		 buf[PATH_MAX];
	bool		 counts, bad, ack;
};

static void
die(void)
{
	pid_t	 pid = getpid();

	if (strcmp(what_to_do, "both") == 0)
		(void)syscall(SYS_kill, main_pid, SIGKILL);
	(void)syscall(SYS_kill, pid, SIGKILL);
	for (;;)
		(void)syscall(SYS_pause);
}

static void
begin(struct call *c, enum kind kind, const char *name, int fd,
    const char *path)
{
	pid_t	 pid = getpid();
	char	 proc[64];
	ssize_t	 n;

	c->counts = c->bad = c->ack = false;
	c->name = name;
	if (dir == NULL || counts == NULL || !counted(kind))
		return;
	c->path = path;
	if (path == NULL && kind != KIND_ALLOC) {
		(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
		n = (ssize_t)syscall(SYS_readlinkat, AT_FDCWD, proc, c->buf,
		    sizeof(c->buf) - 1);
		c->buf[n < 0 ? 0 : n] = '\0';
		c->path = c->buf;
	}
	if (kind == KIND_ALLOC)
		c->path = "-";
	else if (acks && fd == STDOUT_FILENO && pid == main_pid) {
		c->path = "ack";
		c->ack = true;
	} else if (strncmp(c->path, dir, dir_len) != 0)
		return;
	c->counts = true;
	c->n = atomic_fetch_add(&counts[pid != main_pid], 1) + 1;
	if (calls == CALLS_NONE || at == 0 || of_child != (pid != main_pid))
		return;
	c->bad = on ? c->n >= at : c->n == at;
	if (c->bad && (strcmp(what_to_do, "kill") == 0 ||
	    strcmp(what_to_do, "both") == 0))
		die();
	/* Only a write can be torn; another call is made, and the end. */
}

static long
end(struct call *c, long result)
{
	char	 line[PATH_MAX + 128];
	int	 saved = errno, len;

	if (!c->counts)
		return result;
	if (log_fd != -1) {
		len = snprintf(line, sizeof(line), "%lu %ld %s %s %s %ld\n",
		    c->n, (long)syscall(SYS_gettid),
		    getpid() == main_pid ? "main" : "child", c->name,
		    c->path, result == -1 ? -(long)saved : result);
		(void)syscall(SYS_write, log_fd, line, (size_t)len);
	}
	if (c->bad && strcmp(what_to_do, "torn") == 0)
		die();
	errno = saved;
	return result;
}

/*
 * As the kernel does: a failed sync is told once to each descriptor of the
 * file, whichever asks next.
 */
static char		 failed_path[PATH_MAX];
static _Atomic bool	 told[256];

/*
 * A sync gets its number and learns what failed before it in one step, or
 * one that comes after a failed one could be told nothing of it.  A child
 * has one thread, and may have been forked while another held this.
 */
static pthread_mutex_t	 syncing = PTHREAD_MUTEX_INITIALIZER;

static bool
told_now(const struct call *c, int fd)
{
	return c->counts && !c->bad && fd >= 0 && fd < 256 &&
	    failed_path[0] != '\0' && strcmp(c->path, failed_path) == 0 &&
	    !atomic_exchange(&told[fd], true);
}

/* With what a call fails; 0: it is made. */
static int
failure(const struct call *c)
{
	int	 no;

	if (!c->bad || c->ack || (no = (int)strtol(what_to_do, NULL, 10)) == 0)
		return 0;
	errno = no;
	return no;
}

/* Number it; with what it fails, or 0. */
static int
begin_sync(struct call *c, const char *name, int fd)
{
	const bool	 alone = getpid() != main_pid;
	int		 no;

	if (!alone)
		(void)pthread_mutex_lock(&syncing);
	begin(c, KIND_SYNC, name, fd, NULL);
	if (told_now(c, fd))
		no = EIO;
	else if ((no = failure(c)) != 0 && fd >= 0 && fd < 256 &&
	    failed_path[0] == '\0') {
		atomic_store(&told[fd], true);
		(void)snprintf(failed_path, sizeof(failed_path), "%s",
		    c->path);
	}
	if (!alone)
		(void)pthread_mutex_unlock(&syncing);
	return no;
}

static long
sync_it(const char *name, int fd, long number)
{
	struct call	 c;
	int		 no = begin_sync(&c, name, fd);

	if (no == 0)
		return end(&c, syscall(number, fd));
	errno = no;
	return end(&c, -1);
}

static bool
torn(const struct call *c)
{
	return c->bad && strcmp(what_to_do, "torn") == 0;
}

#define CALL(KIND, FD, PATH, ...)					\
	struct call	 c;						\
									\
	begin(&c, KIND, __func__, FD, PATH);				\
	return end(&c, failure(&c) != 0 ? -1 : syscall(__VA_ARGS__))

/* Files that are made */

static long
open_it(const char *name, int folder, const char *path, int flags,
    mode_t mode)
{
	struct call	 c = { .counts = false };
	long		 fd;

	/* Truncating and making change something. */
	if ((flags & (O_CREAT | O_TRUNC)) != 0)
		begin(&c, KIND_WRITE, name, -1, path);
	fd = failure(&c) != 0 ? -1 :
	    syscall(SYS_openat, folder, path, flags, mode);
	/* What failed before is not this descriptor's. */
	if (fd >= 0 && fd < 256)
		atomic_store(&told[fd], failed_path[0] != '\0');
	return end(&c, fd);
}

#define MODE(MODE, FLAGS)						\
	mode_t	 MODE = 0;						\
	va_list	 ap;							\
									\
	va_start(ap, FLAGS);						\
	if ((FLAGS & (O_CREAT | O_TMPFILE)) != 0)			\
		MODE = va_arg(ap, mode_t);				\
	va_end(ap)

int
open(const char *path, int flags, ...)
{
	MODE(mode, flags);
	return (int)open_it(__func__, AT_FDCWD, path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
	MODE(mode, flags);
	return (int)open_it(__func__, AT_FDCWD, path, flags, mode);
}

int
openat(int folder, const char *path, int flags, ...)
{
	MODE(mode, flags);
	return (int)open_it(__func__, folder, path, flags, mode);
}

int
openat64(int folder, const char *path, int flags, ...)
{
	MODE(mode, flags);
	return (int)open_it(__func__, folder, path, flags, mode);
}

int
mkdir(const char *path, mode_t mode)
{
	CALL(KIND_WRITE, -1, path, SYS_mkdir, path, mode);
}

int
unlink(const char *path)
{
	CALL(KIND_WRITE, -1, path, SYS_unlink, path);
}

int
unlinkat(int folder, const char *path, int flags)
{
	CALL(KIND_WRITE, folder, NULL, SYS_unlinkat, folder, path, flags);
}

int
link(const char *from, const char *to)
{
	CALL(KIND_WRITE, -1, to, SYS_link, from, to);
}

int
rename(const char *from, const char *to)
{
	CALL(KIND_WRITE, -1, to, SYS_rename, from, to);
}

int
renameat(int f, const char *from, int t, const char *to)
{
	CALL(KIND_WRITE, -1, to, SYS_renameat, f, from, t, to);
}

int
renameat2(int f, const char *from, int t, const char *to, unsigned flags)
{
	CALL(KIND_WRITE, -1, to, SYS_renameat2, f, from, t, to, flags);
}

int
fchmod(int fd, mode_t mode)
{
	CALL(KIND_WRITE, fd, NULL, SYS_fchmod, fd, mode);
}

int
ftruncate(int fd, off_t len)
{
	CALL(KIND_WRITE, fd, NULL, SYS_ftruncate, fd, len);
}

int
ftruncate64(int fd, off_t len)
{
	CALL(KIND_WRITE, fd, NULL, SYS_ftruncate, fd, len);
}

int
fallocate(int fd, int mode, off_t offset, off_t len)
{
	CALL(KIND_WRITE, fd, NULL, SYS_fallocate, fd, mode, offset, len);
}

/* Bytes */

ssize_t
write(int fd, const void *p, size_t len)
{
	struct call	 c;

	begin(&c, KIND_WRITE, __func__, fd, NULL);
	return end(&c, failure(&c) != 0 ? -1 :
	    syscall(SYS_write, fd, p, torn(&c) ? len / 2 : len));
}

static ssize_t
write_at(const char *name, int fd, const void *p, size_t len, off_t where)
{
	struct call	 c;

	begin(&c, KIND_WRITE, name, fd, NULL);
	return end(&c, failure(&c) != 0 ? -1 :
	    syscall(SYS_pwrite64, fd, p, torn(&c) ? len / 2 : len, where));
}

ssize_t
pwrite(int fd, const void *p, size_t len, off_t where)
{
	return write_at(__func__, fd, p, len, where);
}

ssize_t
pwrite64(int fd, const void *p, size_t len, off_t where)
{
	return write_at(__func__, fd, p, len, where);
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
	CALL(KIND_WRITE, fd, NULL, SYS_writev, fd, v, n);
}

ssize_t
pwritev(int fd, const struct iovec *v, int n, off_t where)
{
	CALL(KIND_WRITE, fd, NULL, SYS_pwritev, fd, v, n, where, 0);
}

ssize_t
read(int fd, void *p, size_t len)
{
	CALL(KIND_READ, fd, NULL, SYS_read, fd, p, len);
}

ssize_t
pread(int fd, void *p, size_t len, off_t where)
{
	CALL(KIND_READ, fd, NULL, SYS_pread64, fd, p, len, where);
}

ssize_t
pread64(int fd, void *p, size_t len, off_t where)
{
	CALL(KIND_READ, fd, NULL, SYS_pread64, fd, p, len, where);
}

/* To the disk */

int
fsync(int fd)
{
	return (int)sync_it(__func__, fd, SYS_fsync);
}

int
fdatasync(int fd)
{
	return (int)sync_it(__func__, fd, SYS_fdatasync);
}

int
sync_file_range(int fd, off_t where, off_t len, unsigned flags)
{
	CALL(KIND_SYNC, fd, NULL, SYS_sync_file_range, fd, where, len, flags);
}

int
msync(void *p, size_t len, int flags)
{
	CALL(KIND_SYNC, -1, dir, SYS_msync, p, len, flags);
}

/* Memory */

#define CALLER	__builtin_return_address(0)

/*
 * OpenSSL 3.0 itself crashes when it finds no memory for looking up its
 * first cipher, whoever calls it.  What it asks for is given.
 */
static bool
of_openssl(const void *caller)
{
	Dl_info	 where;

	return dladdr(caller, &where) != 0 && where.dli_fname != NULL &&
	    strstr(where.dli_fname, "libcrypto") != NULL;
}

static bool
no_memory(const char *name, const void *caller)
{
	struct call	 c;

	if (calls != CALLS_ALLOC || of_openssl(caller))
		return false;
	begin(&c, KIND_ALLOC, name, -1, NULL);
	if (!c.bad && at == 0)
		(void)end(&c, 0);
	if (!c.bad)
		return false;
	errno = ENOMEM;
	(void)end(&c, -1);
	return true;
}

void *
malloc(size_t len)
{
	return no_memory(__func__, CALLER) ? NULL : __libc_malloc(len);
}

void *
calloc(size_t n, size_t len)
{
	return no_memory(__func__, CALLER) ? NULL : __libc_calloc(n, len);
}

void *
realloc(void *p, size_t len)
{
	return no_memory(__func__, CALLER) ? NULL : __libc_realloc(p, len);
}

void *
aligned_alloc(size_t align, size_t len)
{
	return no_memory(__func__, CALLER) ? NULL : __libc_memalign(align, len);
}

int
posix_memalign(void **out, size_t align, size_t len)
{
	if (no_memory(__func__, CALLER))
		return ENOMEM;
	*out = __libc_memalign(align, len);
	return *out == NULL ? ENOMEM : 0;
}

void *
mmap(void *where, size_t len, int prot, int flags, int fd, off_t offset)
{
	if ((flags & MAP_ANONYMOUS) != 0 && counts != NULL &&
	    no_memory(__func__, CALLER))
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, where, len, prot, flags, fd, offset);
}

void *
mmap64(void *where, size_t len, int prot, int flags, int fd, off_t offset)
{
	return mmap(where, len, prot, flags, fd, offset);
}
