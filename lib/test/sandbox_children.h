/*
 * Of test_sandbox.c: its children, and what they are seen to be.
 */
#ifndef LIB_TEST_SANDBOX_CHILDREN_H
#define LIB_TEST_SANDBOX_CHILDREN_H

static const char *const kind_names[] = {
	"SIGN", "PARSE", "LOOP", "ACCEPT", "STORE", "RUN"
};

static void
fill_sandbox(struct sandbox *s, const struct test *t, enum sandbox_kind kind)
{
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	s->read = t->read;
	s->write = t->write;
	s->user = t->user ? "nobody" : NULL;
	s->memory_max = 96 << 20;
	s->files_max = t->what == limited ? 32 : 64;
}

/* In the child. */
static void
begin(const struct test *t, enum sandbox_kind kind)
{
	const struct rlimit	 some = { 1 << 26, 1 << 26 };
	struct sandbox		 s;
	struct err		 e;

	(void)setrlimit(RLIMIT_CORE, &some);
	(void)alarm(30);
	MUST(chdir(folder) == 0);
	if (t->what == accept_one) {
		MUST((given = socket(AF_INET, SOCK_STREAM, 0)) != -1);
		connect_given();
	}
	if (kind == SANDBOX_PARSE)
		MUST(secret_begin(&e) == RC_OK);
	fill_sandbox(&s, t, kind);
	if (sandbox_enter(&s, &e) != RC_OK) {
		dprintf(2, "# %s\n", e.text);
		_exit(2);
	}
}

/* All of folder but what was put there; true: there was a dump. */
static bool
sweep(void)
{
	DIR		*d = opendir(folder);
	struct dirent	*entry;
	char		 path[512];
	bool		 found = false;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		found = found || strncmp(entry->d_name, "core", 4) == 0;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			(void)unlink(path);
	}
	if (d != NULL)
		(void)closedir(d);
	return found;
}

static void
judge(const struct test *t, int status)
{
	switch (t->end) {
	case WORKS:
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		break;
	case DIES:
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
		break;
	case ABORTS:
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
		break;
	}
	if (WIFSIGNALED(status))
		CHECK(!WCOREDUMP(status));
	CHECK(!sweep());
}

static void
one(const struct test *t, enum sandbox_kind kind)
{
	char	 name[96];
	int	 status;
	pid_t	 pid;

	snprintf(name, sizeof(name), "%s: %s", t->name, kind_names[kind]);
	if (t->user && getuid() != 0) {
		printf("ok %s # SKIP only root can become another\n", name);
		return;
	}
	check_case(name);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		begin(t, kind);
		t->what();
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	judge(t, status);
	check_end_case();
}

static void
all_kinds(const struct test *t)
{
	int	 k;

	for (k = (int)t->least; k <= (int)t->most; k++)
		one(t, (enum sandbox_kind)k);
}

