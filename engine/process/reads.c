/*
 * Questions: handed to the book with what only the engine knows, answered
 * from its thread.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/process/inner.h"
#include "engine/take.h"
#include "lib/log.h"

/* Asking */

/* The next free place: a long answer may keep one while others go on. */
static struct asked *
ask(struct keeper *k, uint64_t *ticket_out)
{
	struct asked	*a;
	int		 i;

	for (i = 0; i < ASKED_MAX; i++) {
		a = &k->asked[++k->tickets % ASKED_MAX];
		if (a->used)
			continue;
		memset(a, 0, sizeof(*a));
		a->used = true;
		*ticket_out = k->tickets;
		k->n_asked++;
		return a;
	}
	return NULL;
}

static void
asked_done(struct keeper *k, struct asked *a)
{
	a->used = false;
	k->n_asked--;
}

/* Questions leave room for what the process itself must ask. */
static bool
is_full(const struct keeper *k)
{
	return k->n_asked >= ASKED_MAX - ASKED_OWN;
}

static const char *
mode_text(const struct keeper *k)
{
	static const char *const	 modes[] = { "enforce", "advise",
		"observe" };

	if (k->journal == NULL)
		return "reads";
	return modes[keeper_state(k)->policy->mode];
}

static void
now(struct keeper *k, struct book_now *n, const struct message *m)
{
	const struct rebuilt	*s;

	memset(n, 0, sizeof(*n));
	n->balance_sat = -1;
	n->mode = mode_text(k);
	n->t_ms = keeper_now_ms(k);
	if (k->journal == NULL)
		return;
	s = keeper_state(k);
	n->halted = engine_halted(s->engine);
	n->hot_sat = engine_hot_sat(s->engine);
	n->fund_sat = engine_fund_sat(s->engine);
	if (m->account.p != NULL)
		n->balance_sat = engine_account_balance_sat(s->engine,
		    take_ident(&keyring_secrets(keeper_keyring(k))->ids,
		    m->account));
	exchange_now(k, n, m);
}

static void
answer_now(struct keeper *k, struct channel *to, uint64_t tag, int status,
    const char *body)
{
	keeper_answer(k, to, tag, status, text_of(body), 1);
	keeper_commit(k);
}

/* Without the engine nobody knows what is free, and 0 would be a lie. */
static bool
needs_engine(enum endpoint e)
{
	return e == ENDPOINT_ACCOUNT || e == ENDPOINT_USER_ASSET ||
	    e == ENDPOINT_COINS || e == ENDPOINT_WALLET_BALANCE;
}

void
reads_query(void *ctx, struct channel *from, const struct message *m)
{
	struct keeper	*k = ctx;
	struct book_now	 n;
	struct asked	*a;
	uint64_t	 ticket;

	k->figures.queries++;
	if (k->journal == NULL && needs_engine(m->endpoint)) {
		answer_now(k, from, m->tag, 503, "{\"code\":-1008,\"msg\":"
		    "\"Payments are stopped, and balances are not known.\"}");
		return;
	}
	if (is_full(k) || (a = ask(k, &ticket)) == NULL) {
		answer_now(k, from, m->tag, 503, "{\"code\":-1008,\"msg\":"
		    "\"Too many questions wait.\",\"error\":\"too many "
		    "questions wait\"}");
		return;
	}
	a->to = keeper_room(k, from);
	a->link = k->link[a->to];
	a->tag = m->tag;
	now(k, &n, m);
	book_ask(k->book, ticket, k->journal != NULL ?
	    keeper_state(k)->seq : 0, m, &n);
	/* What was asked for before must become durable, or it would wait. */
	keeper_commit(k);
}

void
reads_used(void *ctx, struct channel *from, const struct message *m)
{
	struct keeper	*k = ctx;

	(void)from;
	book_used(k->book, m->key, m->ip, m->has_ip, m->t_ms);
}

/* Loading */

static void
load(struct keeper *k, enum room to, uint64_t tag)
{
	struct asked	*a;
	uint64_t	 ticket;

	if ((a = ask(k, &ticket)) == NULL)
		return;
	a->to = to;
	a->link = k->link[to];
	a->tag = tag;
	a->load = true;
	k->loads++;
	book_load(k->book, ticket, k->journal != NULL ?
	    keeper_state(k)->seq : 0);
	keeper_commit(k);
}

void
reads_load(void *ctx, struct channel *from, const struct message *m)
{
	load(ctx, keeper_room(ctx, from), m->tag);
}

bool
reads_news(struct keeper *k, struct news *n)
{
	struct message	 m;
	struct book_now	 at;
	struct asked	*a;
	uint64_t	 ticket;

	if (k->book == NULL || (a = ask(k, &ticket)) == NULL)
		return false;
	a->news = n;
	message_clear(&m, MESSAGE_QUERY, 0);
	m.endpoint = ENDPOINT_LOCAL_WITHDRAWAL;
	m.sealed.p = (const char *)&n->id;
	m.sealed.len = sizeof(n->id);
	now(k, &at, &m);
	book_ask(k->book, ticket, n->seq, &m, &at);
	return true;
}

void
reads_begin(struct keeper *k)
{
	/* For ourselves: operators, the quorum, proposals. */
	load(k, ROOM_ENGINE, 0);
}

/* From the book's thread */

