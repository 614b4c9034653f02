/*
 * The signer's settings: read, refused, written again; and which way a
 * change goes, in every part of them.
 */
#include "wire/sign_settings.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/check.h"

static struct err	 why;

#define HEX16	"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1"
#define KEY(c)	c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define FOUNDED	"network main\ndeployment " HEX16 "\nengine " KEY("ee") \
	"\nepoch 3\n"
#define PEOPLE	"operator alice " KEY("a1") " approve\n" \
	"operator bob " KEY("b0") " approve,custodian\n" \
	"operator carol " KEY("c0") " custodian\n"

static const char	 canonical[] = FOUNDED
	"wallet wsh 2 of 3\n"
	"cosigner [00112233/48h/1h/0h/2h]xpubA\n"
	"cosigner [44556677/48h/1h/0h/2h]xpubB\n"
	"cold wpkh(xpubC/0/*)#abcdefgh\n"
	"cold tr(xpubD/0/*)#abcdefgh\n"
	PEOPLE
	"quorum 2\n"
	"per-transaction 50 BTC\n"
	"short-window 144 blocks 100 BTC\n"
	"long-window 2016 blocks 500.00000001 BTC\n"
	"fee 0.01 BTC\n"
	"fee-rate 200 sat/vB\n"
	"spike-fee 0.1 BTC\n"
	"spike-fee-rate 2000.125 sat/vB\n"
	"approve-above 10 BTC\n"
	"change-outputs 16\n"
	"delay 144 blocks\n"
	"sequence-jump 1000000\n";

static bool
parses(const char *text)
{
	struct sign_settings	 s;

	why.text[0] = '\0';
	return sign_settings_parse(&s, "f", text_of(text), &why) == RC_OK;
}

/* The canonical text with one line replaced: `from` by `to`. */
static char *
with(const char *from, const char *to)
{
	static char	 buf[SIGN_SETTINGS_MAX * 2];
	const char	*at = strstr(canonical, from);

	if (!CHECK(at != NULL))
		return buf;
	(void)snprintf(buf, sizeof(buf), "%.*s%s%s", (int)(at - canonical),
	    canonical, to, at + strlen(from));
	return buf;
}

static void
read_with(struct sign_settings *s, const char *from, const char *to)
{
	CHECK(sign_settings_parse(s, "f", text_of(with(from, to)), &why) ==
	    RC_OK);
}

static void
test_round(void)
{
	char			 text[SIGN_SETTINGS_MAX];
	unsigned char		 hash[32], other[32];
	struct sign_settings	 s, t;
	size_t			 len;

	check_case("the canonical text gives itself");
	CHECK(sign_settings_parse(&s, "f", text_of(canonical), &why) ==
	    RC_OK);
	len = sign_settings_print(&s, text, sizeof(text));
	CHECK_INT(len, strlen(canonical));
	CHECK_STR(text, canonical);
	CHECK(s.m == 2 && s.n == 3 && s.n_cosigners == 2 && s.n_cold == 2);
	CHECK_INT(s.fee_rate_max, 200000);
	CHECK_INT(s.spike_rate_max, 2000125);
	CHECK_INT(s.long_max_sat, INT64_C(50000000001));
	CHECK(s.operators[1].approve && s.operators[1].custodian);
	CHECK_INT(sign_settings_print(&s, text, len), 0);
	CHECK_INT(sign_settings_print(&s, text, len + 1), len);
	sign_settings_hash(hash, &s);
	check_case("order and comments change nothing; ceilings may be absent");
	CHECK(sign_settings_parse(&t, "f", text_of(
	    "# by hand\n\n\t wallet   tr # key path\n" PEOPLE FOUNDED),
	    &why) == RC_OK);
	CHECK(t.wallet == SIGN_TR && t.n == 1 && t.tx_max_sat > 0);
	sign_settings_hash(other, &t);
	CHECK(memcmp(hash, other, 32) != 0);
	CHECK(sign_settings_print(&t, text, sizeof(text)) > 0);
	CHECK(sign_settings_parse(&s, "f", text_of(text), &why) == RC_OK);
	sign_settings_hash(hash, &s);
	CHECK(memcmp(hash, other, 32) == 0);
}

