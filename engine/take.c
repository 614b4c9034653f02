/*
 * Names become fingerprints, scripts forms, declared facts numbers.
 */
#include "engine/take.h"

#include <assert.h>

#include "bitcoin/address.h"
#include "lib/amount.h"
#include "lib/civil.h"

_Static_assert((int)ADDRESS_P2PKH == (int)FORM_P2PKH &&
    (int)ADDRESS_P2SH == (int)FORM_P2SH &&
    (int)ADDRESS_P2WPKH == (int)FORM_P2WPKH &&
    (int)ADDRESS_P2WSH == (int)FORM_P2WSH &&
    (int)ADDRESS_P2TR == (int)FORM_P2TR &&
    (int)ADDRESS_OTHER_WITNESS == (int)FORM_OTHER, "forms");

/* INPUT__COUNT: nothing for the engine. */
static const enum input_type inputs[COMMAND__END] = {
	[0] = INPUT__COUNT,
	[COMMAND_TICK] = INPUT_TICK,
	[COMMAND_GENESIS] = INPUT__COUNT,
	[COMMAND_POLICY] = INPUT__COUNT,
	[COMMAND_RESTORED] = INPUT_RESTORED,
	[COMMAND_CLOCK] = INPUT_TICK,
	[COMMAND_ACCOUNT] = INPUT_ACCOUNT,
	[COMMAND_KEY] = INPUT_KEY,
	[COMMAND_KEY_REVOKE] = INPUT_KEY_REVOKE,
	[COMMAND_SECURITY_CHANGE] = INPUT_SECURITY_CHANGE,
	[COMMAND_LOGIN] = INPUT_LOGIN,
	[COMMAND_FACT] = INPUT_FACT,
	[COMMAND_DEPOSIT] = INPUT_DEPOSIT,
	[COMMAND_BALANCE] = INPUT_BALANCE,
	[COMMAND_HOT_BALANCE] = INPUT_HOT_BALANCE,
	[COMMAND_FUND] = INPUT_FUND,
	[COMMAND_CHAIN_SEEN] = INPUT_CHAIN_SEEN,
	[COMMAND_ADDRESS_ADD] = INPUT_ADDRESS_ADD,
	[COMMAND_ADDRESS_REMOVE] = INPUT_ADDRESS_REMOVE,
	[COMMAND_WITHDRAW] = INPUT_WITHDRAW,
	[COMMAND_CODE] = INPUT_CODE,
	[COMMAND_RECEIPT] = INPUT_RECEIPT,
	[COMMAND_BURNED] = INPUT_BURNED,
	[COMMAND_OUTCOME] = INPUT_OUTCOME,
	[COMMAND_CANCEL] = INPUT_CANCEL,
	[COMMAND_RELEASE] = INPUT_RELEASE,
	[COMMAND_DENY] = INPUT_DENY,
	[COMMAND_FREEZE] = INPUT_FREEZE,
	[COMMAND_UNFREEZE] = INPUT_UNFREEZE,
	[COMMAND_HALT] = INPUT_HALT,
	[COMMAND_RESUME] = INPUT_RESUME,
	[COMMAND_SECRET] = INPUT__COUNT,
	[COMMAND_CODE_USED] = INPUT__COUNT,
	[COMMAND_DOOR_KEY] = INPUT__COUNT,
	[COMMAND_OPERATOR] = INPUT__COUNT,
	[COMMAND_QUORUM] = INPUT__COUNT,
	[COMMAND_PROPOSAL] = INPUT__COUNT,
	[COMMAND_APPROVAL] = INPUT__COUNT,
	[COMMAND_DISCARD] = INPUT__COUNT,
	[COMMAND_SIGNER_HEAD] = INPUT__COUNT,
};

/* The unspecified address, from which nothing ever comes.  An empty list
 * would let the key be used from anywhere. */
static const struct cidr nowhere = { { 0 }, 128 };

struct ident
take_ident(const struct ident_key *ids, struct text name)
{
	struct ident	 none = { 0, 0 };

	return name.p != NULL ? ident_of(ids, name.p, name.len) : none;
}

/* Values of declared facts */

/* "90s", "6h", "1d": a whole number and one of s m h d w. */
static enum rc
duration(int64_t *ms_out, struct text text, struct err *e)
{
	static const char	 units[] = "smhdw";
	static const int64_t	 ms[] = { MS_PER_S, MS_PER_MIN, MS_PER_HOUR,
		MS_PER_DAY, MS_PER_WEEK };
	const char		*u;
	int64_t			 v = 0;
	size_t			 i;

	if (text.len < 2 || text.len > 10 ||
	    text.p[text.len - 1] == '\0' ||
	    (u = strchr(units, text.p[text.len - 1])) == NULL)
		return err_set(e, "no duration, like \"6h\"");
	for (i = 0; i + 1 < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return err_set(e, "no duration, like \"6h\"");
		v = v * 10 + (text.p[i] - '0');
	}
	*ms_out = v * ms[u - units];
	return RC_OK;
}

enum rc
take_value(int64_t *out, enum type type, const struct command_fact *fact,
    struct err *e)
{
	bool	 text = fact->kind == VALUE_TEXT;
	bool	 number = fact->kind == VALUE_INTEGER && fact->value >= 0;

