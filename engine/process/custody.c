/*
 * What is said to our own signer, and what it says.
 */
#include "engine/process/custody.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "engine/head.h"
#include "engine/process/exchange.h"
#include "engine/receipts.h"
#include "engine/take.h"
#include "lib/civil.h"
#include "lib/json.h"
#include "lib/log.h"

#define STANDING_MS	(5 * MS_PER_MIN)
#define ANSWER_MAX	2048
/* So many events a journal can have lost; more were not told by an engine. */
#define LEAP_MAX	1000000
#define LEAP_ROW	10000
#define HEAD_BASE64	sodium_base64_ENCODED_LEN(SIGN_HEAD_LEN,	\
			    sodium_base64_VARIANT_ORIGINAL)

struct question {
	struct keeper	*k;
	struct channel	*from;
	const struct message *m;
	struct err	 why;
};

/* Which signer */

static bool
key_of(const struct keeper *k, unsigned char key[32])
{
	const char	*hex = keeper_config(k)->signer_key;
	size_t		 n;

	return hex[0] != '\0' && sodium_hex2bin(key, 32, hex, strlen(hex),
	    NULL, &n, NULL) == 0 && n == 32;
}

static bool
is_known(const struct keeper *k, const unsigned char key[32])
{
	unsigned char	 id[16];

	sign_id_of_key(id, key);
	return k->custody.known &&
	    memcmp(id, k->custody.newest.signer, sizeof(id)) == 0;
}

/* Since the journal was put back? */
static bool
is_unheard(const struct custody *c)
{
	return c->restored_seq > c->heard_seq;
}

/*
 * Was the signer told of events that this journal does not have any more?  A
 * head that comes as event `seq` knows none from there on; and nobody was paid
 * between a restore and the first head after it.
 */
static bool
is_lost(const struct custody *c, const struct sign_head *h, uint64_t seq)
{
	return h->engine_seq >= seq ||
	    (is_unheard(c) && h->engine_seq >= c->restored_seq);
}

/* What follows from a restore. */
static const char *
not_yet(const struct keeper *k)
{
	const struct custody	*c = &k->custody;
	uint64_t		 seq = keeper_state(k)->seq;

	if (is_unheard(c))
		return "the signer was not heard since the journal was put "
		    "back (`drawbridge receipt head FILE`): nobody gets a "
		    "receipt";
	if (c->lost_seq == 0)
		return NULL;
	if (c->newest.engine_seq == c->lost_seq)
		return "the signer has not adopted this journal since it was "
		    "put back (`drawbridge signer adopt`): nobody gets a "
		    "receipt";
	return c->lost_seq <= seq || c->lost_seq - seq <= LEAP_MAX ? NULL :
	    "the signer heard of events that are too far from here: nobody "
	    "gets a receipt";
}

/* Nobody may be paid, and why; NULL: there is a payer. */
static const char *
nobody(const struct keeper *k)
{
	unsigned char	 key[32];

	if (!key_of(k, key))
		return !k->custody.known ? NULL : "the journal knows a signer"
		    " of ours, and the configuration names none "
		    "(`signer-key`): nobody gets a receipt";
	if (!k->custody.known)
		return "no head of the signer is known yet (`drawbridge "
		    "receipt head FILE`): nobody gets a receipt";
	if (!is_known(k, key))
		return "the journal knows another signer than the "
		    "configuration (`signer-key`): nobody gets a receipt";
	return not_yet(k);
}

bool
custody_purpose(const struct keeper *k, enum receipt_purpose *out)
{
	*out = keeper_config(k)->signer_key[0] != '\0' ? RECEIPT_PAY_OWN :
	    RECEIPT_PAY;
	return nobody(k) == NULL;
}

int64_t
custody_receipt_ms(const struct keeper *k, enum receipt_purpose p)
{
	return p == RECEIPT_PAY ? keeper_config(k)->receipt_ms :
	    keeper_config(k)->own_receipt_for_ms;
}

