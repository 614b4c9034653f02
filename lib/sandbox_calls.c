/*
 * seccomp: which system calls each kind of process may make.  All others
 * kill the process; a few, which libraries try and can do without, fail.
 *
 * The lists are what glibc 2.36, libuv 1.44, OpenSSL 3.0, libsodium and
 * SQLite 3.40 make, found with strace and by reading; lib/test/
 * test_sandbox.c runs each of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/sandbox_inner.h"

#define CALL(name)	SCMP_SYS(name)
#define END		INT32_MIN

static const int parse_calls[] = {
	CALL(read), CALL(readv), CALL(pread64), CALL(preadv),
	CALL(write), CALL(writev), CALL(pwrite64), CALL(pwritev),
	CALL(lseek), CALL(_llseek), CALL(close), CALL(fstat), CALL(fstat64),
	CALL(munmap), CALL(mremap), CALL(madvise), CALL(brk),
	CALL(mlock), CALL(munlock), CALL(msync),
	CALL(futex), CALL(futex_time64),
	CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn),
	CALL(sigreturn), CALL(sigaltstack), CALL(restart_syscall),
	CALL(exit), CALL(exit_group),
	CALL(clock_gettime), CALL(clock_gettime64), CALL(clock_getres),
	CALL(gettimeofday), CALL(time), CALL(nanosleep),
	CALL(clock_nanosleep), CALL(clock_nanosleep_time64),
	CALL(getrandom), CALL(getpid), CALL(getppid), CALL(gettid),
	CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid),
	CALL(uname), CALL(sysinfo), CALL(getrusage), CALL(times),
	CALL(sched_yield), CALL(sched_getaffinity), CALL(getcpu),
	CALL(poll), CALL(ppoll), CALL(ppoll_time64), CALL(membarrier),
	END
};

static const int loop_calls[] = {
	CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait),
	CALL(epoll_pwait), CALL(epoll_pwait2),
	CALL(eventfd2), CALL(pipe2),
	CALL(timerfd_create), CALL(timerfd_settime), CALL(timerfd_gettime),
	CALL(select), CALL(_newselect), CALL(pselect6),
	CALL(dup), CALL(dup2), CALL(dup3),
	CALL(sendmsg), CALL(recvmsg), CALL(sendto), CALL(recvfrom),
	CALL(send), CALL(recv), CALL(shutdown),
	CALL(getsockopt), CALL(getsockname), CALL(getpeername),
	CALL(set_robust_list), CALL(rseq), CALL(set_tid_address),
	CALL(sched_getparam), CALL(sched_getscheduler),
	END
};

static const int accept_calls[] = {
	CALL(accept), CALL(accept4), CALL(listen),
	END
};

static const int store_calls[] = {
	CALL(open), CALL(openat), CALL(creat),
	CALL(stat), CALL(stat64), CALL(lstat), CALL(lstat64),
	CALL(newfstatat), CALL(fstatat64), CALL(statx),
	CALL(statfs), CALL(statfs64), CALL(fstatfs), CALL(fstatfs64),
	CALL(access), CALL(faccessat), CALL(faccessat2),
	CALL(readlink), CALL(readlinkat), CALL(getcwd),
	CALL(getdents), CALL(getdents64),
	CALL(unlink), CALL(unlinkat), CALL(rename), CALL(renameat),
	CALL(renameat2), CALL(mkdir), CALL(mkdirat), CALL(rmdir),
	CALL(link), CALL(linkat),
	CALL(truncate), CALL(ftruncate), CALL(truncate64),
	CALL(ftruncate64), CALL(fallocate), CALL(fadvise64),
	CALL(fsync), CALL(fdatasync), CALL(sync_file_range), CALL(syncfs),
	CALL(sendfile), CALL(copy_file_range),
	CALL(chmod), CALL(fchmod), CALL(fchmodat),
	CALL(chown), CALL(fchown), CALL(fchownat), CALL(lchown),
	CALL(utimensat), CALL(flock), CALL(umask),
	CALL(wait4), CALL(waitid), CALL(kill), CALL(tgkill), CALL(tkill),
	CALL(getpriority), CALL(setpriority), CALL(getpgrp),
	END
};

/* What programs need, those of a shell as well. */
static const int run_calls[] = {
	CALL(socket), CALL(socketpair), CALL(connect), CALL(bind),
	CALL(setsockopt), CALL(sendmmsg), CALL(recvmmsg),
	CALL(execve), CALL(execveat), CALL(vfork), CALL(fork), CALL(clone),
	CALL(mmap), CALL(mmap2), CALL(mprotect), CALL(arch_prctl),
	CALL(set_thread_area), CALL(prlimit64), CALL(getrlimit),
	CALL(setrlimit), CALL(prctl), CALL(fcntl), CALL(fcntl64),
	CALL(ioctl), CALL(pipe), CALL(mincore), CALL(mlock2),
	CALL(eventfd), CALL(epoll_create), CALL(signalfd4),
	CALL(inotify_init1), CALL(inotify_add_watch), CALL(inotify_rm_watch),
	CALL(chdir), CALL(fchdir), CALL(symlink), CALL(symlinkat),
	CALL(getgroups), CALL(getresuid), CALL(getresgid),
	CALL(getpgid), CALL(setpgid), CALL(getsid), CALL(setsid),
	CALL(rt_sigpending), CALL(rt_sigtimedwait), CALL(rt_sigsuspend),
	CALL(rt_sigqueueinfo), CALL(pause), CALL(alarm), CALL(setitimer),
	CALL(getitimer), CALL(timer_create), CALL(timer_settime),
	CALL(timer_gettime), CALL(timer_delete), CALL(timer_getoverrun),
	CALL(sched_setaffinity), CALL(sched_get_priority_max),
	CALL(sched_get_priority_min), CALL(sched_setscheduler),
	CALL(close_range), CALL(get_robust_list), CALL(capget),
	CALL(getxattr), CALL(lgetxattr), CALL(fgetxattr), CALL(splice),
	CALL(tee), CALL(memfd_create), CALL(pidfd_open), CALL(utime),
	CALL(utimes), CALL(mknod), CALL(mknodat), CALL(pread64),
	END
};

