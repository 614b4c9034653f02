/*
 * The way of a transaction: checks, then the journal, then the key.
 *
 * Nothing is signed that the journal does not hold, with what it may cost.
 * What was signed once is signed again, the same bytes and not counted, as
 * long as all that signatures depend on is the same: a crash between journal
 * and answer must neither strand a batch nor charge it twice (condition 4).
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/script.h"
#include "bitcoin/sighash.h"
#include "signer/inner.h"

/* ---- height (C3) ---- */

bool
height_check(struct signer *s, struct pay *p, struct refusal *r)
{
	uint32_t	 locktime = p->tx->locktime;
	int64_t		 accounted;
	size_t		 i;

	for (i = 0; i < p->tx->n_in; i++)
		if (p->tx->in[i].sequence == TX_SEQUENCE_FINAL)
			return refuse(r, SIGN_REFUSE_SEQUENCE,
			    "input %zu: sequence 0xffffffff", i);
	if (locktime >= TX_LOCKTIME_TIME)
		return refuse(r, SIGN_REFUSE_LOCKTIME,
		    "locktime %u is a time", locktime);
	if (locktime == 0 && (s->height > 0 ||
	    s->settings.network != NETWORK_REGTEST))
		return refuse(r, SIGN_REFUSE_LOCKTIME, "locktime 0");
	if (!height_possible(s->height, s->height_running_ms, locktime,
	    p->running_ms, s->settings.network, &accounted))
		return refuse(r, SIGN_REFUSE_HEIGHT, "locktime %u: at most %u "
		    "can be by now", locktime, height_limit(s->height,
		    s->height_running_ms, p->running_ms,
		    s->settings.network));
	return true;
}

/* What is believed once this is signed. */
static uint32_t
height_after(const struct signer *s, const struct pay *p)
{
	return p->tx->locktime > s->height ? p->tx->locktime : s->height;
}

/* ---- the fee ---- */

/*
 * What the finished transaction will weigh, at the least: a signature that
 * happens to be shorter makes the rate higher than it was here by less than
 * two thousandths.
 */
#define DER_LEAST	70	/* low R, low S, with its type */
#define SCHNORR_LEAST	64

static size_t
witness_least(const struct signer *s, const struct psbt_in *in)
{
	size_t	 script = in->witness_script.len;

	switch (s->settings.wallet) {
	case SIGN_WPKH:
		return 1 + 1 + DER_LEAST + 1 + PUBLIC_KEY_LEN;
	case SIGN_TR:
		return 1 + 1 + SCHNORR_LEAST;
	case SIGN_WSH:
		return 1 + 1 + s->settings.m * (1 + (size_t)DER_LEAST) +
		    compact_len(script) + script;
	}
	abort();
}

static int64_t
vsize_least(const struct signer *s, const struct pay *p)
{
	size_t	 weight = 4 * tx_size(p->tx, false) + 2, i;

	for (i = 0; i < p->tx->n_in; i++)
		weight += witness_least(s, &p->psbt->in[i]);
	return (int64_t)(weight / 4);
}

/*
 * An id's value counts once, every signature's fee in full (C9): of all that
 * carry an id, one can confirm.  After a write-off it counts anew.
 */
static int64_t
counted_before(const struct signer *s, const struct pay *p)
{
	const struct memory_id *id;
	int64_t	 sum = 0;
	size_t	 i;

	for (i = 0; i < p->tx->n_out; i++) {
		if (p->out[i].kind != OUTPUT_PAYMENT)
			continue;
		id = memory_find_id(s->memory,
		    p->receipts[p->out[i].receipt].id);
		if (id != NULL && id->first != UINT32_MAX)
			sum += p->tx->out[i].amount_sat;
	}
	return sum;
}

