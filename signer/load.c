/*
 * Receipts kept for a PSBT that comes without any: programs that hand a PSBT
 * to a co-signer hand over nothing else (H8).  They are kept in memory alone,
 * and checked again when they are used.
 */
#include <assert.h>
#include <stdlib.h>

#include "signer/take.h"

static bool
loaded_room(struct signer *s, struct refusal *r)
{
	if (s->loaded == NULL)
		s->loaded = calloc(LOADED_MAX, sizeof(*s->loaded));
	if (s->loaded_bytes == NULL)
		s->loaded_bytes = calloc(LOADED_MAX, RECEIPT_LEN);
	if (s->loaded == NULL || s->loaded_bytes == NULL)
		return refuse(r, SIGN_REFUSE_FAILED,
		    "no memory to keep receipts");
	return true;
}

/* Into place n, its texts pointing where they lie then. */
static void
put_loaded(struct signer *s, size_t n, const unsigned char *bytes)
{
	unsigned char	*at = s->loaded_bytes + n * RECEIPT_LEN;
	struct err	 e;
	enum rc		 rc;

	memmove(at, bytes, RECEIPT_LEN);
	rc = receipt_unpack(&s->loaded[n], at, &e);
	assert(rc == RC_OK);
}

/* What can never be used goes; what was signed once may be needed again, but
 * can be loaded again. */
static void
drop_expired(struct signer *s, const struct signer_clock *now)
{
	size_t	 i, n = 0;

	for (i = 0; i < s->n_loaded; i++) {
		if (s->loaded[i].expires_ms <= now->now_ms)
			continue;
		put_loaded(s, n++, s->loaded_bytes + i * RECEIPT_LEN);
	}
	s->n_loaded = n;
}

/* The place of its id, or a new one at the end. */
static size_t
place_for(const struct signer *s, const struct receipt *rc)
{
	size_t	 i;

	for (i = 0; i < s->n_loaded; i++) {
		if (text_equal(s->loaded[i].id, rc->id))
			break;
	}
	return i;
}

static bool
read_all(struct signer *s, const struct ask *a, uint64_t standing_seq,
    struct receipt *rc, size_t n, struct refusal *r)
{
	const unsigned char	*bytes;
	struct text		 rest = a->m->approvals;
	size_t			 i;

	bytes = (const unsigned char *)a->m->receipts.p;
	for (i = 0; i < n; i++) {
		if (!receipt_read(s, &rc[i], bytes + i * RECEIPT_LEN,
		    RECEIPT_PAY_OWN, r) || !receipt_usable(s, &rc[i],
		    standing_seq, a->now, r))
			return false;
	}
	return receipts_differ(rc, n, r) &&
	    approve_payments(s, &rest, rc, n, a->now, r) &&
	    approve_end(rest, r);
}

static bool
keep_all(struct signer *s, const struct ask *a, const struct receipt *rc,
    size_t n, struct refusal *r)
{
	const unsigned char	*bytes;
	size_t			 i, at, more = 0;

	bytes = (const unsigned char *)a->m->receipts.p;
	drop_expired(s, a->now);
	for (i = 0; i < n; i++)
		more += place_for(s, &rc[i]) == s->n_loaded;
	if (more > LOADED_MAX - s->n_loaded)
		return refuse(r, SIGN_REFUSE_TOO_MANY, "%zu receipts are "
		    "kept, and at most %d", s->n_loaded, LOADED_MAX);
	for (i = 0; i < n; i++) {
		at = place_for(s, &rc[i]);
		put_loaded(s, at, bytes + i * RECEIPT_LEN);
		s->n_loaded += at == s->n_loaded;
	}
	return true;
}

bool
load_take(struct signer *s, const struct ask *a, struct reply *out,
    struct refusal *r)
{
	size_t		 n = a->m->receipts.len / RECEIPT_LEN;
	struct receipt	*rc;
	uint64_t	 standing_seq;
	bool		 good;

	if (!standing_check(s, a->m, a->now, &standing_seq, r))
		return false;
	if (n == 0 || n > LOADED_MAX)
		return refuse(r, SIGN_REFUSE_TOO_MANY, "1 to %d receipts",
		    LOADED_MAX);
	if (!loaded_room(s, r))
		return false;
	if ((rc = calloc(n, sizeof(*rc))) == NULL)
		return refuse(r, SIGN_REFUSE_FAILED, "no memory");
	good = read_all(s, a, standing_seq, rc, n, r) &&
	    keep_all(s, a, rc, n, r);
	free(rc);
	out->number = s->n_loaded;
	return good;
}
