/*
 * From a reason, or the first rule that denied, to a code.
 */
#include "engine/process/refusals.h"

#include "policy/ast.h"

enum kind {
	KIND_OTHER,		/* in order of what counts when a rule looks at
				 * several */
	KIND_AMOUNT,
	KIND_CREDENTIALS,
	KIND_FORM,
	KIND_NEW,
	KIND_LISTED,
	KIND_TABLE,
};

const struct refusal refusal_replayed = { 400, -1022,
	"Signature for this request was used already." };

static const struct refusal	 limited = { 400, -4015,
	"Withdrawal is limited. Please try again later." };
static const struct refusal	 too_much = { 400, -4023,
	"The amount is over what can be withdrawn within 24 hours." };
static const struct refusal	 credentials = { 400, -4016,
	"Withdrawal is suspended after a change of security settings." };
static const struct refusal	 form = { 400, -4033,
	"Withdrawals to an address of this form are not possible." };
static const struct refusal	 new_address = { 400, -4036,
	"The address is new. Please try again later." };
static const struct refusal	 unlisted = { 400, -4035,
	"The address is not on the list of withdrawal addresses." };
static const struct refusal	 suspect = { 400, -4034,
	"Withdrawals to this address are not possible." };

static enum kind
kind_of_fact(enum fact f)
{
	switch (f) {
	case FACT_AMOUNT:
	case FACT_LIMIT:
		return KIND_AMOUNT;
	case FACT_AGE_CREDENTIALS:
		return KIND_CREDENTIALS;
	case FACT_FORM_P2PKH:
	case FACT_FORM_P2SH:
	case FACT_FORM_P2WPKH:
	case FACT_FORM_P2WSH:
	case FACT_FORM_P2TR:
		return KIND_FORM;
	case FACT_AGE_DESTINATION:
	case FACT_AGE_DESTINATION_CHAIN:
	case FACT_DESTINATION_NEW_ACCOUNT:
	case FACT_DESTINATION_NEW_PLATFORM:
	case FACT_DESTINATION_NEW_CHAIN:
	case FACT_RECEIVED_DESTINATION:
	case FACT_PAYERS_DESTINATION:
		return KIND_NEW;
	case FACT_AGE_LISTING:
		return KIND_LISTED;
	case FACT_VIA_API:
	case FACT_VIA_WEB:
	case FACT_VIA_MOBILE:
	case FACT_VIA_INTERNAL:
	case FACT_CODE_GIVEN:
	case FACT_IP_NEW_ACCOUNT:
	case FACT_IP_NEW_PLATFORM:
	case FACT_DEVICE_NEW:
	case FACT_KEY_HAS_IP_LIST:
	case FACT_HOUR:
	case FACT_WEEKDAY:
	case FACT_AGE_ACCOUNT:
	case FACT_AGE_KEY:
	case FACT_AGE_LIMIT:
	case FACT_AGE_LOGIN:
	case FACT_AGE_IP:
	case FACT_AGE_PLATFORM:
	case FACT_IDLE:
	case FACT_PROVEN:
	case FACT_CREDIT:
	case FACT_HABIT:
	case FACT_HABIT_UNPROVEN:
	case FACT_HABIT_COUNT:
	case FACT_HABIT_DESTINATIONS:
	case FACT_HOT:
	case FACT_FUND:
	case FACT_TIER:
	case FACT__COUNT:
		break;
	}
	return KIND_OTHER;
}

static enum kind
kind_of_slot(const struct program *p, const struct prog_slot *s)
{
	const struct agg	*agg;

	switch (s->kind) {
	case SLOT_FACT:
		return kind_of_fact((enum fact)s->index);
	case SLOT_AGG:
		/* What an account or a key sums up is its limit; whatever
		 * the platform does is none of the customer's business. */
		agg = &p->aggs[s->index].def;
		return agg->what == AGG_SUM && (agg->scope == SCOPE_ACCOUNT ||
		    agg->scope == SCOPE_KEY) ? KIND_AMOUNT : KIND_OTHER;
	case SLOT_IN_TABLE:
		return s->index % 4 == IN_DESTINATION ? KIND_TABLE :
		    KIND_OTHER;
	case SLOT_DECLARED:
	case SLOT_NORMAL:
	case SLOT_BUSY:
	case SLOT_FRAUD:
		break;
	}
	return KIND_OTHER;
}

static enum kind
kind_of_rule(const struct program *p, int rule)
{
	const struct prog_reads	*r = &p->reads[rule];
	enum kind		 kind = KIND_OTHER, k;
	int			 i;

	for (i = 0; i < p->n_slots; i++) {
		if ((r->slots[i / 64] >> i % 64 & 1) == 0)
			continue;
		k = kind_of_slot(p, &p->slots[i]);
		if (k > kind)
			kind = k;
	}
	return kind;
}

static const struct refusal *
by_policy(const struct program *p, const struct taken *t)
{
	int	 i;

	for (i = 0; i < t->n_rules; i++) {
		if (t->did[i] == RULE_MATCHED &&
		    p->rules[t->rules[i]].verdict == VERDICT_DENY)
			break;
	}
	if (i == t->n_rules)
		return &limited;
	switch (kind_of_rule(p, t->rules[i])) {
	case KIND_OTHER:
		break;
	case KIND_AMOUNT:
		return &too_much;
	case KIND_CREDENTIALS:
		return &credentials;
	case KIND_FORM:
		return &form;
	case KIND_NEW:
		return &new_address;
	case KIND_LISTED:
		return t->listed_ms > 0 ? &new_address : &unlisted;
	case KIND_TABLE:
		return &suspect;
	}
	return &limited;
}

const struct refusal *
refusals_of(const struct program *program, const struct taken *t)
{
	static const struct refusal	 key = { 401, -2015, "Invalid API-key, "
		"IP, or permissions for action." };
	static const struct refusal	 balance = { 400, -4026,
		"The user has insufficient balance available." };
	static const struct refusal	 account = { 400, -4001,
		"This account cannot withdraw." };
	static const struct refusal	 conflict = { 400, -4001,
		"withdrawOrderId was used for another withdrawal." };
	static const struct refusal	 amount = { 400, -4023,
		"The amount is not one that can be withdrawn." };

	switch (t->why) {
	case WHY_KEY:
		return &key;
	case WHY_BALANCE:
		return &balance;
	case WHY_ACCOUNT:
	case WHY_FROZEN:
		return &account;
	case WHY_CONFLICT:
		return &conflict;
	case WHY_AMOUNT:
	case WHY_OVERFLOW:
		return &amount;
	case WHY_NONE:
		return by_policy(program, t);
	case WHY_UNKNOWN_ID:
	case WHY_STATE:
	case WHY_CEILING:
	case WHY_FULL_ACCOUNTS:
	case WHY_FULL_KEYS:
	case WHY_FULL_PAIRS:
	case WHY_FULL_DESTINATIONS:
	case WHY_FULL_WAITING:
	case WHY_FULL_WITHDRAWALS:
	case WHY_FULL_NETWORKS:
	case WHY_FULL_GROUPS:
	case WHY_CLOCK:
	case WHY_HALTED:
	case WHY_READING:
	case WHY__COUNT:
		break;
	}
	return &limited;
}
