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

static const char *
builtin_text(const char *rule)
{
	size_t	 i;

	for (i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++) {
		if (strcmp(builtins[i].rule, rule) == 0)
			return builtins[i].text;
	}
	return NULL;
}

void
door_reason(struct door_answer *a, struct text rule, const char *place)
{
	struct door_reason	*r;
	char			 name[64];
	const char		*text;

	if (a->n_reasons == DOOR_REASONS_MAX)
		return;
	r = &a->reasons[a->n_reasons++];
	(void)snprintf(name, sizeof(name), "%.*s", (int)rule.len, rule.p);
	text = builtin_text(name);
	if (text == NULL && place == NULL) {
		/* Why the engine itself said no, in words. */
		(void)snprintf(r->text, sizeof(r->text), "%s", name);
		(void)snprintf(r->rule, sizeof(r->rule), "%s",
		    strncmp(name, "no room", 7) == 0 ? "builtin:full" :
		    "builtin:refused");
		return;
	}
	(void)snprintf(r->rule, sizeof(r->rule), "%s", name);
	(void)snprintf(r->text, sizeof(r->text), "%s",
	    text != NULL ? text : place);
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
