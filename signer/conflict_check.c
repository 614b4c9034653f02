/*
 * The conflict rule, asked for every id that a transaction carries.
 */
#include <stdlib.h>

#include "bitcoin/hash.h"
#include "signer/take.h"

/* With every transaction that carries this id, not only the last (T4). */
static bool
check_id(const struct memory *m, struct conflict *c,
    const struct receipt *receipt, struct refusal *r)
{
	const struct memory_id *id = memory_find_id(m, receipt->id);
	const struct memory_tx *t;
	char		 shown[65], name[ID_TEXT_MAX];
	size_t		 link = 0;
	uint32_t	 n;

	if (id == NULL)
		return true;
	while ((n = memory_next_carrier(m, id, &link)) != UINT32_MAX) {
		t = memory_tx_at(m, n);
		if (conflict_with(c, t))
			continue;
		hash_text(shown, t->txid);
		return refuse(r, SIGN_REFUSE_NO_CONFLICT, "%s: %s, "
		    "signed before, carries it as well, and could confirm "
		    "beside this transaction", id_text(name, receipt->id),
		    shown);
	}
	return true;
}

bool
conflict_check(struct signer *s, struct pay *p, struct refusal *r)
{
	struct conflict	*c = NULL;
	struct outpoint	*in;
	struct err	 e;
	bool		 good = true;
	size_t		 i;

	in = calloc(p->tx->n_in, sizeof(*in));
	if (in == NULL)
		return refuse(r, SIGN_REFUSE_FAILED, "no memory");
	for (i = 0; i < p->tx->n_in; i++)
		in[i] = p->tx->in[i].prev;
	if (conflict_begin(&c, s->memory, p->txid, in, p->tx->n_in,
	    &e) != RC_OK)
		good = refuse(r, SIGN_REFUSE_FAILED, "%s", e.text);
	for (i = 0; good && i < p->n_receipts; i++)
		good = check_id(s->memory, c, &p->receipts[i], r);
	conflict_free(&c);
	free(in);
	return good;
}
