/*
 * Statements: what stands alone in a line, and what only the whole can tell.
 */
#include "policy/resolve.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "policy/print.h"
#include "policy/scan.h"

/* Room behind the last element of an array of the policy, and its number. */
#define PUSH(ps, array, n)						\
	((array) = arena_grow((ps)->arena, (array), (size_t)(n),	\
	    sizeof(*(array))), &(array)[(n)++])

void
stmt_add(struct parse *ps, enum stmt_kind kind, struct pos pos, int index,
    const char *text)
{
	struct stmt	*s = PUSH(ps, ps->p->stmts, ps->p->n_stmts);

	s->kind = kind;
	s->pos = pos;
	s->index = index;
	if (text != NULL)
		s->text = arena_strndup(ps->arena, text, strlen(text));
}

bool
stmt_second(struct parse *ps, bool *has, struct pos *first, struct pos pos,
    const char *what)
{
	char	 where[128], hint[160];

	if (!*has) {
		*has = true;
		*first = pos;
		return false;
	}
	(void)snprintf(hint, sizeof(hint), "the first is at %s",
	    policy_where(ps->p, *first, where, sizeof(where)));
	diag_error(ps->d, pos, hint, "a second %s", what);
	return true;
}

bool
stmt_too_many(struct parse *ps, struct pos pos, int n, int max,
    const char *what)
{
	if (n < max)
		return false;
	diag_error(ps->d, pos, NULL, "more than %d %s", max, what);
	return true;
}

void
stmt_policy(struct parse *ps, struct pos pos, struct numval version)
{
	if (version.bad) {
		ps->has_policy = true;
		return;
	}
	if (ps->n_stmts_here > 0)
		diag_error(ps->d, pos, NULL,
		    "`policy 1` stands at the top of a file");
	ps->has_policy = true;
}

void
stmt_default(struct parse *ps, struct pos pos, enum verdict v)
{
	if (stmt_second(ps, &ps->has_default, &ps->default_pos, pos,
	    "`default`"))
		return;
	ps->p->dflt = v;
	stmt_add(ps, STMT_DEFAULT, pos, 0, NULL);
}

void
stmt_mode(struct parse *ps, struct pos pos, enum policy_mode m,
    struct numval above)
{
	if (stmt_second(ps, &ps->has_mode, &ps->mode_pos, pos, "`mode`") ||
	    above.bad)
		return;
	ps->p->mode = m;
	if (above.value > 0)
		ps->p->enforce_above_sat = above.value;
	stmt_add(ps, STMT_MODE, pos, 0, NULL);
}

/* The name that is open by now; NULL when it could not be opened. */
static struct name *
name_opened(struct parse *ps, const struct tok *t)
{
	struct name	*n;

	if (ps->n_names == 0 || t->text == NULL)
		return NULL;
	n = &ps->names[ps->n_names - 1];
	return n->open && strcmp(n->text, t->text) == 0 ? n : NULL;
}

void
stmt_declare(struct parse *ps, struct pos pos, const struct tok *name,
    enum type type, struct qval value)
{
	static const char *const want[] = { [TYPE_AMOUNT] = "money",
		[TYPE_COUNT] = "a number", [TYPE_TIME] = "a time",
		[TYPE_FLAG] = "`yes` or `no`" };
	struct name	*n;
	struct declared	*d;

	name_open(ps, name, NAME_DECLARED);
	if ((n = name_opened(ps, name)) == NULL)
		return;
	n->open = false;
	n->broken = true;
	if (value.bad || stmt_too_many(ps, pos, ps->p->n_declared, DECLARED_MAX,
	    "declared facts"))
		return;
	if (value.q.type != type) {
		diag_error(ps->d, value.q.pos, NULL,
		    "`%s` is declared as %s", name->text, want[type]);
		return;
	}
	n->broken = false;
	n->index = ps->p->n_declared;
	d = PUSH(ps, ps->p->declared, ps->p->n_declared);
	d->pos = name->pos;
	d->name = n->text;
	d->type = type;
	d->unknown = value.q.value;
	stmt_add(ps, STMT_DECLARE, pos, n->index, NULL);
}

