/*
 * The tables of what commands are made of, and the check by them.
 */
#include <assert.h>
#include <inttypes.h>

#include "lib/amount.h"
#include "wire/command_fields.h"
#include "wire/sign.h"

/* 9999-12-31: what a calendar with four digits can say. */
#define TIME_MS_MAX	INT64_C(253402300799999)
#define TIER_MAX	INT64_C(1000000000)

#define AT(member)	offsetof(struct command, member)
#define NAME_OF(word, member)						\
	{ word, AT(member), KIND_TEXT, 1, COMMAND_NAME_MAX }
#define SAT_OF(word, member, min)					\
	{ word, AT(member), KIND_NUMBER, min, AMOUNT_SAT_MAX }
#define FLAG_OF(word, member)						\
	{ word, AT(member), KIND_FLAG, 0, 1 }

const struct command_field_def command_fields[F__COUNT] = {
	[F_KEY] = NAME_OF("key", key),
	[F_IP] = { "ip", AT(ip), KIND_IP, 0, 0 },
	[F_CODE] = { "second_factor", AT(code), KIND_WORD, TRI_NO, TRI_YES },
	[F_ACCOUNT] = NAME_OF("account", account),
	[F_ID] = NAME_OF("id", id),
	[F_WITHDRAW] = FLAG_OF("withdraw", withdraw),
	[F_CIDRS] = { "ips", AT(cidrs), KIND_CIDRS, 0, COMMAND_CIDRS_MAX },
	[F_SOURCE] = { "source", AT(source), KIND_SOURCE, 1,
	    COMMAND_NAME_MAX },
	[F_BY] = NAME_OF("by", by),
	[F_REASON] = { "reason", AT(reason), KIND_TEXT, 1,
	    COMMAND_REASON_MAX },
	[F_HISTORY] = FLAG_OF("history", history),
	[F_FACTS] = { "facts", AT(facts), KIND_FACTS, 0, COMMAND_FACTS_MAX },
	[F_DEVICE] = { "device", AT(device_new), KIND_WORD, TRI_NO, TRI_YES },
	[F_LIMIT] = SAT_OF("limit_24h", limit_sat, 0),
	[F_TIER] = { "tier", AT(tier), KIND_NUMBER, 0, TIER_MAX },
	[F_GROUP] = NAME_OF("group", group),
	[F_PARTNER] = NAME_OF("partner", partner),
	[F_NOT_ME] = FLAG_OF("not_me", not_me),
	[F_SCRIPT] = { "address", AT(script), KIND_BYTES, 1,
	    COMMAND_SCRIPT_MAX },
	[F_AMOUNT] = SAT_OF("amount", amount_sat, 0),
	[F_PAYABLE] = SAT_OF("amount", amount_sat, 1),
	[F_RECEIVED] = SAT_OF("received", amount_sat, 0),
	[F_FIRST_SEEN] = { "first_seen", AT(first_seen_ms), KIND_NUMBER, 0,
	    TIME_MS_MAX },
	[F_VIA] = { "via", AT(via), KIND_WORD, VIA_API, VIA_INTERNAL },
	[F_PAID] = { "state", AT(paid), KIND_WORD, PAID_PAID, PAID_DENIED },
	[F_WHAT] = { "what", AT(what), KIND_WORD, CREDENTIAL_PASSWORD,
	    CREDENTIAL_PHONE },
	[F_FACT] = { "value", AT(fact), KIND_FACT, 0, COMMAND_REASON_MAX },
	[F_HASH] = { "hash", AT(hash), KIND_HASH, 0, 0 },
	[F_BODY] = { "body", AT(body), KIND_BYTES, 1, COMMAND_BODY_MAX },
	[F_ORDER] = NAME_OF("order", order),
	[F_EXPIRES] = { "expires", AT(expires_ms), KIND_NUMBER, 1,
	    TIME_MS_MAX },
	[F_ANSWERS] = { "answers", AT(answers), KIND_NUMBER, 1, INT64_MAX },
	[F_PROOF] = { "proof", AT(proof), KIND_BYTES, 1, COMMAND_PROOF_MAX },
	[F_BLOB] = { "blob", AT(blob), KIND_BYTES, 1, COMMAND_BLOB_MAX },
	[F_KEY_TYPE] = { "key_type", AT(key_type), KIND_WORD, KEY_TYPE_HMAC,
	    KEY_TYPE_ED25519 },
	[F_ROLES] = { "roles", AT(roles), KIND_NUMBER, 0, UINT32_MAX },
	[F_SECRET] = { "secret", AT(secret), KIND_WORD, SECRET_TOTP,
	    SECRET_LINKS },
	[F_COUNT] = { "count", AT(count), KIND_NUMBER, 0, 1000000 },
	[F_STEP] = { "step", AT(step), KIND_NUMBER, 0, INT64_MAX },
	[F_WAIT] = { "wait", AT(wait_ms), KIND_NUMBER, 0, TIME_MS_MAX },
	[F_NAME] = NAME_OF("name", name),
};

