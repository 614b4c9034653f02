/*
 * Numbers as they are written: integers, shares, money, times and dates.
 * The scanner has taken the commas out.
 */
#include "policy/resolve.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"

#define WINDOW_MAX_MS	(90 * MS_PER_DAY)

static struct numval
bad_num(struct pos pos)
{
	struct numval	 n = { .pos = pos, .bad = true };

	return n;
}

/* text[0..len) as digits; false when it is not, or does not fit. */
static bool
digits(const char *text, size_t len, int64_t *out)
{
	int64_t	 v = 0;
	size_t	 i;

	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, text[i] - '0', &v))
			return false;
	}
	*out = v;
	return len > 0;
}

struct numval
num_int(struct parse *ps, const struct tok *t, int64_t min, int64_t max)
{
	struct numval	 n = { .pos = t->pos };

	if (strchr(t->text, '.') != NULL) {
		diag_error(ps->d, t->pos, NULL,
		    "a whole number is expected here");
		return bad_num(t->pos);
	}
	if (digits(t->text, strlen(t->text), &n.value) && n.value >= min &&
	    n.value <= max)
		return n;
	if (min == max)
		diag_error(ps->d, t->pos, NULL, "only %" PRId64
		    " is possible here", min);
	else
		diag_error(ps->d, t->pos, NULL, "out of range: %" PRId64
		    " to %" PRId64, min, max);
	return bad_num(t->pos);
}

/* A decimal number times 10^scale; -1 says too many decimals. */
static int64_t
scaled(const char *text, int scale)
{
	const char	*point = strchr(text, '.');
	size_t		 whole_len = point != NULL ?
	    (size_t)(point - text) : strlen(text);
	size_t		 frac_len = point != NULL ? strlen(point + 1) : 0;
	int64_t		 whole, frac = 0;

	if (frac_len > (size_t)scale)
		return -1;
	if (whole_len > 9 || !digits(text, whole_len, &whole) ||
	    (frac_len > 0 && !digits(point + 1, frac_len, &frac)))
		return -2;
	for (; frac_len < (size_t)scale; frac_len++)
		frac *= 10;
	for (; scale > 0; scale--)
		whole *= 10;
	return whole + frac;
}

struct numval
num_percent(struct parse *ps, const struct tok *t)
{
	struct numval	 n = { .pos = t->pos };

	n.value = scaled(t->text, 4);
	if (n.value >= 0 && n.value <= INT64_C(100000) * 10000)
		return n;
	if (n.value == -1)
		diag_error(ps->d, t->pos, NULL,
		    "a percentage has at most 4 decimals");
	else
		diag_error(ps->d, t->pos, NULL, "more than 100,000 %%");
	return bad_num(t->pos);
}

struct numval
num_btc(struct parse *ps, const struct tok *t)
{
	struct numval	 n = { .pos = t->pos };
	struct err	 e;

	if (amount_parse(&n.value, t->text, strlen(t->text), &e) == RC_OK)
		return n;
	diag_error(ps->d, t->pos, NULL, "%s", e.text);
	return bad_num(t->pos);
}

struct numval
num_sat(struct parse *ps, const struct tok *t)
{
	return num_int(ps, t, 0, AMOUNT_SAT_MAX);
}

struct numval
num_duration(struct parse *ps, const struct tok *t)
{
	static const char	 units[] = "smhdw";
	static const int64_t	 ms[] = { MS_PER_S, MS_PER_MIN, MS_PER_HOUR,
	    MS_PER_DAY, MS_PER_WEEK };
	struct numval		 n = { .pos = t->pos };
	size_t			 len = strlen(t->text);
	const char		*unit = strchr(units, t->text[len - 1]);

	if (strchr(t->text, '.') != NULL) {
		diag_error(ps->d, t->pos, "write `90m` for an hour and a half",
		    "a time is a whole number");
		return bad_num(t->pos);
	}
	if (len < 2 || unit == NULL ||
	    !digits(t->text, len - 1, &n.value) || n.value > 1000000000) {
		diag_error(ps->d, t->pos, NULL, "this time is too long");
		return bad_num(t->pos);
	}
	n.value *= ms[unit - units];
	if (n.value <= 36525 * MS_PER_DAY)
		return n;
	diag_error(ps->d, t->pos, NULL, "longer than a hundred years");
	return bad_num(t->pos);
}

struct numval
num_window(struct parse *ps, const struct tok *t)
{
	struct numval	 n = num_duration(ps, t);

	if (n.bad || (n.value >= MS_PER_S && n.value <= WINDOW_MAX_MS))
		return n;
	diag_error(ps->d, t->pos, NULL, "from a second (1s) to 90 days (90d)");
	return bad_num(t->pos);
}

struct numval
num_date(struct parse *ps, const struct tok *t)
{
	struct numval	 n = { .pos = t->pos };
	int		 y = 0, m = 0, d = 0;

	if (sscanf(t->text, "%4d-%2d-%2d", &y, &m, &d) == 3 && y >= 1970 &&
	    civil_days(&n.value, y, m, d))
		return n;
	diag_error(ps->d, t->pos, NULL, "there is no such day");
	return bad_num(t->pos);
}
