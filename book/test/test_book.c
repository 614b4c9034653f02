/*
 * The book against a journal: every state as customers and operators read it,
 * and what is in force as it is loaded.
 */
#include "book/test/bookrig.h"

#define BTC	INT64_C(100000000)

#define POLICY "policy 1\ndefault allow\n"				\
    "deny \"too much\" when amount >= 50 btc\n"				\
    "hold \"big\" when amount >= 3 btc\n"				\
    "delay 6h \"much\" when amount >= 1 btc\n"				\
    "step-up \"code\" when amount < 0.01 btc and not code given\n"

static const char *
field(const json_t *j, const char *name)
{
	const char	*s = json_string_value(json_object_get(j, name));

	return s != NULL ? s : "(none)";
}

static int64_t
number(const json_t *j, const char *name)
{
	return json_integer_value(json_object_get(j, name));
}

/* The row of an id in an array. */
static const json_t *
row_of(const json_t *rows, const char *id)
{
	size_t	 i;

	for (i = 0; i < json_array_size(rows); i++)
		if (strcmp(field(json_array_get(rows, i), "id"), id) == 0)
			return json_array_get(rows, i);
	return NULL;
}

static json_t *
history(struct bookrig *r, const char *account)
{
	const struct message	 m = rig_question(
	    ENDPOINT_WITHDRAW_HISTORY, account);

	return rig_ask(r, &m);
}

static json_t *
local(struct bookrig *r, const char *id)
{
	struct message	 m = rig_question(ENDPOINT_LOCAL_WITHDRAWAL, NULL);

	m.id = text_of(id);
	return rig_ask(r, &m);
}

static void
expect(struct bookrig *r, const char *id, int status, const char *state,
    const char *reason)
{
	json_t		*rows = history(r, "a"), *one = local(r, id);
	const json_t	*row = row_of(rows, id);

	CHECK((status < 0) == (row == NULL));
	if (row != NULL) {
		CHECK_INT(number(row, "status"), status);
		/* The customer also reads until when. */
		if (strcmp(reason, "waits until") == 0)
			CHECK(strcmp(field(row, "info"), "waits until "
			    "2026-03-01 07:00:00") == 0);
		else
			CHECK_STR(field(row, "info"), reason);
	}
	CHECK_STR(field(one, "state"), state);
	CHECK_STR(field(one, "reason"), reason);
	json_decref(rows);
	json_decref(one);
}

static void
paid(struct bookrig *r, int64_t t_ms, const char *id, enum paid paid)
{
	struct command	 c;

	command_clear(&c, COMMAND_OUTCOME, t_ms);
	c.id = text_of(id);
	c.paid = paid;
	c.order = text_of("ab12");
	c.count = 1;
	(void)rig_take(r, &c);
}

static void
test_states(void)
{
	struct bookrig	*r = rig_new(POLICY);
	int64_t		 t = T0_MS + MS_PER_HOUR;

	check_case("states");
	rig_account(r, "a", 1000 * BTC);
	rig_withdraw(r, t, "a", "free", BTC / 2, NULL);
	rig_withdraw(r, t, "a", "late", BTC, NULL);
	rig_withdraw(r, t, "a", "held", 3 * BTC, NULL);
	rig_withdraw(r, t, "a", "deny", 50 * BTC, NULL);
	rig_withdraw(r, t, "a", "code", BTC / 1000, NULL);
	rig_withdraw(r, t, "a", "mine", 2 * BTC, NULL);
	expect(r, "free", 4, "released", "");
	expect(r, "late", 2, "waiting", "waits until");
	expect(r, "held", 2, "held", "under review");
	/* A refusal at once is no row of the history. */
	expect(r, "deny", -1, "denied", "refused address");
	expect(r, "code", 0, "waiting", "needs a code");
	paid(r, t, "free", PAID_PAID);
	expect(r, "free", 6, "paid", "");
	rig_about(r, COMMAND_CODE, t, "code");
	expect(r, "code", 4, "released", "");
	paid(r, t, "code", PAID_FAILED);
	expect(r, "code", 5, "failed", "");
	rig_about(r, COMMAND_CANCEL, t, "mine");
	expect(r, "mine", 1, "cancelled", "cancelled");
	rig_about(r, COMMAND_TICK, t + 7 * MS_PER_HOUR, NULL);
	expect(r, "late", 4, "released", "");
	rig_withdraw(r, t + 8 * MS_PER_HOUR, "a", "held2", 4 * BTC, NULL);
	rig_about(r, COMMAND_DENY, t + 8 * MS_PER_HOUR, "held");
	expect(r, "held", 3, "denied", "refused address");
	rig_about(r, COMMAND_RELEASE, t + 8 * MS_PER_HOUR, "held2");
	expect(r, "held2", 4, "released", "");
	rig_free(r);
}

