/*
 * Secrets are locked, in no dump, apart from all else, and gone when freed.
 */
#define _GNU_SOURCE
#include "lib/secret.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sandbox_inner.h"
#include "tests/check.h"

#define MANY	4000
/* The sanitizers make mlock() do nothing. */
#define LOCKS	(!SANDBOX_SANITIZED)

/* VmLck of /proc/self/status, in KiB. */
static long
locked_kib(void)
{
	FILE	*f = fopen("/proc/self/status", "r");
	char	 line[256];
	long	 n = -1;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmLck:", 6) == 0)
			n = strtol(line + 6, NULL, 10);
	if (f != NULL)
		(void)fclose(f);
	return n;
}

/* Has the mapping where p lies this flag in /proc/self/smaps? */
static bool
has_flag(const void *p, const char *flag)
{
	FILE		*f = fopen("/proc/self/smaps", "r");
	char		 line[512];
	unsigned long	 from, to, at = (unsigned long)(uintptr_t)p;
	bool		 inside = false, found = false;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = at >= from && at < to;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	if (f != NULL)
		(void)fclose(f);
	return found;
}

static int
in_child(void (*what)(unsigned char *), unsigned char *p)
{
	const struct rlimit	 none = { 0, 0 };
	int			 status = 0;
	pid_t			 pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		(void)setrlimit(RLIMIT_CORE, &none);
		/* The sanitizers' handlers would only make noise. */
		(void)signal(SIGSEGV, SIG_DFL);
		(void)signal(SIGABRT, SIG_DFL);
		(void)!freopen("/dev/null", "w", stderr);
		what(p);
		_exit(0);
	}
	(void)waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
touch_before(unsigned char *p)
{
	((volatile unsigned char *)p)[-1] = 1;
}

static void
touch_far(unsigned char *p)
{
	volatile unsigned char	*v = p;
	size_t			 i;

	/* The end of its chunk is nearer than this. */
	for (i = 0; i <= 65536; i += 4096)
		v[i] = 1;
}

static void
free_twice(unsigned char *p)
{
	secret_free(p, 64);
	secret_free(p, 64);
}

static void
free_short(unsigned char *p)
{
	secret_free(p, 20);
}

static void
free_foreign(unsigned char *p)
{
	(void)p;
	secret_free(malloc(64), 64);
}

static void
locked(size_t len, const char *name)
{
	long		 before = locked_kib(), after;
	unsigned char	*p;

	check_case(name);
	CHECK((p = secret_new(len)) != NULL);
	if (p == NULL)
		return;
	after = locked_kib();
	if (LOCKS) {
		CHECK(after - before >= (long)(len >> 10) && after > 0);
		CHECK(has_flag(p, " lo"));
	}
	CHECK(has_flag(p, " dd"));
	memset(p, 0x5a, len);
	secret_free(p, len);
	if (len <= 2048)
		/* Still mapped: it can be looked at. */
		CHECK(p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
	else
		CHECK(locked_kib() == before);
	check_end_case();
}

static void
guards(void)
{
	unsigned char	*p = secret_new(5000), *q = secret_new(64);

	check_case("pages around are guarded");
	CHECK(p != NULL && q != NULL);
	CHECK(in_child(touch_before, p) == SIGSEGV);
	CHECK(in_child(touch_far, p) == SIGSEGV);
	CHECK(in_child(touch_far, q) == SIGSEGV);
	check_case("a wrong free is a bug");
	CHECK(in_child(free_twice, q) == SIGABRT);
	CHECK(in_child(free_short, q) == SIGABRT);
	CHECK(in_child(free_foreign, q) == SIGABRT);
	secret_free(p, 5000);
	secret_free(q, 64);
	secret_free(NULL, 64);
	secret_free(NULL, 5000);
}

static void
many(void)
{
	static unsigned char	*all[MANY];
	long			 before = locked_kib();
	int			 i, k, wrong = 0;

	check_case("thousands share pages");
	for (i = 0; i < MANY; i++)
		if ((all[i] = secret_new(62)) != NULL)
			memset(all[i], i & 0xff, 62);
		else
			wrong++;
	/* 64 bytes each, and at most one chunk not full. */
	CHECK(locked_kib() - before <= MANY * 64 / 1024 + 32 + 1);
	for (i = 0; i < MANY && wrong == 0; i++)
		for (k = 0; k < 62; k++)
			wrong += all[i][k] != (i & 0xff);
	CHECK_INT(wrong, 0);
	/* Every second one is given back and taken again: no more memory. */
	before = locked_kib();
	for (i = 0; i < MANY; i += 2)
		secret_free(all[i], 62);
	for (i = 0; i < MANY; i += 2)
		CHECK((all[i] = secret_new(62)) != NULL);
	CHECK_INT(locked_kib(), before);
	for (i = 1; i < MANY; i += 2)
		wrong += all[i][61] != (i & 0xff);
	CHECK_INT(wrong, 0);
	for (i = 0; i < MANY; i++)
		secret_free(all[i], 62);
}

/* Not root: it may lock what it likes. */
static void
over_limit(void)
{
	const struct rlimit	 small = { 65536, 65536 };
	int			 status;
	pid_t			 pid;

	check_end_case();
	if (!LOCKS) {
		printf("ok none when it cannot be locked # SKIP sanitizer\n");
		return;
	}
	check_case("none when it cannot be locked");
	fflush(stdout);
	if ((pid = fork()) == 0) {
		if (setrlimit(RLIMIT_MEMLOCK, &small) != 0 ||
		    (getuid() == 0 && setuid(65534) != 0))
			_exit(1);
		_exit(secret_new(1 << 20) == NULL && secret_new(100) != NULL
		    ? 0 : 2);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

int
main(void)
{
	struct err	 e;
	struct rlimit	 l;

	check_case("begin");
	CHECK(secret_begin(&e) == RC_OK);
	CHECK(getrlimit(RLIMIT_CORE, &l) == 0 && l.rlim_cur == 0 &&
	    l.rlim_max == 0);
	CHECK_INT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	/* Our own smaps is root's now; the pages do not change by this. */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	locked(32, "32 bytes");
	locked(64, "64 bytes");
	locked(2048, "2048 bytes");
	locked(2049, "2049 bytes");
	locked(100000, "100000 bytes");
	guards();
	many();
	over_limit();
	check_case("absurd");
	CHECK(secret_new(SIZE_MAX) == NULL);
	CHECK(secret_new(SIZE_MAX / 2) == NULL);
	return check_done();
}
