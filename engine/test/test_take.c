/*
 * From commands to inputs: every type, every field, and what is refused.
 */
#include "engine/take.h"

#include "bitcoin/address.h"
#include "tests/check.h"

static struct err	 why;
static const struct ident_key ids = { "0123456789abcde" };
static struct input_fact room[COMMAND_FACTS_MAX];

static char		 kyc[] = "kyc", sum[] = "sum", age[] = "age",
			 pep[] = "pep";
static struct declared	 declared[] = {
	{ .name = kyc, .type = TYPE_COUNT },
	{ .name = sum, .type = TYPE_AMOUNT },
	{ .name = age, .type = TYPE_TIME },
	{ .name = pep, .type = TYPE_FLAG },
};
static const struct policy policy = { .declared = declared,
	.n_declared = 4 };

static const unsigned char taproot[34] = { 0x51, 32, 1, 2, 3 };
static const struct text taproot_text = { (const char *)taproot, 34 };

/* Everything filled, whether the type has it or not. */
static struct command
full(enum command_type type)
{
	static const struct cidr	 net = { { 0x20, 1 }, 16 };
	static const struct command_fact one = { .name = { "kyc", 3 },
		.kind = VALUE_INTEGER, .value = 4 };
	struct command			 c;

	command_clear(&c, type, 77);
	c.by = text_of("bob");
	c.reason = text_of("because");
	c.account = text_of("account");
	c.key = text_of("key");
	c.id = text_of("id");
	c.group = text_of("group");
	c.partner = text_of("partner");
	c.script = taproot_text;
	c.amount_sat = 5;
	c.limit_sat = 6;
	c.tier = 7;
	c.first_seen_ms = 8;
	c.fact = one;
	c.via = VIA_MOBILE;
	c.code = TRI_YES;
	c.device_new = TRI_NO;
	c.paid = PAID_FAILED;
	c.withdraw = c.history = c.not_me = c.has_ip = true;
	c.facts = &one;
	c.n_facts = 1;
	c.ip[3] = 9;
	c.cidrs = &net;
	c.n_cidrs = 1;
	if (type == COMMAND_FACT)
		c.id = text_of(NULL);
	if (type == COMMAND_FREEZE || type == COMMAND_UNFREEZE)
		c.key = text_of(NULL);
	return c;
}

static bool
taken(struct input *in, const struct command *c)
{
	bool	 any = false;

	why.text[0] = '\0';
	if (take(in, &any, room, c, &ids, &policy, &why) == RC_OK)
		return any;
	CHECK(why.text[0] != '\0');
	return false;
}

static bool
named(struct ident id, const char *name)
{
	return ident_equal(id, name == NULL ? (struct ident){ 0, 0 } :
	    ident_of(&ids, name, strlen(name)));
}

static void
test_types(void)
{
	static const struct {
		enum command_type	 from;
		enum input_type		 to;
	} types[] = {
		{ COMMAND_TICK, INPUT_TICK },
		{ COMMAND_CLOCK, INPUT_TICK },
		{ COMMAND_RESTORED, INPUT_RESTORED },
		{ COMMAND_GENESIS, INPUT__COUNT },
		{ COMMAND_POLICY, INPUT__COUNT },
		{ COMMAND_ACCOUNT, INPUT_ACCOUNT },
		{ COMMAND_KEY, INPUT_KEY },
		{ COMMAND_WITHDRAW, INPUT_WITHDRAW },
		{ COMMAND_CODE, INPUT_CODE },
		{ COMMAND_RECEIPT, INPUT_RECEIPT },
		{ COMMAND_BURNED, INPUT_BURNED },
		{ COMMAND_UNFREEZE, INPUT_UNFREEZE },
		{ COMMAND_HALT, INPUT_HALT },
		{ COMMAND_RESUME, INPUT_RESUME },
	};
	bool		 seen[INPUT__COUNT + 1] = { false };
	struct command	 c;
	struct input	 in;
	size_t		 i;
	int		 t;

	check_case("types");
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		c = full(types[i].from);
		CHECK(taken(&in, &c) == (types[i].to != INPUT__COUNT));
		CHECK_INT(in.type, types[i].to);
	}
	for (t = COMMAND_TICK; t < COMMAND__END; t++) {
		c = full((enum command_type)t);
		(void)taken(&in, &c);
		CHECK_INT(in.t_ms, 77);
		seen[in.type] = true;
	}
	for (t = 0; t < INPUT__COUNT; t++)
		CHECK(seen[t]);
}