static void
test_freeze(void)
{
	struct bookrig	*r = rig_new(POLICY);
	int64_t		 t = T0_MS + MS_PER_HOUR;
	struct command	 c;

	check_case("freeze");
	rig_account(r, "a", -1);
	rig_withdraw(r, t, "a", "w1", 3 * BTC, NULL);
	command_clear(&c, COMMAND_FREEZE, t);
	c.account = text_of("a");
	c.by = text_of("alice");
	(void)rig_take(r, &c);
	expect(r, "w1", 3, "denied", "refused account");
	rig_free(r);
}

static void
test_halt(void)
{
	struct bookrig	*r = rig_new(POLICY);
	struct message	 m = rig_question(ENDPOINT_LOCAL_STATUS, NULL);
	int64_t		 t = T0_MS + MS_PER_HOUR;
	struct command	 c;
	json_t		*j;

	check_case("halt");
	rig_account(r, "a", -1);
	command_clear(&c, COMMAND_HALT, t);
	c.by = text_of("alice");
	c.reason = text_of("it burns");
	(void)rig_take(r, &c);
	rig_withdraw(r, t, "a", "w1", BTC / 2, NULL);
	expect(r, "w1", 2, "stopped", "all stopped");
	r->now.halted = true;
	j = rig_ask(r, &m);
	CHECK(json_is_true(json_object_get(j, "halted")));
	CHECK_STR(field(j, "halted_why"), "it burns");
	CHECK_STR(field(j, "halted_by"), "alice");
	CHECK_INT(number(j, "stopped"), 1);
	command_clear(&c, COMMAND_RESUME, t);
	c.by = text_of("alice");
	c.reason = text_of("it does not");
	c.answers = number(j, "halt_seq");
	json_decref(j);
	(void)rig_take(r, &c);
	r->now.halted = false;
	expect(r, "w1", 4, "released", "");
	rig_free(r);
}

static size_t
rows(struct bookrig *r, const struct message *m, const char *first)
{
	json_t	*j = rig_ask(r, m);
	size_t	 n = json_array_size(j);

	if (first != NULL)
		CHECK_STR(field(json_array_get(j, 0), "id"), first);
	json_decref(j);
	return n;
}

