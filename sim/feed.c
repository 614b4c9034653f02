#include "sim/feed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/address.h"
#include "engine/take.h"
#include "sim/idmap.h"
#include "wire/cidr.h"

/* Addresses come again and again; decoding one costs more than finding it. */
#define CACHE_SLOTS	16384

struct cached {
	char		text[ADDRESS_TEXT_MAX];
	uint8_t		len;		/* 0: free */
	uint8_t		net;
	uint8_t		form;
	struct ident	script;
};

struct feed {
	struct ident_key ids;
	const struct policy *policy;
	struct idmap	accounts;
	struct idmap	keys;		/* value: index into owners */
	struct idmap	asked;
	struct idmap	groups;		/* account -> index into names */
	struct owner {
		struct ident	account;
		struct ident	partner;
	}		*owners;
	size_t		n_owners, room_owners;
	struct ident	*names;		/* of groups */
	size_t		n_names, room_names;
	struct cached	*cache;
};

_Static_assert((int)ADDRESS_P2PKH == (int)FORM_P2PKH &&
    (int)ADDRESS_P2SH == (int)FORM_P2SH &&
    (int)ADDRESS_P2WPKH == (int)FORM_P2WPKH &&
    (int)ADDRESS_P2WSH == (int)FORM_P2WSH &&
    (int)ADDRESS_P2TR == (int)FORM_P2TR &&
    (int)ADDRESS_OTHER_WITNESS == (int)FORM_OTHER, "forms");

enum rc
feed_new(struct feed **out, const struct ident_key *ids,
    const struct policy *policy, struct err *e)
{
	struct feed	*f = calloc(1, sizeof(*f));

	if (f == NULL)
		return err_set(e, "out of memory");
	f->ids = *ids;
	f->policy = policy;
	if ((f->cache = calloc(CACHE_SLOTS, sizeof(*f->cache))) == NULL) {
		feed_free(&f);
		return err_set(e, "out of memory");
	}
	*out = f;
	return RC_OK;
}

void
feed_free(struct feed **fp)
{
	struct feed	*f = *fp;

	*fp = NULL;
	if (f == NULL)
		return;
	idmap_free(&f->accounts);
	idmap_free(&f->keys);
	idmap_free(&f->asked);
	idmap_free(&f->groups);
	free(f->owners);
	free(f->names);
	free(f->cache);
	free(f);
}

static inline struct ident
id_of(const struct feed *f, struct text text)
{
	return take_ident(&f->ids, text);
}

enum rc
feed_value(int64_t *out, enum type type, const struct scenario_event *ev,
    struct err *e)
{
	struct command_fact	 fact = { .kind = ev->value_kind,
		.text = ev->value_text, .value = ev->value };

	return take_value(out, type, &fact, e);
}

/* Not for anybody's eyes: the cheapest mixing that spreads addresses. */
static inline struct cached *
cache_slot(struct feed *f, const char *p, size_t len)
{
	uint64_t	 a, b;

	memcpy(&a, p + len - 16, 8);
	memcpy(&b, p + len - 8, 8);
	a = (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) *
	    UINT64_C(0xd6e8feb86659fd93);
	return &f->cache[(a >> 40) % CACHE_SLOTS];
}

static enum rc
address(struct feed *f, struct text text, enum network net,
    struct input *in, struct err *e)
{
	struct cached	*c = NULL;
	struct address	 a;

	if (text.len >= 16 && text.len < ADDRESS_TEXT_MAX) {
		c = cache_slot(f, text.p, text.len);
		if (c->len == text.len && c->net == (uint8_t)net &&
		    memcmp(c->text, text.p, text.len) == 0) {
			in->script = c->script;
			in->form = (enum form)c->form;
			return RC_OK;
		}
	}
	if (address_parse(&a, net, text.p, text.len, e) != RC_OK)
		return err_wrap(e, RC_FAILED, "`address`");
	in->script = ident_of(&f->ids, a.script, a.len);
	in->form = (enum form)a.form;
	if (c != NULL) {
		memcpy(c->text, text.p, text.len);
		c->len = (uint8_t)text.len;
		c->net = (uint8_t)net;
		c->form = (uint8_t)a.form;
		c->script = in->script;
	}
	return RC_OK;
}

