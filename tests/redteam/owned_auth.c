/*
 * Whoever owns `auth` talks to the engine: he may say who a customer is, so
 * he withdraws what the policy lets go; but the policy holds, people's
 * decisions stay theirs, and nothing loosens.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/address.h"
#include "tests/redteam/redteam.h"
#include "wire/bytes.h"
#include "wire/command.h"

#define ROUNDS		6000
#define QUERIES		4000

static struct end	 end = { .fd = -1 };
static struct address	 to;

static bool
connected(void)
{
	return end.fd != -1 || end_open(&end, ROOM_AUTH, ROOM_ENGINE, true);
}

static int
answered(struct message *m)
{
	static uint64_t	 tags = 1000;
	struct message	 back;

	if (!connected())
		return 0;
	m->tag = ++tags;
	if (!end_say(&end, m))
		return 0;
	while (end_hear(&end, &back, 20000)) {
		if (back.type == MESSAGE_ANSWER && back.tag == m->tag)
			return (int)back.status;
	}
	return 0;
}

/* A command in a message; the bytes live until the next. */
static bool
put(struct message *m, const struct command *c)
{
	static unsigned char	*open, *sealed;
	struct err		 e;

	free(open);
	free(sealed);
	open = sealed = NULL;
	if (command_check(c, &e) != RC_OK)
		return false;
	open = malloc(command_open_room(c));
	sealed = malloc(command_sealed_room(c));
	if (open == NULL || sealed == NULL)
		exit(1);
	command_pack(c, open, &m->open.len, sealed, &m->sealed.len);
	m->open.p = (const char *)open;
	m->sealed.p = (const char *)sealed;
	return true;
}

static void
withdrawal(struct command *c, const char *id, int64_t sat)
{
	command_clear(c, COMMAND_WITHDRAW, 0);
	c->account = text_of(known.account);
	c->key = text_of(known.key);
	c->id = text_of(id);
	c->amount_sat = sat;
	c->script.p = (const char *)to.script;
	c->script.len = to.len;
	c->order = text_of(id);
	c->code = TRI_YES;
	c->has_ip = true;
	c->ip[10] = c->ip[11] = 0xff;
	c->ip[12] = 127;
	c->ip[15] = 1;
	c->proof = text_of("\1");
}

static int
take(enum endpoint e, const struct command *c)
{
	struct message	 m;

	message_clear(&m, MESSAGE_TAKE, 0);
	m.endpoint = e;
	m.account = c->account;
	return put(&m, c) ? answered(&m) : -1;
}

static int
act(const struct command *c, const char *by, bool forged)
{
	unsigned char	 sig[64];
	struct message	 m;

	message_clear(&m, MESSAGE_ACT, 0);
	m.by = text_of(by);
	m.query = c->script;
	if (forged) {
		roll_bytes(sig, sizeof(sig));
		m.signature = (struct text){ (const char *)sig, sizeof(sig) };
		m.t_ms = wall_ms() + 60000;
		m.number = 0;
	}
	return put(&m, c) ? answered(&m) : -1;
}

static bool
honest(struct end *d)
{
	struct message	 m, back;

	message_clear(&m, MESSAGE_QUERY, 77);
	m.endpoint = ENDPOINT_LOCAL_STATUS;
	if (!end_say(d, &m))
		return false;
	while (end_hear(d, &back, 20000)) {
		if (back.tag == 77)
			return back.status == 200;
	}
	return false;
}

/* More than the policy lets go, at every endpoint. */
static void
over_policy(void)
{
	struct command	 c;
	char		 id[64];
	int		 e, small, denied = 0, n = 0, status;

	withdrawal(&c, "owned-small", 1000000);
	small = take(ENDPOINT_APPLY, &c);
	outcome("owning auth: what the policy lets go is taken", small == 200,
	    "status %d", small);
	for (e = 1; e < ENDPOINT__COUNT; e++) {
		(void)snprintf(id, sizeof(id), "owned-deny-%d", e);
		withdrawal(&c, id, 500000000);
		status = take((enum endpoint)e, &c);
		/* /v1 answers a denial with 200 and a verdict; the journal
		 * is looked at afterwards. */
		denied += e != ENDPOINT_APPLY || status >= 400;
		n++;
	}
	outcome("owning auth: what the policy denies is denied", denied == n,
	    "%d of %d", denied, n);
}

