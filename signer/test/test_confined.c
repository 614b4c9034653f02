/*
 * Every system call that the kernel knows is tried from inside the signer's
 * sandbox: all but the twenty of its list kill.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sandbox.h"
#include "lib/sandbox_inner.h"
#include "lib/secret.h"
#include "tests/check.h"

#define CALLS_MAX	600	/* more than any kernel has */

extern char **environ;

static int	 given[2];		/* a connected pair */
static int	 file;			/* an open file, as the journal */

static void
enter(void)
{
	struct sandbox	 s = { .kind = SANDBOX_SIGN,
			    .memory_max = (size_t)512 << 20,
			    .files_max = 64 };
	struct err	 e;

	(void)signal(SIGALRM, SIG_DFL);
	(void)alarm(10);
	if (secret_begin(&e) != RC_OK || sandbox_enter(&s, &e) != RC_OK) {
		(void)dprintf(2, "# %s\n", e.text);
		_exit(9);
	}
}

/* One thing in a child that is locked in; its wait status. */
static int
confined(void (*what)(long), long arg)
{
	int	 status = -1;
	pid_t	 pid;

	(void)fflush(stdout);
	if ((pid = fork()) == 0) {
		enter();
		what(arg);
		_exit(0);
	}
	(void)waitpid(pid, &status, 0);
	return status;
}

static bool
killed(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS &&
	    !WCOREDUMP(status);
}

/* By number, with arguments that do no harm (the third is what memory may be
 * used for: nothing); 7: it failed for want of memory, as mremap() is made
 * to. */
static void
call(long number)
{
	if (syscall(number, -1L, -1L, 0L, -1L, -1L, -1L) == -1 &&
	    errno == ENOMEM)
		_exit(7);
}

/* The kernel's own, of its probes, which it lets by every filter; outside of
 * a probe they do nothing or kill. */
static bool
is_probe(long number)
{
#ifdef __x86_64__
	return number == 335 || number == 336;
#else
	(void)number;
	return false;
#endif
}

/* Those that did not kill, counted and named by their numbers. */
static void
every_call(void)
{
	static bool	 lived[CALLS_MAX];
	int		 status, n = 0, failed = 0;
	long		 i;
	const char	*why;
	char		 line[64];

	check_case("the list has at most twenty calls");
	CHECK(sandbox_sign_count() <= 20);
	for (i = 0; i < (long)sandbox_sign_count(); i++)
		CHECK(sandbox_sign_name((size_t)i, &why)[0] != '\0' &&
		    why[0] != '\0');
	for (i = 0; i < CALLS_MAX; i++) {
		status = confined(call, i);
		if (killed(status) || is_probe(i))
			continue;
		lived[i] = true;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 7 &&
		    i == SYS_mremap) {
			failed++;
			continue;
		}
		n++;
		(void)snprintf(line, sizeof(line), "# call %ld lives\n", i);
		(void)fputs(line, stdout);
	}
	check_case("every other call of the kernel's kills");
	CHECK_INT(n, sandbox_sign_count());
	CHECK_INT(failed, 1);
	check_case("and those that live are these");
	CHECK(lived[SYS_mmap] && lived[SYS_mprotect] && lived[SYS_read]);
	CHECK(lived[SYS_write] && lived[SYS_pread64] && lived[SYS_pwrite64]);
	CHECK(lived[SYS_fdatasync] && lived[SYS_exit_group]);
	CHECK(!lived[SYS_openat] && !lived[SYS_socket] &&
	    !lived[SYS_execve] && !lived[SYS_clone] && !lived[SYS_ptrace] &&
	    !lived[SYS_kill] && !lived[SYS_prctl] && !lived[SYS_ioctl] &&
	    !lived[SYS_recvmsg] && !lived[SYS_sendmsg] && !lived[SYS_fcntl] &&
	    !lived[SYS_dup] && !lived[SYS_mount] && !lived[SYS_fsync]);
	check_end_case();
}

/* With arguments that would work. */

static void
open_file(long arg)
{
	(void)arg;
	(void)!open("/etc/hostname", O_RDONLY);
}

static void
make_file(long arg)
{
	(void)arg;
	(void)!open("/tmp/drawbridge-confined", O_CREAT | O_WRONLY, 0600);
}

static void
look_at_file(long arg)
{
	struct stat	 st;

	(void)arg;
	(void)!stat("/etc/hostname", &st);
}

static void
make_socket(long family)
{
	(void)!socket((int)family, SOCK_STREAM, 0);
}