static void
queue(struct keeper *k, struct booked *b)
{
	if (b == NULL) {
		log_event(LOG_BROKEN, "memory", NULL);
		abort();
	}
	uv_mutex_lock(&k->book_lock);
	*k->booked_last = b;
	k->booked_last = &b->next;
	uv_mutex_unlock(&k->book_lock);
	(void)uv_async_send(&k->book_async);
}

static struct booked *
booked_new(uint64_t ticket, struct text a, struct text b)
{
	struct booked	*n = malloc(sizeof(*n) + a.len + b.len);

	if (n == NULL)
		return NULL;
	memset(n, 0, sizeof(*n));
	n->ticket = ticket;
	n->len = a.len + b.len;
	if (a.len > 0)
		memcpy(n->bytes, a.p, a.len);
	if (b.len > 0)
		memcpy(n->bytes + a.len, b.p, b.len);
	return n;
}

void
reads_answered(void *ctx, uint64_t ticket, int status, struct text body)
{
	struct booked	*b = booked_new(ticket, body, text_of(NULL));

	if (b != NULL)
		b->status = status;
	queue(ctx, b);
}

void
reads_loaded(void *ctx, uint64_t ticket, uint64_t seq, struct text open,
    struct text sealed)
{
	struct booked	*b = booked_new(ticket, open, sealed);

	if (b != NULL) {
		b->seq = seq;
		b->open_len = open.len;
	}
	queue(ctx, b);
}

void
reads_failed(void *ctx, const struct err *why)
{
	(void)ctx;
	log_event(LOG_BROKEN, "book", "why", 's', why->text, NULL);
}

/* Back on the loop */

static void
send_loaded(struct keeper *k, const struct asked *a)
{
	static const char	 digits[] = "0123456789abcdef";
	const struct genesis	*g;
	struct message		 m;
	char			 hex[33] = "";
	int			 i;

	message_clear(&m, MESSAGE_LOADED, a->tag);
	if (k->journal != NULL) {
		g = &keeper_state(k)->genesis;
		for (i = 0; i < 16; i++) {
			hex[2 * i] = digits[g->deployment[i] >> 4];
			hex[2 * i + 1] = digits[g->deployment[i] & 15];
		}
		m.name = text_of(hex);
		m.t_ms = keeper_state(k)->t_ms;
		m.seq = (int64_t)keeper_state(k)->seq;
		m.number = g->network;
		m.limit = g->demo;
	}
	channel_send(k->to[a->to], &m);
}

/* What was told during the load comes after it. */
static void
release_late(struct keeper *k)
{
	if (k->loads > 0 || k->late == NULL)
		return;
	*k->last = k->late;
	k->last = k->late_last;
	k->late = NULL;
	k->late_last = &k->late;
	keeper_durable_now(k);
}

static void
own_row(struct keeper *k, const struct booked *b)
{
	static struct command_lists	 lists;
	struct command			 c;
	struct err			 e;

	if (command_unpack(&c, &lists, b->bytes, b->open_len,
	    b->bytes + b->open_len, b->len - b->open_len, &e) != RC_OK) {
		log_event(LOG_BROKEN, "load", "why", 's', e.text, NULL);
		process_end(&k->process, 1);
		return;
	}
	operators_told(k->operators, &c, b->seq);
	custody_told(&k->custody, &c, b->seq);
	if (k->journal != NULL)
		exchange_told(k, &c);
}

static void
row(struct keeper *k, struct asked *a, const struct booked *b)
{
	struct message	 m;
	bool		 ours = a->to == ROOM_ENGINE;
	bool		 gone = !ours && (k->to[a->to] == NULL ||
		    k->link[a->to] != a->link);

	if (b->open_len == 0) {
		k->loads--;
		asked_done(k, a);
		if (ours)
			keeper_is_ready(k);
		else if (!gone)
			send_loaded(k, a);
		release_late(k);
		return;
	}
	if (ours) {
		own_row(k, b);
		return;
	}
	/* The console may know what deployment this is, and no secrets. */
	if (gone || a->to != ROOM_AUTH)
		return;
	message_clear(&m, MESSAGE_TOLD, a->tag);
	m.open.p = (const char *)b->bytes;
	m.open.len = b->open_len;
	m.sealed.p = (const char *)b->bytes + b->open_len;
	m.sealed.len = b->len - b->open_len;
	m.seq = (int64_t)b->seq;
	channel_send(k->to[a->to], &m);
}

static void
answered(struct keeper *k, struct asked *a, const struct booked *b)
{
	struct message	 m;
	struct text	 body = { (const char *)b->bytes, b->len };

	asked_done(k, a);
	if (a->news != NULL) {
		notices_told(k, a->news, b->status, body);
		return;
	}
	if (k->to[a->to] == NULL || k->link[a->to] != a->link)
		return;
	message_clear(&m, MESSAGE_ANSWER, a->tag);
	m.status = b->status;
	m.body = body;
	channel_send(k->to[a->to], &m);
}

void
reads_booked(struct keeper *k)
{
	struct booked	*b, *next;
	struct asked	*a;

	uv_mutex_lock(&k->book_lock);
	b = k->booked;
	k->booked = NULL;
	k->booked_last = &k->booked;
	uv_mutex_unlock(&k->book_lock);
	for (; b != NULL; b = next) {
		next = b->next;
		a = &k->asked[b->ticket % ASKED_MAX];
		assert(a->used);
		if (a->load)
			row(k, a, b);
		else
			answered(k, a, b);
		free(b);
	}
	notices_turn(k);
	keeper_flow(k);
}
