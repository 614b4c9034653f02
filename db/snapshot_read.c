/*
 * Finding, reading and removing snapshots.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/file.h"
#include "db/snapshot_inner.h"

#define DIGITS	20
/* The kernel reads so far ahead. */
#define AHEAD	((uint64_t)16 << 20)

struct snapshot_reader {
	struct snapshot_crypt *crypt;
	char		 path[PATH_MAX];
	int		 fd;
	bool		 failed;
	uint64_t	 left;		/* bytes not given out yet */
	uint64_t	 undecrypted;	/* bytes of pieces to come */
	uint64_t	 piece;		/* the next one's number */
	uint64_t	 at, asked;	/* in the file */
	unsigned char	*in;
	unsigned char	*plain;		/* of one that was wanted in parts */
	size_t		 plain_at, plain_len;
};

/* SEQ.snapshot, or SEQ.snapshot.tmp; *tmp_out which. */
static bool
parse_name(const char *name, uint64_t *seq_out, bool *tmp_out)
{
	uint64_t	 seq = 0, digit;
	int		 i;

	for (i = 0; i < DIGITS; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		digit = (uint64_t)(name[i] - '0');
		if (seq > (UINT64_MAX - digit) / 10)
			return false;
		seq = seq * 10 + digit;
	}
	*seq_out = seq;
	*tmp_out = strcmp(name + DIGITS, SNAPSHOT_SUFFIX ".tmp") == 0;
	return *tmp_out || strcmp(name + DIGITS, SNAPSHOT_SUFFIX) == 0;
}

/* Into n sorted ones, the newest first, at most max. */
static void
insert(uint64_t *seqs, size_t max, size_t *n, uint64_t seq)
{
	size_t	 i = *n;

	if (i == max && (max == 0 || seqs[max - 1] >= seq))
		return;
	if (i == max)
		i--;
	else
		(*n)++;
	for (; i > 0 && seqs[i - 1] < seq; i--)
		seqs[i] = seqs[i - 1];
	seqs[i] = seq;
}

enum rc
snapshot_list(const char *folder, uint64_t *seqs, size_t max, size_t *n_out,
    struct err *e)
{
	struct dirent	*d;
	uint64_t	 seq;
	bool		 tmp;
	DIR		*dir;
	int		 bad;

	*n_out = 0;
	if ((dir = opendir(folder)) == NULL) {
		/* The first one makes it. */
		if (errno == ENOENT)
			return RC_OK;
		return err_set(e, "%s: cannot be read: %s", folder,
		    strerror(errno));
	}
	while (errno = 0, (d = readdir(dir)) != NULL)
		if (parse_name(d->d_name, &seq, &tmp) && !tmp)
			insert(seqs, max, n_out, seq);
	bad = errno;
	(void)closedir(dir);
	if (bad != 0)
		return err_set(e, "%s: cannot be read: %s", folder,
		    strerror(bad));
	return RC_OK;
}

static enum rc
open_head(int *fd_out, unsigned char *bytes, struct snapshot_head *h,
    enum snapshot_cipher *cipher, const char *path, uint64_t seq,
    struct err *e)
{
	struct stat	 st;
	enum rc		 rc;
	int		 fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return err_set(e, "%s: cannot be opened: %s", path,
		    strerror(errno));
	if (fstat(fd, &st) == -1)
		rc = err_set(e, "%s: cannot be read: %s", path,
		    strerror(errno));
	else if (!S_ISREG(st.st_mode))
		rc = err_set(e, "%s: is not a snapshot: not even a file",
		    path);
	else if ((rc = file_read(fd, bytes, SNAPSHOT_HEAD_LEN, 0, path, e))
	    == RC_OK && (rc = snapshot_head_get(h, cipher, bytes, path, e))
	    == RC_OK && h->seq != seq)
		rc = err_set(e, "%s: is the snapshot of event %" PRIu64
		    " under another's name", path, h->seq);
	if (rc == RC_OK)
		*fd_out = fd;
	else
		(void)close(fd);
	return rc;
}

enum rc
snapshot_read_head(struct snapshot_head *out, const char *folder,
    uint64_t seq, struct err *e)
{
	unsigned char		 bytes[SNAPSHOT_HEAD_LEN];
	enum snapshot_cipher	 cipher;
	char			 path[PATH_MAX];
	int			 fd;

	if (snapshot_name(path, folder, seq, e) != RC_OK || open_head(&fd,
	    bytes, out, &cipher, path, seq, e) != RC_OK)
		return RC_FAILED;
	(void)close(fd);
	return RC_OK;
}

