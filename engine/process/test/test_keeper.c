/*
 * The engine's process over its links: what is answered, when, and that what
 * was answered is there after any end.
 */
#include <sys/stat.h>

#include "engine/process/test/room.h"
#include "engine/take.h"
#include "lib/amount.h"
#include "tests/check.h"

#define HOUR_MS		INT64_C(3600000)
#define ACCOUNT		"carol"
#define KEY		"dbk_carol"

static const char	 policy[] =
    "policy 1\n"
    "default allow\n"
    "deny \"ten\" when amount < 0.01 btc\n"
    "    and count committed by account in 24h > 10\n"
    "delay 1s \"slow\" when amount >= 1 btc and amount < 2 btc\n"
    "deny \"new\" when amount >= 3 btc and amount < 4 btc\n"
    "    and destination new to account\n"
    "deny \"unlisted\" when amount >= 4 btc and amount < 5 btc\n"
    "    and age of listing < 1d\n"
    "deny \"outlay\" when sum committed by account in 24h > 60 btc\n"
    "hold \"people\" when amount >= 2 btc and amount < 3 btc\n";

static struct tried	 engine;
static unsigned char	 script[22] = { 0, 20, 1, 2, 3 };

static void
write_policy(const char *text)
{
	char	 path[128];
	FILE	*f;

	(void)snprintf(path, sizeof(path), "%s/policy", engine.dir);
	if ((f = fopen(path, "w")) == NULL || fputs(text, f) < 0 ||
	    fclose(f) != 0)
		room_fail(path);
}

/* An account with a key and 100 coins, in a journal born at t_ms. */
static void
make(int64_t t_ms)
{
	struct journal	*j;
	struct command	 c;
	struct cidr	 everywhere = { { 0 }, 0 };

	(void)snprintf(engine.dir, sizeof(engine.dir),
	    "/tmp/drawbridge-keeper-XXXXXX");
	if (mkdtemp(engine.dir) == NULL)
		room_fail("mkdtemp");
	write_policy(policy);
	j = room_journal(&engine, true, t_ms);
	command_clear(&c, COMMAND_ACCOUNT, t_ms);
	c.account = text_of(ACCOUNT);
	room_tell(j, &c);
	c.account = text_of("mallory");
	room_tell(j, &c);
	command_clear(&c, COMMAND_KEY, t_ms);
	c.account = text_of(ACCOUNT);
	c.key = text_of(KEY);
	c.withdraw = true;
	c.cidrs = &everywhere;
	c.n_cidrs = 1;
	room_tell(j, &c);
	command_clear(&c, COMMAND_DEPOSIT, t_ms);
	c.account = text_of(ACCOUNT);
	c.amount_sat = 100 * SAT_PER_BTC;
	c.order = text_of("first");
	room_tell(j, &c);
	command_clear(&c, COMMAND_HOT_BALANCE, t_ms);
	c.amount_sat = 1000 * SAT_PER_BTC;
	room_tell(j, &c);
	room_close(j);
}

static void
remove_all(void)
{
	char	 command[128];
	int	 status;

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", engine.dir);
	status = 0;
	if (fork() == 0) {
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(1);
	}
	(void)wait(&status);
}

/* A withdrawal; `id` and `order` must live as long as it. */
static void
withdrawal(struct command *c, const char *id, const char *order, int64_t sat)
{
	command_clear(c, COMMAND_WITHDRAW, 0);
	c->account = text_of(ACCOUNT);
	c->key = text_of(KEY);
	c->id = text_of(id);
	c->order = text_of(order);
	c->script.p = (const char *)script;
	c->script.len = sizeof(script);
	c->amount_sat = sat;
	c->via = VIA_API;
	c->has_ip = true;
	c->ip[10] = c->ip[11] = 0xff;
	c->ip[12] = 127;
	c->ip[15] = 1;
}

static bool
holds(const struct message *m, const char *what)
{
	size_t	 len = strlen(what), i;

	for (i = 0; m->body.p != NULL && i + len <= m->body.len; i++) {
		if (memcmp(m->body.p + i, what, len) == 0)
			return true;
	}
	return false;
}

/* Ask for one; its answer must hold `want` under `status`. */
static bool
apply(const char *id, const char *order, int64_t sat, int status,
    const char *want)
{
	struct command	 c;
	struct message	 m;

	withdrawal(&c, id, order, sat);
	if (!room_take(&engine, &m, ENDPOINT_APPLY, &c))
		return false;
	if (m.status == status && holds(&m, want))
		return true;
	printf("# %d %.*s\n", (int)m.status, (int)m.body.len, m.body.p);
	return false;
}

