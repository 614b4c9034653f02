/*
 * Which engine is listened to: the next epoch's, and one whose journal went
 * back.
 */
#include "signer/take.h"

/* One operator at least: who owns an engine cannot make himself its
 * successor, and with it every sequence new (H5). */
bool
epoch_take(struct signer *s, const struct ask *a, struct reply *out,
    struct refusal *r)
{
	struct sign_statement	 st;
	struct record		 rec;

	(void)out;
	if (a->m->number != (uint64_t)s->settings.epoch + 1 ||
	    a->m->number > UINT32_MAX)
		return refuse(r, SIGN_REFUSE_EPOCH, "epoch %u is in force: "
		    "the next one is %ju", s->settings.epoch,
		    (uintmax_t)s->settings.epoch + 1);
	approve_begin(s, &st, SIGN_FOR_EPOCH, 0);
	st.number = a->m->number;
	memcpy(st.hash, a->m->key.p, sizeof(st.hash));
	if (!approve_count(s, a->m->approvals, &st, false, 1, a->now, r))
		return false;
	record_begin(&rec, RECORD_EPOCH, a);
	rec.number = a->m->number;
	memcpy(rec.hash, st.hash, sizeof(rec.hash));
	return signer_record(s, &rec, r);
}

/*
 * The engine was restored, and has booked all that was signed: the quorum
 * says up to which record, and after that nothing was signed or burned (C5).
 */
bool
adopt_take(struct signer *s, const struct ask *a, struct reply *out,
    struct refusal *r)
{
	uint64_t		 booked = a->m->number;
	struct sign_statement	 sm;
	struct receipt		 st;
	struct record		 rec;

	(void)out;
	if (!receipt_read(s, &st, (const unsigned char *)a->m->standing.p,
	    RECEIPT_STANDING, r))
		return false;
	if (st.expires_ms <= a->now->now_ms)
		return refuse(r, SIGN_REFUSE_RECEIPT_EXPIRED, "where the "
		    "engine stands: that was said too long ago");
	if (booked < s->signed_seq || booked > journal_seq(s->journal))
		return refuse(r, SIGN_REFUSE_ENGINE_BACK, "booked up to "
		    "record %ju: the newest that signed is %ju",
		    (uintmax_t)booked, (uintmax_t)s->signed_seq);
	approve_begin(s, &sm, SIGN_FOR_ADOPT, 0);
	sm.number = st.seq;
	memcpy(sm.hash, st.head, sizeof(sm.hash));
	sm.booked = booked;
	if (!approve_count(s, a->m->approvals, &sm, false,
	    s->settings.quorum, a->now, r))
		return false;
	record_begin(&rec, RECORD_ADOPTED, a);
	rec.number = st.seq;
	memcpy(rec.hash, st.head, sizeof(rec.hash));
	return signer_record(s, &rec, r);
}
