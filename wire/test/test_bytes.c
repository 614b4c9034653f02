/*
 * Numbers in bytes: there and back, the shortest form only, never past the
 * end.
 */
#include "tests/check.h"
#include "wire/bytes.h"

static void
test_numbers(void)
{
	static const struct {
		uint64_t	 v;
		size_t		 len;
	} cases[] = {
		{ 0, 1 }, { 1, 1 }, { 127, 1 }, { 128, 2 }, { 16383, 2 },
		{ 16384, 3 }, { UINT32_MAX, 5 }, { INT64_MAX, 9 },
		{ (uint64_t)INT64_MAX + 1, 10 }, { UINT64_MAX, 10 },
	};
	static const int64_t	 signeds[] = { 0, -1, 1, -64, 64, INT64_MAX,
		INT64_MIN };
	unsigned char		 buf[VARINT_MAX];
	struct bytes		 b;
	size_t			 i, len, cut;

	check_case("varints there and back, and cut off");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		len = (size_t)(put_varint(buf, cases[i].v) - buf);
		CHECK_INT(len, cases[i].len);
		b = bytes_of(buf, len);
		CHECK(get_varint(&b) == cases[i].v);
		CHECK(!b.bad && bytes_left(&b) == 0);
		for (cut = 0; cut < len; cut++) {
			b = bytes_of(buf, cut);
			CHECK(get_varint(&b) == 0 && b.bad);
		}
	}
	check_case("signed ones");
	for (i = 0; i < sizeof(signeds) / sizeof(signeds[0]); i++) {
		b = bytes_of(buf,
		    (size_t)(put_signed(buf, signeds[i]) - buf));
		CHECK(get_signed(&b) == signeds[i]);
		CHECK(!b.bad && bytes_left(&b) == 0);
	}
	CHECK_INT(put_signed(buf, -64) - buf, 1);
	CHECK_INT(put_signed(buf, 64) - buf, 2);
	check_case("fixed ones are little-endian");
	put_le64(buf, UINT64_C(0x0807060504030201));
	for (i = 0; i < 8; i++)
		CHECK_INT(buf[i], i + 1);
	CHECK(get_le64(buf) == UINT64_C(0x0807060504030201));
	CHECK_INT(get_le32(buf), 0x04030201);
}

static bool
refused(const char *bytes, size_t len)
{
	struct bytes	 b = bytes_of((const unsigned char *)bytes, len);

	return get_varint(&b) == 0 && b.bad && bytes_left(&b) == 0 &&
	    get_byte(&b) == 0;
}

static void
test_refused(void)
{
	struct bytes	 b;

	check_case("longer forms and too large numbers are refused");
	CHECK(refused("\x80\x00", 2));
	CHECK(refused("\xff\x80\x00", 3));
	CHECK(!refused("\x00", 1));
	CHECK(refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
	CHECK(!refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10));
	CHECK(refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01", 11));

	check_case("texts");
	b = bytes_of((const unsigned char *)"\x03" "abcd", 5);
	CHECK(text_equal(get_text(&b, 3), text_of("abc")));
	CHECK_INT(bytes_left(&b), 1);
	b = bytes_of((const unsigned char *)"\x03" "abcd", 5);
	CHECK(get_text(&b, 2).p == NULL && b.bad);
	b = bytes_of((const unsigned char *)"\x05" "abcd", 5);
	CHECK(get_text(&b, 9).p == NULL && b.bad);
	/* An empty one is not an absent one. */
	b = bytes_of((const unsigned char *)"\x00", 1);
	CHECK(get_text(&b, 9).p != NULL && !b.bad);
}

int
main(void)
{
	test_numbers();
	test_refused();
	return check_done();
}
