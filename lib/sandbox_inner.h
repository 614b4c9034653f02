/*
 * The parts of lib/sandbox.c: which system calls, and which files.
 */
#ifndef LIB_SANDBOX_INNER_H
#define LIB_SANDBOX_INNER_H

#include <seccomp.h>

#include "lib/err.h"
#include "lib/sandbox.h"

/* The sanitizers reserve terabytes, and look about when something is wrong. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_SANITIZED	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(thread_sanitizer)
#define SANDBOX_SANITIZED	1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED	0
#endif

/* Landlock.  RC_OK with a line in the log when the kernel has none. */
enum rc sandbox_paths(const struct sandbox *s, struct err *e) MUST_CHECK;
/* The rules of SANDBOX_SIGN; -errno when one cannot be made. */
int sandbox_sign_rules(scmp_filter_ctx ctx);
/* seccomp: the last of all. */
enum rc sandbox_calls(const struct sandbox *s, struct err *e) MUST_CHECK;

#endif
