/*
 * What an account's owner hears of, at once and whatever came of it: auth
 * knows where to send it, and writes it.
 *
 * The engine knows withdrawals and accounts by fingerprints.  So of what
 * moves without being asked for (a delay ends, people decide, nobody comes,
 * it is paid) the book says whose it is.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/address.h"
#include "engine/process/inner.h"
#include "lib/amount.h"
#include "lib/log.h"

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
	m.secret = c->secret;
	m.open = c->script;
	m.number = c->amount_sat;
	m.t_ms = t->t_ms;
	m.seq = (int64_t)t->seq;
	m.wait_ms = t->due_ms != INT64_MAX ? t->due_ms : -1;
	k->figures.notices++;
	keeper_hold(k, ROOM_AUTH, &m);
}

static const char *
withdrawal(const struct command *c, const struct taken *t)
{
	if (t->type != OUTCOME_DECIDED)
		return NULL;
	switch (t->state) {
	case STATE_WAITING:
		return t->code && c->code != TRI_YES ? "code" : "delayed";
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
		return c->history ? NULL : withdrawal(c, t);
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
	case COMMAND_OUTCOME:
	case COMMAND_CANCEL:
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
	case COMMAND_SIGNER_HEAD:
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

	/* The same secret, sealed anew, is no news. */
	if (text_equal(c->by, text_of(COMMAND_BY_RESEAL)))
		event = NULL;
	if (event != NULL && t->type != OUTCOME_REFUSED &&
	    c->account.p != NULL)
		notice(k, c, t, event);
	notices_turn(k);
}

/* What moved */

static const char *
moved_text(const struct outcome *o)
{
	switch (o->state) {
	case STATE_WAITING:
		return o->joined != NULL && o->joined->code ? "code" :
		    "delayed";
	case STATE_HELD:
		return "held";
	case STATE_STOPPED:
		return "stopped";
	case STATE_RELEASED:
		return "released";
	case STATE_DENIED:
		return "denied";
	case STATE_CANCELLED:
		return "cancelled";
	case STATE_EXPIRED:
		return "expired";
	case STATE_FAILED:
		return "failed";
	case STATE_PAID:
		return "paid";
	}
	return NULL;
}

void
notices_moved(struct keeper *k, const struct outcome *o)
{
	struct news	*n;

	if (k->n_news >= NEWS_MAX || (n = calloc(1, sizeof(*n))) == NULL) {
		if (k->figures.notices_lost++ == 0)
			log_event(LOG_BROKEN, "notices", "why", 's', "too "
			    "many wait; some are lost", NULL);
		return;
	}
	n->id = o->id;
	n->event = moved_text(o);
	n->t_ms = o->t_ms;
	n->due_ms = o->due_ms != INT64_MAX ? o->due_ms : -1;
	n->seq = keeper_state(k)->seq + 1;	/* of what is being taken */
	*k->news_last = n;
	k->news_last = &n->next;
	k->n_news++;
}

void
notices_turn(struct keeper *k)
{
	struct news	*n;

	/* Nobody to tell: auth is being started anew, and they wait. */
	while (k->to[ROOM_AUTH] != NULL && (n = k->news) != NULL &&
	    k->news_asked < NEWS_ASKED_MAX && reads_news(k, n)) {
		if ((k->news = n->next) == NULL)
			k->news_last = &k->news;
		k->n_news--;
		k->news_asked++;
	}
}

static struct text
string(const json_t *o, const char *key)
{
	const json_t	*v = json_object_get(o, key);
	struct text	 t = { json_string_value(v), json_string_length(v) };

	return t;
}

static void
send_news(struct keeper *k, const struct news *n, const json_t *row)
{
	struct text	 to = string(row, "address");
	struct text	 amount = string(row, "amount");
	enum network	 net = (enum network)keeper_state(k)->genesis.network;
	struct address	 address;
	struct message	 m;
	struct err	 e;

	message_clear(&m, MESSAGE_NOTICE, 0);
	m.account = string(row, "account");
	m.id = string(row, "id");
	m.name = text_of(n->event);
	if (to.p != NULL && address_parse(&address, net, to.p, to.len, &e) ==
	    RC_OK) {
		m.open.p = (const char *)address.script;
		m.open.len = address.len;
	}
	if (amount.p == NULL || amount_parse(&m.number, amount.p, amount.len,
	    &e) != RC_OK)
		m.number = -1;
	m.t_ms = n->t_ms;
	m.seq = (int64_t)n->seq;
	m.wait_ms = n->due_ms;
	k->figures.notices++;
	keeper_hold(k, ROOM_AUTH, &m);
}

void
notices_told(struct keeper *k, struct news *n, int status, struct text body)
{
	json_t	*row = status == 200 ? json_loadb(body.p, body.len, 0, NULL) :
		    NULL;

	k->news_asked--;
	if (row != NULL && string(row, "account").p != NULL)
		send_news(k, n, row);
	json_decref(row);
	free(n);
}
