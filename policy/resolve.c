/*
 * Quantities, conditions and names.
 */
#include "policy/resolve.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/scan.h"

#define TERMS_MAX	256

/* ------------------------------------------------------------- names */

static struct name *
name_find(struct parse *ps, const char *text)
{
	int	 i;

	for (i = 0; i < ps->n_names; i++)
		if (strcmp(ps->names[i].text, text) == 0)
			return &ps->names[i];
	return NULL;
}

void
name_reserved(struct parse *ps, const struct tok *t)
{
	diag_error(ps->d, t->pos, NULL,
	    "`%s` is a word of the language; choose another name", t->text);
}

void
name_open(struct parse *ps, const struct tok *t, enum name_kind kind)
{
	struct name	*n;
	char		 where[128], hint[160];

	if (t->text == NULL)
		return;
	if (strlen(t->text) > NAME_LEN_MAX)
		diag_error(ps->d, t->pos, NULL,
		    "a name has at most %d characters", NAME_LEN_MAX);
	if ((n = name_find(ps, t->text)) != NULL) {
		(void)snprintf(hint, sizeof(hint), "the first is at %s",
		    policy_where(ps->p, n->pos, where, sizeof(where)));
		diag_error(ps->d, t->pos, hint, "a second `%s`", t->text);
		return;
	}
	ps->names = arena_grow(ps->arena, ps->names, (size_t)ps->n_names,
	    sizeof(*ps->names));
	n = &ps->names[ps->n_names++];
	n->text = arena_strndup(ps->arena, t->text, strlen(t->text));
	n->kind = kind;
	n->pos = t->pos;
	n->open = true;
}

void
name_abandon(struct parse *ps)
{
	int	 i;

	for (i = 0; i < ps->n_names; i++) {
		ps->names[i].broken |= ps->names[i].open;
		ps->names[i].open = false;
	}
}

/* Look a name up; NULL, with an error said where one is due. */
static struct name *
name_use(struct parse *ps, const struct tok *t)
{
	struct name	*n = name_find(ps, t->text);
	const char	*near;
	char		 hint[128];

	if (n == NULL) {
		near = scan_nearest(ps, t->text);
		(void)snprintf(hint, sizeof(hint), "did you mean `%s`?",
		    near != NULL ? near : "");
		diag_error(ps->d, t->pos, near != NULL ? hint :
		    "a name must be defined above its use",
		    "unknown name `%.100s`", t->text);
		return NULL;
	}
	if (n->open) {
		if (n->kind == NAME_CLASS)
			diag_error(ps->d, t->pos, NULL,
			    "class `%s` depends on itself", t->text);
		else
			diag_error(ps->d, t->pos, NULL,
			    "`%s` depends on itself", t->text);
		return NULL;
	}
	return n->broken ? NULL : n;
}

/* -------------------------------------------------------- quantities */

struct qval
q_bad(struct pos pos)
{
	struct qval	 q;

	memset(&q, 0, sizeof(q));
	q.q.pos = pos;
	q.q.times = 1;
	q.bad = true;
	return q;
}

static struct qval
q_new(struct pos pos, enum quantity_kind kind, enum type type)
{
	struct qval	 q = q_bad(pos);

	q.q.kind = kind;
	q.q.type = type;
	q.bad = false;
	return q;
}

struct qval
q_const(struct pos pos, enum type type, struct numval n)
{
	struct qval	 q = q_new(pos, Q_CONST, type);

	q.q.value = n.value;
	q.bad = n.bad;
	return q;
}

struct qval
q_share(struct pos pos, struct numval n, bool of_fund)
{
	struct qval	 q = q_new(pos, Q_SHARE, TYPE_AMOUNT);

	q.q.ppm = n.value;
	q.q.of_fund = of_fund;
	q.bad = n.bad;
	return q;
}