static bool
money_adds_up(const struct signer *s, struct pay *p, struct refusal *r)
{
	int64_t	 out_sat = 0;
	size_t	 i;

	/* Together at most TX_MONEY_MAX_SAT: the parser has looked. */
	for (i = 0; i < p->tx->n_out; i++)
		out_sat += p->tx->out[i].amount_sat;
	if (out_sat > p->in_sat)
		return refuse(r, SIGN_REFUSE_FEE,
		    "the outputs are more than the inputs");
	p->fee_sat = p->in_sat - out_sat;
	p->cost_sat = p->in_sat - p->back_sat;
	p->counted_sat = p->cost_sat - counted_before(s, p);
	assert(p->cost_sat >= p->counted_sat && p->counted_sat >= p->fee_sat);
	return true;
}

/* The most that the receipts allow; without one, nobody's word limits it. */
static int64_t
receipts_fee(const struct pay *p)
{
	int64_t	 sum = 0;
	bool	 any = false;
	size_t	 i;

	for (i = 0; i < p->tx->n_out; i++) {
		if (p->out[i].kind != OUTPUT_PAYMENT)
			continue;
		any = true;
		if (__builtin_add_overflow(sum,
		    p->receipts[p->out[i].receipt].fee_max_sat, &sum))
			return INT64_MAX;
	}
	return any ? sum : INT64_MAX;
}

bool
fee_check(struct signer *s, struct pay *p, struct refusal *r)
{
	const struct sign_settings *c = &s->settings;
	int64_t	 vsize = vsize_least(s, p), rate;

	if (!money_adds_up(s, p, r))
		return false;
	rate = (p->fee_sat * 1000 + vsize - 1) / vsize;
	if (p->fee_sat > c->spike_fee_max_sat)
		return refuse(r, SIGN_REFUSE_FEE, "a fee of %jd sat: at most "
		    "%jd, even approved", (intmax_t)p->fee_sat,
		    (intmax_t)c->spike_fee_max_sat);
	if (rate > c->spike_rate_max)
		return refuse(r, SIGN_REFUSE_FEE_RATE, "%jd sat per 1000 "
		    "vbytes: at most %jd, even approved", (intmax_t)rate,
		    (intmax_t)c->spike_rate_max);
	p->spike = p->fee_sat > c->fee_max_sat || rate > c->fee_rate_max ||
	    p->fee_sat > receipts_fee(p);
	return true;
}

/* ---- the ceilings (C9) ---- */

bool
ceilings_check(struct signer *s, struct pay *p, struct refusal *r)
{
	const struct sign_settings *c = &s->settings;
	/* As they will be when this is recorded; ours stay as they are, for
	 * the height of what is refused is nobody's word.  The ring is only
	 * read. */
	struct windows	 w = s->windows;

	windows_advance(&w, c, height_after(s, p), p->running_ms);
	if (!w.armed)
		return refuse(r, SIGN_REFUSE_UNARMED,
		    "the long period has ended");
	if (p->cost_sat > c->tx_max_sat)
		return refuse(r, SIGN_REFUSE_CEILING_TX, "%jd sat leave: at "
		    "most %jd in one transaction", (intmax_t)p->cost_sat,
		    (intmax_t)c->tx_max_sat);
	if (p->counted_sat > c->short_max_sat - w.short_sat)
		return refuse(r, SIGN_REFUSE_CEILING_SHORT, "%jd sat leave: "
		    "%jd left of the short window", (intmax_t)p->counted_sat,
		    (intmax_t)(c->short_max_sat - w.short_sat));
	if (p->counted_sat > c->long_max_sat - w.long_sat)
		return refuse(r, SIGN_REFUSE_CEILING_LONG, "%jd sat leave: "
		    "%jd left of the long period", (intmax_t)p->counted_sat,
		    (intmax_t)(c->long_max_sat - w.long_sat));
	return true;
}

/* ---- the journal ---- */

/* What a record of it says, and the memory that it needs. */
struct signing {
	struct record	 rec;
	struct outpoint	*in;
	struct record_id *ids;
	struct record_change *change;
};

