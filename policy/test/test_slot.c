/*
 * What a rule reads, and how a slot is shown: every kind of slot once.
 */
#include <stdlib.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "policy/reads.h"
#include "policy/slot.h"
#include "tests/check.h"

static const char text[] =
	"policy 1\n"
	"default allow\n"
	"trust proven after 3d full at 10d used in 10d upto 9 btc\n"
	"declare kyc number unknown is 0\n"
	"table <makers> of accounts { \"a\" }\n"
	"class large when amount >= 1 btc and age of account < 30d\n"
	"class odd when large and not proven\n"
	"hold \"plain\" when kyc < 2\n"
	"hold \"deep\" when odd and idle > 14d\n"
	"hold \"line\" when sum committed on platform in 24h of odd > "
	    "busy normal by 50 % plus 1 % of hot until learnt 2 % of fund\n"
	"hold \"fraud\" when confirmed fraud in 48h or account in <makers>\n"
	"hold \"last\" when 2 x kyc > 7 or amount > 50 % of hot\n";

static struct policy *policy;
static struct program *program;

static int
rule(const char *name)
{
	int	 r;

	for (r = 0; r < program->n_rules; r++)
		if (strcmp(program->rules[r].name, name) == 0)
			return r;
	printf("not ok no rule %s\n", name);
	exit(1);
}

/* The names of all that a rule reads, one after the other. */
static const char *
reads_text(const char *name)
{
	static char	 buf[4096];
	char		 one[SLOT_TEXT_MAX];
	const struct prog_reads *r = &program->reads[rule(name)];
	size_t		 at = 0;
	int		 i;

	buf[0] = '\0';
	for (i = 0; i < CLASSES_MAX; i++)
		if ((r->classes >> i & 1) != 0)
			at += (size_t)snprintf(buf + at, sizeof(buf) - at,
			    "[%s] ", policy->classes[i].name);
	for (i = 0; i < program->n_slots; i++)
		if ((r->slots[i / 64] >> i % 64 & 1) != 0)
			at += (size_t)snprintf(buf + at, sizeof(buf) - at,
			    "%s; ", slot_name(program, one, sizeof(one), i));
	(void)snprintf(buf + at, sizeof(buf) - at, "%s%s",
	    r->hot ? "hot " : "", r->fund ? "fund" : "");
	return buf;
}

static void
test_reads(void)
{
	struct prog_reads sum;

	check_case("a rule reads what its tests ask for");
	CHECK_STR(reads_text("plain"), "kyc; ");
	CHECK_STR(reads_text("fraud"),
	    "account in <makers>; confirmed fraud in 2d; ");
	CHECK_STR(reads_text("last"), "amount; kyc; hot ");

	check_case("and what its classes do, `proven` as a class only");
	CHECK_STR(reads_text("deep"), "[proven] [large] [odd] "
	    "age of account; amount; idle; ");

	check_case("a line: the normal, how busy it is, what it adds");
	CHECK_STR(reads_text("line"), "sum committed on platform in 24h of "
	    "odd; normal of sum committed on platform in 24h of odd; "
	    "busy in 24h; hot fund");

	check_case("what two read is what either does");
	memset(&sum, 0, sizeof(sum));
	reads_add(&sum, &program->reads[rule("plain")]);
	reads_add(&sum, &program->reads[rule("line")]);
	CHECK(sum.hot && sum.fund && sum.classes == 0);
	CHECK_INT(__builtin_popcountll(sum.slots[0]), 4);
}

static int
slot(const char *name)
{
	char	 one[SLOT_TEXT_MAX];
	int	 i;

	for (i = 0; i < program->n_slots; i++)
		if (strcmp(slot_name(program, one, sizeof(one), i), name) ==
		    0)
			return i;
	printf("not ok no slot %s\n", name);
	exit(1);
}

static const char *
shown(const char *name, int64_t value)
{
	static char	 buf[SLOT_TEXT_MAX];

	return slot_value(program, buf, sizeof(buf), slot(name), value);
}

static void
test_values(void)
{
	const char	*normal = "normal of sum committed on platform in 24h "
			    "of odd";

	check_case("values as people write them");
	CHECK_STR(shown("amount", 150000000), "1.5 btc");
	CHECK_STR(shown("kyc", 12345), "12,345");
	CHECK_STR(shown("idle", 0), "0s");
	CHECK_STR(shown("idle", 59999), "59s");
	CHECK_STR(shown("idle", 61000), "1m 1s");
	CHECK_STR(shown("idle", 2 * MS_PER_HOUR), "2h");
	CHECK_STR(shown("idle", 30 * MS_PER_DAY + 2 * MS_PER_HOUR + 5),
	    "30d 2h");
	CHECK_STR(shown("confirmed fraud in 2d", 1), "yes");
	CHECK_STR(shown("account in <makers>", 0), "no");
	CHECK_STR(shown("busy in 24h", 2050), "2.050");
	CHECK_STR(shown(normal, -1), "unknown");
	CHECK_STR(shown(normal, SAT_PER_BTC), "1 btc");
	CHECK_STR(shown("sum committed on platform in 24h of odd",
	    INT64_MAX), "more than can be counted");
}

static void
test_json(void)
{
	char		 buf[4096];
	struct json	 j;

	check_case("values as JSON");
	json_to_memory(&j, buf, sizeof(buf));
	json_open_object(&j, NULL);
	slot_json(program, &j, slot("amount"), 150000000);
	slot_json(program, &j, slot("kyc"), 12345);
	slot_json(program, &j, slot("idle"), 61000);
	slot_json(program, &j, slot("account in <makers>"), 1);
	slot_json(program, &j, slot("busy in 24h"), 2050);
	slot_json(program, &j, slot("normal of sum committed on platform "
	    "in 24h of odd"), -1);
	slot_json_unknown(program, &j, slot("confirmed fraud in 2d"));
	json_close(&j);
	CHECK(json_end(&j) == RC_OK);
	CHECK_STR(buf, "{\"amount\":\"1.50000000\",\"kyc\":12345,"
	    "\"idle\":61000,\"account in <makers>\":true,"
	    "\"busy in 24h\":2.050,\"normal of sum committed on platform "
	    "in 24h of odd\":null,\"confirmed fraud in 2d\":null}");
}

int
main(void)
{
	struct err	 e = { "" };

	if (policy_load_text(&policy, "t", text, strlen(text), stdout, &e) !=
	    RC_OK || program_new(&program, policy, &e) != RC_OK) {
		printf("not ok load: %s\n", e.text);
		return 1;
	}
	test_reads();
	test_values();
	test_json();
	program_free(&program);
	policy_free(&policy);
	return check_done();
}