void
custody_begin(struct keeper *k)
{
	const char	*why = k->journal != NULL ? nobody(k) : NULL;

	if (why != NULL)
		log_event(k->custody.known ? LOG_BROKEN : LOG_ODD, "signer",
		    "why", 's', why, NULL);
}

/* What was taken, or is in force */

void
custody_told(struct custody *c, const struct command *cmd, uint64_t seq)
{
	struct sign_head	 h;
	size_t			 at;

	if (cmd->type == COMMAND_RESTORED) {
		c->restored_seq = seq;
		c->lost_seq = 0;
	}
	if (cmd->type != COMMAND_SIGNER_HEAD)
		return;
	sign_head_unpack(&h, (const unsigned char *)cmd->blob.p);
	if (!c->known)
		c->since_seq = seq;
	if (is_lost(c, &h, seq))
		c->lost_seq = h.engine_seq;
	c->known = true;
	c->newest = h;
	c->heard_seq = seq;
	c->heard_ms = cmd->t_ms;
	at = h.seq % BOOK_HEADS;
	c->heads[at].seq = h.seq;
	memcpy(c->heads[at].hash, h.hash, sizeof(h.hash));
}

/* Answers */

static void
refuse(struct question *q, int status)
{
	exchange_fail(q->k, q->from, q->m->tag, status, q->why.text);
}

static void
answer(struct question *q, struct json *j, const char *body)
{
	json_close(j);
	if (json_end(j) != RC_OK) {
		(void)err_set(&q->why, "the answer is too long");
		refuse(q, 500);
		return;
	}
	keeper_answer(q->k, q->from, q->m->tag, 200, text_of(body), 0);
}

static void
put_newest(struct json *j, const struct custody *c)
{
	unsigned char	 bytes[SIGN_HEAD_LEN];
	char		 text[HEAD_BASE64];

	if (!c->known) {
		json_put_null(j, "head");
		json_put_null(j, "record");
		return;
	}
	sign_head_pack(&c->newest, bytes);
	json_put_text(j, "head", sodium_bin2base64(text, sizeof(text), bytes,
	    sizeof(bytes), sodium_base64_VARIANT_ORIGINAL));
	json_put_uint(j, "record", c->newest.seq);
}

/* Where the journal stands */

static void
standing(struct question *q)
{
	static struct json	 j;
	const struct rebuilt	*s = keeper_state(q->k);
	struct receipt		 r = { .purpose = RECEIPT_STANDING,
		.network = s->genesis.network };
	char			 body[ANSWER_MAX], text[RECEIPT_BASE64_MAX];
	struct head		 h;

	/* Only what is on the disk: a signer that was told more would take
	 * the engine after a power cut for one that went back. */
	if (journal_head(q->k->journal, &h, &q->why) != RC_OK)
		keeper_die(q->k, &q->why);
	r.seq = h.seq;
	memcpy(r.head, h.hash, sizeof(r.head));
	memcpy(r.policy, s->policy_hash, sizeof(r.policy));
	r.expires_ms = keeper_now_ms(q->k) + STANDING_MS;
	json_to_memory(&j, body, sizeof(body));
	json_open_object(&j, NULL);
	json_put_text(&j, "standing", receipts_sign(text, &r, text_of(NULL),
	    keeper_keyring(q->k)));
	json_put_uint(&j, "seq", r.seq);
	put_newest(&j, &q->k->custody);
	answer(q, &j, body);
}

/* Receipts */

static bool
find(const struct keeper *k, struct text id, struct engine_withdrawal *w)
{
	return id.p != NULL && engine_withdrawal(keeper_state(k)->engine,
	    take_ident(&keyring_secrets(keeper_keyring(k))->ids, id), w);
}

static bool
may_burn(const struct engine_withdrawal *w)
{
	return (w->state == STATE_RELEASED || w->state == STATE_FAILED) &&
	    !w->burned;
}

/* Past the numbers that the signer knows from events that are lost. */
static enum rc
leap(struct keeper *k, struct err *e)
{
	uint64_t	 seq = keeper_state(k)->seq;
	struct command	 c;
	struct taken	 t;

	for (; seq < k->custody.lost_seq; seq++) {
		command_clear(&c, COMMAND_TICK, 0);
		if (keeper_take(k, &c, &t, e) != RC_OK)
			return RC_FAILED;
		if (seq % LEAP_ROW == 0)
			keeper_commit(k);
	}
	return RC_OK;
}

