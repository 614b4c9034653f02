/*
 * Landlock, by the kernel's own numbers: Debian 12's headers know its second
 * version of seven.  Each version adds rights; what an older kernel does not
 * know is not asked of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/sandbox_inner.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset	444
#define SYS_landlock_add_rule		445
#define SYS_landlock_restrict_self	446
#endif

/* Files, version 1 and as noted. */
#define FS_EXECUTE	(UINT64_C(1) << 0)
#define FS_WRITE_FILE	(UINT64_C(1) << 1)
#define FS_READ_FILE	(UINT64_C(1) << 2)
#define FS_READ_DIR	(UINT64_C(1) << 3)
#define FS_REMOVE_DIR	(UINT64_C(1) << 4)
#define FS_REMOVE_FILE	(UINT64_C(1) << 5)
#define FS_MAKE_DIR	(UINT64_C(1) << 7)
#define FS_MAKE_REG	(UINT64_C(1) << 8)
#define FS_ALL_1	((UINT64_C(1) << 13) - 1)
#define FS_REFER	(UINT64_C(1) << 13)	/* 2 */
#define FS_TRUNCATE	(UINT64_C(1) << 14)	/* 3 */
#define FS_IOCTL_DEV	(UINT64_C(1) << 15)	/* 5 */
#define NET_BIND	(UINT64_C(1) << 0)	/* 4 */
#define NET_CONNECT	(UINT64_C(1) << 1)	/* 4 */
#define SCOPE_ABSTRACT	(UINT64_C(1) << 0)	/* 6 */
#define SCOPE_SIGNAL	(UINT64_C(1) << 1)	/* 6 */

#define OF_READ		(FS_READ_FILE | FS_READ_DIR)
#define OF_WRITE	(OF_READ | FS_WRITE_FILE | FS_REMOVE_DIR | \
			FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | \
			FS_REFER | FS_TRUNCATE)
/* What a rule for one file may say. */
#define OF_FILE		(FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | \
			FS_TRUNCATE | FS_IOCTL_DEV)

struct ruleset {
	uint64_t	fs;
	uint64_t	net;
	uint64_t	scope;
};

/* The kernel's struct landlock_path_beneath_attr. */
struct beneath {
	uint64_t	allowed;
	int32_t		parent;
} __attribute__((packed));

/* For programs and the names of hosts; those that are not there are not. */
static const char *const run_execute[] = {
	"/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", NULL
};
static const char *const run_read[] = {
	"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf",
	"/etc/nsswitch.conf", "/etc/services", "/etc/protocols",
	"/etc/passwd", "/etc/group", "/etc/ssl", "/etc/ca-certificates",
	"/etc/localtime", "/etc/ld.so.cache", "/etc/ld.so.conf",
	"/etc/ld.so.conf.d", "/etc/ld.so.preload", "/etc/alternatives",
	"/run/systemd/resolve", NULL
};
static const char *const store_read[] = { "/dev/urandom", NULL };
static const char *const store_write[] = { "/dev/null", NULL };

static void
fill(struct ruleset *r, int version, enum sandbox_kind kind)
{
	memset(r, 0, sizeof(*r));
	r->fs = FS_ALL_1;
	if (version >= 2)
		r->fs |= FS_REFER;
	if (version >= 3)
		r->fs |= FS_TRUNCATE;
	if (version >= 5)
		r->fs |= FS_IOCTL_DEV;
	if (version >= 4)
		r->net = NET_BIND |
		    (kind == SANDBOX_RUN ? 0 : NET_CONNECT);
	if (version >= 6)
		r->scope = SCOPE_ABSTRACT | SCOPE_SIGNAL;
}

static size_t
ruleset_size(int version)
{
	return version >= 6 ? sizeof(struct ruleset) :
	    version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static enum rc
add(int fd, const struct ruleset *r, const char *path, uint64_t rights,
    bool must, struct err *e)
{
	struct beneath	 b;
	struct stat	 st;
	enum rc		 rc = RC_OK;

	if ((b.parent = open(path, O_PATH | O_CLOEXEC)) == -1)
		return must ? err_set(e, "%s: %s", path, strerror(errno)) :
		    RC_OK;
	b.allowed = rights & r->fs;
	if (fstat(b.parent, &st) == -1)
		rc = err_set(e, "%s: %s", path, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		b.allowed &= OF_FILE;
	if (rc == RC_OK && syscall(SYS_landlock_add_rule, fd, 1, &b, 0) == -1)
		rc = err_set(e, "%s: Landlock: %s", path, strerror(errno));
	(void)close(b.parent);
	return rc;
}

static enum rc
add_all(int fd, const struct ruleset *r, const char *const *paths,
    uint64_t rights, bool must, struct err *e)
{
	enum rc	 rc;
	size_t	 i;

	for (i = 0; paths != NULL && paths[i] != NULL; i++)
		if ((rc = add(fd, r, paths[i], rights, must, e)) != RC_OK)
			return rc;
	return RC_OK;
}

static enum rc
add_kinds(int fd, const struct ruleset *r, const struct sandbox *s,
    struct err *e)
{
	enum rc	 rc;

	if (s->kind < SANDBOX_STORE)
		return RC_OK;
	if ((rc = add_all(fd, r, store_read, OF_READ, false, e)) != RC_OK ||
	    (rc = add_all(fd, r, store_write, OF_READ | FS_WRITE_FILE, false,
	    e)) != RC_OK || s->kind < SANDBOX_RUN)
		return rc;
	if ((rc = add_all(fd, r, run_read, OF_READ, false, e)) != RC_OK)
		return rc;
	return add_all(fd, r, run_execute, OF_READ | FS_EXECUTE, false, e);
}

enum rc
sandbox_paths(const struct sandbox *s, struct err *e)
{
	struct ruleset	 r;
	enum rc		 rc;
	int		 fd, version;
	uint64_t	 read = OF_READ;

	version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	if (version < 1) {
		log_event(LOG_ODD, "sandbox", "landlock", 's', "absent",
		    NULL);
		return RC_OK;
	}
	/* The programs that were configured are named among these. */
	if (s->kind == SANDBOX_RUN)
		read |= FS_EXECUTE;
	fill(&r, version, s->kind);
	fd = (int)syscall(SYS_landlock_create_ruleset, &r,
	    ruleset_size(version), 0);
	if (fd == -1)
		return err_set(e, "Landlock: %s", strerror(errno));
	if ((rc = add_all(fd, &r, s->read, read, true, e)) == RC_OK &&
	    (rc = add_all(fd, &r, s->write, OF_WRITE, true, e)) == RC_OK &&
	    (rc = add_kinds(fd, &r, s, e)) == RC_OK &&
	    syscall(SYS_landlock_restrict_self, fd, 0) == -1)
		rc = err_set(e, "Landlock: %s", strerror(errno));
	(void)close(fd);
	return rc;
}
