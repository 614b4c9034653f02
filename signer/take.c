/*
 * A request comes in, an answer goes out: the table of what may be asked, and
 * in which state the signer must be for it.
 */
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "signer/take.h"
#include "wire/bytes.h"

#define TICK_MS	600000	/* a crash loses at most that much running time */

/* What a request needs. */
enum {
	KEYS = 1 << 0,		/* not locked */
	SOUND = 1 << 1,		/* the journal is the newest one, and can be
				 * written */
	RUNS = 1 << 2,		/* not halted */
	HEAD = 1 << 3,		/* a head that is newer than the journal is
				 * heard; others look at it themselves */
};

struct take_row {
	enum sign_type	 type;
	unsigned	 needs;
	signer_handler	*handler;
};

static bool
pay_handler(struct signer *s, const struct ask *a, struct reply *out,
    struct refusal *r)
{
	size_t	 len = 0;

	if (!pay_take(s, a->m, a->now, &out->owned, &len, r))
		return false;
	out->psbt.p = (const char *)out->owned;
	out->psbt.len = len;
	return true;
}

/* Stopping and looking work in every state.  Which pipe a type may come on
 * stands in wire/sign.c. */
static const struct take_row rows[] = {
	{ SIGN_STATUS, 0, status_take },
	{ SIGN_DESCRIPTORS, KEYS, descriptors_take },
	{ SIGN_HALT, 0, halt_take },
	{ SIGN_RESUME, KEYS | SOUND | HEAD, resume_take },
	{ SIGN_PAY, KEYS | SOUND | RUNS, pay_handler },
	{ SIGN_LOAD, KEYS | SOUND | RUNS, load_take },
	{ SIGN_COSIGN, KEYS | SOUND | RUNS, pay_handler },
	{ SIGN_BURN, KEYS | SOUND, burn_take },
	{ SIGN_WRITE_OFF, KEYS | SOUND | HEAD, write_off_take },
	{ SIGN_SIGNED, KEYS, signed_take },
	{ SIGN_EPOCH, KEYS | SOUND | HEAD, epoch_take },
	{ SIGN_ADOPT, KEYS | SOUND | HEAD, adopt_take },
	{ SIGN_UNLOCK, 0, unlock_take },
	{ SIGN_LOCK, 0, lock_up_take },
	{ SIGN_REARM, KEYS | SOUND | HEAD, rearm_take },
	{ SIGN_SETTINGS, KEYS | SOUND | HEAD, settings_take },
};

static const struct take_row *
row_of(enum sign_type t)
{
	size_t	 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].type == t)
			return &rows[i];
	}
	return NULL;
}

/*
 * Time has gone on.  When that changes anything, the journal says when: a
 * period that begins by itself begins at one moment, and not at another one
 * after a start; a cost that left does not come back.
 */
static bool
pass_time(struct signer *s, const struct ask *a, struct refusal *r)
{
	bool		 armed = s->windows.armed, waits = s->waits;
	bool		 rearm = s->windows.rearm_waits;
	size_t		 n = s->windows.n;
	struct record	 rec;

	state_settle(s, a->running_ms);
	if (s->windows.armed == armed && s->windows.rearm_waits == rearm &&
	    s->waits == waits && s->windows.n == n)
		return true;
	record_begin(&rec, RECORD_RUNNING, a);
	return signer_record(s, &rec, r);
}

/* A newer head than the journal's is heard, whatever else would be said. */
static bool
hear_head(struct signer *s, const struct ask *a, struct refusal *r)
{
	return a->m->known.p == NULL || known_check(s, a->m, a->now, r);
}

static bool
state_allows(struct signer *s, const struct ask *a, unsigned needs,
    struct refusal *r)
{
	bool	 halted = (needs & RUNS) != 0 && s->halted_seq != 0;

