/*
 * The canonical form: what the tree says, in one spelling.
 *
 * A statement is first one long line in which the blanks that may not be
 * broken (in quotes) are marked, and then folded at 80 columns.
 */
#include "policy/print.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "policy/mem.h"

#define COLUMNS		80
#define HARD_BLANK	'\001'

/* Text that grows; or, with a fixed end, is cut. */
struct out {
	char	*text;
	size_t	 len;
	size_t	 size;
	bool	 fixed;
};

static void
put(struct out *o, const char *fmt, ...) PRINTF(2, 3);

static void
put_bytes(struct out *o, const char *s, size_t n)
{
	if (o->len + n + 1 > o->size) {
		if (o->fixed) {
			n = o->size - 1 - o->len;
		} else {
			o->size = (o->len + n + 1) * 2;
			o->text = mem_must(realloc(o->text, o->size));
		}
	}
	memcpy(o->text + o->len, s, n);
	o->len += n;
	o->text[o->len] = '\0';
}

static void
put(struct out *o, const char *fmt, ...)
{
	char	 buf[PRINT_TEXT_MAX];
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	assert(n >= 0 && (size_t)n < sizeof(buf));
	put_bytes(o, buf, (size_t)n);
}

static void
put_quoted(struct out *o, const char *s)
{
	char	 c;

	put(o, "\"");
	for (; *s != '\0'; s++) {
		c = *s == ' ' && !o->fixed ? HARD_BLANK : *s;
		put_bytes(o, &c, 1);
	}
	put(o, "\"");
}

char *
print_duration(char *buf, size_t buf_len, int64_t ms)
{
	int64_t	 s = ms / MS_PER_S;

	if (s % 86400 == 0 && s > 86400)
		(void)snprintf(buf, buf_len, "%" PRId64 "d", s / 86400);
	else if (s % 3600 == 0 && s > 0)
		(void)snprintf(buf, buf_len, "%" PRId64 "h", s / 3600);
	else if (s % 60 == 0 && s > 0)
		(void)snprintf(buf, buf_len, "%" PRId64 "m", s / 60);
	else
		(void)snprintf(buf, buf_len, "%" PRId64 "s", s);
	return buf;
}

char *
print_number(char *buf, size_t buf_len, int64_t n)
{
	char	 digits[24];
	size_t	 len, i, at = 0;

	len = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, n);
	for (i = 0; i < len && at + 2 < buf_len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf[at++] = ',';
		buf[at++] = digits[i];
	}
	buf[at] = '\0';
	return buf;
}

char *
print_percent(char *buf, size_t buf_len, int64_t ppm)
{
	char	 num[32], frac[8];
	int	 n;

	(void)snprintf(frac, sizeof(frac), "%04d", (int)(ppm % 10000));
	for (n = 4; n > 0 && frac[n - 1] == '0'; n--)
		continue;
	(void)snprintf(buf, buf_len, "%s%s%.*s %%",
	    print_number(num, sizeof(num), ppm / 10000), n > 0 ? "." : "",
	    n, frac);
	return buf;
}

char *
print_amount(char *buf, size_t buf_len, int64_t sat)
{
	char	 num[AMOUNT_TEXT_MAX];

	(void)snprintf(buf, buf_len, "%s btc", amount_format_short(num, sat));
	return buf;
}

char *
print_date(char *buf, size_t buf_len, int64_t day)
{
	int	 y, m, d;

	civil_date(day, &y, &m, &d);
	(void)snprintf(buf, buf_len, "%04d-%02d-%02d", y, m, d);
	return buf;
}

