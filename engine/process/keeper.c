/*
 * Take, hold answers, commit; what falls due; the time.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/outcome.h"
#include "engine/process/inner.h"
#include "engine/process/memory.h"
#include "engine/take.h"
#include "lib/civil.h"
#include "lib/log.h"

static int64_t
reading(clockid_t which)
{
	struct timespec	 t;

	(void)clock_gettime(which, &t);
	return t.tv_sec * MS_PER_S + t.tv_nsec / 1000000;
}

/* Taking */

struct listening {
	struct keeper	*k;
	struct ident	 id;		/* the command's withdrawal */
	struct taken	*t;
};

static bool
known(const struct eval_env *env, int slot)
{
	return (env->known[slot / 64] >> slot % 64 & 1) != 0;
}

/* How long the address has been in the account's book, if a rule asked. */
static int64_t
listed_ms(const struct program *p, const struct eval_env *env)
{
	int	 i;

	for (i = 0; env != NULL && i < p->n_slots; i++) {
		if (p->slots[i].kind == SLOT_FACT &&
		    p->slots[i].index == FACT_AGE_LISTING && known(env, i))
			return env->value[i];
	}
	return -1;
}

static void
spoken(struct taken *t, const struct joined *j)
{
	int	 i;

	t->judged = true;
	t->code = j->code;
	t->by_default = j->by_default;
	t->error = j->error != EVAL_OK;
	t->people = j->people;
	t->n_rules = 0;
	for (i = 0; i < RULES_MAX; i++) {
		if ((j->matched[i / 64] >> i % 64 & 1) != 0)
			t->did[t->n_rules] = RULE_MATCHED;
		else if ((j->failed[i / 64] >> i % 64 & 1) != 0)
			t->did[t->n_rules] = RULE_FAILED;
		else
			continue;
		t->rules[t->n_rules++] = (uint16_t)i;
	}
}

static void
heard(void *ctx, const struct outcome *o)
{
	struct listening	*l = ctx;
	struct taken		*t = l->t;

	if (o->type == OUTCOME_HALTED)
		t->halt_rule = o->halt_rule;
	if (o->type == OUTCOME_REDECIDED || o->type == OUTCOME_MOVED)
		notices_moved(l->k, o);
	if (!ident_none(l->id) ? !ident_equal(o->id, l->id) :
	    o->type != OUTCOME_REFUSED)
		return;
	t->type = o->type;
	t->cause = o->cause;
	t->why = o->why;
	t->verdict = o->verdict;
	t->would = o->would;
	t->state = o->state;
	t->due_ms = o->due_ms;
	t->released_ms = o->released_ms;
	if (o->joined == NULL)
		return;
	spoken(t, o->joined);
	t->listed_ms = listed_ms(keeper_state(l->k)->program, o->env);
}

static void
count(struct figures *f, const struct command *c, const struct taken *t)
{
	f->taken++;
	if (c->type == COMMAND_WITHDRAW && t->type == OUTCOME_DECIDED)
		f->verdicts[t->verdict]++;
	if (t->type == OUTCOME_REFUSED)
		f->refused++;
}

enum rc
keeper_take(struct keeper *k, struct command *c, struct taken *out,
    struct err *e)
{
	struct listening	 l = { .k = k, .t = out };
	struct engine_sink	 sink = { heard, &l };
	enum rc			 rc;

	memset(out, 0, sizeof(*out));
	out->type = OUTCOME_TAKEN;
	out->halt_rule = -2;
	out->released_ms = -1;
	out->due_ms = INT64_MAX;
	out->listed_ms = -1;
	if (c->type == COMMAND_WITHDRAW || c->id.p != NULL)
		l.id = take_ident(&keyring_secrets(keeper_keyring(k))->ids,
		    c->id);
	c->t_ms = out->t_ms = keeper_now_ms(k);
	rc = journal_take(k->journal, c, &sink, &out->seq, e);
	if (rc != RC_OK && !journal_alive(k->journal))
		keeper_die(k, e);
	if (rc != RC_OK)
		return rc;
	count(&k->figures, c, out);
	if (c->type == COMMAND_CLOCK)
		clock_accept(&k->clock, reading(CLOCK_REALTIME),
		    reading(CLOCK_BOOTTIME));
	/* A second halt stops nothing: a restart answers the first. */
	if (c->type != COMMAND_HALT || out->type != OUTCOME_REFUSED)
		operators_told(k->operators, c, out->seq);
	exchange_told(k, c);
	custody_told(&k->custody, c, out->seq);
	if (out->halt_rule != -2)
		k->operators->halt_seq = (int64_t)out->seq;
	keeper_tell(k, c, out->seq);
	notices_taken(k, c, out);
	return RC_OK;
}

void
keeper_die(struct keeper *k, const struct err *why)
{
	(void)k;
	log_event(LOG_BROKEN, "journal", "why", 's', why->text, NULL);
	_exit(1);
}

/* Answers wait for the disk */

enum room
keeper_room(const struct keeper *k, const struct channel *c)
{
	return k->to[ROOM_CONSOLE] == c ? ROOM_CONSOLE : ROOM_AUTH;
}

static struct held *
hold(const struct keeper *k, enum room to, const struct message *m,
    uint64_t seq)
{
	struct held	*h = malloc(sizeof(*h) + message_room(m));

	if (h == NULL) {
		log_event(LOG_BROKEN, "memory", NULL);
		_exit(1);
	}
	h->next = NULL;
	h->seq = seq;
	h->since_ns = uv_hrtime();
	h->to = to;
	h->link = k->link[to];
	h->len = message_pack(m, h->bytes);
	return h;
}

