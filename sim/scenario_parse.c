/*
 * One line of a scenario: its members are collected by name, then the type's
 * row in the table below says which must and which may be there, and each
 * key's function takes its value.
 */
#include "sim/scenario.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "sim/jsonline.h"

/* 9999-12-31: what a calendar with four digits can say. */
#define TIME_MS_MAX	INT64_C(253402300799999)
#define TIER_MAX	INT64_C(1000000000)
#define ADDRESS_LEN_MAX	128

enum key {
	K_TYPE,
	K_T,
	K_ASSET,
	K_ACCOUNT,
	K_KEY,
	K_ID,
	K_ADDRESS,
	K_AMOUNT,
	K_VIA,
	K_SECOND_FACTOR,
	K_IP,
	K_LABEL,
	K_LIMIT_24H,
	K_TIER,
	K_GROUP,
	K_WITHDRAW,
	K_IPS,
	K_PARTNER,
	K_WHAT,
	K_DEVICE,
	K_NAME,
	K_VALUE,
	K_FIRST_SEEN,
	K_RECEIVED,
	K_STATE,
	K_BY,
	K_REASON,
	K_VERSION,
	K_NETWORK,
	K__COUNT
};

#define BIT(k)		(UINT64_C(1) << (k))
#define NAME_SLOTS	128

struct scenario_parser {
	struct jsonline		 json;
	struct jsonline_member	 found[K__COUNT];
	uint64_t		 have;
	uint8_t			 by_name[NAME_SLOTS];	/* key + 1 */
	uint64_t		 key_tags[K__COUNT];
	uint64_t		 type_tags[SCENARIO__COUNT];
	struct text	 ips[SCENARIO_IPS_MAX];
};

typedef enum rc take_fn(struct scenario_parser *p,
    const struct jsonline_member *m, struct scenario_event *ev, struct err *e);

/* Types */

/* A name and its length. */
#define NAME(s)		s, sizeof(s) - 1

struct type_def {
	const char	*name;
	size_t		 len;
	uint64_t	 must;
	uint64_t	 may;
	uint64_t	 one_of;	/* exactly one of these */
};

