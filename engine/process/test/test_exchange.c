/*
 * The exchange's door from the engine's side, asked by an auth that somebody
 * owns: receipts are right, lines count once, and nothing that loosens is
 * taken whatever says that it may be.
 */
#include "bitcoin/address.h"
#include "engine/process/test/room.h"
#include "lib/amount.h"
#include "tests/check.h"
#include "wire/bytes.h"
#include "wire/receipt.h"
#include "wire/rights.h"

static const char	 policy[] =
    "policy 1\n"
    "default allow\n"
    "hold \"people\" when amount >= 2 btc\n";

static struct tried	 engine;
static unsigned char	 script[22] = { 0, 20, 1, 2, 3 };
static struct genesis	 genesis;
static unsigned char	 policy_hash[32];

static void
make(void)
{
	char		 path[128];
	struct journal	*j;
	struct command	 c;
	FILE		*f;

	(void)snprintf(engine.dir, sizeof(engine.dir),
	    "/tmp/drawbridge-exchange-XXXXXX");
	if (mkdtemp(engine.dir) == NULL)
		room_fail("mkdtemp");
	(void)snprintf(path, sizeof(path), "%s/policy", engine.dir);
	if ((f = fopen(path, "w")) == NULL || fputs(policy, f) < 0 ||
	    fclose(f) != 0)
		room_fail(path);
	j = room_journal(&engine, true, room_now_ms() - 1000);
	genesis = journal_state(j)->genesis;
	memcpy(policy_hash, journal_state(j)->policy_hash, 32);
	command_clear(&c, COMMAND_ACCOUNT, room_now_ms());
	c.account = text_of("ann");
	room_tell(j, &c);
	command_clear(&c, COMMAND_HOT_BALANCE, room_now_ms());
	c.amount_sat = 100 * SAT_PER_BTC;
	c.by = text_of("alice");
	room_tell(j, &c);
	room_close(j);
}

static void
remove_all(void)
{
	char	 command[128];
	int	 status;

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", engine.dir);
	if (fork() == 0) {
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(1);
	}
	(void)wait(&status);
}

static const char *
find(const struct message *m, const char *what)
{
	size_t	 len = strlen(what), i;

	for (i = 0; m->body.p != NULL && i + len <= m->body.len; i++) {
		if (memcmp(m->body.p + i, what, len) == 0)
			return m->body.p + i;
	}
	return NULL;
}

static bool
holds(const struct message *m, const char *what)
{
	return find(m, what) != NULL;
}

static void
withdrawal(struct command *c, const char *id, int64_t sat)
{
	command_clear(c, COMMAND_WITHDRAW, 0);
	c->account = text_of("ann");
	c->id = text_of(id);
	c->script.p = (const char *)script;
	c->script.len = sizeof(script);
	c->amount_sat = sat;
	c->via = VIA_WEB;
	c->by = text_of("door:x");
}

static bool
take_it(enum endpoint e, const struct command *c, int status,
    const char *want)
{
	struct message	 m;

	if (!room_take(&engine, &m, e, c))
		return false;
	if (m.status == status && holds(&m, want))
		return true;
	printf("# %d %.*s\n", (int)m.status, (int)m.body.len, m.body.p);
	return false;
}

/* Receipts */

static bool
receipt_in(unsigned char out[RECEIPT_LEN], const struct message *m)
{
	static const char	 key[] = "\"receipt\":\"";
	struct text		 t;
	struct err		 e;
	const char		*p = find(m, key), *end;

	if (p == NULL)
		return false;
	t.p = p + sizeof(key) - 1;
	end = memchr(t.p, '"', (size_t)(m->body.p + m->body.len - t.p));
	t.len = end != NULL ? (size_t)(end - t.p) : 0;
	return receipt_of_text(out, t, &e) == RC_OK;
}

static void
check_receipt(const unsigned char bytes[RECEIPT_LEN], struct receipt *r)
{
	int64_t		 now = room_now_ms();
	struct err	 e;

	CHECK(receipt_verify(bytes, genesis.engine_key));
	CHECK(receipt_unpack(r, bytes, &e) == RC_OK);
	CHECK(memcmp(r->deployment, genesis.deployment, 16) == 0);
	CHECK_INT(r->network, 3);
	CHECK_INT(r->purpose, RECEIPT_PAY);
	CHECK_INT(r->epoch, 1);
	CHECK(memcmp(r->policy, policy_hash, 32) == 0);
	CHECK(text_equal(r->id, text_of("w-1")));
	CHECK(r->script.len == sizeof(script) &&
	    memcmp(r->script.p, script, sizeof(script)) == 0);
	CHECK_INT(r->amount_sat, SAT_PER_BTC);
	CHECK(r->expires_ms > now && r->expires_ms < now + 3600000);
}

