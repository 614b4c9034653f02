/*
 * Commands there and back; and whatever is done to their bytes, either they
 * are refused or they are what packing would have made.
 *
 * Everything that is unpacked lies at the end of a mapped page with an
 * unmapped one behind it: reading one byte too many dies.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/amount.h"
#include "tests/check.h"
#include "wire/bytes.h"
#include "wire/command.h"
#include "wire/sign.h"

#define LEN_MAX		(128 * 1024)

static struct err	 why;
static unsigned char	 open_buf[LEN_MAX], sealed_buf[LEN_MAX];
static unsigned char	 open_again[LEN_MAX], sealed_again[LEN_MAX];
static struct command_lists lists;

/* Bytes that end where the mapping ends */

struct edge {
	unsigned char	*end;
};

static struct edge
edge_new(void)
{
	size_t		 page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char	*map = mmap(NULL, LEN_MAX + page,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct edge	 e = { map + LEN_MAX };

	if (map == MAP_FAILED || mprotect(e.end, page, PROT_NONE) != 0)
		abort();
	return e;
}

static unsigned char *
edge_put(struct edge e, const unsigned char *bytes, size_t len)
{
	return memcpy(e.end - len, bytes, len);
}

static struct edge	 open_edge, sealed_edge;

static bool
unpack(struct command *out, const unsigned char *open, size_t open_len,
    const unsigned char *sealed, size_t sealed_len)
{
	why.text[0] = '\0';
	if (sealed != NULL)
		sealed = edge_put(sealed_edge, sealed, sealed_len);
	if (command_unpack(out, &lists, edge_put(open_edge, open, open_len),
	    open_len, sealed, sealed_len, &why) == RC_OK)
		return true;
	CHECK(why.text[0] != '\0');
	return false;
}

/* What was taken is packed to the very same bytes. */
static bool
canonical(const struct command *c, const unsigned char *open, size_t open_len,
    const unsigned char *sealed, size_t sealed_len)
{
	size_t	 n, m;

	if (command_check(c, &why) != RC_OK)
		return false;
	command_pack(c, open_again, &n, sealed_again, &m);
	return n <= command_open_room(c) && m <= command_sealed_room(c) &&
	    n == open_len && memcmp(open, open_again, n) == 0 &&
	    m == sealed_len && (m == 0 || memcmp(sealed, sealed_again,
	    m) == 0);
}

/* Random commands */

static uint64_t	 dice = 88172645463325252u;

static uint64_t
roll(uint64_t n)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (dice >> 11) % n;
}

/* Memory for what one command refers to. */
static char		 text_room[64 * 2 * 1200];
static size_t		 text_used;
static struct cidr	 cidrs[COMMAND_CIDRS_MAX];
static struct command_fact facts[COMMAND_FACTS_MAX];

static struct text
any_text(size_t min, size_t max, bool utf8)
{
	struct text	 t = { text_room + text_used, 0 };
	size_t		 i;
	char		*p = text_room + text_used;

	t.len = min + roll(roll(4) == 0 ? max - min + 1 :
	    (max - min > 12 ? 12 : max - min + 1));
	for (i = 0; i < t.len; i++)
		p[i] = (char)(utf8 ? roll(128) : roll(256));
	if (utf8 && t.len >= 3 && roll(3) == 0)
		memcpy(p + t.len - 3, "\xe2\x82\xac", 3);
	text_used += t.len;
	return t;
}

static int64_t
any_number(int64_t min, int64_t max)
{
	switch (roll(4)) {
	case 0:
		return min;
	case 1:
		return max;
	case 2:
		return min + (int64_t)roll(1000);
	}
	return min + (int64_t)roll((uint64_t)(max - min) + 1);
}

static void
any_ip(unsigned char ip[16])
{
	static const unsigned char	 mapped[12] = { [10] = 0xff, 0xff };
	size_t				 i;

	for (i = 0; i < 16; i++)
		ip[i] = (unsigned char)roll(256);
	if (roll(2) == 0)
		memcpy(ip, mapped, 12);
	if (roll(10) == 0)
		memset(ip, 0, 16);
}

