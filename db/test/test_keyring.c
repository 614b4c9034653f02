/*
 * Keyrings: what is destroyed is gone from the file, what is not is kept
 * through every crash, and nothing damaged is taken for whole.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/keyring.h"
#include "tests/check.h"

#define HEAD	512
#define SLOT	64
#define SLOTS	2400
#define LEN	(HEAD + SLOT * SLOTS)
#define JAN	(12 * 2026)

static char folder[] = "/tmp/test-keyring-XXXXXX";
static char path[128], other[128];

/*
 * Instead of the C library's: count what is written and synced, and at the
 * n-th end the process, or fail.  Half is written of what is longer than a
 * slot, which is within one sector; and of a slot's destruction.
 */
static int	calls, die_at, fail_at, fail_errno;

static bool
strike(void)
{
	calls++;
	if (calls != fail_at)
		return false;
	errno = fail_errno;
	return true;
}

ssize_t
pwrite64(int fd, const void *p, size_t len, off64_t at)
{
	if (strike())
		return -1;
	if (calls == die_at) {
		if (len > SLOT || memcmp(p, "GONE", 4) == 0)
			(void)syscall(SYS_pwrite64, fd, p, len / 2, at);
		_exit(9);
	}
	return syscall(SYS_pwrite64, fd, p, len, at);
}

int
fdatasync(int fd)
{
	if (strike())
		return -1;
	if (calls == die_at)
		_exit(9);
	return (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	if (strike())
		return -1;
	if (calls == die_at)
		_exit(9);
	return (int)syscall(SYS_fsync, fd);
}

int
renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
	if (strike())
		return -1;
	if (calls == die_at)
		_exit(9);
	return (int)syscall(SYS_renameat2, a, from, b, to, flags);
}

static void
slurp(const char *name, unsigned char out[LEN])
{
	int	 fd = open(name, O_RDONLY);

	if (fd == -1 || read(fd, out, LEN) != LEN)
		abort();
	(void)close(fd);
}

static void
spew(const char *name, const void *bytes, size_t len)
{
	int	 fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	(void)close(fd);
}

static bool
holds(const char *name, const void *what, size_t len)
{
	unsigned char	*bytes = malloc(LEN);
	bool		 yes;

	if (bytes == NULL)
		abort();
	slurp(name, bytes);
	yes = memmem(bytes, LEN, what, len) != NULL;
	free(bytes);
	return yes;
}

static void
fresh(void)
{
	(void)unlink(path);
	(void)unlink(other);
}

static struct keyring *
made(void)
{
	struct keyring	*k = NULL;
	struct err	 e;

	fresh();
	if (!CHECK(keyring_create(&k, path, &e) == RC_OK)) {
		printf("# %s\n", e.text);
		exit(1);
	}
	return k;
}

static void
make(struct keyring *k, uint32_t month, unsigned char out[32])
{
	const unsigned char	*key;
	struct err		 e;

	if (!CHECK(keyring_make(k, month, &key, &e) == RC_OK)) {
		printf("# %s\n", e.text);
		exit(1);
	}
	memcpy(out, key, 32);
}

static bool
open_fails(const char *name, const char *why)
{
	struct keyring	*k = NULL;
	struct err	 e;
	enum rc		 rc = keyring_open(&k, name, false, &e);

	keyring_free(&k);
	if (rc == RC_OK || (why != NULL && strstr(e.text, why) == NULL))
		printf("# wanted '%s', got '%s'\n", why != NULL ? why : "",
		    rc == RC_OK ? "all is well" : e.text);
	return rc != RC_OK && (why == NULL || strstr(e.text, why) != NULL);
}