static void
signing_free(struct signing *g)
{
	free(g->in);
	free(g->ids);
	free(g->change);
}

static void
record_output(struct signing *g, const struct pay *p, size_t i)
{
	const struct tx_out *out = &p->tx->out[i];
	const struct receipt *rc;
	struct record_id *id;
	struct record_change *c;

	switch (p->out[i].kind) {
	case OUTPUT_PAYMENT:
		rc = &p->receipts[p->out[i].receipt];
		id = &g->ids[g->rec.n_ids++];
		id->id = rc->id;
		sign_commitment(id->commitment, out->script, out->amount_sat);
		memcpy(id->account_tag, rc->account_tag,
		    sizeof(id->account_tag));
		id->amount_sat = out->amount_sat;
		id->receipt_seq = rc->seq;
		return;
	case OUTPUT_CHANGE:
	case OUTPUT_COLD:
		c = &g->change[g->rec.n_change++];
		c->vout = (uint32_t)i;
		c->amount_sat = out->amount_sat;
		c->branch = p->out[i].key.branch;
		c->index = p->out[i].key.index;
		return;
	case OUTPUT_NONE:
		break;
	}
	assert(!"an output that nobody looked at");
}

/*
 * How far change may go from now on (H10).  No transaction moves it farther
 * than wallets look ahead, whatever coin it spends: anybody can pay to our
 * key number two thousand million.
 */
static uint32_t
index_after(const struct signer *s, const struct pay *p)
{
	uint32_t	 most = s->index_max, limit;
	size_t		 i;

	limit = most < BIP32_HARD - 1 - KEYS_AHEAD ? most + KEYS_AHEAD :
	    BIP32_HARD - 1;
	for (i = 0; i < p->tx->n_in; i++)
		if (p->in[i].key.index > most)
			most = p->in[i].key.index;
	for (i = 0; i < p->tx->n_out; i++)
		if (p->out[i].kind != OUTPUT_PAYMENT &&
		    p->out[i].key.index > most)
			most = p->out[i].key.index;
	return most < limit ? most : limit;
}

static bool
signing_fill(struct signing *g, const struct signer *s, const struct pay *p)
{
	size_t	 i;

	g->in = calloc(p->tx->n_in, sizeof(*g->in));
	g->ids = calloc(p->tx->n_out, sizeof(*g->ids));
	g->change = calloc(p->tx->n_out, sizeof(*g->change));
	if (g->in == NULL || g->ids == NULL || g->change == NULL)
		return false;
	g->rec.kind = RECORD_SIGNED;
	g->rec.running_ms = p->running_ms;
	g->rec.height = height_after(s, p);
	memcpy(g->rec.txid, p->txid, sizeof(g->rec.txid));
	memcpy(g->rec.hash, p->spent_hash, sizeof(g->rec.hash));
	g->rec.cost_sat = p->counted_sat;
	g->rec.fee_sat = p->fee_sat;
	g->rec.engine_seq = p->standing_seq;
	g->rec.index_max = index_after(s, p);
	for (i = 0; i < p->tx->n_in; i++)
		g->in[i] = p->tx->in[i].prev;
	for (i = 0; i < p->tx->n_out; i++)
		record_output(g, p, i);
	g->rec.in = g->in;
	g->rec.n_in = p->tx->n_in;
	g->rec.ids = g->ids;
	g->rec.change = g->change;
	return true;
}

static bool
journal_it(struct signer *s, const struct pay *p, struct refusal *r)
{
	struct signing	 g = { .in = NULL };
	struct err	 e;
	bool		 good;

	if (!signing_fill(&g, s, p))
		good = refuse(r, SIGN_REFUSE_FAILED, "no memory");
	else if (keys_reach(s->keys, g.rec.index_max, &e) != RC_OK)
		/* Now, when it may still fail. */
		good = refuse(r, SIGN_REFUSE_FAILED, "%s", e.text);
	else
		good = signer_record(s, &g.rec, r);
	signing_free(&g);
	return good;
}

