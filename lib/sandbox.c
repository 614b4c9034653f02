/*
 * The order counts: the bounding set needs CAP_SETPCAP and the network
 * CAP_SYS_ADMIN, so they come before the user; Landlock and seccomp need
 * nothing but no_new_privs, so they come last and nothing after them can.
 */
#define _GNU_SOURCE
#include "lib/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/sandbox_inner.h"

static bool entered;

#if SANDBOX_SANITIZED
/* The leak checker stops the process through ptrace: it would die of it. */
int __lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return entered;
}
#endif

/*
 * Capabilities and Landlock are a thread's own: a second thread would keep
 * what the first gives up.
 */
static enum rc
check_alone(struct err *e)
{
	DIR		*d;
	struct dirent	*entry;
	int		 n = 0;

	if (SANDBOX_SANITIZED || (d = opendir("/proc/self/task")) == NULL)
		return RC_OK;
	while ((entry = readdir(d)) != NULL)
		n += entry->d_name[0] != '.';
	(void)closedir(d);
	if (n != 1)
		return err_set(e, "there are %d threads already", n);
	return RC_OK;
}

static enum rc
limit(int what, size_t max, const char *name, struct err *e)
{
	struct rlimit	 l = { max, max }, now;

	if (setrlimit((__rlimit_resource_t)what, &l) == 0)
		return RC_OK;
	/* Only root can have more than it was started with. */
	if (errno == EPERM &&
	    getrlimit((__rlimit_resource_t)what, &now) == 0 &&
	    now.rlim_max < max) {
		l.rlim_cur = l.rlim_max = now.rlim_max;
		if (setrlimit((__rlimit_resource_t)what, &l) == 0)
			return RC_OK;
	}
	return err_set(e, "limit of %s: %s", name, strerror(errno));
}

static enum rc
limits(const struct sandbox *s, struct err *e)
{
	enum rc	 rc;

	if ((rc = limit(RLIMIT_CORE, 0, "core dumps", e)) != RC_OK)
		return rc;
	if (s->files_max > 0 && (rc = limit(RLIMIT_NOFILE,
	    (size_t)s->files_max, "open files", e)) != RC_OK)
		return rc;
	/*
	 * What is written to, not addresses: each thread reserves 64 MiB of
	 * those for its heap, and SQLite maps files.
	 */
	if (s->memory_max > 0 && !SANDBOX_SANITIZED)
		return limit(RLIMIT_DATA, s->memory_max, "memory", e);
	return RC_OK;
}

/* No network but what sockets it was given; seccomp forbids to make others,
 * and this is for where seccomp had a hole. */
static void
leave_network(const struct sandbox *s)
{
	if (s->kind == SANDBOX_RUN || unshare(CLONE_NEWNET) == 0)
		return;
	/* Not root, or not in a container, or not in this kernel. */
	if (errno != EPERM && errno != EINVAL && errno != ENOSPC &&
	    errno != ENOSYS)
		log_event(LOG_ODD, "sandbox", "network", 's', strerror(errno),
		    NULL);
}

static enum rc
drop_bounding(struct err *e)
{
	int	 cap;

	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		/* Not root: there is nothing that could come back. */
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1 &&
		    errno != EPERM)
			return err_set(e, "capability %d: %s", cap,
			    strerror(errno));
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 &&
	    errno != EINVAL)
		return err_set(e, "ambient capabilities: %s",
		    strerror(errno));
	return RC_OK;
}

static enum rc
drop_capabilities(struct err *e)
{
	struct __user_cap_header_struct	 head = {
		.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0
	};
	struct __user_cap_data_struct	 data[2], none[2];

	memset(none, 0, sizeof(none));
	if (syscall(SYS_capset, &head, none) == -1 ||
	    syscall(SYS_capget, &head, data) == -1)
		return err_set(e, "capabilities: %s", strerror(errno));
	if (memcmp(data, none, sizeof(none)) != 0)
		return err_set(e, "capabilities are still there");
	return RC_OK;
}

/* Another user for good: what could come back is tried. */
static enum rc
become(uid_t uid, gid_t gid, struct err *e)
{
	uid_t	 r, ef, sv;
	gid_t	 gr, ge, gs;

	if (setgroups(1, &gid) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		return err_set(e, "%s", strerror(errno));
	if (getresuid(&r, &ef, &sv) == -1 || getresgid(&gr, &ge, &gs) == -1 ||
	    r != uid || ef != uid || sv != uid || gr != gid || ge != gid ||
	    gs != gid)
		return err_set(e, "it is not that user now");
	if (uid != 0 && (setuid(0) != -1 || seteuid(0) != -1 ||
	    setresuid((uid_t)-1, 0, (uid_t)-1) != -1))
		return err_set(e, "root could be got back");
	if (gid != 0 && (setgid(0) != -1 || setegid(0) != -1))
		return err_set(e, "root's group could be got back");
	return RC_OK;
}

static enum rc
change_user(const struct sandbox *s, struct err *e)
{
	struct passwd	*pw;
	int		 death = 0;
	enum rc		 rc;

	if (s->user == NULL || s->user[0] == '\0')
		return RC_OK;
	errno = 0;
	if ((pw = getpwnam(s->user)) == NULL)
		return err_set(e, "user %s: %s", s->user,
		    errno != 0 ? strerror(errno) : "there is none");
	if (pw->pw_uid == 0)
		return err_set(e, "user %s: that is root", s->user);
	if (geteuid() == pw->pw_uid && getuid() == pw->pw_uid)
		return RC_OK;
	if (geteuid() != 0)
		return err_set(e, "user %s: only root can become it",
		    s->user);
	/* The kernel forgets this one when the user changes. */
	(void)prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
	if ((rc = become(pw->pw_uid, pw->pw_gid, e)) != RC_OK)
		return err_wrap(e, rc, "user %s", s->user);
	if (death != 0)
		(void)prctl(PR_SET_PDEATHSIG, death, 0, 0, 0);
	return RC_OK;
}

static enum rc
enter(const struct sandbox *s, struct err *e)
{
	enum rc	 rc;

	if ((rc = check_alone(e)) != RC_OK)
		return rc;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return err_set(e, "no new privileges: %s", strerror(errno));
	if ((rc = limits(s, e)) != RC_OK)
		return rc;
	leave_network(s);
	if ((rc = drop_bounding(e)) != RC_OK ||
	    (rc = change_user(s, e)) != RC_OK ||
	    (rc = drop_capabilities(e)) != RC_OK)
		return rc;
	/* Changing the user has set it again. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return err_set(e, "not dumpable: %s", strerror(errno));
	if ((rc = sandbox_paths(s, e)) != RC_OK)
		return rc;
	entered = true;
	return sandbox_calls(s, e);
}

enum rc
sandbox_enter(const struct sandbox *s, struct err *e)
{
	return err_wrap(e, enter(s, e), "sandbox");
}