/* S21: what may be absent.  The rest is always known, or its absence is an
 * error (S7) that no file may talk away. */
static bool
may_be_unknown(enum fact f)
{
	return (f >= FACT_AGE_ACCOUNT && f <= FACT_IDLE &&
	    f != FACT_AGE_PLATFORM) ||
	    f == FACT_IP_NEW_ACCOUNT || f == FACT_IP_NEW_PLATFORM ||
	    f == FACT_DEVICE_NEW || f == FACT_KEY_HAS_IP_LIST ||
	    f == FACT_DESTINATION_NEW_CHAIN || f == FACT_LIMIT ||
	    f == FACT_TIER;
}

void
stmt_unknown(struct parse *ps, struct pos pos, struct pos fact_pos,
    enum fact fact, struct qval value)
{
	const struct word	*w = word_of(fact);

	if (value.bad)
		return;
	if (!may_be_unknown(fact)) {
		diag_error(ps->d, fact_pos, NULL, "`%s` is never unknown",
		    w->text);
		return;
	}
	if (value.q.type != w->type) {
		diag_error(ps->d, value.q.pos, w->type == TYPE_FLAG ?
		    "write `yes` or `no`" : w->type == TYPE_TIME ?
		    "write a time, like `30d`" : NULL,
		    "not a value that `%s` can have", w->text);
		return;
	}
	if (ps->p->unknown_given[fact]) {
		diag_error(ps->d, fact_pos, NULL,
		    "said twice what an unknown `%s` is", w->text);
		return;
	}
	ps->p->unknown[fact] = value.q.value;
	ps->p->unknown_given[fact] = true;
	stmt_add(ps, STMT_UNKNOWN, pos, (int)fact, NULL);
}

void
stmt_let(struct parse *ps, struct pos pos, const struct tok *name,
    struct qval q)
{
	struct name	*n = name_opened(ps, name);
	struct let	*l;

	if (n == NULL)
		return;
	n->open = false;
	n->broken = true;
	if (q.bad || stmt_too_many(ps, pos, ps->p->n_lets, LETS_MAX, "names"))
		return;
	if (q.q.type == TYPE_FLAG) {
		diag_error(ps->d, q.q.pos, "write `class NAME when ...`",
		    "a `let` is a quantity; this is yes or no");
		return;
	}
	n->broken = false;
	n->index = ps->p->n_lets;
	l = PUSH(ps, ps->p->lets, ps->p->n_lets);
	l->pos = name->pos;
	l->name = n->text;
	l->q = q.q;
	stmt_add(ps, STMT_LET, pos, n->index, NULL);
}

void
stmt_class(struct parse *ps, struct pos pos, const struct tok *name,
    struct cond *c)
{
	struct name	*n = name_opened(ps, name);
	struct class	*cl;

	if (n == NULL)
		return;
	n->open = false;
	n->broken = true;
	if (c == NULL || stmt_too_many(ps, pos, ps->p->n_classes -
	    CLASS_FIRST, CLASSES_MAX - CLASS_FIRST, "classes"))
		return;
	n->broken = false;
	n->index = ps->p->n_classes;
	cl = PUSH(ps, ps->p->classes, ps->p->n_classes);
	cl->pos = name->pos;
	cl->name = n->text;
	cl->cond = c;
	stmt_add(ps, STMT_CLASS, pos, n->index, NULL);
}

/* A name as exemptions write it: blanks as `-`. */
static void
label_of(const char *name, char *buf, size_t buf_len)
{
	size_t	 i;

	for (i = 0; i + 1 < buf_len && name[i] != '\0'; i++)
		buf[i] = name[i] == ' ' ? '-' : name[i];
	buf[i] = '\0';
}

static int
rule_find(const struct parse *ps, const char *name)
{
	char	 want[128], have[128];
	int	 i;

	label_of(name, want, sizeof(want));
	for (i = 0; i < ps->p->n_rules; i++) {
		if (ps->p->rules[i].name == NULL)
			continue;
		label_of(ps->p->rules[i].name, have, sizeof(have));
		if (strcmp(want, have) == 0)
			return i;
	}
	return -1;
}

