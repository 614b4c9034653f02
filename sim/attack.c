#include "sim/attack.h"

#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "sim/plot.h"

/* Ends a kinds' table. */
#define KINDS_MAX	64

static const struct attack_kind *
all_kinds(size_t *n_out)
{
	static struct attack_kind	 all[KINDS_MAX];
	static size_t			 n;
	const struct attack_kind	*tables[] = { attack_fast_kinds,
		attack_slow_kinds, attack_guise_kinds };
	size_t				 i, k, count = 0;

	if (n == 0) {
		for (i = 0; i < 3; i++)
			for (k = 0; tables[i][k].name != NULL; k++)
				all[count++] = tables[i][k];
		n = count;
	}
	*n_out = n;
	return all;
}

const struct attack_kind *
attack_kinds(size_t *n_out)
{
	return all_kinds(n_out);
}

const struct attack_kind *
attack_find(const char *name)
{
	const struct attack_kind	*kinds;
	size_t				 i, n;

	kinds = all_kinds(&n);
	for (i = 0; i < n; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

/* The name is part of the seed: two kinds make unrelated choices. */
static uint64_t
plot_seed(const struct world *w, const struct params *p, const char *name)
{
	uint64_t	 h = rng_hash(w->key, 0x706c6f74,
	    (uint64_t)p->attack_seed);

	for (; *name != '\0'; name++)
		h = rng_hash(h, (unsigned char)*name, 0);
	return h;
}

static void
plot_start(struct plot *plot, struct items *out, const struct world *w,
    const struct params *p, const struct attack_kind *kind)
{
	int64_t	 ppm, permille, last;

	memset(plot, 0, sizeof(*plot));
	plot->w = w;
	plot->kind = kind;
	plot->out = out;
	plot->key = plot_seed(w, p, kind->name);
	rng_start(&plot->r, plot->key, 0, 0);
	plot->end_ms = w->end_ms;
	plot->day = rng_range(&plot->r, 21, 27);
	last = w->p.days - 1;
	if (plot->day >= last)			/* a short scenario */
		plot->day = w->p.days * 3 / 5;
	if (p->attack_day >= 0)
		plot->day = p->attack_day > last ? last : p->attack_day;
	plot->start_ms = w->start_ms + plot->day * MS_PER_DAY;
	permille = p->attack_hot_permille > 0 ? p->attack_hot_permille :
	    kind->hot_permille;
	plot->total_sat = muldiv(w->hot_sat, permille, 1000);
	ppm = p->attack_accounts_ppm > 0 ? p->attack_accounts_ppm :
	    kind->accounts_ppm;
	plot->accounts = (uint32_t)((int64_t)w->n_old * ppm / PPM);
	if (plot->accounts < 1)
		plot->accounts = 1;
	plot->floor_sat = p->attack_floor_sat > 0 ? p->attack_floor_sat :
	    kind->floor_sat;
	plot->owners_ppm = p->attack_owners_ppm;
	plot->delay_ms = p->attack_delay_min * MS_PER_MIN;
}

enum rc
attack_make(struct items *out, const struct world *w, const struct params *p,
    const char *name, struct err *e)
{
	const struct attack_kind	*kind = attack_find(name);
	struct plot			 plot;

	if (kind == NULL)
		return err_set(e, "no attack `%s`", name);
	plot_start(&plot, out, w, p, kind);
	kind->make(&plot);
	if (plot.number == 0)
		return err_set(e, "%s: no account here that could be robbed "
		    "like that; try more accounts or days", name);
	items_sort(out);
	return RC_OK;
}
