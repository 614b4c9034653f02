/*
 * What the judge knows, and the rules that he judges by.
 */
#include "tests/redteam/judge_inner.h"

#include <stdarg.h>
#include <stdio.h>

bool
judge_no(struct judge *j, const char *fmt, ...)
{
	va_list	 ap;

	if (j->complaint[0] == '\0') {
		va_start(ap, fmt);
		(void)vsnprintf(j->complaint, sizeof(j->complaint), fmt, ap);
		va_end(ap);
	}
	return false;
}

struct judge *
judge_new(const struct judge_rules *rules)
{
	struct judge	*j = calloc(1, sizeof(*j));

	assert(j != NULL);
	j->rules = *rules;
	j->height = rules->height;
	j->periods = 1;
	j->ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	return j;
}

void
judge_free(struct judge **jp)
{
	struct judge	*j = *jp;
	size_t		 i;

	if (j == NULL)
		return;
	for (i = 0; i < j->tx.n; i++) {
		free(j->tx.p[i].prev);
		free(j->tx.p[i].ids);
	}
	for (i = 0; i < j->id.n; i++)
		free(j->id.p[i].carriers);
	free(j->own_by_script.e);
	free(j->coin_by_outpoint.e);
	free(j->tx_by_txid.e);
	free(j->id_by_name.e);
	free(j->killed.e);
	free(j->own.p);
	free(j->coin.p);
	free(j->tx.p);
	free(j->id.p);
	secp256k1_context_destroy(j->ctx);
	free(j);
	*jp = NULL;
}

const char *
judge_complaint(const struct judge *j)
{
	return j->complaint[0] == '\0' ? NULL : j->complaint;
}

uint64_t
judge_count(const struct judge *j)
{
	return j->tx.n;
}

int64_t
judge_cost_sat(const struct judge *j)
{
	return j->cost_sat;
}

void
judge_own(struct judge *j, const unsigned char *script, size_t len,
    unsigned branch, uint32_t index, const unsigned char *key,
    const unsigned char *inner, size_t inner_len)
{
	struct own	*o;

	if (judge_get(&j->own_by_script, script, len) != NONE)
		return;
	judge_put(&j->own_by_script, script, len, (uint32_t)j->own.n);
	o = LIST_ADD(&j->own);
	o->branch = branch;
	o->index = index;
	if (key != NULL)
		memcpy(o->key, key, j->rules.wallet == JUDGE_TR ? 32 : 33);
	assert(inner_len <= INNER_ROOM);
	if (inner_len > 0)
		memcpy(o->inner, inner, inner_len);
	o->inner_len = inner_len;
}

void
judge_cold(struct judge *j, const unsigned char *script, size_t len)
{
	judge_own(j, script, len, 2, 0, NULL, NULL, 0);
}

static void
outpoint(unsigned char out[36], const unsigned char txid[32], uint32_t vout)
{
	memcpy(out, txid, 32);
	out[32] = (unsigned char)vout;
	out[33] = (unsigned char)(vout >> 8);
	out[34] = (unsigned char)(vout >> 16);
	out[35] = (unsigned char)(vout >> 24);
}

void
judge_coin(struct judge *j, const unsigned char txid[32], uint32_t vout,
    int64_t amount_sat, const unsigned char *script, size_t len)
{
	unsigned char	 key[36];
	struct coin	*c;

	outpoint(key, txid, vout);
	if (len > SCRIPT_ROOM ||
	    judge_get(&j->coin_by_outpoint, key, sizeof(key)) != NONE)
		return;
	judge_put(&j->coin_by_outpoint, key, sizeof(key),
	    (uint32_t)j->coin.n);
	c = LIST_ADD(&j->coin);
	c->amount_sat = amount_sat;
	memcpy(c->script, script, len);
	c->len = len;
}

void
judge_killed(struct judge *j, const unsigned char txid[32], uint32_t vout)
{
	unsigned char	 key[36];

	outpoint(key, txid, vout);
	judge_put(&j->killed, key, sizeof(key), 1);
}

