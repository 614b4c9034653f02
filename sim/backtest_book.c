#include "sim/backtest_book.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"

/* More names than this are counted under the last one. */
#define NAMES_MAX	4096

/* Withdrawals that ended, in two generations: the older one goes when the
 * younger is BACKTEST_KEEP_MS old. */
#define GENERATIONS	2

/* What is kept of one: bits from below. */
#define DONE_KEY_BITS	3
#define DONE_LOST	6	/* was, is */
#define DONE_FRAUD	8
#define DONE_COUNTED	9
#define DONE_SAT	10

/* Accounts that a rule spoke on, by their number here. */
struct bitmap {
	uint64_t	*words;
	size_t		 n;
};

struct book {
	const struct backtest_options *o;
	struct backtest	*result;
	struct item	*items;
	size_t		 n_items, room_items;
	size_t		*free;		/* items that are free */
	size_t		 n_free;
	struct idmap	 index;		/* id: item + 1, 0 when it ended */
	size_t		 n_dead;	/* of those */
	struct idmap	 done[GENERATIONS];
	int64_t		 done_since_ms;
	struct idmap	 accounts;	/* account: number + 1 */
	struct bitmap	 sterner, milder;
	struct bitmap	*of_rule[SIDES];
	size_t		 room_rules;
	/* The number of a program's rule among result->rules. */
	uint16_t	 names[SIDES][RULES_MAX];
};

/* Sums */

static void
add(struct score_cell *c, int64_t sat)
{
	c->count++;
	c->sat = amount_add_saturate(c->sat, sat);
}

/* True when it is new. */
static enum rc
mark(struct bitmap *m, size_t i, bool *new_out, struct err *e)
{
	size_t	 word = i / 64, n;
	uint64_t *more, bit = UINT64_C(1) << i % 64;

	if (word >= m->n) {
		n = word * 2 + 16;
		if ((more = realloc(m->words, n * sizeof(*more))) == NULL)
			return err_set(e, "out of memory");
		memset(more + m->n, 0, (n - m->n) * sizeof(*more));
		m->words = more;
		m->n = n;
	}
	*new_out = (m->words[word] & bit) == 0;
	m->words[word] |= bit;
	return RC_OK;
}

static enum rc
mark_count(struct bitmap *m, size_t i, uint64_t *count, struct err *e)
{
	bool	 fresh;
	enum rc	 rc;

	if ((rc = mark(m, i, &fresh, e)) == RC_OK)
		*count += fresh;
	return rc;
}

/* Rules by name */

static enum rc
name_new(struct book *b, const struct prog_rule *r, uint16_t *out,
    struct err *e)
{
	struct backtest		*t = b->result;
	struct backtest_rule	*more;
	struct bitmap		*maps;
	size_t			 room = b->room_rules * 2 + 64;
	int			 side;

	if (t->n_rules == b->room_rules) {
		more = realloc(t->rules, room * sizeof(*more));
		if (more == NULL)
			return err_set(e, "out of memory");
		t->rules = more;
		for (side = 0; side < SIDES; side++) {
			maps = realloc(b->of_rule[side],
			    room * sizeof(*maps));
			if (maps == NULL)
				return err_set(e, "out of memory");
			b->of_rule[side] = maps;
		}
		b->room_rules = room;
	}
	*out = (uint16_t)t->n_rules;
	for (side = 0; side < SIDES; side++)
		memset(&b->of_rule[side][t->n_rules], 0, sizeof(*maps));
	memset(&t->rules[t->n_rules], 0, sizeof(*t->rules));
	memcpy(t->rules[t->n_rules].name, r->name, sizeof(r->name));
	memcpy(t->rules[t->n_rules].where, r->where, sizeof(r->where));
	t->n_rules++;
	return RC_OK;
}

static enum rc
name_of(struct book *b, const struct prog_rule *r, uint16_t *out,
    struct err *e)
{
	struct backtest	*t = b->result;
	size_t		 i;

	for (i = 0; i < t->n_rules; i++) {
		*out = (uint16_t)i;
		if (strcmp(t->rules[i].name, r->name) == 0 ||
		    i + 1 == NAMES_MAX)
			return RC_OK;
	}
	return name_new(b, r, out, e);
}

