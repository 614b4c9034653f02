/*
 * Writing snapshots.  The head is written last: it holds what is known only
 * at the end, and a file without one is none.
 */
#define _GNU_SOURCE
#include "db/snapshot.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/file.h"
#include "db/snapshot_inner.h"

/*
 * The kernel is told to write every so many bytes, and waited for so many
 * behind: else the sync at the end meets gigabytes at once, and the journal's
 * own syncs wait behind them.
 */
#define PUSH	((uint64_t)8 << 20)
#define BEHIND	((uint64_t)64 << 20)

struct snapshot_writer {
	struct snapshot_head head;
	struct snapshot_crypt *crypt;
	char		 path[PATH_MAX];
	int		 fd;
	enum snapshot_cipher cipher;
	bool		 failed;
	uint64_t	 pieces;	/* written */
	uint64_t	 at;		/* where the next one goes */
	uint64_t	 pushed, waited;
	/* What is not a whole piece yet, or may be the last one. */
	unsigned char	*held;
	size_t		 held_len;
	unsigned char	*out;
	/* Secrets. */
	unsigned char	 month_key[SNAPSHOT_KEY_LEN];
	unsigned char	 file_key[SNAPSHOT_KEY_LEN];
};

static void
writer_free(struct snapshot_writer **w)
{
	if (*w == NULL)
		return;
	snapshot_crypt_free(&(*w)->crypt);
	free((*w)->held);
	free((*w)->out);
	sodium_free(*w);
	*w = NULL;
}

void
snapshot_discard(struct snapshot_writer **w)
{
	if (*w == NULL)
		return;
	file_discard(&(*w)->fd, (*w)->path);
	writer_free(w);
}

/* The first snapshot makes the folder. */
static enum rc
make_folder(const char *folder, struct err *e)
{
	if (mkdir(folder, 0700) == 0)
		return file_sync_folder(folder, e);
	if (errno == EEXIST)
		return RC_OK;
	return err_set(e, "%s: cannot be made: %s", folder, strerror(errno));
}

enum rc
snapshot_create(struct snapshot_writer **out, const char *folder,
    const struct snapshot_head *h, const unsigned char key[32],
    struct err *e)
{
	struct snapshot_writer	*w;
	enum rc			 rc;

	assert(*out == NULL);
	if (sodium_init() == -1)
		return err_set(e, "libsodium does not start");
	if ((w = sodium_malloc(sizeof(*w))) == NULL)
		return err_set(e, "no memory for a snapshot");
	memset(w, 0, sizeof(*w));
	w->fd = -1;
	w->head = *h;
	w->head.bytes = 0;
	memcpy(w->month_key, key, sizeof(w->month_key));
	randombytes_buf(w->file_key, sizeof(w->file_key));
	w->at = SNAPSHOT_HEAD_LEN;
	w->cipher = snapshot_cipher;
	if (w->cipher == 0)
		w->cipher = crypto_aead_aes256gcm_is_available() ?
		    CIPHER_AES_GCM : CIPHER_XCHACHA;
	w->held = malloc(SNAPSHOT_PIECE);
	w->out = malloc(SNAPSHOT_PIECE + SNAPSHOT_TAG);
	if (w->held == NULL || w->out == NULL)
		rc = err_set(e, "no memory for a snapshot");
	else if ((rc = snapshot_crypt_new(&w->crypt, w->cipher, true,
	    w->file_key, e)) == RC_OK && (rc = snapshot_name(w->path, folder,
	    h->seq, e)) == RC_OK && (rc = make_folder(folder, e)) == RC_OK)
		rc = file_begin(&w->fd, w->path, e);
	if (rc == RC_OK)
		*out = w;
	else
		writer_free(&w);
	return rc;
}

static enum rc
push(struct snapshot_writer *w, struct err *e)
{
	uint64_t	 n;

	if (w->at - w->pushed < PUSH)
		return RC_OK;
	n = w->at - w->pushed;
	/* Not every file system has it; and an error that it tells is one. */
	if (sync_file_range(w->fd, (off64_t)w->pushed, (off64_t)n,
	    SYNC_FILE_RANGE_WRITE) == -1)
		goto fail;
	w->pushed += n;
	if (w->pushed - w->waited < BEHIND)
		return RC_OK;
	n = w->pushed - w->waited - BEHIND + PUSH;
	if (sync_file_range(w->fd, (off64_t)w->waited, (off64_t)n,
	    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
	    SYNC_FILE_RANGE_WAIT_AFTER) == -1)
		goto fail;
	w->waited += n;
	return RC_OK;
fail:
	if (errno == ENOSYS || errno == ESPIPE || errno == EINVAL) {
		w->pushed = w->waited = w->at;
		return RC_OK;
	}
	return err_set(e, "%s: cannot be written: %s", w->path,
	    strerror(errno));
}

static enum rc
write_piece(struct snapshot_writer *w, const unsigned char *p, size_t len,
    bool last, struct err *e)
{
	enum rc	 rc;

	snapshot_encrypt(w->crypt, w->out, p, len, w->pieces, last);
	rc = file_write(w->fd, w->out, len + SNAPSHOT_TAG, w->at, w->path, e);
	if (rc != RC_OK)
		return rc;
	w->pieces++;
	w->at += len + SNAPSHOT_TAG;
	w->head.bytes += len;
	return push(w, e);
}

enum rc
snapshot_write(struct snapshot_writer *w, const void *bytes, size_t len,
    struct err *e)
{
	const unsigned char	*p = bytes;
	enum rc			 rc = RC_OK;
	size_t			 n;

	assert(!w->failed);
	while (rc == RC_OK && len > 0) {
		/* More follows: what is held whole is not the last. */
		if (w->held_len == SNAPSHOT_PIECE) {
			rc = write_piece(w, w->held, SNAPSHOT_PIECE, false,
			    e);
			w->held_len = 0;
			continue;
		}
		/* From where it lies, unless it may be the last. */
		if (w->held_len == 0 && len > SNAPSHOT_PIECE) {
			rc = write_piece(w, p, SNAPSHOT_PIECE, false, e);
			n = SNAPSHOT_PIECE;
		} else {
			n = SNAPSHOT_PIECE - w->held_len;
			if (n > len)
				n = len;
			memcpy(w->held + w->held_len, p, n);
			w->held_len += n;
		}
		p += n;
		len -= n;
	}
	w->failed = rc != RC_OK;
	return rc;
}

enum rc
snapshot_commit(struct snapshot_writer **wp,
    const unsigned char state_hash[32], struct err *e)
{
	struct snapshot_writer	*w = *wp;
	unsigned char		 head[SNAPSHOT_HEAD_LEN];
	enum rc			 rc;

	assert(!w->failed);
	rc = write_piece(w, w->held, w->held_len, true, e);
	if (rc == RC_OK) {
		memcpy(w->head.state_hash, state_hash, 32);
		snapshot_head_put(head, &w->head, w->cipher);
		snapshot_wrap(head, w->file_key, w->month_key);
		rc = file_write(w->fd, head, sizeof(head), 0, w->path, e);
	}
	if (rc == RC_OK)
		rc = file_commit(&w->fd, w->path, true, e);
	snapshot_discard(wp);
	return rc;
}