/* ---- the key ---- */

static bool
sign_all(struct signer *s, const struct pay *p, struct refusal *r)
{
	struct sighash	 h;
	struct err	 e;
	uint8_t		 type;
	size_t		 i;

	sighash_begin(&h, p->tx, p->spent);
	for (i = 0; i < p->tx->n_in; i++) {
		type = SIGHASH_ALL;
		if (s->settings.wallet == SIGN_TR)
			type = p->psbt->in[i].has_sighash ?
			    (uint8_t)p->psbt->in[i].sighash : SIGHASH_DEFAULT;
		if (keys_sign(s->keys, p->psbt, i, &p->in[i].key, &h, type,
		    &e) != RC_OK)
			return refuse(r, SIGN_REFUSE_FAILED, "%s", e.text);
	}
	return true;
}

static bool
answer(const struct pay *p, unsigned char **out, size_t *len,
    struct refusal *r)
{
	*len = psbt_size(p->psbt);
	if ((*out = malloc(*len)) == NULL)
		return refuse(r, SIGN_REFUSE_FAILED, "no memory");
	*len = psbt_write(p->psbt, *out);
	return true;
}

/* ---- the line ---- */

static bool
begin(struct pay *p, struct refusal *r)
{
	struct err	 e;

	if (p->m->psbt.p == NULL)
		return refuse(r, SIGN_REFUSE_MALFORMED, "no PSBT");
	if (psbt_parse(&p->psbt, (const unsigned char *)p->m->psbt.p,
	    p->m->psbt.len, &e) != RC_OK)
		return refuse(r, SIGN_REFUSE_MALFORMED, "%s", e.text);
	p->tx = &p->psbt->tx;
	if (p->tx->n_in == 0 || p->tx->n_out == 0)
		return refuse(r, SIGN_REFUSE_MALFORMED,
		    "no inputs or no outputs");
	if (p->tx->n_in > INPUTS_MAX || p->tx->n_out > OUTPUTS_MAX)
		return refuse(r, SIGN_REFUSE_TOO_MANY, "%zu inputs, %zu "
		    "outputs: at most %d and %d", p->tx->n_in, p->tx->n_out,
		    INPUTS_MAX, OUTPUTS_MAX);
	tx_txid(p->tx, p->txid);
	p->spent = calloc(p->tx->n_in, sizeof(*p->spent));
	p->in = calloc(p->tx->n_in, sizeof(*p->in));
	p->out = calloc(p->tx->n_out, sizeof(*p->out));
	if (p->spent == NULL || p->in == NULL || p->out == NULL)
		return refuse(r, SIGN_REFUSE_FAILED, "no memory");
	return true;
}

static bool
all_checks(struct signer *s, struct pay *p, struct refusal *r)
{
	if (!inputs_check(s, p, r))
		return false;
	/* It pays what it paid and costs what it cost: all of that is in its
	 * txid and spent_hash, and in the journal. */
	if (p->again != NULL)
		return true;
	return height_check(s, p, r) && receipts_check(s, p, r) &&
	    change_check(s, p, r) && fee_check(s, p, r) &&
	    approve_check(s, p, r) && conflict_check(s, p, r) &&
	    ceilings_check(s, p, r) && journal_it(s, p, r);
}

bool
pay_take(struct signer *s, const struct sign_message *m,
    const struct signer_clock *now, unsigned char **out, size_t *len,
    struct refusal *r)
{
	struct pay	 p = { .m = m, .now = now };
	bool		 good;

	assert(*out == NULL);
	p.running_ms = signer_running_ms(s, now);
	good = standing_check(s, m, now, &p.standing_seq, r) &&
	    begin(&p, r) && all_checks(s, &p, r) && sign_all(s, &p, r) &&
	    answer(&p, out, len, r);
	psbt_free(&p.psbt);
	free(p.spent);
	free(p.in);
	free(p.out);
	free(p.receipts);
	return good;
}