static const struct type_def types[SCENARIO__COUNT] = {
	[SCENARIO_HEADER] = { NAME("scenario"), 0,
	    BIT(K_VERSION) | BIT(K_NETWORK), 0 },
	[SCENARIO_ACCOUNT] = { NAME("account"), BIT(K_ACCOUNT),
	    BIT(K_LIMIT_24H) | BIT(K_TIER) | BIT(K_GROUP), 0 },
	[SCENARIO_KEY] = { NAME("key"),
	    BIT(K_ACCOUNT) | BIT(K_KEY) | BIT(K_WITHDRAW) | BIT(K_IPS),
	    BIT(K_PARTNER), 0 },
	[SCENARIO_KEY_REVOKE] = { NAME("key_revoke"), BIT(K_KEY), 0, 0 },
	[SCENARIO_SECURITY_CHANGE] = { NAME("security_change"),
	    BIT(K_ACCOUNT) | BIT(K_WHAT), 0, 0 },
	[SCENARIO_LOGIN] = { NAME("login"), BIT(K_ACCOUNT),
	    BIT(K_IP) | BIT(K_DEVICE), 0 },
	[SCENARIO_FACT] = { NAME("fact"), BIT(K_NAME) | BIT(K_VALUE), 0,
	    BIT(K_ACCOUNT) | BIT(K_ID) },
	[SCENARIO_DEPOSIT] = { NAME("deposit"), BIT(K_ACCOUNT) | BIT(K_AMOUNT),
	    0, 0 },
	[SCENARIO_BALANCE] = { NAME("balance"), BIT(K_ACCOUNT) | BIT(K_AMOUNT),
	    0, 0 },
	[SCENARIO_HOT_BALANCE] = { NAME("hot_balance"), BIT(K_AMOUNT), 0, 0 },
	[SCENARIO_FUND] = { NAME("fund"), BIT(K_AMOUNT), 0, 0 },
	[SCENARIO_CHAIN_SEEN] = { NAME("chain_seen"),
	    BIT(K_ADDRESS) | BIT(K_FIRST_SEEN) | BIT(K_RECEIVED), 0, 0 },
	[SCENARIO_ADDRESS_ADD] = { NAME("address_add"),
	    BIT(K_ACCOUNT) | BIT(K_ADDRESS), 0, 0 },
	[SCENARIO_ADDRESS_REMOVE] = { NAME("address_remove"),
	    BIT(K_ACCOUNT) | BIT(K_ADDRESS), 0, 0 },
	[SCENARIO_WITHDRAW] = { NAME("withdraw"), BIT(K_ID) | BIT(K_ACCOUNT) |
	    BIT(K_VIA) | BIT(K_ADDRESS) | BIT(K_AMOUNT),
	    BIT(K_KEY) | BIT(K_SECOND_FACTOR) | BIT(K_IP) | BIT(K_LABEL), 0 },
	[SCENARIO_OUTCOME] = { NAME("outcome"), BIT(K_ID) | BIT(K_STATE),
	    0, 0 },
	[SCENARIO_CANCEL] = { NAME("cancel"), BIT(K_ID), BIT(K_REASON), 0 },
	[SCENARIO_RELEASE] = { NAME("release"), BIT(K_ID) | BIT(K_BY),
	    BIT(K_REASON), 0 },
	[SCENARIO_DENY] = { NAME("deny"), BIT(K_ID) | BIT(K_BY),
	    BIT(K_REASON), 0 },
	[SCENARIO_FREEZE] = { NAME("freeze"), BIT(K_BY), BIT(K_REASON),
	    BIT(K_ACCOUNT) | BIT(K_KEY) },
	[SCENARIO_UNFREEZE] = { NAME("unfreeze"), BIT(K_BY), BIT(K_REASON),
	    BIT(K_ACCOUNT) | BIT(K_KEY) },
	[SCENARIO_HALT] = { NAME("halt"), BIT(K_BY), BIT(K_REASON), 0 },
	[SCENARIO_RESUME] = { NAME("resume"), BIT(K_BY), BIT(K_REASON), 0 },
};

const char *
scenario_type_text(enum scenario_type t)
{
	return types[t].name;
}

/* Values of one kind */

static inline bool
is(struct jsonline_text text, const char *word, size_t len)
{
	return text.len == len && memcmp(text.p, word, len) == 0;
}

static enum rc
take_text(const struct jsonline_member *m, struct text *out,
    struct err *e)
{
	if (m->kind != JSONLINE_STRING)
		return err_set(e, "must be a string");
	out->p = m->text.p;
	out->len = m->text.len;
	return RC_OK;
}

/* Opaque, 1 to 64 bytes. */
static enum rc
take_id(const struct jsonline_member *m, struct text *out,
    struct err *e)
{
	if (take_text(m, out, e) != RC_OK)
		return RC_FAILED;
	if (out->len == 0)
		return err_set(e, "may not be empty");
	if (out->len > SCENARIO_ID_MAX)
		return err_set(e, "%zu bytes; an id has at most %d", out->len,
		    SCENARIO_ID_MAX);
	return RC_OK;
}

static enum rc
take_amount(const struct jsonline_member *m, int64_t *sat_out, struct err *e)
{
	if (m->kind != JSONLINE_STRING)
		return err_set(e, "an amount is a string, like \"0.00012345\"");
	return amount_parse(sat_out, m->text.p, m->text.len, e);
}

static enum rc
take_time(const struct jsonline_member *m, int64_t *ms_out, struct err *e)
{
	if (m->kind != JSONLINE_INTEGER)
		return err_set(e, "must be an integer, milliseconds since "
		    "1970-01-01 UTC");
	if (m->integer < 0 || m->integer > TIME_MS_MAX)
		return err_set(e, "no time between the years 1970 and 9999");
	*ms_out = m->integer;
	return RC_OK;
}