static enum rc
learn_names(struct book *b, const struct program *p, int side, struct err *e)
{
	struct backtest_rule	*r;
	uint16_t		 n = 0;
	enum rc			 rc;
	int			 i;

	for (i = 0; i < p->n_rules; i++) {
		if ((rc = name_of(b, &p->rules[i], &n, e)) != RC_OK)
			return rc;
		b->names[side][i] = n;
		r = &b->result->rules[n];
		if (side == SIDE_WAS) {
			r->is_old = true;
			continue;
		}
		r->is_new = true;
		r->shadow = p->rules[i].shadow;
	}
	return RC_OK;
}

enum rc
book_policy(struct book *b, const struct program *p, struct err *e)
{
	return learn_names(b, p, SIDE_WAS, e);
}

static int
by_number(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static enum rc
keep_spoken(const struct book *b, struct spoken *s, int side,
    const uint16_t *rules, size_t n, struct err *e)
{
	size_t	 i, used = 0;

	if (n == 0)
		return RC_OK;
	if ((s->rules = calloc(n, sizeof(*s->rules))) == NULL)
		return err_set(e, "out of memory");
	for (i = 0; i < n; i++)
		s->rules[i] = b->names[side][rules[i]];
	qsort(s->rules, n, sizeof(*s->rules), by_number);
	/* Two rules may share a name. */
	for (i = 0; i < n; i++)
		if (used == 0 || s->rules[used - 1] != s->rules[i])
			s->rules[used++] = s->rules[i];
	s->n = (uint16_t)used;
	return RC_OK;
}

/* Items */

struct item *
book_find(struct book *b, struct ident id)
{
	const uint64_t	*at = idmap_get(&b->index, id);

	return at == NULL || *at == 0 ? NULL : &b->items[*at - 1];
}

/* The index keeps the places of what ended; made anew when those are many. */
static bool
sweep_index(struct book *b)
{
	struct idmap	 fresh = { 0 };
	uint64_t	*at;
	size_t		 i;
	bool		 is_new;

	for (i = 0; i < b->n_items; i++) {
		if (ident_none(b->items[i].id))
			continue;
		if ((at = idmap_put(&fresh, b->items[i].id, &is_new)) ==
		    NULL) {
			idmap_free(&fresh);
			return false;
		}
		*at = i + 1;
	}
	idmap_free(&b->index);
	b->index = fresh;
	b->n_dead = 0;
	return true;
}

static bool
room_for_one(struct book *b)
{
	size_t	 room = b->room_items * 2 + 1024, *more_free;
	struct item *more;

	if (b->n_dead > 4096 && b->n_dead > b->index.count / 2 &&
	    !sweep_index(b))
		return false;
	if (b->n_free > 0 || b->n_items < b->room_items)
		return true;
	if ((more = realloc(b->items, room * sizeof(*more))) == NULL)
		return false;
	b->items = more;
	if ((more_free = realloc(b->free, room * sizeof(*more_free))) == NULL)
		return false;
	b->free = more_free;
	b->room_items = room;
	return true;
}

static bool
counts(const struct book *b, uint64_t seq, int64_t t_ms)
{
	return seq >= b->o->from_seq && t_ms >= b->o->from_ms;
}

struct item *
book_make(struct book *b, struct ident id, struct ident account,
    uint64_t seq, int64_t t_ms, int64_t sat)
{
	struct item	*i = book_find(b, id);
	uint64_t	*at;
	size_t		 n;
	bool		 is_new;

	if (i != NULL)
		return i;
	if (!room_for_one(b) || (at = idmap_put(&b->index, id, &is_new)) ==
	    NULL)
		return NULL;
	n = b->n_free > 0 ? b->free[--b->n_free] : b->n_items++;
	b->n_dead -= !is_new;
	*at = n + 1;
	i = &b->items[n];
	memset(i, 0, sizeof(*i));
	i->id = id;
	i->account = account;
	i->seq = seq;
	i->t_ms = t_ms;
	i->sat = sat;
	i->counted = counts(b, seq, t_ms);
	i->sides[SIDE_WAS].released_ms = i->sides[SIDE_IS].released_ms = -1;
	return i;
}

/* What happened */

static enum score_key
key_of(const struct happened *h)
{
	switch (h->state) {
	case STATE_STOPPED:
		return SCORE_STOPPED;
	case STATE_HELD:
		return SCORE_HELD;
	case STATE_DENIED:
		return SCORE_DENIED;
	case STATE_WAITING:
	case STATE_RELEASED:
	case STATE_PAID:
	case STATE_FAILED:
	case STATE_CANCELLED:
	case STATE_EXPIRED:
		break;
	}
	if (h->verdict == VERDICT_STEP_UP)
		return SCORE_STEPPED_UP;
	return h->verdict == VERDICT_DELAY ? SCORE_DELAYED : SCORE_AT_ONCE;
}

enum rc
book_happened(struct book *b, struct item *i, int side,
    const struct happened *h, const uint16_t *rules, size_t n_rules,
    struct err *e)
{
	struct item_side	*s = &i->sides[side];
	enum score_key		 key = key_of(h);
	enum rc			 rc;

	if (h->judged && !s->judged) {
		if ((rc = keep_spoken(b, &s->spoken, side, rules, n_rules,
		    e)) != RC_OK)
			return rc;
		s->judged = true;
	}
	/* What people do moves nothing. */
	if (!s->ended && key > s->key && (h->type != OUTCOME_MOVED ||
	    h->state == STATE_STOPPED))
		s->key = key;
	s->state = h->state;
	if (s->ended || h->state <= STATE_HELD)
		return RC_OK;
	s->ended = true;
	if (h->state == STATE_RELEASED || h->state == STATE_PAID)
		s->released_ms = h->released_ms >= 0 ? h->released_ms :
		    h->t_ms;
	return RC_OK;
}

/* Adding up */

static void
count_fraud(struct backtest *t, int64_t sat, const enum score_key keys[SIDES],
    const bool lost[SIDES])
{
	add(&t->fraud, sat);
	add(&t->was.keys[keys[SIDE_WAS]], sat);
	add(&t->is.keys[keys[SIDE_IS]], sat);
	if (lost[SIDE_WAS])
		add(&t->was.lost, sat);
	if (lost[SIDE_IS])
		add(&t->is.lost, sat);
}

void
book_fraud(struct book *b, struct ident id)
{
	struct item	*i = book_find(b, id);
	enum score_key	 keys[SIDES];
	bool		 lost[SIDES];
	uint64_t	*done = NULL;
	int		 g, side;

	if (i != NULL) {
		i->fraud = true;
		return;
	}
	for (g = 0; g < GENERATIONS && done == NULL; g++)
		done = idmap_get(&b->done[g], id);
	if (done == NULL || (*done >> DONE_COUNTED & 1) == 0 ||
	    (*done >> DONE_FRAUD & 1) != 0)
		return;
	*done |= UINT64_C(1) << DONE_FRAUD;
	for (side = 0; side < SIDES; side++) {
		keys[side] = (enum score_key)(*done >> side * DONE_KEY_BITS &
		    7);
		lost[side] = (*done >> (DONE_LOST + side) & 1) != 0;
	}
	count_fraud(b->result, (int64_t)(*done >> DONE_SAT), keys, lost);
}

static enum rc
remember(struct book *b, const struct item *i, struct err *e)
{
	uint64_t	 v = (uint64_t)i->sat << DONE_SAT, *at;
	bool		 is_new;
	int		 side;

	if (i->t_ms - b->done_since_ms > BACKTEST_KEEP_MS) {
		idmap_free(&b->done[1]);
		b->done[1] = b->done[0];
		memset(&b->done[0], 0, sizeof(b->done[0]));
		b->done_since_ms = i->t_ms;
	}
	for (side = 0; side < SIDES; side++) {
		v |= (uint64_t)i->sides[side].key << side * DONE_KEY_BITS;
		v |= (uint64_t)(i->sides[side].released_ms >= 0) <<
		    (DONE_LOST + side);
	}
	v |= (uint64_t)i->fraud << DONE_FRAUD;
	v |= (uint64_t)i->counted << DONE_COUNTED;
	if ((at = idmap_put(&b->done[0], i->id, &is_new)) == NULL)
		return err_set(e, "out of memory");
	*at = v;
	return RC_OK;
}

static enum rc
account_number(struct book *b, const struct item *i, size_t *out,
    struct err *e)
{
	uint64_t	*at;
	bool		 is_new;

	if ((at = idmap_put(&b->accounts, i->account, &is_new)) == NULL)
		return err_set(e, "out of memory");
	if (is_new)
		*at = b->accounts.count;
	*out = (size_t)*at - 1;
	return RC_OK;
}

/* How much longer it waited, where both released it. */
static int64_t
longer_ms(const struct item *i)
{
	const struct item_side	*s = i->sides;

	if (s[SIDE_WAS].released_ms < 0 || s[SIDE_IS].released_ms < 0)
		return 0;
	return s[SIDE_IS].released_ms - s[SIDE_WAS].released_ms;
}

static void
put_waiting(int64_t *added, int64_t *saved, int64_t ms)
{
	if (ms > 0)
		*added = amount_add_saturate(*added, ms);
	else
		*saved = amount_add_saturate(*saved, -ms);
}

static enum rc
count_rule(struct book *b, const struct item *i, uint16_t rule, int side,
    size_t account, struct err *e)
{
	struct backtest_rule	*r = &b->result->rules[rule];

	add(side == SIDE_IS ? &r->only_new : &r->only_old, i->sat);
	put_waiting(&r->added_ms, &r->saved_ms, longer_ms(i));
	return mark_count(&b->of_rule[side][rule], account,
	    side == SIDE_IS ? &r->accounts_new : &r->accounts_old, e);
}

/* Both lists ascend. */
static enum rc
count_rules(struct book *b, const struct item *i, size_t account,
    struct err *e)
{
	const struct spoken	*was = &i->sides[SIDE_WAS].spoken;
	const struct spoken	*is = &i->sides[SIDE_IS].spoken;
	unsigned		 k = 0, n = 0;
	enum rc			 rc = RC_OK;

	while ((k < was->n || n < is->n) && rc == RC_OK) {
		if (k < was->n && n < is->n && was->rules[k] ==
		    is->rules[n]) {
			add(&b->result->rules[is->rules[n]].both, i->sat);
			k++;
			n++;
		} else if (n == is->n || (k < was->n && was->rules[k] <
		    is->rules[n]))
			rc = count_rule(b, i, was->rules[k++], SIDE_WAS,
			    account, e);
		else
			rc = count_rule(b, i, is->rules[n++], SIDE_IS,
			    account, e);
	}
	return rc;
}

/* The first rule that speaks on one side and not on the other. */
static int
only_on(const struct item *i, int side)
{
	const struct spoken	*s = &i->sides[side].spoken;
	const struct spoken	*other = &i->sides[1 - side].spoken;
	unsigned		 k, n;

	for (k = 0; k < s->n; k++) {
		for (n = 0; n < other->n; n++)
			if (other->rules[n] == s->rules[k])
				break;
		if (n == other->n)
			return s->rules[k];
	}
	return s->n > 0 ? s->rules[0] : -1;
}

static void
keep_example(struct backtest_example *list, int *n, const struct item *i,
    int side)
{
	int	 at;

	for (at = *n; at > 0 && list[at - 1].sat < i->sat; at--)
		if (at < BACKTEST_EXAMPLES)
			list[at] = list[at - 1];
	if (at == BACKTEST_EXAMPLES)
		return;
	if (*n < BACKTEST_EXAMPLES)
		(*n)++;
	memset(&list[at], 0, sizeof(list[at]));
	list[at].seq = i->seq;
	list[at].t_ms = i->t_ms;
	list[at].sat = i->sat;
	list[at].was = i->sides[SIDE_WAS].key;
	list[at].is = i->sides[SIDE_IS].key;
	list[at].rule = only_on(i, side);
}

static enum rc
count_difference(struct book *b, const struct item *i, size_t account,
    struct err *e)
{
	struct backtest	*t = b->result;
	enum score_key	 was = i->sides[SIDE_WAS].key;
	enum score_key	 is = i->sides[SIDE_IS].key;

	if (is > was) {
		keep_example(t->sterner, &t->n_sterner, i, SIDE_IS);
		return mark_count(&b->sterner, account, &t->accounts_sterner,
		    e);
	}
	if (is < was) {
		keep_example(t->milder, &t->n_milder, i, SIDE_WAS);
		return mark_count(&b->milder, account, &t->accounts_milder,
		    e);
	}
	return RC_OK;
}

static enum rc
count(struct book *b, const struct item *i, struct err *e)
{
	const struct item_side	*was = &i->sides[SIDE_WAS];
	const struct item_side	*is = &i->sides[SIDE_IS];
	struct backtest		*t = b->result;
	const enum score_key	 keys[SIDES] = { was->key, is->key };
	const bool		 lost[SIDES] = { was->released_ms >= 0,
				    is->released_ms >= 0 };
	size_t			 account = 0;
	enum rc			 rc;

	add(&t->all, i->sat);
	add(&t->keys[was->key][is->key], i->sat);
	if (t->first_ms < 0 || i->t_ms < t->first_ms)
		t->first_ms = i->t_ms;
	if (i->t_ms > t->last_ms)
		t->last_ms = i->t_ms;
	if (lost[SIDE_WAS] && !lost[SIDE_IS])
		add(&t->kept, i->sat);
	if (!lost[SIDE_WAS] && lost[SIDE_IS])
		add(&t->let_go, i->sat);
	put_waiting(&t->added_ms, &t->saved_ms, longer_ms(i));
	if (i->fraud)
		count_fraud(t, i->sat, keys, lost);
	if (was->key == is->key && was->spoken.n == 0 && is->spoken.n == 0)
		return RC_OK;
	if ((rc = account_number(b, i, &account, e)) != RC_OK ||
	    (rc = count_rules(b, i, account, e)) != RC_OK)
		return rc;
	return count_difference(b, i, account, e);
}

static void
item_clear(struct item *i)
{
	free(i->sides[SIDE_WAS].spoken.rules);
	free(i->sides[SIDE_IS].spoken.rules);
	memset(i, 0, sizeof(*i));
}

enum rc
book_end(struct book *b, struct item *i, struct err *e)
{
	uint64_t	*at = idmap_get(&b->index, i->id);
	enum rc		 rc = RC_OK;

	assert(at != NULL && *at == (uint64_t)(i - b->items) + 1);
	if (i->counted)
		rc = count(b, i, e);
	if (rc == RC_OK)
		rc = remember(b, i, e);
	*at = 0;
	b->n_dead++;
	b->free[b->n_free++] = (size_t)(i - b->items);
	item_clear(i);
	return rc;
}

enum rc
book_end_all(struct book *b, struct err *e)
{
	size_t	 i;
	enum rc	 rc = RC_OK;

	for (i = 0; i < b->n_items && rc == RC_OK; i++)
		if (!ident_none(b->items[i].id))
			rc = book_end(b, &b->items[i], e);
	return rc;
}

/* Beginning and end */

enum rc
book_new(struct book **out, const struct backtest_options *o, struct err *e)
{
	struct book	*b = calloc(1, sizeof(*b));
	enum rc		 rc;

	if (b == NULL || (b->result = calloc(1, sizeof(*b->result))) ==
	    NULL) {
		free(b);
		return err_set(e, "out of memory");
	}
	b->o = o;
	b->result->first_ms = b->result->last_ms = -1;
	if ((rc = learn_names(b, o->program, SIDE_IS, e)) != RC_OK) {
		book_free(&b);
		return rc;
	}
	*out = b;
	return RC_OK;
}

void
book_free(struct book **bp)
{
	struct book	*b = *bp;
	size_t		 i;
	int		 side;

	*bp = NULL;
	if (b == NULL)
		return;
	for (i = 0; i < b->n_items; i++)
		item_clear(&b->items[i]);
	for (side = 0; side < SIDES; side++) {
		for (i = 0; b->of_rule[side] != NULL &&
		    i < b->room_rules && b->result != NULL &&
		    i < b->result->n_rules; i++)
			free(b->of_rule[side][i].words);
		free(b->of_rule[side]);
	}
	for (i = 0; i < GENERATIONS; i++)
		idmap_free(&b->done[i]);
	idmap_free(&b->index);
	idmap_free(&b->accounts);
	free(b->sterner.words);
	free(b->milder.words);
	free(b->items);
	free(b->free);
	backtest_free(&b->result);
	free(b);
}

struct backtest *
book_result(struct book *b)
{
	return b->result;
}

struct backtest *
book_take(struct book *b)
{
	struct backtest	*t = b->result;
	size_t		 i;
	int		 side;

	for (side = 0; side < SIDES; side++)
		for (i = 0; i < t->n_rules; i++)
			free(b->of_rule[side][i].words);
	b->result = NULL;
	return t;
}

void
backtest_free(struct backtest **tp)
{
	struct backtest	*t = *tp;

	*tp = NULL;
	if (t == NULL)
		return;
	free(t->rules);
	free(t);
}