bool
custody_issue(struct keeper *k, struct text id, uint64_t *seq_out)
{
	struct command	 c;
	struct taken	 t;
	struct err	 e;

	if (leap(k, &e) != RC_OK) {
		log_event(LOG_BROKEN, "receipt", "id", 't', id, "why", 's',
		    e.text, NULL);
		return false;
	}
	command_clear(&c, COMMAND_RECEIPT, 0);
	c.id = id;
	if (keeper_take(k, &c, &t, &e) != RC_OK) {
		log_event(LOG_BROKEN, "receipt", "id", 't', id, "why", 's',
		    e.text, NULL);
		return false;
	}
	*seq_out = t.seq;
	return t.type != OUTCOME_REFUSED;
}

static bool
is_burn(const struct message *m)
{
	return m->type == MESSAGE_CUSTODY &&
	    text_equal(m->name, text_of("burn"));
}

void
custody_now(struct keeper *k, struct book_now *n, const struct message *m,
    const struct engine_withdrawal *w, bool may_pay)
{
	uint64_t	 seq;

	if (!custody_purpose(k, &n->purpose))
		return;
	if (is_burn(m) ? n->purpose != RECEIPT_PAY_OWN || !may_burn(w) :
	    !may_pay || w->state != STATE_RELEASED)
		return;
	if (n->purpose == RECEIPT_PAY_OWN)
		n->payers_seq = k->custody.since_seq;
	if (is_burn(m))
		n->purpose = RECEIPT_BURN;
	else if (n->purpose == RECEIPT_PAY_OWN && !w->issued &&
	    !custody_issue(k, m->id, &seq))
		return;
	n->payable_sat = w->amount_sat;
	n->receipt_ms = custody_receipt_ms(k, n->purpose);
	n->fee_max_sat = keeper_config(k)->fee_max_sat;
	k->figures.receipts++;
}

/* Why not, as far as it can be told before the book is asked. */
static int
check_issue(struct question *q, bool burn)
{
	struct engine_withdrawal	 w;
	const char			*why = nobody(q->k);

	if (why == NULL && keeper_config(q->k)->signer_key[0] == '\0')
		why = "the configuration names no signer of ours "
		    "(`signer-key`)";
	if (why != NULL)
		(void)err_set(&q->why, "%s", why);
	else if (!find(q->k, q->m->id, &w)) {
		(void)err_set(&q->why, "no such withdrawal");
		return 404;
	} else if (w.burned)
		(void)err_set(&q->why, "it was burned: its money came back");
	else if (burn ? !may_burn(&w) : w.state != STATE_RELEASED)
		(void)err_set(&q->why, "its state is `%s`: %s",
		    state_text(w.state), burn ? "there is nothing to burn" :
		    "only what is released is paid");
	else if (!burn && !exchange_may_pay(q->k, w.amount_sat))
		(void)err_set(&q->why, "everything is stopped, or its amount "
		    "is only observed");
	else
		return 0;
	return 409;
}

/* The script and the account's name are in the book. */
static void
issue(struct question *q)
{
	struct message	 ask = *q->m;
	int		 status = check_issue(q, is_burn(q->m));

	if (status != 0) {
		refuse(q, status);
		return;
	}
	ask.endpoint = ENDPOINT_V1_WITHDRAWAL;
	reads_query(q->k, q->from, &ask);
}

/* What the signer signed and nobody here knows of (C5). */
static void
behind(struct question *q)
{
	struct message	 ask = *q->m;

	ask.endpoint = ENDPOINT_V1_HEALTH;
	reads_query(q->k, q->from, &ask);
}

/* The signer's word */