static void
test_refused(void)
{
	static const char *const	 bad[][2] = {
		{ "network main\n", "" },
		{ "network main", "network moon" },
		{ HEX16, HEX16 "00" },
		{ KEY("ee"), KEY("EE") },
		{ "epoch 3", "epoch 0" },
		{ "epoch 3", "epoch 4294967296" },
		{ "epoch 3", "epoch 03" },
		{ "epoch 3", "epoch 3\nepoch 3" },
		{ "wsh 2 of 3", "wsh 1 of 3" },		/* C4 */
		{ "wsh 2 of 3", "wsh 1 of 2" },
		{ "wsh 2 of 3", "wsh 3 of 2" },
		{ "wsh 2 of 3", "wsh 2" },
		{ "wsh 2 of 3", "wpkh" },		/* cosigners left */
		{ "wsh 2 of 3", "wsh 3 of 4" },
		{ "xpubB", "xpubB x" },
		{ "[44556677/48h/1h/0h/2h]xpubB",
		    "[00112233/48h/1h/0h/2h]xpubA" },
		{ "cold tr(xpubD/0/*)#abcdefgh",
		    "cold wpkh(xpubC/0/*)#abcdefgh" },
		{ "alice", "al/ice" },
		{ "alice", "bob" },
		{ "alice", "a123456789012345678901234567890123" },
		{ KEY("a1"), KEY("b0") },
		{ "approve\n", "approve,approve\n" },
		{ "approve\n", "all\n" },
		{ "quorum 2", "quorum 0" },
		{ "quorum 2", "quorum 3" },
		{ "per-transaction 50", "per-transaction 100.1" },
		{ "per-transaction 50", "per-transaction 0" },
		{ "per-transaction 50", "per-transaction -1" },
		{ "50 BTC", "50" },
		{ "50 BTC", "50 mBTC" },
		{ "100 BTC", "501 BTC" },
		{ "144 blocks 100", "2017 blocks 100" },
		{ "144 blocks 100", "0 blocks 100" },
		{ "144 blocks 100", "144 100" },
		{ "144 blocks 100", "1 blocks 100" },
		{ "fee 0.01", "fee 0.11" },
		{ "fee-rate 200 ", "fee-rate 2001 " },
		{ "fee-rate 200 ", "fee-rate 1.2345 " },
		{ "fee-rate 200 sat/vB", "fee-rate 200" },
		{ "fee-rate 200 ", "fee-rate 0 " },
		{ "change-outputs 16", "change-outputs 1001" },
		{ "delay 144 blocks", "delay 0 blocks" },
		{ "delay 144 blocks", "delay 144 blocks 5" },
		{ "sequence-jump 1000000", "sequence-jump 0" },
		{ "sequence-jump", "sequence-jumps" },
		{ "quorum 2", "quorum 2 a b c d e f g h i" },
		{ "quorum 2", "quorum 2\x7f" },
		{ "quorum 2", "quorum \xc3\xa9" },
	};
	size_t	 i;

	check_case("what cannot be");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!CHECK(!parses(with(bad[i][0], bad[i][1]))))
			printf("#   %s\n", bad[i][1]);
		CHECK(why.text[0] == 'f' && why.text[1] == ':');
	}
}

static void
test_whole(void)
{
	check_case("who must be there");
	CHECK(!parses(FOUNDED "wallet tr\noperator a " KEY("a1")
	    " approve\nquorum 1\n"));
	CHECK(strstr(why.text, "custodian") != NULL);
	CHECK(!parses(FOUNDED "wallet tr\nquorum 1\n"));
	check_case("C4: half of the keys are not enough");
	CHECK(!parses(FOUNDED "wallet wsh 1 of 2\ncosigner xpubA\n" PEOPLE));
	CHECK(strstr(why.text, "more than half") != NULL);
	CHECK(parses(FOUNDED "wallet wsh 2 of 2\ncosigner xpubA\n" PEOPLE));
	check_case("the line is named");
	CHECK(!parses("network main\n\nepoch x\n"));
	CHECK(strncmp(why.text, "f:3: `epoch`", 12) == 0);
	check_case("none to wait on regtest alone");
	CHECK(parses("network regtest\nwallet wpkh\ndelay 0 blocks\n"
	    "deployment " HEX16 "\nengine " KEY("ee") "\nepoch 1\n" PEOPLE));
}

static void
test_cut(void)
{
	size_t			 page = (size_t)sysconf(_SC_PAGESIZE), len, k;
	size_t			 room = 2 * page;
	struct sign_settings	 s;
	struct text		 t;
	char			*wall;
	unsigned		 taken = 0;

	check_case("every truncation, before a wall");
	wall = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(wall != MAP_FAILED &&
	    mprotect(wall + room, page, PROT_NONE) == 0);
	len = strlen(canonical);
	for (k = 0; k < len; k++) {
		memcpy(wall + room - k, canonical, k);
		t.p = wall + room - k;
		t.len = k;
		taken += sign_settings_parse(&s, "f", t, &why) == RC_OK;
	}
	/* At the ends of lines whose ceiling has a usual value. */
	CHECK(taken >= 13 && taken < 40);
	(void)munmap(wall, room + page);
}

static bool
loosens(const char *from, const char *to)
{
	struct sign_settings	 now, next;
	bool			 yes = true;

	read_with(&now, "quorum 2", "quorum 2");
	read_with(&next, from, to);
	CHECK(sign_settings_compare(&now, &next, &yes, &why) == RC_OK);
	return yes;
}