static void
test_create(void)
{
	static const unsigned char month_key[32] = "any";
	unsigned char	 tag[16], tag2[16], pk[32], sig[64];
	struct keyring	*k, *k2 = NULL, *k3 = NULL;
	struct stat	 st;
	struct err	 e;

	check_case("made once, found again");
	k = made();
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	CHECK_INT(st.st_size, LEN);
	CHECK_INT(keyring_open(&k2, path, false, &e), RC_OK);
	CHECK(memcmp(keyring_secrets(k), keyring_secrets(k2),
	    sizeof(struct keyring_secrets)) == 0);
	keyring_tag(k, tag);
	keyring_tag(k2, tag2);
	CHECK(memcmp(tag, tag2, 16) == 0);
	CHECK_INT(keyring_create(&k3, path, &e), RC_FAILED);
	CHECK(strstr(e.text, "exists already") != NULL);
	CHECK_INT(keyring_create(&k3, other, &e), RC_OK);
	keyring_tag(k3, tag2);
	CHECK(memcmp(tag, tag2, 16) != 0);
	CHECK(memcmp(keyring_secrets(k)->engine_seed,
	    keyring_secrets(k3)->engine_seed, 32) != 0);

	check_case("what it signs verifies under its key");
	keyring_engine_key(k2, pk);
	keyring_sign(k, sig, "head", 4);
	CHECK_INT(crypto_sign_verify_detached(sig,
	    (const unsigned char *)"head", 4, pk), 0);
	CHECK(crypto_sign_verify_detached(sig, (const unsigned char *)"hEad",
	    4, pk) != 0);
	keyring_free(&k);
	keyring_free(&k2);
	keyring_free(&k3);

	check_case("uses of a month's key are apart");
	keyring_subkey(pk, month_key, KEY_SEAL);
	keyring_subkey(sig, month_key, KEY_NONCE);
	keyring_subkey(sig + 32, month_key, KEY_SNAPSHOT);
	CHECK(memcmp(pk, sig, 32) != 0 && memcmp(pk, sig + 32, 32) != 0 &&
	    memcmp(sig, sig + 32, 32) != 0);
}

static void
test_destroy(void)
{
	const unsigned char	*key;
	unsigned char		 jan[32], feb[32], mar[32], again[32];
	struct keyring		*k, *k2 = NULL;
	struct err		 e;
	int			 n;

	check_case("a destroyed key is nowhere in the file");
	k = made();
	CHECK_INT(keyring_get(k, JAN, &key), KEY_NEVER);
	make(k, JAN, jan);
	make(k, JAN + 2, mar);
	make(k, JAN + 1, feb);
	make(k, JAN, again);
	CHECK(memcmp(jan, again, 32) == 0 && memcmp(jan, feb, 32) != 0);
	CHECK(holds(path, jan, 32) && holds(path, feb, 32));
	CHECK_INT(keyring_open(&k2, path, true, &e), RC_OK);
	CHECK_INT(keyring_get(k2, JAN + 1, &key), KEY_THERE);
	CHECK(key != NULL && memcmp(key, feb, 32) == 0);
	CHECK_INT(keyring_destroy_before(k2, JAN + 2, &n, &e), RC_OK);
	CHECK_INT(n, 2);
	/* Not even half of it. */
	CHECK(!holds(path, jan, 8) && !holds(path, jan + 24, 8));
	CHECK(!holds(path, feb, 8) && !holds(path, feb + 24, 8));
	CHECK(holds(path, mar, 32));
	CHECK_INT(keyring_get(k2, JAN, &key), KEY_DESTROYED);
	CHECK(key == NULL);
	CHECK_INT(keyring_get(k2, JAN + 2, &key), KEY_THERE);
	CHECK_INT(keyring_make(k2, JAN, &key, &e), RC_FAILED);
	CHECK(strstr(e.text, "the key of 2026-01 was destroyed") != NULL);
	CHECK_INT(keyring_destroy_before(k2, JAN + 2, &n, &e), RC_OK);
	CHECK_INT(n, 0);

	check_case("the other process finds out");
	CHECK_INT(keyring_get(k, JAN, &key), KEY_THERE);
	CHECK_INT(keyring_reread(k, &e), RC_OK);
	CHECK_INT(keyring_get(k, JAN, &key), KEY_DESTROYED);
	CHECK_INT(keyring_get(k, JAN + 2, &key), KEY_THERE);
	CHECK(key != NULL && memcmp(key, mar, 32) == 0);
	make(k, JAN + 3, jan);
	make(k2, JAN + 3, feb);
	CHECK(memcmp(jan, feb, 32) == 0);

	check_case("a copy is whole");
	CHECK_INT(keyring_copy(k, other, &e), RC_OK);
	CHECK_INT(keyring_copy(k, other, &e), RC_FAILED);
	keyring_free(&k);
	CHECK_INT(keyring_open(&k, other, false, &e), RC_OK);
	CHECK_INT(keyring_get(k, JAN, &key), KEY_DESTROYED);
	CHECK_INT(keyring_get(k, JAN + 2, &key), KEY_THERE);
	CHECK(key != NULL && memcmp(key, mar, 32) == 0);
	keyring_free(&k);
	keyring_free(&k2);
}