/* What only people may, by every way that there is. */
static void
peoples(void)
{
	static const enum command_type	 types[] = { COMMAND_RELEASE,
		    COMMAND_RESUME, COMMAND_UNFREEZE, COMMAND_HOT_BALANCE,
		    COMMAND_FUND, COMMAND_OPERATOR, COMMAND_QUORUM,
		    COMMAND_DEPOSIT, COMMAND_ACCOUNT, COMMAND_CLOCK,
		    COMMAND_RESTORED, COMMAND_GENESIS, COMMAND_APPROVAL,
		    COMMAND_PROPOSAL, COMMAND_DOOR_KEY, COMMAND_KEY };
	unsigned char			 key[32];
	struct command			 c;
	int				 taken = 0, status;
	size_t				 i;

	roll_bytes(key, sizeof(key));
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		command_clear(&c, types[i], 0);
		c.account = text_of(known.account);
		c.id = text_of(known.held);
		c.name = text_of("mallory");
		c.key = text_of("dbk_mallory");
		c.by = text_of("alice");
		c.reason = text_of("owned");
		c.script.p = (const char *)to.script;
		c.script.len = to.len;
		c.amount_sat = INT64_C(100000000000);
		c.limit_sat = INT64_C(100000000000);
		c.roles = 0x1f;
		c.count = 1;
		c.answers = 1;
		c.withdraw = true;
		c.key_type = KEY_TYPE_ED25519;
		c.blob = (struct text){ (const char *)key, sizeof(key) };
		if (types[i] == COMMAND_OPERATOR)
			c.limit_sat = -1;
		status = act(&c, "", false);
		if (status == -1)
			(void)printf("# no command: %s\n",
			    command_type_text(types[i]));
		taken += status == 200;
		if (status == 200)
			(void)printf("# unsigned %s: 200\n",
			    command_type_text(types[i]));
		status = act(&c, "alice", true);
		taken += status == 200 || status == 202;
		if (status == 200 || status == 202)
			(void)printf("# forged %s: %d\n",
			    command_type_text(types[i]), status);
	}
	outcome("owning auth: what people do is not done without them",
	    taken == 0, "%d were", taken);
}

static struct text
any_text(char *buf, size_t room)
{
	static const char *const	 words[] = { "", "alice", "mallory",
		    "x", "owned-small", "2026", "-1", "1", "dbk_" };
	uint64_t			 n = roll_below(14);

	if (n == 0)
		return text_of(known.account);
	if (n == 1)
		return text_of(known.held);
	if (n == 2)
		return text_of(known.key);
	if (n == 3)
		return text_of(NULL);
	if (n == 4) {
		roll_bytes(buf, room);
		return (struct text){ buf, roll_below(room) };
	}
	return text_of(words[n - 5]);
}

static int64_t
any_number(void)
{
	static const int64_t	 odd[] = { -2, -1, 0, 1, 2, 1000, 100000000,
		    INT64_MAX, INT64_MIN, INT64_MAX - 1,
		    INT64_C(2100000000000000),
		    INT64_C(1795344397777), INT64_C(253402300799999) };

	return roll_below(4) == 0 ? (int64_t)roll() :
	    odd[roll_below(sizeof(odd) / sizeof(odd[0]))];
}

static void
any_command(struct command *c, char bufs[16][100])
{
	static struct cidr		 nets[2];
	struct text			*texts[] = { &c->source, &c->by,
		    &c->reason, &c->account, &c->key, &c->id, &c->group,
		    &c->partner, &c->order, &c->name, &c->proof, &c->blob,
		    &c->body, &c->fact.name, &c->fact.text };
	int64_t				*numbers[] = { &c->amount_sat,
		    &c->limit_sat, &c->tier, &c->first_seen_ms,
		    &c->fact.value, &c->expires_ms, &c->answers, &c->roles,
		    &c->count, &c->step, &c->wait_ms, &c->t_ms };
	size_t				 i;

	command_clear(c, (enum command_type)(1 + roll_below(COMMAND__END -
	    1)), 0);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = any_text(bufs[i], sizeof(bufs[i]));
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (roll_below(2) == 0)
			*numbers[i] = any_number();
	}
	if (roll_below(8) != 0) {
		c->script.p = (const char *)to.script;
		c->script.len = to.len;
	}
	c->n = c->source.p != NULL ? roll_below(10) : 0;
	c->via = (enum via)roll_below(4);
	c->code = (enum tri)roll_below(3);
	c->paid = (enum paid)roll_below(4);
	c->what = (enum credential)roll_below(4);
	c->key_type = (enum key_type)roll_below(4);
	c->secret = (enum secret_kind)roll_below(6);
	c->withdraw = roll_below(2) != 0;
	c->history = roll_below(8) == 0;
	c->not_me = roll_below(2) != 0;
	c->has_ip = roll_below(2) != 0;
	if (roll_below(3) == 0) {
		c->cidrs = nets;
		c->n_cidrs = 1;
	}
}

/* Everything that a command can say, at every endpoint.  Stops what it
 * stops; nothing may die. */
static void
anything(void)
{
	static char	 bufs[16][100];
	char		 more[100];
	struct message	 m;
	struct command	 c;
	int		 i, sound = 0;

	for (i = 0; i < ROUNDS * 20 && sound < ROUNDS; i++) {
		any_command(&c, bufs);
		/* A halt ends what can be tried: halted(). */
		if (c.type == COMMAND_HALT)
			continue;
		message_clear(&m, roll_below(3) == 0 ? MESSAGE_ACT :
		    MESSAGE_TAKE, roll());
		if (!put(&m, &c))
			continue;
		sound++;
		m.endpoint = (enum endpoint)roll_below(ENDPOINT__COUNT);
		m.account = any_text(more, sizeof(more));
		m.by = text_of(roll_below(2) == 0 ? "alice" : "");
		m.number = any_number();
		m.t_ms = any_number();
		if (!connected() || !end_say(&end, &m))
			continue;
		if (i % 32 == 0)
			end_drain(&end, 0);
	}
	end_drain(&end, 500);
	outcome("owning auth: whatever a command can say", rooms_alive() &&
	    sound == ROUNDS, "%d commands", sound);
}