static void
test_fields(void)
{
	struct command	 c = full(COMMAND_WITHDRAW);
	struct input	 in;

	check_case("fields of a withdrawal, and none of others");
	CHECK(taken(&in, &c));
	CHECK(named(in.account, "account") && named(in.key, "key") &&
	    named(in.id, "id") && named(in.by, "bob"));
	CHECK(named(in.group, NULL) && named(in.partner, NULL));
	CHECK(ident_equal(in.script, ident_of(&ids, taproot, 34)));
	CHECK_INT(in.form, FORM_P2TR);
	CHECK_INT(in.amount_sat, 5);
	CHECK_INT(in.limit_sat, -1);
	CHECK_INT(in.tier, -1);
	CHECK_INT(in.first_seen_ms, 0);
	CHECK_INT(in.via, VIA_MOBILE);
	CHECK_INT(in.code, TRI_YES);
	CHECK_INT(in.device_new, TRI_UNKNOWN);
	CHECK(in.history && in.has_ip && in.ip[3] == 9);
	CHECK(!in.withdraw && !in.not_me && in.n_cidrs == 0);
	CHECK_INT(in.n_facts, 1);
	CHECK_INT(in.facts[0].declared, 0);
	CHECK_INT(in.facts[0].value, 4);

	check_case("fields of a key, an account and others");
	c = full(COMMAND_KEY);
	CHECK(taken(&in, &c));
	CHECK(in.withdraw && in.n_cidrs == 1 && in.cidrs == c.cidrs);
	CHECK(named(in.partner, "partner") && named(in.id, NULL) &&
	    !in.has_ip && in.amount_sat == 0);
	c = full(COMMAND_ACCOUNT);
	CHECK(taken(&in, &c));
	CHECK(in.limit_sat == 6 && in.tier == 7 && named(in.group, "group"));
	CHECK(in.amount_sat == 0 && named(in.key, NULL));
	c = full(COMMAND_CHAIN_SEEN);
	CHECK(taken(&in, &c));
	CHECK(in.first_seen_ms == 8 && in.amount_sat == 5 &&
	    in.form == FORM_P2TR);
	c = full(COMMAND_LOGIN);
	CHECK(taken(&in, &c) && in.device_new == TRI_NO && in.has_ip);
	c = full(COMMAND_OUTCOME);
	CHECK(taken(&in, &c) && in.paid == PAID_FAILED);
	c = full(COMMAND_CANCEL);
	CHECK(taken(&in, &c) && in.not_me);
}

static int64_t
value(const char *name, enum value_kind kind, int64_t number,
    const char *text)
{
	struct command	 c = full(COMMAND_FACT);
	struct input	 in;

	c.fact.name = text_of(name);
	c.fact.kind = kind;
	c.fact.value = number;
	c.fact.text = text_of(text);
	if (!taken(&in, &c))
		return why.text[0] != '\0' ? -1 : -2;
	CHECK_STR(policy.declared[in.declared].name, name);
	return in.value;
}

