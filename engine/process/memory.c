/*
 * Names in small hash tables; everything else in arrays.
 */
#include "engine/process/memory.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "engine/process/keeper.h"
#include "lib/civil.h"
#include "lib/ident.h"
#include "lib/log.h"
#include "wire/bytes.h"

/* Tables of names */

struct slot {
	struct ident	 id;		/* none: free */
	void		*record;
};

struct memory_table {
	struct ident_key key;
	struct slot	*slots;
	size_t		 n, room;	/* room: a power of two */
	size_t		 record;
};

static void
no_memory(void)
{
	log_event(LOG_BROKEN, "memory", NULL);
	abort();
}

static struct memory_table *
table_new(size_t record)
{
	struct memory_table	*t = calloc(1, sizeof(*t));

	if (t == NULL || (t->slots = calloc(64, sizeof(*t->slots))) == NULL) {
		free(t);
		return NULL;
	}
	t->room = 64;
	t->record = record;
	randombytes_buf(&t->key, sizeof(t->key));
	return t;
}

static void
table_free(struct memory_table *t)
{
	size_t	 i;

	for (i = 0; t != NULL && i < t->room; i++)
		free(t->slots[i].record);
	if (t != NULL)
		free(t->slots);
	free(t);
}

static struct slot *
find(const struct memory_table *t, struct ident id)
{
	size_t	 i = (size_t)id.lo & (t->room - 1);

	while (!ident_none(t->slots[i].id) &&
	    !ident_equal(t->slots[i].id, id))
		i = (i + 1) & (t->room - 1);
	return &t->slots[i];
}

static void
grow(struct memory_table *t)
{
	struct slot	*old = t->slots;
	size_t		 i, room = t->room;

	t->room *= 2;
	if ((t->slots = calloc(t->room, sizeof(*t->slots))) == NULL)
		no_memory();
	for (i = 0; i < room; i++) {
		if (!ident_none(old[i].id))
			*find(t, old[i].id) = old[i];
	}
	free(old);
}

static void *
get(const struct memory_table *t, struct text name)
{
	return name.p == NULL ? NULL : find(t, ident_of(&t->key, name.p,
	    name.len))->record;
}

static void *
make(struct memory_table *t, struct text name)
{
	struct ident	 id = ident_of(&t->key, name.p, name.len);
	struct slot	*s = find(t, id);

	if (s->record != NULL)
		return s->record;
	if (2 * (t->n + 1) > t->room) {
		grow(t);
		s = find(t, id);
	}
	if ((s->record = calloc(1, t->record)) == NULL)
		no_memory();
	s->id = id;
	t->n++;
	return s->record;
}

struct memory_account *
memory_account(const struct operators *o, struct text name)
{
	return get(o->accounts, name);
}

struct memory_key *
memory_key(const struct operators *o, struct text name)
{
	return get(o->keys, name);
}

bool
memory_deposit(const struct operators *o, struct text order)
{
	return get(o->deposits, order) != NULL;
}

/* People */

enum rc
operators_new(struct operators **out, struct err *e)
{
	struct operators	*o = calloc(1, sizeof(*o));

	if (o == NULL || (o->accounts = table_new(
	    sizeof(struct memory_account))) == NULL ||
	    (o->keys = table_new(sizeof(struct memory_key))) == NULL ||
	    (o->deposits = table_new(1)) == NULL) {
		operators_free(&o);
		return err_set(e, "no memory");
	}
	o->quorum = 1;
	o->halt_seq = -1;
	*out = o;
	return RC_OK;
}

void
operators_free(struct operators **op)
{
	struct operators	*o = *op;
	struct memory_key	*key;
	size_t			 i;

	*op = NULL;
	if (o == NULL)
		return;
	for (i = 0; o->keys != NULL && i < o->keys->room; i++) {
		if ((key = o->keys->slots[i].record) != NULL)
			free(key->cidrs);
	}
	for (i = 0; i < PROPOSALS_MAX; i++)
		free(o->proposals[i].body);
	table_free(o->accounts);
	table_free(o->keys);
	table_free(o->deposits);
	free(o);
}

static void
copy_name(char out[COMMAND_NAME_MAX + 1], struct text t)
{
	size_t	 len = t.len <= COMMAND_NAME_MAX ? t.len : COMMAND_NAME_MAX;

	if (len > 0)
		memcpy(out, t.p, len);
	out[len] = '\0';
}

