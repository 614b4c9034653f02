/*
 * The facts behind a decision as members of a JSON object, each under the
 * name that the policy gives it: classes, slots, then `hot` and `fund`.
 */
#ifndef SIM_FACTS_JSON_H
#define SIM_FACTS_JSON_H

#include "engine/outcome.h"
#include "lib/json.h"
#include "policy/program.h"

/* As the engine read them: those of `reads` that are known. */
void facts_json_env(struct json *j, const struct program *p,
    const struct prog_reads *reads, const struct eval_env *env);

/*
 * As they stand in a journal, under the program that decided; the members
 * are the same, but for those that a record leaves out (engine/outcome.h).
 * What could not be had is null.
 */
void facts_json_record(struct json *j, const struct program *p,
    const struct outcome_record *r);

#endif