static void
test_history(void)
{
	struct bookrig	*r = rig_new(POLICY);
	struct message	 m;
	char		 id[16], order[16];
	json_t		*j;
	int		 i;

	check_case("history");
	rig_account(r, "a", -1);
	rig_account(r, "b", -1);
	for (i = 0; i < 50; i++) {
		(void)snprintf(id, sizeof(id), "w%02d", i);
		(void)snprintf(order, sizeof(order), "o%02d", i);
		rig_withdraw(r, T0_MS + i * MS_PER_HOUR, "a", id, i % 2 == 0 ?
		    BTC / 2 : 3 * BTC, i % 5 == 0 ? order : NULL);
	}
	m = rig_question(ENDPOINT_WITHDRAW_HISTORY, "a");
	CHECK_INT(rows(r, &m, "w49"), 50);
	m.limit = 10;
	CHECK_INT(rows(r, &m, "w49"), 10);
	m.offset = 45;
	CHECK_INT(rows(r, &m, "w04"), 5);
	m.offset = 60;
	CHECK_INT(rows(r, &m, NULL), 0);
	m.offset = -1;
	m.state = 2;
	CHECK_INT(rows(r, &m, "w49"), 10);
	m.offset = 20;
	CHECK_INT(rows(r, &m, "w09"), 5);
	m = rig_question(ENDPOINT_WITHDRAW_HISTORY, "a");
	m.state = 6;
	CHECK_INT(rows(r, &m, NULL), 0);
	m = rig_question(ENDPOINT_WITHDRAW_HISTORY, "a");
	m.order = text_of("o10");
	CHECK_INT(rows(r, &m, "w10"), 1);
	m.order = text_of("o1");
	CHECK_INT(rows(r, &m, NULL), 0);
	m = rig_question(ENDPOINT_WITHDRAW_HISTORY, "a");
	m.ids = text_of("w03,w07,nothing,w0");
	CHECK_INT(rows(r, &m, "w07"), 2);
	m = rig_question(ENDPOINT_WITHDRAW_HISTORY, "a");
	m.from_ms = T0_MS + 10 * MS_PER_HOUR;
	m.to_ms = T0_MS + 12 * MS_PER_HOUR;
	CHECK_INT(rows(r, &m, "w12"), 3);
	/* Another's. */
	m = rig_question(ENDPOINT_WITHDRAW_HISTORY, "b");
	CHECK_INT(rows(r, &m, NULL), 0);
	m.ids = text_of("w03");
	CHECK_INT(rows(r, &m, NULL), 0);
	j = history(r, "a");
	CHECK_STR(field(row_of(j, "w10"), "applyTime"),
	    "2026-03-01 10:00:00");
	CHECK_STR(field(row_of(j, "w10"), "withdrawOrderId"), "o10");
	CHECK(json_object_get(row_of(j, "w11"), "withdrawOrderId") == NULL);
	CHECK(json_object_get(row_of(j, "w10"), "completeTime") == NULL);
	CHECK_STR(field(row_of(j, "w11"), "amount"), "3.00000000");
	CHECK_STR(field(row_of(j, "w11"), "transactionFee"), "0");
	CHECK(strncmp(field(row_of(j, "w11"), "address"), "bcrt1", 5) == 0);
	json_decref(j);
	rig_free(r);
}

/* Every endpoint that the book answers gives JSON, and no secret. */
static void
test_endpoints(void)
{
	struct bookrig	*r = rig_new(POLICY);
	struct command	 c;
	struct message	 m;
	json_t		*j;
	int		 e;

	check_case("endpoints");
	rig_account(r, "a", 2 * BTC);
	command_clear(&c, COMMAND_KEY, T0_MS);
	c.account = text_of("a");
	c.key = text_of("dbk_one");
	c.key_type = KEY_TYPE_HMAC;
	c.blob = text_of("SEALEDSEALED");
	c.withdraw = true;
	(void)rig_take(r, &c);
	command_clear(&c, COMMAND_SECRET, T0_MS);
	c.account = text_of("a");
	c.secret = SECRET_TOTP;
	c.blob = text_of("SEALEDSEALED");
	c.step = 1;
	(void)rig_take(r, &c);
	rig_withdraw(r, T0_MS, "a", "w1", BTC, NULL);
	for (e = ENDPOINT_NONE + 1; e < ENDPOINT__COUNT; e++) {
		if (endpoints[e].security != SECURITY_SIGNED &&
		    endpoints[e].security != SECURITY_LOCAL &&
		    e != ENDPOINT_SELF_KEYS && e != ENDPOINT_SELF_ADDRESSES &&
		    e != ENDPOINT_SELF_WITHDRAWAL &&
		    e != ENDPOINT_V1_WITHDRAWAL && e != ENDPOINT_V1_EVENTS)
			continue;
		m = rig_question((enum endpoint)e, "a");
		m.key = text_of("dbk_one");
		m.id = text_of(e == ENDPOINT_SELF_KEYS ||
		    e == ENDPOINT_LOCAL_KEYS ? "dbk_one" : "w1");
		j = rig_ask(r, &m);
		if (!CHECK(r->status == 200 || e == ENDPOINT_DEPOSIT_ADDRESS ||
		    e == ENDPOINT_MARGIN_PAIRS || e == ENDPOINT_ISOLATED_PAIRS))
			(void)printf("# %s: %s\n", endpoints[e].name,
			    r->body);
		CHECK(strstr(r->body, "SEALED") == NULL);
		json_decref(j);
	}
	m = rig_question(ENDPOINT_COINS, "a");
	j = rig_ask(r, &m);
	CHECK_STR(field(json_array_get(j, 0), "free"), "1.50000000");
	CHECK_STR(field(json_array_get(j, 0), "withdrawing"), "1.00000000");
	CHECK_STR(field(json_array_get(json_object_get(json_array_get(j, 0),
	    "networkList"), 0), "withdrawMax"), "2.00000000");
	json_decref(j);
	m = rig_question(ENDPOINT_RESTRICTIONS, "a");
	m.key = text_of("dbk_one");
	j = rig_ask(r, &m);
	CHECK(json_is_true(json_object_get(j, "enableWithdrawals")));
	CHECK(json_is_false(json_object_get(j, "ipRestrict")));
	json_decref(j);
	rig_free(r);
}

