/*
 * One sentence for each.
 */
#include "cli/told_service.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "wire/rights.h"
#include "wire/sign.h"

static const char *
secret_text(enum secret_kind k)
{
	static const char *const	 texts[] = { "none", "TOTP",
		"recovery codes", "contact", "password", "links" };

	return texts[k];
}

static void
operator(char *buf, size_t room, const struct command *c)
{
	char	 names[RIGHTS_TEXT_MAX], btc[AMOUNT_TEXT_MAX];

	if (c->roles <= 0)
		(void)snprintf(buf, room, "%.*s is an operator no more",
		    (int)c->name.len, c->name.p);
	else if (c->limit_sat >= 0)
		(void)snprintf(buf, room, "%.*s: %s, releases up to %s BTC a "
		    "day", (int)c->name.len, c->name.p, rights_text(names,
		    (uint32_t)c->roles), amount_format_short(btc,
		    c->limit_sat));
	else
		(void)snprintf(buf, room, "%.*s: %s", (int)c->name.len,
		    c->name.p, rights_text(names, (uint32_t)c->roles));
}

static const char *
proposed(const struct command *c)
{
	/* A length, then the packed command, whose first byte is its type. */
	size_t	 at = 0;
	uint8_t	 type;

	while (at < c->body.len && ((unsigned char)c->body.p[at] & 0x80) != 0)
		at++;
	if (at + 1 >= c->body.len)
		return "?";
	type = (uint8_t)c->body.p[at + 1];
	return type > 0 && type < COMMAND__END ?
	    command_type_text((enum command_type)type) : "?";
}

/* Of the signer's journal: the record that its word is. */
static uint64_t
record_of(const struct command *c)
{
	struct sign_burned	 b;
	struct sign_head	 h;

	if (c->type == COMMAND_SIGNER_HEAD) {
		sign_head_unpack(&h, (const unsigned char *)c->blob.p);
		return h.seq;
	}
	if (c->type == COMMAND_BURNED && c->blob.p != NULL &&
	    sign_burned_unpack(&b, (const unsigned char *)c->blob.p, NULL) ==
	    RC_OK)
		return b.seq;
	return 0;
}

char *
told_service(char *buf, size_t room, const struct command *c)
{
	char	 names[RIGHTS_TEXT_MAX], wait[CIVIL_TEXT_MAX];

	buf[0] = '\0';
	if (c->type == COMMAND_SECRET)
		(void)snprintf(buf, room, "%s %s", secret_text(c->secret),
		    c->blob.p != NULL ? "set" : "removed");
	else if (c->type == COMMAND_CANCEL && c->not_me)
		(void)snprintf(buf, room, "\"not me\"");
	else if (c->type == COMMAND_CODE_USED)
		(void)snprintf(buf, room, "a code of %s was used",
		    secret_text(c->secret));
	else if (c->type == COMMAND_DOOR_KEY)
		(void)snprintf(buf, room, "%.*s: %s", (int)c->key.len,
		    c->key.p, c->roles > 0 ? door_roles_text(names,
		    (uint32_t)c->roles) : "revoked");
	else if (c->type == COMMAND_OPERATOR)
		operator(buf, room, c);
	else if (c->type == COMMAND_QUORUM)
		(void)snprintf(buf, room, "%" PRId64 " of the operators, and "
		    "%s, for what loosens", c->count, c->wait_ms > 0 ?
		    duration_format(wait, c->wait_ms) : "no wait");
	else if (c->type == COMMAND_PROPOSAL)
		(void)snprintf(buf, room, "proposed: %s", proposed(c));
	else if (c->type == COMMAND_APPROVAL)
		(void)snprintf(buf, room, "approved event %" PRId64,
		    c->answers);
	else if (c->type == COMMAND_DISCARD)
		(void)snprintf(buf, room, "event %" PRId64 " will not be "
		    "done", c->answers);
	else if (c->type == COMMAND_SIGNER_HEAD)
		(void)snprintf(buf, room, "the signer's record %" PRIu64,
		    record_of(c));
	else if (c->type == COMMAND_BURNED && c->blob.p != NULL)
		(void)snprintf(buf, room, "by the signer's record %" PRIu64,
		    record_of(c));
	return buf;
}

void
told_service_json(struct json *j, const struct command *c)
{
	char	 names[RIGHTS_TEXT_MAX];

	if (c->name.p != NULL)
		json_put_bytes(j, "name", c->name.p, c->name.len);
	if (c->secret != SECRET_NONE)
		json_put_text(j, "secret", secret_text(c->secret));
	if (c->type == COMMAND_OPERATOR)
		json_put_text(j, "roles", rights_text(names,
		    (uint32_t)(c->roles > 0 ? c->roles : 0)));
	if (c->type == COMMAND_DOOR_KEY)
		json_put_text(j, "roles", door_roles_text(names,
		    (uint32_t)(c->roles > 0 ? c->roles : 0)));
	if (c->type == COMMAND_OPERATOR && c->limit_sat >= 0)
		json_put_sat(j, "release_up_to", c->limit_sat);
	if (c->count >= 0)
		json_put_int(j, "count", c->count);
	if (c->wait_ms >= 0)
		json_put_int(j, "wait_ms", c->wait_ms);
	if (c->type == COMMAND_PROPOSAL)
		json_put_text(j, "command", proposed(c));
	if (record_of(c) > 0)
		json_put_uint(j, "signer_record", record_of(c));
	if (c->expires_ms >= 0)
		json_put_int(j, "expires_ms", c->expires_ms);
	if (c->answers >= 0)
		json_put_int(j, "answers", c->answers);
	if (c->order.p != NULL)
		json_put_bytes(j, "order", c->order.p, c->order.len);
}