/* Everything stops, and somebody must look. */
static void
stop(struct question *q)
{
	struct command	 c;
	struct taken	 t;
	struct err	 e;

	log_event(LOG_BROKEN, "signer", "why", 's', q->why.text, NULL);
	command_clear(&c, COMMAND_HALT, 0);
	c.by = text_of("service");
	c.reason = text_of(q->why.text);
	if (keeper_take(q->k, &c, &t, &e) != RC_OK)
		log_event(LOG_BROKEN, "halt", "why", 's', e.text, NULL);
}

static enum rc
check_signer(struct question *q, const unsigned char signer[16],
    const unsigned char deployment[16], struct err *e)
{
	unsigned char	 key[32], id[16];

	if (!key_of(q->k, key))
		return err_set(e, "the configuration names no signer of ours "
		    "(`signer-key`)");
	sign_id_of_key(id, key);
	if (memcmp(id, signer, sizeof(id)) != 0)
		return err_set(e, "of another signer than the "
		    "configuration's");
	if (memcmp(deployment, keeper_state(q->k)->genesis.deployment,
	    16) != 0)
		return err_set(e, "of another deployment");
	if (q->k->custody.known && !is_known(q->k, key))
		return err_set(e, "the journal knows another signer");
	return RC_OK;
}

/* C1: nothing else gives the money of a released withdrawal back. */
static void
take_burned(struct question *q, const struct sign_burned *b)
{
	static struct json		 j;
	struct engine_withdrawal	 w;
	struct command			 c;
	struct taken			 t = { .seq = 0 };
	char				 body[ANSWER_MAX];

	if (!find(q->k, b->id, &w)) {
		(void)err_set(&q->why, "no such withdrawal");
		refuse(q, 404);
		return;
	}
	command_clear(&c, COMMAND_BURNED, 0);
	c.id = b->id;
	c.blob = q->m->body;
	if (!w.burned && keeper_take(q->k, &c, &t, &q->why) != RC_OK) {
		refuse(q, 400);
		return;
	}
	if (t.type == OUTCOME_REFUSED) {
		(void)err_set(&q->why, "its state is `%s`: there is nothing to "
		    "give back", state_text(w.state));
		refuse(q, 409);
		return;
	}
	json_to_memory(&j, body, sizeof(body));
	json_open_object(&j, NULL);
	json_put_bytes(&j, "id", b->id.p, b->id.len);
	json_put_text(&j, "state", "burned");
	if (t.seq > 0)
		json_put_uint(&j, "seq", t.seq);
	answer(q, &j, body);
}

static void
burned(struct question *q)
{
	const unsigned char	*bytes = (const unsigned char *)q->m->body.p;
	unsigned char		 key[32];
	struct sign_burned	 b;

	if (q->m->body.len != SIGN_BURNED_LEN ||
	    sign_burned_unpack(&b, bytes, &q->why) != RC_OK) {
		(void)err_set(&q->why, "not what a signer says of a burned "
		    "id");
		refuse(q, 400);
		return;
	}
	if (check_signer(q, b.signer, b.deployment, &q->why) != RC_OK ||
	    !key_of(q->k, key) || !sign_burned_verify(bytes, key)) {
		if (q->why.text[0] == '\0')
			(void)err_set(&q->why, "not signed by the signer");
		log_event(LOG_ODD, "burned", "id", 't', b.id, "why", 's',
		    q->why.text, NULL);
		refuse(q, 403);
		return;
	}
	take_burned(q, &b);
}

/* Another head of that number was journaled. */
static bool
is_fork(const struct custody *c, const struct sign_head *h)
{
	size_t	 at = h->seq % BOOK_HEADS;

	return c->known && c->heads[at].seq == h->seq &&
	    memcmp(c->heads[at].hash, h->hash, sizeof(h->hash)) != 0;
}

/*
 * Do both journals still say what they said?  A head that is only old has
 * nothing to say; a newer one knows all that the known one did, unless the
 * signer adopted an engine that had lost events.
 */
static enum rc
check_heads(const struct custody *c, const struct sign_head *h,
    struct err *e)
{
	bool	 adopted = c->lost_seq != 0 &&
	    c->newest.engine_seq == c->lost_seq;