static void
test_unknown(void)
{
	struct bookrig	*r = rig_new(POLICY);
	struct message	 m = rig_question(ENDPOINT_LOCAL_WITHDRAWAL, NULL);
	json_t		*j;

	check_case("unknown");
	rig_account(r, "a", -1);
	rig_account(r, "b", -1);
	rig_withdraw(r, T0_MS, "a", "w1", BTC, NULL);
	m.id = text_of("nothing");
	json_decref(rig_ask(r, &m));
	CHECK_INT(r->status, 404);
	m = rig_question(ENDPOINT_SELF_WITHDRAWAL, "b");
	m.id = text_of("w1");
	json_decref(rig_ask(r, &m));
	CHECK_INT(r->status, 404);
	m = rig_question(ENDPOINT_V1_WITHDRAWAL, NULL);
	m.id = text_of("w2");
	json_decref(rig_ask(r, &m));
	CHECK_INT(r->status, 404);
	m = rig_question(ENDPOINT_LOCAL_ACCOUNTS, "nobody");
	j = rig_ask(r, &m);
	CHECK_INT(json_array_size(j), 0);
	json_decref(j);
	m = rig_question(ENDPOINT_LOCAL_WITHDRAWALS, NULL);
	m.name = text_of("odd");
	json_decref(rig_ask(r, &m));
	CHECK_INT(r->status, 400);
	m.name = text_of("waiting");
	CHECK_INT(rows(r, &m, "w1"), 1);
	m.account = text_of("a");
	CHECK_INT(rows(r, &m, "w1"), 1);
	rig_withdraw(r, T0_MS, "a", "w2", 60 * BTC, NULL);
	rig_withdraw(r, T0_MS, "a", "w3", BTC, NULL);
	CHECK_INT(rows(r, &m, "w3"), 2);
	m.name = text_of(NULL);
	CHECK_INT(rows(r, &m, "w3"), 3);
	m.limit = 2;
	CHECK_INT(rows(r, &m, "w3"), 2);
	m.limit = -1;
	m.name = text_of("held");
	CHECK_INT(rows(r, &m, NULL), 0);
	rig_free(r);
}

/* Names come from the rules that spoke, ceilings and order of verdicts
 * notwithstanding. */
static void
test_rules(void)
{
	struct bookrig	*r = rig_new("policy 1\ndefault allow\n"
	    "ceiling 90 % of hot in 24h, 8 btc each\n"
	    "hold \"big\" when amount >= 3 btc\n"
	    "delay 6h \"much\" when amount >= 1 btc\n");
	struct command	 c;
	json_t		*j;

	check_case("rules");
	rig_account(r, "a", -1);
	command_clear(&c, COMMAND_HOT_BALANCE, T0_MS);
	c.amount_sat = 100 * BTC;
	(void)rig_take(r, &c);
	rig_withdraw(r, T0_MS, "a", "w1", 4 * BTC, NULL);
	rig_withdraw(r, T0_MS, "a", "w2", 400 * BTC, NULL);
	j = local(r, "w1");
	CHECK_INT(json_array_size(json_object_get(j, "rules")), 2);
	CHECK_STR(json_string_value(json_array_get(json_object_get(j,
	    "rules"), 0)), "big");
	CHECK_STR(json_string_value(json_array_get(json_object_get(j,
	    "rules"), 1)), "much");
	json_decref(j);
	j = local(r, "w2");
	CHECK(strstr(r->body, "\"ceiling\"") != NULL);
	json_decref(j);
	rig_free(r);
}