static enum rc
take_bool(const struct jsonline_member *m, bool *out, struct err *e)
{
	if (m->kind != JSONLINE_TRUE && m->kind != JSONLINE_FALSE)
		return err_set(e, "must be true or false");
	*out = m->kind == JSONLINE_TRUE;
	return RC_OK;
}

/* One of N words; its number. */
static enum rc
take_word(const struct jsonline_member *m, const char *const *words, int n,
    int *out, struct err *e)
{
	char	 list[128] = "";
	size_t	 used = 0;
	int	 i;

	for (i = 0; i < n && m->kind == JSONLINE_STRING; i++) {
		if (is(m->text, words[i], strlen(words[i]))) {
			*out = i;
			return RC_OK;
		}
	}
	for (i = 0; i < n && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used,
		    "%s%s", i == 0 ? "" : i == n - 1 ? " or " : ", ",
		    words[i]);
	return err_set(e, "must be %s", list);
}

/* One function a key */

static enum rc
set_t(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	(void)p;
	return take_time(m, &ev->t_ms, e);
}

static enum rc
set_asset(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	(void)p;
	(void)ev;
	if (m->kind != JSONLINE_STRING || !is(m->text, NAME("BTC")))
		return err_set(e, "only \"BTC\" so far");
	return RC_OK;
}

#define SET_ID(name)							\
static enum rc								\
set_##name(struct scenario_parser *p, const struct jsonline_member *m,	\
    struct scenario_event *ev, struct err *e)				\
{									\
	(void)p;							\
	return take_id(m, &ev->name, e);				\
}
SET_ID(account)
SET_ID(key)
SET_ID(id)
SET_ID(group)
SET_ID(partner)
SET_ID(name)
SET_ID(by)

static enum rc
set_address(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	(void)p;
	if (take_text(m, &ev->address, e) != RC_OK)
		return RC_FAILED;
	if (ev->address.len == 0)
		return err_set(e, "may not be empty");
	if (ev->address.len > ADDRESS_LEN_MAX)
		return err_set(e, "%zu bytes are no address",
		    ev->address.len);
	return RC_OK;
}

static enum rc
set_amount(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	(void)p;
	if (take_amount(m, &ev->amount_sat, e) != RC_OK)
		return RC_FAILED;
	if (ev->type == SCENARIO_WITHDRAW && ev->amount_sat == 0)
		return err_set(e, "a withdrawal of nothing");
	return RC_OK;
}

static enum rc
set_via(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	static const char *const words[] = { "api", "web", "mobile",
		"internal" };
	int	 i;

	(void)p;
	if (take_word(m, words, 4, &i, e) != RC_OK)
		return RC_FAILED;
	ev->via = (enum via)i;
	return RC_OK;
}

static enum rc
set_second_factor(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	bool	 given = false;

	(void)p;
	if (take_bool(m, &given, e) != RC_OK)
		return RC_FAILED;
	ev->code = given ? TRI_YES : TRI_NO;
	return RC_OK;
}

static enum rc
set_ip(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	(void)p;
	return take_text(m, &ev->ip, e);
}

static enum rc
set_label(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	static const char *const words[] = { "legit", "attack" };
	int	 i;

	(void)p;
	if (take_word(m, words, 2, &i, e) != RC_OK)
		return RC_FAILED;
	ev->label = i == 0 ? LABEL_LEGIT : LABEL_ATTACK;
	return RC_OK;
}

static enum rc
set_limit_24h(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	(void)p;
	return take_amount(m, &ev->limit_sat, e);
}

static enum rc
set_tier(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	int64_t	 v = 0;
	size_t	 i;

	(void)p;
	if (m->kind == JSONLINE_INTEGER) {
		v = m->integer;
	} else if (m->kind == JSONLINE_STRING && m->text.len >= 1 &&
	    m->text.len <= 9) {
		for (i = 0; i < m->text.len && v >= 0; i++)
			v = m->text.p[i] >= '0' && m->text.p[i] <= '9' ?
			    v * 10 + (m->text.p[i] - '0') : -1;
	} else {
		v = -1;
	}
	if (v < 0 || v > TIER_MAX)
		return err_set(e, "must be an integer from 0 to %" PRId64,
		    TIER_MAX);
	ev->tier = v;
	return RC_OK;
}