static void
any_cidr(struct cidr *c)
{
	size_t	 i;

	any_ip(c->ip);
	c->bits = (uint8_t)(roll(3) == 0 ? 96 + roll(33) : roll(129));
	for (i = c->bits; i < 128; i++)
		c->ip[i / 8] &= (unsigned char)~(0x80 >> i % 8);
}

static void
any_fact(struct command_fact *f, int number)
{
	memset(f, 0, sizeof(*f));
	f->name = any_text(5, COMMAND_NAME_MAX, true);
	/* No name twice. */
	memcpy(text_room + (f->name.p - text_room),
	    (char[2]){ (char)('0' + number / 10), (char)('0' + number % 10) },
	    2);
	f->kind = (enum value_kind)roll(3);
	if (f->kind == VALUE_TEXT)
		f->text = any_text(0, 30, true);
	else if (f->kind == VALUE_FLAG)
		f->value = (int64_t)roll(2);
	else
		f->value = any_number(INT64_MIN / 4, INT64_MAX / 4);
}

static struct text
maybe_name(void)
{
	struct text	 none = { NULL, 0 };

	return roll(2) == 0 ? any_text(1, COMMAND_NAME_MAX, true) : none;
}

static void
any_lists(struct command *c)
{
	size_t	 i;

	c->facts = facts;
	c->n_facts = roll(3) == 0 ? roll(COMMAND_FACTS_MAX + 1) : 0;
	for (i = 0; i < c->n_facts; i++)
		any_fact(&facts[i], (int)i);
	c->cidrs = cidrs;
	c->n_cidrs = roll(10) == 0 ? roll(COMMAND_CIDRS_MAX + 1) : roll(3);
	for (i = 0; i < c->n_cidrs; i++)
		any_cidr(&cidrs[i]);
}

/* What came with the service: most of it optional, but what a type of the
 * service cannot do without. */
static void
any_service_fields(struct command *c)
{
	bool	 all = c->type >= COMMAND_SECRET;

	c->order = maybe_name();
	c->name = any_text(1, COMMAND_NAME_MAX, true);
	if (roll(2) == 0)
		c->proof = any_text(1, 400, false);
	if (c->type == COMMAND_SIGNER_HEAD)
		c->blob = any_text(SIGN_HEAD_LEN, SIGN_HEAD_LEN, false);
	else if (roll(2) == 0)
		c->blob = c->type == COMMAND_BURNED ? any_text(
		    SIGN_BURNED_LEN, SIGN_BURNED_LEN, false) :
		    any_text(1, 400, false);
	if (all || roll(2) == 0) {
		c->expires_ms = any_number(1, INT64_C(4102444800000));
		c->answers = any_number(1, INT64_MAX / 4);
		c->key_type = (enum key_type)(1 + roll(3));
		c->secret = (enum secret_kind)(1 + roll(5));
		c->roles = any_number(0, UINT32_MAX);
		c->count = any_number(0, 1000000);
		c->step = any_number(0, INT64_MAX / 4);
		c->wait_ms = any_number(0, INT64_C(4102444800000));
	}
}