static void
append(struct keeper *k, struct held *h)
{
	*k->last = h;
	k->last = &h->next;
	k->held_bytes += h->len;
}

/* Whoever asks and does not listen, or faster than the disk is, waits. */
void
keeper_flow(struct keeper *k)
{
	struct channel	*c;
	int		 r;

	for (r = 0; r < ROOM__COUNT; r++) {
		if ((c = k->to[r]) != NULL)
			channel_pause(c, k->held_bytes > CHANNEL_MARK ||
			    channel_waiting(c) > CHANNEL_MARK);
	}
}

void
keeper_hold(struct keeper *k, enum room to, const struct message *m)
{
	if (k->to[to] == NULL)
		return;
	append(k, hold(k, to, m, k->journal != NULL ?
	    keeper_state(k)->seq : 0));
}

/* What auth must know. */
static bool
is_told(enum command_type t)
{
	return t == COMMAND_ACCOUNT || t == COMMAND_KEY ||
	    t == COMMAND_KEY_REVOKE || t == COMMAND_SECRET ||
	    t == COMMAND_CODE_USED || t == COMMAND_DOOR_KEY ||
	    t == COMMAND_OPERATOR;
}

static void
pack(struct message *m, const struct command *c, unsigned char *open,
    unsigned char *sealed)
{
	size_t	 open_len, sealed_len;

	command_pack(c, open, &open_len, sealed, &sealed_len);
	m->open.p = (const char *)open;
	m->open.len = open_len;
	m->sealed.p = (const char *)sealed;
	m->sealed.len = sealed_len;
}

void
keeper_tell(struct keeper *k, const struct command *c, uint64_t seq)
{
	unsigned char	*open, *sealed;
	struct message	 m;
	struct held	*h;

	if (!is_told(c->type) || k->to[ROOM_AUTH] == NULL)
		return;
	open = malloc(command_open_room(c));
	sealed = malloc(command_sealed_room(c));
	if (open == NULL || sealed == NULL) {
		log_event(LOG_BROKEN, "memory", NULL);
		_exit(1);
	}
	message_clear(&m, MESSAGE_TOLD, 0);
	m.seq = (int64_t)seq;
	pack(&m, c, open, sealed);
	h = hold(k, ROOM_AUTH, &m, seq);
	free(open);
	free(sealed);
	/* The newest must come last: rows of a load are older. */
	if (k->loads == 0) {
		append(k, h);
		return;
	}
	*k->late_last = h;
	k->late_last = &h->next;
	k->held_bytes += h->len;
}

void
keeper_answer(struct keeper *k, struct channel *to, uint64_t tag, int status,
    struct text body, int64_t retry_s)
{
	struct message	 m;

	message_clear(&m, MESSAGE_ANSWER, tag);
	m.status = status;
	m.body = body;
	m.retry_s = retry_s > 0 ? retry_s : -1;
	keeper_hold(k, keeper_room(k, to), &m);
}

static void
send_held(struct keeper *k, const struct held *h)
{
	/* Whoever asked may be gone: another's tags would be the same. */
	if (k->to[h->to] != NULL && k->link[h->to] == h->link)
		channel_send_packed(k->to[h->to], h->bytes, h->len);
}

static void
measure(struct keeper *k, const struct held *h)
{
	struct figures	*f = &k->figures;
	uint64_t	 us = (uv_hrtime() - h->since_ns) / 1000;

	f->held++;
	f->held_us += us;
	if (us > f->held_most_us)
		f->held_most_us = us;
}

void
keeper_durable_now(struct keeper *k)
{
	uint64_t	 durable = keeper_durable(k);
	struct held	*h;

	while ((h = k->first) != NULL && h->seq <= durable) {
		measure(k, h);
		send_held(k, h);
		if ((k->first = h->next) == NULL)
			k->last = &k->first;
		k->held_bytes -= h->len;
		free(h);
	}
	keeper_flow(k);
	if (k->book != NULL)
		book_wake(k->book, durable);
}

void
keeper_commit(struct keeper *k)
{
	struct err	 e;

	if (k->journal != NULL && journal_commit(k->journal, &e) != RC_OK)
		keeper_die(k, &e);
	keeper_flow(k);
	/* Nothing was taken: what is held need not wait. */
	if (k->first != NULL && k->first->seq <= keeper_durable(k))
		(void)uv_async_send(&k->durable_async);
}

/* To read */

struct journal *
keeper_journal(struct keeper *k)
{
	return k->journal;
}

const struct rebuilt *
keeper_state(const struct keeper *k)
{
	return journal_state(k->journal);
}

const struct config *
keeper_config(const struct keeper *k)
{
	return &k->process.config;
}

const struct keyring *
keeper_keyring(const struct keeper *k)
{
	return journal_keyring(k->journal);
}

uint64_t
keeper_durable(const struct keeper *k)
{
	return atomic_load(&k->durable);
}

struct operators *
keeper_operators(struct keeper *k)
{
	return k->operators;
}

struct book *
keeper_book(struct keeper *k)
{
	return k->book;
}

int64_t
keeper_now_ms(struct keeper *k)
{
	return clock_now(&k->clock, reading(CLOCK_REALTIME),
	    reading(CLOCK_BOOTTIME));
}

int64_t
keeper_wall_ms(void)
{
	return reading(CLOCK_REALTIME);
}

int64_t
keeper_boot_ms(void)
{
	return reading(CLOCK_BOOTTIME);
}
