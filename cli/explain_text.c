/*
 * The story of one withdrawal for people: what it was, what happened to it
 * and why, and what it is now.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/explain.h"
#include "lib/amount.h"
#include "lib/civil.h"
#include "lib/term.h"
#include "policy/print.h"

#define WIDTH		80
#define NAME_WIDTH_MAX	44
#define FACTS_MAX	(SLOTS_MAX + 64 + 3)

struct page {
	FILE		*f;
	struct term	 t;
	struct story	*s;
	const struct story_event *ev;
	/* After the last one. */
	bool		 any;
	enum state	 state;
	int64_t		 due_ms;
	int64_t		 since_ms;
	int		 people;
	bool		 receipt;
	bool		 history;
};

static void
put_style(const struct page *p, enum term_style s)
{
	(void)fputs(term_style(&p->t, s), p->f);
}

static void
put_safe(const struct page *p, const char *text, size_t len)
{
	char	 safe[TOLD_MAX];

	(void)fputs(term_safe(&p->t, safe, sizeof(safe), text, len), p->f);
}

static int
columns(const char *s)
{
	int	 n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* Words up to the 80th column; what follows the first line goes deeper. */
static void
put_wrapped(const struct page *p, const char *text, int indent, int column)
{
	char		 safe[RULE_TEXT_MAX];
	const char	*at = term_safe(&p->t, safe, sizeof(safe), text,
	    strlen(text));
	bool		 first = true;
	size_t		 n;

	while (*at != '\0') {
		n = strcspn(at, " ");
		if (!first && column + 1 + (int)n > WIDTH) {
			(void)fprintf(p->f, "\n%*s", indent, "");
			column = indent;
		} else if (!first) {
			(void)fputc(' ', p->f);
			column++;
		}
		(void)fprintf(p->f, "%.*s", (int)n, at);
		column += (int)n;
		first = false;
		at += n;
		at += strspn(at, " ");
	}
	(void)fputc('\n', p->f);
}

static enum term_style
style_of(enum state s)
{
	switch (s) {
	case STATE_WAITING:
	case STATE_STOPPED:
	case STATE_HELD:
		return STYLE_WARN;
	case STATE_RELEASED:
	case STATE_PAID:
		return STYLE_GOOD;
	case STATE_DENIED:
	case STATE_CANCELLED:
	case STATE_EXPIRED:
	case STATE_FAILED:
		return STYLE_BAD;
	}
	return STYLE_PLAIN;
}

/* Rules */

struct fact_line {
	char	 name[128];
	char	 value[96];
};

/* Of one decision. */
struct fact_lines {
	struct fact_line list[FACTS_MAX];
	size_t	 n;
	int	 width;
};

static void
collect(void *ctx, const char *name, const char *value)
{
	struct fact_lines	*l = ctx;
	struct fact_line	*one;
	int			 width;
	size_t			 i;

	/* What an earlier rule read is told there. */
	for (i = 0; i < l->n; i++)
		if (strcmp(l->list[i].name, name) == 0 &&
		    strcmp(l->list[i].value, value) == 0)
			return;
	if (l->n == FACTS_MAX)
		return;
	one = &l->list[l->n++];
	(void)snprintf(one->name, sizeof(one->name), "%s", name);
	(void)snprintf(one->value, sizeof(one->value), "%s", value);
	width = columns(one->name);
	if (width > NAME_WIDTH_MAX)
		width = NAME_WIDTH_MAX;
	if (width > l->width)
		l->width = width;
}

/* A name longer than its column goes on in the next line. */
static void
put_fact(const struct page *p, const struct fact_line *l, int width)
{
	const char	*at = l->name;
	int		 used = 0, n;

	put_style(p, STYLE_DIM);
	(void)fputs("        ", p->f);
	while (*at != '\0') {
		n = (int)strcspn(at, " ");
		if (used > 0 && used + 1 + n > width) {
			(void)fputs("\n          ", p->f);
			used = 2;
		} else if (used > 0) {
			(void)fputc(' ', p->f);
			used++;
		}
		(void)fprintf(p->f, "%.*s", n, at);
		used += n;
		at += n;
		at += strspn(at, " ");
	}
	(void)fprintf(p->f, "%*s  ", width > used ? width - used : 0, "");
	put_style(p, STYLE_PLAIN);
	(void)fprintf(p->f, "%s\n", l->value);
}

static void
put_facts(const struct page *p, struct fact_lines *l,
    const struct outcome_record *r, int i, const struct program *prog)
{
	size_t	 k = l->n;

	l->width = 12;
	rule_facts(r, i, prog, collect, l);
	for (; k < l->n; k++)
		put_fact(p, &l->list[k], l->width);
}

/* The file's own name is enough: which one it is stands at the top. */
static const char *
short_where(const char *where)
{
	const char	*slash = strrchr(where, '/');

	return slash != NULL ? slash + 1 : where;
}

/* "    hold for 1 person  giant        default.policy:107" */
static void
put_rule_head(const struct page *p, const char *asks, const char *note,
    enum term_style style, const char *name, const char *where)
{
	char	 safe[128];
	int	 used;

	put_style(p, style);
	(void)fprintf(p->f, "    %-18s", asks);
	put_style(p, STYLE_BOLD);
	(void)term_safe(&p->t, safe, sizeof(safe), name, strlen(name));
	(void)fprintf(p->f, " %s", safe);
	put_style(p, STYLE_PLAIN);
	used = 4 + (columns(asks) > 18 ? columns(asks) : 18) + 1 +
	    columns(safe);
	if (note != NULL) {
		(void)fprintf(p->f, " (%s)", note);
		used += columns(note) + 3;
	}
	if (where != NULL && strcmp(where, name) != 0) {
		where = short_where(where);
		put_style(p, STYLE_DIM);
		(void)fprintf(p->f, "%*s%s", WIDTH - used - columns(where) > 2 ?
		    WIDTH - used - columns(where) : 2, "", where);
		put_style(p, STYLE_PLAIN);
	}
	(void)fputc('\n', p->f);
}

static void
put_rule(const struct page *p, struct fact_lines *l,
    const struct outcome_record *r, int i, const struct program *prog)
{
	static const char *const	 notes[] = {
		[RULE_MATCHED] = NULL,
		[RULE_SHADOWED] = "shadow: only reported",
		[RULE_EXEMPTED] = "silenced by an exemption",
		[RULE_FAILED] = "asked what nobody knew",
	};
	const struct prog_rule		*rule = &prog->rules[r->rules[i]];
	char				 text[RULE_TEXT_MAX];
	char				 asks[TOLD_MAX];
	bool				 real = r->did[i] == RULE_MATCHED;

	put_rule_head(p, rule_asks(asks, prog, r->rules[i]),
	    notes[r->did[i]], !real ? STYLE_DIM :
	    rule->verdict == VERDICT_ALLOW ? STYLE_GOOD : STYLE_WARN,
	    rule->name, rule->where);
	if (*rule_text(text, prog, r->rules[i]) != '\0') {
		(void)fputs("      ", p->f);
		put_wrapped(p, text, 10, 6);
	}
	put_facts(p, l, r, i, prog);
}

static const char *
error_text(enum eval_error error)
{
	switch (error) {
	case EVAL_OK:
		break;
	case EVAL_UNKNOWN:
		return "a reading that was never given";
	case EVAL_FULL:
		return "a table is full";
	case EVAL_OVERFLOW:
		return "a number too large";
	}
	return "";
}

static enum rc
put_judged(const struct page *p, const struct outcome_record *r,
    struct err *e)
{
	static struct fact_lines	 facts;
	const struct story_policy	*pol;
	char				 where[256];
	enum rc				 rc;
	int				 i;

	if ((rc = story_policy(&pol, p->s, p->ev, e)) != RC_OK)
		return rc;
	if (pol == NULL)
		return RC_OK;
	if (pol->program == NULL) {
		(void)fprintf(p->f, "    Its policy (event %ju) cannot be read "
		    "by this program: %s\n", (uintmax_t)pol->seq,
		    pol->why.text);
		return RC_OK;
	}
	facts.n = 0;
	for (i = 0; i < r->n_rules; i++)
		if (rule_spoke(r, i, pol->program))
			put_rule(p, &facts, r, i, pol->program);
	if (r->by_default)
		put_rule_head(p, verdict_text(pol->policy->dflt),
		    "no rule allowed it", STYLE_WARN, "default",
		    rule_default_where(where, sizeof(where), pol->program));
	if (r->error != EVAL_OK)
		put_rule_head(p, "hold", error_text(r->error), STYLE_WARN,
		    "builtin:error", NULL);
	return RC_OK;
}

/* What happened */

static const char *
moved_text(const struct command *c, const struct outcome_record *r)
{
	switch (r->cause) {
	case CAUSE_PEOPLE:
		if (c->type == COMMAND_RELEASE)
			return r->state == STATE_HELD ?
			    "one person more let it go" :
			    "people let it go";
		if (c->type == COMMAND_DENY)
			return "people refused it";
		return c->type == COMMAND_OUTCOME ?
		    "reported from outside" : "people had let it go";
	case CAUSE_CUSTOMER:
		return c->not_me ? "the customer: not me" :
		    "the customer took it back";
	case CAUSE_EXPIRED:
		return "nobody answered in time";
	case CAUSE_FROZEN:
		return c->key.p != NULL ? "its key was frozen" :
		    "its account was frozen";
	case CAUSE_HALT:
		return "everything stopped";
	case CAUSE_RESUMED:
		return "everything went on";
	case CAUSE_CODE:
		return "a code came";
	case CAUSE_FACT:
		return "a fact changed";
	case CAUSE_MATURED:
		return "its time came";
	case CAUSE_PAYMENT:
		return c->type == COMMAND_BURNED ?
		    "the signer will never sign it" :
		    r->state == STATE_PAID ? "it was paid" :
		    "the payment failed";
	case CAUSE_ASKED:
		break;
	}
	return "it moved";
}

static const char *
decided_text(const struct outcome_record *r)
{
	switch (r->cause) {
	case CAUSE_ASKED:
		return "decided again";
	case CAUSE_MATURED:
		return "its delay ended";
	case CAUSE_RESUMED:
		return "everything went on";
	case CAUSE_FACT:
		return "a fact changed";
	case CAUSE_CODE:
		return "a code came";
	case CAUSE_PEOPLE:
		return "people let it go";
	case CAUSE_CUSTOMER:
	case CAUSE_EXPIRED:
	case CAUSE_FROZEN:
	case CAUSE_HALT:
	case CAUSE_PAYMENT:
		break;
	}
	return "decided again";
}

static const char *
taken_text(const struct command *c)
{
	switch (c->type) {
	case COMMAND_RECEIPT:
		return "its receipt was issued";
	case COMMAND_CODE:
		return "a code came";
	case COMMAND_FACT:
		return "a fact came";
	case COMMAND_WITHDRAW:
		return "asked for";
	case COMMAND_RELEASE:
		return "one person let it go, and others must";
	case COMMAND_DENY:
	case COMMAND_CANCEL:
	case COMMAND_OUTCOME:
	case COMMAND_BURNED:
		return "taken note of";
	case COMMAND_TICK:
	case COMMAND_GENESIS:
	case COMMAND_POLICY:
	case COMMAND_RESTORED:
	case COMMAND_CLOCK:
	case COMMAND_ACCOUNT:
	case COMMAND_KEY:
	case COMMAND_KEY_REVOKE:
	case COMMAND_SECURITY_CHANGE:
	case COMMAND_LOGIN:
	case COMMAND_DEPOSIT:
	case COMMAND_BALANCE:
	case COMMAND_HOT_BALANCE:
	case COMMAND_FUND:
	case COMMAND_CHAIN_SEEN:
	case COMMAND_ADDRESS_ADD:
	case COMMAND_ADDRESS_REMOVE:
	case COMMAND_FREEZE:
	case COMMAND_UNFREEZE:
	case COMMAND_HALT:
	case COMMAND_RESUME:
	case COMMAND_SECRET:
	case COMMAND_CODE_USED:
	case COMMAND_DOOR_KEY:
	case COMMAND_OPERATOR:
	case COMMAND_QUORUM:
	case COMMAND_PROPOSAL:
	case COMMAND_APPROVAL:
	case COMMAND_DISCARD:
	case COMMAND_SIGNER_HEAD:
	case COMMAND__END:
		break;
	}
	return command_type_text(c->type);
}

static const char *
what_text(const struct command *c, const struct outcome_record *r)
{
	switch (r->type) {
	case OUTCOME_DECIDED:
		return c->history ? "imported: it was before go-live" :
		    r->why == WHY_CONFLICT ? "asked for with other content" :
		    "asked for";
	case OUTCOME_REPEATED:
		return "asked for again, the same";
	case OUTCOME_REDECIDED:
		return decided_text(r);
	case OUTCOME_MOVED:
		return moved_text(c, r);
	case OUTCOME_TAKEN:
		return taken_text(c);
	case OUTCOME_REFUSED:
	case OUTCOME_HALTED:
	case OUTCOME_RESUMED:
		break;
	}
	return command_type_text(c->type);
}

/* Who and why, under the line that says what. */
static void
put_who(const struct page *p, const struct command *c,
    const struct outcome_record *r)
{
	bool	 mine = c->id.p != NULL && text_equal(c->id, p->s->id);
	bool	 frozen = r->cause == CAUSE_FROZEN ||
		     r->cause == CAUSE_HALT || r->cause == CAUSE_RESUMED;

	if ((!mine && !frozen) || (c->by.p == NULL && c->reason.p == NULL))
		return;
	(void)fputs("    ", p->f);
	if (c->by.p != NULL) {
		(void)fputs("by ", p->f);
		put_style(p, STYLE_BOLD);
		put_safe(p, c->by.p, c->by.len);
		put_style(p, STYLE_PLAIN);
	}
	if (c->reason.p != NULL) {
		(void)fputs(c->by.p != NULL ? ": \"" : "\"", p->f);
		put_safe(p, c->reason.p, c->reason.len);
		(void)fputc('"', p->f);
	}
	(void)fputc('\n', p->f);
}

static void
remember(struct page *p, const struct command *c,
    const struct outcome_record *r)
{
	if (c->type == COMMAND_RECEIPT && r->type == OUTCOME_TAKEN)
		p->receipt = true;
	if (r->type == OUTCOME_TAKEN || r->type == OUTCOME_REFUSED ||
	    r->why == WHY_CONFLICT)
		return;
	if (!p->any || p->state != r->state)
		p->since_ms = r->t_ms;
	p->any = true;
	p->state = r->state;
	p->due_ms = r->due_ms;
	p->history |= c->history;
	if (r->judged)
		p->people = r->people;
}

/* The event's, after what is in that line already. */
static void
put_number(const struct page *p, uint64_t seq, int used)
{
	char	 text[32];

	(void)snprintf(text, sizeof(text), "[%ju]", (uintmax_t)seq);
	put_style(p, STYLE_DIM);
	(void)fprintf(p->f, "%s%s\n", used + 2 + columns(text) > WIDTH ?
	    "\n    " : "  ", text);
	put_style(p, STYLE_PLAIN);
}

static enum rc
put_outcome(void *ctx, const struct command *c,
    const struct outcome_record *r, struct err *e)
{
	struct page	*p = ctx;
	char		 when[CIVIL_TEXT_MAX], text[TOLD_MAX];
	const char	*what = what_text(c, r);
	int		 used;
	enum term_style	 style = r->type == OUTCOME_REFUSED ? STYLE_BAD :
	    style_of(r->state);

	remember(p, c, r);
	put_style(p, STYLE_BOLD);
	(void)fprintf(p->f, "\n%s  %s", civil_format(when, r->t_ms), what);
	put_style(p, STYLE_PLAIN);
	used = columns(when) + 2 + columns(what);
	if (*told_outcome(text, r) != '\0') {
		(void)fputs(": ", p->f);
		put_style(p, style);
		(void)fputs(text, p->f);
		put_style(p, STYLE_PLAIN);
		used += 2 + columns(text);
	}
	put_number(p, p->ev->seq, used);
	put_who(p, c, r);
	if (c->type == COMMAND_FACT && r->type == OUTCOME_TAKEN) {
		(void)fputs("    ", p->f);
		(void)told_command(text, c, &p->s->told);
		put_safe(p, text, strlen(text));
		(void)fputc('\n', p->f);
	}
	if (r->judged && r->would != r->verdict)
		(void)fprintf(p->f, "    The policy said %s; its mode only "
		    "watches.\n", verdict_text(r->would));
	if (r->due_ms != INT64_MAX && r->state == STATE_WAITING)
		(void)fprintf(p->f, "    until %s UTC\n",
		    civil_format(when, r->due_ms));
	return r->judged ? put_judged(p, r, e) : RC_OK;
}

/* The top */

static void
label(const struct page *p, const char *name)
{
	put_style(p, STYLE_DIM);
	(void)fprintf(p->f, "  %-10s", name);
	put_style(p, STYLE_PLAIN);
}

static void
put_name(const struct page *p, const char *name, struct text t)
{
	if (t.p == NULL)
		return;
	label(p, name);
	put_safe(p, t.p, t.len);
	(void)fputc('\n', p->f);
}

static void
put_first(const struct page *p)
{
	const struct command	*c = &p->s->first;
	struct command		 rest_of = *c;
	char			 n[AMOUNT_TEXT_MAX], when[CIVIL_TEXT_MAX];
	char			 text[TOLD_MAX];
	char			*rest;

	if (c->type != COMMAND_WITHDRAW) {
		(void)fputs("  How it was asked for is not in this "
		    "journal.\n", p->f);
		return;
	}
	label(p, "asked for");
	(void)fprintf(p->f, "%s UTC\n", civil_format(when, c->t_ms));
	put_name(p, "account", c->account);
	put_name(p, "key", c->key);
	label(p, "amount");
	(void)fprintf(p->f, "%s btc\n", amount_format_short(n,
	    c->amount_sat));
	/* "AMOUNT btc to ADDRESS, via ...": from the address on. */
	rest_of.key = rest_of.reason = text_of(NULL);
	(void)told_command(text, &rest_of, &p->s->told);
	rest = strstr(text, " to ");
	if (rest == NULL)
		return;
	rest += strlen(" to ");
	label(p, "to");
	put_safe(p, rest, strcspn(rest, ","));
	(void)fputc('\n', p->f);
	rest += strcspn(rest, ",");
	if (*rest == ',')
		rest += 2;
	label(p, "how");
	put_wrapped(p, rest, 12, 12);
}

static void
put_now(const struct page *p)
{
	char	 when[CIVIL_TEXT_MAX];

	put_style(p, STYLE_BOLD);
	(void)fputs("\nNow", p->f);
	put_style(p, STYLE_PLAIN);
	if (!p->s->keys) {
		(void)fputs(" cannot be told: without the keyring, what "
		    "happened to it by itself\n(a delay that ended, an expiry, "
		    "a halt) is not recognised.\n", p->f);
		return;
	}
	if (!p->any) {
		(void)fputs(" nothing: it was never decided.\n", p->f);
		return;
	}
	(void)fputc(' ', p->f);
	put_style(p, style_of(p->state));
	(void)fputs(state_text(p->state), p->f);
	put_style(p, STYLE_PLAIN);
	(void)fprintf(p->f, " since %s UTC", civil_format(when,
	    p->since_ms));
	if (p->state == STATE_WAITING && p->due_ms != INT64_MAX)
		(void)fprintf(p->f, ", until %s", civil_format(when,
		    p->due_ms));
	else if (p->state == STATE_HELD && p->people > 0)
		(void)fprintf(p->f, ", for %d %s", p->people,
		    p->people == 1 ? "person" : "people");
	else if (p->state == STATE_STOPPED)
		(void)fputs(", until everything goes on", p->f);
	else if (p->state == STATE_RELEASED && p->receipt)
		(void)fputs(", and its receipt is issued", p->f);
	(void)fputs(".\n", p->f);
}

enum rc
explain_text(struct story *s, FILE *f, struct err *e)
{
	struct page	 p = { .f = f, .t = term_of(f), .s = s };
	size_t		 i;
	enum rc		 rc;

	(void)fputs("withdrawal ", f);
	put_style(&p, STYLE_BOLD);
	put_safe(&p, s->id.p, s->id.len);
	put_style(&p, STYLE_PLAIN);
	(void)fputc('\n', f);
	put_first(&p);
	for (i = 0; i < s->n; i++) {
		p.ev = &s->events[i];
		if ((rc = story_outcomes(s, p.ev, put_outcome, &p, e)) !=
		    RC_OK)
			return rc;
	}
	put_now(&p);
	if (fflush(f) != 0 || ferror(f))
		return err_set(e, "standard output: %s", strerror(errno));
	return RC_OK;
}
