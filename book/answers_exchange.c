/*
 * One withdrawal, as /v1 shows it, with a fresh receipt where it may be paid
 * now.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "book/answers.h"
#include "book/door.h"
#include "engine/receipts.h"

enum { ID, ACCOUNT, SCRIPT, AMOUNT, STATE, VERDICT, WOULD, DUE, RULES, SEQ,
	RECEIPT_SEQ, TXID, VOUT, ISSUED };

/* Where a rule stood when event `seq` was decided. */
static const char *
place_of(struct answering *a, int64_t seq, struct text name, char *buf,
    size_t room)
{
	sqlite3_stmt	*q = store_ask(a->s, "select place from rule where "
	    "policy = (select max(seq) from policy where seq <= ?) and name "
	    "= ?", "it", seq, name);
	struct text	 t;

	if (q == NULL)
		return NULL;
	t = store_text(q, 0);
	(void)snprintf(buf, room, "%.*s", (int)t.len,
	    t.p != NULL ? t.p : "");
	store_done(q);
	return buf;
}

/* The list as project.c wrote it: names hold nothing to escape. */
static void
reasons(struct answering *a, struct door_answer *d, struct text t)
{
	const char	*p = t.p, *end = p + t.len, *q;
	struct text	 name;
	char		 place[128];

	for (; p != NULL && p < end; p = q + 1) {
		if ((p = memchr(p, '"', (size_t)(end - p))) == NULL ||
		    (q = memchr(p + 1, '"', (size_t)(end - p - 1))) == NULL)
			return;
		name.p = p + 1;
		name.len = (size_t)(q - p - 1);
		door_reason(d, name, place_of(a, a->seq, name, place,
		    sizeof(place)));
	}
}

static bool
policy_at(struct answering *a, int64_t seq, unsigned char out[32])
{
	sqlite3_stmt	*q = store_ask(a->s, "select hash from policy where "
	    "seq < ? order by seq desc limit 1", "i", seq);
	struct text	 t;
	bool		 there;

	if (q == NULL)
		return false;
	t = store_bytes(q, 0);
	there = t.len == 32;
	if (there)
		memcpy(out, t.p, 32);
	store_done(q);
	return there;
}

/*
 * Which event a receipt is of.  Many may be released by one event, and our
 * signer wants to see each number with one withdrawal alone: for it there is
 * an event that says that the receipt was issued.
 */
static uint64_t
seq_of(const struct book_now *now, sqlite3_stmt *q)
{
	int64_t	 issued = sqlite3_column_int64(q, ISSUED);
	int64_t	 released = sqlite3_column_int64(q, RECEIPT_SEQ);

	if (released <= 0 || (uint64_t)released <= now->payers_seq)
		return 0;
	if (now->purpose == RECEIPT_PAY)
		return (uint64_t)released;
	/* A burn may be of what was never issued. */
	return (uint64_t)(issued > 0 || now->purpose != RECEIPT_BURN ?
	    issued : released);
}

/*
 * Both the book and the engine's own state must say that it is released, and
 * of the same amount: the book is a file that others may write.
 */
static const char *
receipt(struct answering *a, sqlite3_stmt *q, char out[RECEIPT_BASE64_MAX])
{
	const struct book_now	*now = a->now;
	int64_t			 state = sqlite3_column_int64(q, STATE);
	struct receipt		 r = { .purpose = now->purpose,
		.network = (uint8_t)a->net,
		.seq = seq_of(now, q),
		.id = store_text(q, ID), .script = store_bytes(q, SCRIPT),
		.amount_sat = sqlite3_column_int64(q, AMOUNT),
		.fee_max_sat = now->fee_max_sat };

	if (now->payable_sat != r.amount_sat || r.seq == 0 || a->keys == NULL ||
	    (state != STATE_RELEASED &&
	    (state != STATE_FAILED || r.purpose != RECEIPT_BURN)) ||
	    !policy_at(a, sqlite3_column_int64(q, RECEIPT_SEQ), r.policy))
		return NULL;
	r.expires_ms = now->t_ms + now->receipt_ms;
	memcpy(r.head, now->head, sizeof(r.head));
	return receipts_sign(out, &r, store_text(q, ACCOUNT), a->keys);
}