static void
receive_files(long arg)
{
	char		 byte, room[64];
	struct iovec	 v = { &byte, 1 };
	struct msghdr	 h = { .msg_iov = &v, .msg_iovlen = 1,
			    .msg_control = room,
			    .msg_controllen = sizeof(room) };

	(void)arg;
	(void)!recvmsg(given[0], &h, MSG_DONTWAIT);
}

static void
accept_one(long arg)
{
	(void)arg;
	(void)!accept(given[0], NULL, NULL);
}

static void
run(long arg)
{
	char	 name[] = "/bin/true";
	char	*args[] = { name, NULL };

	(void)arg;
	(void)execve(name, args, environ);
}

static void
fork_one(long arg)
{
	(void)arg;
	if (fork() == 0)
		_exit(0);
}

static void
map_code(long arg)
{
	(void)arg;
	(void)!mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
make_code(long arg)
{
	void	*p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)arg;
	if (p == MAP_FAILED)
		_exit(1);
	(void)!mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static void
trace(long arg)
{
	(void)arg;
	(void)!ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void
kill_parent(long arg)
{
	(void)arg;
	(void)!kill(getppid(), 0);
}

static void
be_dumpable(long arg)
{
	(void)arg;
	(void)!prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static void
raise_limit(long arg)
{
	struct rlimit	 l = { 1 << 26, 1 << 26 };

	(void)arg;
	(void)!setrlimit(RLIMIT_CORE, &l);
}

static void
sleep_on(long arg)
{
	(void)arg;
	(void)!usleep(1);
}

static void
other_numbers(long arg)
{
	(void)arg;
#ifdef __x86_64__
	(void)!syscall(SYS_getpid | 0x40000000);
#else
	raise(SIGSYS);
#endif
}

static void
abort_it(long arg)
{
	(void)arg;
	abort();
}

static const struct {
	const char	*name;
	void		(*what)(long);
	long		 arg;
} tries[] = {
	{ "open a file", open_file, 0 },
	{ "make a file", make_file, 0 },
	{ "look at a file", look_at_file, 0 },
	{ "a TCP socket", make_socket, AF_INET },
	{ "a local socket", make_socket, AF_UNIX },
	{ "a netlink socket", make_socket, AF_NETLINK },
	{ "files over a pipe", receive_files, 0 },
	{ "accept", accept_one, 0 },
	{ "run a program", run, 0 },
	{ "fork", fork_one, 0 },
	{ "map code", map_code, 0 },
	{ "make data code", make_code, 0 },
	{ "ptrace", trace, 0 },
	{ "kill", kill_parent, 0 },
	{ "be dumpable again", be_dumpable, 0 },
	{ "a higher limit", raise_limit, 0 },
	{ "sleep", sleep_on, 0 },
	{ "the other numbers of x86-64", other_numbers, 0 },
	{ "abort", abort_it, 0 },
};

/* What it lives from. */
static void
work(long arg)
{
	unsigned char	*p, key[32];
	char		 text[8];
	/* A compiler leaves out what nobody looks at. */
	void		*volatile big;

	(void)arg;
	if ((p = secret_new(64)) == NULL)
		_exit(1);
	secret_free(p, 64);
	if ((p = secret_new(10000)) == NULL)
		_exit(2);
	secret_free(p, 10000);
	/* realloc() of a large block is told that there is no mremap(). */
	if ((big = malloc(1 << 20)) == NULL ||
	    (big = realloc(big, 64 << 20)) == NULL)
		_exit(3);
	free(big);
	/* And the limit holds. */
	if (!SANDBOX_SANITIZED && (big = malloc((size_t)1 << 30)) != NULL)
		_exit(4);
	if (pwrite(file, "journal", 7, 0) != 7 || fdatasync(file) != 0 ||
	    pread(file, text, 7, 0) != 7 || ftruncate(file, 3) != 0 ||
	    lseek(file, 0, SEEK_END) != 3)
		_exit(5);
	if (write(given[0], "x", 1) != 1 || read(given[1], text, 1) != 1)
		_exit(6);
	if (getentropy(key, sizeof(key)) != 0)
		_exit(7);
	if (close(given[0]) != 0)
		_exit(8);
}

int
main(void)
{
	char	 name[] = "/tmp/test-confined-XXXXXX";
	size_t	 i;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (SANDBOX_SANITIZED) {
		printf("ok the signer's calls # SKIP a sanitizer makes more "
		    "of them\n");
		return 0;
	}
	if ((file = mkstemp(name)) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, given) != 0)
		return 1;
	(void)unlink(name);
	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		check_case(tries[i].name);
		CHECK(killed(confined(tries[i].what, tries[i].arg)));
	}
	check_case("what it needs works");
	CHECK_INT(confined(work, 0), 0);
	every_call();
	return check_done();
}
