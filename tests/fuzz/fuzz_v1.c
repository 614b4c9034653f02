/*
 * Bodies of /v1: whatever is taken is a command that packs and reads back the
 * same, is nothing that history or an operator may say, and has no facts
 * twice.
 *
 * Input: a byte that says which body it is, then the body.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/v1_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct v1_read	*r;

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
look_at(const struct command *c)
{
	static struct command_lists	 lists;
	unsigned char			*open = malloc(command_open_room(c));
	unsigned char			*sealed = malloc(
	    command_sealed_room(c));
	struct command			 again;
	struct err			 e;
	size_t				 open_len, sealed_len;

	must(open != NULL && sealed != NULL && command_check(c, &e) ==
	    RC_OK);
	must(!c->history && c->t_ms == 0 && c->answers == -1 &&
	    c->blob.p == NULL && c->proof.p == NULL);
	command_pack(c, open, &open_len, sealed, &sealed_len);
	must(command_unpack(&again, &lists, open, open_len, sealed,
	    sealed_len, &e) == RC_OK);
	must(again.type == c->type && again.amount_sat == c->amount_sat &&
	    text_equal(again.id, c->id) && again.n_facts == c->n_facts);
	free(open);
	free(sealed);
}

static bool
read_one(struct command *c, unsigned which, struct text t)
{
	static const enum endpoint	 small[] = { ENDPOINT_V1_CANCEL,
		ENDPOINT_V1_OUTCOME, ENDPOINT_V1_HALT,
		ENDPOINT_V1_FREEZE_ACCOUNT, ENDPOINT_V1_FREEZE_KEY };
	struct err			 e;

	if (which == 0)
		return v1_read_withdraw(r, c, t, &e) == RC_OK &&
		    c->type == COMMAND_WITHDRAW;
	if (which == 1)
		return v1_read_line(r, c, t, &e) == RC_OK;
	return v1_read_small(r, c, small[which - 2], text_of("id%20x"), t,
	    text_of("door:x"), &e) == RC_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct command	 c;
	struct text	 t;
	struct err	 e;

	if (r == NULL && v1_read_new(&r, NETWORK_REGTEST, &e) != RC_OK)
		abort();
	if (size == 0)
		return 0;
	t.p = (const char *)data + 1;
	t.len = size - 1;
	if (read_one(&c, data[0] % 7, t))
		look_at(&c);
	return 0;
}