void
snapshot_reader_free(struct snapshot_reader **r)
{
	if (*r == NULL)
		return;
	snapshot_crypt_free(&(*r)->crypt);
	if ((*r)->fd != -1)
		(void)close((*r)->fd);
	if ((*r)->plain != NULL)
		sodium_memzero((*r)->plain, SNAPSHOT_PIECE);
	free((*r)->plain);
	free((*r)->in);
	free(*r);
	*r = NULL;
}

/* Is the file as long as its head says? */
static enum rc
check_len(const struct snapshot_reader *r, uint64_t bytes, struct err *e)
{
	uint64_t	 pieces = bytes == 0 ? 1 :
			    (bytes - 1) / SNAPSHOT_PIECE + 1;
	uint64_t	 want;
	struct stat	 st;

	if (fstat(r->fd, &st) == -1)
		return err_set(e, "%s: cannot be read: %s", r->path,
		    strerror(errno));
	if (bytes > (uint64_t)INT64_MAX / 2)
		return err_set(e, "%s: is damaged: it says that it has %"
		    PRIu64 " bytes", r->path, bytes);
	want = SNAPSHOT_HEAD_LEN + bytes + pieces * SNAPSHOT_TAG;
	if ((uint64_t)st.st_size != want)
		return err_set(e, "%s: is torn: %jd bytes of %" PRIu64,
		    r->path, (intmax_t)st.st_size, want);
	return RC_OK;
}