	if ((needs & KEYS) != 0 && s->journal == NULL)
		return refuse(r, SIGN_REFUSE_LOCKED,
		    "locked: its custodian must unlock it");
	if ((needs & SOUND) == 0)
		return true;
	if (s->broken)
		return refuse(r, SIGN_REFUSE_STORE, "the journal failed "
		    "before: nothing more until the signer is started again");
	if (s->behind)
		return refuse(r, SIGN_REFUSE_BEHIND, "its journal was put "
		    "back: recover it");
	if (!pass_time(s, a, r))
		return false;
	if (((needs & HEAD) != 0 || halted) && !hear_head(s, a, r))
		return false;
	if (halted)
		return refuse(r, SIGN_REFUSE_HALTED, "halted by record %ju: "
		    "%s", (uintmax_t)s->halted_seq, s->halted_why);
	return true;
}

static bool
ask_handle(struct signer *s, const struct ask *a, bool custodian,
    struct reply *out, struct refusal *r)
{
	const struct take_row	*row = row_of(a->m->type);

	if (!sign_allowed(a->m->type, custodian) || row == NULL)
		return refuse(r, SIGN_REFUSE_PERMISSION, "`%s`: not from "
		    "here", sign_type_text(a->m->type));
	return state_allows(s, a, row->needs, r) && row->handler(s, a, out, r);
}

/* The frame, in memory of the signer's. */
static struct text
answer_pack(struct signer *s, struct sign_message *m)
{
	static const char	 reason[] = "no memory for the answer";
	size_t			 room = sign_message_room(m);
	unsigned char		*bigger;
	struct text		 t;

	if (room > s->answer_room &&
	    (bigger = realloc(s->answer, room)) != NULL) {
		s->answer = bigger;
		s->answer_room = room;
	}
	if (room > s->answer_room || room > SIGN_MAX) {
		/* What was signed is in the journal: asked again, it is
		 * answered again. */
		sign_message_clear(m, SIGN_REFUSED, m->tag);
		m->refusal = SIGN_REFUSE_FAILED;
		m->reason = text_of(reason);
		assert(sign_message_room(m) <= s->answer_room);
	}
	t.len = sign_message_pack(m, s->answer);
	t.p = (const char *)s->answer;
	return t;
}

struct text
signer_take(struct signer *s, struct text frame, bool custodian,
    const struct signer_clock *now)
{
	struct sign_message	 m, answer;
	struct reply		 out;
	struct refusal		 r;
	struct ask		 a = { &m, now, signer_running_ms(s, now) };
	unsigned char		 head[SIGN_HEAD_LEN];
	struct text		 t;
	bool			 done;

	memset(&out, 0, sizeof(out));
	memset(&r, 0, sizeof(r));
	if (sign_message_unpack(&m, (const unsigned char *)frame.p, frame.len,
	    &r.e) != RC_OK) {
		/* Whoever asked must know that it is his answer. */
		m.tag = frame.len >= SIGN_FRAME_HEAD ?
		    get_le64((const unsigned char *)frame.p + 5) : 0;
		r.why = SIGN_REFUSE_MALFORMED;
		done = false;
	} else
		done = ask_handle(s, &a, custodian, &out, &r);
	sign_message_clear(&answer, done ? SIGN_DONE : SIGN_REFUSED, m.tag);
	if (done) {
		answer.psbt = out.psbt;
		answer.body = out.body;
		answer.number = out.number;
	} else {
		assert(r.why != SIGN_REFUSE_NONE);
		answer.refusal = r.why;
		answer.reason = text_of(r.e.text);
	}
	/* After a failed write nobody knows which record is the newest; and of
	 * a journal that was put back no head may be shown to the right one. */
	if (s->journal != NULL && !s->broken && !s->behind) {
		signer_head(s, head);
		answer.head.p = (const char *)head;
		answer.head.len = sizeof(head);
	}
	t = answer_pack(s, &answer);
	free(out.owned);
	return t;
}

void
signer_tick(struct signer *s, const struct signer_clock *now)
{
	struct ask	 a = { NULL, now, signer_running_ms(s, now) };
	struct record	 rec;
	struct refusal	 r;

	if (s->journal == NULL || s->broken ||
	    a.running_ms - s->recorded_ms < TICK_MS)
		return;
	record_begin(&rec, RECORD_RUNNING, &a);
	/* What fails here is refused from now on. */
	(void)signer_record(s, &rec, &r);
}
