#include "sim/knob.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "sim/rng.h"

#define STEPS_UNSAID	7

/* Finding the number */

static bool
point_at(struct knob *k, struct quantity *q)
{
	if (q->kind == Q_SHARE) {
		k->unit = KNOB_PPM;
		k->value = &q->ppm;
		return true;
	}
	if (q->kind == Q_FACT || q->kind == Q_AGG || q->kind == Q_DECLARED) {
		k->unit = KNOB_COUNT;
		k->value = &q->times;
		return true;
	}
	if (q->kind != Q_CONST)
		return false;
	switch (q->type) {
	case TYPE_AMOUNT:
		k->unit = KNOB_AMOUNT;
		break;
	case TYPE_TIME:
		k->unit = KNOB_TIME;
		break;
	case TYPE_COUNT:
	case TYPE_FLAG:
		k->unit = KNOB_COUNT;
		break;
	}
	k->value = &q->value;
	return true;
}

/* The n-th comparison under c with a number (line: with a line); n counts
 * down.  Conditions nest no deeper than the parser lets them. */
static struct cond *
nth_compare(struct cond *c, bool line, int *n)
{
	struct cond	*found;
	int		 i;

	if (c == NULL)
		return NULL;
	if (c->kind == COND_COMPARE && c->is_line == line &&
	    (line || c->right.kind != Q_NAME) && (*n)-- == 1)
		return c;
	for (i = 0; i < c->n_kids; i++)
		if ((found = nth_compare(c->kids[i], line, n)) != NULL)
			return found;
	return NULL;
}

static bool
point_at_line(struct knob *k, struct rule *r, const char *field)
{
	struct cond	*c;
	int		 n = 1;

	if ((c = nth_compare(r->cond, true, &n)) == NULL)
		return false;
	if (strcmp(field, "by") == 0) {
		k->unit = KNOB_PPM;
		k->value = &c->line.by_ppm;
		return true;
	}
	if (strcmp(field, "plus") == 0)
		return c->line.has_plus && point_at(k, &c->line.plus);
	return strcmp(field, "learnt") == 0 && point_at(k, &c->line.learnt);
}

static bool
point_at_field(struct knob *k, struct rule *r, const char *field)
{
	struct cond	*c;
	int		 n;

	if (strcmp(field, "lot") == 0 && r->lot == LOT_IN) {
		k->unit = KNOB_COUNT;
		k->value = &r->lot_in;
		return true;
	}
	if (strcmp(field, "lot") == 0)
		return r->lot == LOT_PER && point_at(k, &r->lot_per);
	if (strcmp(field, "delay") == 0) {
		k->unit = KNOB_TIME;
		k->value = &r->delay_ms;
		return r->verdict == VERDICT_DELAY;
	}
	if (strncmp(field, "over", 4) == 0) {
		n = field[4] == '\0' ? 1 : field[4] - '0';
		if (n < 1 || n > 9 || (field[4] != '\0' && field[5] != '\0'))
			return false;
		c = nth_compare(r->cond, false, &n);
		return c != NULL && point_at(k, &c->right);
	}
	return point_at_line(k, r, field);
}

/* Equal, but for blanks written as `-`. */
static bool
same_name(const char *a, const char *b, size_t b_len)
{
	size_t	 i;

	if (a == NULL || strlen(a) != b_len)
		return false;
	for (i = 0; i < b_len; i++)
		if (a[i] != b[i] && !(a[i] == ' ' && b[i] == '-'))
			return false;
	return true;
}

static enum rc
find(struct knob *k, struct policy *p, struct err *e)
{
	const char	*slash = strrchr(k->name, '/');
	int		 i;

	for (i = 0; slash == NULL && i < p->n_lets; i++) {
		if (strcmp(p->lets[i].name, k->name) != 0)
			continue;
		if (!point_at(k, &p->lets[i].q))
			return err_set(e, "`%s` is not a plain number",
			    k->name);
		return RC_OK;
	}
	for (i = 0; slash != NULL && i < p->n_rules; i++) {
		if (!same_name(p->rules[i].name, k->name,
		    (size_t)(slash - k->name)))
			continue;
		if (!point_at_field(k, &p->rules[i], slash + 1))
			return err_set(e, "rule `%.*s` has no number `%s`",
			    (int)(slash - k->name), k->name, slash + 1);
		return RC_OK;
	}
	return err_set(e, "no `let` or rule `%s` in the policy", k->name);
}

/* Reading a value */

/* "2", "0.05": into units of 1e-`decimals`. */
static bool
read_decimal(const char *text, size_t len, int decimals, int64_t *out)
{
	int64_t	 v = 0;
	size_t	 i;
	int	 after = -1;

	for (i = 0; i < len; i++) {
		if (text[i] == '.' && after < 0) {
			after = 0;
			continue;
		}
		if (text[i] < '0' || text[i] > '9' || v > INT64_MAX / 100)
			return false;
		if (after >= 0 && after++ == decimals)
			return false;
		v = v * 10 + (text[i] - '0');
	}
	for (after = after < 0 ? 0 : after; after < decimals; after++) {
		if (v > INT64_MAX / 100)
			return false;
		v *= 10;
	}
	*out = v;
	return len > 0;
}

