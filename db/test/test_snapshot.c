/*
 * Snapshots: what was written comes back whole, or with a reason not at all.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/snapshot.h"
#include "db/snapshot_inner.h"
#include "tests/check.h"

#define PIECE	SNAPSHOT_PIECE
#define JAN	(12 * 2026)

static char base[] = "/tmp/test-snapshot-XXXXXX";
static char folder[64];
static const unsigned char key[32] = "the key of a month, thirty-two b";
static const unsigned char state_hash[32] = "a hash of the state";
static unsigned char *data;		/* 3 pieces and 7 bytes */
#define DATA	(3 * PIECE + 7)

/* Instead of the C library's: the n-th write, sync or rename fails or is
 * the process's last. */
static int	calls, die_at, fail_at, fail_errno;

static bool
strike(void)
{
	calls++;
	if (calls == die_at)
		_exit(9);
	if (calls != fail_at)
		return false;
	errno = fail_errno;
	return true;
}

ssize_t
pwrite64(int fd, const void *p, size_t len, off64_t at)
{
	return strike() ? -1 : syscall(SYS_pwrite64, fd, p, len, at);
}

int
fsync(int fd)
{
	return strike() ? -1 : (int)syscall(SYS_fsync, fd);
}

int
rename(const char *from, const char *to)
{
	return strike() ? -1 : (int)syscall(SYS_rename, from, to);
}

int
sync_file_range(int fd, off64_t at, off64_t n, unsigned flags)
{
	return strike() ? -1 :
	    (int)syscall(SYS_sync_file_range, fd, at, n, flags);
}

static struct snapshot_head
head_of(uint64_t seq, uint32_t month)
{
	struct snapshot_head	 h = { .semantics = 7, .layout = 3,
		.seq = seq, .t_ms = 123456789, .month = month,
		.policy_seq = 9 };

	memset(h.row_hash, 0x11, 32);
	memset(h.policy, 0x22, 32);
	return h;
}

/* `step` bytes at a time. */
static enum rc
save(uint64_t seq, uint32_t month, size_t len, size_t step, struct err *e)
{
	struct snapshot_head	 h = head_of(seq, month);
	struct snapshot_writer	*w = NULL;
	size_t			 at, n;

	if (snapshot_create(&w, folder, &h, key, e) != RC_OK)
		return RC_FAILED;
	for (at = 0; at < len; at += n) {
		n = len - at < step ? len - at : step;
		if (snapshot_write(w, data + at, n, e) != RC_OK) {
			snapshot_discard(&w);
			return RC_FAILED;
		}
	}
	return snapshot_commit(&w, state_hash, e);
}

/* True when all of it came back as it was. */
static bool
load(uint64_t seq, size_t len, size_t step, struct err *e)
{
	struct snapshot_reader	*r = NULL;
	struct snapshot_head	 h;
	unsigned char		*got = malloc(len + 1);
	size_t			 at, n;
	bool			 same = true;

	if (got == NULL)
		abort();
	if (snapshot_open(&r, folder, seq, key, &h, e) != RC_OK) {
		free(got);
		return false;
	}
	for (at = 0; at < len; at += n) {
		n = len - at < step ? len - at : step;
		/* What fails must not have been handed out. */
		memset(got + at, 0, n);
		if (snapshot_read(r, got + at, n, e) != RC_OK) {
			for (n += at; at < n; at++)
				same &= got[at] == 0 || got[at] == data[at];
			if (!same)
				printf("# bytes that nobody wrote\n");
			CHECK(same);
			snapshot_reader_free(&r);
			free(got);
			return false;
		}
	}
	same = memcmp(got, data, len) == 0 && h.bytes == len;
	free(got);
	return snapshot_end(&r, e) == RC_OK && same;
}

static const char *
name_of(uint64_t seq)
{
	static char	 name[PATH_MAX];
	struct err	 e;

	if (snapshot_name(name, folder, seq, &e) != RC_OK)
		abort();
	return name;
}