static void
lines(void)
{
	static char	 bufs[16][100];
	unsigned char	*body = malloc(200000), *p;
	struct message	 m, packed;
	struct command	 c;
	int		 i, k;

	for (i = 0; i < 300; i++) {
		for (p = body, k = 0; k < 20; k++) {
			any_command(&c, bufs);
			message_clear(&packed, MESSAGE_TAKE, 0);
			if (c.type == COMMAND_HALT || !put(&packed, &c))
				continue;
			if (p - body > 100000)
				break;
			p = put_text(p, packed.open);
			p = put_text(p, packed.sealed);
		}
		message_clear(&m, MESSAGE_TAKE_LINES, roll());
		m.endpoint = roll_below(4) == 0 ? (enum endpoint)roll_below(
		    ENDPOINT__COUNT) : ENDPOINT_V1_FACTS;
		m.body = (struct text){ (const char *)body,
		    (size_t)(p - body) };
		if (i % 5 == 0)
			m.body.len = roll_below(m.body.len + 1);
		m.key = text_of("dbk_none");
		if (connected())
			(void)end_say(&end, &m);
		if (i % 16 == 0)
			end_drain(&end, 0);
	}
	free(body);
	end_drain(&end, 500);
	outcome("owning auth: facts of every kind", rooms_alive(), "ended");
}

static void
questions(void)
{
	char		 bufs[10][100];
	struct message	 m;
	int64_t		*numbers[] = { &m.status, &m.number, &m.t_ms, &m.seq,
		    &m.used, &m.limit, &m.offset, &m.from_ms, &m.to_ms,
		    &m.state, &m.retry_s, &m.wait_ms };
	struct text	*texts[] = { &m.key, &m.account, &m.id, &m.ids,
		    &m.order, &m.name, &m.reason, &m.by, &m.query, &m.body };
	int		 i;
	size_t		 k;

	for (i = 0; i < QUERIES; i++) {
		message_clear(&m, i % 50 == 0 ? MESSAGE_USED : i % 400 == 1 ?
		    MESSAGE_LOAD : MESSAGE_QUERY, roll());
		m.endpoint = (enum endpoint)roll_below(ENDPOINT__COUNT);
		for (k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
			if (roll_below(2) == 0)
				*numbers[k] = any_number();
		}
		for (k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
			*texts[k] = any_text(bufs[k], sizeof(bufs[k]));
		m.has_ip = roll_below(2) == 0;
		if (connected())
			(void)end_say(&end, &m);
		if (i % 16 == 0)
			end_drain(&end, 0);
	}
	end_drain(&end, 1000);
	outcome("owning auth: whatever can be asked", rooms_alive(),
	    "ended");
}

/* A key of /v1 that tightens may stop everything, people alone start it
 * again; and an ACT of auth's is an operator's, signed, or nothing. */
static void
halted(void)
{
	struct command	 c;
	int		 act_halt, nameless, halt, resume, forged;

	command_clear(&c, COMMAND_HALT, 0);
	c.reason = text_of("owned");
	c.by = text_of("mallory");
	act_halt = act(&c, "", false);
	/* Whoever stops everything at /v1 is a key's name, no operator's. */
	nameless = take(ENDPOINT_V1_HALT, &c);
	c.by = text_of("door:owned");
	halt = take(ENDPOINT_V1_HALT, &c);
	command_clear(&c, COMMAND_RESUME, 0);
	c.reason = text_of("owned");
	c.by = text_of("alice");
	resume = act(&c, "", false);
	forged = act(&c, "alice", true);
	outcome("owning auth: it may halt at /v1, act unsigned never, and "
	    "not resume", nameless == 400 && halt == 200 && act_halt == 403 &&
	    resume == 403 && forged >= 400, "%d, %d, %d, %d, %d", nameless,
	    halt, act_halt, resume, forged);
}

void
owned_auth(void)
{
	struct message	 m;
	struct command	 c;
	struct err	 e;

	if (address_parse(&to, NETWORK_REGTEST, known.address,
	    strlen(known.address), &e) != RC_OK) {
		outcome("an address", false, "%s", e.text);
		return;
	}
	rooms_start(ROOM_ENGINE);
	outcome("owning auth: linked", connected() && honest(&end), "not");
	over_policy();
	peoples();
	withdrawal(&c, "owned-noise", 1000000);
	message_clear(&m, MESSAGE_TAKE, 5);
	m.endpoint = ENDPOINT_APPLY;
	m.account = c.account;
	(void)put(&m, &c);
	noise(ROOM_AUTH, ROOM_ENGINE, &m, honest);
	end_close(&end);	/* another took its place */
	questions();
	lines();
	anything();
	halted();
	end_close(&end);
	outcome("owning auth: nobody died, and reads go on", connected() &&
	    honest(&end) && rooms_alive(), "somebody did");
}
