/*
 * Which way a command goes with what is in force, and what is remembered of
 * people, proposals and signatures.
 */
#include <sodium.h>
#include <stdlib.h>

#include "engine/process/direction.h"
#include "engine/process/keeper.h"
#include "lib/civil.h"
#include "tests/check.h"
#include "wire/cidr.h"
#include "wire/rights.h"

static struct operators	*o;
static uint64_t		 seq = 1;

static enum way
way(const struct command *c)
{
	return direction_of(o, c, false);
}

static void
told(const struct command *c)
{
	operators_told(o, c, seq++);
}

static struct command
person(const char *name, int64_t rights, int64_t limit_sat)
{
	static unsigned char	 key[32];
	struct command		 c;

	command_clear(&c, COMMAND_OPERATOR, 0);
	c.name = text_of(name);
	c.roles = rights;
	c.limit_sat = limit_sat;
	c.blob.p = (const char *)key;
	c.blob.len = sizeof(key);
	return c;
}

static void
accounts(void)
{
	struct command	 c;

	check_case("C7c: accounts");
	command_clear(&c, COMMAND_ACCOUNT, 0);
	c.account = text_of("a");
	c.limit_sat = 100;
	CHECK(way(&c) == WAY_SIGNED);
	told(&c);
	c.limit_sat = 99;
	CHECK(way(&c) == WAY_TIGHTENS);
	c.limit_sat = 101;
	CHECK(way(&c) == WAY_LOOSENS);
	c.limit_sat = -1;
	c.tier = 0;
	CHECK(way(&c) == WAY_LOOSENS);
	c.tier = -1;
	c.group = text_of("friends");
	CHECK(way(&c) == WAY_LOOSENS);
}

static void
keys(void)
{
	struct cidr	 net;
	struct command	 c;
	struct err	 e;

	check_case("C7c: keys");
	command_clear(&c, COMMAND_KEY, 0);
	c.account = text_of("a");
	c.key = text_of("k");
	c.cidrs = &net;
	c.n_cidrs = 1;
	c.expires_ms = 1000;
	CHECK(cidr_parse(&net, text_of("10.0.0.0/8"), &e) == RC_OK);
	CHECK(way(&c) == WAY_SIGNED);
	c.withdraw = true;
	CHECK(way(&c) == WAY_LOOSENS);
	told(&c);
	CHECK(way(&c) == WAY_TIGHTENS);
	CHECK(cidr_parse(&net, text_of("10.1.0.0/16"), &e) == RC_OK);
	CHECK(way(&c) == WAY_TIGHTENS);
	CHECK(cidr_parse(&net, text_of("11.0.0.0/8"), &e) == RC_OK);
	CHECK(way(&c) == WAY_LOOSENS);
	CHECK(cidr_parse(&net, text_of("10.0.0.0/8"), &e) == RC_OK);
	c.n_cidrs = 0;
	CHECK(way(&c) == WAY_LOOSENS);
	c.n_cidrs = 1;
	c.expires_ms = 1001;
	CHECK(way(&c) == WAY_LOOSENS);
	c.expires_ms = -1;
	CHECK(way(&c) == WAY_LOOSENS);
	c.expires_ms = 999;
	c.withdraw = false;
	CHECK(way(&c) == WAY_TIGHTENS);
	c.account = text_of("b");
	CHECK(way(&c) == WAY_LOOSENS);
	c.account = text_of("a");
	c.type = COMMAND_KEY_REVOKE;
	told(&c);
	c.type = COMMAND_KEY;
	CHECK(way(&c) == WAY_LOOSENS);
}

static void
people(void)
{
	struct command	 c = person("alice", RIGHT_TIGHTEN | RIGHT_RELEASE,
		100);

	check_case("C7c: people and the quorum");
	CHECK(way(&c) == WAY_LOOSENS);
	told(&c);
	c.blob = text_of(NULL);
	CHECK(way(&c) == WAY_SIGNED);
	c.limit_sat = 101;
	CHECK(way(&c) == WAY_LOOSENS);
	c.limit_sat = -1;
	CHECK(way(&c) == WAY_LOOSENS);
	c.limit_sat = 100;
	c.roles |= RIGHT_LOOSEN;
	CHECK(way(&c) == WAY_LOOSENS);
	command_clear(&c, COMMAND_QUORUM, 0);
	c.count = 2;
	c.wait_ms = 1000;
	CHECK(way(&c) == WAY_SIGNED);
	told(&c);
	c.wait_ms = 999;
	CHECK(way(&c) == WAY_LOOSENS);
	c.wait_ms = 1000;
	c.count = 1;
	CHECK(way(&c) == WAY_LOOSENS);
}