#define BIT(f)		(UINT64_C(1) << (f))
/* Anybody may have sent anything, and say why. */
#define SENT		(BIT(F_SOURCE) | BIT(F_BY) | BIT(F_REASON) |	\
			 BIT(F_ANSWERS) | BIT(F_PROOF))
/* An operator did it. */
#define ACTED		BIT(F_BY)

const struct command_type_def command_types[COMMAND__END] = {
	[COMMAND_TICK] = { "tick", 0, 0, 0 },
	[COMMAND_GENESIS] = { "genesis", BIT(F_BODY), SENT, 0 },
	[COMMAND_POLICY] = { "policy", BIT(F_BODY) | BIT(F_HASH), SENT, 0 },
	[COMMAND_RESTORED] = { "restored", 0, SENT, 0 },
	[COMMAND_CLOCK] = { "clock", ACTED, SENT, 0 },
	[COMMAND_ACCOUNT] = { "account", BIT(F_ACCOUNT),
	    BIT(F_LIMIT) | BIT(F_TIER) | BIT(F_GROUP) | BIT(F_SCRIPT) |
	    SENT, 0 },
	[COMMAND_KEY] = { "key", BIT(F_ACCOUNT) | BIT(F_KEY),
	    BIT(F_WITHDRAW) | BIT(F_CIDRS) | BIT(F_PARTNER) |
	    BIT(F_KEY_TYPE) | BIT(F_BLOB) | BIT(F_EXPIRES) | BIT(F_STEP) |
	    BIT(F_NAME) | SENT, 0 },
	[COMMAND_KEY_REVOKE] = { "key_revoke", BIT(F_KEY), SENT, 0 },
	[COMMAND_SECURITY_CHANGE] = { "security_change",
	    BIT(F_ACCOUNT) | BIT(F_WHAT), SENT, 0 },
	[COMMAND_LOGIN] = { "login", BIT(F_ACCOUNT),
	    BIT(F_IP) | BIT(F_DEVICE) | SENT, 0 },
	[COMMAND_FACT] = { "fact", BIT(F_FACT), SENT,
	    BIT(F_ACCOUNT) | BIT(F_ID) },
	[COMMAND_DEPOSIT] = { "deposit", BIT(F_ACCOUNT) | BIT(F_AMOUNT),
	    BIT(F_ORDER) | BIT(F_NAME) | SENT, 0 },
	[COMMAND_BALANCE] = { "balance", BIT(F_ACCOUNT) | BIT(F_AMOUNT), SENT,
	    0 },
	[COMMAND_HOT_BALANCE] = { "hot_balance", BIT(F_AMOUNT), SENT, 0 },
	[COMMAND_FUND] = { "fund", BIT(F_AMOUNT), SENT, 0 },
	[COMMAND_CHAIN_SEEN] = { "chain_seen",
	    BIT(F_SCRIPT) | BIT(F_FIRST_SEEN) | BIT(F_RECEIVED), SENT, 0 },
	[COMMAND_ADDRESS_ADD] = { "address_add",
	    BIT(F_ACCOUNT) | BIT(F_SCRIPT), BIT(F_NAME) | SENT, 0 },
	[COMMAND_ADDRESS_REMOVE] = { "address_remove",
	    BIT(F_ACCOUNT) | BIT(F_SCRIPT), SENT, 0 },
	[COMMAND_WITHDRAW] = { "withdraw", BIT(F_ID) | BIT(F_ACCOUNT) |
	    BIT(F_VIA) | BIT(F_SCRIPT) | BIT(F_PAYABLE),
	    BIT(F_KEY) | BIT(F_CODE) | BIT(F_IP) | BIT(F_HISTORY) |
	    BIT(F_FACTS) | BIT(F_ORDER) | BIT(F_STEP) | SENT, 0 },
	[COMMAND_CODE] = { "code", BIT(F_ID), BIT(F_SECRET) | BIT(F_STEP) |
	    SENT, 0 },
	[COMMAND_RECEIPT] = { "receipt", BIT(F_ID), SENT, 0 },
	[COMMAND_BURNED] = { "burned", BIT(F_ID), BIT(F_BLOB) | SENT, 0 },
	[COMMAND_OUTCOME] = { "outcome", BIT(F_ID) | BIT(F_PAID),
	    BIT(F_ORDER) | BIT(F_COUNT) | SENT, 0 },
	[COMMAND_CANCEL] = { "cancel", BIT(F_ID), BIT(F_NOT_ME) | SENT, 0 },
	[COMMAND_RELEASE] = { "release", BIT(F_ID) | ACTED, SENT, 0 },
	[COMMAND_DENY] = { "deny", BIT(F_ID) | ACTED, SENT, 0 },
	[COMMAND_FREEZE] = { "freeze", ACTED, SENT,
	    BIT(F_ACCOUNT) | BIT(F_KEY) },
	[COMMAND_UNFREEZE] = { "unfreeze", ACTED, SENT,
	    BIT(F_ACCOUNT) | BIT(F_KEY) },
	[COMMAND_HALT] = { "halt", ACTED, SENT, 0 },
	[COMMAND_RESUME] = { "resume", ACTED, SENT, 0 },
	[COMMAND_SECRET] = { "secret", BIT(F_ACCOUNT) | BIT(F_SECRET),
	    BIT(F_BLOB) | BIT(F_STEP) | SENT, 0 },
	[COMMAND_CODE_USED] = { "code_used", BIT(F_ACCOUNT) | BIT(F_SECRET) |
	    BIT(F_STEP), SENT, 0 },
	[COMMAND_DOOR_KEY] = { "door_key", BIT(F_KEY) | BIT(F_ROLES),
	    BIT(F_BLOB) | BIT(F_EXPIRES) | SENT, 0 },
	[COMMAND_OPERATOR] = { "operator", BIT(F_NAME) | BIT(F_ROLES),
	    BIT(F_BLOB) | BIT(F_LIMIT) | SENT, 0 },
	[COMMAND_QUORUM] = { "quorum", BIT(F_COUNT) | BIT(F_WAIT), SENT, 0 },
	[COMMAND_PROPOSAL] = { "proposal", BIT(F_BODY) | BIT(F_EXPIRES) |
	    ACTED, SENT, 0 },
	[COMMAND_APPROVAL] = { "approval", BIT(F_ANSWERS) | ACTED, SENT, 0 },
	[COMMAND_DISCARD] = { "discard", BIT(F_ANSWERS), SENT, 0 },
	[COMMAND_SIGNER_HEAD] = { "signer_head", BIT(F_BLOB), SENT, 0 },
};

