/*
 * From a command, whose names are texts, to the input that the engine takes,
 * whose names are fingerprints.
 */
#ifndef ENGINE_TAKE_H
#define ENGINE_TAKE_H

#include <stdbool.h>

#include "engine/engine.h"
#include "lib/err.h"
#include "policy/ast.h"
#include "wire/command.h"

/*
 * *taken_out false: nothing for the engine in it (GENESIS, POLICY, a fact
 * that this policy does not declare).  `facts` has COMMAND_FACTS_MAX; *out
 * refers to it and to the command.  Fails on a value that is not of the
 * declared type: "`value`: the policy declares an amount: ...", or on a
 * script that has no address.
 *
 * A key whose networks were forgotten may be used from nowhere.
 */
enum rc take(struct input *out, bool *taken_out, struct input_fact *facts,
    const struct command *c, const struct ident_key *ids,
    const struct policy *policy, struct err *e) MUST_CHECK;

/* A declared fact's value as the engine keeps it. */
enum rc take_value(int64_t *out, enum type type,
    const struct command_fact *fact, struct err *e) MUST_CHECK;

/* A name's fingerprint; none when absent. */
struct ident take_ident(const struct ident_key *ids, struct text name);

#endif