/* Applies in one buffer: ids NAME-0 and so on. */
static unsigned char *
pack_many(const char *name, int n, int64_t sat, size_t *len_out)
{
	unsigned char	*buf = malloc((size_t)n * 1024);
	struct command	 c;
	char		 id[32];
	int		 i;

	if (buf == NULL)
		room_fail("memory");
	*len_out = 0;
	for (i = 0; i < n; i++) {
		(void)snprintf(id, sizeof(id), "%s-%d", name, i);
		withdrawal(&c, id, id, sat);
		*len_out += room_pack(&engine, buf + *len_out, MESSAGE_TAKE,
		    ENDPOINT_APPLY, &c);
	}
	return buf;
}

/* Loading, as auth does at its start. */
static void
test_load(void)
{
	struct message	 m, ask;
	int		 told = 0;
	bool		 loaded = false;

	check_case("what is in force is told, then that this was all");
	message_clear(&ask, MESSAGE_LOAD, 1);
	room_put(engine.link, &ask, -1);
	while (!loaded && room_get(&engine, &m, 20000)) {
		told += m.type == MESSAGE_TOLD;
		loaded = m.type == MESSAGE_LOADED;
	}
	CHECK(loaded);
	CHECK(told >= 3);
	CHECK_INT(m.number, 3);
	CHECK_INT(m.name.len, 32);
}

static void
test_ten(void)
{
	struct message	 m;
	unsigned char	*buf;
	size_t		 len;
	int		 n, good = 0, limited = 0;

	check_case("a thousand at once against a limit for ten: ten");
	buf = pack_many("many", 1000, 100000, &len);
	room_write(engine.link, buf, len);
	free(buf);
	for (n = 0; n < 1000 && room_get_type(&engine, &m, MESSAGE_ANSWER,
	    20000); n++) {
		good += m.status == 200 && holds(&m, "{\"id\":\"many-");
		limited += m.status == 400 && holds(&m, "-4023");
	}
	/* Its rule looks at the amount, too. */
	CHECK_INT(n, 1000);
	CHECK_INT(good, 10);
	CHECK_INT(limited, 990);
}

static void
test_repeats(void)
{
	check_case("the same again has the same id");
	CHECK(apply("many-3", "many-3", 100000, 200, "{\"id\":\"many-3\"}"));
	check_case("the same name for another: refused");
	CHECK(apply("many-3", "many-3", 100001, 400, "-4001"));
	check_case("a message without a name, twice: refused");
	CHECK(apply("nameless", NULL, 5 * SAT_PER_BTC, 200, "nameless"));
	CHECK(apply("nameless", NULL, 5 * SAT_PER_BTC, 400, "-1022"));
}

static void
test_codes(void)
{
	check_case("a refusal says what kind of thing it was");
	script[2]++;
	CHECK(apply("new", "new", 3 * SAT_PER_BTC, 400, "-4036"));
	CHECK(apply("listed", "listed", 4 * SAT_PER_BTC, 400, "-4035"));
	CHECK(apply("much", "much", 59 * SAT_PER_BTC, 400, "-4023"));
	CHECK(apply("poor", "poor", 99 * SAT_PER_BTC, 400, "-4026"));
	check_case("and never which rule");
	CHECK(apply("new", "new", 3 * SAT_PER_BTC, 400, "\"msg\""));
	script[2]--;
	check_case("one that is held is answered like any other");
	CHECK(apply("held", "held", 2 * SAT_PER_BTC, 200, "{\"id\":\"held\"}"));
}

static void
test_alone(void)
{
	struct message	 m;
	bool		 then = false;

	check_case("a delay ends without anybody asking");
	CHECK(apply("slow", "slow", SAT_PER_BTC, 200, "slow"));
	while (!then && room_get_type(&engine, &m, MESSAGE_NOTICE, 10000)) {
		if (!text_equal(m.id, text_of("slow")))
			continue;
		then = text_equal(m.name, text_of("released"));
	}
	CHECK(then);
	check_case("and its owner hears of it");
	CHECK(text_equal(m.account, text_of(ACCOUNT)));
	CHECK_INT(m.number, SAT_PER_BTC);
	CHECK_INT(m.open.len, sizeof(script));
}