struct qval
q_share_of_what(struct parse *ps, struct pos pos)
{
	char	 text[64], hint[192];

	(void)parse_quote(ps, pos, text, sizeof(text));
	(void)snprintf(hint, sizeof(hint),
	    "write `%s of hot` or `%s of fund`", text, text);
	diag_error(ps->d, pos, hint, "a share needs to say of what");
	return q_bad(pos);
}

struct qval
q_fact(struct pos pos, enum fact fact)
{
	struct qval	 q = q_new(pos, Q_FACT, word_of(fact)->type);

	q.q.fact = fact;
	return q;
}

struct qval
q_name(struct parse *ps, const struct tok *t)
{
	struct name	*n = name_use(ps, t);
	struct qval	 q;

	if (n == NULL)
		return q_bad(t->pos);
	switch (n->kind) {
	case NAME_LET:
		q = q_new(t->pos, Q_NAME, ps->p->lets[n->index].q.type);
		break;
	case NAME_DECLARED:
		q = q_new(t->pos, Q_DECLARED, ps->p->declared[n->index].type);
		break;
	case NAME_CLASS:
		diag_error(ps->d, t->pos, "write it alone, or with `not`",
		    "`%s` is a class, not a quantity", t->text);
		return q_bad(t->pos);
	}
	q.q.index = n->index;
	return q;
}

struct qval
q_times(struct parse *ps, struct pos pos, struct numval times, struct qval q)
{
	if (times.bad || q.bad)
		return q_bad(pos);
	if (q.q.type == TYPE_FLAG) {
		diag_error(ps->d, pos, NULL,
		    "a yes or no cannot be multiplied");
		return q_bad(pos);
	}
	q.q.pos = pos;
	q.q.times = times.value;
	return q;
}

struct agg
agg_class(struct parse *ps, const struct tok *name, bool neg)
{
	struct agg	 a = { .cls = CLASS_PROVEN, .cls_not = neg };
	struct name	*n;

	if (name == NULL)
		return a;
	a.cls = -2;
	n = name_find(ps, name->text);
	if (n != NULL && n->open && n->kind == NAME_CLASS) {
		diag_error(ps->d, name->pos, NULL,
		    "class `%s` depends on an aggregate over itself",
		    name->text);
		return a;
	}
	if ((n = name_use(ps, name)) == NULL)
		return a;
	if (n->kind != NAME_CLASS) {
		diag_error(ps->d, name->pos, NULL, "`%s` is not a class",
		    name->text);
		return a;
	}
	a.cls = n->index;
	return a;
}

static int
table_find(const struct parse *ps, const char *name)
{
	int	 i;

	for (i = 0; i < ps->p->n_tables; i++)
		if (strcmp(ps->p->tables[i].name, name) == 0)
			return i;
	return -1;
}

static int
table_use(struct parse *ps, const struct tok *t)
{
	int	 i = table_find(ps, t->text);

	if (i == -1)
		diag_error(ps->d, t->pos,
		    "a table must be defined above its use",
		    "unknown table <%.100s>", t->text);
	return i;
}

struct agg
agg_group_table(struct parse *ps, const struct tok *table)
{
	struct agg	 a = { .scope = SCOPE_GROUP_TABLE };

	a.table = table_use(ps, table);
	if (a.table == -1)
		a.prefix = -1;
	else if (ps->p->tables[a.table].kind != TABLE_GROUPS) {
		diag_error(ps->d, table->pos, NULL,
		    "<%s> is not a table of groups", table->text);
		a.prefix = -1;
	}
	return a;
}

struct agg
agg_ip(struct parse *ps, const struct tok *ip)
{
	struct agg	 a = { .scope = ip->scope, .prefix = ip->prefix,
		.table = -1 };
	bool		 v4 = ip->scope == SCOPE_IP;

	if (a.prefix < (v4 ? 8 : 16) || a.prefix > (v4 ? 32 : 128)) {
		diag_error(ps->d, ip->pos, NULL, v4 ?
		    "an IPv4 prefix has 8 to 32 bits" :
		    "an IPv6 prefix has 16 to 128 bits");
		a.prefix = -1;
	}
	return a;
}

