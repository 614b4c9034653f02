/*
 * Bodies of /v1 as commands: which line is whose, and what is refused, with
 * the field that is wrong.
 */
#include "auth/v1_read.h"
#include "sim/scenario.h"
#include "tests/check.h"
#include "wire/rights.h"

#define ADDRESS	"bcrt1qs758ursh4q9z627kt3pp5yysm78ddny6txaqgw"
#define HEAD	"{\"t\":0,\"source\":\"s\",\"n\":1,\"type\":"
#define WITHDRAW "{\"type\":\"withdraw\",\"t\":0,\"id\":\"w\"," REST
#define REST "\"account\":\"a\",\"via\":\"web\",\"address\":\"" ADDRESS	\
	"\",\"amount\":\"0.1\""

static struct v1_read	*r;

/* Every type of drawbridge.scenario(5): who may send it at /v1/facts. */
static const struct {
	enum scenario_type type;
	const char	*rest;
	uint32_t	 who;
} types[] = {
	{ SCENARIO_ACCOUNT, "\"account\":\"a\"", DOOR_FEED },
	{ SCENARIO_KEY, "\"account\":\"a\",\"key\":\"k\",\"withdraw\":true,"
	    "\"ips\":[]", DOOR_FEED },
	{ SCENARIO_KEY_REVOKE, "\"key\":\"k\"", DOOR_FEED | DOOR_TIGHTEN },
	{ SCENARIO_SECURITY_CHANGE, "\"account\":\"a\",\"what\":\"2fa\"",
	    DOOR_FEED },
	{ SCENARIO_LOGIN, "\"account\":\"a\"", DOOR_FEED },
	{ SCENARIO_FACT, "\"account\":\"a\",\"name\":\"n\",\"value\":1",
	    DOOR_FEED },
	{ SCENARIO_DEPOSIT, "\"account\":\"a\",\"amount\":\"1\"", DOOR_FEED },
	{ SCENARIO_BALANCE, "\"account\":\"a\",\"amount\":\"1\"", DOOR_FEED },
	{ SCENARIO_HOT_BALANCE, "\"amount\":\"1\"", DOOR_FEED },
	{ SCENARIO_FUND, "\"amount\":\"1\"", DOOR_FEED },
	{ SCENARIO_CHAIN_SEEN, "\"address\":\"" ADDRESS "\",\"first_seen\":1,"
	    "\"received\":\"1\"", DOOR_FEED },
	{ SCENARIO_ADDRESS_ADD, "\"account\":\"a\",\"address\":\"" ADDRESS
	    "\"", DOOR_FEED },
	{ SCENARIO_ADDRESS_REMOVE, "\"account\":\"a\",\"address\":\"" ADDRESS
	    "\"", DOOR_FEED },
	{ SCENARIO_WITHDRAW, "\"id\":\"w\",\"account\":\"a\",\"via\":\"api\","
	    "\"address\":\"" ADDRESS "\",\"amount\":\"1\"", 0 },
	{ SCENARIO_OUTCOME, "\"id\":\"w\",\"state\":\"paid\"", DOOR_REPORT },
	{ SCENARIO_CANCEL, "\"id\":\"w\"", DOOR_DECIDE },
	{ SCENARIO_RELEASE, "\"id\":\"w\",\"by\":\"b\"", 0 },
	{ SCENARIO_DENY, "\"id\":\"w\",\"by\":\"b\"", 0 },
	{ SCENARIO_FREEZE, "\"account\":\"a\",\"by\":\"b\"", 0 },
	{ SCENARIO_UNFREEZE, "\"account\":\"a\",\"by\":\"b\"", 0 },
	{ SCENARIO_HALT, "\"by\":\"b\"", 0 },
	{ SCENARIO_RESUME, "\"by\":\"b\"", 0 },
};

static void
test_types(void)
{
	char		 line[512];
	struct command	 c;
	struct err	 e;
	size_t		 i;

	check_case("C8: each type of line, and whose it is");
	/* All but the header, which is refused below. */
	CHECK_INT(sizeof(types) / sizeof(types[0]), SCENARIO__COUNT - 1);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		(void)snprintf(line, sizeof(line), HEAD "\"%s\",%s}",
		    scenario_type_text(types[i].type), types[i].rest);
		if (!CHECK(v1_read_line(r, &c, text_of(line), &e) ==
		    RC_OK)) {
			printf("# %s\n", e.text);
			continue;
		}
		CHECK_INT(v1_read_roles(c.type), types[i].who);
		CHECK(c.n == 1 && text_equal(c.source, text_of("s")));
		CHECK(!c.history && c.t_ms == 0);
	}
	check_case("types that no line has are nobody's");
	for (i = COMMAND_SECRET; i < COMMAND__END; i++)
		CHECK_INT(v1_read_roles((enum command_type)i), 0);
	CHECK_INT(v1_read_roles(COMMAND_GENESIS), 0);
	CHECK_INT(v1_read_roles(COMMAND_POLICY), 0);
	CHECK(v1_read_line(r, &c, text_of(HEAD "\"scenario\"}"), &e) !=
	    RC_OK);
}

