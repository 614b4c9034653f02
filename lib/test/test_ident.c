#include "tests/check.h"

#include <inttypes.h>

#include "lib/ident.h"

/*
 * SipHash-2-4 over the bytes 0, 1, 2, ... under the key 0 .. 15: first
 * values of the reference implementation's published table.
 */
static void
test_reference(void)
{
	struct ident_key	 key;
	unsigned char		 in[16];
	size_t			 i;

	check_case("SipHash-2-4 as its authors publish it");
	for (i = 0; i < 16; i++)
		key.bytes[i] = in[i] = (unsigned char)i;
	CHECK(ident_prf(&key, in, 0) == UINT64_C(0x726fdb47dd0e0e31));
	CHECK(ident_prf(&key, in, 1) == UINT64_C(0x74f839c593dc67fd));
	CHECK(ident_prf(&key, in, 15) == UINT64_C(0xa129ca6149be45e5));
}

static void
test_ident(void)
{
	struct ident_key	 key = { { 1, 2, 3 } }, other = { { 9 } };
	struct ident		 ids[512], none = { 0, 0 };
	unsigned char		 text[2];
	size_t			 i, k;

	check_case("fingerprints depend on every byte, the length, the key");
	for (i = 0; i < 256; i++) {
		text[0] = (unsigned char)i;
		text[1] = 0;
		ids[2 * i] = ident_of(&key, text, 1);
		ids[2 * i + 1] = ident_of(&key, text, 2);
	}
	for (i = 0; i < 512; i++)
		for (k = 0; k < i; k++)
			CHECK(!ident_equal(ids[i], ids[k]));
	text[0] = 0;
	CHECK(!ident_equal(ids[0], ident_of(&other, text, 1)));
	CHECK(ident_equal(ids[0], ident_of(&key, text, 1)));
	check_case("no string has the fingerprint of none");
	CHECK(ident_none(none));
	CHECK(!ident_none(ident_of(&key, "", 0)));
	for (i = 0; i < 512; i++)
		CHECK(!ident_none(ids[i]));
}

int
main(void)
{
	test_reference();
	test_ident();
	return check_done();
}