static unsigned
files(void)
{
	struct dirent	*d;
	DIR		*dir = opendir(folder);
	unsigned	 n = 0;

	if (dir == NULL)
		return 0;
	while ((d = readdir(dir)) != NULL)
		n += d->d_name[0] != '.';
	(void)closedir(dir);
	return n;
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
test_there_and_back(void)
{
	static const size_t	 lens[] = { 0, 1, 1000, PIECE - 1, PIECE,
		PIECE + 1, 2 * PIECE, 3 * PIECE, DATA };
	static const size_t	 steps[] = { 4096, 1000003, PIECE,
		2 * PIECE + 1, DATA };
	struct err		 e;
	size_t			 i, j, n = sizeof(lens) / sizeof(lens[0]);
	struct snapshot_head	 h;

	for (i = 0; i < n * 5; i++) {
		if (!CHECK(save(i + 1, JAN, lens[i / 5], steps[i % 5], &e) ==
		    RC_OK)) {
			printf("# %s\n", e.text);
			return;
		}
		for (j = 0; j < 5; j++)
			if (!CHECK(load(i + 1, lens[i / 5], steps[j], &e)))
				printf("# %zu bytes by %zu by %zu: %s\n",
				    lens[i / 5], steps[i % 5], steps[j],
				    e.text);
		CHECK_INT(snapshot_read_head(&h, folder, i + 1, &e), RC_OK);
		CHECK_INT(h.bytes, lens[i / 5]);
	}
	CHECK_INT(h.semantics, 7);
	CHECK_INT(h.layout, 3);
	CHECK_INT(h.seq, n * 5);
	CHECK_INT(h.t_ms, 123456789);
	CHECK_INT(h.month, JAN);
	CHECK_INT(h.policy_seq, 9);
	CHECK(h.row_hash[31] == 0x11 && h.policy[31] == 0x22);
	CHECK(memcmp(h.state_hash, state_hash, 32) == 0);
	/* Again under the same name. */
	CHECK_INT(save(1, JAN, 5, 5, &e), RC_OK);
	CHECK(load(1, 5, 5, &e));
	CHECK_INT(snapshot_prune(folder, 0, 0, &e), RC_OK);
	CHECK_INT(files(), 0);
}

static void
test_damage(void)
{
	static const unsigned char	 wrong[32] = "another key";
	struct snapshot_reader		*r = NULL;
	struct snapshot_head		 h;
	unsigned			 taken = 0;
	struct err			 e;
	struct stat			 st;
	size_t				 bit, len = 100;
	off_t				 at;
	unsigned char			 buf[256];
	int				 fd;

	CHECK_INT(save(5, JAN, len, len, &e), RC_OK);
	if ((fd = open(name_of(5), O_RDWR)) == -1 || fstat(fd, &st) == -1)
		abort();
	CHECK_INT(st.st_size, 512 + 100 + 16);
	CHECK_INT(st.st_mode & 0777, 0600);
	for (bit = 0; bit < (size_t)st.st_size * 8; bit++) {
		flip(fd, bit);
		e.text[0] = '\0';
		taken += load(5, len, len, &e) || e.text[0] == '\0';
		flip(fd, bit);
	}
	CHECK_INT(taken, 0);
	CHECK(load(5, len, 7, &e));
	CHECK_INT(snapshot_open(&r, folder, 5, wrong, &h, &e), RC_FAILED);
	CHECK(strstr(e.text, "does not open with the key") != NULL);
	/* The head needs no key. */
	CHECK_INT(snapshot_read_head(&h, folder, 5, &e), RC_OK);
	CHECK_INT(snapshot_open(&r, folder, 5, key, &h, &e), RC_OK);
	CHECK_INT(snapshot_read(r, buf, 99, &e), RC_OK);
	CHECK_INT(snapshot_end(&r, &e), RC_FAILED);
	CHECK_INT(snapshot_open(&r, folder, 5, key, &h, &e), RC_OK);
	CHECK_INT(snapshot_read(r, buf, 101, &e), RC_FAILED);
	snapshot_reader_free(&r);
	for (at = st.st_size - 1; at >= 0; at--) {
		CHECK_INT(ftruncate(fd, at), 0);
		taken += load(5, len, len, &e);
	}
	CHECK_INT(taken, 0);
	(void)close(fd);
	CHECK_INT(unlink(name_of(5)), 0);
	CHECK_INT(snapshot_open(&r, folder, 5, key, &h, &e), RC_FAILED);
}

/* Pieces dropped, doubled, swapped, and of another file. */
static void
test_pieces(void)
{
	size_t		 p = PIECE + 16;
	unsigned char	*a = malloc(p), *b = malloc(p);
	struct err	 e;
	char		 kept[PATH_MAX];
	int		 fd, fd2;

	if (a == NULL || b == NULL)
		abort();
	CHECK_INT(save(6, JAN, DATA, DATA, &e), RC_OK);
	CHECK_INT(save(7, JAN, DATA, DATA, &e), RC_OK);
	fd = open(name_of(6), O_RDWR);
	fd2 = open(name_of(7), O_RDWR);
	if (fd == -1 || fd2 == -1 ||
	    pread(fd, a, p, 512) != (ssize_t)p ||
	    pread(fd, b, p, 512 + (off_t)p) != (ssize_t)p)
		abort();
	CHECK(load(6, DATA, DATA, &e));
	(void)syscall(SYS_pwrite64, fd, b, p, 512);
	CHECK(!load(6, DATA, DATA, &e));
	CHECK(strstr(e.text, "piece 0 is not what was written") != NULL);
	(void)syscall(SYS_pwrite64, fd, a, p, 512 + (off_t)p);
	CHECK(!load(6, DATA, 4096, &e));
	(void)syscall(SYS_pwrite64, fd, a, p, 512);
	CHECK(!load(6, DATA, PIECE, &e));
	CHECK(strstr(e.text, "piece 1 is not what was written") != NULL);
	(void)syscall(SYS_pwrite64, fd, b, p, 512 + (off_t)p);
	CHECK(load(6, DATA, DATA, &e));
	(void)syscall(SYS_pwrite64, fd2, a, p, 512);
	CHECK(!load(7, DATA, DATA, &e));
	/* Another's head does not bring its pieces along. */
	CHECK(pread(fd, a, 512, 0) == 512);
	(void)syscall(SYS_pwrite64, fd2, a, 512, 0);
	CHECK(!load(7, DATA, DATA, &e));
	CHECK(strstr(e.text, "under another's name") != NULL);
	(void)snprintf(kept, sizeof(kept), "%s", name_of(7));
	CHECK_INT(rename(name_of(6), kept), 0);
	CHECK(!load(7, DATA, DATA, &e));
	(void)close(fd);
	(void)close(fd2);
	free(a);
	free(b);
	CHECK_INT(unlink(kept), 0);
}

/* Beyond the head, which says how many there are: a second line. */
static void
test_nonces(enum snapshot_cipher cipher)
{
	unsigned char		 sealed[100 + 16], out[100];
	struct snapshot_crypt	*c = NULL, *d = NULL;
	struct err		 e;

	CHECK_INT(snapshot_crypt_new(&c, cipher, true, key, &e), RC_OK);
	CHECK_INT(snapshot_crypt_new(&d, cipher, false, key, &e), RC_OK);
	snapshot_encrypt(c, sealed, data, 100, 7, true);
	CHECK(snapshot_decrypt(d, out, sealed, 100, 7, true));
	CHECK(memcmp(out, data, 100) == 0);
	CHECK(!snapshot_decrypt(d, out, sealed, 100, 7, false));
	CHECK(sodium_is_zero(out, 100));
	CHECK(!snapshot_decrypt(d, out, sealed, 100, 8, true));
	snapshot_crypt_free(&c);
	snapshot_crypt_free(&d);
}

static void
test_each_cipher(void)
{
	snapshot_cipher = CIPHER_AES_GCM;
	check_case("there and back, AES");
	test_there_and_back();
	check_case("every flip and truncation is found, AES");
	test_damage();
	check_case("pieces stay where they were, AES");
	test_pieces();
	test_nonces(CIPHER_AES_GCM);
	snapshot_cipher = CIPHER_XCHACHA;
	check_case("there and back, XChaCha");
	test_there_and_back();
	check_case("every flip and truncation is found, XChaCha");
	test_damage();
	check_case("pieces stay where they were, XChaCha");
	test_pieces();
	test_nonces(CIPHER_XCHACHA);
	snapshot_cipher = 0;
}

static void
test_secret(void)
{
	unsigned char	*bytes = malloc(DATA * 2);
	struct err	 e;
	ssize_t		 len;
	int		 fd;

	check_case("nothing of the state is readable in the file");
	CHECK_INT(save(8, JAN, DATA, DATA, &e), RC_OK);
	if (bytes == NULL || (fd = open(name_of(8), O_RDONLY)) == -1)
		abort();
	len = read(fd, bytes, DATA * 2);
	CHECK_INT(len, DATA + 512 + 4 * 16);
	CHECK(memmem(bytes, (size_t)len, data, 16) == NULL);
	CHECK(memmem(bytes, (size_t)len, key, 16) == NULL);
	(void)close(fd);
	free(bytes);
	CHECK_INT(unlink(name_of(8)), 0);
}

static void
test_prune(void)
{
	struct snapshot_head	 h = head_of(50, JAN);
	struct snapshot_writer	*w = NULL, *w2 = NULL;
	uint64_t		 seqs[8];
	struct err		 e;
	char			 name[PATH_MAX];
	size_t			 n;
	uint32_t		 i;
	int			 fd;

	check_case("the newest come first, and only so many");
	CHECK_INT(snapshot_list("/no/such/folder", seqs, 8, &n, &e), RC_OK);
	CHECK_INT(n, 0);
	for (i = 0; i < 6; i++)
		CHECK_INT(save(100 + (i * 5) % 6, JAN + (i * 5) % 6, 10, 10,
		    &e), RC_OK);
	CHECK_INT(snapshot_list(folder, seqs, 8, &n, &e), RC_OK);
	CHECK_INT(n, 6);
	CHECK(seqs[0] == 105 && seqs[1] == 104 && seqs[5] == 100);
	CHECK_INT(snapshot_list(folder, seqs, 2, &n, &e), RC_OK);
	CHECK(n == 2 && seqs[0] == 105 && seqs[1] == 104);
	CHECK_INT(snapshot_list(folder, seqs, 0, &n, &e), RC_OK);
	CHECK_INT(n, 0);

	check_case("prune: the old, the forgotten, the unfinished, no other");
	CHECK_INT(snapshot_create(&w, folder, &h, key, &e), RC_OK);
	CHECK_INT(snapshot_create(&w2, folder, &h, key, &e), RC_FAILED);
	CHECK(strstr(e.text, "in use by another process") != NULL);
	(void)snprintf(name, sizeof(name), "%s.tmp", name_of(51));
	fd = open(name, O_CREAT | O_WRONLY, 0600);
	CHECK(fd != -1 && close(fd) == 0);
	(void)snprintf(name, sizeof(name), "%s/000.snapshot", folder);
	fd = open(name, O_CREAT | O_WRONLY, 0600);
	CHECK(fd != -1 && close(fd) == 0);
	CHECK_INT(files(), 9);
	CHECK_INT(snapshot_prune(folder, 4, 0, &e), RC_OK);
	CHECK_INT(files(), 6);	/* Four, another's, one being written. */
	CHECK_INT(snapshot_list(folder, seqs, 8, &n, &e), RC_OK);
	CHECK(n == 4 && seqs[3] == 102);
	CHECK_INT(snapshot_prune(folder, SIZE_MAX, JAN + 4, &e), RC_OK);
	CHECK_INT(snapshot_list(folder, seqs, 8, &n, &e), RC_OK);
	CHECK(n == 2 && seqs[1] == 104);
	CHECK_INT(snapshot_commit(&w, state_hash, &e), RC_OK);
	CHECK(load(50, 0, 1, &e));
	CHECK_INT(unlink(name), 0);
	for (i = 200; i < 330; i++) {
		(void)snprintf(name, sizeof(name), "%s", name_of(i));
		fd = open(name, O_CREAT | O_WRONLY, 0600);
		CHECK(fd != -1 && close(fd) == 0);
	}
	CHECK_INT(snapshot_prune(folder, SIZE_MAX, 0, &e), RC_OK);
	CHECK_INT(files(), 133);
	CHECK_INT(snapshot_prune(folder, 131, 0, &e), RC_OK);
	CHECK_INT(files(), 131);
	CHECK_INT(snapshot_prune(folder, 70, 0, &e), RC_OK);
	CHECK_INT(files(), 70);

	check_case("what a crash left under the same name is taken over");
	(void)snprintf(name, sizeof(name), "%s.tmp", name_of(60));
	fd = open(name, O_CREAT | O_WRONLY, 0644);
	CHECK(fd != -1 && write(fd, data, 5000) == 5000 && close(fd) == 0);
	CHECK_INT(save(60, JAN, 10, 10, &e), RC_OK);
	CHECK(load(60, 10, 10, &e));
	CHECK_INT(snapshot_prune(folder, 0, 0, &e), RC_OK);
	CHECK_INT(files(), 0);
}

static void
test_faults(void)
{
	struct err	 e;
	int		 n, status, left;
	unsigned	 half = 0;
	pid_t		 pid;

	check_case("no space and errors at every write: a reason, no file");
	for (n = 1; n < 100; n++) {
		calls = 0;
		fail_at = n;
		fail_errno = n % 2 == 0 ? ENOSPC : EIO;
		e.text[0] = '\0';
		if (save(9, JAN, DATA, PIECE, &e) == RC_OK)
			break;
		CHECK(strstr(e.text, n % 2 == 0 ? "No space left" :
		    "Input/output error") != NULL);
		/* The last is the folder's sync: it is there, perhaps. */
		left = (int)files();
		half += left != 0;
		if (left != 0)
			CHECK(load(9, DATA, DATA, NULL) &&
			    unlink(name_of(9)) == 0);
	}
	fail_at = 0;
	CHECK_INT(half, 1);
	/* Pieces, head, sync, rename, sync. */
	CHECK(n >= 9 && n < 20);
	CHECK(load(9, DATA, DATA, &e));
	CHECK_INT(unlink(name_of(9)), 0);

	check_case("killed at every write: whole or not there");
	for (n = 1; n < 100; n++) {
		if ((pid = fork()) == 0) {
			calls = 0;
			die_at = n;
			_exit(save(9, JAN, DATA, PIECE, &e) != RC_OK);
		}
		if (waitpid(pid, &status, 0) != pid)
			abort();
		if (access(name_of(9), F_OK) == 0)
			CHECK(load(9, DATA, DATA, &e));
		CHECK_INT(snapshot_prune(folder, 0, 0, &e), RC_OK);
		CHECK_INT(files(), 0);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			break;
	}
	CHECK(n >= 9 && n < 20);
}

int
main(void)
{
	if (sodium_init() == -1 || mkdtemp(base) == NULL ||
	    (data = malloc(DATA)) == NULL)
		return 2;
	(void)snprintf(folder, sizeof(folder), "%s/snapshots", base);
	randombytes_buf(data, DATA);
	test_each_cipher();
	test_secret();
	test_prune();
	test_faults();
	CHECK(rmdir(folder) == 0);
	CHECK(rmdir(base) == 0);
	free(data);
	return check_done();
}
