/*
 * Rules and facts as people read them: the rule's own words, and what it
 * read.
 */
#include <stdio.h>
#include <string.h>

#include "cli/explain.h"
#include "policy/print.h"
#include "policy/slot.h"

/* The rule */

/* Where a rule stands; false: nowhere. */
static bool
rule_pos(struct pos *out, const struct program *p, int rule)
{
	const struct prog_rule	*r = &p->rules[rule];
	const struct policy	*pol = p->policy;
	char			 where[sizeof(r->where)];
	int			 i;

	if (r->ast_rule >= 0) {
		*out = pol->rules[r->ast_rule].pos;
		return true;
	}
	/* Ceilings become rules when the policy is made ready. */
	for (i = 0; i < pol->n_ceilings; i++) {
		*out = pol->ceilings[i].pos;
		if (strcmp(policy_where(pol, *out, where, sizeof(where)),
		    r->where) == 0)
			return true;
	}
	return false;
}

/* The first line of the statement after it in its file. */
static int
line_after(const struct policy *p, struct pos pos)
{
	int	 i, line = INT32_MAX;

	for (i = 0; i < p->n_stmts; i++) {
		if (p->stmts[i].pos.file == pos.file &&
		    p->stmts[i].pos.line > pos.line &&
		    p->stmts[i].pos.line < line)
			line = p->stmts[i].pos.line;
	}
	return line;
}

/* Up to its comment. */
static size_t
code_len(const char *line, size_t len)
{
	bool	 quoted = false;
	size_t	 i;

	for (i = 0; i < len; i++) {
		if (line[i] == '"')
			quoted = !quoted;
		if (line[i] == '#' && !quoted)
			break;
	}
	while (i > 0 && strchr(" \t\r", line[i - 1]) != NULL)
		i--;
	return i;
}

static size_t
add_line(char *buf, size_t used, const char *line, size_t len)
{
	len = code_len(line, len);
	while (len > 0 && strchr(" \t", *line) != NULL) {
		line++;
		len--;
	}
	if (len == 0 || used + len + 2 > RULE_TEXT_MAX)
		return used;
	if (used > 0)
		buf[used++] = ' ';
	memcpy(buf + used, line, len);
	buf[used + len] = '\0';
	return used + len;
}

char *
rule_text(char buf[RULE_TEXT_MAX], const struct program *p, int rule)
{
	const struct policy	*pol = p->policy;
	const char		*at, *end, *stop;
	struct pos		 pos;
	size_t			 used = 0, was;
	int			 line, after;

	buf[0] = '\0';
	if (!rule_pos(&pos, p, rule) || pol->sources[pos.file] == NULL)
		return buf;
	at = pol->sources[pos.file];
	end = at + pol->source_lens[pos.file];
	after = line_after(pol, pos);
	for (line = 1; at < end && line < after; line++, at = stop + 1) {
		if ((stop = memchr(at, '\n', (size_t)(end - at))) == NULL)
			stop = end;
		if (line < pos.line)
			continue;
		was = used;
		used = add_line(buf, used, at, (size_t)(stop - at));
		if (used == was)
			break;
	}
	return buf;
}

char *
rule_asks(char buf[TOLD_MAX], const struct program *p, int rule)
{
	const struct prog_rule	*r = &p->rules[rule];
	char			 d[PRINT_TEXT_MAX];

	if (r->verdict == VERDICT_DELAY)
		(void)snprintf(buf, TOLD_MAX, "delay %s", print_duration(d,
		    sizeof(d), r->delay_ms));
	else if (r->verdict == VERDICT_HOLD)
		(void)snprintf(buf, TOLD_MAX, "hold for %d %s", r->people,
		    r->people == 1 ? "person" : "people");
	else
		(void)snprintf(buf, TOLD_MAX, "%s",
		    verdict_text(r->verdict));
	return buf;
}

const char *
rule_default_where(char *buf, size_t room, const struct program *p)
{
	const struct policy	*pol = p->policy;
	int			 i;

	for (i = 0; i < pol->n_stmts; i++)
		if (pol->stmts[i].kind == STMT_DEFAULT)
			return policy_where(pol, pol->stmts[i].pos, buf,
			    room);
	return NULL;
}

bool
rule_spoke(const struct outcome_record *r, int i, const struct program *p)
{
	if (r->rules[i] >= p->n_rules)
		return false;
	/* An allow says nothing when something asked for more. */
	return r->did[i] != RULE_MATCHED || outcome_tells(r, i, p);
}

