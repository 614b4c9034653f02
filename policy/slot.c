#include "policy/slot.h"

#include <assert.h>
#include <stdio.h>

#include "lib/civil.h"

/* How a value is written. */
enum form { FORM_AMOUNT, FORM_COUNT, FORM_TIME, FORM_YES_NO, FORM_RATIO };

#define RATIO_ONE	1000

static enum form
form_of_type(enum type t)
{
	switch (t) {
	case TYPE_AMOUNT:
		return FORM_AMOUNT;
	case TYPE_COUNT:
		return FORM_COUNT;
	case TYPE_TIME:
		return FORM_TIME;
	case TYPE_FLAG:
		return FORM_YES_NO;
	}
	assert(0);
	return FORM_COUNT;
}

static enum form
form_of(const struct program *p, int slot)
{
	const struct prog_slot	*s = &p->slots[slot];

	switch (s->kind) {
	case SLOT_FACT:
		return form_of_type(word_of((enum fact)s->index)->type);
	case SLOT_DECLARED:
		return form_of_type(p->policy->declared[s->index].type);
	case SLOT_AGG:
	case SLOT_NORMAL:
		return p->aggs[s->index].def.what == AGG_SUM ? FORM_AMOUNT :
		    FORM_COUNT;
	case SLOT_BUSY:
		return FORM_RATIO;
	case SLOT_FRAUD:
	case SLOT_IN_TABLE:
		return FORM_YES_NO;
	}
	assert(0);
	return FORM_COUNT;
}

/* A normal is below zero until it is learnt. */
static bool
unlearnt(const struct program *p, int slot, int64_t value)
{
	return p->slots[slot].kind == SLOT_NORMAL && value < 0;
}

char *
slot_name(const struct program *p, char *buf, size_t buf_len, int slot)
{
	static const char *const	 subjects[] = { "destination",
		"account", "ip", "group" };
	const struct prog_slot		*s = &p->slots[slot];
	const struct policy		*pol = p->policy;
	char				 more[PRINT_TEXT_MAX];

	switch (s->kind) {
	case SLOT_FACT:
		(void)snprintf(buf, buf_len, "%s",
		    word_of((enum fact)s->index)->text);
		break;
	case SLOT_DECLARED:
		(void)snprintf(buf, buf_len, "%s",
		    pol->declared[s->index].name);
		break;
	case SLOT_AGG:
		(void)print_agg(pol, buf, buf_len, &p->aggs[s->index].def);
		break;
	case SLOT_NORMAL:
		(void)snprintf(buf, buf_len, "normal of %s", print_agg(pol,
		    more, sizeof(more), &p->aggs[s->index].def));
		break;
	case SLOT_BUSY:
		(void)snprintf(buf, buf_len, "busy in %s", print_duration(
		    more, sizeof(more), p->busy_windows[s->index]));
		break;
	case SLOT_FRAUD:
		(void)snprintf(buf, buf_len, "confirmed fraud in %s",
		    print_duration(more, sizeof(more),
		    p->fraud_windows[s->index]));
		break;
	case SLOT_IN_TABLE:
		(void)snprintf(buf, buf_len, "%s in <%s>",
		    subjects[s->index % 4], pol->tables[s->index / 4].name);
		break;
	}
	return buf;
}

/* The two largest units that say anything: "30d 2h", "5m", "0s". */
static char *
print_age(char *buf, size_t buf_len, int64_t ms)
{
	static const struct {
		int64_t		s;
		char		name;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	const size_t	 n = sizeof(units) / sizeof(units[0]);
	int64_t		 s = ms / MS_PER_S, more;
	size_t		 i = 0;

	while (i + 1 < n && s < units[i].s)
		i++;
	more = i + 1 < n ? s % units[i].s / units[i + 1].s : 0;
	if (more != 0)
		(void)snprintf(buf, buf_len, "%lld%c %lld%c",
		    (long long)(s / units[i].s), units[i].name,
		    (long long)more, units[i + 1].name);
	else
		(void)snprintf(buf, buf_len, "%lld%c",
		    (long long)(s / units[i].s), units[i].name);
	return buf;
}

char *
slot_value(const struct program *p, char *buf, size_t buf_len, int slot,
    int64_t value)
{
	if (unlearnt(p, slot, value)) {
		(void)snprintf(buf, buf_len, "unknown");
		return buf;
	}
	/* A counter that is full is beyond everything. */
	if (value == INT64_MAX) {
		(void)snprintf(buf, buf_len, "more than can be counted");
		return buf;
	}
	switch (form_of(p, slot)) {
	case FORM_AMOUNT:
		return print_amount(buf, buf_len, value);
	case FORM_COUNT:
		return print_number(buf, buf_len, value);
	case FORM_TIME:
		return print_age(buf, buf_len, value);
	case FORM_YES_NO:
		(void)snprintf(buf, buf_len, "%s", value != 0 ? "yes" : "no");
		break;
	case FORM_RATIO:
		(void)snprintf(buf, buf_len, "%lld.%03lld",
		    (long long)(value / RATIO_ONE),
		    (long long)(value % RATIO_ONE));
		break;
	}
	return buf;
}

void
slot_json(const struct program *p, struct json *j, int slot, int64_t value)
{
	char	 name[SLOT_TEXT_MAX];

	(void)slot_name(p, name, sizeof(name), slot);
	if (unlearnt(p, slot, value)) {
		json_put_null(j, name);
		return;
	}
	switch (form_of(p, slot)) {
	case FORM_AMOUNT:
		json_put_sat(j, name, value);
		break;
	case FORM_COUNT:
	case FORM_TIME:
		json_put_int(j, name, value);
		break;
	case FORM_YES_NO:
		json_put_bool(j, name, value != 0);
		break;
	case FORM_RATIO:
		json_put_ratio(j, name, value, RATIO_ONE, 3);
		break;
	}
}

void
slot_json_unknown(const struct program *p, struct json *j, int slot)
{
	char	 name[SLOT_TEXT_MAX];

	json_put_null(j, slot_name(p, name, sizeof(name), slot));
}