static struct id *
id_named(struct judge *j, const void *name, size_t len)
{
	unsigned char	 key[KEY_MAX];
	uint32_t	 n;

	memset(key, 0, sizeof(key));
	memcpy(key, name, len);
	if ((n = judge_get(&j->id_by_name, key, sizeof(key))) == NONE) {
		n = (uint32_t)j->id.n;
		judge_put(&j->id_by_name, key, sizeof(key), n);
		(void)LIST_ADD(&j->id);
	}
	return &j->id.p[n];
}

void
judge_approved(struct judge *j, const char *id, int64_t amount_sat)
{
	id_named(j, id, strlen(id))->approved_sat = amount_sat;
}

void
judge_burned(struct judge *j, const char *id)
{
	id_named(j, id, strlen(id))->burned = true;
}

void
judge_rearmed(struct judge *j)
{
	j->periods++;
}

void
judge_halted(struct judge *j, bool halted)
{
	j->halted = halted;
}

void
judge_behind(struct judge *j, bool behind)
{
	j->behind = behind;
}

void
judge_epoch(struct judge *j, uint32_t epoch, const unsigned char engine[32])
{
	j->rules.epoch = epoch;
	memcpy(j->rules.engine, engine, 32);
}

/* ---- receipts ---- */

struct paper {
	const unsigned char *script, *id;
	size_t		len, id_len;
	int64_t		amount_sat;
	bool		good;
};

static int64_t
number_at(const unsigned char *p)
{
	struct reader	 r = { p, p + 8, false };

	return (int64_t)take_le(&r, 8);
}

static void
read_receipt(const struct judge *j, struct paper *out, const unsigned char *p)
{
	unsigned char	 message[21 + 243];
	uint32_t	 epoch;

	memcpy(message, "drawbridge receipt 1\n", 21);
	memcpy(message + 21, p, 243);
	epoch = (uint32_t)p[19] | (uint32_t)p[20] << 8 |
	    (uint32_t)p[21] << 16 | (uint32_t)p[22] << 24;
	out->id_len = p[95];
	out->id = p + 96;
	out->len = p[176];
	out->script = p + 177;
	out->amount_sat = number_at(p + 219);
	out->good = p[0] == 1 && p[1] == 2 &&
	    memcmp(p + 2, j->rules.deployment, 16) == 0 &&
	    p[18] == j->rules.network && epoch == j->rules.epoch &&
	    out->id_len > 0 && out->id_len <= 64 && out->len <= 42 &&
	    crypto_sign_verify_detached(p + 243, message, sizeof(message),
	    j->rules.engine) == 0;
}

/* The first output that is as this receipt says, and no other's. */
static bool
match(struct judge *j, struct paper *paper, struct parsed *t,
    const unsigned char *receipts, size_t k)
{
	size_t	 i;

	read_receipt(j, paper, receipts + k * RECEIPT_BYTES);
	for (i = 0; paper->good && i < t->n_out; i++) {
		if (t->out[i].receipt != NONE ||
		    t->out[i].amount_sat != paper->amount_sat ||
		    t->out[i].len != paper->len ||
		    memcmp(t->out[i].script, paper->script, paper->len) != 0)
			continue;
		t->out[i].receipt = (uint32_t)k;
		return true;
	}
	return false;
}

/* Which output each receipt pays; what is left must come back to us. */
static bool
outputs(struct judge *j, struct parsed *t, const unsigned char *receipts,
    size_t n, bool loaded, int64_t *back_sat)
{
	const struct own	*own;
	uint32_t		 highest = j->index_max;
	struct paper		 paper;
	size_t			 i, k;

	for (k = 0; k < n; k++) {
		if (!match(j, &paper, t, receipts, k) && !loaded)
			return judge_no(j, "receipt %zu pays nothing", k);
	}
	for (i = 0; i < t->n_out; i++) {
		if (t->out[i].receipt != NONE)
			continue;
		own = judge_own_of(j, t->out[i].script, t->out[i].len);
		if (own == NULL)
			return judge_no(j, "output %zu pays a script without "
			    "its receipt", i);
		if (own->branch == 0)
			return judge_no(j, "output %zu: change to a deposit "
			    "address", i);
		if (own->index > j->index_max + 1000)
			return judge_no(j, "output %zu: change at index %u",
			    i, own->index);
		if (own->index > highest)
			highest = own->index;
		*back_sat += t->out[i].amount_sat;
	}
	j->index_max = highest;
	return true;
}

