#include "link/listen.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG		4096

union address {
	struct sockaddr		 any;
	struct sockaddr_in	 v4;
	struct sockaddr_in6	 v6;
};

/* The form is known to be good: config_sound(). */
static socklen_t
read_address(union address *a, const char *where)
{
	char		 host[64];
	const char	*colon = strrchr(where, ':');
	bool		 v6 = where[0] == '[';
	size_t		 len;
	unsigned	 port = 0;
	const char	*p;

	memset(a, 0, sizeof(*a));
	if (colon == NULL || (size_t)(colon - where) >= sizeof(host))
		return 0;
	len = (size_t)(colon - where) - (v6 ? 2 : 0);
	memcpy(host, where + (v6 ? 1 : 0), len);
	host[len] = '\0';
	for (p = colon + 1; *p >= '0' && *p <= '9' && port < 65536; p++)
		port = port * 10 + (unsigned)(*p - '0');
	if (v6) {
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, host, &a->v6.sin6_addr) == 1 ?
		    (socklen_t)sizeof(a->v6) : 0;
	}
	a->v4.sin_family = AF_INET;
	a->v4.sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, host, &a->v4.sin_addr) == 1 ?
	    (socklen_t)sizeof(a->v4) : 0;
}

static void
write_address(char out[LISTEN_TEXT_MAX], const union address *a)
{
	char	 ip[INET6_ADDRSTRLEN];

	if (a->any.sa_family == AF_INET6)
		(void)snprintf(out, LISTEN_TEXT_MAX, "[%s]:%d",
		    inet_ntop(AF_INET6, &a->v6.sin6_addr, ip, sizeof(ip)),
		    ntohs(a->v6.sin6_port));
	else
		(void)snprintf(out, LISTEN_TEXT_MAX, "%s:%d",
		    inet_ntop(AF_INET, &a->v4.sin_addr, ip, sizeof(ip)),
		    ntohs(a->v4.sin_port));
}

enum rc
listen_tcp(int *fd_out, char text_out[LISTEN_TEXT_MAX], const char *where,
    struct err *e)
{
	union address	 a;
	socklen_t	 len = read_address(&a, where);
	int		 one = 1, fd;

	if (len == 0)
		return err_set(e, "%s: no ADDRESS:PORT", where);
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (fd == -1)
		return err_set(e, "%s: %s", where, strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (a.any.sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
		    sizeof(one));
	if (bind(fd, &a.any, len) != 0 || listen(fd, BACKLOG) != 0 ||
	    getsockname(fd, &a.any, &len) != 0) {
		(void)err_set(e, "%s: %s", where, strerror(errno));
		(void)close(fd);
		return RC_FAILED;
	}
	write_address(text_out, &a);
	*fd_out = fd;
	return RC_OK;
}

/* Local sockets */

/* By the folder that we hold, however long its name is, and whatever stands
 * under that name by now. */
static void
local_address(struct sockaddr_un *a, int dir, const char *name)
{
	int	 len;

	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	len = snprintf(a->sun_path, sizeof(a->sun_path),
	    "/proc/self/fd/%d/%s", dir, name);
	assert(len > 0 && (size_t)len < sizeof(a->sun_path));
}

static bool
somebody_answers(const struct sockaddr_un *a)
{
	int	 fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool	 yes;

	if (fd == -1)
		return true;
	yes = connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0 ||
	    (errno != ECONNREFUSED && errno != ENOENT);
	(void)close(fd);
	return yes;
}

static enum rc
remove_stale(const struct sockaddr_un *a, int dir, const char *name,
    struct err *e)
{
	struct stat	 st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return RC_OK;
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, "there is something that is no socket");
	if (somebody_answers(a))
		return err_set(e, "another process answers there");
	listen_local_remove(dir, name);
	return RC_OK;
}

static enum rc
local(int *fd_out, int dir, const char *name, uid_t owner, gid_t group,
    struct err *e)
{
	struct sockaddr_un	 a;
	mode_t			 before;
	bool			 shared = group != LISTEN_NO_GROUP;
	int			 fd, failed;

	local_address(&a, dir, name);
	if (remove_stale(&a, dir, name, e) != RC_OK)
		return RC_FAILED;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return err_set(e, "a socket: %s", strerror(errno));
	before = umask(0177);
	failed = bind(fd, (struct sockaddr *)&a, sizeof(a));
	(void)umask(before);
	/* Its group first: nobody of another one gets in between. */
	if (failed != 0 || listen(fd, 64) != 0 ||
	    ((owner != geteuid() || shared) && fchownat(dir, name, owner,
	    group, AT_SYMLINK_NOFOLLOW) != 0) ||
	    (shared && fchmodat(dir, name, 0660, 0) != 0)) {
		(void)err_set(e, "%s", strerror(errno));
		(void)close(fd);
		return RC_FAILED;
	}
	*fd_out = fd;
	return RC_OK;
}

enum rc
listen_local(int *fd_out, int dir, const char *dir_name, const char *name,
    uid_t owner, gid_t group, struct err *e)
{
	return err_wrap(e, local(fd_out, dir, name, owner, group, e), "%s/%s",
	    dir_name, name);
}

void
listen_local_remove(int dir, const char *name)
{
	(void)unlinkat(dir, name, 0);
}