/* False when the name cannot be one. */
static bool
good_title(struct parse *ps, const struct tok *t)
{
	size_t	 n = strlen(t->text);

	if (n == 0 || t->text[0] == ' ' || t->text[n - 1] == ' ') {
		diag_error(ps->d, t->pos, NULL, n == 0 ?
		    "an empty name" : "a name with a blank at its end");
		return false;
	}
	if (n > NAME_LEN_MAX) {
		diag_error(ps->d, t->pos, NULL,
		    "a name has at most %d bytes", NAME_LEN_MAX);
		return false;
	}
	return true;
}

static bool
good_lot(struct parse *ps, const struct rule *r)
{
	if (r->lot == LOT_NONE)
		return true;
	if (r->lot_in == -1)
		return false;
	if (r->verdict == VERDICT_ALLOW || r->verdict == VERDICT_HALT) {
		diag_error(ps->d, r->lot_per.pos, NULL,
		    r->verdict == VERDICT_ALLOW ? "chance excuses nobody" :
		    "chance does not stop the platform");
		return false;
	}
	if (r->lot == LOT_PER && r->lot_per.value <= 0 &&
	    r->lot_per.ppm <= 0) {
		diag_error(ps->d, r->lot_per.pos, NULL,
		    "one look for nothing");
		return false;
	}
	return true;
}

void
stmt_rule(struct parse *ps, struct pos pos, struct rule r,
    const struct tok *name, struct cond *c, struct numval until)
{
	char		 where[128], hint[160];
	struct rule	*new;
	int		 i;
	bool		 good;

	good = c != NULL && !until.bad && r.people != -1 && good_lot(ps, &r);
	if (name != NULL && !good_title(ps, name))
		return;
	if (name != NULL && (i = rule_find(ps, name->text)) != -1) {
		(void)snprintf(hint, sizeof(hint), "the first is at %s",
		    policy_where(ps->p, ps->p->rules[i].pos, where,
		    sizeof(where)));
		diag_error(ps->d, name->pos, hint,
		    "a second rule called `%s`", name->text);
		return;
	}
	if (stmt_too_many(ps, pos, ps->p->n_rules, RULES_MAX, "rules"))
		return;
	/* A wrong one is kept for its name; nothing is loaded anyway. */
	i = ps->p->n_rules;
	new = PUSH(ps, ps->p->rules, ps->p->n_rules);
	*new = r;
	new->pos = pos;
	if (!good) {
		/* Nothing at all: later checks walk over it and go on. */
		c = arena_alloc(ps->arena, sizeof(*c));
		c->kind = COND_AND;
		c->pos = pos;
	}
	new->cond = c;
	new->until_day = until.value;
	if (name != NULL)
		new->name = arena_strndup(ps->arena, name->text,
		    strlen(name->text));
	stmt_add(ps, STMT_RULE, pos, i, NULL);
}

void
label_add(struct parse *ps, const struct tok *t)
{
	struct label	*l = PUSH(ps, ps->labels, ps->n_labels);

	l->pos = t->pos;
	l->text = arena_strndup(ps->arena, t->text, strlen(t->text));
	l->exempt = -1;
}

/* S43: every way to match names an account or a destination. */
static bool
names_somebody(const struct parse *ps, const struct cond *c)
{
	int	 i;

	switch (c->kind) {
	case COND_OR:
		for (i = 0; i < c->n_kids; i++)
			if (!names_somebody(ps, c->kids[i]))
				return false;
		return true;
	case COND_AND:
		for (i = 0; i < c->n_kids; i++)
			if (names_somebody(ps, c->kids[i]))
				return true;
		return false;
	case COND_CLASS:
		c = ps->p->classes[c->index].cond;
		return c != NULL && names_somebody(ps, c);
	case COND_IN:
		return c->subject == IN_ACCOUNT ||
		    c->subject == IN_DESTINATION;
	case COND_NOT:
	case COND_COMPARE:
	case COND_FLAG:
	case COND_FRAUD:
		return false;
	}
	assert(!"cond");
	return false;
}

