/*
 * What is signed: one text for one content, and no signature is good for
 * anything else.
 */
#include <sodium.h>
#include <stdlib.h>

#include "tests/check.h"
#include "wire/approval.h"

static char	 text_a[APPROVAL_TEXT_MAX];

static struct approval
some(const struct command *c)
{
	struct approval	 a = { .purpose = APPROVAL_ACT, .network = 3,
		.by = text_of("alice"), .answers = 4711,
		.expires_ms = 1795344397777, .command = c,
		.amount_sat = -1 };

	memset(a.deployment, 0xab, sizeof(a.deployment));
	return a;
}

static void
golden(void)
{
	static const char	 head[] = "drawbridge approval 1\n"
		"purpose: act\n"
		"deployment: abababababababababababababababab\n"
		"network: regtest\noperator: alice\nanswers: 4711\n"
		"expires: 1795344397777\ncommand: release\n";
	struct command		 c = { .n = 0 };
	struct approval		 a = some(&c);
	struct err		 e;
	size_t			 len;

	check_case("H6: a release's text names script and amount");
	command_clear(&c, COMMAND_RELEASE, 0);
	c.id = text_of("w-1");
	c.by = a.by;
	a.script = text_of("\x01\x02");
	a.amount_sat = 50000000;
	CHECK(approval_text(text_a, sizeof(text_a), &len, &a, &e) == RC_OK);
	CHECK(len < sizeof(text_a));
	text_a[len] = '\0';
	CHECK(strncmp(text_a, head, sizeof(head) - 1) == 0);
	CHECK(strstr(text_a, "\nid: w-1\n") != NULL);
	CHECK(strstr(text_a, "\nscript: 0102\npays: 0.5") != NULL);
	CHECK(strstr(text_a, "\nhash: ") != NULL);
	CHECK(strstr(text_a, "replaces") == NULL);

	check_case("H6: no text looks like another line");
	c.reason = text_of("x\nhash: 00");
	CHECK(approval_text(text_a, sizeof(text_a), &len, &a, &e) == RC_OK);
	text_a[len] = '\0';
	CHECK(strstr(text_a, "\nreason: x\\x0ahash: 00\n") != NULL);

	check_case("what does not fit is refused");
	CHECK(approval_text(text_a, 100, &len, &a, &e) != RC_OK);
}

/* The signature is good for `a`, and for no other content. */
static void
only_for(const char *name, const struct approval *a, const struct approval *b)
{
	unsigned char	 public_key[32], secret[64], signature[64];
	struct err	 e;

	check_case(name);
	(void)crypto_sign_keypair(public_key, secret);
	CHECK(approval_sign(signature, a, secret, &e) == RC_OK);
	CHECK(approval_verify(a, public_key, signature));
	CHECK(!approval_verify(b, public_key, signature));
	signature[3] ^= 1;
	CHECK(!approval_verify(a, public_key, signature));
}

static void
heads(void)
{
	struct command	 c = { .n = 0 };
	struct approval	 a = some(&c), b;

	command_clear(&c, COMMAND_RESUME, 0);
	c.by = a.by;
	b = a;
	b.purpose = APPROVAL_APPROVE;
	only_for("H6: another purpose", &a, &b);
	b = a;
	b.deployment[15] ^= 1;
	only_for("H6: another deployment", &a, &b);
	b = a;
	b.network = 0;
	only_for("H6: another network", &a, &b);
	b = a;
	b.by = text_of("bob");
	only_for("H6: another person", &a, &b);
	b = a;
	b.answers++;
	only_for("H6: another halt", &a, &b);
	b = a;
	b.expires_ms++;
	only_for("H6: a later end", &a, &b);
}

static void
contents(void)
{
	struct command	 c = { .n = 0 }, d = c;
	struct approval	 a = some(&c), b = some(&d);

	command_clear(&c, COMMAND_RELEASE, 0);
	c.id = text_of("w-1");
	c.by = a.by;
	a.script = text_of("\x01\x02");
	a.amount_sat = 5;
	d = c;
	b = a;
	b.amount_sat = 6;
	only_for("H6: another amount", &a, &b);
	b = a;
	b.script = text_of("\x01\x03");
	only_for("H6: another address", &a, &b);
	b = a;
	b.command = &d;
	d.id = text_of("w-2");
	only_for("H6: another withdrawal", &a, &b);
	d = c;
	d.reason = text_of("because");
	only_for("H6: another reason", &a, &b);
	d = c;
	d.type = COMMAND_DENY;
	only_for("H6: another command", &a, &b);

	command_clear(&c, COMMAND_POLICY, 0);
	c.by = a.by;
	c.body = text_of("files");
	a.script = text_of(NULL);
	d = c;
	b = a;
	b.command = &d;
	d.hash[0] ^= 1;
	only_for("H6: another policy", &a, &b);
	d = c;
	d.body = text_of("filez");
	only_for("H6: another policy under the same hash", &a, &b);
	d = c;
	b.replaces[31] ^= 1;
	only_for("H6: a policy that replaces another", &a, &b);
}

/* The table of drawbridge-operator(1), as this program has it. */
static void
table(void)
{
	static const char *const	 texts[] = { "tightens", "loosens",
		"depends" };
	char				 line[128], want[128];
	bool				 found[COMMAND__END] = { false };
	enum command_type		 t;
	FILE				*f = fopen(
		"man/drawbridge-operator.1", "r");

	check_case("C7c: the manual's table is the program's");
	CHECK(f != NULL);
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		for (t = COMMAND_TICK; t < COMMAND__END; t++) {
			(void)snprintf(want, sizeof(want), ".It %s Ta %s\n",
			    command_type_text(t), texts[command_direction(t)]);
			found[t] |= strcmp(line, want) == 0;
		}
	}
	for (t = COMMAND_TICK; t < COMMAND__END; t++)
		CHECK(found[t] == (command_direction(t) !=
		    DIRECTION_LOOSENS));
	if (f != NULL)
		(void)fclose(f);
	check_case("C7c: what is not known loosens");
	CHECK(command_direction(COMMAND__END) == DIRECTION_LOOSENS);
	CHECK(command_direction((enum command_type)0) == DIRECTION_LOOSENS);
}

int
main(void)
{
	if (sodium_init() == -1)
		return 1;
	golden();
	heads();
	contents();
	table();
	return check_done();
}