static enum rc
set_withdraw(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	(void)p;
	return take_bool(m, &ev->withdraw, e);
}

static enum rc
set_ips(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	(void)e;
	/* Copied to p->ips when it was found. */
	ev->ips = p->ips;
	ev->n_ips = m->n_items;
	return RC_OK;
}

static enum rc
set_what(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	static const char *const words[] = { "password", "2fa", "email",
		"phone" };
	int	 i;

	(void)p;
	if (take_word(m, words, 4, &i, e) != RC_OK)
		return RC_FAILED;
	ev->what = (enum credential)i;
	return RC_OK;
}

static enum rc
set_device(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	static const char *const words[] = { "new", "known" };
	int	 i;

	(void)p;
	if (take_word(m, words, 2, &i, e) != RC_OK)
		return RC_FAILED;
	ev->device_new = i == 0 ? TRI_YES : TRI_NO;
	return RC_OK;
}

/* What it must be, the policy that declares the fact knows. */
static enum rc
set_value(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	(void)p;
	switch (m->kind) {
	case JSONLINE_STRING:
		ev->value_kind = VALUE_TEXT;
		ev->value_text.p = m->text.p;
		ev->value_text.len = m->text.len;
		return RC_OK;
	case JSONLINE_INTEGER:
		ev->value_kind = VALUE_INTEGER;
		ev->value = m->integer;
		return RC_OK;
	case JSONLINE_TRUE:
	case JSONLINE_FALSE:
		ev->value_kind = VALUE_FLAG;
		ev->value = m->kind == JSONLINE_TRUE;
		return RC_OK;
	case JSONLINE_NUMBER:
	case JSONLINE_NULL:
	case JSONLINE_STRINGS:
	case JSONLINE_ARRAY:
	case JSONLINE_OBJECT:
		break;
	}
	return err_set(e, "must be a string, an integer, true or false");
}

static enum rc
set_first_seen(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	(void)p;
	return take_time(m, &ev->first_seen_ms, e);
}

static enum rc
set_received(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	(void)p;
	return take_amount(m, &ev->received_sat, e);
}

static enum rc
set_state(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	static const char *const words[] = { "paid", "failed", "cancelled",
		"denied" };
	int	 i;

	(void)p;
	if (take_word(m, words, 4, &i, e) != RC_OK)
		return RC_FAILED;
	ev->paid = (enum paid)i;
	return RC_OK;
}

static enum rc
set_reason(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	(void)p;
	if (take_text(m, &ev->reason, e) != RC_OK)
		return RC_FAILED;
	ev->not_me = ev->type == SCENARIO_CANCEL && is(m->text, NAME("not_me"));
	return RC_OK;
}

static enum rc
set_version(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	(void)p;
	if (m->kind != JSONLINE_INTEGER || m->integer != 1)
		return err_set(e, "only 1 so far");
	ev->version = 1;
	return RC_OK;
}

static enum rc
set_network(struct scenario_parser *p, const struct jsonline_member *m,
    struct scenario_event *ev, struct err *e)
{
	(void)p;
	if (m->kind != JSONLINE_STRING ||
	    !network_of(&ev->network, m->text.p, m->text.len))
		return err_set(e, "must be main, test, signet or regtest");
	return RC_OK;
}

