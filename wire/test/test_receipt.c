/*
 * Receipts: fixed bytes, read by hand once; nothing else is one.
 */
#include <sodium.h>
#include <stdlib.h>

#include "tests/check.h"
#include "wire/receipt.h"

static unsigned char	 key[32], secret[64];

static void
example(struct receipt *r)
{
	static const char	 script[] =
		"\x00\x14\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"
		"\x0d\x0e\x0f\x10\x11\x12\x13\x14";

	memset(r, 0, sizeof(*r));
	r->purpose = RECEIPT_PAY;
	memset(r->deployment, 0xd1, sizeof(r->deployment));
	r->network = 3;
	r->epoch = 1;
	r->seq = 4711;
	memset(r->head, 0xae, sizeof(r->head));
	memset(r->policy, 0x90, sizeof(r->policy));
	r->id = text_of("w-1");
	memset(r->account_tag, 0xac, sizeof(r->account_tag));
	r->script.p = script;
	r->script.len = 22;
	r->amount_sat = 50000000;
	r->fee_max_sat = 100000;
	r->expires_ms = INT64_C(1795344397777);
}

static void
make(unsigned char out[RECEIPT_LEN])
{
	unsigned char	 message[RECEIPT_MESSAGE_LEN];
	struct receipt	 r;

	example(&r);
	receipt_pack(&r, out);
	receipt_message(message, out);
	(void)crypto_sign_detached(out + RECEIPT_SIGNED, NULL, message,
	    sizeof(message), secret);
}

/* Every byte of the head of this file's layout, by hand. */
static void
test_golden(void)
{
	static const char	 golden[] =
		"01" "01" "d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1" "03" "01000000"
		"6712000000000000"
		"aeaeaeaeaeaeaeaeaeaeaeaeaeaeaeae"
		"aeaeaeaeaeaeaeaeaeaeaeaeaeaeaeae"
		"90909090909090909090909090909090"
		"90909090909090909090909090909090"
		"03" "772d31"
		"00000000000000000000000000000000000000000000000000000000000000"
		"000000000000000000000000000000000000000000000000000000000000"
		"acacacacacacacacacacacacacacacac"
		"16" "00140102030405060708090a0b0c0d0e0f1011121314"
		"0000000000000000000000000000000000000000"
		"80f0fa0200000000" "a086010000000000" "d175dd02a2010000";
	unsigned char		 bytes[RECEIPT_LEN];
	char			 hex[2 * RECEIPT_SIGNED + 1];

	check_case("golden bytes");
	make(bytes);
	(void)sodium_bin2hex(hex, sizeof(hex), bytes, RECEIPT_SIGNED);
	CHECK_STR(hex, golden);
}

static void
test_round(void)
{
	unsigned char	 bytes[RECEIPT_LEN], again[RECEIPT_LEN];
	char		 text[RECEIPT_BASE64_MAX];
	struct receipt	 r;
	struct err	 e;

	check_case("packed, read, packed");
	make(bytes);
	CHECK(receipt_unpack(&r, bytes, &e) == RC_OK);
	CHECK(text_equal(r.id, text_of("w-1")));
	CHECK_INT(r.script.len, 22);
	CHECK_INT(r.seq, 4711);
	CHECK_INT(r.amount_sat, 50000000);
	receipt_pack(&r, again);
	CHECK(memcmp(bytes, again, RECEIPT_LEN) == 0);
	CHECK(receipt_verify(bytes, key));
	check_case("as base64 and back");
	CHECK_INT(strlen(receipt_text(text, bytes)), RECEIPT_BASE64_MAX - 4);
	CHECK(receipt_of_text(again, text_of(text), &e) == RC_OK);
	CHECK(memcmp(bytes, again, RECEIPT_LEN) == 0);
	text[0] = ' ';
	CHECK(receipt_of_text(again, text_of(text), &e) != RC_OK);
	CHECK(receipt_of_text(again, text_of(""), &e) != RC_OK);
	/* One byte less, and what it lacks in unused bits. */
	(void)receipt_text(text, bytes);
	text[strlen(text) - 4] = '\0';
	CHECK(receipt_of_text(again, text_of(text), &e) != RC_OK);
}