static void
put_agg(struct out *o, const struct policy *p, const struct agg *a)
{
	char	 num[32];

	switch (a->what) {
	case AGG_SUM:
		put(o, "sum");
		break;
	case AGG_COUNT:
		put(o, "count");
		break;
	case AGG_DISTINCT:
		put(o, "distinct %s", thing_text(a->thing));
		if (a->cap != 0)
			put(o, " cap %s", print_number(num, sizeof(num),
			    a->cap));
		break;
	}
	put(o, " %s ", stage_text(a->stage));
	switch (a->scope) {
	case SCOPE_ACCOUNT:
		put(o, "by account");
		break;
	case SCOPE_KEY:
		put(o, "by key");
		break;
	case SCOPE_IP:
		put(o, "by ip/%d", a->prefix);
		break;
	case SCOPE_IP6:
		put(o, "by ip6/%d", a->prefix);
		break;
	case SCOPE_PARTNER:
		put(o, "by partner");
		break;
	case SCOPE_GROUP:
		put(o, "by group");
		break;
	case SCOPE_GROUP_TABLE:
		put(o, "by group of <%s>", p->tables[a->table].name);
		break;
	case SCOPE_DESTINATION:
		put(o, "to destination");
		break;
	case SCOPE_PLATFORM:
		put(o, "on platform");
		break;
	}
	put(o, " in %s", print_duration(num, sizeof(num), a->window_ms));
	if (a->cls >= 0)
		put(o, " of %s%s", a->cls_not ? "not " : "",
		    p->classes[a->cls].name);
}

static void
put_value(struct out *o, enum type type, int64_t value)
{
	char	 num[64];

	switch (type) {
	case TYPE_AMOUNT:
		put(o, "%s", print_amount(num, sizeof(num), value));
		break;
	case TYPE_COUNT:
		put(o, "%s", print_number(num, sizeof(num), value));
		break;
	case TYPE_TIME:
		put(o, "%s", print_duration(num, sizeof(num), value));
		break;
	case TYPE_FLAG:
		put(o, value != 0 ? "yes" : "no");
		break;
	}
}

static void
put_quantity(struct out *o, const struct policy *p, const struct quantity *q)
{
	char	 num[64];

	if (q->times != 1)
		put(o, "%s x ", print_number(num, sizeof(num), q->times));
	switch (q->kind) {
	case Q_CONST:
		put_value(o, q->type, q->value);
		break;
	case Q_SHARE:
		put(o, "%s of %s", print_percent(num, sizeof(num), q->ppm),
		    q->of_fund ? "fund" : "hot");
		break;
	case Q_FACT:
		put(o, "%s", word_of(q->fact)->text);
		break;
	case Q_DECLARED:
		put(o, "%s", p->declared[q->index].name);
		break;
	case Q_AGG:
		put_agg(o, p, &q->agg);
		break;
	case Q_NAME:
		put(o, "%s", p->lets[q->index].name);
		break;
	}
}

static void
put_line(struct out *o, const struct policy *p, const struct line *l)
{
	char	 num[64];

	put(o, "%snormal by %s", l->busy ? "busy " : "",
	    print_percent(num, sizeof(num), l->by_ppm));
	if (l->has_plus) {
		put(o, " plus ");
		put_quantity(o, p, &l->plus);
	}
	put(o, " until learnt ");
	put_quantity(o, p, &l->learnt);
}

static void
put_compare(struct out *o, const struct policy *p, const struct cond *c)
{
	char	 num[64];

	put_quantity(o, p, &c->left);
	put(o, " %s ", relop_text(c->rel));
	if (!c->is_line) {
		put_quantity(o, p, &c->right);
		if (c->less_ppm > 0)
			put(o, " less up to %s",
			    print_percent(num, sizeof(num), c->less_ppm));
		return;
	}
	put_line(o, p, &c->line);
}

/* Bounded: the parser lets no more than PARENS_MAX stand within another. */
static void
put_cond(struct out *o, const struct policy *p, const struct cond *c)
{
	static const char *const subject[] = {
		[IN_DESTINATION] = "destination", [IN_ACCOUNT] = "account",
		[IN_IP] = "ip", [IN_GROUP] = "group" };
	char	 num[64];
	int	 i;

	if (c->parens)
		put(o, "(");
	switch (c->kind) {
	case COND_OR:
	case COND_AND:
		for (i = 0; i < c->n_kids; i++) {
			if (i > 0)
				put(o, c->kind == COND_OR ? " or " : " and ");
			put_cond(o, p, c->kids[i]);
		}
		break;
	case COND_NOT:
		put(o, "not ");
		put_cond(o, p, c->kids[0]);
		break;
	case COND_COMPARE:
		put_compare(o, p, c);
		break;
	case COND_FLAG:
		put_quantity(o, p, &c->left);
		break;
	case COND_IN:
		put(o, "%s in <%s>", subject[c->subject],
		    p->tables[c->index].name);
		break;
	case COND_CLASS:
		put(o, "%s", p->classes[c->index].name);
		break;
	case COND_FRAUD:
		put(o, "confirmed fraud in %s",
		    print_duration(num, sizeof(num), c->window_ms));
		break;
	}
	if (c->parens)
		put(o, ")");
}