/* auth says what no account's holder may. */
static void
test_lies(void)
{
	struct message	 m;
	struct command	 c;

	check_case("an account's holder reports no balances");
	command_clear(&c, COMMAND_HOT_BALANCE, 0);
	c.amount_sat = 1;
	CHECK(room_take(&engine, &m, ENDPOINT_SELF_CODE, &c));
	CHECK_INT(m.status, 400);
	command_clear(&c, COMMAND_DEPOSIT, 0);
	c.account = text_of("mallory");
	c.amount_sat = SAT_PER_BTC;
	CHECK(room_take(&engine, &m, ENDPOINT_SELF_CODE, &c));
	CHECK_INT(m.status, 400);
	check_case("nor revokes another's key");
	command_clear(&c, COMMAND_KEY_REVOKE, 0);
	c.account = text_of("mallory");
	c.key = text_of(KEY);
	CHECK(room_take(&engine, &m, ENDPOINT_SELF_KEY_REVOKE, &c));
	CHECK_INT(m.status, 400);
	check_case("nor takes it over");
	command_clear(&c, COMMAND_KEY, 0);
	c.account = text_of("mallory");
	c.key = text_of(KEY);
	CHECK(room_take(&engine, &m, ENDPOINT_SELF_KEY_CHANGE, &c));
	CHECK_INT(m.status, 400);
	check_case("a key that may withdraw needs networks");
	c.key = text_of("dbk_new");
	c.withdraw = true;
	CHECK(room_take(&engine, &m, ENDPOINT_SELF_KEY_CREATE, &c));
	CHECK_INT(m.status, 400);
	check_case("and with them waits for people");
	c.cidrs = &(const struct cidr){ { 0 }, 128 };
	c.n_cidrs = 1;
	CHECK(room_take(&engine, &m, ENDPOINT_SELF_KEY_CREATE, &c));
	CHECK_INT(m.status, 200);
	CHECK(holds(&m, "\"proposal\":"));
	check_case("one's own address may be added");
	command_clear(&c, COMMAND_ADDRESS_ADD, 0);
	c.account = text_of(ACCOUNT);
	c.script.p = (const char *)script;
	c.script.len = sizeof(script);
	CHECK(room_take(&engine, &m, ENDPOINT_SELF_ADDRESS_ADD, &c));
	CHECK_INT(m.status, 200);
}

/* A console that was taken over asks for what auth may know. */
static void
test_console(void)
{
	struct message	 m, ask;
	int		 told = 0;

	check_case("the console is told no secrets, and nobody falls");
	room_link(&engine, ROOM_CONSOLE);
	message_clear(&ask, MESSAGE_LOAD, 1);
	room_put(engine.link, &ask, -1);
	while (room_get(&engine, &m, 10000) && m.type != MESSAGE_LOADED)
		told += m.type == MESSAGE_TOLD;
	CHECK_INT(m.type, MESSAGE_LOADED);
	CHECK_INT(told, 0);
	check_case("and asks in vain for a withdrawal");
	{
		static unsigned char	 frame[4096];
		struct command		 c;

		withdrawal(&c, "console", "console", 1);
		room_write(engine.link, frame, room_pack(&engine, frame,
		    MESSAGE_TAKE, ENDPOINT_APPLY, &c));
	}
	CHECK(!room_get(&engine, &m, 10000));	/* cut off */
	CHECK_INT(kill(engine.pid, 0), 0);
	room_link(&engine, ROOM_AUTH);
	CHECK(apply("many-3", "many-3", 100000, 200, "many-3"));
}

static bool
is_there(struct journal *j, const char *id)
{
	struct engine_withdrawal	 w;

	return engine_withdrawal(journal_state(j)->engine, take_ident(
	    &keyring_secrets(journal_keyring(j))->ids, text_of(id)), &w);
}

static void
kill_once(int round)
{
	static char	 ids[400][32];
	struct message	 m;
	struct journal	*j;
	unsigned char	*buf;
	char		 name[16];
	size_t		 len;
	int		 n = 0, i, lost = 0;

	(void)snprintf(name, sizeof(name), "kill%d", round);
	buf = pack_many(name, 400, 1000000, &len);
	room_write(engine.link, buf, len);
	free(buf);
	/* The tag tells which it was. */
	while (n < 20 + 60 * round && room_get_type(&engine, &m,
	    MESSAGE_ANSWER, 20000)) {
		CHECK_INT(m.status, 200);
		i = (int)(m.tag - (engine.tags - 399));
		(void)snprintf(ids[n++], sizeof(ids[0]), "%s-%d", name, i);
	}
	CHECK(n > 0);
	(void)room_kill(&engine);
	/* Whoever opens it judges it all again, and says so if it differs. */
	j = room_journal(&engine, false, 0);
	for (i = 0; i < n; i++) {
		if (is_there(j, ids[i]))
			continue;
		lost++;
		printf("# lost %s\n", ids[i]);
	}
	CHECK_INT(lost, 0);
	room_close(j);
	room_start(&engine, "", false);
}