static void
refused(const char *body, const char *field)
{
	struct command	 c;
	struct err	 e = { "" };
	bool		 good = v1_read_withdraw(r, &c, text_of(body), &e) !=
		    RC_OK && strncmp(e.text, field, strlen(field)) == 0;

	if (!CHECK(good))
		printf("# %s: %s\n", body, e.text);
}

static void
test_withdraw(void)
{
	struct command	 c;
	struct err	 e;

	check_case("a withdrawal with facts");
	CHECK(v1_read_withdraw(r, &c, text_of(WITHDRAW ",\"ip\":\"192.0.2.1\","
	    "\"facts\":{\"kyc\":2,\"who\":\"x\\u0041\",\"ok\":true}}"), &e) ==
	    RC_OK);
	CHECK_INT(c.amount_sat, 10000000);
	CHECK_INT(c.script.len, 22);
	CHECK_INT(c.n_facts, 3);
	CHECK(c.has_ip && c.facts[0].kind == VALUE_INTEGER &&
	    c.facts[0].value == 2 && c.facts[1].kind == VALUE_TEXT &&
	    text_equal(c.facts[1].text, text_of("xA")) &&
	    c.facts[2].kind == VALUE_FLAG && c.facts[2].value == 1);
	check_case("what is none");
	refused(WITHDRAW ",\"label\":\"legit\"}", "`label`");
	refused(WITHDRAW ",\"facts\":[]}", "`facts`");
	refused(WITHDRAW ",\"facts\":{\"a\":1.5}}", "`facts`");
	refused(WITHDRAW ",\"facts\":{\"a\":null}}", "`facts`");
	refused(WITHDRAW ",\"facts\":{\"a\":1,\"a\":1}}", "`a`");
	refused(WITHDRAW ",\"id\":\"w\"}", "`id`");
	refused(WITHDRAW ",\"source\":\"s\"}", "`source`");
	refused(WITHDRAW ",\"n\":1}", "`source`");
	refused(WITHDRAW ",\"source\":\"s\",\"n\":0}", "`n`");
	refused(WITHDRAW "} {}", "column");
	refused("{\"type\":\"halt\",\"t\":0,\"by\":\"b\"}", "`type`");
	refused("", "column");
}

static bool
small(enum endpoint e, const char *part, const char *body, struct command *c)
{
	struct err	 err;

	return v1_read_small(r, c, e, text_of(part), text_of(body),
	    text_of("door:x"), &err) == RC_OK;
}

static void
test_small(void)
{
	struct command	 c;

	check_case("cancel, outcome, halt, freeze");
	CHECK(small(ENDPOINT_V1_CANCEL, "w%2F1", "{\"reason\":\"x\"}", &c) &&
	    c.type == COMMAND_CANCEL && text_equal(c.id, text_of("w/1")) &&
	    !c.not_me);
	CHECK(small(ENDPOINT_V1_CANCEL, "w", "{\"reason\":\"not_me\"}", &c) &&
	    c.not_me && c.reason.p == NULL);
	CHECK(small(ENDPOINT_V1_OUTCOME, "w", "{\"state\":\"denied\"}", &c) &&
	    c.paid == PAID_DENIED && c.count == -1);
	CHECK(small(ENDPOINT_V1_HALT, "", "{}", &c) &&
	    c.type == COMMAND_HALT && text_equal(c.by, text_of("door:x")));
	CHECK(small(ENDPOINT_V1_FREEZE_ACCOUNT, "a", "{}", &c) &&
	    text_equal(c.account, text_of("a")) && c.key.p == NULL);
	CHECK(small(ENDPOINT_V1_FREEZE_KEY, "k", "{}", &c) &&
	    text_equal(c.key, text_of("k")) && c.account.p == NULL);
	check_case("what is none of them");
	CHECK(!small(ENDPOINT_V1_OUTCOME, "w", "{}", &c));
	CHECK(!small(ENDPOINT_V1_OUTCOME, "w", "{\"state\":\"paid\","
	    "\"vout\":-1}", &c));
	CHECK(!small(ENDPOINT_V1_OUTCOME, "w", "{\"state\":\"paid\","
	    "\"txid\":\"00\"}", &c));
	CHECK(!small(ENDPOINT_V1_CANCEL, "w", "{\"state\":\"paid\"}", &c));
	CHECK(!small(ENDPOINT_V1_CANCEL, "w", "{\"id\":\"v\"}", &c));
	CHECK(!small(ENDPOINT_V1_CANCEL, "w", "[]", &c));
	CHECK(!small(ENDPOINT_V1_CANCEL, "", "{}", &c));
	CHECK(!small(ENDPOINT_V1_CANCEL, "w%", "{}", &c));
	CHECK(!small(ENDPOINT_V1_CANCEL, "w%00x%2", "{}", &c));
}

int
main(void)
{
	struct err	 e;

	if (v1_read_new(&r, NETWORK_REGTEST, &e) != RC_OK)
		return 1;
	test_types();
	test_withdraw();
	test_small();
	v1_read_free(&r);
	return check_done();
}
