#include "sim/score.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "lib/amount.h"
#include "sim/feed.h"

enum {
	REC_ASKED = 1,
	REC_SCORED = 2,
	REC_TRIPPED = 4,
	REC_RELEASED = 8,
};

struct rec {
	int64_t		asked_ms;
	int64_t		released_ms;
	int64_t		sat;
	uint32_t	text;		/* 1 + place in texts, 0: none */
	uint8_t		label;
	uint8_t		key;
	uint8_t		final;
	uint8_t		flags;
};

_Static_assert(sizeof(struct rec) <= 48, "memory a withdrawal");

/* Of attack withdrawals: the biggest losses are called by name. */
struct culprit {
	char	id[SCENARIO_ID_MAX + 1];
	char	account[SCENARIO_ID_MAX + 1];
	char	address[129];
};

struct tally {
	struct rec	*recs;		/* by ref */
	size_t		 n, room;
	struct culprit	*texts;
	size_t		 n_texts, room_texts;
	int64_t		 from_ms;
	const struct feed_item *item;
	int64_t		 hot_sat;	/* now; -1: never given */
	bool		 hot_wanted;	/* the first reading serves */
	bool		 halted;
	size_t		 room_halts;
	struct score	 score;
};

static const char *const key_texts[SCORE__KEYS] = { "released_at_once",
	"delayed", "stepped_up", "stopped", "held", "denied" };
static const char *const final_texts[] = { "waiting", "held", "released",
	"denied", "refused", "cancelled" };

const char *
score_key_text(enum score_key k)
{
	return key_texts[k];
}

const char *
score_final_text(enum score_final f)
{
	return final_texts[f];
}

enum rc
tally_new(struct tally **out, int64_t from_ms, struct err *e)
{
	struct tally	*t = calloc(1, sizeof(*t));

	if (t == NULL)
		return err_set(e, "out of memory");
	t->from_ms = from_ms;
	t->hot_sat = -1;
	t->score.hot_sat = -1;
	t->score.first_attack_ms = -1;
	t->score.alarm_ms = -1;
	t->score.first_ms = t->score.last_ms = -1;
	*out = t;
	return RC_OK;
}

void
tally_free(struct tally **tp)
{
	struct tally	*t = *tp;

	*tp = NULL;
	if (t == NULL)
		return;
	free(t->score.halts);
	free(t->recs);
	free(t->texts);
	free(t);
}

void
tally_item(struct tally *t, const struct feed_item *item)
{
	t->item = item;
	if (item == NULL || item->in.type != INPUT_HOT_BALANCE)
		return;
	t->hot_sat = item->in.amount_sat;
	/* Better a reading that came late than none. */
	if (t->hot_wanted) {
		t->score.hot_sat = t->hot_sat;
		t->hot_wanted = false;
	}
}

/* A number's record, made when it is new. */
static struct rec *
rec_of(struct tally *t, uint32_t ref)
{
	struct rec	*more;
	size_t		 room = t->room;

	if (ref >= room) {
		while (ref >= room)
			room = room * 2 + 1024;
		if ((more = realloc(t->recs, room * sizeof(*more))) == NULL)
			return NULL;
		memset(more + t->room, 0, (room - t->room) * sizeof(*more));
		t->recs = more;
		t->room = room;
	}
	if (ref >= t->n)
		t->n = (size_t)ref + 1;
	return &t->recs[ref];
}

static bool
keep_texts(struct tally *t, struct rec *r)
{
	struct culprit	*more, *x;
	size_t		 n;

	if (t->n_texts == t->room_texts) {
		more = realloc(t->texts,
		    (t->room_texts * 2 + 64) * sizeof(*more));
		if (more == NULL)
			return false;
		t->texts = more;
		t->room_texts = t->room_texts * 2 + 64;
	}
	x = &t->texts[t->n_texts++];
	memset(x, 0, sizeof(*x));
	memcpy(x->id, t->item->id.p, t->item->id.len);
	memcpy(x->account, t->item->account.p, t->item->account.len);
	n = t->item->address.len;
	memcpy(x->address, t->item->address.p, n < 128 ? n : 128);
	r->text = (uint32_t)t->n_texts;
	return true;
}

static void
alarm_at(struct tally *t, int64_t t_ms)
{
	struct score	*s = &t->score;

	if (s->first_attack_ms >= 0 && s->alarm_ms < 0)
		s->alarm_ms = t_ms - s->first_attack_ms;
}

/* The first attack withdrawal comes: nothing of it has happened yet. */
static void
attack_begins(struct tally *t, int64_t t_ms)
{
	t->score.first_attack_ms = t_ms;
	t->score.hot_sat = t->hot_sat;
	t->hot_wanted = t->hot_sat < 0;
	if (t->halted)
		alarm_at(t, t_ms);
}