/* Tried by libraries, which can do without. */
static const int absent_calls[] = {
	CALL(clone3),		/* flags behind a pointer cannot be checked:
				 * glibc takes clone() then */
	CALL(openat2), CALL(io_uring_setup),
	END
};
static const int denied_files[] = {
	CALL(open), CALL(openat), CALL(stat), CALL(stat64), CALL(lstat),
	CALL(lstat64), CALL(statx), CALL(access), CALL(faccessat),
	CALL(faccessat2), CALL(readlink), CALL(readlinkat), CALL(getcwd),
	END
};
/* Programs do without: there is nothing to change to. */
static const int denied_users[] = {
	CALL(setuid), CALL(setgid), CALL(setreuid), CALL(setregid),
	CALL(setresuid), CALL(setresgid), CALL(setgroups), CALL(setfsuid),
	CALL(setfsgid), CALL(capset), CALL(chroot), CALL(sethostname),
	END
};
/* For those who may read some files: Landlock knows which. */
static const int reader_calls[] = {
	CALL(stat), CALL(stat64), CALL(lstat), CALL(lstat64),
	CALL(newfstatat), CALL(fstatat64), CALL(statx),
	CALL(access), CALL(faccessat), CALL(faccessat2),
	CALL(readlink), CALL(readlinkat), CALL(getcwd),
	CALL(getdents), CALL(getdents64),
	END
};

struct filter {
	scmp_filter_ctx	 ctx;
	int		 rc;	/* -errno of the first that failed */
};

static void
rules(struct filter *f, uint32_t action, const int *calls)
{
	for (; f->rc == 0 && *calls != END; calls++)
		f->rc = seccomp_rule_add(f->ctx, action, *calls, 0);
}

static void
rule_if(struct filter *f, uint32_t action, int call,
    struct scmp_arg_cmp only)
{
	if (f->rc == 0)
		f->rc = seccomp_rule_add(f->ctx, action, call, 1, only);
}

static void
rule_if2(struct filter *f, uint32_t action, int call,
    struct scmp_arg_cmp a, struct scmp_arg_cmp b)
{
	if (f->rc == 0)
		f->rc = seccomp_rule_add(f->ctx, action, call, 2, a, b);
}

