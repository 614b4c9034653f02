/*
 * A program as text, one line each, for tests and for debugging.
 */
#include <inttypes.h>

#include "policy/program.h"

static const char *const slot_names[] = { "fact", "declared", "agg", "normal",
	"busy", "fraud", "in-table" };
static const char *const what_names[] = { "sum", "count", "distinct" };
static const char *const scope_names[] = { "account", "key", "ip", "ip6",
	"partner", "group", "group-table", "destination", "platform" };

static void
dump_operand(const struct operand *o, FILE *out)
{
	switch (o->kind) {
	case OPERAND_CONST:
		fprintf(out, "%" PRId64, o->value);
		break;
	case OPERAND_SLOT:
		fprintf(out, "%" PRId64 "x slot %d", o->value, o->index);
		break;
	case OPERAND_HOT:
		fprintf(out, "%" PRId64 " ppm hot", o->value);
		break;
	case OPERAND_FUND:
		fprintf(out, "%" PRId64 " ppm fund", o->value);
		break;
	case OPERAND_LINE:
		fprintf(out, "line %d", o->index);
		break;
	}
}

static void
dump_jump(const char *word, int to, FILE *out)
{
	if (to == JUMP_TRUE)
		fprintf(out, " %s yes", word);
	else if (to == JUMP_FALSE)
		fprintf(out, " %s no", word);
	else
		fprintf(out, " %s %d", word, to);
}

static void
dump_test(const struct program *p, int i, FILE *out)
{
	const struct prog_test *t = &p->tests[i];

	fprintf(out, "test %d: ", i);
	if (t->kind == TEST_CLASS)
		fprintf(out, "class %d", t->cls);
	else
		dump_operand(&t->left, out);
	if (t->kind == TEST_COMPARE) {
		fprintf(out, " %s ", relop_text(t->rel));
		dump_operand(&t->right, out);
		if (t->less_ppm != 0)
			fprintf(out, " less %" PRId64 " ppm", t->less_ppm);
	}
	if (t->shared)
		fprintf(out, " shared");
	dump_jump("then", t->if_true, out);
	dump_jump("else", t->if_false, out);
	fprintf(out, "\n");
}

static void
dump_counters(const struct program *p, FILE *out)
{
	const struct prog_agg *a;
	int	 i;

	for (i = 0; i < p->n_aggs; i++) {
		a = &p->aggs[i];
		fprintf(out, "agg %d: %s %s %s %s prefix %d table %d in %"
		    PRId64 " ms of %s%d, %d buckets, cap %d%s\n", i,
		    what_names[a->def.what], thing_text(a->def.thing),
		    stage_text(a->def.stage), scope_names[a->def.scope],
		    a->def.prefix, a->def.table, a->def.window_ms,
		    a->def.cls_not ? "not " : "", a->def.cls, a->buckets,
		    a->cap, a->learn ? ", learns" : "");
	}
	for (i = 0; i < p->n_busy_windows; i++)
		fprintf(out, "busy %d: %" PRId64 " ms, agg %d\n", i,
		    p->busy_windows[i], p->busy_aggs[i]);
	for (i = 0; i < p->n_fraud_windows; i++)
		fprintf(out, "fraud %d: %" PRId64 " ms\n", i,
		    p->fraud_windows[i]);
}

static void
dump_values(const struct program *p, FILE *out)
{
	const struct prog_line *l;
	int	 i;

	for (i = 0; i < p->n_slots; i++) {
		fprintf(out, "slot %d: %s ", i, slot_names[p->slots[i].kind]);
		if (p->slots[i].kind == SLOT_FACT)
			fprintf(out, "%s", word_of(
			    (enum fact)p->slots[i].index)->text);
		else
			fprintf(out, "%d", p->slots[i].index);
		fprintf(out, "%s\n", p->slots[i].frozen ? ", frozen" : "");
	}
	for (i = 0; i < p->n_lines; i++) {
		l = &p->lines[i];
		fprintf(out, "line %d: slot %d busy %d by %" PRId64
		    " ppm%s plus ", i, l->normal_slot, l->busy_slot, l->by_ppm,
		    l->root ? " root" : "");
		dump_operand(&l->plus, out);
		fprintf(out, " until learnt ");
		dump_operand(&l->learnt, out);
		fprintf(out, "\n");
	}
}

void
program_dump(const struct program *p, FILE *out)
{
	const struct prog_exempt *x;
	const struct prog_rule *r;
	int	 i;

	dump_counters(p, out);
	dump_values(p, out);
	for (i = 0; i < p->n_tests; i++)
		dump_test(p, i, out);
	for (i = 0; i < p->n_classes; i++) {
		fprintf(out, "class %d:", i);
		dump_jump("at", p->classes[i].start, out);
		fprintf(out, "\n");
	}
	for (i = 0; i < p->n_exempts; i++) {
		x = &p->exempts[i];
		fprintf(out, "exempt %d: class %d, slot %d upto %" PRId64
		    " sat, slot %d upto %" PRId64 ", until %" PRId64 "\n", i,
		    x->cls, x->sum_slot, x->upto_sat, x->count_slot, x->count,
		    x->until_ms);
	}
	for (i = 0; i < p->n_rules; i++) {
		r = &p->rules[i];
		fprintf(out, "rule %d: %s%s%s \"%s\" %s delay %" PRId64
		    " people %d taint %" PRId64 "%s exempt %" PRIx64 " until %"
		    PRId64, i, r->shadow ? "shadow " : "",
		    r->ceiling ? "ceiling " : "", verdict_text(r->verdict),
		    r->name, r->where, r->delay_ms, r->people, r->taint_ms,
		    r->taint_destination ? " destination" : "", r->exempt,
		    r->until_ms);
		dump_jump("at", r->start, out);
		fprintf(out, "\n");
	}
}