static bool
read_time(const char *text, size_t len, int64_t *out)
{
	static const char	letters[] = "smhdw";
	static const int64_t	units[] = { MS_PER_S, MS_PER_MIN, MS_PER_HOUR,
		MS_PER_DAY, MS_PER_WEEK };
	const char		*at;

	if (len < 2 || (at = strchr(letters, text[len - 1])) == NULL)
		return false;
	if (!read_decimal(text, len - 1, 0, out) || *out > 100000)
		return false;
	*out *= units[at - letters];
	return true;
}

static size_t
without(const char *text, size_t len, const char *unit)
{
	size_t	 n = strlen(unit);

	if (len > n && memcmp(text + len - n, unit, n) == 0)
		len -= n;
	while (len > 0 && text[len - 1] == ' ')
		len--;
	return len;
}

static bool
read_value(const struct knob *k, const char *text, size_t len, int64_t *out)
{
	while (len > 0 && text[len - 1] == ' ')
		len--;
	while (len > 0 && *text == ' ') {
		text++;
		len--;
	}
	switch (k->unit) {
	case KNOB_AMOUNT:
		return read_decimal(text, without(text, len, "btc"), 8, out);
	case KNOB_PPM:
		return read_decimal(text, without(text, len, "%"), 4, out);
	case KNOB_COUNT:
		return read_decimal(text, len, 0, out);
	case KNOB_TIME:
		return read_time(text, len, out);
	}
	return false;
}

/* Three digits are enough for a number that people set, and a minute. */
static int64_t
rounded(const struct knob *k, int64_t v)
{
	int64_t	 step = 1;

	if (k->unit == KNOB_TIME)
		step = MS_PER_MIN;
	else
		while (v / step >= 1000)
			step *= 10;
	return (v + step / 2) / step * step;
}

static void
fill_grid(struct knob *k, int64_t from, int64_t to)
{
	int64_t	 span_q16, v;
	int	 i, n = 0;

	for (i = 0; i < k->steps; i++) {
		if (k->steps == 1 || i == 0) {
			v = from;
		} else if (i == k->steps - 1) {
			v = to;
		} else if (from > 0 && to / from >= 4) {
			span_q16 = rng_log2((uint64_t)to) -
			    rng_log2((uint64_t)from);
			v = rounded(k, rng_times_exp2(from, span_q16 * i /
			    (k->steps - 1)));
		} else {
			v = rounded(k, from + muldiv(to - from, i,
			    k->steps - 1));
		}
		if (n == 0 || v > k->grid[n - 1])
			k->grid[n++] = v;
	}
	k->steps = n;
}

enum rc
knob_parse(struct knob *k, struct policy *p, const char *text, struct err *e)
{
	const char	*eq = strchr(text, '='), *dots, *colon, *end;
	int64_t		 from, to, steps = STEPS_UNSAID;

	memset(k, 0, sizeof(*k));
	dots = eq != NULL ? strstr(eq, "..") : NULL;
	if (dots == NULL || (size_t)(eq - text) >= sizeof(k->name))
		return err_set(e, "`%s` is not NAME=FROM..TO[:STEPS]", text);
	memcpy(k->name, text, (size_t)(eq - text));
	if (find(k, p, e) != RC_OK)
		return RC_FAILED;
	k->before = *k->value;
	colon = strchr(dots, ':');
	end = colon != NULL ? colon : text + strlen(text);
	if (colon != NULL && (!read_decimal(colon + 1, strlen(colon + 1), 0,
	    &steps) || steps < 1 || steps > KNOB_STEPS_MAX))
		return err_set(e, "%s: 1 to %d steps", k->name,
		    KNOB_STEPS_MAX);
	if (!read_value(k, eq + 1, (size_t)(dots - eq - 1), &from) ||
	    !read_value(k, dots + 2, (size_t)(end - dots - 2), &to))
		return err_set(e, "%s: `%s` is not FROM..TO in its unit",
		    k->name, eq + 1);
	if (from > to)
		return err_set(e, "%s: FROM is above TO", k->name);
	k->steps = (int)steps;
	fill_grid(k, from, to);
	return RC_OK;
}

char *
knob_format(const struct knob *k, int64_t value, char buf[KNOB_TEXT_MAX])
{
	char	 number[AMOUNT_TEXT_MAX];

	switch (k->unit) {
	case KNOB_AMOUNT:
		(void)snprintf(buf, KNOB_TEXT_MAX, "%s btc",
		    amount_format_short(number, value));
		break;
	case KNOB_PPM:
		(void)snprintf(number, sizeof(number), "%" PRId64 ".%04"
		    PRId64, value / 10000, value % 10000);
		while (number[strlen(number) - 1] == '0')
			number[strlen(number) - 1] = '\0';
		if (number[strlen(number) - 1] == '.')
			number[strlen(number) - 1] = '\0';
		(void)snprintf(buf, KNOB_TEXT_MAX, "%s %%", number);
		break;
	case KNOB_COUNT:
		(void)snprintf(buf, KNOB_TEXT_MAX, "%" PRId64, value);
		break;
	case KNOB_TIME:
		if (value % MS_PER_HOUR == 0)
			(void)snprintf(buf, KNOB_TEXT_MAX, "%" PRId64 "h",
			    value / MS_PER_HOUR);
		else
			(void)snprintf(buf, KNOB_TEXT_MAX, "%" PRId64 "m",
			    value / MS_PER_MIN);
		break;
	}
	return buf;
}