static void
bind(unsigned char out[32], const struct out *o)
{
	struct hasher	 h;

	begin(&h);
	add_le(&h, (uint64_t)o->amount_sat, 8);
	add(&h, o->script, o->len);
	end(&h, out);
}

/* Each id once in it, for the same as ever, allowed by people where it must
 * be. */
static bool
ids(struct judge *j, struct parsed *t, const unsigned char *receipts,
    struct signed_tx *s)
{
	static const unsigned char	 nothing[32];
	unsigned char			 bound[32];
	const unsigned char		*p;
	struct id			*id;
	size_t				 i, k;
	uint32_t			 n;

	s->ids = calloc(t->n_out + 1, sizeof(*s->ids));
	for (i = 0; i < t->n_out; i++) {
		if (t->out[i].receipt == NONE)
			continue;
		p = receipts + t->out[i].receipt * RECEIPT_BYTES;
		id = id_named(j, p + 96, p[95]);
		n = (uint32_t)(id - j->id.p);
		for (k = 0; k < s->n_ids; k++) {
			if (s->ids[k] == n)
				return judge_no(j, "%.*s twice in one",
				    (int)p[95], p + 96);
		}
		s->ids[s->n_ids++] = n;
		bind(bound, &t->out[i]);
		if (memcmp(id->bound, nothing, 32) == 0)
			memcpy(id->bound, bound, 32);
		if (memcmp(id->bound, bound, 32) != 0)
			return judge_no(j, "%.*s pays something else than "
			    "before", (int)p[95], p + 96);
		if (id->burned)
			return judge_no(j, "%.*s was burned", (int)p[95],
			    p + 96);
		if (t->out[i].amount_sat > j->rules.approve_above_sat &&
		    id->approved_sat != t->out[i].amount_sat)
			return judge_no(j, "%.*s was approved by nobody",
			    (int)p[95], p + 96);
	}
	return true;
}

/* ---- can both confirm? ---- */

/* Puts what it and its ancestors spend into `spent`; false: two different
 * ones spend one outpoint, or one that is gone. */
static bool
confirm(struct judge *j, struct table *spent, uint32_t n, uint32_t *stack)
{
	struct signed_tx	*s;
	size_t			 depth = 0, i;
	uint32_t		 other;

	stack[depth++] = n;
	j->tx.p[n].stamp = j->stamp;
	while (depth > 0) {
		n = stack[--depth];
		s = &j->tx.p[n];
		for (i = 0; i < s->n_in; i++) {
			if (judge_get(&j->killed, s->prev[i], 36) != NONE)
				return false;
			other = judge_get(spent, s->prev[i], 36);
			if (other != NONE && other != n)
				return false;
			judge_put(spent, s->prev[i], 36, n);
			other = judge_get(&j->tx_by_txid, s->prev[i], 32);
			if (other == NONE ||
			    j->tx.p[other].stamp == j->stamp)
				continue;
			j->tx.p[other].stamp = j->stamp;
			stack[depth++] = other;
		}
	}
	return true;
}

static bool
both_confirm(struct judge *j, uint32_t a, uint32_t b)
{
	uint32_t	*stack = calloc(j->tx.n + 1, sizeof(*stack));
	struct table	 spent = { NULL, 0, 0 };
	bool		 both;

	j->stamp++;
	both = confirm(j, &spent, a, stack);
	if (both && j->tx.p[b].stamp != j->stamp)
		both = confirm(j, &spent, b, stack);
	free(spent.e);
	free(stack);
	return both;
}

