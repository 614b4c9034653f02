/*
 * The file: a head of 512 bytes, then slots of 64, which never lie across
 * two sectors, so that a disk writes one as a whole.  All room is taken when
 * the file is made: a new month cannot fail for want of space, and no slot
 * ever moves.
 *
 *	offset	bytes
 *	0	8	"DBkeyrng"
 *	8	4	version: 1
 *	12	4	how many slots: 2400
 *	16	16	ids
 *	32	16	lots
 *	48	16	deployment
 *	64	32	engine_seed
 *	96	384	zeros
 *	480	32	BLAKE2b-256 of the above
 *
 *	slot
 *	0	4	"KEY!", "GONE", or zeros: free
 *	4	4	month
 *	8	32	key; zeros when gone
 *	40	24	BLAKE2b-192, keyed by the deployment, of the slot's
 *			number and the above; a free slot has zeros
 *
 * A slot that says GONE with a wrong checksum was being destroyed when the
 * machine stopped: that is completed, never undone.  One that says KEY! and
 * ends in zeros was being made: nothing was sealed under it, and it is free.
 */
#define _GNU_SOURCE
#include "db/keyring.h"

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
#include "wire/bytes.h"

#define VERSION		1
#define HEAD_LEN	512
#define HEAD_SUM_AT	480
#define SLOT_LEN	64
#define SLOT_SUM_AT	40
#define SLOT_SUM_LEN	24
#define SLOTS		2400
#define FILE_LEN	(HEAD_LEN + SLOTS * SLOT_LEN)
#define SLOT_FREE	UINT32_C(0)
#define SLOT_THERE	UINT32_C(0x2159454b)	/* "KEY!" */
#define SLOT_GONE	UINT32_C(0x454e4f47)	/* "GONE" */

static const unsigned char magic[8] = "DBkeyrng";

struct slot {
	uint32_t	state;
	uint32_t	month;
	unsigned char	key[KEYRING_KEY_LEN];
	bool		unfinished;	/* its destruction */
};

/* In pages that are neither swapped nor dumped, and written only while they
 * change. */
struct secret {
	struct keyring_secrets secrets;
	unsigned char	engine_key[crypto_sign_PUBLICKEYBYTES];
	unsigned char	engine_secret[crypto_sign_SECRETKEYBYTES];
	struct slot	slots[SLOTS];
};

struct keyring {
	struct secret	*s;
	char		*path;
	int		 fd;
	bool		 writable;
	/* A sync failed: what is on disk cannot be known any more. */
	bool		 broken;
	unsigned	 used;	/* slots before the first free one */
};

void
keyring_subkey(unsigned char out[KEYRING_KEY_LEN],
    const unsigned char month_key[KEYRING_KEY_LEN], enum keyring_use use)
{
	int	 bad = crypto_kdf_derive_from_key(out, KEYRING_KEY_LEN,
		    (uint64_t)use, "DBmonth1", month_key);

	assert(bad == 0);
}

static void
head_put(unsigned char *p, const struct keyring_secrets *s)
{
	memset(p, 0, HEAD_LEN);
	memcpy(p, magic, sizeof(magic));
	put_le32(p + 8, VERSION);
	put_le32(p + 12, SLOTS);
	memcpy(p + 16, s->ids.bytes, 16);
	memcpy(p + 32, s->lots.bytes, 16);
	memcpy(p + 48, s->deployment, 16);
	memcpy(p + 64, s->engine_seed, 32);
	(void)crypto_generichash(p + HEAD_SUM_AT, HEAD_LEN - HEAD_SUM_AT, p,
	    HEAD_SUM_AT, NULL, 0);
}

static enum rc
head_get(struct keyring_secrets *s, const unsigned char *p, const char *path,
    struct err *e)
{
	unsigned char	 sum[HEAD_LEN - HEAD_SUM_AT];
	uint32_t	 version = get_le32(p + 8);

