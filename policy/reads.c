#include "policy/reads.h"

#include <assert.h>
#include <stdlib.h>

/* The walk of one rule at a time over the tests of all. */
struct walk {
	const struct program *p;
	struct prog_reads *out;
	int		*seen;		/* a test: the last rule it was of */
	int		 round;
	int		*stack;
	int		 n_stack;
};

/* One test more to look at, unless it was or is no test but a verdict. */
static void
visit(struct walk *w, int test)
{
	if (test < 0 || w->seen[test] == w->round)
		return;
	w->seen[test] = w->round;
	w->stack[w->n_stack++] = test;
}

static void
note_slot(struct walk *w, int slot)
{
	if (slot >= 0)
		w->out->slots[slot / 64] |= UINT64_C(1) << slot % 64;
}

/* A constant or a share. */
static void
note_plain(struct walk *w, const struct operand *o)
{
	w->out->hot |= o->kind == OPERAND_HOT;
	w->out->fund |= o->kind == OPERAND_FUND;
}

static void
note_operand(struct walk *w, const struct operand *o)
{
	const struct prog_line	*l;

	switch (o->kind) {
	case OPERAND_CONST:
	case OPERAND_HOT:
	case OPERAND_FUND:
		note_plain(w, o);
		break;
	case OPERAND_SLOT:
		note_slot(w, o->index);
		break;
	case OPERAND_LINE:
		l = &w->p->lines[o->index];
		note_slot(w, l->normal_slot);
		note_slot(w, l->busy_slot);
		note_plain(w, &l->plus);
		note_plain(w, &l->learnt);
		break;
	}
}

/* All tests that can be come to from START, those of classes included. */
static void
note_tests(struct walk *w, int start)
{
	const struct prog_test	*t;

	visit(w, start);
	while (w->n_stack > 0) {
		t = &w->p->tests[w->stack[--w->n_stack]];
		visit(w, t->if_true);
		visit(w, t->if_false);
		switch (t->kind) {
		case TEST_CLASS:
			w->out->classes |= UINT64_C(1) << t->cls;
			visit(w, w->p->classes[t->cls].start);
			break;
		case TEST_COMPARE:
			note_operand(w, &t->left);
			note_operand(w, &t->right);
			break;
		case TEST_SLOT:
			note_operand(w, &t->left);
			break;
		}
	}
}

/* A value that may be missing: see eval_error. */
static bool
fallible(const struct prog_slot *s)
{
	switch (s->kind) {
	case SLOT_FACT:
		return s->index == FACT_HOT || s->index == FACT_FUND;
	case SLOT_AGG:
	case SLOT_BUSY:
		return true;
	case SLOT_DECLARED:
	case SLOT_NORMAL:
	case SLOT_FRAUD:
	case SLOT_IN_TABLE:
		return false;
	}
	assert(0);
	return false;
}

/* The slot of `proven`, or -1. */
static int
note_slots(struct program *p)
{
	int		 i, proven = -1;

	p->amount_slot = -1;
	for (i = 0; i < p->n_slots; i++) {
		if (fallible(&p->slots[i]))
			p->fallible[i / 64] |= UINT64_C(1) << i % 64;
		if (p->slots[i].kind != SLOT_FACT)
			continue;
		if (p->slots[i].index == FACT_AMOUNT)
			p->amount_slot = i;
		else if (p->slots[i].index == FACT_PROVEN)
			proven = i;
	}
	return proven;
}

enum rc
reads_fill(struct program *p, struct err *e)
{
	struct walk	 w = { .p = p };
	int		 r, proven = note_slots(p);

	p->reads = calloc((size_t)p->n_rules + 1, sizeof(*p->reads));
	w.seen = calloc((size_t)p->n_tests + 1, sizeof(*w.seen));
	w.stack = calloc((size_t)p->n_tests + 1, sizeof(*w.stack));
	if (p->reads == NULL || w.seen == NULL || w.stack == NULL) {
		free(w.seen);
		free(w.stack);
		return err_set(e, "out of memory");
	}
	for (r = 0; r < p->n_rules; r++) {
		w.out = &p->reads[r];
		w.round = r + 1;
		note_tests(&w, p->rules[r].start);
		if (proven >= 0 && (w.out->classes >> CLASS_PROVEN & 1) != 0)
			w.out->slots[proven / 64] &=
			    ~(UINT64_C(1) << proven % 64);
	}
	free(w.seen);
	free(w.stack);
	return RC_OK;
}

void
reads_add(struct prog_reads *sum, const struct prog_reads *rule)
{
	int		 i;

	for (i = 0; i < SLOTS_MAX / 64; i++)
		sum->slots[i] |= rule->slots[i];
	sum->classes |= rule->classes;
	sum->hot |= rule->hot;
	sum->fund |= rule->fund;
}