static enum rc
asked(struct tally *t, const struct outcome *o)
{
	struct rec	*r = rec_of(t, o->ref);

	if (r == NULL)
		return RC_FAILED;
	memset(r, 0, sizeof(*r));
	r->asked_ms = o->t_ms;
	r->released_ms = -1;
	r->sat = o->amount_sat;
	r->flags = REC_ASKED;
	if (t->item == NULL || t->item->in.history ||
	    o->t_ms < t->from_ms)
		return RC_OK;
	r->flags |= REC_SCORED;
	r->label = (uint8_t)t->item->label;
	if (t->score.first_ms < 0)
		t->score.first_ms = o->t_ms;
	t->score.last_ms = o->t_ms;
	if (r->label != LABEL_ATTACK)
		return RC_OK;
	if (t->score.first_attack_ms < 0)
		attack_begins(t, o->t_ms);
	return keep_texts(t, r) ? RC_OK : RC_FAILED;
}

/* What it met, if anything more than before. */
static enum score_key
key_of(const struct outcome *o)
{
	switch (o->state) {
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
	if (o->verdict == VERDICT_STEP_UP)
		return SCORE_STEPPED_UP;
	return o->verdict == VERDICT_DELAY ? SCORE_DELAYED : SCORE_AT_ONCE;
}

/* Count the rules that spoke: when asked, and later those that hold. */
static void
count_rules(struct tally *t, const struct rec *r, const struct outcome *o)
{
	struct score_cell	*c;
	uint64_t		 bits;
	int			 i;

	if (o->joined == NULL)
		return;
	if (o->type != OUTCOME_DECIDED && o->verdict < VERDICT_HOLD)
		return;
	for (i = 0; i < RULES_MAX / 64; i++) {
		bits = o->joined->matched[i] | o->joined->shadowed[i];
		for (; bits != 0; bits &= bits - 1) {
			c = &t->score.rules[i * 64 + __builtin_ctzll(bits)].
			    sides[r->label];
			c->count++;
			c->sat = amount_add_saturate(c->sat, r->sat);
		}
	}
	if (o->joined->by_default) {
		c = &t->score.dflt.sides[r->label];
		c->count++;
		c->sat = amount_add_saturate(c->sat, r->sat);
	}
}

static void
met(struct tally *t, struct rec *r, const struct outcome *o)
{
	enum score_key	 key = key_of(o);

	if (!(r->flags & REC_SCORED) || (r->flags & REC_RELEASED))
		return;
	if (o->verdict == VERDICT_HALT && o->state == STATE_HELD)
		r->flags |= REC_TRIPPED;
	if (key > r->key)
		r->key = (uint8_t)key;
	if (r->label == LABEL_ATTACK && key >= SCORE_HELD)
		alarm_at(t, o->t_ms);
	count_rules(t, r, o);
}

static enum score_final
final_of(enum state s)
{
	switch (s) {
	case STATE_WAITING:
	case STATE_STOPPED:
		return FINAL_WAITING;
	case STATE_HELD:
		return FINAL_HELD;
	case STATE_RELEASED:
	case STATE_FAILED:
	case STATE_PAID:
		return FINAL_RELEASED;
	case STATE_DENIED:
		return FINAL_DENIED;
	case STATE_CANCELLED:
		return FINAL_CANCELLED;
	case STATE_EXPIRED:
		return FINAL_REFUSED;
	}
	assert(!"no such state");
	return FINAL_WAITING;
}

static void
moved(struct tally *t, struct rec *r, const struct outcome *o)
{
	r->final = (uint8_t)final_of(o->state);
	if (r->final != FINAL_RELEASED || (r->flags & REC_RELEASED))
		return;
	r->flags |= REC_RELEASED;
	r->released_ms = o->released_ms >= 0 ? o->released_ms : o->t_ms;
	if (t->hot_sat >= 0)
		t->hot_sat = t->hot_sat > r->sat ? t->hot_sat - r->sat : 0;
}

static enum rc
halted(struct tally *t, const struct outcome *o)
{
	struct score		*s = &t->score;
	struct score_halt	*h;

	t->halted = true;
	alarm_at(t, o->t_ms);
	if (s->n_halts == t->room_halts) {
		h = realloc(s->halts, (t->room_halts * 2 + 16) * sizeof(*h));
		if (h == NULL)
			return RC_FAILED;
		s->halts = h;
		t->room_halts = t->room_halts * 2 + 16;
	}
	h = &s->halts[s->n_halts++];
	memset(h, 0, sizeof(*h));
	h->t_ms = o->t_ms;
	h->until_ms = -1;
	h->rule = o->halt_rule;
	if (o->halt_rule < 0 && t->item != NULL && t->item->by.p != NULL)
		memcpy(h->by, t->item->by.p, t->item->by.len);
	return RC_OK;
}

static void
resumed(struct tally *t, const struct outcome *o)
{
	t->halted = false;
	if (t->score.n_halts > 0 &&
	    t->score.halts[t->score.n_halts - 1].until_ms < 0)
		t->score.halts[t->score.n_halts - 1].until_ms = o->t_ms;
}

enum rc
tally_outcome(struct tally *t, const struct outcome *o)
{
	struct rec	*r;

	switch (o->type) {
	case OUTCOME_DECIDED:
		if (asked(t, o) != RC_OK)
			return RC_FAILED;
		r = &t->recs[o->ref];
		met(t, r, o);
		moved(t, r, o);
		return RC_OK;
	case OUTCOME_REDECIDED:
		r = &t->recs[o->ref];
		met(t, r, o);
		moved(t, r, o);
		return RC_OK;
	case OUTCOME_MOVED:
		r = &t->recs[o->ref];
		if (o->state == STATE_STOPPED)
			met(t, r, o);
		moved(t, r, o);
		return RC_OK;
	case OUTCOME_HALTED:
		return halted(t, o);
	case OUTCOME_RESUMED:
		resumed(t, o);
		return RC_OK;
	case OUTCOME_REPEATED:
	case OUTCOME_TAKEN:
	case OUTCOME_REFUSED:
		return RC_OK;
	}
	assert(!"no such outcome");
	return RC_OK;
}

struct tally_entry
tally_entry(const struct tally *t, uint32_t ref)
{
	const struct rec	*r;
	struct tally_entry	 entry;

	assert(ref < t->n);
	r = &t->recs[ref];
	entry.scored = (r->flags & REC_SCORED) != 0;
	entry.label = (enum scenario_label)r->label;
	entry.key = (enum score_key)r->key;
	entry.final = (enum score_final)r->final;
	entry.tripped = (r->flags & REC_TRIPPED) != 0;
	entry.released_ms = r->released_ms;
	return entry;
}

uint32_t
tally_end(const struct tally *t)
{
	return (uint32_t)t->n;
}

/* The end */

static int
compare_ms(const void *a, const void *b)
{
	int64_t	 x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* How long those waited that count as delayed and were released. */
static enum rc
waits(struct tally *t, enum scenario_label label, struct err *e)
{
	struct score_side	*side = &t->score.sides[label];
	const struct rec	*r;
	int64_t			*ms;
	size_t			 i, n = 0;

	if (side->keys[SCORE_DELAYED].count == 0)
		return RC_OK;
	ms = malloc(side->keys[SCORE_DELAYED].count * sizeof(*ms));
	if (ms == NULL)
		return err_set(e, "out of memory");
	for (i = 0; i < t->n; i++) {
		r = &t->recs[i];
		if ((r->flags & REC_SCORED) && r->label == label &&
		    r->key == SCORE_DELAYED && (r->flags & REC_RELEASED))
			ms[n++] = r->released_ms - r->asked_ms;
	}
	qsort(ms, n, sizeof(*ms), compare_ms);
	if (n > 0) {
		side->median_ms = ms[(n - 1) / 2];
		side->p99_ms = ms[(n * 99 + 99) / 100 - 1];
	}
	free(ms);
	return RC_OK;
}

/* Keep it among the biggest. */
static void
note_loss(struct tally *t, const struct rec *r)
{
	struct score		*s = &t->score;
	struct score_loss	*l;
	const struct culprit	*x = &t->texts[r->text - 1];
	int			 i = s->n_losses;

	while (i > 0 && s->losses[i - 1].sat < r->sat)
		i--;
	if (i == SCORE_LOSSES_MAX)
		return;
	if (s->n_losses < SCORE_LOSSES_MAX)
		s->n_losses++;
	memmove(&s->losses[i + 1], &s->losses[i],
	    (size_t)(s->n_losses - 1 - i) * sizeof(*l));
	l = &s->losses[i];
	memcpy(l->id, x->id, sizeof(l->id));
	memcpy(l->account, x->account, sizeof(l->account));
	memcpy(l->address, x->address, sizeof(l->address));
	l->sat = r->sat;
	l->asked_ms = r->asked_ms;
	l->released_ms = r->released_ms;
	l->key = (enum score_key)r->key;
}

static void
add(struct score_cell *c, int64_t sat)
{
	c->count++;
	c->sat = amount_add_saturate(c->sat, sat);
}

static void
add_up(struct tally *t, const struct rec *r)
{
	struct score_side	*side = &t->score.sides[r->label];

	t->score.withdrawals++;
	add(&side->all, r->sat);
	add(&side->keys[r->key], r->sat);
	if (r->key == SCORE_STEPPED_UP && r->final == FINAL_REFUSED)
		side->code_refused++;
	if (!(r->flags & REC_RELEASED))
		return;
	add(&side->released, r->sat);
	if (r->label != LABEL_ATTACK)
		return;
	t->score.loss_sat = amount_add_saturate(t->score.loss_sat, r->sat);
	note_loss(t, r);
}

enum rc
tally_finish(struct tally *t, uint64_t reviews, uint64_t events,
    const struct score **out, struct err *e)
{
	struct score	*s = &t->score;
	size_t		 i;

	for (i = 0; i < t->n; i++) {
		if (t->recs[i].flags & REC_SCORED)
			add_up(t, &t->recs[i]);
	}
	for (i = LABEL_NONE; i <= LABEL_ATTACK; i++) {
		if (waits(t, (enum scenario_label)i, e) != RC_OK)
			return RC_FAILED;
	}
	/* Without a thief, the share is of what there is now. */
	if (s->first_attack_ms < 0)
		s->hot_sat = t->hot_sat;
	s->reviews = reviews;
	s->events = events;
	*out = s;
	return RC_OK;
}