/* A set of one: nobody asks for it on purpose. */
static bool
always_one(const struct agg *a)
{
	return (a->thing == THING_ACCOUNTS && a->scope == SCOPE_ACCOUNT) ||
	    (a->thing == THING_KEYS && a->scope == SCOPE_KEY) ||
	    (a->thing == THING_DESTINATIONS && a->scope == SCOPE_DESTINATION);
}

struct qval
q_agg(struct parse *ps, struct pos pos, struct agg what, struct agg where,
    struct numval window, struct agg of)
{
	struct qval	 q = q_new(pos, Q_AGG, what.what == AGG_SUM ?
	    TYPE_AMOUNT : TYPE_COUNT);

	if (what.cap == -1 || where.prefix == -1 || window.bad || of.cls == -2)
		return q_bad(pos);
	q.q.agg = what;
	q.q.agg.scope = where.scope;
	q.q.agg.prefix = where.prefix;
	q.q.agg.table = where.table;
	q.q.agg.window_ms = window.value;
	q.q.agg.cls = of.cls;
	q.q.agg.cls_not = of.cls_not;
	if (what.what == AGG_DISTINCT && always_one(&q.q.agg)) {
		diag_error(ps->d, pos, NULL, "this is always 1");
		return q_bad(pos);
	}
	return q;
}

int
agg_cap(const struct agg *a)
{
	if (a->cap != 0)
		return a->cap;
	return a->scope == SCOPE_PLATFORM ? 65536 : 8;
}

/* -------------------------------------------------------- conditions */

static struct cond *
cond_new(struct parse *ps, struct pos pos, enum cond_kind kind)
{
	struct cond	*c = arena_alloc(ps->arena, sizeof(*c));

	c->kind = kind;
	c->pos = pos;
	return c;
}

static void
cond_push(struct parse *ps, struct cond *c, struct cond *kid)
{
	c->kids = arena_grow(ps->arena, c->kids, (size_t)c->n_kids,
	    sizeof(struct cond *));
	c->kids[c->n_kids++] = kid;
}

struct cond *
cond_join(struct parse *ps, struct pos pos, enum cond_kind kind,
    struct cond *a, struct cond *b)
{
	struct cond	*c;

	if (a == NULL || b == NULL)
		return NULL;
	if (a->kind == kind && !a->parens) {
		if (a->n_kids >= TERMS_MAX) {
			diag_error(ps->d, b->pos, NULL,
			    "more than %d terms in one condition", TERMS_MAX);
			return NULL;
		}
		cond_push(ps, a, b);
		a->pos = pos;
		return a;
	}
	c = cond_new(ps, pos, kind);
	cond_push(ps, c, a);
	cond_push(ps, c, b);
	return c;
}

struct cond *
cond_not(struct parse *ps, struct pos pos, struct cond *a)
{
	struct cond	*c;

	if (a == NULL)
		return NULL;
	c = cond_new(ps, pos, COND_NOT);
	cond_push(ps, c, a);
	return c;
}

struct cond *
cond_parens(struct parse *ps, struct pos pos, struct cond *a)
{
	(void)ps;
	if (a != NULL) {
		a->parens = true;
		a->pos = pos;
	}
	return a;
}

struct cond *
cond_flag(struct parse *ps, struct pos pos, struct qval q)
{
	struct cond	*c;
	char		 text[96];

	if (q.bad)
		return NULL;
	if (q.q.type != TYPE_FLAG) {
		(void)parse_quote(ps, pos, text, sizeof(text));
		diag_error(ps->d, pos, "compare it: `>`, `>=`, `<`, `<=`, `=`",
		    "`%s` is a quantity, not a condition", text);
		return NULL;
	}
	c = cond_new(ps, pos, COND_FLAG);
	c->left = q.q;
	return c;
}

struct cond *
cond_name(struct parse *ps, const struct tok *t)
{
	struct name	*n = name_find(ps, t->text);
	struct cond	*c;

	if (n == NULL || n->open || n->broken || n->kind != NAME_CLASS)
		return cond_flag(ps, t->pos, q_name(ps, t));
	c = cond_new(ps, t->pos, COND_CLASS);
	c->index = n->index;
	return c;
}