#define ALLOW		SCMP_ACT_ALLOW
#define IS(arg, n)	((struct scmp_arg_cmp){ (arg), SCMP_CMP_EQ,	\
			    (scmp_datum_t)(n), 0 })
#define NONE_OF(arg, bits) \
	SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(bits), 0)
#define ALL_OF(arg, bits, mask) \
	SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(mask), \
	(scmp_datum_t)(bits))

/* No code that was not in the program. */
static void
memory_rules(struct filter *f)
{
	rule_if(f, ALLOW, CALL(mmap), NONE_OF(2, PROT_EXEC));
	rule_if(f, ALLOW, CALL(mmap2), NONE_OF(2, PROT_EXEC));
	rule_if(f, ALLOW, CALL(mprotect), NONE_OF(2, PROT_EXEC));
}

/* abort() and raise(), of itself. */
static void
signal_rules(struct filter *f)
{
	rule_if(f, ALLOW, CALL(tgkill), IS(0, getpid()));
}

static void
small_rules(struct filter *f, enum sandbox_kind kind)
{
	static const int	 control[] = {
		F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL
	};
	static const int	 locks[] = {
		F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK,
		F_OFD_SETLKW
	};
	static const int	 device[] = {
		TCGETS, TIOCGWINSZ, FIONBIO, FIOCLEX, FIONREAD
	};
	static const int	 self[] = {
		PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_GET_PDEATHSIG
	};
	size_t			 i;

	for (i = 0; i < sizeof(control) / sizeof(*control); i++) {
		rule_if(f, ALLOW, CALL(fcntl), IS(1, control[i]));
		rule_if(f, ALLOW, CALL(fcntl64), IS(1, control[i]));
	}
	for (i = 0; kind >= SANDBOX_STORE &&
	    i < sizeof(locks) / sizeof(*locks); i++) {
		rule_if(f, ALLOW, CALL(fcntl), IS(1, locks[i]));
		rule_if(f, ALLOW, CALL(fcntl64), IS(1, locks[i]));
	}
	for (i = 0; i < sizeof(device) / sizeof(*device); i++)
		rule_if(f, ALLOW, CALL(ioctl), IS(1, device[i]));
	for (i = 0; i < sizeof(self) / sizeof(*self); i++)
		rule_if(f, ALLOW, CALL(prctl), IS(0, self[i]));
	if (kind >= SANDBOX_STORE)
		rule_if(f, ALLOW, CALL(prctl), IS(0, PR_SET_PDEATHSIG));
	/* To ask for a limit, not to set it. */
	rule_if(f, ALLOW, CALL(prlimit64), IS(2, 0));
	rules(f, ALLOW, (const int[]){ CALL(getrlimit), CALL(ugetrlimit),
	    END });
}

/* Not, for one, SO_ATTACH_FILTER: a program for the kernel. */
static void
socket_rules(struct filter *f)
{
	static const int	 options[] = {
		SO_REUSEADDR, SO_REUSEPORT, SO_KEEPALIVE, SO_SNDBUF,
		SO_RCVBUF, SO_LINGER, SO_RCVTIMEO, SO_SNDTIMEO, SO_PASSCRED,
		SO_RCVLOWAT
	};
	size_t			 i;

	for (i = 0; i < sizeof(options) / sizeof(*options); i++)
		rule_if2(f, ALLOW, CALL(setsockopt), IS(1, SOL_SOCKET),
		    IS(2, options[i]));
	rule_if(f, ALLOW, CALL(setsockopt), IS(1, IPPROTO_TCP));
}

/* Threads, and of STORE on a fork(); the flags are the first argument but
 * on s390, where libseccomp does not turn them round. */
static void
clone_rules(struct filter *f, enum sandbox_kind kind)
{
	const uint64_t	 thread = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
	const uint64_t	 spaces = CLONE_NEWNS | CLONE_NEWCGROUP |
	    CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
	    CLONE_NEWNET | CLONE_PTRACE | CLONE_UNTRACED | CLONE_VFORK |
	    CLONE_PARENT;
#if defined(__s390__) || defined(__s390x__)
	const unsigned int	 flags = 1;
#else
	const unsigned int	 flags = 0;
#endif

	rule_if(f, ALLOW, CALL(clone), ALL_OF(flags, thread,
	    thread | spaces));
	if (kind == SANDBOX_STORE)
		rule_if(f, ALLOW, CALL(clone), ALL_OF(flags,
		    CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD,
		    UINT32_MAX));
}

