/*
 * `set`: what the whole policy runs by.
 */
#include "policy/resolve.h"

#include <assert.h>
#include <stdio.h>

#include "policy/print.h"

static int64_t *
cap_of(struct settings *s, enum set_key key)
{
	int64_t	*const cap[SET__COUNT] = {
		[SET_CAP_ACCOUNTS] = &s->cap_accounts,
		[SET_CAP_KEYS] = &s->cap_keys,
		[SET_CAP_PAIRS] = &s->cap_pairs,
		[SET_CAP_DESTINATIONS] = &s->cap_destinations,
		[SET_CAP_WAITING] = &s->cap_waiting,
		[SET_CAP_WITHDRAWALS] = &s->cap_withdrawals,
		[SET_CAP_NETWORKS] = &s->cap_networks,
		[SET_CAP_GROUPS] = &s->cap_groups,
	};

	return cap[key];
}

static const char *const cap_name[SET__COUNT] = {
	[SET_CAP_ACCOUNTS] = "accounts",
	[SET_CAP_KEYS] = "keys",
	[SET_CAP_PAIRS] = "pairs",
	[SET_CAP_DESTINATIONS] = "destinations",
	[SET_CAP_WAITING] = "waiting",
	[SET_CAP_WITHDRAWALS] = "withdrawals",
	[SET_CAP_NETWORKS] = "networks",
	[SET_CAP_GROUPS] = "groups",
};

static void
set_capacity(struct parse *ps, enum set_key key, int64_t n, char *text,
    size_t text_len)
{
	char	 num[32];

	*cap_of(&ps->p->set, key) = n;
	(void)snprintf(text, text_len, "capacity %s %s", cap_name[key],
	    print_number(num, sizeof(num), n));
}

static bool
set_buckets_for(struct parse *ps, struct numval n, struct numval w,
    char *text, size_t text_len)
{
	struct settings	*s = &ps->p->set;
	char		 num[32];
	int		 i;

	for (i = 0; i < s->n_buckets_for; i++) {
		if (s->buckets_for[i].window_ms == w.value) {
			diag_error(ps->d, w.pos, NULL,
			    "a second `buckets` for the same window");
			return false;
		}
	}
	if (stmt_too_many(ps, w.pos, s->n_buckets_for, 8,
	    "windows with buckets of their own"))
		return false;
	s->buckets_for[i].window_ms = w.value;
	s->buckets_for[i].n = (int)n.value;
	s->n_buckets_for++;
	(void)snprintf(text, text_len, "buckets %d for %s", (int)n.value,
	    print_duration(num, sizeof(num), w.value));
	return true;
}

static bool
set_growth(struct parse *ps, struct numval a, char *text, size_t len)
{
	char	 num[64];

	if (a.value > 100000) {
		diag_error(ps->d, a.pos, NULL, "a normal that grows by more "
		    "than 10 %% a day bounds nothing");
		return false;
	}
	ps->p->set.growth_ppm = a.value;
	(void)snprintf(text, len, "growth %s",
	    print_percent(num, sizeof(num), a.value));
	return true;
}

static bool
set_hot(struct parse *ps, struct numval a, char *text, size_t len)
{
	char	 num[64];

	if (a.value == 0) {
		diag_error(ps->d, a.pos, NULL, "a hot wallet of nothing");
		return false;
	}
	ps->p->set.hot_max_sat = a.value;
	(void)snprintf(text, len, "hot at most %s",
	    print_amount(num, sizeof(num), a.value));
	return true;
}

static bool
set_value(struct parse *ps, enum set_key key, struct numval a,
    struct numval b, char *text, size_t len)
{
	struct settings	*s = &ps->p->set;
	char		 num[64], date[32];

	switch (key) {
	case SET_EXPIRY_HOLDS:
		s->hold_expiry_ms = a.value;
		(void)snprintf(text, len, "expiry of holds %s",
		    print_duration(num, sizeof(num), a.value));
		return true;
	case SET_EXPIRY_CODES:
		s->code_expiry_ms = a.value;
		(void)snprintf(text, len, "expiry of codes %s",
		    print_duration(num, sizeof(num), a.value));
		return true;
	case SET_EXEMPTIONS:
		s->exemptions_ppm = a.value;
		s->exemptions_given = true;
		(void)snprintf(text, len, "exemptions upto %s of hot",
		    print_percent(num, sizeof(num), a.value));
		return true;
	case SET_GROWTH:
		return set_growth(ps, a, text, len);
	case SET_HOT:
		return set_hot(ps, a, text, len);
	case SET_LEDGER:
		s->ledger_external = true;
		(void)snprintf(text, len, "ledger external");
		return true;
	case SET_TRUST_LISTED:
		s->trust_listed_day = a.value;
		s->trust_listed_sat = b.value;
		(void)snprintf(text, len, "trust listed until %s upto %s",
		    print_date(date, sizeof(date), a.value),
		    print_amount(num, sizeof(num), b.value));
		return true;
	case SET_BUCKETS:
		s->buckets = (int)a.value;
		(void)snprintf(text, len, "buckets %d", s->buckets);
		return true;
	case SET_BUCKETS_FOR:
		return set_buckets_for(ps, a, b, text, len);
	case SET_CAP_ACCOUNTS:
	case SET_CAP_KEYS:
	case SET_CAP_PAIRS:
	case SET_CAP_DESTINATIONS:
	case SET_CAP_WAITING:
	case SET_CAP_WITHDRAWALS:
	case SET_CAP_NETWORKS:
	case SET_CAP_GROUPS:
		set_capacity(ps, key, a.value, text, len);
		return true;
	case SET__COUNT:
		break;
	}
	assert(!"set");
	return false;
}

void
stmt_set(struct parse *ps, struct pos pos, enum set_key key,
    struct numval a, struct numval b)
{
	char	 text[PRINT_TEXT_MAX];

	if (key != SET_BUCKETS_FOR && stmt_second(ps, &ps->has_set[key],
	    &ps->set_pos[key], pos, "setting of this"))
		return;
	if (a.bad || b.bad || !set_value(ps, key, a, b, text, sizeof(text)))
		return;
	stmt_add(ps, STMT_SET, pos, 0, text);
}
