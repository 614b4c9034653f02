/*
 * Stopping takes one, whoever it is and in whatever state the signer is; it
 * is answered when it is durable.  Going on takes a quorum, which answers the
 * very record that stopped it: an old consent ends no later halt (H6).
 */
#include <stdio.h>

#include "signer/take.h"

static struct text
why_of(const struct sign_message *m, const struct signer *s)
{
	struct text	 why = m->reason;

	if (why.p == NULL)
		why = text_of("");
	if (why.len > sizeof(s->halted_why) - 1)
		why.len = sizeof(s->halted_why) - 1;
	return why;
}

static bool
halt_locked(struct signer *s, struct text why, struct refusal *r)
{
	struct err	 e;

	if (s->halted_locked)
		return true;
	if (journal_halt_locked(s->journal_fd, why, &e) != RC_OK)
		return refuse(r, SIGN_REFUSE_STORE, "%s", e.text);
	s->halted_locked = true;
	(void)snprintf(s->halted_why, sizeof(s->halted_why), "%.*s",
	    (int)why.len, why.p);
	return true;
}

/*
 * A second reason is written down as well, and then it is that one which a
 * resume must answer; the same reason again changes nothing, and neither does
 * a flood of reasons.
 */
bool
halt_take(struct signer *s, const struct ask *a, struct reply *out,
    struct refusal *r)
{
	struct text	 why = why_of(a->m, s);
	struct record	 rec;

	if (s->journal == NULL)
		return halt_locked(s, why, r);
	if (s->halted_seq == 0 || (state_free_record(s, a->running_ms) &&
	    !text_equal(why, text_of(s->halted_why)))) {
		record_begin(&rec, RECORD_HALTED, a);
		rec.body = why;
		if (!signer_record(s, &rec, r))
			return false;
	}
	out->number = s->halted_seq;
	return true;
}

bool
resume_take(struct signer *s, const struct ask *a, struct reply *out,
    struct refusal *r)
{
	struct sign_statement	 st;
	struct record		 rec;

	(void)out;
	if (s->halted_seq == 0)
		return refuse(r, SIGN_REFUSE_HALTED, "not halted");
	approve_begin(s, &st, SIGN_FOR_RESUME, s->halted_seq);
	if (!approve_count(s, a->m->approvals, &st, false,
	    s->settings.quorum, a->now, r))
		return false;
	record_begin(&rec, RECORD_RESUMED, a);
	rec.number = s->halted_seq;
	return signer_record(s, &rec, r);
}