struct cond *
cond_in(struct parse *ps, struct pos pos, enum in_subject what,
    const struct tok *table)
{
	static const char *const need[] = {
		[IN_DESTINATION] = "a destination stands in a table of "
		    "addresses",
		[IN_ACCOUNT] = "an account stands in a table of accounts or "
		    "groups",
		[IN_IP] = "an ip stands in a table of networks",
		[IN_GROUP] = "a group stands in a table of groups",
	};
	struct cond	*c;
	enum table_kind	 kind;
	bool		 fits = false;
	int		 i = table_use(ps, table);

	if (i == -1)
		return NULL;
	kind = ps->p->tables[i].kind;
	switch (what) {
	case IN_DESTINATION:
		fits = kind == TABLE_ADDRESSES;
		break;
	case IN_ACCOUNT:
		fits = kind == TABLE_ACCOUNTS || kind == TABLE_GROUPS;
		break;
	case IN_IP:
		fits = kind == TABLE_NETWORKS;
		break;
	case IN_GROUP:
		fits = kind == TABLE_GROUPS;
		break;
	}
	if (!fits) {
		diag_error(ps->d, table->pos, NULL, "%s", need[what]);
		return NULL;
	}
	c = cond_new(ps, pos, COND_IN);
	c->subject = what;
	c->index = i;
	return c;
}

struct cond *
cond_fraud(struct parse *ps, struct pos pos, struct numval w)
{
	struct cond	*c;

	if (w.bad)
		return NULL;
	c = cond_new(ps, pos, COND_FRAUD);
	c->window_ms = w.value;
	return c;
}

static const char *
type_text(enum type t)
{
	switch (t) {
	case TYPE_AMOUNT:
		return "money";
	case TYPE_COUNT:
		return "a number";
	case TYPE_TIME:
		return "a time";
	case TYPE_FLAG:
		return "a yes or no";
	}
	assert(!"type");
	return NULL;
}

static bool
same_type(struct parse *ps, const struct quantity *left,
    const struct quantity *right)
{
	char		 l[96], r[96], hint[128];
	const char	*what = NULL;

	if (left->type == right->type)
		return true;
	(void)parse_quote(ps, left->pos, l, sizeof(l));
	(void)parse_quote(ps, right->pos, r, sizeof(r));
	if (left->kind == Q_AGG)
		(void)snprintf(l, sizeof(l), "%s", left->agg.what == AGG_SUM ?
		    "sum" : left->agg.what == AGG_COUNT ? "count" :
		    "distinct");
	if (right->kind == Q_CONST && right->type == TYPE_COUNT &&
	    left->type == TYPE_AMOUNT)
		what = "btc";
	else if (right->kind == Q_CONST && right->type == TYPE_COUNT &&
	    left->type == TYPE_TIME)
		what = "h";
	(void)snprintf(hint, sizeof(hint), "write `%s%s%s`", r,
	    what != NULL && *what == 'b' ? " " : "", what != NULL ? what : "");
	diag_error(ps->d, right->pos, what != NULL ? hint : NULL,
	    "`%s` is %s, `%s` is %s", l, type_text(left->type), r,
	    type_text(right->type));
	return false;
}

static bool
not_flags(struct parse *ps, const struct quantity *q)
{
	char	 text[96];

	if (q->type != TYPE_FLAG)
		return true;
	(void)parse_quote(ps, q->pos, text, sizeof(text));
	diag_error(ps->d, q->pos, "write it alone, or with `not`",
	    "`%s` is yes or no; it is not compared", text);
	return false;
}

/* What a chain of `let` comes to, and its factors multiplied. */
static const struct quantity *
q_root(const struct parse *ps, const struct quantity *q, int64_t *times)
{
	*times = q->times;
	while (q->kind == Q_NAME) {
		q = &ps->p->lets[q->index].q;
		if (__builtin_mul_overflow(*times, q->times, times))
			*times = INT64_MAX;
	}
	return q;
}

