/*
 * Loading: the tree that comes of it, names and places, and that no
 * beginning of a good policy, nor one with a byte changed, does harm.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "policy/ast.h"
#include "policy/diag.h"
#include "policy/mem.h"
#include "policy/print.h"
#include "tests/check.h"

#define HEAD	"policy 1\ndefault hold\n"

static struct policy *
load(const char *text)
{
	struct policy	*p = NULL;
	struct err	 e;

	if (policy_load_text(&p, NULL, text, strlen(text), NULL, &e) != RC_OK)
		printf("#   %s\n", e.text);
	return p;
}

static char *
printed(const struct policy *p)
{
	char	*text = NULL;
	size_t	 len = 0;
	FILE	*f = open_memstream(&text, &len);

	if (f == NULL)
		abort();
	policy_print(p, f);
	(void)fclose(f);
	return text;
}

static void
test_rules(void)
{
	struct policy	*p;
	const struct rule *r;
	char		 buf[64];

	check_case("the tree of a rule");
	p = load(HEAD "class odd when amount > 1 btc\n"
	    "shadow hold by 2 by lot 1 per 0.05 % of hot \"two eyes\"\n"
	    "  when odd and not proven until 2027-01-02\n"
	    "delay 90m when amount >= 3 x habit\n");
	if (!CHECK(p != NULL))
		return;
	CHECK_INT(p->n_rules, 2);
	CHECK_INT(p->n_classes, 3);
	r = &p->rules[0];
	CHECK(r->shadow && r->verdict == VERDICT_HOLD);
	CHECK_INT(r->people, 2);
	CHECK_INT(r->lot, LOT_PER);
	CHECK_INT(r->lot_per.kind, Q_SHARE);
	CHECK_INT(r->lot_per.ppm, 500);
	CHECK_STR(r->name, "two eyes");
	CHECK_INT(r->until_day, 20820);
	CHECK_INT(r->cond->kind, COND_AND);
	CHECK_INT(r->cond->n_kids, 2);
	CHECK_INT(r->cond->kids[0]->kind, COND_CLASS);
	CHECK_INT(r->cond->kids[0]->index, CLASS_FIRST);
	CHECK_INT(r->cond->kids[1]->kind, COND_NOT);
	r = &p->rules[1];
	CHECK_INT(r->delay_ms, 90 * MS_PER_MIN);
	CHECK_INT(r->people, 0);
	CHECK_INT(r->until_day, INT64_MAX);
	CHECK_INT(r->cond->rel, REL_GE);
	CHECK_INT(r->cond->right.times, 3);
	CHECK_INT(r->cond->right.fact, FACT_HABIT);
	CHECK_STR(policy_rule_name(p, 0, buf, sizeof(buf)), "two eyes");
	CHECK_STR(policy_rule_name(p, 1, buf, sizeof(buf)), "policy:6");
	CHECK_STR(policy_where(p, p->rules[0].pos, buf, sizeof(buf)),
	    "policy:4");
	policy_free(&p);
	CHECK(p == NULL);
	policy_free(&p);
}

static void
test_aggregates(void)
{
	struct policy	*p;
	const struct agg *a;
	const struct cond *c;

	check_case("the tree of an aggregate and a line");
	p = load(HEAD "hold when distinct accounts cap 32 confirmed on "
	    "platform in 6h of not proven >= busy normal by 80.5 % plus 3 "
	    "until learnt 12\n"
	    "hold when sum asked by ip6/48 in 1h > 2 % of fund "
	    "less up to 25 %\n");
	if (!CHECK(p != NULL))
		return;
	c = p->rules[0].cond;
	a = &c->left.agg;
	CHECK_INT(a->what, AGG_DISTINCT);
	CHECK_INT(a->thing, THING_ACCOUNTS);
	CHECK_INT(a->cap, 32);
	CHECK_INT(a->stage, STAGE_CONFIRMED);
	CHECK_INT(a->scope, SCOPE_PLATFORM);
	CHECK_INT(a->window_ms, 6 * MS_PER_HOUR);
	CHECK_INT(a->cls, CLASS_PROVEN);
	CHECK(a->cls_not);
	CHECK_INT(a->table, -1);
	CHECK(c->is_line && c->line.busy && c->line.has_plus);
	CHECK_INT(c->line.by_ppm, 805000);
	CHECK_INT(c->line.plus.value, 3);
	CHECK_INT(c->line.learnt.value, 12);
	c = p->rules[1].cond;
	CHECK_INT(c->left.agg.scope, SCOPE_IP6);
	CHECK_INT(c->left.agg.prefix, 48);
	CHECK_INT(c->left.agg.cls, -1);
	CHECK(c->right.of_fund);
	CHECK_INT(c->right.ppm, 20000);
	CHECK_INT(c->less_ppm, 250000);
	policy_free(&p);
}

static void
test_statements(void)
{
	struct policy	*p;

	check_case("statements and defaults");
	p = load("policy 1\ndefault deny\nunknown age of key is 2d\n"
	    "trust proven after 3d full at 10d used in 11d upto 0.5 % of hot\n"
	    "set buckets 12 for 1h\nmode enforce above 0.1 btc\n"
	    "ceiling 10 btc in 24h, 1 btc each\n"
	    "table <t> of groups { a b, c }\n"
	    "declare kyc number unknown is 7\n");
	if (!CHECK(p != NULL))
		return;
	CHECK_INT(p->dflt, VERDICT_DENY);
	CHECK_INT(p->unknown[FACT_AGE_KEY], 2 * MS_PER_DAY);
	CHECK(p->unknown_given[FACT_AGE_KEY]);
	CHECK_INT(p->unknown[FACT_DEVICE_NEW], 1);
	CHECK_INT(p->unknown[FACT_AGE_ACCOUNT], 0);
	CHECK_INT(p->unknown[FACT_IDLE], INT64_MAX);
	CHECK_INT(p->trust.used_ms, 11 * MS_PER_DAY);
	CHECK_INT(p->trust.upto_ppm, 5000);
	CHECK_INT(p->trust.upto_sat, 0);
	CHECK_INT(p->set.hold_expiry_ms, 7 * MS_PER_DAY);
	CHECK_INT(p->set.code_expiry_ms, 15 * MS_PER_MIN);
	CHECK_INT(p->set.growth_ppm, 10000);
	CHECK_INT(p->set.buckets_for[0].n, 12);
	CHECK_INT(p->mode, MODE_ENFORCE);
	CHECK_INT(p->enforce_above_sat, SAT_PER_BTC / 10);
	CHECK_INT(p->ceilings[0].each_sat, SAT_PER_BTC);
	CHECK_INT(p->tables[0].n_rows, 3);
	CHECK_INT(p->tables[0].rows[1].group, 0);
	CHECK_INT(p->tables[0].rows[2].group, 1);
	CHECK_INT(p->declared[0].unknown, 7);
	policy_free(&p);
}

static void
test_tables(void)
{
	static const char *const same[] = {
		HEAD "table <t> of addresses "
		    "{ bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4 }\n",
		HEAD "table <t> of addresses "
		    "{ BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4 }\n" };
	struct policy	*p, *q;

	check_case("tables compare by script, and by set");
	p = load(same[0]);
	q = load(same[1]);
	if (CHECK(p != NULL && q != NULL)) {
		CHECK(p->tables[0].digest == q->tables[0].digest);
		CHECK_INT(p->tables[0].rows[0].script_len, 22);
		CHECK_INT(p->tables[0].rows[0].script[1], 20);
	}
	policy_free(&p);
	policy_free(&q);
	p = load(HEAD "table <t> of networks { 10.0.0.0/8, ::1 }\n");
	q = load(HEAD "table <t> of networks { ::1/128, 10.0.0.0/8 }\n");
	if (CHECK(p != NULL && q != NULL)) {
		CHECK(p->tables[0].digest == q->tables[0].digest);
		CHECK_INT(p->tables[0].rows[0].bits, 104);
		CHECK_INT(p->tables[0].rows[0].ip[10], 255);
	}
	policy_free(&q);
	q = load(HEAD "table <t> of networks { ::1/128, 10.0.0.0/9 }\n");
	if (CHECK(p != NULL && q != NULL))
		CHECK(p->tables[0].digest != q->tables[0].digest);
	policy_free(&p);
	policy_free(&q);
}

static void
test_refusals(void)
{
	static const char	 text[] = "policy 1\nhold when\n";
	struct policy		*p = NULL;
	struct err		 e;
	char			*said = NULL;
	size_t			 len = 0;
	FILE			*f;

	check_case("S47 a policy loads whole or not at all");
	f = open_memstream(&said, &len);
	CHECK(policy_load_text(&p, "x.policy", text, strlen(text), f, &e) ==
	    RC_FAILED);
	(void)fclose(f);
	CHECK(p == NULL);
	CHECK(strstr(said, "x.policy:2:10: error: ") != NULL);
	CHECK(strstr(said, "2 errors, nothing loaded") != NULL);
	CHECK_STR(e.text, "x.policy: 2 errors, first: the statement ends too "
	    "early");
	free(said);
	check_case("without a path nothing is read from files");
	p = load(HEAD "include \"/dev/null\"\n");
	CHECK(p == NULL);
	p = load(HEAD "table <t> of accounts file \"/dev/null\"\n");
	CHECK(p == NULL);
	check_case("no error and no place to say it are fine");
	CHECK(policy_load_text(&p, NULL, "", 0, NULL, NULL) == RC_FAILED);
	CHECK(policy_load(&p, "nowhere", NULL, NULL) == RC_FAILED);
}

static char *
read_all(const char *path, size_t *len)
{
	char	*buf = malloc(1 << 16);
	FILE	*f = fopen(path, "rb");

	*len = 0;
	if (f == NULL || buf == NULL) {
		printf("#   cannot read %s\n", path);
		free(buf);
		return NULL;
	}
	*len = fread(buf, 1, (1 << 16) - 1, f);
	buf[*len] = '\0';
	(void)fclose(f);
	return buf;
}

/* Load it; if it is good, its canonical form must be its own. */
static bool
harmless(const char *text, size_t len)
{
	struct policy	*p = NULL, *q = NULL;
	char		*a, *b;
	bool		 same;

	if (policy_load_text(&p, NULL, text, len, NULL, NULL) != RC_OK)
		return p == NULL;
	a = printed(p);
	policy_free(&p);
	q = load(a);
	if (q == NULL) {
		printf("#   %s\n", a);
		free(a);
		return false;
	}
	b = printed(q);
	policy_free(&q);
	same = strcmp(a, b) == 0;
	free(a);
	free(b);
	return same;
}