/* To open a file can be tried: libraries do, at odd moments, and take no for
 * an answer. */
static void
file_rules(struct filter *f, const struct sandbox *s)
{
	const uint64_t	 writes = O_ACCMODE | O_CREAT | O_TRUNC |
	    (O_TMPFILE & ~O_DIRECTORY) | O_APPEND;

	if (s->read != NULL || s->write != NULL) {
		rule_if(f, ALLOW, CALL(open), NONE_OF(1, writes));
		rule_if(f, ALLOW, CALL(openat), NONE_OF(2, writes));
		rules(f, ALLOW, reader_calls);
		return;
	}
	rules(f, SCMP_ACT_ERRNO(EACCES), denied_files);
	/* glibc's fstat() is this one. */
	rule_if(f, ALLOW, CALL(newfstatat), ALL_OF(3, AT_EMPTY_PATH,
	    AT_EMPTY_PATH));
	rule_if(f, SCMP_ACT_ERRNO(EACCES), CALL(newfstatat),
	    NONE_OF(3, AT_EMPTY_PATH));
}

#if SANDBOX_SANITIZED
/* A report is written with these, and nobody minds if it lacks a name. */
static void
sanitizer_rules(struct filter *f, const struct sandbox *s)
{
	static const int	 more[] = {
		CALL(pipe2), CALL(dup2), CALL(set_robust_list), CALL(rseq),
		CALL(sched_getparam), CALL(getpgrp), CALL(setrlimit),
		CALL(mincore), CALL(personality), END
	};

	rules(f, ALLOW, more);
	if (s->kind < SANDBOX_STORE)
		rules(f, SCMP_ACT_ERRNO(EPERM), (const int[]){
		    CALL(unlink), CALL(socketpair), END });
	rule_if(f, ALLOW, CALL(tgkill), IS(0, getpid()));
}
#endif

static void
all_rules(struct filter *f, const struct sandbox *s)
{
	if (s->kind == SANDBOX_SIGN) {
		if (f->rc == 0)
			f->rc = sandbox_sign_rules(f->ctx);
#if SANDBOX_SANITIZED
		rules(f, ALLOW, parse_calls);
		sanitizer_rules(f, s);
#endif
		return;
	}
	rules(f, ALLOW, parse_calls);
	rules(f, SCMP_ACT_ERRNO(ENOSYS), absent_calls);
	if (s->kind >= SANDBOX_LOOP)
		rules(f, ALLOW, loop_calls);
	if (s->kind >= SANDBOX_ACCEPT)
		rules(f, ALLOW, accept_calls);
	if (s->kind >= SANDBOX_STORE)
		rules(f, ALLOW, store_calls);
	else
		file_rules(f, s);
	if (s->kind < SANDBOX_STORE)
		signal_rules(f);
	if (s->kind == SANDBOX_RUN) {
		rules(f, ALLOW, run_calls);
		rules(f, SCMP_ACT_ERRNO(EPERM), denied_users);
	} else {
		memory_rules(f);
		small_rules(f, s->kind);
		if (s->kind >= SANDBOX_LOOP)
			socket_rules(f);
		if (s->kind >= SANDBOX_LOOP)
			clone_rules(f, s->kind);
	}
#if SANDBOX_SANITIZED
	sanitizer_rules(f, s);
#endif
}

enum rc
sandbox_calls(const struct sandbox *s, struct err *e)
{
	struct filter	 f;

	/* No system without seccomp: then the process does not start. */
	if ((f.ctx = seccomp_init(SCMP_ACT_KILL_PROCESS)) == NULL)
		return err_set(e, "seccomp: no filter");
	f.rc = seccomp_attr_set(f.ctx, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS);
	if (f.rc == 0)
		f.rc = seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	/* A tree instead of a list: what is far down costs less. */
	if (f.rc == 0)
		f.rc = seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	all_rules(&f, s);
	if (f.rc == 0)
		f.rc = seccomp_load(f.ctx);
	seccomp_release(f.ctx);
	if (f.rc != 0)
		return err_set(e, "seccomp: %s", strerror(-f.rc));
	return RC_OK;
}