	if (memcmp(p, magic, sizeof(magic)) != 0)
		return err_set(e, "%s: is not a keyring", path);
	if (version > VERSION)
		return err_set(e, "%s: is a keyring of version %" PRIu32
		    ", newer than this program, which knows %d", path,
		    version, VERSION);
	(void)crypto_generichash(sum, sizeof(sum), p, HEAD_SUM_AT, NULL, 0);
	if (memcmp(sum, p + HEAD_SUM_AT, sizeof(sum)) != 0 ||
	    version != VERSION || get_le32(p + 12) != SLOTS)
		return err_set(e, "%s: is damaged: the deployment's secrets "
		    "do not match their checksum", path);
	memcpy(s->ids.bytes, p + 16, 16);
	memcpy(s->lots.bytes, p + 32, 16);
	memcpy(s->deployment, p + 48, 16);
	memcpy(s->engine_seed, p + 64, 32);
	return RC_OK;
}

static void
slot_sum(unsigned char out[SLOT_SUM_LEN], const unsigned char *p,
    unsigned i, const unsigned char deployment[16])
{
	crypto_generichash_state	 s;
	unsigned char			 number[4];

	put_le32(number, i);
	(void)crypto_generichash_init(&s, deployment, 16, SLOT_SUM_LEN);
	(void)crypto_generichash_update(&s, number, sizeof(number));
	(void)crypto_generichash_update(&s, p, SLOT_SUM_AT);
	(void)crypto_generichash_final(&s, out, SLOT_SUM_LEN);
	sodium_memzero(&s, sizeof(s));
}

static void
slot_put(unsigned char *p, unsigned i, const struct slot *slot,
    const unsigned char deployment[16])
{
	put_le32(p, slot->state);
	put_le32(p + 4, slot->month);
	memcpy(p + 8, slot->key, sizeof(slot->key));
	slot_sum(p + SLOT_SUM_AT, p, i, deployment);
}

static enum rc
slot_get(struct slot *out, const unsigned char *p, unsigned i,
    const unsigned char deployment[16], const char *path, struct err *e)
{
	unsigned char	 sum[SLOT_SUM_LEN];
	bool		 good;

	memset(out, 0, sizeof(*out));
	out->state = get_le32(p);
	out->month = get_le32(p + 4);
	if (sodium_is_zero(p, SLOT_LEN))
		return RC_OK;
	slot_sum(sum, p, i, deployment);
	good = memcmp(sum, p + SLOT_SUM_AT, sizeof(sum)) == 0;
	if (good && out->state == SLOT_THERE) {
		memcpy(out->key, p + 8, sizeof(out->key));
		return RC_OK;
	}
	if (out->state == SLOT_GONE) {
		out->unfinished = !good || !sodium_is_zero(p + 8, 32);
		return RC_OK;
	}
	if (out->state == SLOT_THERE &&
	    sodium_is_zero(p + SLOT_SUM_AT, SLOT_SUM_LEN)) {
		memset(out, 0, sizeof(*out));
		return RC_OK;
	}
	return err_set(e, "%s: is damaged: slot %u, which says it is of %"
	    PRIu32 "-%02" PRIu32 ", does not match its checksum", path, i,
	    out->month / 12, out->month % 12 + 1);
}

static enum rc
check_file(int fd, const char *path, struct err *e)
{
	struct stat	 st;

	if (fstat(fd, &st) == -1)
		return err_set(e, "%s: cannot be read: %s", path,
		    strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, "%s: is not a keyring: not even a file",
		    path);
	if ((st.st_mode & S_IRWXO) != 0)
		return err_set(e, "%s: everybody may read or write it (mode "
		    "%03o): chmod 600 it, and think who may have", path,
		    (unsigned)st.st_mode & 0777);
	return RC_OK;
}

/* A short file is told from another one by its beginning. */
static enum rc
read_image(int fd, unsigned char *image, const char *path, struct err *e)
{
	struct stat	 st;

	if (fstat(fd, &st) == -1)
		return err_set(e, "%s: cannot be read: %s", path,
		    strerror(errno));
	if (st.st_size < HEAD_LEN) {
		if (st.st_size == 0)
			return err_set(e, "%s: is empty, no keyring", path);
		if (st.st_size < 8 || file_read(fd, image, 8, 0, path, NULL)
		    != RC_OK || memcmp(image, magic, sizeof(magic)) != 0)
			return err_set(e, "%s: is not a keyring", path);
	} else {
		if (file_read(fd, image, HEAD_LEN, 0, path, e) != RC_OK)
			return RC_FAILED;
		/* Of another program or version: its length says nothing. */
		if (memcmp(image, magic, sizeof(magic)) != 0 ||
		    get_le32(image + 8) > VERSION)
			return RC_OK;
	}
	if (st.st_size != FILE_LEN)
		return err_set(e, "%s: is torn: %jd bytes of %d", path,
		    (intmax_t)st.st_size, FILE_LEN);
	return file_read(fd, image, FILE_LEN, 0, path, e);
}