static void
test_facts(void)
{
	static const struct command_fact some[] = {
		{ .name = { "other", 5 }, .kind = VALUE_FLAG, .value = 1 },
		{ .name = { "age", 3 }, .kind = VALUE_TEXT,
		    .text = { "6h", 2 } },
		{ .name = { "pep", 3 }, .kind = VALUE_FLAG, .value = 1 },
	};
	struct command	 c = full(COMMAND_WITHDRAW);
	struct input	 in;

	check_case("declared facts by name and type");
	CHECK_INT(value("kyc", VALUE_INTEGER, 3, NULL), 3);
	CHECK_INT(value("kyc", VALUE_TEXT, 0, "3"), -1);
	CHECK_STR(why.text, "`value`: the policy declares a number: an "
	    "integer, not negative");
	CHECK_INT(value("sum", VALUE_TEXT, 0, "0.5"), 50000000);
	CHECK_INT(value("sum", VALUE_TEXT, 0, ""), -1);
	CHECK_INT(value("age", VALUE_TEXT, 0, "6h"), 21600000);
	CHECK_INT(value("age", VALUE_INTEGER, 5, NULL), 5);
	CHECK_INT(value("age", VALUE_INTEGER, -5, NULL), -1);
	CHECK_INT(value("pep", VALUE_FLAG, 1, NULL), 1);
	CHECK_INT(value("pep", VALUE_INTEGER, 2, NULL), -1);
	/* This policy does not ask for it: nothing to take, no failure. */
	CHECK_INT(value("ky", VALUE_INTEGER, 3, NULL), -2);
	CHECK_INT(value("kycx", VALUE_TEXT, 0, "x"), -2);

	check_case("facts of a withdrawal");
	c.facts = some;
	c.n_facts = 3;
	CHECK(taken(&in, &c));
	CHECK_INT(in.n_facts, 2);
	CHECK(in.facts[0].declared == 2 && in.facts[0].value == 21600000);
	CHECK(in.facts[1].declared == 3 && in.facts[1].value == 1);
	declared[2].type = TYPE_COUNT;
	CHECK(!taken(&in, &c));
	CHECK_STR(why.text, "`facts`: age: the policy declares a number: an "
	    "integer, not negative");
	declared[2].type = TYPE_TIME;
}

static void
test_scripts(void)
{
	static const struct {
		const char	*text;
		enum form	 form;
	} known[] = {
		{ "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", FORM_P2PKH },
		{ "3P14159f73E4gFr7JterCCQh9QjiTjiZrG", FORM_P2SH },
		{ "bc1qp6k6tux6g3gr3sxw94g9tx4l0cjtu2pt65r6xp",
		    FORM_P2WPKH },
		{ "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
		    FORM_P2WPKH },
		{ "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qc"
		    "cfmv3", FORM_P2WSH },
		{ "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk"
		    "5jj0", FORM_P2TR },
		{ "bc1sw50qgdz25j", FORM_OTHER },
	};
	struct command	 c = full(COMMAND_ADDRESS_ADD);
	struct address	 a;
	struct input	 in;
	size_t		 i;

	check_case("forms of scripts");
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!CHECK(address_parse(&a, NETWORK_MAIN, known[i].text,
		    strlen(known[i].text), &why) == RC_OK))
			continue;
		c.script = (struct text){ (char *)a.script, a.len };
		CHECK(taken(&in, &c));
		CHECK_INT(in.form, known[i].form);
		CHECK_INT(in.form, a.form);
	}
	/* OP_RETURN, a bare key, a witness that cannot be: no address. */
	c.script = text_of("\x6a\x01x");
	CHECK(!taken(&in, &c));
	CHECK_STR(why.text, "`address`: the script has none");
	c.script = (struct text){ "\x00\x03" "abc", 5 };
	CHECK(!taken(&in, &c));
	c.script = text_of("\x51\x03" "ab");
	CHECK(!taken(&in, &c));
}

static void
test_forgotten(void)
{
	struct command	 c = full(COMMAND_KEY);
	struct input	 in;
	size_t		 i;

	check_case("a key whose networks were forgotten: from nowhere");
	c.forgotten = true;
	CHECK(taken(&in, &c));
	CHECK_INT(in.n_cidrs, 1);
	CHECK_INT(in.cidrs[0].bits, 128);
	for (i = 0; i < 16; i++)
		CHECK_INT(in.cidrs[0].ip[i], 0);
	c = full(COMMAND_WITHDRAW);
	c.forgotten = true;
	CHECK(taken(&in, &c) && !in.has_ip && in.ip[3] == 0);

	check_case("absent names have no fingerprint");
	CHECK(ident_none(take_ident(&ids, text_of(NULL))));
	CHECK(!ident_none(take_ident(&ids, text_of(""))));
	CHECK(named(take_ident(&ids, text_of("x")), "x"));
}

int
main(void)
{
	test_types();
	test_fields();
	test_facts();
	test_scripts();
	test_forgotten();
	return check_done();
}