static void
prepare(void)
{
	struct sockaddr_in	 at = { .sin_family = AF_INET };
	socklen_t		 len = sizeof(at);
	FILE			*f;

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* SYS_landlock_create_ruleset, asked for its version. */
	landlock = (int)syscall(444, NULL, 0, 1);
	/* Its own name for "nobody" and for us. */
	snprintf(folder, sizeof(folder), "/tmp/test-sandbox-XXXXXX");
	MUST(mkdtemp(folder) != NULL && chmod(folder, 0777) == 0);
	snprintf(notes, sizeof(notes), "%s-notes", folder);
	MUST(mkdir(notes, 0755) == 0);
	snprintf(note, sizeof(note), "%s/note", notes);
	MUST((f = fopen(note, "w")) != NULL);
	MUST(fputs("note", f) >= 0 && fclose(f) == 0);
	snprintf(outside_file, sizeof(outside_file), "%s-outside", folder);
	MUST((f = fopen(outside_file, "w")) != NULL && fclose(f) == 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	MUST((listener = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	MUST(bind(listener, (struct sockaddr *)&at, sizeof(at)) == 0);
	MUST(listen(listener, 16) == 0);
	MUST(getsockname(listener, (struct sockaddr *)&at, &len) == 0);
	port = ntohs(at.sin_port);
	MUST((given = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	if ((sibling = fork()) == 0) {
		for (;;)
			pause();
	}
}

static void
clean_up(void)
{
	(void)kill(sibling, SIGKILL);
	(void)waitpid(sibling, NULL, 0);
	(void)sweep();
	(void)rmdir(folder);
	(void)unlink(note);
	(void)unlink(outside_file);
	(void)rmdir(notes);
}

/* The line of /proc/PID/status, after its name. */
static bool
status_is(pid_t pid, const char *name, const char *want)
{
	char	 path[64], line[256], text[128];
	FILE	*f;
	bool	 same = false;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if ((f = fopen(path, "r")) == NULL)
		return false;
	snprintf(text, sizeof(text), "%s:\t%s\n", name, want);
	while (fgets(line, sizeof(line), f) != NULL)
		same = same || strcmp(line, text) == 0;
	(void)fclose(f);
	return same;
}

static bool
same_network(pid_t pid)
{
	char		 path[64];
	struct stat	 ours, theirs;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return stat("/proc/self/ns/net", &ours) == 0 &&
	    stat(path, &theirs) == 0 && ours.st_ino == theirs.st_ino;
}

static void
wait_for_end(void)
{
	char	 byte;

	MUST(write(pair[1], "r", 1) == 1);
	(void)!read(pair[1], &byte, 1);
}

/* What a child cannot find out about itself any more. */
static void
outside(enum sandbox_kind kind, bool user)
{
	const struct test	 t = { "", kind, kind, NULL, NULL, compute,
	    WORKS, user };
	char			 byte, name[64];
	pid_t			 pid;

	snprintf(name, sizeof(name), "seen from outside: %s%s",
	    kind_names[kind], user ? ", another user" : "");
	check_case(name);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		begin(&t, kind);
		wait_for_end();
		_exit(0);
	}
	CHECK(read(pair[0], &byte, 1) == 1);
	CHECK(status_is(pid, "NoNewPrivs", "1"));
	CHECK(status_is(pid, "Seccomp", "2"));
	CHECK(status_is(pid, "CapEff", "0000000000000000"));
	CHECK(status_is(pid, "CapPrm", "0000000000000000"));
	CHECK(status_is(pid, "CapInh", "0000000000000000"));
	CHECK(status_is(pid, "CapAmb", "0000000000000000"));
	if (getuid() == 0) {
		CHECK(status_is(pid, "CapBnd", "0000000000000000"));
		CHECK(same_network(pid) == (kind == SANDBOX_RUN));
	}
	if (user) {
		CHECK(status_is(pid, "Uid", "65534\t65534\t65534\t65534"));
		CHECK(status_is(pid, "Gid", "65534\t65534\t65534\t65534"));
		CHECK(status_is(pid, "Groups", "65534 "));
	}
	CHECK(write(pair[0], "e", 1) == 1);
	(void)waitpid(pid, NULL, 0);
	(void)close(pair[0]);
	(void)close(pair[1]);
	check_end_case();
}

static void
seen_from_outside(void)
{
	int	 k;

	for (k = 0; k <= (int)SANDBOX_RUN; k++) {
		outside((enum sandbox_kind)k, false);
		if (getuid() == 0)
			outside((enum sandbox_kind)k, true);
	}
}

static void *
sleeper(void *arg)
{
	(void)arg;
	pause();
	return NULL;
}

/* A second thread would keep its capabilities and its files. */
static void
with_threads(void)
{
	struct sandbox	 s = { .kind = SANDBOX_LOOP };
	struct err	 e;
	pthread_t	 other;
	int		 status;
	pid_t		 pid;

	if (SANDBOX_SANITIZED) {
		printf("ok a thread is there already # SKIP sanitizer\n");
		return;
	}
	check_case("a thread is there already");
	fflush(stdout);
	if ((pid = fork()) == 0) {
		MUST(pthread_create(&other, NULL, sleeper, NULL) == 0);
		MUST(sandbox_enter(&s, &e) == RC_FAILED);
		MUST(strstr(e.text, "2 threads") != NULL);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	check_end_case();
}

static void
no_such(void)
{
	const char *const	 absent[] = { "/nowhere/at/all", NULL };
	struct sandbox		 s = { .kind = SANDBOX_STORE };
	struct err		 e;
	int			 status;
	pid_t			 pid;

	check_case("a user or path that is not there");
	fflush(stdout);
	if ((pid = fork()) == 0) {
		s.user = "no-such-user";
		MUST(sandbox_enter(&s, &e) == RC_FAILED);
		MUST(strstr(e.text, "no-such-user") != NULL);
		s.user = "root";
		MUST(sandbox_enter(&s, &e) == RC_FAILED);
		s.user = NULL;
		s.write = absent;
		MUST(sandbox_enter(&s, &e) == RC_FAILED);
		MUST(strstr(e.text, "/nowhere/at/all") != NULL);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	check_end_case();
}

/* "No core dump" would be true as well where there never is one. */
static void
cores_could_be(void)
{
	const struct rlimit	 some = { 1 << 26, 1 << 26 };
	int			 status;
	pid_t			 pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		(void)setrlimit(RLIMIT_CORE, &some);
		MUST(chdir(folder) == 0);
		die();
	}
	(void)waitpid(pid, &status, 0);
	(void)sweep();
	if (WIFSIGNALED(status) && WCOREDUMP(status)) {
		check_case("a dump is made without a sandbox");
		check_end_case();
	} else
		printf("ok a dump is made without a sandbox "
		    "# SKIP this system makes none\n");
}

#endif