/* Under a lock: what the file says becomes what memory says, or nothing
 * changes. */
static enum rc
load(struct keyring *k, bool first, struct err *e)
{
	struct keyring_secrets	 head;
	unsigned char		*image = sodium_malloc(FILE_LEN);
	struct slot		 slot;
	unsigned		 i, pass;
	enum rc			 rc;

	if (image == NULL)
		return err_set(e, "%s: no memory", k->path);
	if ((rc = read_image(k->fd, image, k->path, e)) != RC_OK ||
	    (rc = head_get(&head, image, k->path, e)) != RC_OK)
		goto done;
	if (!first && memcmp(&head, &k->s->secrets, sizeof(head)) != 0) {
		rc = err_set(e, "%s: is another keyring than before", k->path);
		goto done;
	}
	(void)sodium_mprotect_readwrite(k->s);
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < SLOTS; i++) {
			rc = slot_get(&slot, image + HEAD_LEN + i * SLOT_LEN,
			    i, head.deployment, k->path, e);
			if (rc != RC_OK)
				goto protect;
			/* First see that all are whole. */
			if (pass == 0)
				continue;
			k->s->slots[i] = slot;
			if (slot.state != SLOT_FREE)
				k->used = i + 1;
		}
	k->s->secrets = head;
	(void)crypto_sign_seed_keypair(k->s->engine_key, k->s->engine_secret,
	    head.engine_seed);
protect:
	(void)sodium_mprotect_readonly(k->s);
done:
	sodium_memzero(&head, sizeof(head));
	sodium_memzero(&slot, sizeof(slot));
	sodium_free(image);
	return rc;
}

static enum rc
write_slot(struct keyring *k, unsigned i, const struct slot *slot,
    struct err *e)
{
	unsigned char	 bytes[SLOT_LEN];
	enum rc		 rc;

	slot_put(bytes, i, slot, k->s->secrets.deployment);
	rc = file_write(k->fd, bytes, sizeof(bytes),
	    HEAD_LEN + (uint64_t)i * SLOT_LEN, k->path, e);
	sodium_memzero(bytes, sizeof(bytes));
	k->broken |= rc != RC_OK;
	return rc;
}

static enum rc
sync_file(struct keyring *k, struct err *e)
{
	if (fdatasync(k->fd) == 0)
		return RC_OK;
	/* The kernel may have dropped what it could not write: asking again
	 * would be answered with a lie. */
	k->broken = true;
	return err_set(e, "%s: not on disk: %s", k->path, strerror(errno));
}

/* Complete destructions that a crash interrupted, and see to it that what
 * another process wrote before it died is on disk. */
static enum rc
complete(struct keyring *k, struct err *e)
{
	struct slot	 gone = { .state = SLOT_GONE };
	unsigned	 i;

	for (i = 0; i < k->used; i++) {
		if (!k->s->slots[i].unfinished)
			continue;
		gone.month = k->s->slots[i].month;
		if (write_slot(k, i, &gone, e) != RC_OK)
			return RC_FAILED;
	}
	return sync_file(k, e);
}

enum rc
keyring_open(struct keyring **out, const char *path, bool writable,
    struct err *e)
{
	struct keyring	*k;
	enum rc		 rc;