static void
test_receipt(void)
{
	unsigned char	 first[RECEIPT_LEN], again[RECEIPT_LEN];
	struct receipt	 a, b;
	struct command	 c;
	struct message	 m, q;

	check_case("a released one has a receipt that says what it is");
	withdrawal(&c, "w-1", SAT_PER_BTC);
	CHECK(room_take(&engine, &m, ENDPOINT_V1_WITHDRAW, &c));
	if (!CHECK(receipt_in(first, &m)))
		return;
	check_receipt(first, &a);
	check_case("asked for again: of the same event, good for longer");
	message_clear(&q, MESSAGE_QUERY, ++engine.tags);
	q.endpoint = ENDPOINT_V1_WITHDRAWAL;
	q.id = text_of("w-1");
	room_put(engine.link, &q, -1);
	CHECK(room_get_type(&engine, &m, MESSAGE_ANSWER, 20000));
	if (!CHECK(receipt_in(again, &m)))
		return;
	check_receipt(again, &b);
	CHECK_INT(b.seq, a.seq);
	CHECK(b.expires_ms >= a.expires_ms);
	CHECK(memcmp(a.account_tag, b.account_tag, 16) == 0);
	check_case("a held one has none");
	withdrawal(&c, "w-2", 2 * SAT_PER_BTC);
	CHECK(take_it(ENDPOINT_V1_WITHDRAW, &c, 200, "\"receipt\":null"));
}

/* What does not belong there */

static const enum endpoint	 ends[] = { ENDPOINT_V1_WITHDRAW,
	ENDPOINT_V1_CANCEL, ENDPOINT_V1_OUTCOME, ENDPOINT_V1_HALT,
	ENDPOINT_V1_FREEZE_ACCOUNT, ENDPOINT_V1_FREEZE_KEY };

static void
some_command(struct command *c, enum command_type t)
{
	command_clear(c, t, 0);
	c->by = text_of("door:x");
	c->id = text_of("w-2");
	if (t == COMMAND_UNFREEZE || t == COMMAND_ACCOUNT ||
	    t == COMMAND_DEPOSIT)
		c->account = text_of("ann");
	if (t == COMMAND_DOOR_KEY)
		c->key = text_of("k");
	c->name = text_of("mallory");
	c->roles = RIGHT_LOOSEN;
	c->count = 1;
	c->wait_ms = 0;
	c->amount_sat = SAT_PER_BTC;
	c->answers = t == COMMAND_APPROVAL ? 1 : -1;
}

static void
test_foreign(void)
{
	static const enum command_type	 types[] = { COMMAND_RELEASE,
		COMMAND_RESUME, COMMAND_UNFREEZE, COMMAND_ACCOUNT,
		COMMAND_DEPOSIT, COMMAND_DOOR_KEY, COMMAND_OPERATOR,
		COMMAND_QUORUM, COMMAND_APPROVAL, COMMAND_CLOCK,
		COMMAND_HOT_BALANCE, COMMAND_BURNED, COMMAND_RECEIPT };
	struct command			 c;
	struct err			 e;
	size_t				 i, j;

	check_case("a command that is not the endpoint's is not taken");
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		some_command(&c, types[i]);
		if (!CHECK(command_check(&c, &e) == RC_OK)) {
			printf("# %s\n", e.text);
			continue;
		}
		for (j = 0; j < sizeof(ends) / sizeof(ends[0]); j++)
			CHECK(take_it(ends[j], &c, 400, "not what this "
			    "endpoint takes"));
	}
	check_case("history is not told live");
	withdrawal(&c, "old", SAT_PER_BTC);
	c.history = true;
	CHECK(take_it(ENDPOINT_V1_WITHDRAW, &c, 400, "error"));
	check_case("nor in an operator's name");
	withdrawal(&c, "as-alice", SAT_PER_BTC);
	c.by = text_of("alice");
	CHECK(take_it(ENDPOINT_V1_WITHDRAW, &c, 400, "error"));
}

/* Lines */

struct packed {
	unsigned char	 bytes[1 << 20];
	size_t		 len;
};
static struct packed	 lines;

static void
add(const struct command *c)
{
	static unsigned char	 open[65536], sealed[65536];
	struct text		 a = { (const char *)open, 0 };
	struct text		 b = { (const char *)sealed, 0 };
	unsigned char		*p = lines.bytes + lines.len;

	command_pack(c, open, &a.len, sealed, &b.len);
	p = put_text(put_text(p, a), b);
	lines.len = (size_t)(p - lines.bytes);
}

static bool
send_lines(int status, const char *want)
{
	struct message	 m;
	bool		 good;

	message_clear(&m, MESSAGE_TAKE_LINES, ++engine.tags);
	m.endpoint = ENDPOINT_V1_FACTS;
	m.key = text_of("x");
	m.body.p = (const char *)lines.bytes;
	m.body.len = lines.len;
	room_put(engine.link, &m, -1);
	lines.len = 0;
	good = room_get_type(&engine, &m, MESSAGE_ANSWER, 20000) &&
	    m.status == status && holds(&m, want);
	if (!good)
		printf("# %d %.*s\n", (int)m.status, (int)m.body.len,
		    m.body.p);
	return good;
}

static void
fact_line(struct command *c, enum command_type t, uint64_t n)
{
	some_command(c, t);
	if (t == COMMAND_LOGIN || t == COMMAND_BALANCE)
		c->account = text_of("ann");
	c->source = text_of("feed");
	c->n = n;
}