static void
test_refused(void)
{
	static const size_t	 lens[] = { 1, 7, 8, 15, 16, 511, 512, 513,
		576, LEN - 1 };
	unsigned char		*bytes = calloc(1, LEN + 1), key[32];
	struct keyring		*k = made();
	size_t			 i;

	if (bytes == NULL)
		abort();
	make(k, JAN, key);
	keyring_free(&k);
	slurp(path, bytes);
	check_case("what is no keyring is told in one sentence");
	CHECK(open_fails("/tmp/no-such-file.keys", "there is no keyring"));
	CHECK(open_fails("/tmp", "not even a file"));
	/* Nor may the program wait for somebody at the other end. */
	CHECK_INT(mkfifo(other, 0600), 0);
	CHECK(open_fails(other, "not even a file"));
	(void)unlink(other);
	spew(other, "", 0);
	CHECK(open_fails(other, "is empty"));
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		spew(other, bytes, lens[i]);
		CHECK(open_fails(other, lens[i] < 8 ? "is not a keyring" :
		    "is torn"));
	}
	spew(other, bytes, LEN + 1);
	CHECK(open_fails(other, "is torn"));
	bytes[0] ^= 1;
	spew(other, bytes, LEN);
	CHECK(open_fails(other, "is not a keyring"));
	spew(other, bytes, 100);
	CHECK(open_fails(other, "is not a keyring"));
	bytes[0] ^= 1;
	bytes[8] = 2;
	spew(other, bytes, LEN);
	CHECK(open_fails(other, "version 2, newer than this program"));
	spew(other, bytes, HEAD);
	CHECK(open_fails(other, "version 2, newer than this program"));
	bytes[8] = 1;

	check_case("a keyring for everybody is refused");
	spew(other, bytes, LEN);
	for (i = 1; i < 8; i++) {
		CHECK_INT(chmod(other, 0600 | (mode_t)i), 0);
		CHECK(open_fails(other, "everybody may read or write"));
	}
	CHECK_INT(chmod(other, 0660), 0);
	CHECK_INT(keyring_open(&k, other, false, NULL), RC_OK);
	keyring_free(&k);
	free(bytes);
}

static void
flip(int fd, size_t bit)
{
	unsigned char	 c;

	if (pread(fd, &c, 1, (off_t)(bit / 8)) != 1)
		abort();
	c ^= (unsigned char)(1u << bit % 8);
	if (syscall(SYS_pwrite64, fd, &c, 1, (off_t)(bit / 8)) != 1)
		abort();
}