static void
test_direction(void)
{
	static const char *const	 ways[][3] = {
		{ "tion 50 ", "tion 50.1 ", "tion 49 " },
		{ "144 blocks 100", "143 blocks 100", "145 blocks 100" },
		{ "blocks 100 ", "blocks 101 ", "blocks 99 " },
		{ "2016", "2015", "2017" },
		{ "500.00000001", "500.00000002", "500" },
		{ "fee 0.01", "fee 0.02", "fee 0.005" },
		{ "fee-rate 200 ", "fee-rate 200.001 ", "fee-rate 199 " },
		{ "spike-fee 0.1", "spike-fee 0.2", "spike-fee 0.05" },
		{ "2000.125", "2000.126", "2000.124" },
		{ "above 10 ", "above 11 ", "above 9 " },
		{ "outputs 16", "outputs 17", "outputs 15" },
		{ "delay 144", "delay 143", "delay 145" },
		{ "jump 1000000", "jump 1000001", "jump 999999" },
		{ "cold tr(xpubD/0/*)#abcdefgh\n", "cold tr(xpubE/0/*)\n",
		    "" },
		{ KEY("a1") " approve\n", KEY("a1") " approve,custodian\n",
		    KEY("a1") " approve\n" },
		{ "operator alice", "operator eve " KEY("ef") " approve\n"
		    "operator alice", "operator alice" },
		{ KEY("a1"), KEY("a2"), KEY("a1") },
		{ "alice", "alicia", "alice" },
	};
	struct sign_settings		 now, next;
	bool				 yes = true;
	size_t				 i;

	check_case("loosens, and tightens, part by part");
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!CHECK(loosens(ways[i][0], ways[i][1])) ||
		    !CHECK(!loosens(ways[i][0], ways[i][2])))
			printf("#   %s\n", ways[i][0]);
	}
	CHECK(loosens("quorum 2", "quorum 1"));
	check_case("C7: a custodian less loosens");
	CHECK(loosens("operator carol " KEY("c0") " custodian\n", ""));
	check_case("an approver less does not");
	read_with(&now, PEOPLE, PEOPLE "operator dan " KEY("dd")
	    " approve\n");
	read_with(&next, PEOPLE, PEOPLE);
	CHECK(sign_settings_compare(&now, &next, &yes, &why) == RC_OK);
	CHECK(!yes);
}

static void
test_founded(void)
{
	static const char *const	 others[][2] = {
		{ "network main", "network test" },
		{ "d1\nengine", "d2\nengine" },
		{ KEY("ee"), KEY("ef") },
		{ "epoch 3", "epoch 4" },
		{ "wsh 2 of 3", "wsh 3 of 3" },
		{ "xpubB", "xpubZ" },
	};
	struct sign_settings		 now, next;
	bool				 yes;
	size_t				 i;

	check_case("what was founded cannot change");
	read_with(&now, "quorum 2", "quorum 2");
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		read_with(&next, others[i][0], others[i][1]);
		CHECK(sign_settings_compare(&now, &next, &yes, &why) !=
		    RC_OK);
		CHECK(yes);
	}
}

/* The stricter of any two loosens neither. */
static void
test_stricter(void)
{
	struct sign_settings	 now, next, both;
	bool			 yes = true;

	check_case("the stricter of two, in every part");
	read_with(&now, "quorum 2", "quorum 2");
	read_with(&next, PEOPLE "quorum 2\nper-transaction 50 BTC\n"
	    "short-window 144 blocks 100 BTC\n", "operator bob " KEY("b0")
	    " approve,custodian\noperator eve " KEY("ef") " approve\n"
	    "quorum 1\nper-transaction 60 BTC\n"
	    "short-window 150 blocks 90 BTC\n");
	sign_settings_stricter(&both, &now, &next);
	CHECK_INT(both.tx_max_sat, INT64_C(5000000000));
	CHECK_INT(both.short_max_sat, INT64_C(9000000000));
	CHECK_INT(both.short_blocks, 150);
	CHECK_INT(both.quorum, 2);
	/* bob may approve; carol is a custodian until it is in force. */
	CHECK_INT(both.n_operators, 2);
	CHECK(both.operators[0].approve && both.operators[0].custodian &&
	    !both.operators[1].approve && both.operators[1].custodian);
	CHECK(sign_settings_compare(&now, &both, &yes, &why) == RC_OK);
	CHECK(!yes);
	read_with(&next, "cold tr(xpubD/0/*)#abcdefgh\n", "cold new\n");
	sign_settings_stricter(&both, &now, &next);
	CHECK_INT(both.n_cold, 1);
	CHECK_STR(both.cold[0], "wpkh(xpubC/0/*)#abcdefgh");
}

int
main(void)
{
	test_round();
	test_refused();
	test_whole();
	test_cut();
	test_direction();
	test_founded();
	test_stricter();
	check_case("C3: a block's time");
	CHECK(sign_block_min_ms(0) == 300000 && sign_block_ms(0) == 600000 &&
	    sign_block_min_ms(3) == 0 && sign_block_ms(3) == 0 &&
	    sign_block_min_ms(2) == 300000);
	return check_done();
}