/* Everything filled, whether the type has it or not. */
static void
any_command(struct command *c, enum command_type type)
{
	size_t	 i;

	text_used = 0;
	command_clear(c, type, any_number(0, INT64_C(4102444800000)));
	if (roll(2) == 0) {
		c->source = any_text(1, COMMAND_NAME_MAX, true);
		c->n = roll(2) == 0 ? UINT64_MAX : roll(1000);
	}
	c->by = any_text(1, COMMAND_NAME_MAX, true);
	if (roll(2) == 0)
		c->reason = any_text(0, COMMAND_REASON_MAX, true);
	c->account = any_text(1, COMMAND_NAME_MAX, true);
	c->key = maybe_name();
	if (type == COMMAND_KEY || type == COMMAND_KEY_REVOKE ||
	    type == COMMAND_DOOR_KEY)
		c->key = any_text(1, COMMAND_NAME_MAX, true);
	c->id = any_text(1, COMMAND_NAME_MAX, true);
	if (type == COMMAND_FACT)
		*(roll(2) == 0 ? &c->id : &c->account) = text_of(NULL);
	if ((type == COMMAND_FREEZE || type == COMMAND_UNFREEZE) &&
	    c->key.p != NULL)
		c->account = text_of(NULL);
	c->group = maybe_name();
	c->partner = maybe_name();
	c->script = any_text(1, COMMAND_SCRIPT_MAX, false);
	c->amount_sat = any_number(1, AMOUNT_SAT_MAX);
	c->limit_sat = roll(2) == 0 ? -1 : any_number(0, AMOUNT_SAT_MAX);
	c->tier = roll(2) == 0 ? -1 : any_number(0, 1000000000);
	c->first_seen_ms = any_number(0, INT64_C(4102444800000));
	any_fact(&c->fact, 0);
	c->via = (enum via)roll(4);
	c->code = (enum tri)roll(3);
	c->device_new = (enum tri)roll(3);
	c->paid = (enum paid)roll(4);
	c->what = (enum credential)roll(4);
	c->withdraw = roll(2) == 0;
	c->history = roll(2) == 0;
	c->not_me = roll(2) == 0;
	any_lists(c);
	any_service_fields(c);
	c->body = any_text(1, 300, false);
	for (i = 0; i < sizeof(c->hash); i++)
		c->hash[i] = (unsigned char)roll(256);
	c->has_ip = roll(2) == 0;
	any_ip(c->ip);
}

/* Fields that the type has, by its own word: the packed form of *a is that
 * of *b, and what scenarios and engine look at is the same. */
static bool
same_withdraw(const struct command *a, const struct command *b)
{
	size_t	 i;

	if (a->n_facts != b->n_facts)
		return false;
	for (i = 0; i < a->n_facts; i++) {
		if (!text_equal(a->facts[i].name, b->facts[i].name) ||
		    a->facts[i].kind != b->facts[i].kind ||
		    a->facts[i].value != b->facts[i].value ||
		    !text_equal(a->facts[i].text, b->facts[i].text))
			return false;
	}
	return a->t_ms == b->t_ms && text_equal(a->source, b->source) &&
	    a->n == b->n && text_equal(a->by, b->by) &&
	    text_equal(a->id, b->id) && text_equal(a->account, b->account) &&
	    text_equal(a->key, b->key) && text_equal(a->script, b->script) &&
	    a->amount_sat == b->amount_sat && a->via == b->via &&
	    a->code == b->code && a->history == b->history &&
	    a->has_ip == b->has_ip &&
	    (!a->has_ip || memcmp(a->ip, b->ip, 16) == 0);
}

static bool
same_key(const struct command *a, const struct command *b)
{
	size_t	 i;

	if (a->n_cidrs != b->n_cidrs)
		return false;
	for (i = 0; i < a->n_cidrs; i++) {
		if (a->cidrs[i].bits != b->cidrs[i].bits ||
		    memcmp(a->cidrs[i].ip, b->cidrs[i].ip, 16) != 0)
			return false;
	}
	return a->withdraw == b->withdraw && text_equal(a->key, b->key) &&
	    text_equal(a->account, b->account) &&
	    text_equal(a->partner, b->partner);
}

/* Some of what a type must not bring along. */
static bool
tidy(const struct command *c)
{
	bool	 withdraw = c->type == COMMAND_WITHDRAW;
	bool	 key = c->type == COMMAND_KEY;

	return (withdraw || (c->facts == NULL && c->n_facts == 0 &&
	    c->code == TRI_UNKNOWN && c->via == VIA_API && !c->history)) &&
	    (key || (c->n_cidrs == 0 && c->partner.p == NULL &&
	    !c->withdraw)) &&
	    (c->type == COMMAND_ACCOUNT || ((c->limit_sat == -1 ||
	    c->type == COMMAND_OPERATOR) && c->tier == -1 &&
	    c->group.p == NULL)) &&
	    (withdraw || c->type == COMMAND_LOGIN || !c->has_ip) &&
	    (c->reason.p == NULL || c->reason.len > 0) &&
	    (c->type != COMMAND_TICK || (c->source.p == NULL &&
	    c->by.p == NULL && c->account.p == NULL &&
	    c->proof.p == NULL && c->blob.p == NULL && c->order.p == NULL &&
	    c->answers == -1 && c->step == -1 && c->amount_sat == 0 &&
	    c->body.p == NULL));
}

