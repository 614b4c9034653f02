/*
 * From commands to scenario lines.  Of addresses and networks there is one
 * spelling each, whatever was once written.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/command.h"
#include "wire/cidr.h"

/* SCENARIO__COUNT: there is no such line. */
static const enum scenario_type lines[COMMAND__END] = {
	[0] = SCENARIO__COUNT,
	[COMMAND_TICK] = SCENARIO__COUNT,
	[COMMAND_GENESIS] = SCENARIO__COUNT,
	[COMMAND_POLICY] = SCENARIO__COUNT,
	[COMMAND_RESTORED] = SCENARIO__COUNT,
	[COMMAND_CLOCK] = SCENARIO__COUNT,
	[COMMAND_ACCOUNT] = SCENARIO_ACCOUNT,
	[COMMAND_KEY] = SCENARIO_KEY,
	[COMMAND_KEY_REVOKE] = SCENARIO_KEY_REVOKE,
	[COMMAND_SECURITY_CHANGE] = SCENARIO_SECURITY_CHANGE,
	[COMMAND_LOGIN] = SCENARIO_LOGIN,
	[COMMAND_FACT] = SCENARIO_FACT,
	[COMMAND_DEPOSIT] = SCENARIO_DEPOSIT,
	[COMMAND_BALANCE] = SCENARIO_BALANCE,
	[COMMAND_HOT_BALANCE] = SCENARIO_HOT_BALANCE,
	[COMMAND_FUND] = SCENARIO_FUND,
	[COMMAND_CHAIN_SEEN] = SCENARIO_CHAIN_SEEN,
	[COMMAND_ADDRESS_ADD] = SCENARIO_ADDRESS_ADD,
	[COMMAND_ADDRESS_REMOVE] = SCENARIO_ADDRESS_REMOVE,
	[COMMAND_WITHDRAW] = SCENARIO_WITHDRAW,
	[COMMAND_CODE] = SCENARIO__COUNT,
	[COMMAND_RECEIPT] = SCENARIO__COUNT,
	[COMMAND_BURNED] = SCENARIO__COUNT,
	[COMMAND_OUTCOME] = SCENARIO_OUTCOME,
	[COMMAND_CANCEL] = SCENARIO_CANCEL,
	[COMMAND_RELEASE] = SCENARIO_RELEASE,
	[COMMAND_DENY] = SCENARIO_DENY,
	[COMMAND_FREEZE] = SCENARIO_FREEZE,
	[COMMAND_UNFREEZE] = SCENARIO_UNFREEZE,
	[COMMAND_HALT] = SCENARIO_HALT,
	[COMMAND_RESUME] = SCENARIO_RESUME,
	[COMMAND_SECRET] = SCENARIO__COUNT,
	[COMMAND_CODE_USED] = SCENARIO__COUNT,
	[COMMAND_DOOR_KEY] = SCENARIO__COUNT,
	[COMMAND_OPERATOR] = SCENARIO__COUNT,
	[COMMAND_QUORUM] = SCENARIO__COUNT,
	[COMMAND_PROPOSAL] = SCENARIO__COUNT,
	[COMMAND_APPROVAL] = SCENARIO__COUNT,
	[COMMAND_DISCARD] = SCENARIO__COUNT,
	[COMMAND_SIGNER_HEAD] = SCENARIO__COUNT,
};

static void
copy_fact(struct scenario_event *ev, const struct command_fact *f)
{
	ev->name = f->name;
	ev->value_kind = f->kind;
	ev->value_text = f->text;
	ev->value = f->value;
}

/* Everything that is in both alike. */
static void
copy(struct scenario_event *ev, const struct command *c)
{
	ev->account = c->account;
	ev->key = c->key;
	ev->id = c->id;
	ev->by = c->by;
	ev->reason = c->reason;
	ev->group = c->group;
	ev->partner = c->partner;
	ev->amount_sat = c->amount_sat;
	ev->received_sat = c->amount_sat;
	ev->limit_sat = c->limit_sat;
	ev->tier = c->tier;
	ev->first_seen_ms = c->first_seen_ms;
	ev->via = c->via;
	ev->code = c->code;
	ev->device_new = c->device_new;
	ev->paid = c->paid;
	ev->what = c->what;
	ev->withdraw = c->withdraw;
	ev->not_me = c->not_me;
	copy_fact(ev, &c->fact);
	/* In a line that word would be the flag. */
	if (ev->type == SCENARIO_CANCEL &&
	    text_equal(ev->reason, text_of("not_me")))
		ev->reason = text_of(NULL);
}

static enum rc
places(struct scenario_event *ev, struct event_room *room,
    const struct command *c, enum network net, struct err *e)
{
	size_t	 i;

	if (c->script.p != NULL) {
		if (!address_encode(room->address, net,
		    (const unsigned char *)c->script.p, c->script.len))
			return err_set(e, "`address`: the script has none");
		ev->address = text_of(room->address);
	}
	if (c->has_ip)
		ev->ip = text_of(ip_text(room->ip, c->ip));
	if (c->n_cidrs > SCENARIO_IPS_MAX)
		return err_set(e, "`ips`: at most %d", SCENARIO_IPS_MAX);
	for (i = 0; i < c->n_cidrs; i++)
		room->list[i] = text_of(cidr_text(room->ips[i],
		    &c->cidrs[i]));
	ev->ips = room->list;
	ev->n_ips = c->n_cidrs;
	return RC_OK;
}

enum rc
event_of_command(struct scenario_event *out, bool *any_out,
    struct event_room *room, const struct command *c, enum network net,
    struct err *e)
{
	assert(c->type > 0 && c->type < COMMAND__END);
	*any_out = lines[c->type] != SCENARIO__COUNT;
	if (!*any_out)
		return RC_OK;
	scenario_event_clear(out, lines[c->type], c->t_ms);
	copy(out, c);
	return places(out, room, c, net, e);
}

void
event_of_fact(struct scenario_event *out, const struct command *c, size_t i)
{
	assert(c->type == COMMAND_WITHDRAW && i < c->n_facts);
	scenario_event_clear(out, SCENARIO_FACT, c->t_ms);
	out->id = c->id;
	copy_fact(out, &c->facts[i]);
}