/* First step: one function a type that has more than ids */

static enum rc
read_where(const struct scenario_event *ev, struct input *in, struct err *e)
{
	in->has_ip = ev->ip.p != NULL;
	if (in->has_ip && ip_parse(in->ip, ev->ip, e) != RC_OK)
		return err_wrap(e, RC_FAILED, "`ip`");
	return RC_OK;
}

static enum rc
read_key(const struct feed *f, const struct scenario_event *ev,
    struct cidr *cidrs, struct input *in, struct err *e)
{
	size_t	 i;

	in->withdraw = ev->withdraw;
	in->partner = id_of(f, ev->partner);
	for (i = 0; i < ev->n_ips; i++) {
		if (cidr_parse(&cidrs[i], ev->ips[i], e) != RC_OK)
			return err_wrap(e, RC_FAILED, "`ips`");
	}
	in->cidrs = cidrs;
	in->n_cidrs = ev->n_ips;
	return RC_OK;
}

static enum rc
read_fact(const struct feed *f, const struct scenario_event *ev,
    struct feed_item *item, struct err *e)
{
	const struct policy	*p = f->policy;
	int			 i;

	for (i = 0; i < p->n_declared; i++) {
		if (strlen(p->declared[i].name) != ev->name.len ||
		    memcmp(p->declared[i].name, ev->name.p,
		    ev->name.len) != 0)
			continue;
		item->in.declared = i;
		return err_wrap(e, feed_value(&item->in.value,
		    p->declared[i].type, ev, e), "`value`");
	}
	/* This policy does not ask for it. */
	item->skip = true;
	return RC_OK;
}

static enum rc
read_withdraw(struct feed *f, const struct scenario_event *ev,
    enum network net, struct feed_item *item, struct err *e)
{
	struct input	*in = &item->in;

	in->via = ev->via;
	in->code = ev->code;
	item->label = ev->label;
	item->id = ev->id;
	item->account = ev->account;
	item->address = ev->address;
	if (address(f, ev->address, net, in, e) != RC_OK)
		return RC_FAILED;
	return read_where(ev, in, e);
}

/* Input types, in the order of enum scenario_type. */
static const enum input_type inputs[SCENARIO__COUNT] = {
	[SCENARIO_HEADER] = INPUT_TICK,
	[SCENARIO_ACCOUNT] = INPUT_ACCOUNT,
	[SCENARIO_KEY] = INPUT_KEY,
	[SCENARIO_KEY_REVOKE] = INPUT_KEY_REVOKE,
	[SCENARIO_SECURITY_CHANGE] = INPUT_SECURITY_CHANGE,
	[SCENARIO_LOGIN] = INPUT_LOGIN,
	[SCENARIO_FACT] = INPUT_FACT,
	[SCENARIO_DEPOSIT] = INPUT_DEPOSIT,
	[SCENARIO_BALANCE] = INPUT_BALANCE,
	[SCENARIO_HOT_BALANCE] = INPUT_HOT_BALANCE,
	[SCENARIO_FUND] = INPUT_FUND,
	[SCENARIO_CHAIN_SEEN] = INPUT_CHAIN_SEEN,
	[SCENARIO_ADDRESS_ADD] = INPUT_ADDRESS_ADD,
	[SCENARIO_ADDRESS_REMOVE] = INPUT_ADDRESS_REMOVE,
	[SCENARIO_WITHDRAW] = INPUT_WITHDRAW,
	[SCENARIO_OUTCOME] = INPUT_OUTCOME,
	[SCENARIO_CANCEL] = INPUT_CANCEL,
	[SCENARIO_RELEASE] = INPUT_RELEASE,
	[SCENARIO_DENY] = INPUT_DENY,
	[SCENARIO_FREEZE] = INPUT_FREEZE,
	[SCENARIO_UNFREEZE] = INPUT_UNFREEZE,
	[SCENARIO_HALT] = INPUT_HALT,
	[SCENARIO_RESUME] = INPUT_RESUME,
};

/* What people and the customer decided before is in the outcomes. */
bool
feed_not_in_history(enum scenario_type type)
{
	return type == SCENARIO_CANCEL || type == SCENARIO_RELEASE ||
	    type == SCENARIO_DENY || type == SCENARIO_HALT ||
	    type == SCENARIO_RESUME;
}