const char *
rule_did_text(enum outcome_did did)
{
	switch (did) {
	case RULE_MATCHED:
		return "matched";
	case RULE_SHADOWED:
		return "shadow";
	case RULE_EXEMPTED:
		return "exempted";
	case RULE_FAILED:
		return "failed";
	}
	return "?";
}

/* Facts */

struct facts {
	const struct outcome_record *r;
	const struct program *p;
	void		(*tell)(void *ctx, const char *name,
			    const char *value);
	void		*ctx;
};

static void
tell_slot(const struct facts *f, int slot, bool is_known, int64_t value)
{
	char	 name[SLOT_TEXT_MAX], text[SLOT_TEXT_MAX];

	(void)slot_name(f->p, name, sizeof(name), slot);
	f->tell(f->ctx, name, !is_known ? "not known" :
	    slot_value(f->p, text, sizeof(text), slot, value));
}

static void
tell_classes(const struct facts *f, uint64_t read)
{
	const struct policy	*pol = f->p->policy;
	int			 c;

	for (; read != 0; read &= read - 1) {
		c = __builtin_ctzll(read);
		if (c != CLASS_PROVEN && c < CLASS_FIRST)
			continue;
		f->tell(f->ctx, pol->classes[c].name,
		    (f->r->classes >> c & 1) != 0 ? "yes" : "no");
	}
}

/* What only an allow read is not written down (engine/outcome.h). */
static void
tell_reading(const struct facts *f, const char *name, bool read, bool kept,
    int64_t sat)
{
	char	 text[PRINT_TEXT_MAX];

	if (read)
		f->tell(f->ctx, name, !kept ? "not kept with an allow" :
		    sat < 0 ? "not known" : print_amount(text, sizeof(text),
		    sat));
}

static bool
has_fact(const struct outcome_record *r, int slot)
{
	int	 i;

	for (i = 0; i < r->n_facts; i++)
		if (r->facts[i].slot == slot)
			return true;
	return false;
}

static void
tell_around(const struct facts *f, const struct operand *o)
{
	const struct program	*p = f->p;
	char			 name[SLOT_TEXT_MAX];

	if (o->kind == OPERAND_SLOT && p->slots[o->index].kind == SLOT_AGG &&
	    p->aggs[p->slots[o->index].index].def.stage == STAGE_ASKED &&
	    !has_fact(f->r, o->index))
		f->tell(f->ctx, slot_name(p, name, sizeof(name), o->index),
		    "as around its asking");
}

static int
lower(int low, int jump)
{
	return jump >= 0 && jump < low ? jump : low;
}

/*
 * S28: at the end of a delay what all asked for is not read again; it counts
 * whether the rule was crossed around the asking.  A rule's tests lie
 * together and jump only downwards.
 */
static void
tell_shared(const struct facts *f, const struct prog_rule *rule)
{
	const struct prog_test	*t;
	int			 i, low = rule->start;

	if (rule->taint_ms == 0)
		return;
	for (i = rule->start; i >= 0 && i >= low; i--) {
		t = &f->p->tests[i];
		low = lower(lower(low, t->if_true), t->if_false);
		if (t->shared) {
			tell_around(f, &t->left);
			tell_around(f, &t->right);
		}
	}
}

void
rule_facts(const struct outcome_record *r, int i, const struct program *p,
    void (*tell)(void *ctx, const char *name, const char *value), void *ctx)
{
	const struct facts	 f = { r, p, tell, ctx };
	const struct prog_reads	*reads = &p->reads[r->rules[i]];
	bool			 tells = outcome_tells(r, i, p);
	int			 k, slot, amount = p->amount_slot;

	if (tells)
		tell_classes(&f, reads->classes);
	if (tells && amount >= 0 &&
	    (reads->slots[amount / 64] >> amount % 64 & 1) != 0)
		tell_slot(&f, amount, true, r->amount_sat);
	for (k = 0; k < r->n_facts; k++) {
		slot = r->facts[k].slot;
		if (slot >= p->n_slots ||
		    (reads->slots[slot / 64] >> slot % 64 & 1) == 0)
			continue;
		if (r->facts[k].known ? tells : r->failed[i])
			tell_slot(&f, slot, r->facts[k].known,
			    r->facts[k].value);
	}
	if (r->did[i] == RULE_MATCHED &&
	    (r->cause == CAUSE_MATURED || r->cause == CAUSE_CODE))
		tell_shared(&f, &p->rules[r->rules[i]]);
	tell_reading(&f, "hot", reads->hot, r->hot_read, r->hot_sat);
	tell_reading(&f, "fund", reads->fund, r->fund_read, r->fund_sat);
}
