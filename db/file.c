#define _GNU_SOURCE
#include "db/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum rc
tmp_name(char out[PATH_MAX], const char *path, struct err *e)
{
	int	 n = snprintf(out, PATH_MAX, "%s.tmp", path);

	if (n < 0 || n >= PATH_MAX)
		return err_set(e, "%s: the name is too long", path);
	return RC_OK;
}

enum rc
file_lock(int fd, enum file_lock how, bool wait, const char *path,
    struct err *e)
{
	struct flock	 l = { .l_whence = SEEK_SET };
	int		 rc;

	switch (how) {
	case FILE_SHARED:
		l.l_type = F_RDLCK;
		break;
	case FILE_ALONE:
		l.l_type = F_WRLCK;
		break;
	}
	do
		rc = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &l);
	while (rc == -1 && errno == EINTR);
	if (rc == 0)
		return RC_OK;
	if (!wait && (errno == EAGAIN || errno == EACCES))
		return err_set(e, "%s: in use by another process", path);
	return err_set(e, "%s: cannot be locked: %s", path, strerror(errno));
}

void
file_unlock(int fd)
{
	struct flock	 l = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	/* It cannot fail on a lock that is held. */
	(void)fcntl(fd, F_OFD_SETLK, &l);
}

/* Does the name still lead to the open file? */
static bool
is_at(int fd, const char *path)
{
	struct stat	 a, b;

	return fstat(fd, &a) == 0 && lstat(path, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

enum rc
file_begin(int *fd_out, const char *path, struct err *e)
{
	char	 tmp[PATH_MAX];
	int	 fd;

	if (tmp_name(tmp, path, e) != RC_OK)
		return RC_FAILED;
	fd = open(tmp, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return err_set(e, "%s: cannot be made: %s", tmp,
		    strerror(errno));
	if (file_lock(fd, FILE_ALONE, false, tmp, e) != RC_OK)
		goto fail;
	/* Another may have finished it between open and lock. */
	if (!is_at(fd, tmp)) {
		(void)err_set(e, "%s: in use by another process", tmp);
		goto fail;
	}
	if (fchmod(fd, 0600) == -1 || ftruncate(fd, 0) == -1) {
		(void)err_set(e, "%s: cannot be written: %s", tmp,
		    strerror(errno));
		goto fail;
	}
	*fd_out = fd;
	return RC_OK;
fail:
	(void)close(fd);
	return RC_FAILED;
}

void
file_discard(int *fd, const char *path)
{
	char	 tmp[PATH_MAX];

	if (*fd == -1)
		return;
	if (tmp_name(tmp, path, NULL) == RC_OK && is_at(*fd, tmp))
		(void)unlink(tmp);
	(void)close(*fd);
	*fd = -1;
}

/* Without replacing what has the name; link() where the file system knows
 * no better. */
static int
rename_new(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (link(from, to) == -1)
		return -1;
	return unlink(from);
}

enum rc
file_commit(int *fd, const char *path, bool replace, struct err *e)
{
	char	 tmp[PATH_MAX];
	enum rc	 rc;

	if ((rc = tmp_name(tmp, path, e)) != RC_OK)
		goto fail;
	if (fsync(*fd) == -1) {
		rc = err_set(e, "%s: not on disk: %s", tmp, strerror(errno));
		goto fail;
	}
	if ((replace ? rename(tmp, path) : rename_new(tmp, path)) == -1) {
		if (errno == EEXIST)
			rc = err_set(e, "%s: exists already", path);
		else
			rc = err_set(e, "%s: cannot be named so: %s", path,
			    strerror(errno));
		goto fail;
	}
	(void)close(*fd);
	*fd = -1;
	return file_sync_folder(path, e);
fail:
	file_discard(fd, path);
	return rc;
}

enum rc
file_sweep(const char *tmp, struct err *e)
{
	enum rc	 rc = RC_OK;
	int	 fd;

	fd = open(tmp, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return errno == ENOENT ? RC_OK : err_set(e,
		    "%s: cannot be opened: %s", tmp, strerror(errno));
	if (file_lock(fd, FILE_ALONE, false, tmp, NULL) == RC_OK &&
	    is_at(fd, tmp) && unlink(tmp) == -1)
		rc = err_set(e, "%s: cannot be removed: %s", tmp,
		    strerror(errno));
	(void)close(fd);
	return rc;
}

enum rc
file_write(int fd, const void *bytes, size_t len, uint64_t offset,
    const char *path, struct err *e)
{
	const unsigned char	*p = bytes;
	ssize_t			 n;

	while (len > 0) {
		n = pwrite(fd, p, len, (off_t)offset);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, "%s: cannot be written: %s", path,
			    n == 0 ? "nothing was taken" : strerror(errno));
		p += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return RC_OK;
}

enum rc
file_read(int fd, void *bytes, size_t len, uint64_t offset,
    const char *path, struct err *e)
{
	unsigned char	*p = bytes;
	ssize_t		 n;

	while (len > 0) {
		n = pread(fd, p, len, (off_t)offset);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return err_set(e, "%s: cannot be read: %s", path,
			    strerror(errno));
		if (n == 0)
			return err_set(e, "%s: is torn: it ends after %"
			    PRIu64 " bytes, %zu too early", path, offset,
			    len);
		p += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return RC_OK;
}

enum rc
file_sync_folder(const char *path, struct err *e)
{
	const char	*slash = strrchr(path, '/');
	char		 folder[PATH_MAX];
	int		 fd, bad, n;

	if (slash == NULL)
		n = snprintf(folder, sizeof(folder), ".");
	else
		n = snprintf(folder, sizeof(folder), "%.*s",
		    slash == path ? 1 : (int)(slash - path), path);
	if (n < 0 || n >= (int)sizeof(folder))
		return err_set(e, "%s: the name is too long", path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return err_set(e, "%s: cannot be opened: %s", folder,
		    strerror(errno));
	bad = fsync(fd) == -1 ? errno : 0;
	(void)close(fd);
	if (bad != 0)
		return err_set(e, "%s: not on disk: %s", folder,
		    strerror(bad));
	return RC_OK;
}
