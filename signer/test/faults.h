/*
 * A disk that fails: the calls that change a file are counted, and the one
 * whose number is fault_at goes wrong as fault_how says.
 *
 * To be included by one file of a program that is linked with signer_faults
 * of signer/meson.build.
 */
#ifndef SIGNER_TEST_FAULTS_H
#define SIGNER_TEST_FAULTS_H

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>
#include <unistd.h>

enum fault_how {
	FAULT_FAILS,		/* nothing happens, fault_errno */
	FAULT_SHORT,		/* of a write only one byte is taken */
	FAULT_FULL,		/* half is taken, and then none: ENOSPC */
	FAULT_DIES,		/* the process ends instead of the call */
	FAULT_DIES_TORN,	/* in the middle of a write */
};

static unsigned fault_calls, fault_at;
static enum fault_how fault_how;
static int fault_errno = EIO;

static inline void
fault_set(unsigned at, enum fault_how how, int number)
{
	fault_calls = 0;
	fault_at = at;
	fault_how = how;
	fault_errno = number;
}

/* Whether something went wrong since; from now on nothing does. */
static inline bool
fault_end(void)
{
	bool	 reached = fault_at != 0 && fault_calls >= fault_at;

	fault_at = 0;
	return reached;
}

/* -1 with errno, or 0: do it. */
static inline int
fault_call(void)
{
	fault_calls++;
	if (fault_at == 0 || fault_calls != fault_at)
		return 0;
	switch (fault_how) {
	case FAULT_FAILS:
		errno = fault_errno;
		return -1;
	case FAULT_SHORT:
	case FAULT_FULL:
		return 0;
	case FAULT_DIES:
	case FAULT_DIES_TORN:
		_exit(77);
	}
	return 0;
}

ssize_t __real_pwrite64(int, const void *, size_t, off_t);
ssize_t __wrap_pwrite(int, const void *, size_t, off_t);
ssize_t __wrap_pwrite64(int, const void *, size_t, off_t);
int __real_fdatasync(int);
int __real_fsync(int);
int __real_ftruncate64(int, off_t);
int __wrap_fdatasync(int);
int __wrap_fsync(int);
int __wrap_ftruncate(int, off_t);
int __wrap_ftruncate64(int, off_t);

ssize_t
__wrap_pwrite64(int fd, const void *p, size_t len, off_t off)
{
	bool	 now = fault_at != 0 && fault_calls + 1 == fault_at;

	if (fault_at != 0 && fault_how == FAULT_FULL &&
	    fault_calls >= fault_at) {
		errno = ENOSPC;
		return -1;
	}
	if (now && fault_how == FAULT_DIES_TORN)
		(void)__real_pwrite64(fd, p, len / 2, off);
	if (fault_call() != 0)
		return -1;
	if (now && fault_how == FAULT_SHORT)
		len = 1;
	if (now && fault_how == FAULT_FULL)
		len /= 2;
	return __real_pwrite64(fd, p, len, off);
}

ssize_t
__wrap_pwrite(int fd, const void *p, size_t len, off_t off)
{
	return __wrap_pwrite64(fd, p, len, off);
}

int
__wrap_fdatasync(int fd)
{
	return fault_call() != 0 ? -1 : __real_fdatasync(fd);
}

int
__wrap_fsync(int fd)
{
	return fault_call() != 0 ? -1 : __real_fsync(fd);
}

int
__wrap_ftruncate64(int fd, off_t len)
{
	return fault_call() != 0 ? -1 : __real_ftruncate64(fd, len);
}

int
__wrap_ftruncate(int fd, off_t len)
{
	return __wrap_ftruncate64(fd, len);
}

#endif
