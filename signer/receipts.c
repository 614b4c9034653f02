/*
 * Receipts, and which output each serves.
 *
 * One receipt serves one output and one output uses up one receipt; what a
 * receipt pays is a payment, even where the script is one of our own.  What a
 * receipt says of its id must be what was said when the id was first seen,
 * and an id that was never seen is signed only while the receipt is fresh and
 * its sequence above the floor (C4).
 */
#include <assert.h>
#include <stdlib.h>

#include "signer/take.h"

bool
receipt_read(const struct signer *s, struct receipt *out,
    const unsigned char bytes[RECEIPT_LEN], enum receipt_purpose purpose,
    struct refusal *r)
{
	struct err	 e;

	if (receipt_unpack(out, bytes, &e) != RC_OK)
		return refuse(r, SIGN_REFUSE_RECEIPT_BAD, "a receipt: %s",
		    e.text);
	if (memcmp(out->deployment, s->settings.deployment,
	    sizeof(out->deployment)) != 0)
		return refuse(r, SIGN_REFUSE_RECEIPT_FOREIGN,
		    "a receipt of another deployment");
	if (out->network != s->settings.network)
		return refuse(r, SIGN_REFUSE_RECEIPT_FOREIGN,
		    "a receipt for another network");
	if (out->epoch != s->settings.epoch)
		return refuse(r, SIGN_REFUSE_RECEIPT_EPOCH, "a receipt of "
		    "epoch %u; it is %u", out->epoch, s->settings.epoch);
	if (out->purpose != purpose)
		return refuse(r, SIGN_REFUSE_RECEIPT_PURPOSE, "a receipt for "
		    "`%s`, not `%s`", receipt_purpose_text(out->purpose),
		    receipt_purpose_text(purpose));
	if (!receipt_verify(bytes, s->settings.engine_key))
		return refuse(r, SIGN_REFUSE_RECEIPT_BAD,
		    "a receipt that the engine did not sign");
	return true;
}

static bool
is_zero(const unsigned char bytes[32])
{
	static const unsigned char	 zero[32];

	return memcmp(bytes, zero, sizeof(zero)) == 0;
}

bool
receipt_usable(const struct signer *s, const struct receipt *rc,
    uint64_t standing_seq, const struct signer_clock *now, struct refusal *r)
{
	const struct memory_id	*known = memory_find_id(s->memory, rc->id);
	unsigned char		 commitment[32];
	char			 id[ID_TEXT_MAX];

	(void)id_text(id, rc->id);
	if (rc->seq > standing_seq)
		return refuse(r, SIGN_REFUSE_RECEIPT_AHEAD, "%s: released by "
		    "event %ju, the engine stands at %ju", id,
		    (uintmax_t)rc->seq, (uintmax_t)standing_seq);
	if (known != NULL && known->burned)
		return refuse(r, SIGN_REFUSE_ID_BURNED, "%s is burned", id);
	sign_commitment(commitment, rc->script, rc->amount_sat);
	/* All zero: written off without having been seen. */
	if (known != NULL && !is_zero(known->commitment) &&
	    memcmp(known->commitment, commitment, sizeof(commitment)) != 0)
		return refuse(r, SIGN_REFUSE_ID_CHANGED, "%s was for another "
		    "script or amount", id);
	if (memory_seq_taken(s->memory, rc->seq, rc->id))
		return refuse(r, SIGN_REFUSE_ENGINE_BACK, "%s: event %ju "
		    "released another id before", id, (uintmax_t)rc->seq);
	if (known != NULL)
		return true;
	if (rc->seq <= s->floor)
		return refuse(r, SIGN_REFUSE_ID_FLOOR, "%s: event %ju is not "
		    "above the floor %ju: write it off", id,
		    (uintmax_t)rc->seq, (uintmax_t)s->floor);
	if (rc->expires_ms <= now->now_ms)
		return refuse(r, SIGN_REFUSE_RECEIPT_EXPIRED,
		    "%s: the receipt has expired", id);
	return true;
}

/* ---- twice ---- */

static int
by_id(const void *a, const void *b)
{
	const struct text	*x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->p, y->p, x->len);
}