struct operator *
memory_operator(struct operators *o, struct text name)
{
	int	 i;

	for (i = 0; i < o->n; i++) {
		if (text_equal(text_of(o->of[i].name), name))
			return &o->of[i];
	}
	return NULL;
}

static void
told_operator(struct operators *o, const struct command *c)
{
	struct operator	*op = memory_operator(o, c->name);

	if (c->roles <= 0) {
		if (op != NULL)
			*op = o->of[--o->n];
		return;
	}
	if (op == NULL) {
		if (o->n == OPERATORS_MAX) {
			log_event(LOG_BROKEN, "operators", "why", 's',
			    "too many", NULL);
			return;
		}
		op = &o->of[o->n++];
		memset(op, 0, sizeof(*op));
		copy_name(op->name, c->name);
	}
	op->rights = (uint32_t)c->roles;
	op->release_sat = c->limit_sat;
	if (c->blob.len == sizeof(op->key))
		memcpy(op->key, c->blob.p, sizeof(op->key));
}

int64_t
memory_may_release(struct operator *op, int64_t t_ms)
{
	int64_t	 hour = t_ms / MS_PER_HOUR, sum = 0;
	int	 i;

	if (op->release_sat < 0)
		return INT64_MAX;
	for (i = 0; i < 25; i++) {
		if (op->released_hour[i] > hour - 25)
			sum += op->released_sat[i];
	}
	return op->release_sat > sum ? op->release_sat - sum : 0;
}

void
memory_released(struct operator *op, int64_t sat, int64_t t_ms)
{
	int64_t	 hour = t_ms / MS_PER_HOUR;
	int	 i = (int)(hour % 25);

	if (op->released_hour[i] != hour) {
		op->released_hour[i] = hour;
		op->released_sat[i] = 0;
	}
	op->released_sat[i] += sat;
}

/* Accounts and keys */

static void
told_account(struct operators *o, const struct command *c)
{
	bool			 is_new = memory_account(o, c->account) == NULL;
	struct memory_account	*a = make(o->accounts, c->account);

	if (is_new)
		a->limit_sat = a->tier = -1;
	if (c->limit_sat >= 0)
		a->limit_sat = c->limit_sat;
	if (c->tier >= 0)
		a->tier = c->tier;
	if (c->group.p != NULL)
		copy_name(a->group, c->group);
}

static void
told_key(struct operators *o, const struct command *c)
{
	struct memory_key	*k = make(o->keys, c->key);

	copy_name(k->account, c->account);
	k->revoked = false;
	k->withdraw = c->withdraw;
	k->expires_ms = c->expires_ms;
	free(k->cidrs);
	k->n_cidrs = (int)c->n_cidrs;
	k->cidrs = NULL;
	if (c->n_cidrs > 0) {
		k->cidrs = malloc(c->n_cidrs * sizeof(*k->cidrs));
		if (k->cidrs == NULL)
			no_memory();
		memcpy(k->cidrs, c->cidrs, c->n_cidrs * sizeof(*k->cidrs));
	}
}

static void
told_revoked(struct operators *o, const struct command *c)
{
	struct memory_key	*k = memory_key(o, c->key);

	if (k != NULL)
		k->revoked = true;
}

static void
told_door(struct operators *o, const struct command *c)
{
	struct memory_key	*k = make(o->keys, c->key);

	k->door = true;
	k->roles = c->roles;
	k->expires_ms = c->expires_ms;
}

/* Proposals */

struct proposal *
memory_proposal(struct operators *o, int64_t seq)
{
	int	 i;

	for (i = 0; seq > 0 && i < PROPOSALS_MAX; i++) {
		if (o->proposals[i].seq == seq)
			return &o->proposals[i];
	}
	return NULL;
}

bool
memory_has_approved(const struct proposal *p, struct text name)
{
	int	 i;

	for (i = 0; i < p->n_persons; i++) {
		if (text_equal(text_of(p->persons[i]), name))
			return true;
	}
	return false;
}

static void
approved(struct proposal *p, struct text name)
{
	if (p->n_persons < OPERATORS_MAX && !memory_has_approved(p, name))
		copy_name(p->persons[p->n_persons++], name);
}

static void
forget(struct proposal *p)
{
	free(p->body);
	memset(p, 0, sizeof(*p));
}

