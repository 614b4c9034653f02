#include "engine/load.h"

#include <string.h>

enum rc
load_head(struct snapshot_head *out, const struct db *db, uint64_t seq,
    struct err *e)
{
	enum rc	 rc;

	if ((rc = snapshot_read_head(out, db_snapshot_folder(db), seq, e)) !=
	    RC_OK)
		return rc;
	if (out->layout != ENGINE_LAYOUT)
		return err_set(e, "its records are of layout %u, not %u",
		    out->layout, ENGINE_LAYOUT);
	return RC_OK;
}

static enum rc
piece_in(void *ctx, void *bytes, size_t len, struct err *e)
{
	return snapshot_read(ctx, bytes, len, e);
}

static enum rc
piece_out(void *ctx, const void *bytes, size_t len, struct err *e)
{
	return snapshot_write(ctx, bytes, len, e);
}

static enum rc
read_all(struct engine *en, struct snapshot_reader **r,
    const struct snapshot_head *s, struct err *e)
{
	unsigned char	 hash[32];
	enum rc		 rc;

	if ((rc = engine_load(en, piece_in, *r, hash, e)) != RC_OK ||
	    (rc = snapshot_end(r, e)) != RC_OK)
		return rc;
	if (memcmp(hash, s->state_hash, sizeof(hash)) != 0)
		return err_set(e, "its state has another hash than its head "
		    "says");
	return RC_OK;
}

enum rc
load_state(struct engine *en, const struct db *db,
    const struct keyring *keys, const struct snapshot_head *s,
    struct err *e)
{
	struct snapshot_reader	*r = NULL;
	struct snapshot_head	 again;
	const unsigned char	*key;
	enum rc			 rc;

	if (keyring_get(keys, s->month, &key) != KEY_THERE)
		return err_set(e, "the key of its month is destroyed");
	if ((rc = snapshot_open(&r, db_snapshot_folder(db), s->seq, key,
	    &again, e)) == RC_OK)
		rc = read_all(en, &r, &again, e);
	snapshot_reader_free(&r);
	return rc;
}

enum rc
load_write(const struct engine *en, const struct db *db,
    const struct snapshot_head *s, const unsigned char *key, struct err *e)
{
	struct snapshot_writer	*w = NULL;
	unsigned char		 hash[32];
	enum rc			 rc;

	if ((rc = snapshot_create(&w, db_snapshot_folder(db), s, key, e)) !=
	    RC_OK)
		return rc;
	if ((rc = engine_save(en, piece_out, w, hash, e)) != RC_OK) {
		snapshot_discard(&w);
		return rc;
	}
	return snapshot_commit(&w, hash, e);
}