static void
test_beginnings(const char *path)
{
	size_t	 len, i;
	char	*text = read_all(path, &len), *copy;

	check_case("beginnings and changed bytes of a good policy");
	if (!CHECK(text != NULL))
		return;
	for (i = 0; i <= len; i++) {
		/* A copy of its own, so that a byte too many is noticed. */
		copy = malloc(i + 1);
		memcpy(copy, text, i);
		if (!CHECK(harmless(copy, i)))
			printf("#   the first %zu bytes of %s\n", i, path);
		free(copy);
	}
	for (i = 0; i < len; i++) {
		static const char	 other[] = "\n \"#<>{},%()9a\377";
		char			 was = text[i];

		text[i] = other[i % (sizeof(other) - 1)];
		if (!CHECK(harmless(text, len)))
			printf("#   byte %zu of %s\n", i, path);
		text[i] = was;
	}
	free(text);
}

static void
test_print_pieces(void)
{
	char	 b[64];

	check_case("pieces of text");
	CHECK_STR(print_duration(b, sizeof(b), 90 * MS_PER_MIN), "90m");
	CHECK_STR(print_duration(b, sizeof(b), MS_PER_DAY), "24h");
	CHECK_STR(print_duration(b, sizeof(b), 2 * MS_PER_DAY), "2d");
	CHECK_STR(print_duration(b, sizeof(b), 0), "0s");
	CHECK_STR(print_percent(b, sizeof(b), 500), "0.05 %");
	CHECK_STR(print_percent(b, sizeof(b), 1), "0.0001 %");
	CHECK_STR(print_percent(b, sizeof(b), 12345000000), "1,234,500 %");
	CHECK_STR(print_number(b, sizeof(b), 1234567), "1,234,567");
	CHECK_STR(print_number(b, sizeof(b), 123), "123");
	CHECK_STR(print_amount(b, sizeof(b), 150000000000), "1,500 btc");
	CHECK_STR(print_date(b, sizeof(b), 0), "1970-01-01");
}

int
main(void)
{
	test_rules();
	test_aggregates();
	test_statements();
	test_tables();
	test_refusals();
	test_print_pieces();
	test_beginnings("tests/policy/pass/forty.in");
	test_beginnings("tests/policy/pass/sets.in");
	test_beginnings("tests/policy/pass/conditions.in");
	return check_done();
}