/* S17: what counts to 8 can never say "more than 12". */
static bool
below_cap(struct parse *ps, const struct quantity *left,
    const struct quantity *right)
{
	const struct quantity	*l, *r;
	int64_t			 lt, rt, value, want = 2;
	int			 cap;
	char			 hint[128];

	l = q_root(ps, left, &lt);
	r = q_root(ps, right, &rt);
	if (l->kind != Q_AGG || l->agg.what != AGG_DISTINCT ||
	    r->kind != Q_CONST)
		return true;
	if (__builtin_mul_overflow(r->value, rt, &value))
		value = INT64_MAX;
	value /= lt;
	cap = agg_cap(&l->agg);
	if (value < cap)
		return true;
	while (want < 65536 && want < 2 * value)
		want *= 2;
	if (want <= value)
		(void)snprintf(hint, sizeof(hint), "the highest cap is 65536");
	else
		(void)snprintf(hint, sizeof(hint),
		    "write `cap %" PRId64 "` (adds %" PRId64 " bytes %s)", want,
		    (want - cap) * 5, l->agg.scope == SCOPE_DESTINATION ?
		    "a destination" : l->agg.scope == SCOPE_ACCOUNT ?
		    "an account" : l->agg.scope == SCOPE_KEY ? "a key" :
		    "each");
	diag_error(ps->d, right->pos, hint,
	    "%" PRId64 " is not below the cap of %d", value, cap);
	return false;
}

struct cond *
cond_compare(struct parse *ps, struct pos pos, struct qval left,
    enum relop rel, struct qval right, struct numval less)
{
	struct cond	*c;

	if (left.bad || right.bad || less.bad ||
	    !not_flags(ps, &left.q) || !not_flags(ps, &right.q) ||
	    !same_type(ps, &left.q, &right.q) ||
	    !below_cap(ps, &left.q, &right.q) ||
	    !below_cap(ps, &right.q, &left.q))
		return NULL;
	if (less.value > 0 && rel != REL_GT && rel != REL_GE) {
		diag_error(ps->d, less.pos, NULL,
		    "`less up to` lowers a threshold: only after `>` or `>=`");
		return NULL;
	}
	if (less.value == 0 || less.value > 900000) {
		diag_error(ps->d, less.pos, NULL,
		    "`less up to` takes more than 0 %% and at most 90 %%");
		return NULL;
	}
	c = cond_new(ps, pos, COND_COMPARE);
	c->left = left.q;
	c->rel = rel;
	c->right = right.q;
	c->less_ppm = less.value > 0 ? less.value : 0;
	return c;
}

struct cond *
cond_line(struct parse *ps, struct pos pos, struct qval left, enum relop rel,
    struct lineval line)
{
	const struct quantity	*q;
	struct cond		*c;
	int64_t			 times;

	if (left.bad || line.bad)
		return NULL;
	q = q_root(ps, &left.q, &times);
	if (q->kind != Q_AGG || times != 1) {
		diag_error(ps->d, left.q.pos, NULL,
		    "only an aggregate has a normal");
		return NULL;
	}
	if (q->agg.scope != SCOPE_PLATFORM) {
		diag_error(ps->d, line.pos, "for an account use `habit`",
		    "a normal is learnt only of what is `on platform`");
		return NULL;
	}
	if (rel == REL_EQ) {
		diag_error(ps->d, line.pos, NULL,
		    "nothing equals its normal; compare with `>`");
		return NULL;
	}
	if ((line.line.has_plus && !same_type(ps, &left.q, &line.line.plus)) ||
	    !same_type(ps, &left.q, &line.line.learnt) ||
	    !below_cap(ps, &left.q, &line.line.learnt))
		return NULL;
	c = cond_new(ps, pos, COND_COMPARE);
	c->left = left.q;
	c->rel = rel;
	c->is_line = true;
	c->line = line.line;
	return c;
}