static void
told_proposal(struct operators *o, const struct command *c, int64_t seq)
{
	struct proposal	*p = NULL;
	int		 i;

	if (memory_proposal(o, seq) != NULL)
		return;
	for (i = 0; i < PROPOSALS_MAX && p == NULL; i++) {
		if (o->proposals[i].seq == 0)
			p = &o->proposals[i];
	}
	if (p == NULL || (p->body = malloc(c->body.len)) == NULL) {
		log_event(LOG_BROKEN, "proposals", "why", 's', "too many",
		    NULL);
		return;
	}
	memcpy(p->body, c->body.p, c->body.len);
	p->body_len = c->body.len;
	p->seq = seq;
	copy_name(p->by, c->by);
	p->proposed_ms = c->t_ms;
	p->expires_ms = c->expires_ms;
	/* Who signed the proposal is the first person; a program is none. */
	if (c->proof.p != NULL)
		approved(p, c->by);
}

static void
told_approval(struct operators *o, const struct command *c)
{
	struct proposal	*p = memory_proposal(o, c->answers);

	if (p != NULL)
		approved(p, c->by);
}

unsigned char *
memory_body(const struct command *c, size_t *len_out)
{
	unsigned char	*open = malloc(command_open_room(c));
	unsigned char	*sealed = malloc(command_sealed_room(c)), *out = NULL;
	struct text	 a, b;
	size_t		 open_len, sealed_len;

	if (open != NULL && sealed != NULL) {
		command_pack(c, open, &open_len, sealed, &sealed_len);
		a.p = (const char *)open;
		a.len = open_len;
		b.p = (const char *)sealed;
		b.len = sealed_len;
		out = malloc(open_len + sealed_len + 2 * VARINT_MAX);
		if (out != NULL)
			*len_out = (size_t)(put_text(put_text(out, a), b) -
			    out);
	}
	free(open);
	free(sealed);
	return out;
}

enum rc
memory_proposed(struct command *out, struct command_lists *lists,
    const struct proposal *p, struct err *e)
{
	struct bytes	 b = bytes_of(p->body, p->body_len);
	struct text	 open = get_text(&b, p->body_len);
	struct text	 sealed = get_text(&b, p->body_len);

	if (b.bad || bytes_left(&b) > 0)
		return err_set(e, "proposal %jd cannot be read",
		    (intmax_t)p->seq);
	return command_unpack(out, lists, (const unsigned char *)open.p,
	    open.len, (const unsigned char *)sealed.p, sealed.len, e);
}

/* Signatures are good once */

bool
memory_spend(struct operators *o, const unsigned char signature[64],
    int64_t until_ms, int64_t now_ms)
{
	unsigned char	 hash[16];
	int		 i, free_at = -1;

	(void)crypto_generichash(hash, sizeof(hash), signature, 64, NULL, 0);
	for (i = 0; i < o->n_spent; i++) {
		if (memcmp(o->spent[i].hash, hash, sizeof(hash)) == 0)
			return false;
		if (o->spent[i].until_ms < now_ms)
			free_at = i;
	}
	if (free_at == -1 && o->n_spent < SPENT_MAX)
		free_at = o->n_spent++;
	if (free_at == -1)
		return false;
	memcpy(o->spent[free_at].hash, hash, sizeof(hash));
	o->spent[free_at].until_ms = until_ms;
	return true;
}

/* What was taken, or is in force */

static void
done(struct operators *o, const struct command *c)
{
	struct proposal	*p = memory_proposal(o, c->answers);

	if (p != NULL && c->type != COMMAND_APPROVAL)
		forget(p);
}

void
operators_told(struct operators *o, const struct command *c, uint64_t seq)
{
	if (c->type == COMMAND_ACCOUNT)
		told_account(o, c);
	else if (c->type == COMMAND_KEY)
		told_key(o, c);
	else if (c->type == COMMAND_KEY_REVOKE)
		told_revoked(o, c);
	else if (c->type == COMMAND_DOOR_KEY)
		told_door(o, c);
	else if (c->type == COMMAND_OPERATOR)
		told_operator(o, c);
	else if (c->type == COMMAND_QUORUM) {
		o->quorum = c->count;
		o->wait_ms = c->wait_ms;
	} else if (c->type == COMMAND_PROPOSAL)
		told_proposal(o, c, (int64_t)seq);
	else if (c->type == COMMAND_APPROVAL)
		told_approval(o, c);
	else if (c->type == COMMAND_HALT)
		o->halt_seq = (int64_t)seq;
	else if (c->type == COMMAND_DEPOSIT && c->order.p != NULL)
		(void)make(o->deposits, c->order);
	done(o, c);
}
