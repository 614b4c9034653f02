#include "book/door.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char	*rule;
	const char	*text;
} builtins[] = {
	{ "default", "no rule spoke: the policy's default" },
	{ "builtin:error", "a rule asked for what nobody knows" },
	{ "builtin:account", "the account was never opened" },
	{ "builtin:key", "the key is unknown, revoked, another's, may not "
	    "withdraw, or not from there" },
	{ "builtin:balance", "more than the account has" },
	{ "builtin:frozen", "the account or key is frozen" },
};

void
door_reason(struct door_answer *a, struct text rule, const char *place)
{
	struct door_reason	*r;
	size_t			 i;

	if (a->n_reasons == DOOR_REASONS_MAX)
		return;
	r = &a->reasons[a->n_reasons++];
	(void)snprintf(r->rule, sizeof(r->rule), "%.*s", (int)rule.len,
	    rule.p);
	(void)snprintf(r->text, sizeof(r->text), "%s",
	    place != NULL ? place : "a rule of the policy");
	for (i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++) {
		if (strcmp(builtins[i].rule, r->rule) == 0)
			(void)snprintf(r->text, sizeof(r->text), "%s",
			    builtins[i].text);
	}
	if (place == NULL && strncmp(r->rule, "builtin:full", 12) == 0)
		(void)snprintf(r->text, sizeof(r->text), "the engine is "
		    "full: it holds what it cannot count");
}

void
door_put(struct json *j, const struct door_answer *a)
{
	int	 i;

	json_open_object(j, NULL);
	json_put_bytes(j, "id", a->id.p, a->id.len);
	json_put_uint(j, "seq", a->seq);
	json_put_text(j, "mode", a->mode);
	json_put_text(j, "state", state_text(a->state));
	json_put_text(j, "verdict", verdict_text(a->verdict));
	json_put_text(j, "would", verdict_text(a->would));
	if (a->until_ms >= 0)
		json_put_int(j, "until", a->until_ms);
	else
		json_put_null(j, "until");
	json_open_array(j, "reasons");
	for (i = 0; i < a->n_reasons; i++) {
		json_open_object(j, NULL);
		json_put_text(j, "rule", a->reasons[i].rule);
		json_put_text(j, "text", a->reasons[i].text);
		json_close(j);
	}
	json_close(j);
	if (a->receipt != NULL)
		json_put_text(j, "receipt", a->receipt);
	else
		json_put_null(j, "receipt");
	if (a->txid.p != NULL)
		json_put_bytes(j, "txid", a->txid.p, a->txid.len);
	if (a->vout >= 0)
		json_put_int(j, "vout", a->vout);
	json_close(j);
}

enum verdict
door_verdict(enum state s, enum verdict decided)
{
	switch (s) {
	case STATE_RELEASED:
	case STATE_PAID:
		return VERDICT_ALLOW;
	case STATE_DENIED:
	case STATE_CANCELLED:
	case STATE_EXPIRED:
	case STATE_FAILED:
		return VERDICT_DENY;
	case STATE_HELD:
		return VERDICT_HOLD;
	case STATE_STOPPED:
		return VERDICT_HALT;
	case STATE_WAITING:
		return decided;
	}
	assert(!"a state");
}
