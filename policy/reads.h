/*
 * What every rule may read: the facts that stand behind a decision, for the
 * records of it.
 *
 * A rule reads all that its tests can come to, those of the classes that it
 * asks for included.  Which of that was really fetched says eval_env.known.
 * `proven` is read as a class; the slot behind it is left out.
 */
#ifndef POLICY_READS_H
#define POLICY_READS_H

#include "lib/err.h"
#include "policy/program.h"

/* Fill p->reads, p->fallible and p->amount_slot: the end of program_new(). */
enum rc reads_fill(struct program *p, struct err *e) MUST_CHECK;

/* What a rule reads is added to *sum. */
void reads_add(struct prog_reads *sum, const struct prog_reads *rule);

#endif
