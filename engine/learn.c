#include "engine/learn.h"

#include "engine/facts.h"
#include "engine/layout.h"
#include "engine/records.h"

static struct habit *
habit_at(const struct decision *d, enum opt o)
{
	if (d->e->opt[o] == 0)
		return NULL;
	return (struct habit *)(void *)((unsigned char *)d->a + d->e->opt[o]);
}

static void
learn_habits(struct decision *d, bool new_destination)
{
	struct habit	*h;
	int64_t		 t_ms = d->t_ms, sat = d->w->amount_sat;
	bool		 proven = (d->w->classes >> CLASS_PROVEN & 1) != 0;

	if ((h = habit_at(d, OPT_HABIT)) != NULL)
		habit_add(h, HABIT_SAT, t_ms, sat);
	if (!proven && (h = habit_at(d, OPT_HABIT_UNPROVEN)) != NULL)
		habit_add(h, HABIT_SAT, t_ms, sat);
	if ((h = habit_at(d, OPT_HABIT_COUNT)) != NULL)
		habit_add(h, HABIT_COUNT, t_ms, 1);
	if (new_destination &&
	    (h = habit_at(d, OPT_HABIT_DESTINATIONS)) != NULL)
		habit_add(h, HABIT_COUNT, t_ms, 1);
}

/* The address is known once something that came from it was released: that
 * somebody asked from it proves nothing. */
static void
learn_ip(struct decision *d)
{
	struct engine	*e = d->e;
	uint32_t	 n;

	if (!d->has_ip)
		return;
	if (e->use_ips) {
		/* What waited may meanwhile have been forgotten. */
		n = d->in != NULL ? d->ip : FULL;
		if (n >= FULL)
			n = records_get_ip(e, NONE, d->address, d->t_ms);
		if (n != FULL)
			((struct seen *)store_at(&e->ips, n))->known = 1;
	}
	if (e->use_uses) {
		n = d->in != NULL ? d->use : FULL;
		if (n >= FULL)
			n = records_get_ip(e, d->account, d->address,
			    d->t_ms);
		if (n != FULL)
			((struct seen *)store_at(&e->uses, n))->known = 1;
	}
}

static void
learn_trust(struct decision *d, struct trust_pair *p)
{
	struct engine	*e = d->e;
	struct trust_resets r = records_resets(e, d->a, d->d);

	if ((d->w->classes >> CLASS_PROVEN & 1) != 0)
		trust_use(&e->terms, p, r, d->t_ms, d->w->amount_sat);
	trust_pay(&e->terms, p, r, d->t_ms, d->w->amount_sat);
}

void
learn_release(struct decision *d)
{
	struct engine	*e = d->e;
	struct trust_pair *p = NULL;
	uint32_t	*released;
	bool		 is_new = false;

	if (d->d != NULL) {
		p = records_get_pair(e, d->account, d->destination, d->t_ms);
		is_new = p == NULL || trust_paid_sat(p,
		    records_resets(e, d->a, d->d)) == 0;
		if (d->d->first_s == 0)
			d->d->first_s = records_s_up(d->t_ms);
		d->d->last_s = records_s_down(d->t_ms);
		d->d->received_sat = amount_add_saturate(d->d->received_sat,
		    d->w->amount_sat);
		d->d->payers += is_new;
	}
	learn_habits(d, is_new);
	if (p != NULL)
		learn_trust(d, p);
	d->pair_looked = false;
	learn_ip(d);
	released = layout_u32(e, d->a, OPT_RELEASED);
	if (released != NULL)
		*released = records_s_down(d->t_ms);
}

/* A day of the normals in which there was fraud is not learnt. */
static void
mark_normals(struct engine *e, int64_t t_ms)
{
	int		 i;

	for (i = 0; i < e->n_normals; i++)
		normal_mark(&e->normals[i], t_ms);
}

void
learn_fraud(struct decision *d)
{
	struct engine	*e = d->e;
	int64_t		 t_ms = d->t_ms, sat = d->w->amount_sat;
	int64_t		 added_ms = d->w->released_ms;
	struct habit	*h;
	uint32_t	*restart;

	if (d->d != NULL)
		d->d->fraud_s = records_s_up(t_ms);
	restart = layout_u32(e, d->a, OPT_RESTART);
	if (restart != NULL)
		*restart = records_s_up(t_ms);
	mark_normals(e, d->w->asked_ms);
	if (added_ms < 0)
		return;
	if ((h = habit_at(d, OPT_HABIT)) != NULL)
		habit_undo(h, HABIT_SAT, t_ms, added_ms, sat);
	if ((h = habit_at(d, OPT_HABIT_UNPROVEN)) != NULL &&
	    (d->w->classes >> CLASS_PROVEN & 1) == 0)
		habit_undo(h, HABIT_SAT, t_ms, added_ms, sat);
	if ((h = habit_at(d, OPT_HABIT_COUNT)) != NULL)
		habit_undo(h, HABIT_COUNT, t_ms, added_ms, 1);
}