void
stmt_exempt(struct parse *ps, struct pos pos, const struct tok *name,
    struct cond *c, struct exempt x, bool bad)
{
	struct exempt	*new;
	int		 i, n = ps->p->n_exempts;

	if (!good_title(ps, name) || bad || c == NULL)
		bad = true;
	else if (!names_somebody(ps, c)) {
		diag_error(ps->d, c->pos, "expected `account in <table>` or "
		    "`destination in <table>`",
		    "E-OPEN: an exemption for anybody");
		bad = true;
	}
	for (i = 0; i < n && !bad; i++) {
		if (strcmp(ps->p->exempts[i].name, name->text) == 0) {
			diag_error(ps->d, name->pos, NULL,
			    "a second exemption called `%s`", name->text);
			bad = true;
		}
	}
	if (!bad && stmt_too_many(ps, pos, n, EXEMPTS_MAX, "exemptions"))
		bad = true;
	for (i = ps->n_labels; i-- > 0 && ps->labels[i].exempt == -1;)
		ps->labels[i].exempt = bad ? -2 : n;
	if (bad)
		return;
	new = PUSH(ps, ps->p->exempts, ps->p->n_exempts);
	*new = x;
	new->pos = pos;
	new->name = arena_strndup(ps->arena, name->text, strlen(name->text));
	new->cond = c;
	stmt_add(ps, STMT_EXEMPT, pos, n, NULL);
}

void
stmt_ceiling(struct parse *ps, struct pos pos, struct qval limit,
    struct numval window, struct numval each)
{
	struct ceiling	*c;
	int		 i, n = ps->p->n_ceilings;

	if (limit.bad || window.bad || each.bad)
		return;
	for (i = 0; i < n; i++) {
		if (ps->p->ceilings[i].window_ms == window.value) {
			diag_error(ps->d, window.pos, NULL,
			    "a second ceiling over the same time");
			return;
		}
	}
	if (stmt_too_many(ps, pos, n, 8, "ceilings"))
		return;
	if (each.value == 0 || (limit.q.value == 0 && limit.q.ppm == 0)) {
		diag_error(ps->d, each.value == 0 ? each.pos : limit.q.pos,
		    "to stop everything there is `drawbridge halt`",
		    "a ceiling of nothing");
		return;
	}
	c = PUSH(ps, ps->p->ceilings, ps->p->n_ceilings);
	c->pos = pos;
	c->limit = limit.q;
	c->window_ms = window.value;
	c->each_sat = each.value > 0 ? each.value : 0;
	stmt_add(ps, STMT_CEILING, pos, n, NULL);
}

void
stmt_trust(struct parse *ps, struct pos pos, struct numval after,
    struct numval full, struct numval used, struct qval upto)
{
	struct trust	*t = &ps->p->trust;
	struct pos	 first = t->pos;
	bool		 has = t->given;

	if (stmt_second(ps, &has, &first, pos, "`trust`"))
		return;
	t->given = true;
	t->pos = pos;
	if (after.bad || full.bad || used.bad || upto.bad)
		return;
	if (full.value <= after.value) {
		diag_error(ps->d, full.pos, NULL,
		    "`full at` must be later than `after`");
		return;
	}
	if (upto.q.kind == Q_SHARE && upto.q.of_fund) {
		diag_error(ps->d, upto.q.pos, "write `of hot`",
		    "trust is money or a share of the hot wallet");
		return;
	}
	t->after_ms = after.value;
	t->full_ms = full.value;
	t->used_ms = used.value;
	t->upto_sat = upto.q.kind == Q_CONST ? upto.q.value : 0;
	t->upto_ppm = upto.q.kind == Q_SHARE ? upto.q.ppm : 0;
	stmt_add(ps, STMT_TRUST, pos, 0, NULL);
}

struct table *
table_begin(struct parse *ps, struct pos pos, const struct tok *name,
    enum table_kind kind)
{
	struct table	*t;
	int		 i;

