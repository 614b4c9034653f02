#include <assert.h>
#include <string.h>

#include "engine/hot.h"
#include "lib/civil.h"

void
hot_init(struct hot *h, int64_t max_sat)
{
	assert(max_sat >= 0);
	*h = (struct hot){
		.max_sat = max_sat,
		.now_sat = -1,
	};
}

/* The lower of two in the middle. */
static int64_t
median_of(const struct hot *h)
{
	int64_t	 x[HOT_DAYS], v;
	int64_t	 i, j;

	for (i = 0; i < h->n_days; i++) {
		v = h->low_sat[i];
		for (j = i; j > 0 && x[j - 1] > v; j--)
			x[j] = x[j - 1];
		x[j] = v;
	}
	return x[(h->n_days - 1) / 2];
}

/* Days pass, on each of which the wallet held what it holds now. */
static void
settle(struct hot *h, int64_t t_ms)
{
	int64_t	 day = t_ms / MS_PER_DAY;
	int	 i;

	assert(h->now_sat >= 0 && day >= h->day);
	if (day == h->day)
		return;
	for (i = 0; h->day < day && i < HOT_DAYS; i++, h->day++) {
		memmove(&h->low_sat[1], &h->low_sat[0],
		    (HOT_DAYS - 1) * sizeof(h->low_sat[0]));
		h->low_sat[0] = h->now_sat;
		if (h->n_days < HOT_DAYS)
			h->n_days++;
	}
	h->day = day;
	h->median_sat = median_of(h);
}

static void
lower(struct hot *h)
{
	if (h->now_sat < h->low_sat[0]) {
		h->low_sat[0] = h->now_sat;
		h->median_sat = median_of(h);
	}
}

void
hot_set(struct hot *h, int64_t t_ms, int64_t balance_sat)
{
	assert(balance_sat >= 0);
	if (h->now_sat < 0) {
		h->day = t_ms / MS_PER_DAY;
		h->n_days = 1;
		h->low_sat[0] = h->median_sat = balance_sat;
	} else {
		settle(h, t_ms);
	}
	h->now_sat = balance_sat;
	lower(h);
}

void
hot_pay(struct hot *h, int64_t t_ms, int64_t amount_sat)
{
	assert(amount_sat >= 0);
	if (h->now_sat < 0)
		return;
	settle(h, t_ms);
	h->now_sat -= amount_sat < h->now_sat ? amount_sat : h->now_sat;
	lower(h);
}

int64_t
hot_read(const struct hot *h, int64_t t_ms, int64_t waiting_sat)
{
	int64_t		 least, median_sat = h->median_sat;
	struct hot	 x;

	assert(waiting_sat >= 0);
	if (h->now_sat < 0)
		return -1;
	if (t_ms / MS_PER_DAY != h->day) {
		x = *h;
		settle(&x, t_ms);
		median_sat = x.median_sat;
	}
	least = waiting_sat < h->now_sat ? h->now_sat - waiting_sat : 0;
	if (median_sat < least)
		least = median_sat;
	return h->max_sat < least ? h->max_sat : least;
}