	assert(*out == NULL);
	if (sodium_init() == -1)
		return err_set(e, "libsodium does not start");
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return err_set(e, "%s: no memory", path);
	k->fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC |
	    O_NONBLOCK);
	if (k->fd == -1) {
		rc = err_set(e, errno == ENOENT ? "%s: there is no keyring: "
		    "%s" : "%s: the keyring cannot be opened: %s", path,
		    strerror(errno));
		goto fail;
	}
	k->writable = writable;
	k->path = strdup(path);
	k->s = sodium_malloc(sizeof(*k->s));
	if (k->path == NULL || k->s == NULL) {
		rc = err_set(e, "%s: no memory", path);
		goto fail;
	}
	if ((rc = check_file(k->fd, path, e)) != RC_OK || (rc = file_lock(
	    k->fd, writable ? FILE_ALONE : FILE_SHARED, true, path, e)) !=
	    RC_OK || (rc = load(k, true, e)) != RC_OK)
		goto fail;
	if (writable && (rc = complete(k, e)) != RC_OK)
		goto fail;
	file_unlock(k->fd);
	*out = k;
	return RC_OK;
fail:
	keyring_free(&k);
	return rc;
}

void
keyring_free(struct keyring **k)
{
	if (*k == NULL)
		return;
	if ((*k)->fd != -1)
		(void)close((*k)->fd);
	sodium_free((*k)->s);	/* Wipes. */
	free((*k)->path);
	free(*k);
	*k = NULL;
}

enum rc
keyring_create(struct keyring **out, const char *path, struct err *e)
{
	struct keyring_secrets	*s = NULL;
	unsigned char		*image = NULL;
	enum rc			 rc;
	int			 fd = -1;

	assert(*out == NULL);
	if (sodium_init() == -1)
		return err_set(e, "libsodium does not start");
	if (access(path, F_OK) == 0)
		return err_set(e, "%s: exists already", path);
	image = sodium_malloc(FILE_LEN);
	s = sodium_malloc(sizeof(*s));
	if (image == NULL || s == NULL) {
		rc = err_set(e, "%s: no memory", path);
		goto done;
	}
	randombytes_buf(s, sizeof(*s));
	memset(image, 0, FILE_LEN);
	head_put(image, s);
	if ((rc = file_begin(&fd, path, e)) != RC_OK)
		goto done;
	if ((rc = file_write(fd, image, FILE_LEN, 0, path, e)) != RC_OK)
		goto done;
	rc = file_commit(&fd, path, false, e);
done:
	file_discard(&fd, path);
	sodium_free(image);
	sodium_free(s);
	return rc == RC_OK ? keyring_open(out, path, true, e) : rc;
}

const struct keyring_secrets *
keyring_secrets(const struct keyring *k)
{
	return &k->s->secrets;
}

void
keyring_engine_key(const struct keyring *k, unsigned char out[32])
{
	memcpy(out, k->s->engine_key, 32);
}

void
keyring_tag(const struct keyring *k, unsigned char out[16])
{
	static const unsigned char	 what[] = "drawbridge keyring tag 1";
	const struct keyring_secrets	*s = &k->s->secrets;
	crypto_generichash_state	 h;

	(void)crypto_generichash_init(&h, NULL, 0, 16);
	(void)crypto_generichash_update(&h, what, sizeof(what));
	(void)crypto_generichash_update(&h, s->ids.bytes, 16);
	(void)crypto_generichash_update(&h, s->lots.bytes, 16);
	(void)crypto_generichash_update(&h, s->deployment, 16);
	(void)crypto_generichash_update(&h, s->engine_seed, 32);
	(void)crypto_generichash_final(&h, out, 16);
	sodium_memzero(&h, sizeof(h));
}

void
keyring_sign(const struct keyring *k, unsigned char sig[64],
    const void *bytes, size_t len)
{
	int	 bad = crypto_sign_detached(sig, NULL, bytes, len,
		    k->s->engine_secret);

	assert(bad == 0);
}

/* The months that are asked for are the last ones. */
static const struct slot *
find(const struct keyring *k, uint32_t month)
{
	unsigned	 i;

	for (i = k->used; i > 0; i--)
		if (k->s->slots[i - 1].month == month &&
		    k->s->slots[i - 1].state != SLOT_FREE)
			return &k->s->slots[i - 1];
	return NULL;
}

enum keyring_state
keyring_get(const struct keyring *k, uint32_t month,
    const unsigned char **key_out)
{
	const struct slot	*s = find(k, month);

	*key_out = s != NULL && s->state == SLOT_THERE ? s->key : NULL;
	if (s == NULL)
		return KEY_NEVER;
	return *key_out != NULL ? KEY_THERE : KEY_DESTROYED;
}

