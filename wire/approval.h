/*
 * What an operator signs (H6): one text that says everything, so that a
 * signature given for one thing is worth nothing for another.
 *
 *	drawbridge approval 1
 *	purpose: act			or approve
 *	deployment: HEX
 *	network: regtest
 *	operator: alice
 *	answers: 4711			event: the halt, the proposal; 0: none
 *	expires: 1795344397777
 *	command: release
 *	id: ...				then every field that the command has,
 *	amount: 0.50000000		in order of its number, as text
 *	hash: HEX			SHA-256 of the packed command
 *	replaces: HEX			policies only: the one in force
 *
 * For `release` and `deny` the engine's own idea of the withdrawal stands in
 * it too (script, amount), which the operator's program asks for and shows:
 * an engine that lied about it gets a signature that does not verify against
 * what the signer sees.
 */
#ifndef WIRE_APPROVAL_H
#define WIRE_APPROVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "wire/command.h"

enum approval_purpose {
	APPROVAL_ACT = 1,	/* do this; or propose it */
	APPROVAL_APPROVE,	/* the proposal that it answers, whose command
				 * this is */
};

struct approval {
	enum approval_purpose purpose;
	unsigned char	deployment[16];
	uint8_t		network;
	struct text	by;
	int64_t		answers;	/* 0: none */
	int64_t		expires_ms;
	/* The command with t_ms 0, `by`, and no proof; for an approval the
	 * proposed one as it stands in the proposal. */
	const struct command *command;
	/* release, deny: what the withdrawal is. */
	struct text	script;		/* absent otherwise */
	int64_t		amount_sat;	/* -1: absent */
	unsigned char	replaces[32];	/* policy */
};

#define APPROVAL_TEXT_MAX	32768
/* The text; *len_out its length.  Fails when it does not fit. */
enum rc approval_text(char *buf, size_t room, size_t *len_out,
    const struct approval *a, struct err *e) MUST_CHECK;
bool approval_verify(const struct approval *a,
    const unsigned char key[32], const unsigned char signature[64]);
/* `secret`: libsodium's 64 bytes. */
enum rc approval_sign(unsigned char signature[64], const struct approval *a,
    const unsigned char secret[64], struct err *e) MUST_CHECK;

/*
 * Which way a command goes, by itself.  What the table does not know
 * loosens.  Whether a change of limits, permissions or networks tightens
 * depends on what is there now: DIRECTION_DEPENDS.
 */
enum direction { DIRECTION_TIGHTENS, DIRECTION_LOOSENS, DIRECTION_DEPENDS };
enum direction command_direction(enum command_type t);

#endif
