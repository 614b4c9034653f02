/*
 * Fractions compared over 128-bit products.
 */
#include "policy/interval.h"

static int64_t
gcd(int64_t a, int64_t b)
{
	int64_t	 rest;

	while (b != 0) {
		rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* a/b < c/d is negative. */
int
interval_cmp(int64_t a, int64_t b, int64_t c, int64_t d)
{
	__int128	 x = (__int128)a * d, y = (__int128)c * b;

	return x < y ? -1 : x > y;
}

/* num/den of two products; false when it does not fit. */
bool
interval_fraction(__int128 num, __int128 den, struct bound *out)
{
	while (num > INTERVAL_NUM_MAX || den > INTERVAL_NUM_MAX) {
		if (num % 10 != 0 || den % 10 != 0)
			return false;
		num /= 10;
		den /= 10;
	}
	out->num = (int64_t)num;
	out->den = (int64_t)den;
	if (out->num != 0) {
		int64_t	 g = gcd(out->num, out->den);

		out->num /= g;
		out->den /= g;
	}
	return true;
}

bool
interval_empty(const struct range *r)
{
	int	 cmp;

	if (r->lo.den == 0 || r->hi.den == 0)
		return false;
	cmp = interval_cmp(r->lo.num, r->lo.den, r->hi.num, r->hi.den);
	return cmp > 0 || (cmp == 0 && (r->lo.strict || r->hi.strict));
}

/* Against a constant the values are whole: > 1 is >= 2. */
void
interval_whole(struct bound *b, bool is_lo)
{
	int64_t	 floor = b->num / b->den;
	bool	 exact = floor * b->den == b->num;

	if (is_lo)
		b->num = exact && !b->strict ? floor : floor + 1;
	else
		b->num = exact && b->strict ? floor - 1 : floor;
	b->den = 1;
	b->strict = false;
}

void
interval_raise(struct range *r, struct bound b)
{
	int	 cmp = r->lo.den == 0 ? 1 :
	    interval_cmp(b.num, b.den, r->lo.num, r->lo.den);

	if (cmp > 0 || (cmp == 0 && b.strict))
		r->lo = b;
}

void
interval_lower(struct range *r, struct bound b)
{
	int	 cmp = r->hi.den == 0 ? -1 :
	    interval_cmp(b.num, b.den, r->hi.num, r->hi.den);

	if (cmp < 0 || (cmp == 0 && b.strict))
		r->hi = b;
}

enum relop
relop_mirror(enum relop rel)
{
	switch (rel) {
	case REL_GT:
		return REL_LT;
	case REL_GE:
		return REL_LE;
	case REL_LT:
		return REL_GT;
	case REL_LE:
		return REL_GE;
	case REL_EQ:
		return REL_EQ;
	}
	return rel;
}

bool
relop_holds(int cmp, enum relop rel)
{
	switch (rel) {
	case REL_GT:
		return cmp > 0;
	case REL_GE:
		return cmp >= 0;
	case REL_LT:
		return cmp < 0;
	case REL_LE:
		return cmp <= 0;
	case REL_EQ:
		return cmp == 0;
	}
	return false;
}

enum relop
relop_opposite(enum relop rel)
{
	switch (rel) {
	case REL_GT:
		return REL_LE;
	case REL_GE:
		return REL_LT;
	case REL_LT:
		return REL_GE;
	case REL_LE:
		return REL_GT;
	case REL_EQ:
		break;
	}
	return rel;
}