static void
item_clear(const struct feed *f, const struct scenario_event *ev,
    bool history, struct feed_item *item)
{
	struct input	*in = &item->in;

	memset(item, 0, sizeof(*item));
	in->type = inputs[ev->type];
	in->t_ms = ev->t_ms;
	in->account = id_of(f, ev->account);
	in->key = id_of(f, ev->key);
	in->id = id_of(f, ev->id);
	in->amount_sat = ev->amount_sat;
	in->limit_sat = in->tier = -1;
	in->history = history && ev->type == SCENARIO_WITHDRAW;
	item->skip = ev->type == SCENARIO_HEADER ||
	    (history && feed_not_in_history(ev->type));
}

enum rc
feed_read(struct feed *f, const struct scenario_event *ev, enum network net,
    bool history, struct cidr *cidrs, struct feed_item *item, struct err *e)
{
	struct input	*in = &item->in;

	item_clear(f, ev, history, item);
	switch (ev->type) {
	case SCENARIO_HEADER:
	case SCENARIO_HOT_BALANCE:
	case SCENARIO_FUND:
	case SCENARIO_KEY_REVOKE:
	case SCENARIO_SECURITY_CHANGE:
	case SCENARIO_DEPOSIT:
	case SCENARIO_BALANCE:
		return RC_OK;
	case SCENARIO_ACCOUNT:
		in->limit_sat = ev->limit_sat;
		in->tier = ev->tier;
		in->group = id_of(f, ev->group);
		return RC_OK;
	case SCENARIO_KEY:
		return read_key(f, ev, cidrs, in, e);
	case SCENARIO_LOGIN:
		in->device_new = ev->device_new;
		return read_where(ev, in, e);
	case SCENARIO_FACT:
		return read_fact(f, ev, item, e);
	case SCENARIO_CHAIN_SEEN:
		in->first_seen_ms = ev->first_seen_ms;
		in->amount_sat = ev->received_sat;
		return address(f, ev->address, net, in, e);
	case SCENARIO_ADDRESS_ADD:
	case SCENARIO_ADDRESS_REMOVE:
		return address(f, ev->address, net, in, e);
	case SCENARIO_WITHDRAW:
		return read_withdraw(f, ev, net, item, e);
	case SCENARIO_OUTCOME:
		in->paid = ev->paid;
		return RC_OK;
	case SCENARIO_CANCEL:
		in->not_me = ev->not_me;
		return RC_OK;
	case SCENARIO_RELEASE:
	case SCENARIO_DENY:
	case SCENARIO_FREEZE:
	case SCENARIO_UNFREEZE:
	case SCENARIO_HALT:
	case SCENARIO_RESUME:
		in->by = id_of(f, ev->by);
		item->by = ev->by;
		return RC_OK;
	case SCENARIO__COUNT:
		break;
	}
	assert(!"no such type");
	return RC_FAILED;
}

/* Second step: what the lines before say */

static enum rc
need_account(const struct feed *f, struct ident account, struct err *e)
{
	if (idmap_get(&f->accounts, account) == NULL)
		return err_set(e, "`account`: never opened");
	return RC_OK;
}

static enum rc
need_key(const struct feed *f, struct ident key, struct err *e)
{
	if (idmap_get(&f->keys, key) == NULL)
		return err_set(e, "`key`: never issued");
	return RC_OK;
}

static enum rc
need_asked(const struct feed *f, struct ident id, struct err *e)
{
	if (idmap_get(&f->asked, id) == NULL)
		return err_set(e, "`id`: no withdrawal of this id was asked "
		    "for");
	return RC_OK;
}

static enum rc
check_account(struct feed *f, const struct input *in, struct err *e)
{
	uint64_t	*group;
	struct ident	*more;
	bool		 fresh;

	if (idmap_put(&f->accounts, in->account, &fresh) == NULL)
		return err_set(e, "out of memory");
	if (ident_none(in->group))
		return RC_OK;
	if (f->n_names == f->room_names) {
		more = realloc(f->names,
		    (f->room_names * 2 + 256) * sizeof(*more));
		if (more == NULL)
			return err_set(e, "out of memory");
		f->names = more;
		f->room_names = f->room_names * 2 + 256;
	}
	if ((group = idmap_put(&f->groups, in->account, &fresh)) == NULL)
		return err_set(e, "out of memory");
	if (fresh)
		*group = f->n_names++;
	f->names[*group] = in->group;
	return RC_OK;
}

