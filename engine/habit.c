#include <assert.h>
#include <stdbool.h>

#include "engine/habit.h"
#include "lib/civil.h"

/* What money is counted in. */
#define UNIT_SAT	1000
/* Of money the first cell with a lower edge begins at 0.001 BTC. */
#define EDGE_SAT_UNITS	100
/* A surprising day enters at most one octave, two cells, above the habit. */
#define OCTAVE		2
#define PAST		3
#define CELL_FULL	15
#define DAYS_LEAST	3

static int64_t
units_of(enum habit_unit u, int64_t amount)
{
	assert(amount >= 0);
	switch (u) {
	case HABIT_SAT:
		return amount / UNIT_SAT;
	case HABIT_COUNT:
		return amount;
	}
	assert(false);
}

/*
 * The lower edge of a cell in units: 0, then first * sqrt(2)^(cell - 1),
 * rounded down.
 */
static int64_t
edge(enum habit_unit u, int cell)
{
	int64_t	 first = u == HABIT_SAT ? EDGE_SAT_UNITS : 1;
	int64_t	 root;

	if (cell == 0)
		return 0;
	root = (cell - 1) % 2 == 0 ? INT64_C(100000000) : INT64_C(141421356);
	return (first << (cell - 1) / 2) * root / 100000000;
}

static int
cell_of(enum habit_unit u, int64_t units)
{
	int	 cell = 0, step;

	/* The edges never fall, so: halving. */
	for (step = 32; step > 0; step /= 2)
		if (cell + step < HABIT_CELLS && edge(u, cell + step) <= units)
			cell += step;
	return cell;
}

static int
cell_get(const struct habit *h, int cell)
{
	return cell % 2 == 0 ? h->cells[cell / 2] & 15 :
	    h->cells[cell / 2] >> 4;
}

static void
cell_put(struct habit *h, int cell, int n)
{
	uint8_t	*byte = &h->cells[cell / 2];

	*byte = (uint8_t)(cell % 2 == 0 ? (*byte & 0xf0) | n :
	    (*byte & 15) | n << 4);
}

/* The cell whose lower edge is the habit; -1 while there is none. */
static int
habit_cell(const struct habit *h)
{
	int	 cell, least, active = 0, above = 0;

	for (cell = 0; cell < HABIT_CELLS; cell++)
		active += cell_get(h, cell);
	if (active == 0)
		return -1;
	least = active < DAYS_LEAST ? active : DAYS_LEAST;
	for (cell = HABIT_CELLS - 1; cell > 0; cell--) {
		above += cell_get(h, cell);
		if (above >= least && above * 10 > active)
			break;
	}
	return cell;
}

/*
 * Three quarters, to the nearest.  Halving would leave a habit that one day
 * in four confirms with fewer than three days to stand on.
 */
static int
fade(int n)
{
	return n - (n + 2) / 4;
}

/* A day's total enters the histogram. */
static void
learn(struct habit *h, enum habit_unit u, int64_t units)
{
	int	 cell, most, i;

	if (units == 0)
		return;
	cell = cell_of(u, units);
	most = habit_cell(h);
	if (most >= 0 && cell > most + OCTAVE)
		cell = most + OCTAVE;
	if (cell_get(h, cell) == CELL_FULL)
		for (i = 0; i < HABIT_CELLS; i++)
			cell_put(h, i, fade(cell_get(h, i)));
	cell_put(h, cell, cell_get(h, cell) + 1);
}

/*
 * Totals of past days: 5 bits of exponent, 11 of mantissa, rounded down.
 * Below 2^11 they are exact.
 */
static uint16_t
pack(uint32_t units)
{
	unsigned	 exponent = 0;

	while (units >> exponent >= 1 << 11)
		exponent++;
	return (uint16_t)(exponent << 11 | units >> exponent);
}

static uint32_t
unpack(uint16_t packed)
{
	return (uint32_t)(packed & 0x7ff) << (packed >> 11);
}

/* Days pass: what is old enough enters, the rest moves on. */
static void
settle(struct habit *h, enum habit_unit u, int64_t t_ms)
{
	int64_t	 day = t_ms / MS_PER_DAY;
	int	 i;

	assert(day >= 0 && day <= UINT16_MAX);
	if (h->day == 0)
		h->day = (uint16_t)day;
	assert(day >= h->day);
	for (i = 0; h->day < day && i <= PAST; i++, h->day++) {
		learn(h, u, unpack(h->past[2]));
		h->past[2] = h->past[1];
		h->past[1] = h->past[0];
		h->past[0] = pack(h->today);
		h->today = 0;
	}
	/* After that many days there is nothing left to enter. */
	h->day = (uint16_t)day;
}

void
habit_add(struct habit *h, enum habit_unit u, int64_t t_ms, int64_t amount)
{
	int64_t	 units = units_of(u, amount);

	settle(h, u, t_ms);
	units += h->today;
	h->today = units > UINT32_MAX ? UINT32_MAX : (uint32_t)units;
}

void
habit_undo(struct habit *h, enum habit_unit u, int64_t t_ms,
    int64_t added_ms, int64_t amount)
{
	/* Rounded up, so that what stays is never more than the rest. */
	int64_t	 units = units_of(u, amount) + (u == HABIT_SAT);
	int64_t	 ago = t_ms / MS_PER_DAY - added_ms / MS_PER_DAY;
	int64_t	 left;

	assert(ago >= 0);
	settle(h, u, t_ms);
	if (ago > PAST)
		return;
	left = (ago == 0 ? h->today : unpack(h->past[ago - 1])) - units;
	if (left < 0)
		left = 0;
	if (ago == 0)
		h->today = (uint32_t)left;
	else
		h->past[ago - 1] = pack((uint32_t)left);
}

int64_t
habit_read(const struct habit *h, enum habit_unit u, int64_t t_ms)
{
	struct habit	 x = *h;
	int		 cell;

	settle(&x, u, t_ms);
	if ((cell = habit_cell(&x)) < 0)
		return 0;
	return edge(u, cell) * (u == HABIT_SAT ? UNIT_SAT : 1);
}