static void
there_and_back(const struct command *c)
{
	struct command	 back;
	size_t		 n, m;

	if (!CHECK(command_check(c, &why) == RC_OK)) {
		printf("#   %s: %s\n", command_type_text(c->type), why.text);
		return;
	}
	/* What the type has not, makes no difference. */
	command_tidy(&back, c);
	command_pack(&back, open_buf, &n, sealed_buf, &m);
	CHECK(canonical(c, open_buf, n, sealed_buf, m));
	CHECK(n <= command_open_room(c) && m <= command_sealed_room(c));
	CHECK(tidy(&back));
	if (!CHECK(unpack(&back, open_buf, n, sealed_buf, m))) {
		printf("#   %s\n", why.text);
		return;
	}
	CHECK(!back.forgotten && back.type == c->type);
	CHECK(tidy(&back));
	CHECK(canonical(&back, open_buf, n, sealed_buf, m));
	if (c->type == COMMAND_WITHDRAW)
		CHECK(same_withdraw(c, &back));
	if (c->type == COMMAND_KEY)
		CHECK(same_key(c, &back));
	/* Without the sealed part everything else still stands. */
	if (!CHECK(unpack(&back, open_buf, n, NULL, 0)))
		return;
	CHECK(back.forgotten == (m > 0));
	CHECK(!back.has_ip && back.n_cidrs == 0);
	CHECK(canonical(&back, open_buf, n, NULL, 0));
}

static void
test_random(void)
{
	struct command	 c;
	int		 t, i;

	check_case("random commands of every type, there and back");
	for (t = COMMAND_TICK; t < COMMAND__END; t++) {
		for (i = 0; i < 300; i++) {
			any_command(&c, (enum command_type)t);
			there_and_back(&c);
		}
	}
}

/* Harm */

static int	 taken, refused;

static void
harmed(const unsigned char *open, size_t n, const unsigned char *sealed,
    size_t m)
{
	struct command	 c;

	if (!unpack(&c, open, n, sealed, m)) {
		refused++;
		return;
	}
	taken++;
	CHECK(canonical(&c, open, n, sealed, m));
}