static void
releases(void)
{
	struct operator	*op = memory_operator(o, text_of("alice"));
	int64_t		 t = 1000 * MS_PER_HOUR;

	check_case("C7d: a day's releases are one sum");
	CHECK(memory_may_release(op, t) == 100);
	memory_released(op, 60, t);
	memory_released(op, 30, t + MS_PER_HOUR);
	CHECK(memory_may_release(op, t + 2 * MS_PER_HOUR) == 10);
	memory_released(op, 60, t + 2 * MS_PER_HOUR);
	CHECK(memory_may_release(op, t + 2 * MS_PER_HOUR) == 0);
	CHECK(memory_may_release(op, t + 24 * MS_PER_HOUR) == 0);
	CHECK(memory_may_release(op, t + 30 * MS_PER_HOUR) == 100);
}

static void
proposals(void)
{
	static const unsigned char	 proof[64];
	static struct command_lists	 lists;
	struct command			 inner, c;
	struct proposal			*p;
	struct err			 e;
	unsigned char			*body;
	size_t				 len;
	int64_t				 n = (int64_t)seq;

	check_case("H6: persons are counted, once each");
	command_clear(&inner, COMMAND_RESUME, 0);
	inner.by = text_of("alice");
	inner.reason = text_of("ours");
	body = memory_body(&inner, &len);
	command_clear(&c, COMMAND_PROPOSAL, 5);
	c.by = text_of("alice");
	c.proof.p = (const char *)proof;
	c.proof.len = sizeof(proof);
	c.body.p = (const char *)body;
	c.body.len = len;
	c.expires_ms = 77;
	told(&c);
	free(body);
	p = memory_proposal(o, n);
	CHECK(p != NULL);
	if (p == NULL)
		return;
	CHECK(p->n_persons == 1);
	CHECK(memory_proposed(&inner, &lists, p, &e) == RC_OK);
	CHECK(inner.type == COMMAND_RESUME);
	command_clear(&c, COMMAND_APPROVAL, 6);
	c.by = text_of("alice");
	c.answers = n;
	told(&c);
	CHECK(p->n_persons == 1);
	c.by = text_of("bob");
	told(&c);
	told(&c);
	CHECK(p->n_persons == 2);
	CHECK(memory_has_approved(p, text_of("bob")));

	check_case("what was done or discarded is no proposal any more");
	command_clear(&c, COMMAND_DISCARD, 7);
	c.answers = n;
	told(&c);
	CHECK(memory_proposal(o, n) == NULL);
	CHECK(memory_proposal(o, 0) == NULL);

	check_case("a program's proposal has no person yet");
	command_clear(&inner, COMMAND_HALT, 0);
	inner.by = text_of("service");
	body = memory_body(&inner, &len);
	command_clear(&c, COMMAND_PROPOSAL, 5);
	c.by = text_of("service");
	c.body.p = (const char *)body;
	c.body.len = len;
	n = (int64_t)seq;
	told(&c);
	free(body);
	CHECK(memory_proposal(o, n)->n_persons == 0);
}

static void
signatures(void)
{
	unsigned char	 s[64] = { 1 };

	check_case("H6: a signature is good once");
	CHECK(memory_spend(o, s, 1000, 10));
	CHECK(!memory_spend(o, s, 1000, 20));
	s[63] ^= 1;
	CHECK(memory_spend(o, s, 1000, 20));
}

int
main(void)
{
	struct err	 e;

	if (sodium_init() == -1 || operators_new(&o, &e) != RC_OK)
		return 1;
	accounts();
	keys();
	people();
	releases();
	proposals();
	signatures();
	operators_free(&o);
	return check_done();
}