static void
test_lines(void)
{
	static const enum command_type	 never[] = { COMMAND_RELEASE,
		COMMAND_RESUME, COMMAND_UNFREEZE, COMMAND_DOOR_KEY,
		COMMAND_OPERATOR, COMMAND_QUORUM, COMMAND_APPROVAL,
		COMMAND_CLOCK, COMMAND_BURNED };
	struct command			 c;
	size_t				 i;

	check_case("C8: lines that no role has are not taken");
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		fact_line(&c, never[i], 1000 + i);
		add(&c);
	}
	CHECK(send_lines(200, "\"taken\":0,\"repeated\":0,\"proposed\":[],"
	    "\"refused\":[{\"n\":1000,"));
	check_case("nor one without a number, or with an answer");
	fact_line(&c, COMMAND_LOGIN, 1);
	c.source = text_of(NULL);
	c.n = 0;
	add(&c);
	fact_line(&c, COMMAND_LOGIN, 1);
	c.answers = 7;
	add(&c);
	CHECK(send_lines(200, "\"taken\":0"));
	check_case("H1: up to what people said, which no line is, and no "
	    "satoshi more");
	fact_line(&c, COMMAND_HOT_BALANCE, 1);
	c.amount_sat = 100 * SAT_PER_BTC;
	add(&c);
	c.amount_sat++;
	c.n++;
	add(&c);
	c.by = text_of("alice");
	c.n++;
	c.amount_sat = 90 * SAT_PER_BTC;
	add(&c);
	CHECK(send_lines(200, "\"taken\":1,\"repeated\":0,\"proposed\":[{"
	    "\"n\":2,\"proposal\":"));
	check_case("bytes that are no lines");
	memset(lines.bytes, 0xff, 100);
	lines.len = 100;
	CHECK(send_lines(500, "error"));
}

static void
test_once(void)
{
	struct command	 c;
	uint64_t	 n;

	check_case("a number that is not above the highest is a repeat");
	for (n = 10; n < 20; n++) {
		fact_line(&c, COMMAND_LOGIN, n);
		add(&c);
	}
	CHECK(send_lines(200, "\"taken\":10,\"repeated\":0"));
	for (n = 15; n < 25; n++) {
		fact_line(&c, COMMAND_LOGIN, n);
		add(&c);
	}
	CHECK(send_lines(200, "\"taken\":5,\"repeated\":5"));
	check_case("after any end, too");
	(void)room_kill(&engine);
	room_start(&engine, "", false);
	for (n = 20; n < 30; n++) {
		fact_line(&c, COMMAND_LOGIN, n);
		add(&c);
	}
	CHECK(send_lines(200, "\"taken\":5,\"repeated\":5"));
	check_case("what people said is known after it");
	fact_line(&c, COMMAND_HOT_BALANCE, 40);
	c.amount_sat = 100 * SAT_PER_BTC;
	add(&c);
	c.n++;
	c.amount_sat++;
	add(&c);
	CHECK(send_lines(200, "\"taken\":1,\"repeated\":0,\"proposed\":[{"));
}

static void
test_moves(void)
{
	struct command	 c;

	check_case("what was released is not cancelled");
	command_clear(&c, COMMAND_CANCEL, 0);
	c.by = text_of("door:x");
	c.id = text_of("w-1");
	CHECK(take_it(ENDPOINT_V1_CANCEL, &c, 409, "too late"));
	c.id = text_of("none");
	CHECK(take_it(ENDPOINT_V1_CANCEL, &c, 404, "no such"));
	c.id = text_of("w-2");
	CHECK(take_it(ENDPOINT_V1_CANCEL, &c, 200, "\"cancelled\""));
	check_case("paid is paid");
	command_clear(&c, COMMAND_OUTCOME, 0);
	c.by = text_of("door:x");
	c.id = text_of("w-1");
	c.paid = PAID_PAID;
	CHECK(take_it(ENDPOINT_V1_OUTCOME, &c, 200, "\"paid\""));
	CHECK(take_it(ENDPOINT_V1_OUTCOME, &c, 200, "\"paid\""));
	c.paid = PAID_FAILED;
	CHECK(take_it(ENDPOINT_V1_OUTCOME, &c, 409, "it was paid"));
	check_case("halted: no receipts, and no second time");
	command_clear(&c, COMMAND_HALT, 0);
	c.by = text_of("door:x");
	CHECK(take_it(ENDPOINT_V1_HALT, &c, 200, "halted"));
	CHECK(take_it(ENDPOINT_V1_HALT, &c, 200, "halted"));
	withdrawal(&c, "w-9", SAT_PER_BTC);
	CHECK(take_it(ENDPOINT_V1_WITHDRAW, &c, 200, "\"state\":\"stopped\""));
}

int
main(void)
{
	make();
	room_start(&engine, "", false);
	test_receipt();
	test_foreign();
	test_lines();
	test_once();
	test_moves();
	check_case("it ends by itself");
	CHECK_INT(room_stop(&engine), 0);
	remove_all();
	return check_done();
}
