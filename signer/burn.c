/*
 * Burning: the engine wants to give the money back, so this id must never be
 * signed.  The answer is the signer's word for that, which makes the refund
 * safe (C1).  It is given for an id that was never signed, or all of whose
 * transactions were written off; and not where an earlier journal may have
 * signed it.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "bitcoin/hash.h"
#include "signer/take.h"

#define TXIDS_SHOWN	8
#define TIME_MS_MAX	INT64_C(253402300799999)

static bool
refuse_signed(struct signer *s, const struct receipt *rc,
    const struct memory_id *known, struct refusal *r)
{
	char		 id[ID_TEXT_MAX], txid[65];
	char		 list[TXIDS_SHOWN * 66 + 1] = "";
	size_t		 link = 0, len = 0;
	uint32_t	 n;

	while ((n = memory_next_carrier(s->memory, known, &link)) !=
	    UINT32_MAX && len + 66 < sizeof(list)) {
		hash_text(txid, memory_tx_at(s->memory, n)->txid);
		len += (size_t)snprintf(list + len, sizeof(list) - len,
		    " %s", txid);
	}
	return refuse(r, SIGN_REFUSE_ID_SIGNED, "%s was signed:%s",
	    id_text(id, rc->id), list);
}

static bool
burn_check(struct signer *s, const struct receipt *rc,
    const struct memory_id *known, const unsigned char commitment[32],
    struct refusal *r)
{
	char	 id[ID_TEXT_MAX];

	if (known == NULL && rc->seq <= s->floor)
		return refuse(r, SIGN_REFUSE_ID_FLOOR, "%s: event %ju is not "
		    "above the floor %ju: a lost journal may have signed it",
		    id_text(id, rc->id), (uintmax_t)rc->seq,
		    (uintmax_t)s->floor);
	if (known == NULL)
		return true;
	if (!sodium_is_zero(known->commitment, 32) &&
	    memcmp(known->commitment, commitment, 32) != 0)
		return refuse(r, SIGN_REFUSE_ID_CHANGED, "%s was for another "
		    "script or amount", id_text(id, rc->id));
	if (!known->burned && known->first != UINT32_MAX)
		return refuse_signed(s, rc, known, r);
	return true;
}

static bool
burn_answer(struct signer *s, const struct ask *a, const struct receipt *rc,
    const unsigned char commitment[32], struct reply *out, struct refusal *r)
{
	struct sign_burned	 b;
	int64_t			 t = a->now->now_ms;

	if ((out->owned = malloc(SIGN_BURNED_LEN)) == NULL)
		return refuse(r, SIGN_REFUSE_FAILED, "no memory");
	memcpy(b.signer, keys_id(s->keys), sizeof(b.signer));
	memcpy(b.deployment, s->settings.deployment, sizeof(b.deployment));
	b.seq = journal_seq(s->journal);
	b.id = rc->id;
	memcpy(b.commitment, commitment, sizeof(b.commitment));
	memcpy(b.account_tag, rc->account_tag, sizeof(b.account_tag));
	b.t_ms = (uint64_t)(t < 0 ? 0 : t > TIME_MS_MAX ? TIME_MS_MAX : t);
	sign_burned_pack(&b, out->owned);
	sign_burned_sign(out->owned, keys_signing_secret(s->keys));
	out->body.p = (const char *)out->owned;
	out->body.len = SIGN_BURNED_LEN;
	return true;
}

bool
burn_take(struct signer *s, const struct ask *a, struct reply *out,
    struct refusal *r)
{
	const struct memory_id	*known;
	unsigned char		 commitment[32];
	struct receipt		 rc;
	struct record		 rec;

	if (!known_check(s, a->m, a->now, r))
		return false;
	if (a->m->receipts.len != RECEIPT_LEN)
		return refuse(r, SIGN_REFUSE_MALFORMED, "one receipt is "
		    "burned at a time");
	if (!receipt_read(s, &rc, (const unsigned char *)a->m->receipts.p,
	    RECEIPT_BURN, r))
		return false;
	sign_commitment(commitment, rc.script, rc.amount_sat);
	known = memory_find_id(s->memory, rc.id);
	if (!burn_check(s, &rc, known, commitment, r))
		return false;
	/* Asked again, answered again. */
	if (known == NULL || !known->burned) {
		if (!state_free_record(s, a->running_ms))
			return refuse(r, SIGN_REFUSE_TOO_MANY, "more burns "
			    "than one a second for as long as it has run");
		record_begin(&rec, RECORD_BURNED, a);
		rec.id = rc.id;
		memcpy(rec.commitment, commitment, sizeof(rec.commitment));
		memcpy(rec.account_tag, rc.account_tag,
		    sizeof(rec.account_tag));
		if (!signer_record(s, &rec, r))
			return false;
	}
	return burn_answer(s, a, &rc, commitment, out, r);
}
