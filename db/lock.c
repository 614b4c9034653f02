/*
 * One engine at a time.
 *
 * SQLite would let two engines append in turn; each would then have decided
 * without knowing what the other had let go.  So the engine holds a lock of
 * its own, in a file of its own: SQLite's are on the database, and POSIX
 * gives up all of a process's locks on a file when any descriptor of it is
 * closed.
 */
#define _GNU_SOURCE	/* F_OFD_SETLK */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/inner.h"

/* Whose process number stands in the file; 0: nobody's. */
static long
lock_owner(int fd)
{
	char	 text[32];
	ssize_t	 n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return strtol(text, NULL, 10);
}

/* Open the file and lock it; -1 and errno.  EAGAIN: another engine has it. */
static int
lock_open(int *fd_out, const char *path, bool *made_out)
{
	struct flock	 l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat	 st;
	int		 flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;

	do {
		*fd_out = open(path, flags | O_EXCL, 0640);
		*made_out = *fd_out != -1;
		if (*fd_out == -1 && errno == EEXIST)
			*fd_out = open(path, flags, 0640);
		if (*fd_out == -1)
			return -1;
		if (fcntl(*fd_out, F_OFD_SETLK, &l) == -1) {
			errno = errno == EACCES ? EAGAIN : errno;
			return -1;
		}
		if (fstat(*fd_out, &st) == -1)
			return -1;
		/* Removed between our open and our lock: not the one. */
		if (st.st_nlink == 0)
			close(*fd_out);
	} while (st.st_nlink == 0);
	return 0;
}

enum rc
lock_take(int *fd_out, const char *path, const char *name, bool *made_out,
    struct err *e)
{
	char	 text[32];
	int	 fd, n;
	long	 pid;

	if (lock_open(&fd, path, made_out) == -1) {
		if (errno != EAGAIN || fd == -1)
			(void)err_set(e, "%s: %s", path, strerror(errno));
		else if ((pid = lock_owner(fd)) > 0)
			(void)err_set(e, "%s: in use by another engine "
			    "(process %ld)", name, pid);
		else
			(void)err_set(e, "%s: in use by another engine",
			    name);
		if (fd != -1)
			close(fd);
		return RC_FAILED;
	}
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	/* The lock counts; the number in it is only for people. */
	if (ftruncate(fd, 0) == -1 || pwrite(fd, text, (size_t)n, 0) != n)
		(void)!ftruncate(fd, 0);
	*fd_out = fd;
	return RC_OK;
}

void
lock_give(int *fd)
{
	if (*fd == -1)
		return;
	/* The file stays, for whoever has it open to lock next. */
	(void)!ftruncate(*fd, 0);
	close(*fd);
	*fd = -1;
}

bool
lock_held(const char *path)
{
	struct flock	 l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int		 fd = open(path, O_RDONLY | O_CLOEXEC);
	bool		 held;

	if (fd == -1)
		return false;
	held = fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
	close(fd);
	return held;
}
