/*
 * From scenario lines to commands: words are numbers already, so what is
 * left are addresses and networks.
 */
#include "sim/command.h"

#include <assert.h>
#include <string.h>

#include "sim/feed.h"
#include "wire/cidr.h"

static const enum command_type commands[SCENARIO__COUNT] = {
	[SCENARIO_HEADER] = COMMAND__END,	/* none */
	[SCENARIO_ACCOUNT] = COMMAND_ACCOUNT,
	[SCENARIO_KEY] = COMMAND_KEY,
	[SCENARIO_KEY_REVOKE] = COMMAND_KEY_REVOKE,
	[SCENARIO_SECURITY_CHANGE] = COMMAND_SECURITY_CHANGE,
	[SCENARIO_LOGIN] = COMMAND_LOGIN,
	[SCENARIO_FACT] = COMMAND_FACT,
	[SCENARIO_DEPOSIT] = COMMAND_DEPOSIT,
	[SCENARIO_BALANCE] = COMMAND_BALANCE,
	[SCENARIO_HOT_BALANCE] = COMMAND_HOT_BALANCE,
	[SCENARIO_FUND] = COMMAND_FUND,
	[SCENARIO_CHAIN_SEEN] = COMMAND_CHAIN_SEEN,
	[SCENARIO_ADDRESS_ADD] = COMMAND_ADDRESS_ADD,
	[SCENARIO_ADDRESS_REMOVE] = COMMAND_ADDRESS_REMOVE,
	[SCENARIO_WITHDRAW] = COMMAND_WITHDRAW,
	[SCENARIO_OUTCOME] = COMMAND_OUTCOME,
	[SCENARIO_CANCEL] = COMMAND_CANCEL,
	[SCENARIO_RELEASE] = COMMAND_RELEASE,
	[SCENARIO_DENY] = COMMAND_DENY,
	[SCENARIO_FREEZE] = COMMAND_FREEZE,
	[SCENARIO_UNFREEZE] = COMMAND_UNFREEZE,
	[SCENARIO_HALT] = COMMAND_HALT,
	[SCENARIO_RESUME] = COMMAND_RESUME,
};

/* Everything that is in both alike. */
static void
copy(struct command *c, const struct scenario_event *ev)
{
	c->account = ev->account;
	c->key = ev->key;
	c->id = ev->id;
	c->by = ev->by;
	c->group = ev->group;
	c->partner = ev->partner;
	c->amount_sat = ev->type == SCENARIO_CHAIN_SEEN ? ev->received_sat :
	    ev->amount_sat;
	c->limit_sat = ev->limit_sat;
	c->tier = ev->tier;
	c->first_seen_ms = ev->first_seen_ms;
	c->fact.name = ev->name;
	c->fact.kind = ev->value_kind;
	c->fact.text = ev->value_text;
	c->fact.value = ev->value;
	c->via = ev->via;
	c->code = ev->code;
	c->device_new = ev->device_new;
	c->paid = ev->paid;
	c->what = ev->what;
	c->withdraw = ev->withdraw;
	c->not_me = ev->not_me;
	/* That word is the flag. */
	if (!ev->not_me)
		c->reason = ev->reason;
}

static enum rc
networks(struct command *c, struct command_room *room,
    const struct scenario_event *ev, struct err *e)
{
	size_t	 i;

	for (i = 0; i < ev->n_ips; i++) {
		if (cidr_parse(&room->cidrs[i], ev->ips[i], e) != RC_OK)
			return err_wrap(e, RC_FAILED, "`ips`");
	}
	c->cidrs = room->cidrs;
	c->n_cidrs = ev->n_ips;
	return RC_OK;
}

static enum rc
places(struct command *c, struct command_room *room,
    const struct scenario_event *ev, enum network net, struct err *e)
{
	if (ev->address.p != NULL) {
		if (address_parse(&room->address, net, ev->address.p,
		    ev->address.len, e) != RC_OK)
			return err_wrap(e, RC_FAILED, "`address`");
		c->script.p = (const char *)room->address.script;
		c->script.len = room->address.len;
	}
	c->has_ip = ev->ip.p != NULL;
	if (c->has_ip && ip_parse(c->ip, ev->ip, e) != RC_OK)
		return err_wrap(e, RC_FAILED, "`ip`");
	return networks(c, room, ev, e);
}

enum rc
command_of_event(struct command *out, bool *any_out,
    struct command_room *room, const struct scenario_event *ev,
    enum network net, bool history, struct err *e)
{
	assert(ev->type < SCENARIO__COUNT);
	*any_out = ev->type != SCENARIO_HEADER &&
	    !(history && feed_not_in_history(ev->type));
	if (!*any_out)
		return RC_OK;
	command_clear(out, commands[ev->type], ev->t_ms);
	copy(out, ev);
	out->history = history && ev->type == SCENARIO_WITHDRAW;
	if (places(out, room, ev, net, e) != RC_OK)
		return RC_FAILED;
	return command_check(out, e);
}
