/*
 * Commands and what came of them, in words: for the log of a journal and for
 * the story of one withdrawal.
 */
#ifndef CLI_TOLD_H
#define CLI_TOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "bitcoin/address.h"
#include "cli/opened.h"
#include "engine/outcome.h"
#include "lib/err.h"
#include "lib/json.h"
#include "wire/command.h"

#define TOLD_MAX	2048

/* How much is told, and of which network the addresses are. */
struct told {
	enum network	net;
	bool		personal;	/* IP addresses, too */
};

/*
 * What a command says besides who sent it and when: "1.5 btc to bc1q...".
 * Names as they came: whoever prints makes them safe (term_safe()).
 * Returns buf.
 */
char *told_command(char buf[TOLD_MAX], const struct command *c,
    const struct told *t);
/* Members of the object that is open. */
void told_command_json(struct json *j, const struct command *c,
    const struct told *t);

/* "allow, released"; "hold by 2 people, held"; "refused: unknown id";
 * "" when it was only taken. */
char *told_outcome(char buf[TOLD_MAX], const struct outcome_record *r);
/* What the policy asked for: "delay 6h and a code and 2 people". */
char *told_asks(char buf[TOLD_MAX], const struct outcome_record *r);
/* All but rules and facts, as members of the object that is open. */
void told_outcome_json(struct json *j, const struct outcome_record *r);

const char *told_type_text(enum outcome_type t);	/* "redecided" */
const char *told_cause_text(enum cause c);		/* "matured" */

/* Of a journal: its first event. */
enum rc told_genesis(struct genesis *out, struct opened *op, struct err *e)
    MUST_CHECK;

#endif