static void
test_flips(void)
{
	const unsigned char	*key;
	unsigned char		 old[32];
	struct keyring		*k = made(), *k2;
	unsigned		 taken = 0, undone = 0;
	struct err		 e;
	size_t			 bit;
	int			 n, fd;

	check_case("every flipped bit is found, and names its month");
	make(k, JAN, old);
	make(k, JAN + 1, old);
	CHECK_INT(keyring_destroy_before(k, JAN + 1, &n, &e), RC_OK);
	keyring_free(&k);
	if ((fd = open(path, O_RDWR)) == -1)
		abort();
	/* The head, a destroyed slot, a key, a free slot. */
	for (bit = 0; bit < (HEAD + 3 * SLOT) * 8; bit++) {
		k2 = NULL;
		flip(fd, bit);
		if (keyring_open(&k2, path, false, &e) == RC_OK) {
			/* Destroyed stays destroyed, whatever else. */
			if (bit / 8 < HEAD || bit / 8 >= HEAD + SLOT)
				taken++;
			undone += keyring_get(k2, JAN, &key) == KEY_THERE;
		} else if (bit / 8 >= HEAD + SLOT + 8 &&
		    bit / 8 < HEAD + 2 * SLOT) {
			taken += strstr(e.text, "2026-02") == NULL;
		}
		keyring_free(&k2);
		flip(fd, bit);
	}
	CHECK_INT(taken, 0);
	CHECK_INT(undone, 0);
	flip(fd, (LEN - 1) * 8);
	CHECK(open_fails(path, "slot 2399"));
	(void)close(fd);

	check_case("slots are bound to their place and deployment");
	{
		unsigned char	*a = malloc(LEN), *b = malloc(LEN);

		if (a == NULL || b == NULL)
			abort();
		k = made();
		make(k, JAN, old);
		make(k, JAN + 1, old);
		keyring_free(&k);
		slurp(path, a);
		memcpy(b, a, LEN);
		memcpy(b + HEAD, a + HEAD + SLOT, SLOT);
		spew(other, b, LEN);
		CHECK(open_fails(other, "slot 0"));
		k = made();
		make(k, JAN, old);
		keyring_free(&k);
		slurp(path, b);
		memcpy(b + HEAD, a + HEAD, SLOT);
		spew(other, b, LEN);
		CHECK(open_fails(other, "slot 0"));
		free(a);
		free(b);
	}
}

static void
test_torn_destruction(void)
{
	const unsigned char	*key;
	unsigned char		*bytes = malloc(LEN), old[32];
	struct keyring		*k = made();
	struct err		 e;

	check_case("a destruction that stopped half-way is completed");
	make(k, JAN, old);
	make(k, JAN + 1, old);
	keyring_free(&k);
	if (bytes == NULL)
		abort();
	slurp(path, bytes);
	memcpy(bytes + HEAD + SLOT, "GONE", 4);
	spew(path, bytes, LEN);
	CHECK(holds(path, old, 32));
	CHECK_INT(keyring_open(&k, path, false, &e), RC_OK);
	CHECK_INT(keyring_get(k, JAN + 1, &key), KEY_DESTROYED);
	CHECK_INT(keyring_get(k, JAN, &key), KEY_THERE);
	keyring_free(&k);
	CHECK_INT(keyring_open(&k, path, true, &e), RC_OK);
	CHECK_INT(keyring_get(k, JAN + 1, &key), KEY_DESTROYED);
	CHECK(!holds(path, old, 8));
	keyring_free(&k);
	free(bytes);
}

/* Nothing was sealed under a key whose slot is not whole yet. */
static void
test_torn_making(void)
{
	const unsigned char	*key;
	unsigned char		*bytes = malloc(LEN), old[32], next[32];
	struct keyring		*k = made();
	struct err		 e;
	size_t			 cut;

	check_case("a making that stopped half-way is begun anew");
	make(k, JAN, old);
	make(k, JAN + 1, next);
	keyring_free(&k);
	if (bytes == NULL)
		abort();
	for (cut = 4; cut <= 40; cut += 4) {
		slurp(path, bytes);
		memset(bytes + HEAD + SLOT + cut, 0, SLOT - cut);
		spew(path, bytes, LEN);
		CHECK_INT(keyring_open(&k, path, true, &e), RC_OK);
		CHECK_INT(keyring_get(k, JAN, &key), KEY_THERE);
		CHECK_INT(keyring_get(k, JAN + 1, &key), KEY_NEVER);
		make(k, JAN + 1, next);
		keyring_free(&k);
		CHECK_INT(keyring_open(&k, path, false, &e), RC_OK);
		CHECK_INT(keyring_get(k, JAN + 1, &key), KEY_THERE);
		CHECK(memcmp(key, next, 32) == 0);
		keyring_free(&k);
	}
	free(bytes);
}