static void
test_events(void)
{
	struct bookrig	*r = rig_new(POLICY);
	struct message	 m = rig_question(ENDPOINT_V1_EVENTS, NULL);
	uint64_t	 ticket, last;
	struct err	 e;
	json_t		*j;
	size_t		 i;

	check_case("events");
	rig_account(r, "a", -1);
	rig_withdraw(r, T0_MS, "a", "w1", BTC, NULL);
	rig_withdraw(r, T0_MS, "a", "w2", BTC / 2, NULL);
	rig_about(r, COMMAND_TICK, T0_MS + MS_PER_DAY, NULL);
	last = journal_state(r->journal)->seq;
	j = rig_ask(r, &m);
	if (json_is_object(j))
		CHECK(json_array_size(json_object_get(j, "events")) == last);
	else
		CHECK_INT(json_array_size(j), last);
	/* What matured is named, though the row has its fingerprint only. */
	CHECK(strstr(r->body, "\"w1\"") != NULL);
	json_decref(j);
	m.seq = 0;
	for (i = 0; i < last; i++) {
		m.limit = 1;
		j = rig_ask(r, &m);
		if (json_is_array(j))
			CHECK_INT(number(json_array_get(j, 0), "seq"),
			    m.seq + 1);
		json_decref(j);
		m.seq++;
	}
	/* Nothing new: at once without wait_ms, and empty. */
	m.limit = -1;
	j = rig_ask(r, &m);
	CHECK_INT(json_array_size(j), 0);
	json_decref(j);
	/* With it: until there is. */
	m.wait_ms = 8000;
	ticket = rig_ticket(r);
	book_ask(r->book, ticket, last, &m, &r->now);
	(void)usleep(150000);
	CHECK(!r->there);
	rig_withdraw(r, T0_MS + MS_PER_DAY, "a", "w3", BTC / 2, NULL);
	CHECK(journal_flush(r->journal, &e) == RC_OK);
	CHECK(rig_wait(r));
	CHECK(strstr(r->body, "\"w3\"") != NULL);
	rig_free(r);
}

static int
find_loaded(const struct bookrig *r, enum command_type type, const char *who)
{
	int	 i;

	for (i = 0; i < r->n_loaded; i++)
		if (r->loaded[i].type == type &&
		    strcmp(r->loaded[i].who, who) == 0)
			return i;
	return -1;
}

static void
test_load(void)
{
	struct bookrig	*r = rig_new(POLICY);
	struct command	 c;
	int		 i;

	check_case("load");
	rig_account(r, "a", -1);
	command_clear(&c, COMMAND_KEY, T0_MS);
	c.account = text_of("a");
	c.key = text_of("dbk_one");
	c.key_type = KEY_TYPE_HMAC;
	c.blob = text_of("SEALED");
	c.step = 4;
	(void)rig_take(r, &c);
	c.key = text_of("dbk_two");
	(void)rig_take(r, &c);
	/* A change without a blob keeps it. */
	command_clear(&c, COMMAND_KEY, T0_MS);
	c.account = text_of("a");
	c.key = text_of("dbk_one");
	c.withdraw = true;
	(void)rig_take(r, &c);
	command_clear(&c, COMMAND_KEY_REVOKE, T0_MS);
	c.key = text_of("dbk_two");
	(void)rig_take(r, &c);
	command_clear(&c, COMMAND_OPERATOR, T0_MS);
	c.name = text_of("alice");
	c.roles = 5;
	c.blob = text_of("0123456789abcdef0123456789abcdef");
	(void)rig_take(r, &c);
	command_clear(&c, COMMAND_QUORUM, T0_MS);
	c.count = 2;
	c.wait_ms = 1000;
	(void)rig_take(r, &c);
	rig_load(r);
	i = find_loaded(r, COMMAND_KEY, "dbk_one");
	if (CHECK(i >= 0)) {
		CHECK(r->loaded[i].withdraw);
		CHECK_INT(r->loaded[i].blob, 6);
		CHECK_INT(r->loaded[i].step, 4);
	}
	CHECK(find_loaded(r, COMMAND_KEY, "dbk_two") < 0);
	CHECK(find_loaded(r, COMMAND_ACCOUNT, "a") >= 0);
	CHECK(find_loaded(r, COMMAND_OPERATOR, "alice") >= 0);
	CHECK(find_loaded(r, COMMAND_QUORUM, "") >= 0);
	rig_free(r);
}

