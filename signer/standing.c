/*
 * Two journals look after one another.
 *
 * A file cannot know that it is yesterday's.  So whoever asks shows the newest
 * head that this signer gave him: one that is newer than the journal says that
 * the journal was put back, and then nothing is signed any more (C4).
 *
 * And the engine says where its own journal stands: behind what it said
 * before, it forgot releases, and would release them again (C5).
 */
#include <assert.h>

#include "signer/take.h"

/* The newest record would make a later start believe in this journal. */
static bool
put_back(struct signer *s, const struct sign_head *h,
    const struct signer_clock *now, enum sign_refusal why, struct refusal *r)
{
	struct ask	 a = { NULL, now, signer_running_ms(s, now) };
	struct record	 rec;

	record_begin(&rec, RECORD_BEHIND, &a);
	rec.number = h->seq;
	memcpy(rec.hash, h->hash, sizeof(rec.hash));
	if (!s->behind && !signer_record(s, &rec, r))
		return false;
	return refuse(r, why, "it said once that its record %ju was another "
	    "one: this journal was put back, or a second one lives; recover",
	    (uintmax_t)h->seq);
}

bool
known_check(struct signer *s, const struct sign_message *m,
    const struct signer_clock *now, struct refusal *r)
{
	unsigned char		 hash[32];
	struct sign_head	 h;
	struct err		 e;

	if (m->known.p == NULL) {
		if (s->fresh)
			return true;
		return refuse(r, SIGN_REFUSE_FORKED, "without the newest "
		    "head that is known: `status` gives it");
	}
	sign_head_unpack(&h, (const unsigned char *)m->known.p);
	if (memcmp(h.signer, keys_id(s->keys), sizeof(h.signer)) != 0 ||
	    memcmp(h.deployment, s->settings.deployment,
	    sizeof(h.deployment)) != 0)
		return refuse(r, SIGN_REFUSE_FORKED, "the head is another "
		    "signer's");
	if (!sign_head_verify(&h, keys_signing_public(s->keys)))
		return refuse(r, SIGN_REFUSE_FORKED, "the head was not "
		    "signed by this signer");
	if (h.seq > journal_seq(s->journal))
		return put_back(s, &h, now, SIGN_REFUSE_BEHIND, r);
	/* Older than a recovery: the asker has not heard of it. */
	if (!journal_hash_at(s->journal, h.seq, hash, &e))
		return refuse(r, SIGN_REFUSE_FORKED, "record %ju is not of "
		    "this journal: %s", (uintmax_t)h.seq, e.text);
	if (memcmp(hash, h.hash, sizeof(hash)) != 0)
		return put_back(s, &h, now, SIGN_REFUSE_FORKED, r);
	return true;
}

bool
standing_check(struct signer *s, const struct sign_message *m,
    const struct signer_clock *now, uint64_t *seq, struct refusal *r)
{
	struct receipt	 st;

	*seq = 0;
	if (!known_check(s, m, now, r))
		return false;
	if (m->standing.p == NULL)
		return refuse(r, SIGN_REFUSE_RECEIPT_BAD, "the engine does "
		    "not say where it stands");
	if (!receipt_read(s, &st, (const unsigned char *)m->standing.p,
	    RECEIPT_STANDING, r))
		return false;
	if (st.expires_ms <= now->now_ms)
		return refuse(r, SIGN_REFUSE_RECEIPT_EXPIRED, "where the "
		    "engine stands: that was said too long ago");
	if (st.seq < s->engine_seq)
		return refuse(r, SIGN_REFUSE_ENGINE_BACK, "the engine stands "
		    "at %ju and stood at %ju: it must be adopted",
		    (uintmax_t)st.seq, (uintmax_t)s->engine_seq);
	/* Who owned one engine for an hour could otherwise put the sequence
	 * where no later engine gets to (H5). */
	if (st.seq - s->engine_seq > s->settings.sequence_jump)
		return refuse(r, SIGN_REFUSE_RECEIPT_AHEAD, "the engine "
		    "jumps from %ju to %ju: it must be adopted",
		    (uintmax_t)s->engine_seq, (uintmax_t)st.seq);
	*seq = st.seq;
	return true;
}
