#include "engine/compare.h"

#include <stdlib.h>
#include <string.h>

#include "engine/trail.h"

struct compare {
	struct ident_key ids;
	struct trail	 trail;
	struct outcome_record *records;
	size_t		 n, room;
};

enum rc
compare_new(struct compare **out, const struct ident_key *ids, struct err *e)
{
	struct compare	*c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_set(e, "out of memory");
	c->ids = *ids;
	*out = c;
	return RC_OK;
}

void
compare_free(struct compare **cp)
{
	struct compare	*c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	trail_free(&c->trail);
	free(c->records);
	free(c);
}

/* Differences */

static const char *const type_texts[] = {
	[OUTCOME_DECIDED] = "decided",
	[OUTCOME_REPEATED] = "repeated",
	[OUTCOME_REDECIDED] = "decided again",
	[OUTCOME_MOVED] = "moved",
	[OUTCOME_HALTED] = "halted",
	[OUTCOME_RESUMED] = "resumed",
	[OUTCOME_TAKEN] = "taken",
	[OUTCOME_REFUSED] = "refused",
};

static void
describe(char *buf, const struct outcome_record *r, bool there)
{
	const size_t	 room = COMPARE_TEXT_MAX;

	if (!there)
		(void)snprintf(buf, room, "nothing");
	else if (r->type == OUTCOME_TAKEN || r->type == OUTCOME_HALTED ||
	    r->type == OUTCOME_RESUMED)
		(void)snprintf(buf, room, "%s", type_texts[r->type]);
	else if (r->type == OUTCOME_REFUSED)
		(void)snprintf(buf, room, "refused, %s", why_text(r->why));
	else
		(void)snprintf(buf, room, "%s%s%s, %s, %s",
		    type_texts[r->type], r->why != WHY_NONE ? ", " : "",
		    r->why != WHY_NONE ? why_text(r->why) : "",
		    verdict_text(r->verdict), state_text(r->state));
}

/* One more of a packed row of outcomes, if there is one and it is whole. */
static bool
next(struct outcome_record *out, const unsigned char **p,
    const unsigned char *end, const struct outcome_of *of)
{
	return *p < end && outcome_unpack(out, p, end, of, NULL) == RC_OK;
}

int
compare_texts(char recorded[COMPARE_TEXT_MAX], char here[COMPARE_TEXT_MAX],
    const struct input *in, const struct history_event *ev,
    const struct trail *t)
{
	static struct outcome_record	 there, now;
	const struct outcome_of	 of = { in->id, in->amount_sat, in->t_ms };
	const unsigned char	*a = ev->outcomes, *b = t->bytes;
	const unsigned char	*a_end = a + ev->outcomes_len;
	const unsigned char	*b_end = b + t->len, *a_was, *b_was;
	bool			 has_a, has_b;
	int			 n = 0;

	do {
		n++;
		a_was = a;
		b_was = b;
		has_a = next(&there, &a, a_end, &of);
		has_b = next(&now, &b, b_end, &of);
	} while (has_a && has_b && a - a_was == b - b_was &&
	    memcmp(a_was, b_was, (size_t)(a - a_was)) == 0);
	describe(recorded, &there, has_a);
	describe(here, &now, has_b);
	if (strcmp(recorded, here) == 0)
		(void)snprintf(here, COMPARE_TEXT_MAX, "the same, for other "
		    "reasons or times");
	return n;
}

bool
compare_same(const struct history_event *ev, const struct trail *t)
{
	return t->len == ev->outcomes_len && (t->len == 0 ||
	    memcmp(t->bytes, ev->outcomes, t->len) == 0);
}

enum rc
compare_judged(struct compare *c, struct engine *en, const struct input *in,
    const struct history_event *ev, const struct program *p, struct err *e)
{
	char	 recorded[COMPARE_TEXT_MAX], here[COMPARE_TEXT_MAX];
	enum rc	 rc;
	int	 n;

	if ((rc = trail_apply(&c->trail, en, in, p, NULL, e)) != RC_OK)
		return rc;
	if (compare_same(ev, &c->trail))
		return RC_OK;
	n = compare_texts(recorded, here, in, ev, &c->trail);
	return err_set(e, "outcome %d is not what was recorded: `%s` in the "
	    "journal, `%s` now", n, recorded, here);
}

/* Following */

static enum rc
read_records(struct compare *c, const struct input *in,
    const struct history_event *ev, struct err *e)
{
	const struct outcome_of	 of = { in->id, in->amount_sat, in->t_ms };
	const unsigned char	*p = ev->outcomes;
	const unsigned char	*end = p + ev->outcomes_len;
	struct outcome_record	*more;
	size_t			 room;
	enum rc			 rc;

	for (c->n = 0; p < end; c->n++) {
		if (c->n == c->room) {
			room = c->room * 2 + 4;
			more = realloc(c->records, room * sizeof(*more));
			if (more == NULL)
				return err_set(e, "out of memory");
			c->records = more;
			c->room = room;
		}
		if ((rc = outcome_unpack(&c->records[c->n], &p, end, &of,
		    e)) != RC_OK)
			return rc;
	}
	return RC_OK;
}

static void
ignore(void *ctx, const struct outcome *o)
{
	(void)ctx;
	(void)o;
}

enum rc
compare_follow(struct compare *c, struct engine *en, const struct input *in,
    const struct history_event *ev, struct err *e)
{
	const struct engine_sink sink = { ignore, NULL };
	enum rc	 rc;

	if ((rc = read_records(c, in, ev, e)) != RC_OK)
		return rc;
	return engine_follow(en, in, c->records, c->n, &sink, e);
}
