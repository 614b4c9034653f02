/*
 * The running service, for commands: found by its local socket, asked, and
 * told what an operator wants.
 *
 * The socket is $DRAWBRIDGE_SOCKET, or drawbridge.sock in $DRAWBRIDGE_DATA,
 * ./data or /var/lib/drawbridge, whichever is there first.
 */
#ifndef CLI_SERVICE_H
#define CLI_SERVICE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/keyfile.h"
#include "lib/err.h"
#include "wire/command.h"
#include "wire/message.h"

struct service;

enum rc service_open(struct service **out, struct err *e) MUST_CHECK;
void service_close(struct service **s);
/* The data folder that the socket lies in. */
const char *service_data(const struct service *s);

/* What the service says of itself (LOCAL_STATUS), asked once. */
struct service_facts {
	unsigned char	deployment[16];
	uint8_t		network;
	bool		demo;
	int64_t		t_ms;		/* of the engine */
	int64_t		halt_seq;	/* the event that halted; -1: none */
	unsigned char	policy[32];	/* hash of the one in force */
};
enum rc service_facts(struct service *s, struct service_facts *out,
    struct err *e) MUST_CHECK;

/*
 * Ask, and get JSON: the caller's to json_decref().  NULL: failed or
 * refused, with the service's reason.
 */
json_t *service_query(struct service *s, const struct message *q,
    struct err *e) MUST_CHECK;
/* The same for LOCAL_* with an id or account (may be NULL). */
json_t *service_get(struct service *s, enum endpoint of, const char *account,
    const char *id, struct err *e) MUST_CHECK;
/* Any message; the answer's texts are good until the next call. */
enum rc service_call(struct service *s, struct message *ask,
    struct message *answer, struct err *e) MUST_CHECK;

/* --as NAME, --reason TEXT: who acts.  The key: $DRAWBRIDGE_OPERATOR_KEY,
 * or with --demo DATA/operators/NAME.key.  Without a name nothing is signed,
 * and only what tightens is taken. */
struct service_act {
	const char	*as;
	const char	*reason;
	int64_t		answers;	/* 0: none */
	/* The purpose: approve a proposal, whose command `c` is. */
	bool		approve;
	struct text	script;		/* release, deny: shown, signed */
	int64_t		amount_sat;	/* -1: none */
	bool		yes;		/* do not ask */
};
/*
 * How it stands in MESSAGE_ACT: open and sealed: the command with t_ms 0 and
 * `by`, as it was signed; by: who signs (absent: unsigned, the command's `by`
 * is "socket"); t_ms: good until; number: `answers`; state 1: this approves
 * the proposal `answers`; signature: 64 bytes; query: `script` above; name
 * (put in by console): whose process it was.  The answer is JSON: done
 * {"seq",...} with 200; waiting {"proposal": SEQ,
 * "waits_for": "one more person"} with 202; refused
 * {"error": "..."} with another status.
 *
 * Sign and send.  *waiting_out: accepted, and waits for others or for time
 * (the service answered 202): STATUS_WAITING.  *answer_out (may be NULL) is
 * the service's JSON.
 */
enum rc service_act(struct service *s, struct command *c,
    const struct service_act *a, bool *waiting_out, json_t **answer_out,
    struct err *e) MUST_CHECK;

#endif
