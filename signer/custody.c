/*
 * What only the custodian does, at the signer's own host: the passphrase, the
 * next period, the settings.
 */
#include <stdlib.h>

#include "signer/take.h"

bool
unlock_take(struct signer *s, const struct ask *a, struct reply *out,
    struct refusal *r)
{
	(void)out;
	return state_unlock(s, a->m->secret, a->now, r);
}

bool
lock_up_take(struct signer *s, const struct ask *a, struct reply *out,
    struct refusal *r)
{
	struct record	 rec;

	(void)out;
	if (s->journal == NULL)
		return true;
	/* How long it ran; the keys go whether or not it can be written. */
	record_begin(&rec, RECORD_RUNNING, a);
	if (!s->broken && !s->behind)
		(void)signer_record(s, &rec, r);
	state_lock(s, a->now);
	return true;
}

bool
rearm_take(struct signer *s, const struct ask *a, struct reply *out,
    struct refusal *r)
{
	struct sign_statement	 st;
	struct record		 rec;

	approve_begin(s, &st, SIGN_FOR_REARM, s->windows.armed_seq);
	if (!approve_count(s, a->m->approvals, &st, true, 1, a->now, r))
		return false;
	record_begin(&rec, RECORD_REARMED, a);
	rec.height = s->height;
	if (!signer_record(s, &rec, r))
		return false;
	out->number = s->windows.armed_seq;
	return true;
}

static bool
settings_record(struct signer *s, const struct ask *a,
    const struct sign_settings *next, struct refusal *r)
{
	char		*text = malloc(SIGN_SETTINGS_MAX);
	struct record	 rec;
	bool		 good;

	if (text == NULL)
		return refuse(r, SIGN_REFUSE_FAILED, "no memory");
	record_begin(&rec, RECORD_SETTINGS, a);
	rec.height = s->height;
	rec.body.p = text;
	rec.body.len = sign_settings_print(next, text, SIGN_SETTINGS_MAX);
	good = rec.body.len > 0 ? signer_record(s, &rec, r) :
	    refuse(r, SIGN_REFUSE_SETTINGS, "they are too long");
	free(text);
	return good;
}

/*
 * What tightens is in force at once, and ends what waits.  What loosens waits
 * until both enough blocks and enough time have passed; one at a time, so that
 * nobody's waiting is shortened by another's.
 */
bool
settings_take(struct signer *s, const struct ask *a, struct reply *out,
    struct refusal *r)
{
	struct sign_settings	 next;
	struct sign_statement	 st;
	struct err		 e;
	bool			 loosens;

	if (sign_settings_parse(&next, "settings", a->m->body, &e) != RC_OK ||
	    sign_settings_compare(&s->settings, &next, &loosens,
	    &e) != RC_OK)
		return refuse(r, SIGN_REFUSE_SETTINGS, "%s", e.text);
	if (loosens && s->waits)
		return refuse(r, SIGN_REFUSE_SETTINGS, "those of record %ju "
		    "wait already; what is in force, given again, ends that",
		    (uintmax_t)s->waits_seq);
	approve_begin(s, &st, SIGN_FOR_SETTINGS, s->settings_seq);
	sign_settings_hash(st.hash, &next);
	sign_settings_hash(st.replaces, &s->now);
	if (!approve_count(s, a->m->approvals, &st, true, 1, a->now, r) ||
	    !settings_record(s, a, &next, r))
		return false;
	out->number = loosens ? s->waits_seq : s->settings_seq;
	return true;
}