static enum rc
check_key(struct feed *f, const struct input *in, struct err *e)
{
	struct owner	*o;
	uint64_t	*known;
	bool		 fresh;

	if (need_account(f, in->account, e) != RC_OK)
		return RC_FAILED;
	if (f->n_owners == f->room_owners) {
		o = realloc(f->owners,
		    (f->room_owners * 2 + 256) * sizeof(*o));
		if (o == NULL)
			return err_set(e, "out of memory");
		f->owners = o;
		f->room_owners = f->room_owners * 2 + 256;
	}
	if ((known = idmap_put(&f->keys, in->key, &fresh)) == NULL)
		return err_set(e, "out of memory");
	if (fresh) {
		*known = f->n_owners++;
		f->owners[*known].account = in->account;
	}
	o = &f->owners[*known];
	if (!ident_equal(o->account, in->account))
		return err_set(e, "`key`: it is another account's");
	o->partner = in->partner;
	return RC_OK;
}

static enum rc
check_withdraw(struct feed *f, struct feed_item *item, struct err *e)
{
	const struct input	*in = &item->in;
	uint64_t		*known;
	bool			 fresh;

	if (need_account(f, in->account, e) != RC_OK)
		return RC_FAILED;
	if (idmap_put(&f->asked, in->id, &fresh) == NULL)
		return err_set(e, "out of memory");
	if (!fresh)
		return err_set(e, "`id`: asked for twice");
	if (!ident_none(in->key) &&
	    (known = idmap_get(&f->keys, in->key)) != NULL)
		item->partner = f->owners[*known].partner;
	if (f->n_names > 0 &&
	    (known = idmap_get(&f->groups, in->account)) != NULL)
		item->group = f->names[*known];
	return RC_OK;
}

void
feed_prefetch(const struct feed *f, const struct feed_item *item)
{
	if (!ident_none(item->in.account))
		idmap_prefetch(&f->accounts, item->in.account);
	if (!ident_none(item->in.id))
		idmap_prefetch(&f->asked, item->in.id);
	if (!ident_none(item->in.key))
		idmap_prefetch(&f->keys, item->in.key);
}

enum rc
feed_check(struct feed *f, struct feed_item *item, struct err *e)
{
	const struct input	*in = &item->in;

	switch (in->type) {
	case INPUT_ACCOUNT:
		return check_account(f, in, e);
	case INPUT_KEY:
		return check_key(f, in, e);
	case INPUT_KEY_REVOKE:
		return need_key(f, in->key, e);
	case INPUT_WITHDRAW:
		return check_withdraw(f, item, e);
	case INPUT_SECURITY_CHANGE:
	case INPUT_LOGIN:
	case INPUT_DEPOSIT:
	case INPUT_BALANCE:
	case INPUT_ADDRESS_ADD:
	case INPUT_ADDRESS_REMOVE:
		return need_account(f, in->account, e);
	case INPUT_FACT:
		/* One of a withdrawal may come before it is asked for. */
		return ident_none(in->account) ? RC_OK :
		    need_account(f, in->account, e);
	case INPUT_FREEZE:
	case INPUT_UNFREEZE:
		return ident_none(in->account) ? need_key(f, in->key, e) :
		    need_account(f, in->account, e);
	case INPUT_OUTCOME:
	case INPUT_CANCEL:
	case INPUT_RELEASE:
	case INPUT_DENY:
		return need_asked(f, in->id, e);
	case INPUT_HOT_BALANCE:
	case INPUT_FUND:
	case INPUT_CHAIN_SEEN:
	case INPUT_CODE:
	case INPUT_RECEIPT:
	case INPUT_BURNED:
	case INPUT_HALT:
	case INPUT_RESUME:
	case INPUT_TICK:
	case INPUT_RESTORED:
	case INPUT__COUNT:
		break;
	}
	return RC_OK;
}