	if (is_fork(c, h))
		return err_set(e, "the signer's record %" PRIu64 " is another "
		    "one than it said: its journal forked, or a second one "
		    "lives", h->seq);
	if (c->known && h->seq <= c->newest.seq)
		return RC_OK;
	if (h->epoch > RECEIPTS_EPOCH)
		return err_set(e, "the signer listens to epoch %" PRIu64 ": "
		    "another engine took over", h->epoch);
	if (c->known && ((h->engine_seq < c->newest.engine_seq && !adopted) ||
	    h->epoch < c->newest.epoch))
		return err_set(e, "the signer's record %" PRIu64 " knows less "
		    "of us than its record %" PRIu64 ": it went back",
		    h->seq, c->newest.seq);
	return RC_OK;
}

/* Into the journal: also one that says that the journal lost something, for
 * that has to be known from now on. */
static enum rc
keep_head(struct question *q, const struct sign_head *h)
{
	struct keeper	*k = q->k;
	bool		 lost = is_lost(&k->custody, h,
	    keeper_state(k)->seq + 1);
	struct command	 c;
	struct taken	 t;

	command_clear(&c, COMMAND_SIGNER_HEAD, 0);
	c.blob = q->m->body;
	if (keeper_take(k, &c, &t, &q->why) != RC_OK) {
		refuse(q, 400);
		return RC_FAILED;
	}
	if (!lost)
		return RC_OK;
	(void)err_set(&q->why, "the signer heard of event %" PRIu64 ", which "
	    "this journal does not have: it was put back; see what is missing"
	    " (`drawbridge receipt behind`), and let the signer adopt it",
	    h->engine_seq);
	stop(q);
	refuse(q, 409);
	return RC_FAILED;
}

static void
take_head(struct question *q, const struct sign_head *h)
{
	static struct json	 j;
	const struct custody	*known = &q->k->custody;
	bool			 newer = !known->known ||
	    h->seq > known->newest.seq;
	bool			 same = !newer && h->seq == known->newest.seq;
	char			 body[ANSWER_MAX];

	if ((newer || (same && is_unheard(known))) &&
	    keep_head(q, h) != RC_OK)
		return;
	json_to_memory(&j, body, sizeof(body));
	json_open_object(&j, NULL);
	json_put_text(&j, "state", newer ? "newer" : same ? "known" :
	    "older");
	put_newest(&j, known);
	answer(q, &j, body);
}

static void
head(struct question *q)
{
	unsigned char		 key[32];
	struct sign_head	 h;

	if (q->m->body.len == SIGN_HEAD_LEN)
		sign_head_unpack(&h, (const unsigned char *)q->m->body.p);
	if (q->m->body.len != SIGN_HEAD_LEN || h.seq == 0) {
		(void)err_set(&q->why, "not a signer's head");
		refuse(q, 400);
		return;
	}
	if (check_signer(q, h.signer, h.deployment, &q->why) != RC_OK ||
	    !key_of(q->k, key) || !sign_head_verify(&h, key)) {
		if (q->why.text[0] == '\0')
			(void)err_set(&q->why, "not signed by the signer");
		log_event(LOG_ODD, "signer_head", "why", 's', q->why.text,
		    NULL);
		refuse(q, 403);
		return;
	}
	if (check_heads(&q->k->custody, &h, &q->why) != RC_OK) {
		stop(q);
		refuse(q, 409);
		return;
	}
	take_head(q, &h);
}

/* Which */

static const struct {
	const char	*name;
	void		(*answer)(struct question *q);
} questions[] = {
	{ "standing", standing }, { "receipt", issue }, { "burn", issue },
	{ "burned", burned }, { "head", head }, { "behind", behind },
};

void
custody_asked(struct keeper *k, struct channel *from,
    const struct message *m)
{
	struct question	 q = { .k = k, .from = from, .m = m };
	size_t		 i;

	for (i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		if (!text_equal(m->name, text_of(questions[i].name)))
			continue;
		questions[i].answer(&q);
		return;
	}
	(void)err_set(&q.why, "not a question about the signer");
	refuse(&q, 400);
}