static void
put_rule(struct out *o, const struct policy *p, const struct rule *r)
{
	char	 num[64];

	if (r->shadow)
		put(o, "shadow ");
	put(o, "%s", verdict_text(r->verdict));
	if (r->verdict == VERDICT_DELAY)
		put(o, " %s", print_duration(num, sizeof(num), r->delay_ms));
	if (r->verdict == VERDICT_HOLD && r->people > 1)
		put(o, " by %d", r->people);
	switch (r->lot) {
	case LOT_NONE:
		break;
	case LOT_IN:
		put(o, " by lot 1 in %s",
		    print_number(num, sizeof(num), r->lot_in));
		break;
	case LOT_PER:
		put(o, " by lot 1 per ");
		put_quantity(o, p, &r->lot_per);
		break;
	}
	if (r->name != NULL) {
		put(o, " ");
		put_quoted(o, r->name);
	}
	if (r->cond != NULL) {
		put(o, " when ");
		put_cond(o, p, r->cond);
	}
	if (r->until_day != INT64_MAX)
		put(o, " until %s", print_date(num, sizeof(num),
		    r->until_day));
}

/* Without quotes; between `from` and `when` every word is a label. */
static bool
label_is_plain(const char *name)
{
	size_t	 i;

	if (!((*name >= 'a' && *name <= 'z') ||
	    (*name >= 'A' && *name <= 'Z')))
		return false;
	for (i = 0; name[i] != '\0'; i++)
		if (!((name[i] >= 'a' && name[i] <= 'z') ||
		    (name[i] >= 'A' && name[i] <= 'Z') ||
		    (name[i] >= '0' && name[i] <= '9') || name[i] == '-' ||
		    name[i] == '_' || name[i] == ' '))
			return false;
	return strcmp(name, "when") != 0;
}

static void
put_label(struct out *o, const char *name)
{
	char	 c;

	if (!label_is_plain(name)) {
		put_quoted(o, name);
		return;
	}
	for (; *name != '\0'; name++) {
		c = *name == ' ' ? '-' : *name;
		put_bytes(o, &c, 1);
	}
}

static void
put_exempt(struct out *o, const struct policy *p, const struct exempt *x)
{
	char	 num[64];
	int	 i;

	put(o, "exempt ");
	put_quoted(o, x->name);
	put(o, " from ");
	for (i = 0; i < x->n_rules; i++) {
		if (i > 0)
			put(o, ", ");
		put_label(o, p->rules[x->rules[i]].name);
	}
	put(o, " when ");
	put_cond(o, p, x->cond);
	put(o, " upto %s", print_amount(num, sizeof(num), x->upto_sat));
	put(o, " in %s", print_duration(num, sizeof(num), x->upto_ms));
	if (x->count > 0) {
		put(o, ", %s", print_number(num, sizeof(num), x->count));
		put(o, " in %s", print_duration(num, sizeof(num),
		    x->count_ms));
	}
	put(o, " until %s", print_date(num, sizeof(num), x->until_day));
}

static void
put_rows(struct out *o, const struct table *t)
{
	size_t	 i;

	put(o, " {");
	for (i = 0; i < t->n_rows; i++) {
		if (i > 0 && (t->kind != TABLE_GROUPS ||
		    t->rows[i].group != t->rows[i - 1].group))
			put(o, ",");
		put(o, " ");
		/* What the scanner would not take as one item. */
		if (strpbrk(t->rows[i].text, ",}#\"") != NULL)
			put_quoted(o, t->rows[i].text);
		else
			put_bytes(o, t->rows[i].text,
			    strlen(t->rows[i].text));
	}
	put(o, " }");
}

