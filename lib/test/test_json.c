#include "tests/check.h"

#include <jansson.h>
#include <stdlib.h>

#include "lib/json.h"
#include "lib/test/random.h"

static void
test_shape(void)
{
	struct json	 j;
	char		 buf[512];

	check_case("objects, arrays and their commas");
	json_to_memory(&j, buf, sizeof(buf));
	json_open_object(&j, NULL);
	json_put_int(&j, "a", INT64_MIN);
	json_put_uint(&j, "b", UINT64_MAX);
	json_open_array(&j, "c");
	json_put_bool(&j, NULL, true);
	json_put_bool(&j, NULL, false);
	json_put_null(&j, NULL);
	json_open_object(&j, NULL);
	json_close(&j);
	json_open_array(&j, NULL);
	json_close(&j);
	json_close(&j);
	json_put_sat(&j, "d", 123456789);
	json_close(&j);
	CHECK(json_end(&j) == RC_OK);
	CHECK_STR(buf, "{\"a\":-9223372036854775808,"
	    "\"b\":18446744073709551615,\"c\":[true,false,null,{},[]],"
	    "\"d\":\"1.23456789\"}");
}

static void
check_text(const char *text, size_t len, const char *want)
{
	struct json	 j;
	char		 buf[256];

	json_to_memory(&j, buf, sizeof(buf));
	json_put_bytes(&j, NULL, text, len);
	CHECK(json_end(&j) == RC_OK);
	CHECK_STR(buf, want);
}

static void
test_escapes(void)
{
	check_case("escapes");
	check_text("", 0, "\"\"");
	check_text("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
	check_text("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
	check_text("\0\1\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\\u007f\"");
	check_text("\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x89", 9,
	    "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x89\"");
	check_case("what is not UTF-8 becomes U+FFFD");
#define BAD "\xef\xbf\xbd"
	check_text("\xff", 1, "\"" BAD "\"");
	check_text("a\x80z", 3, "\"a" BAD "z\"");
	check_text("\xc0\xaf", 2, "\"" BAD BAD "\"");		/* overlong */
	check_text("\xe0\x80\xaf", 3, "\"" BAD BAD BAD "\"");
	check_text("\xed\xa0\x80", 3, "\"" BAD BAD BAD "\"");	/* surrogate */
	check_text("\xf4\x90\x80\x80", 4, "\"" BAD BAD BAD BAD "\"");
	check_text("\xe2\x82", 2, "\"" BAD BAD "\"");		/* cut */
}

/* Whatever bytes go in, a strict reader takes what comes out. */
static void
test_any_bytes(void)
{
	struct random	 r = { 4 };
	struct json	 j;
	json_error_t	 je;
	json_t		*doc;
	char		 in[24], buf[512];
	size_t		 len, i;
	int		 round;

	check_case("any bytes become a valid document");
	for (round = 0; round < 50000; round++) {
		len = random_next(&r) % sizeof(in);
		for (i = 0; i < len; i++)
			in[i] = (char)(random_next(&r) >> (round % 3 == 0 ?
			    56 : 57));
		json_to_memory(&j, buf, sizeof(buf));
		json_open_object(&j, NULL);
		json_put_bytes(&j, "x", in, len);
		json_close(&j);
		CHECK(json_end(&j) == RC_OK);
		doc = json_loads(buf, JSON_REJECT_DUPLICATES |
		    JSON_ALLOW_NUL, &je);
		if (!CHECK(doc != NULL))
			printf("#   %s: %s\n", buf, je.text);
		if (round % 3 != 0 && doc != NULL)	/* ASCII stays */
			CHECK(json_string_length(json_object_get(doc, "x")) ==
			    len && memcmp(json_string_value(json_object_get(
			    doc, "x")), in, len) == 0);
		json_decref(doc);
	}
}

static void
test_ratio(void)
{
	struct json	 j;
	char		 buf[256];

	check_case("ratios are rounded in integers");
	json_to_memory(&j, buf, sizeof(buf));
	json_open_array(&j, NULL);
	json_put_ratio(&j, NULL, 2, 3, 4);
	json_put_ratio(&j, NULL, 1, 8, 2);
	json_put_ratio(&j, NULL, 0, 5, 1);
	json_put_ratio(&j, NULL, 5, 0, 1);
	json_put_ratio(&j, NULL, 999999, 1000000, 3);
	json_put_ratio(&j, NULL, INT64_MAX, 1, 9);
	json_close(&j);
	CHECK(json_end(&j) == RC_OK);
	CHECK_STR(buf, "[0.6667,0.13,0.0,null,1.000,"
	    "9223372036854775807.000000000]");
}

static void
test_room(void)
{
	struct json	 j;
	char		 buf[16];
	size_t		 room;

	check_case("memory that does not suffice is an error, never overrun");
	for (room = 1; room <= 12; room++) {
		memset(buf, '#', sizeof(buf));
		json_to_memory(&j, buf, room);
		json_put_text(&j, NULL, "12345678");
		CHECK((json_end(&j) == RC_OK) == (room >= 11));
		CHECK(buf[room] == '#' && strlen(buf) < room);
	}
}

static void
test_file(void)
{
	struct json	 j;
	char		*text = NULL;
	size_t		 len = 0, lines = 0, i;
	FILE		*f = open_memstream(&text, &len);
	int		 n;

	check_case("lines longer and more than the chunk");
	json_to_file(&j, f, false);
	for (n = 0; n < 2000; n++) {
		json_open_object(&j, NULL);
		json_put_int(&j, "n", n);
		json_close(&j);
		json_line(&j);
	}
	CHECK(json_end(&j) == RC_OK);
	(void)fclose(f);
	for (i = 0; i < len; i++)
		lines += text[i] == '\n';
	CHECK_INT(lines, 2000);
	CHECK(strncmp(text, "{\"n\":0}\n{\"n\":1}\n", 16) == 0);
	free(text);

	check_case("pretty printing");
	f = open_memstream(&text, &len);
	json_to_file(&j, f, true);
	json_open_object(&j, NULL);
	json_put_int(&j, "a", 1);
	json_open_array(&j, "b");
	json_close(&j);
	json_open_array(&j, "c");
	json_put_int(&j, NULL, 2);
	json_close(&j);
	json_close(&j);
	CHECK(json_end(&j) == RC_OK);
	(void)fclose(f);
	CHECK_STR(text, "{\n  \"a\": 1,\n  \"b\": [],\n  \"c\": [\n    2\n"
	    "  ]\n}\n");
	free(text);

	check_case("a stream that fails is told");
	if ((f = fopen("/dev/full", "w")) != NULL) {
		json_to_file(&j, f, false);
		json_put_int(&j, NULL, 1);
		CHECK(json_end(&j) == RC_FAILED);
		(void)fclose(f);
	}
}

int
main(void)
{
	test_shape();
	test_escapes();
	test_any_bytes();
	test_ratio();
	test_room();
	test_file();
	return check_done();
}