/* A step that was good is good once, wherever it was used. */
static void
test_steps(void)
{
	struct bookrig	*r = rig_new(POLICY);
	struct command	 c;
	int		 i;

	check_case("steps");
	rig_account(r, "a", -1);
	command_clear(&c, COMMAND_CODE_USED, T0_MS);
	c.account = text_of("a");
	c.secret = SECRET_TOTP;
	c.step = 77;
	(void)rig_take(r, &c);
	rig_load(r);
	i = find_loaded(r, COMMAND_CODE_USED, "a");
	CHECK(i >= 0 && r->loaded[i].step == 77);
	/* A code of a withdrawal is used, too. */
	command_clear(&c, COMMAND_WITHDRAW, T0_MS);
	c.account = text_of("a");
	c.id = text_of("w1");
	c.script = rig_script(3);
	c.amount_sat = BTC / 2;
	c.via = VIA_WEB;
	c.code = TRI_YES;
	c.step = 80;
	(void)rig_take(r, &c);
	rig_load(r);
	i = find_loaded(r, COMMAND_CODE_USED, "a");
	CHECK(i >= 0 && r->loaded[i].step == 80);
	/* A step that came late does not take it back. */
	c.id = text_of("w2");
	c.step = 79;
	(void)rig_take(r, &c);
	/* One that came later, for a withdrawal that waited. */
	rig_withdraw(r, T0_MS, "a", "w3", BTC / 1000, NULL);
	command_clear(&c, COMMAND_CODE, T0_MS);
	c.id = text_of("w3");
	c.step = 90;
	(void)rig_take(r, &c);
	/* Nor has a secret anything to do with a code's kind. */
	command_clear(&c, COMMAND_CODE_USED, T0_MS);
	c.account = text_of("a");
	c.secret = SECRET_RECOVERY;
	c.step = 3;
	(void)rig_take(r, &c);
	rig_load(r);
	i = find_loaded(r, COMMAND_CODE_USED, "a");
	CHECK(i >= 0 && r->loaded[i].step == 90);
	rig_free(r);
}

static void
test_used(void)
{
	struct bookrig	*r = rig_new(POLICY);
	unsigned char	 ip[16] = { [10] = 0xff, 0xff, 203, 0, 113, 9 };
	struct message	 m = rig_question(ENDPOINT_LOCAL_KEYS, NULL);
	struct command	 c;
	json_t		*j = NULL;
	int		 i;

	check_case("used");
	rig_account(r, "a", -1);
	command_clear(&c, COMMAND_KEY, T0_MS);
	c.account = text_of("a");
	c.key = text_of("dbk_one");
	c.key_type = KEY_TYPE_HMAC;
	c.blob = text_of("SEALED");
	(void)rig_take(r, &c);
	json_decref(rig_ask(r, &m));
	book_used(r->book, text_of("dbk_one"), ip, true, T0_MS + 5);
	for (i = 0; i < 100; i++) {
		j = rig_ask(r, &m);
		if (number(json_array_get(j, 0), "used_ms") != 0)
			break;
		json_decref(j);
		(void)usleep(20000);
	}
	CHECK_INT(number(json_array_get(j, 0), "used_ms"), T0_MS + 5);
	CHECK_STR(field(json_array_get(j, 0), "used_ip"), "203.0.113.9");
	json_decref(j);
	rig_free(r);
}

int
main(void)
{
	test_states();
	test_freeze();
	test_halt();
	test_history();
	test_endpoints();
	test_unknown();
	test_rules();
	test_events();
	test_load();
	test_steps();
	test_used();
	return check_done();
}