static enum rc
open_pieces(struct snapshot_reader *r, const unsigned char *head,
    const struct snapshot_head *h, enum snapshot_cipher cipher,
    const unsigned char key[32], struct err *e)
{
	unsigned char	 file_key[SNAPSHOT_KEY_LEN];
	enum rc		 rc;

	if (!snapshot_unwrap(file_key, head, key))
		return err_set(e, "%s: does not open with the key of its "
		    "month", r->path);
	rc = snapshot_crypt_new(&r->crypt, cipher, false, file_key, e);
	sodium_memzero(file_key, sizeof(file_key));
	if (rc != RC_OK || (rc = check_len(r, h->bytes, e)) != RC_OK)
		return rc;
	r->left = r->undecrypted = h->bytes;
	r->at = r->asked = SNAPSHOT_HEAD_LEN;
	r->in = malloc(SNAPSHOT_PIECE + SNAPSHOT_TAG);
	r->plain = malloc(SNAPSHOT_PIECE);
	if (r->in == NULL || r->plain == NULL)
		return err_set(e, "no memory for a snapshot");
	/* Advice: whether it is taken changes nothing. */
	(void)posix_fadvise(r->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return RC_OK;
}

enum rc
snapshot_open(struct snapshot_reader **out, const char *folder,
    uint64_t seq, const unsigned char key[32], struct snapshot_head *h,
    struct err *e)
{
	unsigned char		 head[SNAPSHOT_HEAD_LEN];
	enum snapshot_cipher	 cipher;
	struct snapshot_reader	*r;
	enum rc			 rc;

	assert(*out == NULL);
	if (sodium_init() == -1)
		return err_set(e, "libsodium does not start");
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return err_set(e, "no memory for a snapshot");
	r->fd = -1;
	if ((rc = snapshot_name(r->path, folder, seq, e)) == RC_OK &&
	    (rc = open_head(&r->fd, head, h, &cipher, r->path, seq, e)) ==
	    RC_OK)
		rc = open_pieces(r, head, h, cipher, key, e);
	if (rc == RC_OK)
		*out = r;
	else
		snapshot_reader_free(&r);
	return rc;
}

/* The next piece into `out`, which has room for it; *len_out: its bytes. */
static enum rc
read_piece(struct snapshot_reader *r, unsigned char *out, size_t *len_out,
    struct err *e)
{
	size_t	 len = r->undecrypted < SNAPSHOT_PIECE ?
		    (size_t)r->undecrypted : SNAPSHOT_PIECE;

	if (r->at + AHEAD / 2 > r->asked) {
		(void)posix_fadvise(r->fd, (off_t)r->asked, (off_t)AHEAD,
		    POSIX_FADV_WILLNEED);
		r->asked += AHEAD;
	}
	if (file_read(r->fd, r->in, len + SNAPSHOT_TAG, r->at, r->path, e) !=
	    RC_OK)
		return RC_FAILED;
	if (!snapshot_decrypt(r->crypt, out, r->in, len, r->piece,
	    len == r->undecrypted))
		return err_set(e, "%s: is damaged: piece %" PRIu64 " is not "
		    "what was written", r->path, r->piece);
	r->piece++;
	r->at += len + SNAPSHOT_TAG;
	r->undecrypted -= len;
	*len_out = len;
	return RC_OK;
}

enum rc
snapshot_read(struct snapshot_reader *r, void *bytes, size_t len,
    struct err *e)
{
	unsigned char	*p = bytes;
	enum rc		 rc = RC_OK;
	size_t		 n;

	assert(!r->failed);
	if (len > r->left) {
		r->failed = true;
		return err_set(e, "%s: has only %" PRIu64 " bytes more where "
		    "%zu are wanted", r->path, r->left, len);
	}
	while (len > 0) {
		if (r->plain_at < r->plain_len) {
			n = r->plain_len - r->plain_at;
			if (n > len)
				n = len;
			memcpy(p, r->plain + r->plain_at, n);
			r->plain_at += n;
		} else if (len >= SNAPSHOT_PIECE || len == r->undecrypted) {
			/* The whole of the next piece is wanted. */
			if ((rc = read_piece(r, p, &n, e)) != RC_OK)
				break;
		} else {
			rc = read_piece(r, r->plain, &r->plain_len, e);
			r->plain_at = 0;
			if (rc != RC_OK)
				break;
			continue;
		}
		p += n;
		len -= n;
		r->left -= n;
	}
	r->failed = rc != RC_OK;
	return rc;
}

enum rc
snapshot_end(struct snapshot_reader **rp, struct err *e)
{
	struct snapshot_reader	*r = *rp;
	enum rc			 rc = RC_OK;
	size_t			 n;

	assert(!r->failed);
	if (r->left > 0)
		rc = err_set(e, "%s: %" PRIu64 " bytes of it were not "
		    "wanted", r->path, r->left);
	else if (r->piece == 0)
		/* Of nothing: one piece says so. */
		rc = read_piece(r, r->plain, &n, e);
	snapshot_reader_free(rp);
	return rc;
}

static enum rc
prune_one(const char *folder, const char *name, uint64_t seq, bool tmp,
    uint64_t oldest_kept, uint32_t month, bool *removed, struct err *e)
{
	struct snapshot_head	 h;
	char			 path[PATH_MAX];
	int			 n;

	n = snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (n < 0 || n >= (int)sizeof(path))
		return err_set(e, "%s: the name is too long", folder);
	if (tmp)
		return file_sweep(path, e);
	/* Without a head nobody can say of which month it is; nor use it. */
	if (seq >= oldest_kept && (month == 0 || (snapshot_read_head(&h,
	    folder, seq, NULL) == RC_OK && h.month >= month)))
		return RC_OK;
	if (unlink(path) == -1 && errno != ENOENT)
		return err_set(e, "%s: cannot be removed: %s", path,
		    strerror(errno));
	*removed = true;
	return RC_OK;
}

/* Of the newest `keep`, the oldest; UINT64_MAX: none is kept. */
static enum rc
find_oldest(uint64_t *out, const char *folder, size_t keep, struct err *e)
{
	uint64_t	*seqs;
	size_t		 n, max = 32;
	enum rc		 rc;

	*out = keep == 0 ? UINT64_MAX : 0;
	if (keep == 0)
		return RC_OK;
	/* However many are to be kept, only so many are there. */
	do {
		max *= 2;
		if ((seqs = calloc(max, sizeof(*seqs))) == NULL)
			return err_set(e, "no memory for the names of %zu "
			    "snapshots", max);
		rc = snapshot_list(folder, seqs, max, &n, e);
		if (rc == RC_OK && n >= keep)
			*out = seqs[keep - 1];
		free(seqs);
	} while (rc == RC_OK && n == max && n < keep);
	return rc;
}

enum rc
snapshot_prune(const char *folder, size_t keep, uint32_t month,
    struct err *e)
{
	uint64_t	 oldest, seq;
	struct dirent	*d;
	bool		 tmp, removed = false;
	enum rc		 rc;
	DIR		*dir;

	if ((rc = find_oldest(&oldest, folder, keep, e)) != RC_OK)
		return rc;
	if ((dir = opendir(folder)) == NULL)
		return errno == ENOENT ? RC_OK : err_set(e,
		    "%s: cannot be read: %s", folder, strerror(errno));
	while (rc == RC_OK && (errno = 0, d = readdir(dir)) != NULL)
		if (parse_name(d->d_name, &seq, &tmp))
			rc = prune_one(folder, d->d_name, seq, tmp, oldest,
			    month, &removed, e);
	if (rc == RC_OK && errno != 0)
		rc = err_set(e, "%s: cannot be read: %s", folder,
		    strerror(errno));
	/* So that they do not come back after a loss of power. */
	if (rc == RC_OK && removed && fsync(dirfd(dir)) == -1)
		rc = err_set(e, "%s: not on disk: %s", folder,
		    strerror(errno));
	(void)closedir(dir);
	return rc;
}