	*out = fact->value;
	switch (type) {
	case TYPE_AMOUNT:
		if (!text)
			return err_set(e, "the policy declares an amount: a "
			    "string, like \"0.5\"");
		return amount_parse(out, fact->text.p, fact->text.len, e);
	case TYPE_COUNT:
		if (!number)
			return err_set(e, "the policy declares a number: an "
			    "integer, not negative");
		return RC_OK;
	case TYPE_TIME:
		if (text)
			return duration(out, fact->text, e);
		if (!number)
			return err_set(e, "the policy declares a time: a "
			    "string, like \"6h\", or milliseconds");
		return RC_OK;
	case TYPE_FLAG:
		if (fact->kind == VALUE_FLAG || (number && fact->value <= 1))
			return RC_OK;
		return err_set(e, "the policy declares a flag: true or false");
	}
	assert(!"a type of fact");
	return RC_FAILED;
}

/* Its number in the policy; -1: this policy does not ask for it. */
static int
declared(const struct policy *p, struct text name)
{
	int	 i;

	for (i = 0; i < p->n_declared; i++) {
		if (text_equal(text_of(p->declared[i].name), name))
			return i;
	}
	return -1;
}

static enum rc
facts(struct input *out, struct input_fact *room, const struct command *c,
    const struct policy *p, struct err *e)
{
	size_t	 i;
	int	 d;

	assert(c->n_facts <= COMMAND_FACTS_MAX);
	out->facts = room;
	for (i = 0; i < c->n_facts; i++) {
		if ((d = declared(p, c->facts[i].name)) < 0)
			continue;
		room[out->n_facts].declared = d;
		if (take_value(&room[out->n_facts++].value,
		    p->declared[d].type, &c->facts[i], e) != RC_OK)
			return err_wrap(e, RC_FAILED, "`facts`: %s",
			    p->declared[d].name);
	}
	return RC_OK;
}

static enum rc
script(struct input *out, const struct command *c,
    const struct ident_key *ids, struct err *e)
{
	enum address_form	 form;

	if (!address_form_of(&form, (const unsigned char *)c->script.p,
	    c->script.len))
		return err_set(e, "`address`: the script has none");
	out->script = take_ident(ids, c->script);
	out->form = (enum form)form;
	return RC_OK;
}

static void
where(struct input *out, const struct command *c)
{
	out->has_ip = c->has_ip;
	memcpy(out->ip, c->ip, sizeof(out->ip));
}

static void
key(struct input *out, const struct command *c)
{
	out->withdraw = c->withdraw;
	out->cidrs = c->forgotten ? &nowhere : c->cidrs;
	out->n_cidrs = c->forgotten ? 1 : c->n_cidrs;
}

/* What the type has beyond names and amounts. */
static enum rc
rest(struct input *out, bool *taken_out, struct input_fact *room,
    const struct command *c, const struct ident_key *ids,
    const struct policy *policy, struct err *e)
{
	switch (out->type) {
	case INPUT_KEY:
		key(out, c);
		return RC_OK;
	case INPUT_LOGIN:
		out->device_new = c->device_new;
		where(out, c);
		return RC_OK;
	case INPUT_FACT:
		out->declared = declared(policy, c->fact.name);
		*taken_out = out->declared >= 0;
		return !*taken_out ? RC_OK : err_wrap(e,
		    take_value(&out->value,
		    policy->declared[out->declared].type, &c->fact, e),
		    "`value`");
	case INPUT_CHAIN_SEEN:
		out->first_seen_ms = c->first_seen_ms;
		return script(out, c, ids, e);
	case INPUT_ADDRESS_ADD:
	case INPUT_ADDRESS_REMOVE:
		return script(out, c, ids, e);
	case INPUT_WITHDRAW:
		out->via = c->via;
		out->code = c->code;
		out->history = c->history;
		where(out, c);
		return script(out, c, ids, e) != RC_OK ? RC_FAILED :
		    facts(out, room, c, policy, e);
	case INPUT_OUTCOME:
		out->paid = c->paid;
		return RC_OK;
	case INPUT_CANCEL:
		out->not_me = c->not_me;
		return RC_OK;
	case INPUT_ACCOUNT:
	case INPUT_KEY_REVOKE:
	case INPUT_SECURITY_CHANGE:
	case INPUT_DEPOSIT:
	case INPUT_BALANCE:
	case INPUT_HOT_BALANCE:
	case INPUT_FUND:
	case INPUT_CODE:
	case INPUT_RECEIPT:
	case INPUT_BURNED:
	case INPUT_RELEASE:
	case INPUT_DENY:
	case INPUT_FREEZE:
	case INPUT_UNFREEZE:
	case INPUT_HALT:
	case INPUT_RESUME:
	case INPUT_TICK:
	case INPUT_RESTORED:
	case INPUT__COUNT:
		return RC_OK;
	}
	assert(!"a type");
	return RC_FAILED;
}

enum rc
take(struct input *out, bool *taken_out, struct input_fact *room,
    const struct command *c, const struct ident_key *ids,
    const struct policy *policy, struct err *e)
{
	struct command	 own;

	assert(c->type > 0 && c->type < COMMAND__END);
	/* A journal is applied again from packed commands: the engine may
	 * not be told more when it decides than when it remembers. */
	command_tidy(&own, c);
	memset(out, 0, sizeof(*out));
	out->type = inputs[c->type];
	out->t_ms = c->t_ms;
	*taken_out = out->type != INPUT__COUNT;
	if (!*taken_out)
		return RC_OK;
	out->account = take_ident(ids, own.account);
	out->key = take_ident(ids, own.key);
	out->id = take_ident(ids, own.id);
	out->by = take_ident(ids, own.by);
	out->group = take_ident(ids, own.group);
	out->partner = take_ident(ids, own.partner);
	out->amount_sat = own.amount_sat;
	out->limit_sat = own.limit_sat;
	out->tier = own.tier;
	return rest(out, taken_out, room, &own, ids, policy, e);
}