static void
test_flipped(void)
{
	unsigned char	 bytes[RECEIPT_LEN];
	int		 i, good = 0;

	check_case("every bit flipped");
	make(bytes);
	for (i = 0; i < RECEIPT_LEN * 8; i++) {
		bytes[i / 8] ^= (unsigned char)(1 << i % 8);
		good += receipt_verify(bytes, key);
		bytes[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	CHECK_INT(good, 0);
	CHECK(receipt_verify(bytes, key));
	check_case("another engine's key");
	key[3] ^= 1;
	CHECK(!receipt_verify(bytes, key));
	key[3] ^= 1;
}

static bool
reads(size_t at, unsigned char value)
{
	unsigned char	 bytes[RECEIPT_LEN];
	struct receipt	 r;
	struct err	 e;

	make(bytes);
	bytes[at] = value;
	return receipt_unpack(&r, bytes, &e) == RC_OK;
}

static void
test_strict(void)
{
	size_t	 i;

	check_case("what is no receipt");
	CHECK(!reads(0, 0) && !reads(0, 2));		/* version */
	CHECK(!reads(1, 0) && !reads(1, 5));		/* purpose */
	CHECK(reads(1, 2) && reads(1, 3));
	CHECK(!reads(1, 4));		/* a standing pays nobody */
	CHECK(!reads(18, 4) && reads(18, 0));		/* network */
	CHECK(!reads(95, 0) && !reads(95, 65));		/* id */
	CHECK(!reads(176, 0) && !reads(176, 43));	/* script */
	check_case("padding");
	CHECK(!reads(95, 2));
	for (i = 99; i < 160; i++)
		CHECK(!reads(i, 1));
	for (i = 177 + 22; i < 219; i++)
		CHECK(!reads(i, 1));
	check_case("numbers in range");
	CHECK(!reads(226, 0x80) && !reads(226, 1));	/* amount */
	CHECK(!reads(234, 0x80) && !reads(242, 0x80));
}

static bool
stands(size_t at, unsigned char value)
{
	unsigned char	 bytes[RECEIPT_LEN];
	struct receipt	 r;
	struct err	 e;

	example(&r);
	r.purpose = RECEIPT_STANDING;
	r.id.len = r.script.len = 0;
	r.amount_sat = r.fee_max_sat = r.expires_ms = 0;
	memset(r.account_tag, 0, sizeof(r.account_tag));
	receipt_pack(&r, bytes);
	bytes[at] = value;
	return receipt_unpack(&r, bytes, &e) == RC_OK;
}

static void
test_purposes(void)
{
	unsigned char	 bytes[RECEIPT_LEN];
	struct receipt	 r;
	struct err	 e;
	size_t		 i;

	check_case("a burn needs id, script and amount");
	make(bytes);
	bytes[1] = RECEIPT_BURN;
	CHECK(receipt_unpack(&r, bytes, &e) == RC_OK &&
	    r.purpose == RECEIPT_BURN);
	memset(bytes + 176, 0, 43);
	CHECK(receipt_unpack(&r, bytes, &e) != RC_OK);
	make(bytes);
	bytes[1] = RECEIPT_BURN;
	memset(bytes + 95, 0, 65);
	CHECK(receipt_unpack(&r, bytes, &e) != RC_OK);
	check_case("a standing has no id, script, amount");
	CHECK(stands(1, RECEIPT_STANDING));
	for (i = 95; i < 235; i++)
		CHECK(!stands(i, 1));
	CHECK(stands(235, 1) && !stands(242, 0x80));
	for (i = RECEIPT_PAY; i < RECEIPT_STANDING; i++)
		CHECK(!stands(1, (unsigned char)i));
}

int
main(void)
{
	if (sodium_init() < 0)
		return 1;
	(void)crypto_sign_seed_keypair(key, secret,
	    (const unsigned char *)"0123456789abcdef0123456789abcdef");
	test_golden();
	test_round();
	test_flipped();
	test_strict();
	test_purposes();
	return check_done();
}