static void
text_of_txid(char out[65], const unsigned char txid[32])
{
	size_t	 i;

	for (i = 0; i < 32; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", txid[31 - i]);
}

static bool
pairs(struct judge *j, uint32_t n)
{
	char		 a[65], b[65];
	struct id	*id;
	size_t		 i, k;

	for (i = 0; i < j->tx.p[n].n_ids; i++) {
		id = &j->id.p[j->tx.p[n].ids[i]];
		for (k = 0; k < id->n; k++) {
			if (!both_confirm(j, id->carriers[k], n))
				continue;
			text_of_txid(a, j->tx.p[id->carriers[k]].txid);
			text_of_txid(b, j->tx.p[n].txid);
			return judge_no(j, "paid twice: %s and %s can both "
			    "confirm", a, b);
		}
		if (id->n == id->room) {
			id->room = id->room * 2 + 4;
			id->carriers = realloc(id->carriers,
			    id->room * sizeof(*id->carriers));
		}
		id->carriers[id->n++] = n;
	}
	return true;
}

/* ---- money and time ---- */

/*
 * The value of what it pays that was in the cost of an earlier one, whether
 * that one can confirm or not: of all that carry an id, one can (C9).  From
 * now on all of it is.
 */
static int64_t
counted_before(struct judge *j, const struct parsed *t,
    const unsigned char *receipts)
{
	const unsigned char	*p;
	struct id		*id;
	int64_t			 sum = 0;
	size_t			 i;

	for (i = 0; i < t->n_out; i++) {
		if (t->out[i].receipt == NONE)
			continue;
		p = receipts + t->out[i].receipt * RECEIPT_BYTES;
		id = id_named(j, p + 96, p[95]);
		if (id->counted)
			sum += t->out[i].amount_sat;
		id->counted = true;
	}
	return sum;
}

static bool
money(struct judge *j, const struct parsed *t, struct signed_tx *s,
    const unsigned char *receipts, int64_t in_sat, int64_t back_sat)
{
	const struct judge_rules	*r = &j->rules;
	int64_t				 out_sat = 0, by_height = 0;
	int64_t				 by_time = 0, period;
	size_t				 i;

	for (i = 0; i < t->n_out; i++)
		out_sat += t->out[i].amount_sat;
	s->cost_sat = in_sat - back_sat;
	if (in_sat - out_sat < 0 || in_sat - out_sat > r->fee_max_sat)
		return judge_no(j, "a fee of %jd", (intmax_t)(in_sat -
		    out_sat));
	if (s->cost_sat > r->tx_max_sat)
		return judge_no(j, "%jd in one transaction",
		    (intmax_t)s->cost_sat);
	s->cost_sat -= counted_before(j, t, receipts);
	j->cost_sat += s->cost_sat;
	period = (int64_t)r->short_blocks * r->block_ms;
	by_height = by_time = s->cost_sat;
	for (i = j->tx.n; i-- > 0;) {
		if ((uint64_t)j->tx.p[i].height + r->short_blocks > s->height)
			by_height += j->tx.p[i].cost_sat;
		if (j->tx.p[i].running_ms + period > s->running_ms)
			by_time += j->tx.p[i].cost_sat;
	}
	if (by_height > r->short_max_sat)
		return judge_no(j, "%jd within %u blocks",
		    (intmax_t)by_height, r->short_blocks);
	if (by_time > r->short_max_sat)
		return judge_no(j, "%jd within the time of %u blocks",
		    (intmax_t)by_time, r->short_blocks);
	if (j->cost_sat > (int64_t)j->periods * r->long_max_sat)
		return judge_no(j, "%jd in %ju periods",
		    (intmax_t)j->cost_sat, (uintmax_t)j->periods);
	return true;
}

/* C3. */
static bool
times(struct judge *j, const struct parsed *t, struct signed_tx *s,
    int64_t running_ms)
{
	size_t	 i;

	for (i = 0; i < t->n_in; i++) {
		if (t->in[i].sequence == 0xffffffff)
			return judge_no(j, "input %zu: without a locktime", i);
	}
	if (t->locktime >= 500000000)
		return judge_no(j, "locked until a time");
	if (j->rules.block_min_ms > 0 && t->locktime > j->rules.height +
	    running_ms / j->rules.block_min_ms)
		return judge_no(j, "locked until %u after %jd ms",
		    t->locktime, (intmax_t)running_ms);
	if (t->locktime > j->height)
		j->height = t->locktime;
	s->height = j->height;
	s->running_ms = running_ms;
	return true;
}

/* ---- all of it ---- */

static void
hash_signatures(const struct parsed *t, struct signed_tx *s)
{
	struct hasher	 sigs, types;
	size_t		 i;

	begin(&sigs);
	begin(&types);
	for (i = 0; i < t->n_in; i++) {
		add(&sigs, t->in[i].sig, t->in[i].sig_len);
		if (t->in[i].sig_len <= 65)
			add_le(&types, t->in[i].sig_len, 1);
	}
	end(&sigs, s->sigs);
	end(&types, s->types);
}

/* Signed before: the same bytes, and nothing new. */
static bool
same_again(struct judge *j, const struct parsed *t, uint32_t n)
{
	struct signed_tx	 s;

	hash_signatures(t, &s);
	if (memcmp(s.types, j->tx.p[n].types, 32) == 0 &&
	    memcmp(s.sigs, j->tx.p[n].sigs, 32) != 0)
		return judge_no(j, "the same transaction, other signatures");
	return true;
}

static bool
keep(struct judge *j, const struct parsed *t, struct signed_tx *s)
{
	uint32_t	 n = (uint32_t)j->tx.n;
	size_t		 i;

	s->prev = calloc(t->n_in, sizeof(*s->prev));
	for (i = 0; i < t->n_in; i++)
		memcpy(s->prev[i], t->in[i].prev, 36);
	s->n_in = t->n_in;
	memcpy(s->txid, t->txid, 32);
	hash_signatures(t, s);
	*LIST_ADD(&j->tx) = *s;
	judge_put(&j->tx_by_txid, s->txid, 32, n);
	/* What it makes are coins that later ones may spend. */
	for (i = 0; i < t->n_out; i++)
		judge_coin(j, t->txid, (uint32_t)i, t->out[i].amount_sat,
		    t->out[i].script, t->out[i].len);
	return pairs(j, n);
}

bool
judge_signed(struct judge *j, const unsigned char *psbt, size_t len,
    const unsigned char *receipts, size_t n_receipts, bool loaded,
    int64_t running_ms)
{
	static struct parsed	 t;
	struct signed_tx	 s;
	int64_t			 in_sat = 0, back_sat = 0;
	bool			 worthless = false;
	struct paper		 paper;
	uint32_t		 before;
	size_t			 k;

	memset(&s, 0, sizeof(s));
	if (j->halted)
		return judge_no(j, "signed while it was halted");
	if (j->behind)
		return judge_no(j, "signed on yesterday's disk");
	if (!judge_read(j, &t, psbt, len) ||
	    !judge_signatures(j, &t, &worthless, &in_sat))
		return false;
	if (worthless) {
		for (k = 0; k < n_receipts; k++)
			(void)match(j, &paper, &t, receipts, k);
		(void)counted_before(j, &t, receipts);
		return true;
	}
	before = judge_get(&j->tx_by_txid, t.txid, 32);
	if (before != NONE)
		return same_again(j, &t, before);
	if (!times(j, &t, &s, running_ms) || !outputs(j, &t, receipts,
	    n_receipts, loaded, &back_sat) ||
	    !money(j, &t, &s, receipts, in_sat, back_sat) ||
	    !ids(j, &t, receipts, &s)) {
		free(s.ids);
		return false;
	}
	return keep(j, &t, &s);
}