const char *
command_type_text(enum command_type t)
{
	return command_types[t].name;
}

/* Presence */

static inline bool
is_present(const struct command *c, enum command_field f)
{
	const struct command_field_def	*d = &command_fields[f];
	const void			*p = command_at(c, d);
	const struct text		*text = p;
	unsigned			 word;
	int64_t				 number;

	switch (d->kind) {
	case KIND_TEXT:
	case KIND_BYTES:
		/* An empty reason is none; an empty name is a mistake. */
		return text->p != NULL && (text->len > 0 || f != F_REASON);
	case KIND_NUMBER:
		memcpy(&number, p, sizeof(number));
		return number >= 0;
	case KIND_WORD:
		memcpy(&word, p, sizeof(word));
		return word != TRI_UNKNOWN || d->min == 0;
	case KIND_FLAG:
		return *(const bool *)p;
	case KIND_SOURCE:
		return c->source.p != NULL || c->n != 0;
	case KIND_FACTS:
		return c->n_facts > 0;
	case KIND_IP:
		return c->has_ip || c->forgotten;
	case KIND_CIDRS:
		return c->n_cidrs > 0 || c->forgotten;
	case KIND_FACT:
	case KIND_HASH:
		return true;
	}
	assert(!"a kind");
	return false;
}

uint64_t
command_present(const struct command *c, uint64_t of)
{
	uint64_t	 there = 0;

	for (; of != 0; of &= of - 1) {
		if (is_present(c, (enum command_field)__builtin_ctzll(of)))
			there |= of & -of;
	}
	return there;
}