void
answers_exchange(struct answering *a)
{
	static struct door_answer	 d;
	char				 signed_[RECEIPT_BASE64_MAX];
	struct ident			 ident;
	sqlite3_stmt			*q;

	q = store_ask(a->s, "select id, account, script, amount, state, "
	    "verdict, would, due, rules, seq, receipt_seq, txid, vout, issued "
	    "from withdrawal where ident = ?", "b", answers_ident(&ident, a,
	    a->q->id));
	if (q == NULL) {
		answers_error(a, 404, 0, "no such withdrawal");
		return;
	}
	memset(&d, 0, sizeof(d));
	d.id = store_text(q, ID);
	d.seq = (uint64_t)sqlite3_column_int64(q, SEQ);
	d.mode = a->now->mode;
	d.state = (enum state)sqlite3_column_int(q, STATE);
	d.verdict = door_verdict(d.state,
	    (enum verdict)sqlite3_column_int(q, VERDICT));
	d.would = (enum verdict)sqlite3_column_int(q, WOULD);
	d.until_ms = sqlite3_column_type(q, DUE) == SQLITE_NULL ? -1 :
	    sqlite3_column_int64(q, DUE);
	d.txid = store_text(q, TXID);
	d.vout = sqlite3_column_type(q, VOUT) == SQLITE_NULL ? -1 :
	    sqlite3_column_int64(q, VOUT);
	reasons(a, &d, store_text(q, RULES));
	d.receipt = receipt(a, q, signed_);
	door_put(a->j, &d);
	store_done(q);
}

/* Since when, and why: by a rule, or by people with their reason. */
static void
put_halt(struct answering *a)
{
	sqlite3_stmt	*q = store_ask(a->s, "select seq, t, by, reason, rule "
	    "from halt where until is null order by seq desc limit 1", "");
	struct json	*j = a->j;

	if (!a->now->halted || q == NULL) {
		json_put_null(j, "halted");
		store_done(q);
		return;
	}
	json_open_object(j, "halted");
	json_put_int(j, "seq", sqlite3_column_int64(q, 0));
	json_put_int(j, "since", sqlite3_column_int64(q, 1));
	answers_text(j, "why", q, sqlite3_column_type(q, 4) != SQLITE_NULL ?
	    4 : 3);
	answers_text(j, "by", q, 2);
	json_close(j);
	store_done(q);
}

/* Whether it works, and what waits: for the exchange's own monitoring. */
void
answers_health(struct answering *a)
{
	char		 hex[65];
	struct json	*j = a->j;
	int64_t		 held;

	json_open_object(j, NULL);
	json_put_bool(j, "ready", strcmp(a->now->mode, "reads") != 0);
	json_put_text(j, "mode", a->now->mode);
	put_halt(a);
	json_open_object(j, "journal");
	json_put_int(j, "seq", a->seq);
	json_put_text(j, "head", sodium_bin2hex(hex, sizeof(hex),
	    a->now->head, sizeof(a->now->head)));
	json_close(j);
	held = store_number(a->s, -1, "select min(asked) from withdrawal "
	    "where state = ?", "i", (int64_t)STATE_HELD);
	if (held >= 0)
		json_put_int(j, "oldest_held", held);
	else
		json_put_null(j, "oldest_held");
	json_put_int(j, "t", a->now->t_ms);
	/* There is no wallet yet. */
	json_put_null(j, "node_height");
	if (a->now->signer_ms > 0)
		json_put_int(j, "signer_seen", a->now->signer_ms);
	else
		json_put_null(j, "signer_seen");
	json_close(j);
}