static void
test_kill(void)
{
	int	 i;

	check_case("what was answered is there after kill -9");
	for (i = 0; i < 6; i++)
		kill_once(i);
	check_case("and a start goes on from there");
	CHECK(apply("many-3", "many-3", 100000, 200, "many-3"));
}

static void
test_only_reads(void)
{
	struct message	 m, ask;

	check_case("only reads: no payment, and it says so");
	(void)room_kill(&engine);
	room_start(&engine, "", true);
	CHECK(apply("late", "late", 6 * SAT_PER_BTC, 503, "-1008"));
	check_case("only reads: the history is there");
	message_clear(&ask, MESSAGE_QUERY, ++engine.tags);
	ask.endpoint = ENDPOINT_WITHDRAW_HISTORY;
	ask.account = text_of(ACCOUNT);
	ask.ids = text_of("many-3");
	room_put(engine.link, &ask, -1);
	CHECK(room_get_type(&engine, &m, MESSAGE_ANSWER, 20000));
	CHECK_INT(m.status, 200);
	CHECK(holds(&m, "\"many-3\""));
	check_case("only reads: no balance is made up");
	message_clear(&ask, MESSAGE_QUERY, ++engine.tags);
	ask.endpoint = ENDPOINT_ACCOUNT;
	ask.account = text_of(ACCOUNT);
	room_put(engine.link, &ask, -1);
	CHECK(room_get_type(&engine, &m, MESSAGE_ANSWER, 20000));
	CHECK_INT(m.status, 503);
	check_case("only reads: it stops");
	CHECK_INT(room_stop(&engine), 0);
}

static void
test_stop(void)
{
	check_case("a stop ends with status 0, and the next start is whole");
	room_start(&engine, "", false);
	CHECK(apply("many-3", "many-3", 100000, 200, "many-3"));
	CHECK_INT(room_stop(&engine), 0);
	room_close(room_journal(&engine, false, 0));
}

/* The wall clock is an hour behind the journal's last time. */
static void
test_back(void)
{
	int64_t		 ahead = room_now_ms() + HOUR_MS;
	struct journal	*j;

	check_case("time never goes back");
	make(ahead);
	room_start(&engine, "", false);
	CHECK(apply("first", "first", 100000, 200, "first"));
	(void)room_kill(&engine);
	j = room_journal(&engine, false, 0);
	CHECK(is_there(j, "first"));
	CHECK(journal_state(j)->t_ms >= ahead);
	CHECK(journal_state(j)->t_ms < ahead + HOUR_MS / 2);
	room_close(j);
	remove_all();
}

/* The file says something else than what is in force. */
static void
policy_file(const char *more, bool in_force)
{
	unsigned char	 before[32];
	struct journal	*j;
	char		 text[4096];

	j = room_journal(&engine, false, 0);
	memcpy(before, journal_state(j)->policy_hash, 32);
	room_close(j);
	(void)snprintf(text, sizeof(text), "%s%s", policy, more);
	write_policy(text);
	room_start(&engine, "", false);
	CHECK(apply("many-3", "many-3", 100000, 200, "many-3"));
	CHECK_INT(room_stop(&engine), 0);
	j = room_journal(&engine, false, 0);
	CHECK_INT(memcmp(before, journal_state(j)->policy_hash, 32) != 0,
	    in_force);
	room_close(j);
}

static void
test_policy(void)
{
	check_case("a policy's file that tightens comes into force");
	policy_file("deny \"seven\" when amount >= 7 btc\n", true);
	check_case("one that loosens waits");
	policy_file("", false);
	check_case("one that cannot be read changes nothing");
	policy_file("deny \"x when\n", false);
}

int
main(void)
{
	make(room_now_ms());
	room_start(&engine, "", false);
	test_load();
	test_ten();
	test_repeats();
	test_codes();
	test_alone();
	test_lies();
	test_console();
	test_kill();
	test_only_reads();
	test_stop();
	test_policy();
	remove_all();
	test_back();
	return check_done();
}