static void
put_table(struct out *o, const struct table *t)
{
	static const char *const kinds[] = {
		[TABLE_ADDRESSES] = "addresses", [TABLE_ACCOUNTS] = "accounts",
		[TABLE_NETWORKS] = "networks", [TABLE_GROUPS] = "groups" };

	put(o, "table <%s> of %s", t->name, kinds[t->kind]);
	if (t->path == NULL) {
		put_rows(o, t);
		return;
	}
	put(o, " file ");
	put_quoted(o, t->path);
}

static void
put_trust(struct out *o, const struct trust *t)
{
	char	 num[64];

	put(o, "trust proven after %s", print_duration(num, sizeof(num),
	    t->after_ms));
	put(o, " full at %s", print_duration(num, sizeof(num), t->full_ms));
	put(o, " used in %s", print_duration(num, sizeof(num), t->used_ms));
	if (t->upto_ppm > 0)
		put(o, " upto %s of hot", print_percent(num, sizeof(num),
		    t->upto_ppm));
	else
		put(o, " upto %s", print_amount(num, sizeof(num),
		    t->upto_sat));
}

static void
put_ceiling(struct out *o, const struct policy *p, const struct ceiling *c)
{
	char	 num[64];

	put(o, "ceiling ");
	put_quantity(o, p, &c->limit);
	put(o, " in %s", print_duration(num, sizeof(num), c->window_ms));
	if (c->each_sat > 0)
		put(o, ", %s each", print_amount(num, sizeof(num),
		    c->each_sat));
}

static void
put_mode(struct out *o, const struct policy *p)
{
	char	 num[64];

	switch (p->mode) {
	case MODE_ENFORCE:
		put(o, "mode enforce");
		if (p->enforce_above_sat > 0)
			put(o, " above %s", print_amount(num, sizeof(num),
			    p->enforce_above_sat));
		break;
	case MODE_ADVISE:
		put(o, "mode advise");
		break;
	case MODE_OBSERVE:
		put(o, "mode observe");
		break;
	}
}

static void
put_unknown(struct out *o, const struct policy *p, enum fact fact)
{
	if (fact == FACT_DEVICE_NEW) {
		put(o, "unknown device is %s",
		    p->unknown[fact] != 0 ? "new" : "known");
		return;
	}
	put(o, "unknown %s is ", word_of(fact)->text);
	put_value(o, word_of(fact)->type, p->unknown[fact]);
}

static void
put_declare(struct out *o, const struct declared *d)
{
	static const char *const kinds[] = { [TYPE_AMOUNT] = "amount",
		[TYPE_COUNT] = "number", [TYPE_TIME] = "time",
		[TYPE_FLAG] = "flag" };

	put(o, "declare %s %s unknown is ", d->name, kinds[d->type]);
	put_value(o, d->type, d->unknown);
}

static void
put_stmt(struct out *o, const struct policy *p, const struct stmt *s)
{
	switch (s->kind) {
	case STMT_DEFAULT:
		put(o, "default %s", verdict_text(p->dflt));
		break;
	case STMT_INCLUDE:
		break;
	case STMT_SET:
		put(o, "set %s", s->text);
		break;
	case STMT_MODE:
		put_mode(o, p);
		break;
	case STMT_DECLARE:
		put_declare(o, &p->declared[s->index]);
		break;
	case STMT_UNKNOWN:
		put_unknown(o, p, (enum fact)s->index);
		break;
	case STMT_TABLE:
		put_table(o, &p->tables[s->index]);
		break;
	case STMT_TRUST:
		put_trust(o, &p->trust);
		break;
	case STMT_LET:
		put(o, "let %s = ", p->lets[s->index].name);
		put_quantity(o, p, &p->lets[s->index].q);
		break;
	case STMT_CLASS:
		put(o, "class %s when ", p->classes[s->index].name);
		put_cond(o, p, p->classes[s->index].cond);
		break;
	case STMT_RULE:
		put_rule(o, p, &p->rules[s->index]);
		break;
	case STMT_EXEMPT:
		put_exempt(o, p, &p->exempts[s->index]);
		break;
	case STMT_CEILING:
		put_ceiling(o, p, &p->ceilings[s->index]);
		break;
	}
}

