/*
 * Operators' signatures, each over the whole text of what is approved (H6).
 *
 * One list serves several statements, so that a batch needs one request.  An
 * approval that is not of the statement at hand ends that statement's; it
 * must then be of the next one, and none may be left at the end.
 */
#include <assert.h>
#include <stdio.h>

#include "signer/take.h"

#define PRINTABLE(c)	((c) > ' ' && (c) <= '~' && (c) != '\\')

const char *
id_text(char buf[ID_TEXT_MAX], struct text id)
{
	size_t	 i, n = 0;

	buf[n++] = '`';
	for (i = 0; i < id.len && i < 64; i++) {
		if (PRINTABLE(id.p[i]))
			buf[n++] = id.p[i];
		else
			n += (size_t)snprintf(buf + n, 5, "\\x%02x",
			    (unsigned char)id.p[i]);
	}
	buf[n++] = '`';
	buf[n] = '\0';
	return buf;
}

void
approve_begin(const struct signer *s, struct sign_statement *st,
    enum sign_purpose purpose, uint64_t answers)
{
	memset(st, 0, sizeof(*st));
	st->purpose = purpose;
	memcpy(st->deployment, s->settings.deployment,
	    sizeof(st->deployment));
	st->network = s->settings.network;
	memcpy(st->signer, keys_id(s->keys), sizeof(st->signer));
	st->answers = answers;
}

static const struct sign_operator *
operator_named(const struct sign_settings *s, struct text name)
{
	size_t	 i;

	for (i = 0; i < s->n_operators; i++) {
		if (text_equal(text_of(s->operators[i].name), name))
			return &s->operators[i];
	}
	return NULL;
}

/* Persons are counted: two names with one key are one. */
static bool
counts_anew(const struct sign_operator *o, const struct sign_operator **seen,
    unsigned n)
{
	unsigned	 i;

	for (i = 0; i < n; i++) {
		if (memcmp(seen[i]->key, o->key, sizeof(o->key)) == 0)
			return false;
	}
	return true;
}

/* One of them, whose signature is right for `st`. */
static bool
approval_good(const struct sign_approval *ap, const struct sign_operator *o,
    bool custodians, const struct signer_clock *now, struct refusal *r)
{
	if (custodians ? !o->custodian : !o->approve)
		return refuse(r, SIGN_REFUSE_APPROVAL_BAD, "%s is not one "
		    "who may approve this", o->name);
	if (ap->expires_ms <= now->now_ms)
		return refuse(r, SIGN_REFUSE_APPROVAL_BAD, "the approval of "
		    "%s has expired", o->name);
	return true;
}

bool
approve_next(const struct signer *s, struct text *rest,
    struct sign_statement *st, bool custodians, unsigned need,
    const struct signer_clock *now, struct refusal *r)
{
	const struct sign_operator	*seen[SIGN_OPERATORS_MAX];
	const struct sign_operator	*o = NULL;
	struct sign_approval		 ap;
	struct err			 e;
	unsigned			 n = 0;

	while (rest->len >= SIGN_APPROVAL_LEN) {
		if (sign_approval_unpack(&ap, (const unsigned char *)rest->p,
		    &e) != RC_OK)
			return refuse(r, SIGN_REFUSE_APPROVAL_BAD, "%s",
			    e.text);
		if ((o = operator_named(&s->settings, ap.by)) == NULL)
			return refuse(r, SIGN_REFUSE_APPROVAL_BAD, "an "
			    "approval of nobody who is known");
		st->by = text_of(o->name);
		st->expires_ms = ap.expires_ms;
		if (!sign_statement_verify(st, o->key, ap.signature))
			break;
		if (!approval_good(&ap, o, custodians, now, r))
			return false;
		if (!counts_anew(o, seen, n))
			return refuse(r, SIGN_REFUSE_APPROVAL_BAD, "%s "
			    "approves twice", o->name);
		/* No more persons than operators. */
		assert(n < SIGN_OPERATORS_MAX);
		seen[n++] = o;
		rest->p += SIGN_APPROVAL_LEN;
		rest->len -= SIGN_APPROVAL_LEN;
	}
	if (n < need && rest->len > 0 && o != NULL)
		return refuse(r, SIGN_REFUSE_APPROVAL_BAD, "the approval of "
		    "%s is of something else, or wrong", o->name);
	if (n < need)
		return refuse(r, SIGN_REFUSE_APPROVALS, "%u of %u approvals",
		    n, need);
	return true;
}

bool
approve_end(struct text rest, struct refusal *r)
{
	if (rest.len == 0)
		return true;
	return refuse(r, SIGN_REFUSE_APPROVAL_BAD, "%zu approvals of "
	    "something else, or wrong", rest.len / SIGN_APPROVAL_LEN);
}

bool
approve_count(const struct signer *s, struct text approvals,
    struct sign_statement *st, bool custodians, unsigned need,
    const struct signer_clock *now, struct refusal *r)
{
	struct text	 rest = approvals;

	/* Nobody may be counted as enough. */
	assert(need > 0);
	return approve_next(s, &rest, st, custodians, need, now, r) &&
	    approve_end(rest, r);
}

/* ---- of payments ---- */

/* What was signed once stays bumpable: a transaction in conflict with the
 * first pays the same to the same. */
static bool
approved_before(const struct signer *s, const struct receipt *rc)
{
	const struct memory_id	*known = memory_find_id(s->memory, rc->id);

	return known != NULL && known->first != UINT32_MAX;
}

bool
approve_payments(const struct signer *s, struct text *rest,
    const struct receipt *rc, size_t n, const struct signer_clock *now,
    struct refusal *r)
{
	struct sign_statement	 st;
	char			 id[ID_TEXT_MAX];
	struct refusal		 inner;
	unsigned		 need;
	size_t			 i;

	assert(s->settings.quorum > 0);
	for (i = 0; i < n; i++) {
		if (rc[i].amount_sat <= s->settings.approve_above_sat)
			continue;
		need = approved_before(s, &rc[i]) ? 0 : s->settings.quorum;
		approve_begin(s, &st, SIGN_FOR_PAY, 0);
		st.id = rc[i].id;
		st.script = rc[i].script;
		st.amount_sat = rc[i].amount_sat;
		st.fee_max_sat = rc[i].fee_max_sat;
		if (!approve_next(s, rest, &st, false, need, now,
		    &inner))
			return refuse(r, inner.why, "%s: %s",
			    id_text(id, rc[i].id), inner.e.text);
	}
	return true;
}

bool
approve_check(struct signer *s, struct pay *p, struct refusal *r)
{
	struct text		 rest = p->m->approvals;
	struct sign_statement	 st;

	/* Those of what was loaded came with it. */
	if (p->m->type != SIGN_COSIGN && !approve_payments(s, &rest,
	    p->receipts, p->n_receipts, p->now, r))
		return false;
	if (p->spike) {
		approve_begin(s, &st, SIGN_FOR_FEE, 0);
		memcpy(st.txid, p->txid, sizeof(st.txid));
		st.amount_sat = p->fee_sat;
		if (!approve_next(s, &rest, &st, false, s->settings.quorum,
		    p->now, r))
			return false;
	}
	return approve_end(rest, r);
}
