#include "engine/history.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/unseal.h"

struct history {
	struct db	*db;
	const struct keyring *keys;
	unsigned char	 hash[ROW_HASH_LEN];	/* of the row read last */
	uint64_t	 next;			/* first event of the next */
	struct row_walk	 walk;
	struct unseal	 plain;
	uint64_t	 row;			/* read last, for errors */
	bool		 in_row;
	struct command_lists lists;
};

enum rc
history_new(struct history **out, struct db *db, const struct keyring *keys,
    struct err *e)
{
	struct history	*h = calloc(1, sizeof(*h));

	if (h == NULL)
		return err_set(e, "out of memory");
	h->db = db;
	h->keys = keys;
	h->next = 1;
	*out = h;
	return RC_OK;
}

void
history_free(struct history **hp)
{
	struct history	*h = *hp;

	*hp = NULL;
	if (h == NULL)
		return;
	unseal_free(&h->plain);
	free(h);
}

/* The row before the first wanted one, for its hash alone. */
static enum rc
row_before(struct history *h, uint64_t row, struct err *e)
{
	const unsigned char	*bytes;
	uint64_t		 before, seq;
	size_t			 len;
	enum rc			 rc;

	if ((rc = db_find(h->db, row - 1, &before, e)) != RC_OK)
		return rc;
	if (before == 0)
		return err_set(e, "row %ju: the row before it is missing",
		    (uintmax_t)row);
	if ((rc = db_walk(h->db, before, e)) != RC_OK ||
	    (rc = db_next(h->db, &seq, &bytes, &len, e)) != RC_OK)
		return rc;
	if (bytes == NULL || seq != before || len < ROW_HASH_LEN)
		return err_set(e, "row %ju: it cannot be read",
		    (uintmax_t)before);
	memcpy(h->hash, bytes + len - ROW_HASH_LEN, ROW_HASH_LEN);
	return RC_OK;
}

enum rc
history_seek(struct history *h, uint64_t seq, struct err *e)
{
	uint64_t	 row;
	enum rc		 rc;

	h->in_row = false;
	memset(h->hash, 0, sizeof(h->hash));
	if ((rc = db_find(h->db, seq, &row, e)) != RC_OK)
		return rc;
	h->next = row == 0 ? 1 : row;
	if (row <= 1)
		return db_walk(h->db, 1, e);
	return row_before(h, row, e);
}

static enum rc
row_take(struct history *h, struct history_row *out,
    const unsigned char *bytes, struct err *e)
{
	enum unsealed	 what;
	enum rc		 rc;

	if ((rc = row_parse(&out->head, bytes, out->len, h->next, e)) !=
	    RC_OK ||
	    (rc = row_check(bytes, out->len, h->hash, e)) != RC_OK ||
	    (rc = unseal(&h->plain, &what, h->keys, &out->head, bytes,
	    out->len, e)) != RC_OK)
		return rc;
	out->forgotten = what == UNSEALED_UNREAD ||
	    what == UNSEALED_DESTROYED;
	memcpy(out->hash, h->hash, sizeof(out->hash));
	row_walk(&h->walk, &out->head, bytes, what == UNSEALED_PLAIN ?
	    h->plain.plain : NULL);
	h->row = out->head.seq;
	h->next = out->head.seq + out->head.events;
	h->in_row = true;
	return RC_OK;
}

enum rc
history_row(struct history *h, struct history_row *out, bool *more_out,
    struct err *e)
{
	const unsigned char	*bytes;
	uint64_t		 seq;
	enum rc			 rc;

	h->in_row = false;
	if ((rc = db_next(h->db, &seq, &bytes, &out->len, e)) != RC_OK)
		return rc;
	*more_out = bytes != NULL;
	if (bytes == NULL)
		return RC_OK;
	if (seq != h->next)
		return err_set(e, "row %ju is missing: the next one begins "
		    "with event %ju", (uintmax_t)h->next, (uintmax_t)seq);
	return err_wrap(e, row_take(h, out, bytes, e), "row %ju",
	    (uintmax_t)seq);
}

enum rc
history_raw(struct history *h, struct row_event *out, bool *more_out,
    struct err *e)
{
	enum rc	 rc;

	assert(h->in_row);
	if ((rc = row_next(&h->walk, out, more_out, e)) != RC_OK)
		return err_wrap(e, rc, "row %ju", (uintmax_t)h->row);
	if (!*more_out)
		h->in_row = false;
	return RC_OK;
}

enum rc
history_unpack(struct history_event *out, struct command_lists *lists,
    const struct row_event *raw, struct err *e)
{
	out->seq = raw->seq;
	out->outcomes = raw->outcomes;
	out->outcomes_len = raw->outcomes_len;
	return command_unpack(&out->c, lists, raw->open, raw->open_len,
	    raw->sealed, raw->sealed_len, e);
}

enum rc
history_event(struct history *h, struct history_event *out, bool *more_out,
    struct err *e)
{
	struct row_event raw;
	enum rc		 rc;

	if ((rc = history_raw(h, &raw, more_out, e)) != RC_OK || !*more_out)
		return rc;
	rc = history_unpack(out, &h->lists, &raw, e);
	return err_wrap(e, rc, "row %ju: event %ju", (uintmax_t)h->row,
	    (uintmax_t)raw.seq);
}
