/*
 * Writing off: a quorum says that an input of a signed transaction was spent
 * by another one, deep in the chain, so that it can never confirm (C6).  The
 * signer sees no chain: that is what the quorum is for.  What it can see for
 * itself is that the other transaction is not one that pays the same id.
 *
 * After a recovery also what a lost journal may have signed is written off:
 * then the signer knows nothing of it, and the quorum answers for it alone.
 */
#include "signer/take.h"
#include "wire/bytes.h"

/* Does it make any transaction that carries the id impossible?  And is the
 * one that spent it none of them? */
static bool
carriers_check(struct signer *s, const struct memory_id *known,
    const struct outpoint *o, const unsigned char spent_by[32],
    struct refusal *r)
{
	const struct memory_tx	*t;
	bool			 found = false;
	size_t			 link = 0;
	uint32_t		 n;

	while ((n = memory_next_carrier(s->memory, known, &link)) !=
	    UINT32_MAX) {
		t = memory_tx_at(s->memory, n);
		if (memcmp(t->txid, spent_by, sizeof(t->txid)) == 0)
			return refuse(r, SIGN_REFUSE_ID_SIGNED,
			    "what spent it pays this id");
		found = found || conflict_kills(s->memory, t, o, spent_by);
	}
	if (!found)
		return refuse(r, SIGN_REFUSE_NO_CONFLICT, "no transaction "
		    "that carries this id needs it");
	return true;
}

static bool
write_off_check(struct signer *s, const struct sign_message *m,
    const struct memory_id *known, const struct outpoint *o,
    struct refusal *r)
{
	char	 id[ID_TEXT_MAX];

	if (known == NULL && s->floor == 0)
		return refuse(r, SIGN_REFUSE_NO_CONFLICT, "%s was never "
		    "signed", id_text(id, m->id));
	if (known == NULL)
		return true;
	if (known->burned)
		return refuse(r, SIGN_REFUSE_ID_BURNED, "%s is burned",
		    id_text(id, m->id));
	return carriers_check(s, known, o, (const unsigned char *)m->txid.p,
	    r);
}

bool
write_off_take(struct signer *s, const struct ask *a, struct reply *out,
    struct refusal *r)
{
	const struct sign_message	*m = a->m;
	const struct memory_id		*known;
	struct sign_statement		 st;
	struct outpoint			 o;
	struct record			 rec;

	(void)out;
	known = memory_find_id(s->memory, m->id);
	memcpy(o.txid, m->outpoint.p, sizeof(o.txid));
	o.vout = get_le32((const unsigned char *)m->outpoint.p + 32);
	if (!write_off_check(s, m, known, &o, r))
		return false;
	approve_begin(s, &st, SIGN_FOR_WRITE_OFF, 0);
	st.id = m->id;
	memcpy(st.outpoint_txid, o.txid, sizeof(st.outpoint_txid));
	st.outpoint_vout = o.vout;
	memcpy(st.txid, m->txid.p, sizeof(st.txid));
	memcpy(st.hash, m->block.p, sizeof(st.hash));
	if (!approve_count(s, m->approvals, &st, false, s->settings.quorum,
	    a->now, r))
		return false;
	record_begin(&rec, RECORD_WRITTEN_OFF, a);
	rec.id = m->id;
	rec.outpoint = o;
	memcpy(rec.txid, st.txid, sizeof(rec.txid));
	memcpy(rec.hash, st.hash, sizeof(rec.hash));
	if (known != NULL)
		memcpy(rec.commitment, known->commitment,
		    sizeof(rec.commitment));
	return signer_record(s, &rec, r);
}