/* A blank before one of these is a good place to break. */
static bool
good_break(const char *s)
{
	static const char *const words[] = { "when ", "and ", "or ", "until ",
		"upto ", "from " };
	size_t	 i;

	if (strncmp(s, "until learnt", 12) == 0)
		return false;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(s, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

/* A number keeps its unit, and a small word what it belongs to. */
static bool
bad_break(const char *s, size_t i)
{
	static const char *const words[] = { "of", "not", "in", "to", "on",
		"by", "x" };
	size_t	 k, n;

	if (s[i + 1] == '%' || strncmp(s + i + 1, "btc", 3) == 0)
		return true;
	for (k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
		n = strlen(words[k]);
		if (i > n && s[i - n - 1] == ' ' &&
		    memcmp(s + i - n, words[k], n) == 0)
			return true;
	}
	return false;
}

/* Where to end the line that begins at s: at a good place behind its first
 * third, else at the last blank, else after the first word. */
static size_t
fold_at(const char *s, int columns)
{
	size_t	 i, good = 0, any = 0;
	int	 col = 0;

	/* No further than needed: a table may be one line of megabytes. */
	for (i = 0; s[i] != '\0' && (col <= columns || any == 0); i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			col++;
		if (s[i] == ' ' && !bad_break(s, i)) {
			any = i;
			if (col > columns / 3 && col <= columns + 1 &&
			    good_break(s + i + 1))
				good = i;
		}
	}
	if (s[i] == '\0' && col <= columns)
		return i;
	return good > 0 ? good : any > 0 ? any : i;
}

static void
print_folded(const char *s, FILE *out)
{
	size_t	 n, i;
	int	 columns = COLUMNS;

	for (;;) {
		n = fold_at(s, columns);
		for (i = 0; i < n; i++)
			(void)fputc(s[i] == HARD_BLANK ? ' ' : s[i], out);
		(void)fputc('\n', out);
		if (s[n] == '\0')
			return;
		s += n + 1;
		(void)fputs("    ", out);
		columns = COLUMNS - 4;
	}
}

void
policy_print(const struct policy *p, FILE *out)
{
	struct out	 o = { 0 };
	int		 i;

	(void)fputs("policy 1\n", out);
	for (i = 0; i < p->n_stmts; i++) {
		o.len = 0;
		put_stmt(&o, p, &p->stmts[i]);
		if (o.len > 0)
			print_folded(o.text, out);
	}
	free(o.text);
}

static struct out
fixed(char *buf, size_t buf_len)
{
	struct out	 o = { .text = buf, .size = buf_len, .fixed = true };

	assert(buf_len > 0);
	buf[0] = '\0';
	return o;
}

char *
print_quantity(const struct policy *p, char *buf, size_t buf_len,
    const struct quantity *q)
{
	struct out	 o = fixed(buf, buf_len);

	put_quantity(&o, p, q);
	return buf;
}

char *
print_agg(const struct policy *p, char *buf, size_t buf_len,
    const struct agg *a)
{
	struct out	 o = fixed(buf, buf_len);

	put_agg(&o, p, a);
	return buf;
}

char *
print_cond(const struct policy *p, char *buf, size_t buf_len,
    const struct cond *c)
{
	struct out	 o = fixed(buf, buf_len);

	put_cond(&o, p, c);
	return buf;
}

char *
print_line(const struct policy *p, char *buf, size_t buf_len,
    const struct line *l)
{
	struct out	 o = fixed(buf, buf_len);

	put_line(&o, p, l);
	return buf;
}

char *
print_stmt(const struct policy *p, char *buf, size_t buf_len,
    const struct stmt *s)
{
	struct out	 o = fixed(buf, buf_len);

	put_stmt(&o, p, s);
	return buf;
}
