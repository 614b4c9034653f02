/*
 * What an account's owner hears of, at once and whatever came of it: auth
 * knows where to send it, and writes it.
 */
#include <string.h>

#include "engine/process/inner.h"

static void
notice(struct keeper *k, const struct command *c, const struct taken *t,
    const char *event)
{
	struct message	 m;

	message_clear(&m, MESSAGE_NOTICE, 0);
	m.account = c->account;
	m.id = c->id;
	m.name = text_of(event);
	m.key = c->key;
	m.open = c->script;
	m.number = c->amount_sat;
	m.t_ms = t->t_ms;
	m.seq = (int64_t)t->seq;
	m.wait_ms = t->due_ms != INT64_MAX ? t->due_ms : -1;
	keeper_hold(k, ROOM_AUTH, &m);
}

static const char *
withdrawal(const struct taken *t)
{
	if (t->type != OUTCOME_DECIDED)
		return NULL;
	switch (t->state) {
	case STATE_WAITING:
		return t->code ? "code" : "delayed";
	case STATE_HELD:
		return "held";
	case STATE_STOPPED:
		return "stopped";
	case STATE_RELEASED:
		return "released";
	case STATE_DENIED:
		return t->why == WHY_KEY ? NULL : "denied";
	case STATE_CANCELLED:
	case STATE_EXPIRED:
	case STATE_FAILED:
	case STATE_PAID:
		break;
	}
	return NULL;
}

static const char *
event_of(const struct command *c, const struct taken *t)
{
	switch (c->type) {
	case COMMAND_WITHDRAW:
		return c->history ? NULL : withdrawal(t);
	case COMMAND_KEY:
		return "key";
	case COMMAND_KEY_REVOKE:
		return "key_revoked";
	case COMMAND_ADDRESS_ADD:
		return "address";
	case COMMAND_SECRET:
		return "secret";
	case COMMAND_FREEZE:
		return "frozen";
	case COMMAND_CANCEL:
		return "cancelled";
	case COMMAND_OUTCOME:
		return c->paid == PAID_PAID ? "paid" : NULL;
	case COMMAND_TICK:
	case COMMAND_GENESIS:
	case COMMAND_POLICY:
	case COMMAND_RESTORED:
	case COMMAND_CLOCK:
	case COMMAND_ACCOUNT:
	case COMMAND_SECURITY_CHANGE:
	case COMMAND_LOGIN:
	case COMMAND_FACT:
	case COMMAND_DEPOSIT:
	case COMMAND_BALANCE:
	case COMMAND_HOT_BALANCE:
	case COMMAND_FUND:
	case COMMAND_CHAIN_SEEN:
	case COMMAND_ADDRESS_REMOVE:
	case COMMAND_CODE:
	case COMMAND_RECEIPT:
	case COMMAND_BURNED:
	case COMMAND_RELEASE:
	case COMMAND_DENY:
	case COMMAND_UNFREEZE:
	case COMMAND_HALT:
	case COMMAND_RESUME:
	case COMMAND_CODE_USED:
	case COMMAND_DOOR_KEY:
	case COMMAND_OPERATOR:
	case COMMAND_QUORUM:
	case COMMAND_PROPOSAL:
	case COMMAND_APPROVAL:
	case COMMAND_DISCARD:
	case COMMAND__END:
		break;
	}
	return NULL;
}

void
notices_taken(struct keeper *k, const struct command *c,
    const struct taken *t)
{
	const char	*event = event_of(c, t);

	/* A command by id alone names no account: the book would have to be
	 * asked, and auth, which knows the request, writes that one. */
	if (event != NULL && t->type != OUTCOME_REFUSED &&
	    c->account.p != NULL)
		notice(k, c, t, event);
}