static int
by_number(const void *a, const void *b)
{
	const uint64_t	*x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

bool
receipts_differ(const struct receipt *rc, size_t n, struct refusal *r)
{
	struct text	*ids = calloc(n + 1, sizeof(*ids));
	uint64_t	*seqs = calloc(n + 1, sizeof(*seqs));
	char		 id[ID_TEXT_MAX];
	bool		 good = true;
	size_t		 i;

	if (ids == NULL || seqs == NULL)
		good = refuse(r, SIGN_REFUSE_FAILED, "no memory");
	for (i = 0; good && i < n; i++) {
		ids[i] = rc[i].id;
		seqs[i] = rc[i].seq;
	}
	if (good) {
		qsort(ids, n, sizeof(*ids), by_id);
		qsort(seqs, n, sizeof(*seqs), by_number);
	}
	for (i = 1; good && i < n; i++) {
		if (text_equal(ids[i], ids[i - 1]))
			good = refuse(r, SIGN_REFUSE_RECEIPT_TWICE,
			    "%s: two receipts", id_text(id, ids[i]));
		else if (seqs[i] == seqs[i - 1])
			good = refuse(r, SIGN_REFUSE_RECEIPT_TWICE, "event "
			    "%ju released two ids", (uintmax_t)seqs[i]);
	}
	free(ids);
	free(seqs);
	return good;
}

/* ---- which output each serves ---- */

/* Candidates for outputs; rank: how well one goes with this transaction. */
enum rank { RANK_UNKNOWN, RANK_NOT, RANK_NEW, RANK_BOUND };

struct matcher {
	struct signer	*s;
	struct pay	*p;
	const struct receipt *of;	/* candidates */
	size_t		n;
	const struct receipt **sorted;	/* by amount, script, number */
	bool		*used;		/* by place in sorted */
	unsigned char	*rank;		/* the same; NULL: all are as good */
	struct outpoint	*in;		/* of this transaction */
	struct conflict	*conflict;
};

static int
compare_paid(int64_t amount_a, struct text script_a, int64_t amount_b,
    struct text script_b)
{
	if (amount_a != amount_b)
		return amount_a < amount_b ? -1 : 1;
	if (script_a.len != script_b.len)
		return script_a.len < script_b.len ? -1 : 1;
	return script_a.len == 0 ? 0 :
	    memcmp(script_a.p, script_b.p, script_a.len);
}

static int
by_paid(const void *a, const void *b)
{
	const struct receipt	*x = *(const struct receipt *const *)a;
	const struct receipt	*y = *(const struct receipt *const *)b;
	int			 c;

	c = compare_paid(x->amount_sat, x->script, y->amount_sat, y->script);
	/* Both lie in one array. */
	return c != 0 ? c : x < y ? -1 : x > y;
}

/* The first candidate that pays this, or where it would be. */
static size_t
first_for(const struct matcher *m, const struct tx_out *out)
{
	size_t	 low = 0, high = m->n, at;

	while (low < high) {
		at = low + (high - low) / 2;
		if (compare_paid(m->sorted[at]->amount_sat,
		    m->sorted[at]->script, out->amount_sat, out->script) < 0)
			low = at + 1;
		else
			high = at;
	}
	return low;
}

/*
 * Among loaded receipts that pay the same, which is meant?  One that was
 * signed before can only be served by a transaction that is in conflict with
 * all that carried it, and then it is that one: the new transaction replaces
 * the old.
 */
static enum rank
rank_of(struct matcher *m, size_t at)
{
	const struct memory_id	*known;
	const struct memory_tx	*t;
	enum rank		 rank = RANK_NEW;
	size_t			 link = 0;
	uint32_t		 n;

	if (m->rank == NULL)
		return RANK_NEW;
	if (m->rank[at] != RANK_UNKNOWN)
		return (enum rank)m->rank[at];
	known = memory_find_id(m->s->memory, m->sorted[at]->id);
	if (known != NULL && known->burned)
		rank = RANK_NOT;
	while (known != NULL && rank != RANK_NOT && (n = memory_next_carrier(
	    m->s->memory, known, &link)) != UINT32_MAX) {
		t = memory_tx_at(m->s->memory, n);
		rank = conflict_with(m->conflict, t) ? RANK_BOUND : RANK_NOT;
	}
	m->rank[at] = (unsigned char)rank;
	return rank;
}

/* Its place in sorted; m->n: none. */
static size_t
match_output(struct matcher *m, const struct tx_out *out)
{
	size_t		 at = first_for(m, out), best = m->n;
	enum rank	 best_rank = RANK_NOT, rank;

	for (; at < m->n && compare_paid(m->sorted[at]->amount_sat,
	    m->sorted[at]->script, out->amount_sat, out->script) == 0; at++) {
		if (m->used[at])
			continue;
		if ((rank = rank_of(m, at)) > best_rank) {
			best = at;
			best_rank = rank;
		}
		if (best_rank == RANK_BOUND ||
		    (best_rank == RANK_NEW && m->rank == NULL))
			break;
	}
	return best;
}

static bool
match_begin(struct matcher *m, struct signer *s, struct pay *p,
    const struct receipt *of, size_t n, bool rank, struct refusal *r)
{
	struct err	 e;
	size_t		 i;

	memset(m, 0, sizeof(*m));
	m->s = s;
	m->p = p;
	m->of = of;
	m->n = n;
	m->sorted = calloc(n + 1, sizeof(*m->sorted));
	m->used = calloc(n + 1, sizeof(*m->used));
	if (m->sorted == NULL || m->used == NULL)
		return refuse(r, SIGN_REFUSE_FAILED, "no memory");
	for (i = 0; i < n; i++)
		m->sorted[i] = &of[i];
	qsort(m->sorted, n, sizeof(*m->sorted), by_paid);
	if (!rank)
		return true;
	m->rank = calloc(n + 1, sizeof(*m->rank));
	m->in = calloc(p->tx->n_in + 1, sizeof(*m->in));
	for (i = 0; m->in != NULL && i < p->tx->n_in; i++)
		m->in[i] = p->tx->in[i].prev;
	if (m->rank == NULL || m->in == NULL || conflict_begin(&m->conflict,
	    s->memory, p->txid, m->in, p->tx->n_in, &e) != RC_OK)
		return refuse(r, SIGN_REFUSE_FAILED, "no memory");
	return true;
}

static void
match_end(struct matcher *m)
{
	free(m->sorted);
	free(m->used);
	free(m->rank);
	conflict_free(&m->conflict);
	free(m->in);
}

/* Which candidate each output uses up; NULL: none. */
static void
match_outputs(struct matcher *m, const struct receipt **served)
{
	size_t	 i, at;

	for (i = 0; i < m->p->tx->n_out; i++) {
		served[i] = NULL;
		at = match_output(m, &m->p->tx->out[i]);
		if (at == m->n)
			continue;
		m->used[at] = true;
		served[i] = m->sorted[at];
	}
}

/* SIGN_PAY: every receipt that came is used. */
static bool
serve_given(struct matcher *m, const struct receipt **served,
    struct refusal *r)
{
	struct pay	*p = m->p;
	char		 id[ID_TEXT_MAX];
	size_t		 i;

	for (i = 0; i < m->n; i++) {
		if (!m->used[i])
			return refuse(r, SIGN_REFUSE_RECEIPT_UNUSED,
			    "%s: no output is its own",
			    id_text(id, m->sorted[i]->id));
	}
	for (i = 0; i < p->tx->n_out; i++) {
		if (served[i] == NULL)
			continue;
		p->out[i].kind = OUTPUT_PAYMENT;
		p->out[i].receipt = (size_t)(served[i] - m->of);
	}
	return true;
}

/* SIGN_COSIGN: those that are used are the request's. */
static bool
serve_loaded(struct matcher *m, const struct receipt **served,
    struct refusal *r)
{
	struct pay	*p = m->p;
	size_t		 i;

	p->receipts = calloc(p->tx->n_out + 1, sizeof(*p->receipts));
	if (p->receipts == NULL)
		return refuse(r, SIGN_REFUSE_FAILED, "no memory");
	for (i = 0; i < p->tx->n_out; i++) {
		if (served[i] == NULL)
			continue;
		p->receipts[p->n_receipts] = *served[i];
		p->out[i].kind = OUTPUT_PAYMENT;
		p->out[i].receipt = p->n_receipts++;
	}
	return true;
}

static bool
serve(struct signer *s, struct pay *p, const struct receipt *of, size_t n,
    struct refusal *r)
{
	bool			 loaded = p->m->type == SIGN_COSIGN, good;
	const struct receipt	**served;
	struct matcher		 m;

	served = calloc(p->tx->n_out + 1, sizeof(*served));
	good = match_begin(&m, s, p, of, n, loaded, r);
	if (served == NULL)
		good = refuse(r, SIGN_REFUSE_FAILED, "no memory");
	if (good) {
		match_outputs(&m, served);
		good = loaded ? serve_loaded(&m, served, r) :
		    serve_given(&m, served, r);
	}
	match_end(&m);
	free(served);
	return good;
}

static bool
read_given(struct signer *s, struct pay *p, struct refusal *r)
{
	struct text	 t = p->m->receipts;
	size_t		 i;

	p->receipt_bytes = (const unsigned char *)t.p;
	p->n_receipts = t.len / RECEIPT_LEN;
	if (p->n_receipts > p->tx->n_out)
		return refuse(r, SIGN_REFUSE_RECEIPT_UNUSED, "more receipts "
		    "than outputs");
	p->receipts = calloc(p->n_receipts + 1, sizeof(*p->receipts));
	if (p->receipts == NULL)
		return refuse(r, SIGN_REFUSE_FAILED, "no memory");
	for (i = 0; i < p->n_receipts; i++) {
		if (!receipt_read(s, &p->receipts[i], p->receipt_bytes +
		    i * RECEIPT_LEN, RECEIPT_PAY_OWN, r))
			return false;
	}
	return true;
}

bool
receipts_check(struct signer *s, struct pay *p, struct refusal *r)
{
	size_t	 i;

	if (p->m->type == SIGN_COSIGN) {
		if (!serve(s, p, s->loaded, s->n_loaded, r))
			return false;
	} else if (!read_given(s, p, r) || !receipts_differ(p->receipts,
	    p->n_receipts, r) || !serve(s, p, p->receipts, p->n_receipts, r))
		return false;
	/* Loaded ones as well: what was usable then may be burned by now. */
	for (i = 0; i < p->n_receipts; i++) {
		if (!receipt_usable(s, &p->receipts[i], p->standing_seq,
		    p->now, r))
			return false;
	}
	return true;
}