/* A life; every step is said on the pipe when it is done. */
static void
live(int to)
{
	const unsigned char	*key;
	struct keyring		*k = NULL;
	char			 done = 0;
	int			 n;
	uint32_t		 i;

	if (keyring_open(&k, path, true, NULL) != RC_OK &&
	    keyring_create(&k, path, NULL) != RC_OK)
		_exit(1);
	for (i = 0; i < 3; i++) {
		if (keyring_make(k, JAN + i, &key, NULL) != RC_OK)
			_exit(1);
		if (write(to, &(char){ (char)('0' + i) }, 1) != 1 ||
		    write(to, key, 32) != 32)
			_exit(2);
	}
	if (keyring_destroy_before(k, JAN + 2, &n, NULL) != RC_OK)
		_exit(1);
	done = 'd';
	if (write(to, &done, 1) != 1)
		_exit(2);
	keyring_free(&k);
	_exit(0);
}

/* What it said before it died must be so; true: it lived to its end. */
static bool
crash_at(int n, bool fail, int why)
{
	unsigned char		 said[256];
	const unsigned char	*key;
	struct keyring		*k = NULL;
	struct err		 e;
	int			 p[2], status;
	ssize_t			 len, at;
	pid_t			 pid;

	fresh();
	if (pipe(p) == -1 || (pid = fork()) == -1)
		abort();
	if (pid == 0) {
		die_at = fail ? 0 : n;
		fail_at = fail ? n : 0;
		fail_errno = why;
		calls = 0;
		live(p[1]);
	}
	(void)close(p[1]);
	if (waitpid(pid, &status, 0) != pid)
		abort();
	len = read(p[0], said, sizeof(said));
	(void)close(p[0]);
	if (keyring_open(&k, path, true, &e) != RC_OK &&
	    !CHECK(len <= 0 && access(path, F_OK) == -1)) {
		printf("# dead at %d: %s\n", n, e.text);
		return true;
	}
	/* And life goes on. */
	if (k == NULL && !CHECK(keyring_create(&k, path, &e) == RC_OK)) {
		printf("# dead at %d: %s\n", n, e.text);
		return true;
	}
	for (at = 0; at < len; at += 33) {
		if (said[at] == 'd') {
			CHECK_INT(keyring_get(k, JAN, &key), KEY_DESTROYED);
			CHECK(!holds(path, said + 1, 8));
			break;
		}
		switch (keyring_get(k, JAN + (uint32_t)(said[at] - '0'),
		    &key)) {
		case KEY_THERE:
			CHECK(memcmp(key, said + at + 1, 32) == 0);
			break;
		case KEY_DESTROYED:
			CHECK(len >= 99 && said[at] != '2');
			CHECK(!holds(path, said + at + 1, 8));
			break;
		case KEY_NEVER:
			CHECK(!"a key that was told of is lost");
			break;
		}
	}
	keyring_free(&k);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
test_crash(void)
{
	int	 n;

	check_case("killed at every write and sync");
	for (n = 1; n < 1000 && !crash_at(n, false, 0); n++)
		continue;
	/* Three to make it, three times two, three to destroy. */
	CHECK(n > 12 && n < 40);
	check_case("no space and errors at every write and sync");
	for (n = 1; n < 1000 && !crash_at(n, true, ENOSPC); n++)
		continue;
	CHECK(n > 12 && n < 40);
	for (n = 1; n < 1000 && !crash_at(n, true, EIO); n++)
		continue;
	CHECK(n > 12 && n < 40);
}

static void
test_failed_sync(void)
{
	const unsigned char	*key;
	struct keyring		*k = made();
	struct err		 e;
	int			 n;

	check_case("after a failed sync nothing more is promised");
	calls = 0;
	fail_at = 2;
	fail_errno = EIO;
	CHECK_INT(keyring_make(k, JAN, &key, &e), RC_FAILED);
	CHECK(key == NULL);
	CHECK(strstr(e.text, "not on disk") != NULL);
	fail_at = 0;
	CHECK_INT(keyring_make(k, JAN, &key, &e), RC_FAILED);
	CHECK_INT(keyring_make(k, JAN + 1, &key, &e), RC_FAILED);
	CHECK_INT(keyring_destroy_before(k, JAN + 9, &n, &e), RC_FAILED);
	keyring_free(&k);
}

static void
test_together(void)
{
	enum { KIDS = 4, MONTHS = 24 };
	unsigned char	 keys[KIDS][MONTHS][32];
	struct keyring	*k = made();
	struct err	 e;
	unsigned	 i, m, different = 0;
	int		 p[KIDS][2], status;

	check_case("several processes make the same keys");
	keyring_free(&k);
	for (i = 0; i < KIDS; i++) {
		if (pipe(p[i]) == -1)
			abort();
		if (fork() != 0)
			continue;
		if (keyring_open(&k, path, true, &e) != RC_OK)
			_exit(1);
		for (m = 0; m < MONTHS; m++)
			make(k, JAN + (m * 5 + i * 7) % MONTHS,
			    keys[i][(m * 5 + i * 7) % MONTHS]);
		if (write(p[i][1], keys[i], sizeof(keys[i])) !=
		    (ssize_t)sizeof(keys[i]))
			_exit(1);
		_exit(0);
	}
	for (i = 0; i < KIDS; i++) {
		CHECK(read(p[i][0], keys[i], sizeof(keys[i])) ==
		    (ssize_t)sizeof(keys[i]));
		CHECK(wait(&status) > 0 && status == 0);
	}
	for (i = 1; i < KIDS; i++)
		for (m = 0; m < MONTHS; m++)
			different += memcmp(keys[i][m], keys[0][m], 32) != 0;
	CHECK_INT(different, 0);
}

/* A slot as the manual of the format has it. */
static void
put_slot(unsigned char *bytes, unsigned i, uint32_t month)
{
	crypto_generichash_state	 s;
	unsigned char			*p = bytes + HEAD + SLOT * i;
	unsigned char			 number[4] = { (unsigned char)i,
		(unsigned char)(i >> 8), 0, 0 };

	memcpy(p, "KEY!", 4);
	p[4] = (unsigned char)month;
	p[5] = (unsigned char)(month >> 8);
	memset(p + 8, (int)i, 32);
	crypto_generichash_init(&s, bytes + 48, 16, 24);
	crypto_generichash_update(&s, number, 4);
	crypto_generichash_update(&s, p, 40);
	crypto_generichash_final(&s, p + 40, 24);
}

static void
test_full(void)
{
	const unsigned char	*key;
	struct keyring		*k = made();
	unsigned char		*bytes = malloc(LEN), out[32];
	struct err		 e;
	uint32_t		 i;

	check_case("two hundred years, and then a clear no");
	keyring_free(&k);
	if (bytes == NULL)
		abort();
	slurp(path, bytes);
	for (i = 0; i < SLOTS - 1; i++)
		put_slot(bytes, i, i);
	spew(path, bytes, LEN);
	free(bytes);
	CHECK_INT(keyring_open(&k, path, true, &e), RC_OK);
	CHECK_INT(keyring_get(k, 2, &key), KEY_THERE);
	CHECK(key != NULL && key[0] == 2 && key[31] == 2);
	make(k, SLOTS - 1, out);
	CHECK_INT(keyring_make(k, SLOTS, &key, &e), RC_FAILED);
	CHECK(strstr(e.text, "is full") != NULL);
	CHECK_INT(keyring_get(k, 0, &key), KEY_THERE);
	CHECK_INT(keyring_get(k, SLOTS - 1, &key), KEY_THERE);
	keyring_free(&k);
}

int
main(void)
{
	if (sodium_init() == -1 || mkdtemp(folder) == NULL)
		return 2;
	(void)umask(022);
	(void)snprintf(path, sizeof(path), "%s/a.keys", folder);
	(void)snprintf(other, sizeof(other), "%s/b.keys", folder);
	test_create();
	test_destroy();
	test_refused();
	test_flips();
	test_torn_destruction();
	test_torn_making();
	test_crash();
	test_failed_sync();
	test_together();
	test_full();
	fresh();
	CHECK(rmdir(folder) == 0);
	return check_done();
}