	for (i = 0; i < ps->p->n_tables; i++)
		if (strcmp(ps->p->tables[i].name, name->text) == 0)
			break;
	if (i < ps->p->n_tables)
		diag_error(ps->d, name->pos, NULL, "a second table <%s>",
		    name->text);
	else
		(void)stmt_too_many(ps, pos, ps->p->n_tables, TABLES_MAX,
		    "tables");
	t = PUSH(ps, ps->p->tables, ps->p->n_tables);
	t->pos = pos;
	t->name = arena_strndup(ps->arena, name->text, strlen(name->text));
	t->kind = kind;
	stmt_add(ps, STMT_TABLE, pos, ps->p->n_tables - 1, NULL);
	return t;
}

/* ------------------------------------------------------- at the end */

static void
finish_labels(struct parse *ps)
{
	struct exempt	*x;
	struct label	*l;
	int		 i, j, rule;

	for (i = 0; i < ps->n_labels; i++) {
		l = &ps->labels[i];
		if (l->exempt < 0)
			continue;
		x = &ps->p->exempts[l->exempt];
		if ((rule = rule_find(ps, l->text)) == -1) {
			diag_error(ps->d, l->pos, "an exemption names rules "
			    "by their text, blanks as `-`",
			    "no rule is called `%.100s`", l->text);
			continue;
		}
		if (ps->p->rules[rule].verdict == VERDICT_DENY ||
		    ps->p->rules[rule].verdict == VERDICT_HALT) {
			diag_error(ps->d, l->pos, NULL,
			    "no exemption touches a `%s`",
			    verdict_text(ps->p->rules[rule].verdict));
			continue;
		}
		for (j = 0; j < x->n_rules && x->rules[j] != rule; j++)
			continue;
		if (j < x->n_rules) {
			diag_error(ps->d, l->pos, NULL, "`%s` twice", l->text);
			continue;
		}
		*PUSH(ps, x->rules, x->n_rules) = rule;
	}
}

/* S44: the worst day of all exemptions together. */
static void
finish_exempts(struct parse *ps)
{
	const struct policy	*p = ps->p;
	int64_t			 sum = 0, room;
	char			 a[64], b[64];
	int			 i;

	if (p->n_exempts == 0)
		return;
	if (!p->set.exemptions_given) {
		diag_error(ps->d, p->exempts[0].pos,
		    "write for instance `set exemptions upto 15 % of hot`",
		    "an exemption without `set exemptions upto`");
		return;
	}
	for (i = 0; i < p->n_exempts; i++) {
		/* A window shorter than a day can be used up repeatedly. */
		room = p->exempts[i].upto_ms >= MS_PER_DAY ? 1 :
		    (MS_PER_DAY + p->exempts[i].upto_ms - 1) /
		    p->exempts[i].upto_ms;
		sum = amount_add_saturate(sum,
		    muldiv(p->exempts[i].upto_sat, room, 1));
	}
	room = muldiv(p->set.hot_max_sat, p->set.exemptions_ppm, 1000000);
	if (p->set.hot_max_sat > 0 && sum > room)
		diag_error(ps->d, p->exempts[p->n_exempts - 1].pos, NULL,
		    "all exemptions together let %s out in 24h, `set "
		    "exemptions upto` allows %s", print_amount(a, sizeof(a),
		    sum), print_amount(b, sizeof(b), room));
}

void
resolve_finish(struct parse *ps, struct pos end)
{
	finish_labels(ps);
	finish_exempts(ps);
	if (ps->has_set[SET_TRUST_LISTED] && !ps->p->trust.given)
		diag_error(ps->d, ps->set_pos[SET_TRUST_LISTED],
		    "write `trust proven after ...` as well",
		    "`set trust listed` without `trust`");
	/* An exemption's condition takes a class's bit (S13). */
	if (ps->p->n_classes + ps->p->n_exempts > CLASSES_MAX)
		diag_error(ps->d, ps->p->exempts[ps->p->n_exempts - 1].pos,
		    NULL, "more than %d classes and exemptions",
		    CLASSES_MAX - CLASS_FIRST);
	if (!ps->has_default && !ps->tried_default)
		diag_error(ps->d, end, NULL, "no `default`; say what happens "
		    "when no rule allows, for instance `default hold`");
}
