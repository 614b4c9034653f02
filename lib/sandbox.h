/*
 * A process gives up what it will not need, for good, before it reads its
 * first byte from outside.
 *
 * In order: no new privileges, no core dumps, limits; namespaces (an empty
 * network where it needs none); user and group; capabilities; Landlock: only
 * the paths named; seccomp: only the system calls of its kind, anything else
 * kills.  A kernel without Landlock is told in a log line (odd); without
 * seccomp the process does not start.
 */
#ifndef LIB_SANDBOX_H
#define LIB_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/err.h"

enum sandbox_kind {
	SANDBOX_SIGN,		/* computes; a file and pipes that it has: the
				 * twenty calls of lib/sandbox_sign.c */
	SANDBOX_PARSE,		/* reads and writes open files, computes */
	SANDBOX_LOOP,		/* and a loop: epoll, timers, threads */
	SANDBOX_ACCEPT,		/* and accepts on sockets it was given */
	SANDBOX_STORE,		/* and files: SQLite's; forks for snapshots */
	SANDBOX_RUN,		/* and connects out, and runs programs */
};

struct sandbox {
	enum sandbox_kind kind;
	const char	*user;		/* NULL: as it is; only root can */
	const char	*const *read;	/* paths, NULL at the end; or NULL */
	const char	*const *write;
	size_t		memory_max;	/* bytes; 0: no limit */
	int		files_max;
};

/* What SANDBOX_SIGN may call, and why: for its test and its manual. */
size_t sandbox_sign_count(void);
const char *sandbox_sign_name(size_t i, const char **why_out);

enum rc sandbox_enter(const struct sandbox *s, struct err *e) MUST_CHECK;

#endif