static const struct {
	const char	*name;
	size_t		 len;
	take_fn		*take;
} keys[K__COUNT] = {
	[K_TYPE] = { NAME("type"), NULL },
	[K_T] = { NAME("t"), set_t },
	[K_ASSET] = { NAME("asset"), set_asset },
	[K_ACCOUNT] = { NAME("account"), set_account },
	[K_KEY] = { NAME("key"), set_key },
	[K_ID] = { NAME("id"), set_id },
	[K_ADDRESS] = { NAME("address"), set_address },
	[K_AMOUNT] = { NAME("amount"), set_amount },
	[K_VIA] = { NAME("via"), set_via },
	[K_SECOND_FACTOR] = { NAME("second_factor"), set_second_factor },
	[K_IP] = { NAME("ip"), set_ip },
	[K_LABEL] = { NAME("label"), set_label },
	[K_LIMIT_24H] = { NAME("limit_24h"), set_limit_24h },
	[K_TIER] = { NAME("tier"), set_tier },
	[K_GROUP] = { NAME("group"), set_group },
	[K_WITHDRAW] = { NAME("withdraw"), set_withdraw },
	[K_IPS] = { NAME("ips"), set_ips },
	[K_PARTNER] = { NAME("partner"), set_partner },
	[K_WHAT] = { NAME("what"), set_what },
	[K_DEVICE] = { NAME("device"), set_device },
	[K_NAME] = { NAME("name"), set_name },
	[K_VALUE] = { NAME("value"), set_value },
	[K_FIRST_SEEN] = { NAME("first_seen"), set_first_seen },
	[K_RECEIVED] = { NAME("received"), set_received },
	[K_STATE] = { NAME("state"), set_state },
	[K_BY] = { NAME("by"), set_by },
	[K_REASON] = { NAME("reason"), set_reason },
	[K_VERSION] = { NAME("version"), set_version },
	[K_NETWORK] = { NAME("network"), set_network },
};

/* The parser */

static inline unsigned int
name_slot(struct jsonline_text name)
{
	return ((unsigned char)name.p[0] * 7u +
	    (unsigned char)name.p[name.len - 1] * 13u +
	    (unsigned int)name.len * 5u) % NAME_SLOTS;
}

enum rc
scenario_parser_new(struct scenario_parser **out, struct err *e)
{
	struct scenario_parser	*p = calloc(1, sizeof(*p));
	struct jsonline_text	 name;
	unsigned int		 slot;
	int			 k;

	if (p == NULL)
		return err_set(e, "out of memory");
	for (k = 0; k < K__COUNT; k++) {
		name.p = keys[k].name;
		name.len = keys[k].len;
		slot = name_slot(name);
		while (p->by_name[slot] != 0)
			slot = (slot + 1) % NAME_SLOTS;
		p->by_name[slot] = (uint8_t)(k + 1);
		p->key_tags[k] = jsonline_tag(name);
	}
	for (k = 0; k < SCENARIO__COUNT; k++) {
		name.p = types[k].name;
		name.len = types[k].len;
		p->type_tags[k] = jsonline_tag(name);
	}
	*out = p;
	return RC_OK;
}

void
scenario_parser_free(struct scenario_parser **p)
{
	if (*p == NULL)
		return;
	jsonline_free(&(*p)->json);
	free(*p);
	*p = NULL;
}

static inline int
key_of(const struct scenario_parser *p, struct jsonline_text name)
{
	struct jsonline_text	 text;
	uint64_t		 tag = jsonline_tag(name);
	unsigned int		 slot;
	int			 k;

	if (name.len == 0)
		return -1;
	for (slot = name_slot(name); p->by_name[slot] != 0;
	    slot = (slot + 1) % NAME_SLOTS) {
		k = p->by_name[slot] - 1;
		text.p = keys[k].name;
		text.len = keys[k].len;
		if (p->key_tags[k] == tag && jsonline_same(name, text))
			return k;
	}
	return -1;
}

/* Read all members of the line into p->found. */
static enum rc
collect(struct scenario_parser *p, const char *line, size_t len,
    struct err *e)
{
	struct jsonline_member	 m;
	bool			 more;
	size_t			 i;
	int			 k;

	p->have = 0;
	if (jsonline_begin(&p->json, line, len, e) != RC_OK)
		return RC_FAILED;
	for (;;) {
		if (jsonline_next(&p->json, &m, &more, e) != RC_OK)
			return RC_FAILED;
		if (!more)
			return RC_OK;
		if ((k = key_of(p, m.name)) < 0)
			continue;
		p->found[k] = m;
		p->have |= BIT(k);
		if (k != K_IPS || m.kind != JSONLINE_STRINGS)
			continue;
		for (i = 0; i < m.n_items; i++) {
			p->ips[i].p = m.items[i].p;
			p->ips[i].len = m.items[i].len;
		}
	}
}

