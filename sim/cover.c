#include "sim/cover.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"

#define STEPS_MAX	200000

static bool
contains(const struct cover_set *a, const struct cover_set *b)
{
	int	 i;

	for (i = 0; i < COVER_WORDS; i++)
		if ((b->w[i] & ~a->w[i]) != 0)
			return false;
	return true;
}

static bool
meets(const struct cover_set *a, const struct cover_set *b)
{
	int	 i;

	for (i = 0; i < COVER_WORDS; i++)
		if ((a->w[i] & b->w[i]) != 0)
			return true;
	return false;
}

enum rc
cover_add(struct cover *c, const struct cover_set *s, struct err *e)
{
	struct cover_set	*more;
	size_t			 i, kept = 0;

	for (i = 0; i < c->n; i++)
		if (contains(s, &c->sets[i]))
			return RC_OK;
	for (i = 0; i < c->n; i++)
		if (!contains(&c->sets[i], s))
			c->sets[kept++] = c->sets[i];
	c->n = kept;
	if (c->n == c->cap) {
		c->cap = c->cap == 0 ? 64 : 2 * c->cap;
		more = realloc(c->sets, c->cap * sizeof(*more));
		if (more == NULL)
			return err_set(e, "out of memory");
		c->sets = more;
	}
	c->sets[c->n++] = *s;
	return RC_OK;
}

void
cover_free(struct cover *c)
{
	free(c->sets);
	memset(c, 0, sizeof(*c));
}

struct search {
	const struct cover	*c;
	const int64_t		*prices;
	int			 order[COVER_THINGS];	/* cheapest first */
	int			 n;
	struct cover_set	 used, best;
	int64_t			 best_price;
	bool			 found;
	int			 steps;
};

/* Each level hits one set more, so the depth is at most their number. */
static void
go(struct search *x, int64_t price)
{
	struct cover_set	 was = x->used;
	size_t			 k;
	int			 i;

	if (x->found && (x->steps++ > STEPS_MAX || price >= x->best_price))
		return;
	for (k = 0; k < x->c->n && meets(&x->used, &x->c->sets[k]); k++)
		continue;
	if (k == x->c->n) {
		x->best = x->used;
		x->best_price = price;
		x->found = true;
		return;
	}
	for (i = 0; i < x->n; i++) {
		if (!cover_has(&x->c->sets[k], x->order[i]))
			continue;
		cover_put(&x->used, x->order[i]);
		go(x, amount_add_saturate(price, x->prices[x->order[i]]));
		x->used = was;
	}
}

/* Take out, dearest first, what is not needed: a search that was cut short
 * may have taken too much. */
static void
prune(struct search *x)
{
	struct cover_set	 less;
	size_t			 k;
	int			 i;

	for (i = x->n - 1; i >= 0; i--) {
		if (!cover_has(&x->best, x->order[i]))
			continue;
		less = x->best;
		less.w[x->order[i] / 64] &=
		    ~(UINT64_C(1) << (x->order[i] % 64));
		for (k = 0; k < x->c->n && meets(&less, &x->c->sets[k]); k++)
			continue;
		if (k == x->c->n)
			x->best = less;
	}
}

int64_t
cover_cheapest(const struct cover *c, const int64_t *prices, int n_things,
    struct cover_set *chosen_out)
{
	struct search	 x = { .c = c, .prices = prices, .n = n_things };
	int64_t		 sum = 0;
	int		 i, j;

	assert(n_things <= COVER_THINGS);
	for (i = 0; i < n_things; i++) {
		for (j = i; j > 0 && prices[x.order[j - 1]] > prices[i]; j--)
			x.order[j] = x.order[j - 1];
		x.order[j] = i;
	}
	go(&x, 0);
	assert(x.found);
	prune(&x);
	for (i = 0; i < n_things; i++)
		if (cover_has(&x.best, i))
			sum = amount_add_saturate(sum, prices[i]);
	*chosen_out = x.best;
	return sum;
}