/* Values */

static inline bool
continues(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Length of the character at p, 0 if there is none (RFC 3629). */
static size_t
character(const unsigned char *p, size_t left)
{
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf && left >= 2)
		return continues(p[1]) ? 2 : 0;
	if ((p[0] & 0xf0) == 0xe0 && left >= 3) {
		if ((p[0] == 0xe0 && p[1] < 0xa0) ||
		    (p[0] == 0xed && p[1] > 0x9f))
			return 0;
		return continues(p[1]) && continues(p[2]) ? 3 : 0;
	}
	if (p[0] >= 0xf0 && p[0] <= 0xf4 && left >= 4) {
		if ((p[0] == 0xf0 && p[1] < 0x90) ||
		    (p[0] == 0xf4 && p[1] > 0x8f))
			return 0;
		return continues(p[1]) && continues(p[2]) &&
		    continues(p[3]) ? 4 : 0;
	}
	return 0;
}

/* Exported lines carry these texts, and JSON is UTF-8. */
static bool
is_utf8(const char *text, size_t len)
{
	const unsigned char	*p = (const unsigned char *)text;
	uint64_t		 eight;
	size_t			 n;

	while (len > 0) {
		if (len >= 8) {
			memcpy(&eight, p, 8);
			if ((eight & UINT64_C(0x8080808080808080)) == 0) {
				p += 8;
				len -= 8;
				continue;
			}
		}
		if ((n = character(p, len)) == 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

static enum rc
check_text(struct text t, int64_t min, int64_t max, bool utf8, struct err *e)
{
	if (t.p == NULL)
		return err_set(e, "missing");
	if ((int64_t)t.len < min)
		return err_set(e, "may not be empty");
	if (t.len > (size_t)max)
		return err_set(e, "%zu bytes; at most %" PRId64, t.len, max);
	if (utf8 && !is_utf8(t.p, t.len))
		return err_set(e, "not UTF-8");
	return RC_OK;
}

static enum rc
check_fact(const struct command_fact *f, struct err *e)
{
	if (check_text(f->name, 1, COMMAND_NAME_MAX, true, e) != RC_OK)
		return err_wrap(e, RC_FAILED, "its name");
	switch (f->kind) {
	case VALUE_TEXT:
		/* Of any content: a policy that declares no such fact has no
		 * opinion of it. */
		return check_text(f->text, 0, COMMAND_REASON_MAX, true, e);
	case VALUE_INTEGER:
		return RC_OK;
	case VALUE_FLAG:
		return f->value == 0 || f->value == 1 ? RC_OK :
		    err_set(e, "neither true nor false");
	}
	return err_set(e, "of no known kind");
}

static enum rc
check_facts(const struct command *c, struct err *e)
{
	size_t	 i, k;

	if (c->n_facts > COMMAND_FACTS_MAX)
		return err_set(e, "%zu; at most %d", c->n_facts,
		    COMMAND_FACTS_MAX);
	for (i = 0; i < c->n_facts; i++) {
		if (check_fact(&c->facts[i], e) != RC_OK)
			return RC_FAILED;
		for (k = 0; k < i; k++) {
			if (text_equal(c->facts[k].name, c->facts[i].name))
				return err_set(e, "one stands there twice");
		}
	}
	return RC_OK;
}

static enum rc
check_cidrs(const struct command *c, struct err *e)
{
	const struct cidr	*n;
	size_t			 i, k;
	int			 beyond;

	if (c->n_cidrs > COMMAND_CIDRS_MAX)
		return err_set(e, "%zu; at most %d", c->n_cidrs,
		    COMMAND_CIDRS_MAX);
	for (i = 0; i < c->n_cidrs; i++) {
		n = &c->cidrs[i];
		if (n->bits > 128)
			return err_set(e, "/%d: at most /128", n->bits);
		for (k = n->bits / 8; k < 16; k++) {
			beyond = k == n->bits / 8u ? 0xff >> n->bits % 8 :
			    0xff;
			if ((n->ip[k] & beyond) != 0)
				return err_set(e, "an address with bits "
				    "beyond its network");
		}
	}
	return RC_OK;
}

static enum rc
check_number(int64_t v, const struct command_field_def *d, struct err *e)
{
	if (v < d->min || v > d->max)
		return err_set(e, "must be from %" PRId64 " to %" PRId64,
		    d->min, d->max);
	return RC_OK;
}

static enum rc
check_field(const struct command *c, const struct command_field_def *d,
    struct err *e)
{
	const void	*p = command_at(c, d);
	int64_t		 number;
	unsigned	 word;

	switch (d->kind) {
	case KIND_TEXT:
	case KIND_SOURCE:
		return check_text(*(const struct text *)p, d->min, d->max,
		    true, e);
	case KIND_BYTES:
		return check_text(*(const struct text *)p, d->min, d->max,
		    false, e);
	case KIND_NUMBER:
		memcpy(&number, p, sizeof(number));
		return check_number(number, d, e);
	case KIND_WORD:
		memcpy(&word, p, sizeof(word));
		return check_number(word, d, e);
	case KIND_FACT:
		return check_fact(&c->fact, e);
	case KIND_FACTS:
		return check_facts(c, e);
	case KIND_CIDRS:
		return check_cidrs(c, e);
	case KIND_FLAG:
	case KIND_HASH:
	case KIND_IP:
		return RC_OK;
	}
	assert(!"a kind");
	return RC_FAILED;
}

/* What the signer says has one length each. */
static enum rc
check_signers(const struct command *c, struct err *e)
{
	size_t	 want = c->type == COMMAND_SIGNER_HEAD ? SIGN_HEAD_LEN :
	    SIGN_BURNED_LEN;

	if ((c->type != COMMAND_SIGNER_HEAD && c->type != COMMAND_BURNED) ||
	    c->blob.p == NULL || c->blob.len == want)
		return RC_OK;
	return err_set(e, "`blob`: %zu bytes, not %zu", c->blob.len, want);
}

enum rc
command_check_fields(const struct command *c, uint64_t fields, struct err *e)
{
	const struct command_field_def	*d;

	if (c->t_ms < 0 || c->t_ms > TIME_MS_MAX)
		return err_set(e, "`t`: no time between the years 1970 and "
		    "9999");
	for (; fields != 0; fields &= fields - 1) {
		d = &command_fields[__builtin_ctzll(fields)];
		if (check_field(c, d, e) != RC_OK)
			return err_wrap(e, RC_FAILED, "`%s`", d->name);
	}
	return check_signers(c, e);
}

enum rc
command_check(const struct command *c, struct err *e)
{
	const struct command_type_def	*def;
	uint64_t			 given, one;

	if (c->type < COMMAND_TICK || c->type >= COMMAND__END)
		return err_set(e, "`type`: there is no type %u",
		    (unsigned)c->type);
	def = &command_types[c->type];
	one = command_present(c, def->one_of);
	if (def->one_of != 0 && one == 0)
		return err_set(e, "`%s`: missing, %s needs it or `%s`",
		    command_fields[__builtin_ctzll(def->one_of)].name,
		    def->name,
		    command_fields[63 - __builtin_clzll(def->one_of)].name);
	if ((one & (one - 1)) != 0)
		return err_set(e, "`%s`: not together with `%s`",
		    command_fields[__builtin_ctzll(one)].name,
		    command_fields[63 - __builtin_clzll(one)].name);
	given = command_present(c, def->may & ~def->must) | one;
	return command_check_fields(c, given | def->must, e);
}
