/*
 * What the signer says of its journal, approvals and statements: fixed
 * bytes, canonical, and worth nothing when one bit is another.
 */
#include <sodium.h>
#include <stdlib.h>

#include "lib/sha256.h"
#include "tests/check.h"
#include "wire/bytes.h"
#include "wire/sign.h"

static unsigned char	 key[32], secret[64];
static struct err	 why;

static void
test_head(void)
{
	unsigned char		 b[SIGN_HEAD_LEN], again[SIGN_HEAD_LEN];
	struct sign_head	 h, got;
	int			 i, good = 0;

	check_case("head: layout and signature");
	memset(&h, 0, sizeof(h));
	sign_id_of_key(h.signer, key);
	memset(h.deployment, 0xd1, sizeof(h.deployment));
	h.seq = 0x0102030405060708u;
	memset(h.hash, 0xaa, sizeof(h.hash));
	h.height = 800000;
	h.engine_seq = UINT64_MAX;
	h.epoch = 2;
	sign_head_sign(&h, secret);
	CHECK(sign_head_verify(&h, key));
	sign_head_pack(&h, b);
	CHECK(get_le64(b + 32) == h.seq && b[40] == 0xaa && b[71] == 0xaa &&
	    get_le64(b + 72) == 800000 && get_le64(b + 80) == UINT64_MAX &&
	    get_le64(b + 88) == 2);
	for (i = 0; i < SIGN_HEAD_LEN * 8; i++) {
		b[i / 8] ^= (unsigned char)(1 << i % 8);
		sign_head_unpack(&got, b);
		sign_head_pack(&got, again);
		CHECK(memcmp(b, again, sizeof(b)) == 0);
		good += sign_head_verify(&got, key);
		b[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	CHECK_INT(good, 0);
}

static void
test_burned(void)
{
	unsigned char		 b[SIGN_BURNED_LEN], again[SIGN_BURNED_LEN];
	struct sign_burned	 n, got;
	size_t			 i;
	int			 good = 0;

	check_case("C1: burned: layout and signature");
	memset(&n, 0, sizeof(n));
	n.id = text_of("w-1");
	n.seq = 9;
	n.t_ms = 1795344397777;
	memset(n.commitment, 0xc0, sizeof(n.commitment));
	memset(n.account_tag, 0xac, sizeof(n.account_tag));
	sign_burned_pack(&n, b);
	sign_burned_sign(b, secret);
	CHECK(sign_burned_verify(b, key));
	CHECK(sign_burned_unpack(&got, b, &why) == RC_OK);
	CHECK(text_equal(got.id, n.id) && got.t_ms == n.t_ms &&
	    got.seq == 9 && b[40] == 3);
	sign_burned_pack(&got, again);
	CHECK(memcmp(b, again, sizeof(b)) == 0);
	for (i = 0; i < SIGN_BURNED_LEN * 8; i++) {
		b[i / 8] ^= (unsigned char)(1 << i % 8);
		good += sign_burned_verify(b, key);
		b[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	CHECK_INT(good, 0);
	check_case("burned: padding");
	for (i = 44; i < 105; i++) {
		b[i] ^= 1;
		CHECK(sign_burned_unpack(&got, b, &why) != RC_OK);
		b[i] ^= 1;
	}
	for (i = 161; i < 177; i++) {
		b[i] ^= 1;
		CHECK(sign_burned_unpack(&got, b, &why) != RC_OK);
		b[i] ^= 1;
	}
	b[40] = 0;
	CHECK(sign_burned_unpack(&got, b, &why) != RC_OK);
	b[40] = 65;
	CHECK(sign_burned_unpack(&got, b, &why) != RC_OK);
	b[40] = 3;
	b[160] = 0x80;
	CHECK(sign_burned_unpack(&got, b, &why) != RC_OK);
}

static void
test_entries(void)
{
	unsigned char		 b[SIGN_ENTRY_LEN], again[SIGN_ENTRY_LEN];
	unsigned char		 c[SIGN_APPROVAL_LEN];
	unsigned char		 c2[SIGN_APPROVAL_LEN];
	struct sign_approval	 a, got_a;
	struct sign_entry	 n, got;

	check_case("entries there and back");
	memset(&n, 0xee, sizeof(n));
	n.id = text_of("0123456789012345678901234567890123456789"
	    "012345678901234567890123");
	n.amount_sat = 50000000;
	sign_entry_pack(&n, b);
	CHECK(sign_entry_unpack(&got, b, &why) == RC_OK);
	CHECK(got.amount_sat == n.amount_sat && got.id.len == 64);
	sign_entry_pack(&got, again);
	CHECK(memcmp(b, again, sizeof(b)) == 0);
	b[96] = 0x80;
	CHECK(sign_entry_unpack(&got, b, &why) != RC_OK);
	check_case("approvals there and back");
	memset(&a, 0x55, sizeof(a));
	a.by = text_of("alice");
	a.expires_ms = 1795344397777;
	sign_approval_pack(&a, c);
	CHECK(sign_approval_unpack(&got_a, c, &why) == RC_OK);
	CHECK(text_equal(got_a.by, a.by) && got_a.expires_ms == a.expires_ms);
	sign_approval_pack(&got_a, c2);
	CHECK(memcmp(c, c2, sizeof(c)) == 0);
	c[6] = 'x';
	CHECK(sign_approval_unpack(&got_a, c, &why) != RC_OK);
	c[6] = 0;
	c[0] = 33;
	CHECK(sign_approval_unpack(&got_a, c, &why) != RC_OK);
}

static void
test_commitment(void)
{
	static const char	 bytes[] = "drawbridge payment 1\n"
		"\x80\xf0\xfa\x02\0\0\0\0" "\x51\x20";
	unsigned char		 a[32], b[32];
	struct text		 script = { "\x51\x20", 2 };

	check_case("what an id is bound to");
	sign_commitment(a, script, 50000000);
	sha256(b, bytes, sizeof(bytes) - 1);
	CHECK(memcmp(a, b, 32) == 0);
	sign_commitment(b, script, 50000001);
	CHECK(memcmp(a, b, 32) != 0);
}

static void
fill(struct sign_statement *s, enum sign_purpose p)
{
	memset(s, 0, sizeof(*s));
	s->purpose = p;
	memset(s->deployment, 0xd1, sizeof(s->deployment));
	s->network = 3;
	memset(s->signer, 0x51, sizeof(s->signer));
	s->by = text_of("alice");
	s->answers = 17;
	s->expires_ms = 1795344397777;
	s->id = text_of("w-1");
	s->script = text_of("\x51\x20");
	s->amount_sat = 50000000;
	s->fee_max_sat = 1000;
	s->txid[31] = 0xaa;
	s->outpoint_txid[31] = 0xbb;
	s->outpoint_vout = 4294967295u;
	s->hash[0] = 0xcc;
	s->replaces[0] = 0xdd;
	s->number = 7;
	s->booked = 8;
}

#define ZEROS62	"00000000000000000000000000000000000000000000000000000000000000"

static const char *const	 tails[] = {
	[SIGN_FOR_PAY] = "id: w-1\nscript: 5120\namount: 0.50000000\n"
	    "fee-max: 0.00001000\n",
	[SIGN_FOR_FEE] = "txid: aa" ZEROS62 "\nfee: 0.50000000\n",
	[SIGN_FOR_RESUME] = "",
	[SIGN_FOR_WRITE_OFF] = "id: w-1\noutpoint: bb" ZEROS62
	    ":4294967295\nspent-by: aa" ZEROS62 "\nblock: " ZEROS62 "cc\n",
	[SIGN_FOR_EPOCH] = "epoch: 7\nengine: cc" ZEROS62 "\n",
	[SIGN_FOR_ADOPT] = "engine-sequence: 7\nengine-head: cc" ZEROS62
	    "\nbooked: 8\n",
	[SIGN_FOR_REARM] = "",
	[SIGN_FOR_SETTINGS] = "hash: cc" ZEROS62 "\nreplaces: dd" ZEROS62
	    "\n",
};
static const char *const	 purposes[] = { "", "pay", "fee", "resume",
	"write-off", "epoch", "adopt", "rearm", "settings" };

/* H6: a signature for one thing is worth nothing for another. */
static void
test_statements(void)
{
	char			 text[SIGN_STATEMENT_MAX + 1];
	char			 want[SIGN_STATEMENT_MAX];
	unsigned char		 sig[64];
	struct sign_statement	 s;
	unsigned		 p, q;

	check_case("H6: the text of each purpose, whole");
	for (p = SIGN_FOR_PAY; p <= SIGN_FOR_SETTINGS; p++) {
		fill(&s, (enum sign_purpose)p);
		text[sign_statement_text(text, &s)] = '\0';
		(void)snprintf(want, sizeof(want), "drawbridge signer 1\n"
		    "purpose: %s\n"
		    "deployment: d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1\n"
		    "network: regtest\n"
		    "signer: 51515151515151515151515151515151\n"
		    "operator: alice\nanswers: 17\nexpires: 1795344397777\n"
		    "%s", purposes[p], tails[p]);
		CHECK_STR(text, want);
	}
	check_case("H6: a signature for one purpose is none for another");
	for (p = SIGN_FOR_PAY; p <= SIGN_FOR_SETTINGS; p++) {
		fill(&s, (enum sign_purpose)p);
		sign_statement_sign(sig, &s, secret);
		for (q = SIGN_FOR_PAY; q <= SIGN_FOR_SETTINGS; q++) {
			s.purpose = (enum sign_purpose)q;
			CHECK(sign_statement_verify(&s, key, sig) ==
			    (p == q));
		}
	}
}

#define OTHER(change) do {						\
	fill(&s, SIGN_FOR_PAY);						\
	change;								\
	CHECK(!sign_statement_verify(&s, key, sig));			\
} while (0)

static void
test_statement_fields(void)
{
	char			 longest[64], text[SIGN_STATEMENT_MAX];
	unsigned char		 sig[64];
	struct sign_statement	 s;

	check_case("H6: every field is signed");
	fill(&s, SIGN_FOR_PAY);
	sign_statement_sign(sig, &s, secret);
	CHECK(sign_statement_verify(&s, key, sig));
	OTHER(s.deployment[0] ^= 1);
	OTHER(s.network = 0);
	OTHER(s.signer[15] ^= 1);
	OTHER(s.by = text_of("alicf"));
	OTHER(s.answers++);
	OTHER(s.expires_ms++);
	OTHER(s.id = text_of("w-2"));
	OTHER(s.script = text_of("\x51\x21"));
	OTHER(s.amount_sat++);
	OTHER(s.fee_max_sat++);
	check_case("H6: no id looks like another line");
	OTHER(s.id = text_of("w-1\nscript: 5120"));
	fill(&s, SIGN_FOR_PAY);
	s.id = text_of("a\nb\\");
	text[sign_statement_text(text, &s)] = '\0';
	CHECK(strstr(text, "\nid: a\\x0ab\\x5c\n") != NULL);
	check_case("the longest fit");
	memset(longest, '\n', sizeof(longest));
	s.by.p = s.id.p = s.script.p = longest;
	s.id.len = 64;
	s.by.len = 32;
	s.script.len = 42;
	s.answers = UINT64_MAX;
	s.amount_sat = s.fee_max_sat = INT64_MAX;
	s.expires_ms = INT64_MIN;
	CHECK(sign_statement_text(text, &s) < SIGN_STATEMENT_MAX);
	s.purpose = SIGN_FOR_WRITE_OFF;
	CHECK(sign_statement_text(text, &s) < SIGN_STATEMENT_MAX);
}

int
main(void)
{
	if (sodium_init() < 0)
		return 1;
	(void)crypto_sign_seed_keypair(key, secret,
	    (const unsigned char *)"0123456789abcdef0123456789abcdef");
	test_head();
	test_burned();
	test_entries();
	test_commitment();
	test_statements();
	test_statement_fields();
	return check_done();
}