/* Every length, every bit, a byte more, of either part. */
static void
harm(const struct command *c)
{
	size_t	 n, m, i;

	command_pack(c, open_buf, &n, sealed_buf, &m);
	for (i = 0; i < n; i++)
		harmed(open_buf, i, sealed_buf, m);
	for (i = 0; i < m; i++) {
		/* An address is told by its length; what lies around it
		 * keeps that. */
		if (c->type == COMMAND_KEY || i != 4)
			harmed(open_buf, n, sealed_buf, i);
	}
	CHECK_INT(taken, 0);
	open_buf[n] = sealed_buf[m] = 0;
	harmed(open_buf, n + 1, sealed_buf, m);
	harmed(open_buf, n, sealed_buf, m + 1);
	CHECK_INT(taken, 0);
	for (i = 0; i < n * 8; i++) {
		open_buf[i / 8] ^= (unsigned char)(1 << i % 8);
		harmed(open_buf, n, sealed_buf, m);
		open_buf[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	for (i = 0; i < m * 8; i++) {
		sealed_buf[i / 8] ^= (unsigned char)(1 << i % 8);
		harmed(open_buf, n, sealed_buf, m);
		sealed_buf[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	taken = 0;
}

static void
test_harm(void)
{
	struct command	 c;
	int		 t, i, bytes;

	check_case("cut off, longer, or a bit flipped: refused or canonical");
	for (t = COMMAND_TICK; t < COMMAND__END; t++) {
		for (i = 0; i < 12; i++) {
			any_command(&c, (enum command_type)t);
			if (c.n_facts > 3)
				c.n_facts = 3;
			if (c.n_cidrs > 3)
				c.n_cidrs = 3;
			if (c.reason.len > 20)
				c.reason.len = 0;
			harm(&c);
		}
	}
	CHECK(refused > 1000);

	check_case("random bytes");
	for (i = 0; i < 200000; i++) {
		bytes = (int)roll(40);
		for (t = 0; t < bytes; t++)
			open_buf[t] = (unsigned char)roll(roll(2) ? 256 : 8);
		open_buf[0] = (unsigned char)roll(COMMAND__END);
		harmed(open_buf, (size_t)bytes, sealed_buf, 0);
	}
	CHECK(taken > 0);
}

/* What packing makes is written down: it stands in every journal. */

static void
check_bytes(const struct command *c, const char *want_open,
    const char *want_sealed)
{
	char	 hex[1024];
	size_t	 n, m, i;

	command_pack(c, open_buf, &n, sealed_buf, &m);
	for (i = 0; i < n; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", open_buf[i]);
	CHECK_STR(hex, want_open);
	hex[0] = '\0';
	for (i = 0; i < m; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", sealed_buf[i]);
	CHECK_STR(hex, want_sealed);
}

static void
test_golden(void)
{
	static const struct cidr	 nets[] = {
		{ { [10] = 0xff, 0xff, 10 }, 104 },
		{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 },
	};
	struct command	 c;

	check_case("bytes of a withdrawal");
	command_clear(&c, COMMAND_WITHDRAW, INT64_C(1557255601000));
	c.id = text_of("w1");
	c.account = text_of("a");
	c.key = text_of("k");
	c.via = VIA_API;
	c.code = TRI_YES;
	c.script = text_of("\x51\x02\xaa\xbb");
	c.amount_sat = 300;
	c.has_ip = true;
	memcpy(c.ip, (unsigned char[16]){ [10] = 0xff, 0xff, 192, 0, 2, 1 },
	    16);
	/* type, flags, t; key, code, account, id, address, amount, via */
	check_bytes(&c, "13" "07" "e8f6aa9da92d" "016b" "02" "0161" "027731"
	    "045102aabb" "ac02" "00", "c0000201");
	check_case("bytes of a key");
	command_clear(&c, COMMAND_KEY, 1);
	c.account = text_of("a");
	c.key = text_of("k");
	c.withdraw = true;
	c.cidrs = nets;
	c.n_cidrs = 2;
	check_bytes(&c, "07" "60" "01" "016b" "0161", "02" "89" "0a000000"
	    "20" "20010db8000000000000000000000000");
	check_case("bytes of a fact");
	command_clear(&c, COMMAND_FACT, 1);
	c.account = text_of("a");
	c.fact.name = text_of("n");
	c.fact.kind = VALUE_INTEGER;
	c.fact.value = -2;
	c.source = text_of("s");
	c.n = 128;
	check_bytes(&c, "0b" "8801" "01" "0161" "0173" "8001" "016e" "01" "03",
	    "");
}

/* What is refused */

static void
lacks(struct command *c, const char *want)
{
	why.text[0] = '\0';
	CHECK(command_check(c, &why) == RC_FAILED);
	CHECK_STR(why.text, want);
}

static void
test_check(void)
{
	static char	 long_text[COMMAND_REASON_MAX + 1];
	struct command	 c;

	check_case("what a command may not be without");
	memset(long_text, 'x', sizeof(long_text));
	command_clear(&c, COMMAND_WITHDRAW, 1);
	lacks(&c, "`account`: missing");
	c.account = (struct text){ "", 0 };
	lacks(&c, "`account`: may not be empty");
	c.account = (struct text){ long_text, 65 };
	lacks(&c, "`account`: 65 bytes; at most 64");
	c.account = text_of("\xff");
	lacks(&c, "`account`: not UTF-8");
	c.account = text_of("a");
	lacks(&c, "`id`: missing");
	c.id = text_of("i");
	lacks(&c, "`address`: missing");
	c.script = (struct text){ long_text, 43 };
	lacks(&c, "`address`: 43 bytes; at most 42");
	c.script.len = 42;
	lacks(&c, "`amount`: must be from 1 to 2100000000000000");
	c.amount_sat = AMOUNT_SAT_MAX + 1;
	lacks(&c, "`amount`: must be from 1 to 2100000000000000");
	c.amount_sat--;
	CHECK(command_check(&c, &why) == RC_OK);
	c.n = 1;
	lacks(&c, "`source`: missing");
	c.n = 0;
	c.via = (enum via)4;
	lacks(&c, "`via`: must be from 0 to 3");
	c.via = VIA_WEB;
	c.code = (enum tri)3;
	lacks(&c, "`second_factor`: must be from 1 to 2");
	c.code = TRI_UNKNOWN;
	c.t_ms = -1;
	lacks(&c, "`t`: no time between the years 1970 and 9999");
	c.t_ms = 1;
	c.reason = (struct text){ long_text, sizeof(long_text) };
	lacks(&c, "`reason`: 1025 bytes; at most 1024");
	c.type = COMMAND__END;
	lacks(&c, "`type`: there is no type 40");
	c.type = (enum command_type)0;
	lacks(&c, "`type`: there is no type 0");
}

static void
test_check_more(void)
{
	static struct cidr	 net = { { 10 }, 7 };
	struct command		 c;

	check_case("one of two, and lists");
	command_clear(&c, COMMAND_FREEZE, 1);
	c.by = text_of("o");
	lacks(&c, "`key`: missing, freeze needs it or `account`");
	c.key = c.account = text_of("x");
	lacks(&c, "`key`: not together with `account`");
	c.key.p = NULL;
	CHECK(command_check(&c, &why) == RC_OK);
	c.by.p = NULL;
	lacks(&c, "`by`: missing");
	command_clear(&c, COMMAND_KEY, 1);
	c.account = c.key = text_of("x");
	c.cidrs = &net;
	c.n_cidrs = 1;
	CHECK(command_check(&c, &why) == RC_OK);
	net.bits = 6;
	lacks(&c, "`ips`: an address with bits beyond its network");
	net.bits = 129;
	lacks(&c, "`ips`: /129: at most /128");
	c.n_cidrs = COMMAND_CIDRS_MAX + 1;
	lacks(&c, "`ips`: 257; at most 256");
	command_clear(&c, COMMAND_FACT, 1);
	c.id = text_of("w");
	lacks(&c, "`value`: its name: missing");
	c.fact.name = text_of("n");
	lacks(&c, "`value`: missing");
	c.fact.kind = VALUE_FLAG;
	CHECK(command_check(&c, &why) == RC_OK);
	c.fact.value = 2;
	lacks(&c, "`value`: neither true nor false");
	c.fact.kind = (enum value_kind)3;
	lacks(&c, "`value`: of no known kind");
}

/* Who reads them counts on their lengths. */
static void
test_check_signers(void)
{
	static const char	 bytes[SIGN_BURNED_LEN + 1];
	struct command		 c;

	command_clear(&c, COMMAND_SIGNER_HEAD, 1);
	lacks(&c, "`blob`: missing");
	c.blob.p = bytes;
	c.blob.len = SIGN_HEAD_LEN - 1;
	lacks(&c, "`blob`: 159 bytes, not 160");
	c.blob.len = SIGN_HEAD_LEN + 1;
	lacks(&c, "`blob`: 161 bytes, not 160");
	c.blob.len = SIGN_HEAD_LEN;
	CHECK(command_check(&c, &why) == RC_OK);
	command_clear(&c, COMMAND_BURNED, 1);
	c.id = text_of("w");
	CHECK(command_check(&c, &why) == RC_OK);
	c.blob.p = bytes;
	c.blob.len = SIGN_BURNED_LEN;
	CHECK(command_check(&c, &why) == RC_OK);
	c.blob.len--;
	lacks(&c, "`blob`: 240 bytes, not 241");
}

static void
test_check_service(void)
{
	struct command	 c;

	check_case("what the service's commands may not be without");
	command_clear(&c, COMMAND_OPERATOR, 1);
	CHECK_INT(c.expires_ms, -1);
	CHECK_INT(c.answers, -1);
	CHECK_INT(c.step, -1);
	lacks(&c, "`roles`: must be from 0 to 4294967295");
	c.roles = 0;
	lacks(&c, "`name`: missing");
	c.name = text_of("alice");
	CHECK(command_check(&c, &why) == RC_OK);
	command_clear(&c, COMMAND_SECRET, 1);
	c.account = text_of("a");
	lacks(&c, "`secret`: must be from 1 to 5");
	c.secret = SECRET_TOTP;
	CHECK(command_check(&c, &why) == RC_OK);
	command_clear(&c, COMMAND_APPROVAL, 1);
	c.by = text_of("bob");
	c.answers = 0;
	lacks(&c, "`answers`: must be from 1 to 9223372036854775807");
	command_clear(&c, COMMAND_QUORUM, 1);
	c.count = 2;
	lacks(&c, "`wait`: must be from 0 to 253402300799999");
	c.wait_ms = 0;
	CHECK(command_check(&c, &why) == RC_OK);
	test_check_signers();
}

static void
test_twice(void)
{
	struct command_fact	 two[2] = { { .name = { "n", 1 },
		.kind = VALUE_INTEGER }, { .name = { "n", 1 },
		.kind = VALUE_FLAG } };
	struct command		 c;

	check_case("no fact twice with one withdrawal");
	command_clear(&c, COMMAND_WITHDRAW, 1);
	c.account = c.id = c.script = text_of("a");
	c.amount_sat = 1;
	c.facts = two;
	c.n_facts = 1;
	CHECK(command_check(&c, &why) == RC_OK);
	c.n_facts = 2;
	lacks(&c, "`facts`: one stands there twice");
}

static void
test_types(void)
{
	int	 t;

	check_case("every type has a name");
	for (t = COMMAND_TICK; t < COMMAND__END; t++)
		CHECK(command_type_text((enum command_type)t) != NULL);
	CHECK_STR(command_type_text(COMMAND_TICK), "tick");
	CHECK_STR(command_type_text(COMMAND_KEY_REVOKE), "key_revoke");
	CHECK_STR(command_type_text(COMMAND_RESUME), "resume");
	/* They stand in every journal. */
	CHECK_INT(COMMAND_WITHDRAW, 19);
	CHECK_INT(COMMAND_RESUME, 30);
	CHECK_INT(COMMAND_DISCARD, 38);
	CHECK_INT(COMMAND_SIGNER_HEAD, 39);
}

static void
test_genesis(void)
{
	struct genesis	 g, back;
	unsigned char	 packed[GENESIS_LEN + 1] = { 0 };
	struct text	 body = { (char *)packed, GENESIS_LEN };
	size_t		 i;

	check_case("genesis there and back");
	memset(&g, 0, sizeof(g));
	for (i = 0; i < 16; i++) {
		g.deployment[i] = (unsigned char)(i + 1);
		g.keys_tag[i] = (unsigned char)(i + 50);
	}
	for (i = 0; i < 32; i++)
		g.engine_key[i] = (unsigned char)(i + 100);
	g.network = 3;
	g.demo = true;
	genesis_pack(&g, packed);
	CHECK(genesis_unpack(&back, body, &why) == RC_OK);
	CHECK(memcmp(back.deployment, g.deployment, 16) == 0);
	CHECK(memcmp(back.keys_tag, g.keys_tag, 16) == 0);
	CHECK(memcmp(back.engine_key, g.engine_key, 32) == 0);
	CHECK_INT(back.network, 3);
	CHECK(back.demo && !back.receipt_at_release);
	for (body.len = 0; body.len < GENESIS_LEN; body.len++)
		CHECK(genesis_unpack(&back, body, &why) == RC_FAILED);
	body.len = GENESIS_LEN + 1;
	CHECK(genesis_unpack(&back, body, &why) == RC_FAILED);
	body.len = GENESIS_LEN;
	packed[49] = 4;
	CHECK(genesis_unpack(&back, body, &why) == RC_FAILED);
	packed[49] = 2;
	CHECK(genesis_unpack(&back, body, &why) == RC_OK && !back.demo &&
	    back.receipt_at_release);
	packed[49] = 0;
	CHECK(genesis_unpack(&back, body, &why) == RC_OK && !back.demo &&
	    !back.receipt_at_release);
	packed[48] = 4;
	CHECK(genesis_unpack(&back, body, &why) == RC_FAILED);
	body.p = NULL;
	CHECK(genesis_unpack(&back, body, &why) == RC_FAILED);
}

int
main(void)
{
	open_edge = edge_new();
	sealed_edge = edge_new();
	test_types();
	test_golden();
	test_check();
	test_check_more();
	test_check_service();
	test_twice();
	test_genesis();
	test_random();
	test_harm();
	return check_done();
}