/* For a change: alone with the file, and knowing what it says now. */
static enum rc
begin_change(struct keyring *k, struct err *e)
{
	assert(k->writable);
	if (k->broken)
		return err_set(e, "%s: could not be written before", k->path);
	if (file_lock(k->fd, FILE_ALONE, true, k->path, e) != RC_OK)
		return RC_FAILED;
	if (load(k, false, e) == RC_OK)
		return RC_OK;
	file_unlock(k->fd);
	return RC_FAILED;
}

/* What was written is seen in memory only when it is on disk. */
static enum rc
end_change(struct keyring *k, enum rc rc, struct err *e)
{
	if (rc == RC_OK)
		rc = sync_file(k, e);
	if (rc == RC_OK)
		rc = load(k, false, e);
	file_unlock(k->fd);
	return rc;
}

enum rc
keyring_make(struct keyring *k, uint32_t month,
    const unsigned char **key_out, struct err *e)
{
	struct slot	 slot = { .state = SLOT_THERE, .month = month };
	enum rc		 rc = RC_OK;

	*key_out = NULL;
	if (keyring_get(k, month, key_out) == KEY_THERE)
		return RC_OK;
	if (begin_change(k, e) != RC_OK)
		return RC_FAILED;
	if (find(k, month) == NULL && k->used == SLOTS) {
		rc = err_set(e, "%s: is full: %d months have keys", k->path,
		    SLOTS);
	} else if (find(k, month) == NULL) {
		randombytes_buf(slot.key, sizeof(slot.key));
		rc = write_slot(k, k->used, &slot, e);
		sodium_memzero(&slot, sizeof(slot));
	}
	/* Another process may have written it and not synced yet. */
	if ((rc = end_change(k, rc, e)) != RC_OK)
		return rc;
	if (keyring_get(k, month, key_out) == KEY_THERE)
		return RC_OK;
	return err_set(e, "%s: the key of %" PRIu32 "-%02" PRIu32 " was "
	    "destroyed", k->path, month / 12, month % 12 + 1);
}

enum rc
keyring_destroy_before(struct keyring *k, uint32_t month, int *n_out,
    struct err *e)
{
	struct slot	 gone = { .state = SLOT_GONE };
	const struct slot *s;
	enum rc		 rc = RC_OK;
	unsigned	 i;
	int		 n = 0;

	*n_out = 0;
	if (begin_change(k, e) != RC_OK)
		return RC_FAILED;
	for (i = 0; i < k->used && rc == RC_OK; i++) {
		s = &k->s->slots[i];
		if (s->state == SLOT_FREE || (!s->unfinished &&
		    (s->state == SLOT_GONE || s->month >= month)))
			continue;
		gone.month = s->month;
		n += s->state == SLOT_THERE;
		rc = write_slot(k, i, &gone, e);
	}
	if ((rc = end_change(k, rc, e)) == RC_OK)
		*n_out = n;
	return rc;
}

enum rc
keyring_reread(struct keyring *k, struct err *e)
{
	enum rc	 rc;

	if (file_lock(k->fd, FILE_SHARED, true, k->path, e) != RC_OK)
		return RC_FAILED;
	rc = load(k, false, e);
	file_unlock(k->fd);
	return rc;
}

enum rc
keyring_copy(const struct keyring *k, const char *to, struct err *e)
{
	unsigned char	*image = sodium_malloc(FILE_LEN);
	enum rc		 rc;
	int		 fd = -1;

	if (image == NULL)
		return err_set(e, "%s: no memory", to);
	rc = file_lock(k->fd, FILE_SHARED, true, k->path, e);
	if (rc == RC_OK) {
		rc = read_image(k->fd, image, k->path, e);
		file_unlock(k->fd);
	}
	if (rc == RC_OK && (rc = file_begin(&fd, to, e)) == RC_OK &&
	    (rc = file_write(fd, image, FILE_LEN, 0, to, e)) == RC_OK)
		rc = file_commit(&fd, to, false, e);
	file_discard(&fd, to);
	sodium_free(image);
	return rc;
}