static enum rc
find_type(const struct scenario_parser *p, enum scenario_type *out,
    struct err *e)
{
	const struct jsonline_member	*m = &p->found[K_TYPE];
	struct jsonline_text		 text;
	uint64_t			 tag;
	int				 i;

	if (!(p->have & BIT(K_TYPE)))
		return err_set(e, "`type`: missing");
	if (m->kind != JSONLINE_STRING)
		return err_set(e, "`type`: must be a string");
	tag = jsonline_tag(m->text);
	for (i = 0; i < SCENARIO__COUNT; i++) {
		text.p = types[i].name;
		text.len = types[i].len;
		if (p->type_tags[i] == tag && jsonline_same(m->text, text)) {
			*out = (enum scenario_type)i;
			return RC_OK;
		}
	}
	return err_set(e, "`type`: there is no type \"%.*s\"",
	    (int)(m->text.len > 64 ? 64 : m->text.len), m->text.p);
}

/* null is the absence of a value. */
static void
drop_nulls(struct scenario_parser *p)
{
	uint64_t	 bits;
	int		 k;

	for (bits = p->have; bits != 0; bits &= bits - 1) {
		k = __builtin_ctzll(bits);
		if (p->found[k].kind == JSONLINE_NULL)
			p->have &= ~BIT(k);
	}
}

static enum rc
check_present(const struct scenario_parser *p, const struct type_def *def,
    struct err *e)
{
	uint64_t	 lack = (def->must | BIT(K_T)) & ~p->have;
	uint64_t	 one = def->one_of & p->have;
	int		 k;

	if (lack != 0) {
		k = __builtin_ctzll(lack);
		return err_set(e, "`%s`: missing, %s needs it", keys[k].name,
		    def->name);
	}
	if (def->one_of != 0 && (one & (one - 1)) != 0) {
		k = 63 - __builtin_clzll(one);
		return err_set(e, "`%s`: not together with `%s`",
		    keys[k].name, keys[__builtin_ctzll(one)].name);
	}
	if (def->one_of != 0 && one == 0) {
		return err_set(e, "`%s`: missing, %s needs it or `%s`",
		    keys[__builtin_ctzll(def->one_of)].name, def->name,
		    keys[63 - __builtin_clzll(def->one_of)].name);
	}
	if ((def->must & BIT(K_IPS)) &&
	    p->found[K_IPS].kind != JSONLINE_STRINGS)
		return err_set(e, "`ips`: must be a list of at most %d "
		    "strings", SCENARIO_IPS_MAX);
	return RC_OK;
}

enum rc
scenario_parse(struct scenario_parser *p, const char *line, size_t len,
    struct scenario_event *ev, struct err *e)
{
	const struct type_def	*def;
	enum scenario_type	 type = SCENARIO_HEADER;
	uint64_t		 bits;
	int			 k;

	if (collect(p, line, len, e) != RC_OK ||
	    find_type(p, &type, e) != RC_OK)
		return RC_FAILED;
	def = &types[type];
	drop_nulls(p);
	if (check_present(p, def, e) != RC_OK)
		return RC_FAILED;
	scenario_event_clear(ev, type, 0);
	bits = (def->must | def->may | def->one_of | BIT(K_T) |
	    BIT(K_ASSET)) & p->have;
	for (; bits != 0; bits &= bits - 1) {
		k = __builtin_ctzll(bits);
		if (keys[k].take(p, &p->found[k], ev, e) != RC_OK)
			return err_wrap(e, RC_FAILED, "`%s`", keys[k].name);
	}
	if (type == SCENARIO_HEADER && ev->t_ms != 0)
		return err_set(e, "`t`: must be 0 in a `scenario` line");
	return RC_OK;
}
