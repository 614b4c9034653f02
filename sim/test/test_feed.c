/*
 * From events to inputs: networks, values, and what the lines before say.
 */
#include "sim/feed.h"
#include "sim/idmap.h"
#include "tests/check.h"
#include "wire/cidr.h"

static struct err	 why;

static const char *
read_back(const char *text)
{
	static char	 buf[64];
	struct cidr	 c;
	int		 i, n = 0;

	if (cidr_parse(&c, text_of(text), &why) != RC_OK)
		return "bad";
	for (i = 0; i < 16; i++)
		n += snprintf(buf + n, sizeof(buf) - (size_t)n, "%02x",
		    c.ip[i]);
	(void)snprintf(buf + n, sizeof(buf) - (size_t)n, "/%d", c.bits);
	return buf;
}

static void
test_networks(void)
{
	static const char *const	 bad[] = { "", "/", "10.0.0",
		"10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ",
		" 10.0.0.0", "10.0.0.01", "10.0.0.256", "10.0.0.0.0",
		"10.0.0.0/1000", "::/129", ":::", "g::", "::1%eth0",
		"10.0.0.0/+8", "1.2.3.4/08x" };
	size_t				 i;

	check_case("feed networks");
	CHECK_STR(read_back("10.1.2.3"),
	    "00000000000000000000ffff0a010203/128");
	CHECK_STR(read_back("10.255.2.3/9"),
	    "00000000000000000000ffff0a800000/105");
	CHECK_STR(read_back("10.1.2.3/0"),
	    "00000000000000000000ffff00000000/96");
	CHECK_STR(read_back("2001:db8:ffff::1/33"),
	    "20010db8800000000000000000000000/33");
	CHECK_STR(read_back("::ffff:10.1.2.3"),
	    "00000000000000000000ffff0a010203/128");
	CHECK_STR(read_back("::/0"), "00000000000000000000000000000000/0");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!CHECK(strcmp(read_back(bad[i]), "bad") == 0))
			printf("#   %s\n", bad[i]);
	}
}

static int64_t
value(enum type type, enum value_kind kind, int64_t number,
    const char *text)
{
	struct scenario_event	 ev;
	int64_t			 v;

	scenario_event_clear(&ev, SCENARIO_FACT, 0);
	ev.value_kind = kind;
	ev.value = number;
	ev.value_text = text_of(text);
	return feed_value(&v, type, &ev, &why) == RC_OK ? v : -1;
}

static void
test_values(void)
{
	check_case("feed values of facts");
	CHECK_INT(value(TYPE_COUNT, VALUE_INTEGER, 3, NULL), 3);
	CHECK_INT(value(TYPE_COUNT, VALUE_INTEGER, -3, NULL), -1);
	CHECK_INT(value(TYPE_COUNT, VALUE_TEXT, 0, "3"), -1);
	CHECK_INT(value(TYPE_COUNT, VALUE_FLAG, 1, NULL), -1);
	CHECK_INT(value(TYPE_AMOUNT, VALUE_TEXT, 0, "0.5"), 50000000);
	CHECK_INT(value(TYPE_AMOUNT, VALUE_INTEGER, 5, NULL), -1);
	CHECK_INT(value(TYPE_FLAG, VALUE_FLAG, 1, NULL), 1);
	CHECK_INT(value(TYPE_FLAG, VALUE_INTEGER, 0, NULL), 0);
	CHECK_INT(value(TYPE_FLAG, VALUE_INTEGER, 2, NULL), -1);
	CHECK_INT(value(TYPE_TIME, VALUE_TEXT, 0, "6h"), 21600000);
	CHECK_INT(value(TYPE_TIME, VALUE_TEXT, 0, "2w"), 1209600000);
	CHECK_INT(value(TYPE_TIME, VALUE_INTEGER, 5, NULL), 5);
	CHECK_INT(value(TYPE_TIME, VALUE_TEXT, 0, "h"), -1);
	CHECK_INT(value(TYPE_TIME, VALUE_TEXT, 0, "6x"), -1);
	CHECK_INT(value(TYPE_TIME, VALUE_TEXT, 0, "-6h"), -1);
}

/* Two spellings of one script are one destination; the cache does not mix
 * up networks. */
static void
test_addresses(void)
{
	static const struct ident_key	 key = { "0123456789abcde" };
	static const struct policy	 policy;
	struct scenario_event		 ev;
	struct feed_item		 a, b;
	struct feed			*f = NULL;
	int				 i;

	check_case("feed addresses");
	CHECK(feed_new(&f, &key, &policy, &why) == RC_OK);
	scenario_event_clear(&ev, SCENARIO_CHAIN_SEEN, 0);
	ev.address = text_of(
	    "bc1qp6k6tux6g3gr3sxw94g9tx4l0cjtu2pt65r6xp");
	CHECK(feed_read(f, &ev, NETWORK_MAIN, false, NULL, &a, &why) ==
	    RC_OK);
	ev.address = text_of(
	    "BC1QP6K6TUX6G3GR3SXW94G9TX4L0CJTU2PT65R6XP");
	for (i = 0; i < 2; i++) {
		CHECK(feed_read(f, &ev, NETWORK_MAIN, false, NULL, &b,
		    &why) == RC_OK);
		CHECK(ident_equal(a.in.script, b.in.script));
		CHECK_INT(b.in.form, FORM_P2WPKH);
	}
	CHECK(feed_read(f, &ev, NETWORK_REGTEST, false, NULL, &b, &why) ==
	    RC_FAILED);
	feed_free(&f);
}

static uint64_t
lo_of(uint64_t i)
{
	return i % 1000 == 1 ? i << 40 : i * UINT64_C(0x9e3779b97f4a7c15);
}

static void
test_idmap(void)
{
	struct idmap	 m = { 0 };
	struct ident	 id = { 0, 7 };
	uint64_t	*v, i, n = 300000;
	bool		 fresh;

	check_case("idmap");
	CHECK(idmap_get(&m, id) == NULL);
	for (i = 0; i < n; i++) {
		/* 0 is an id like any other; some share one slot. */
		id.lo = lo_of(i);
		v = idmap_put(&m, id, &fresh);
		if (!CHECK(v != NULL && fresh))
			break;
		*v = i;
	}
	for (i = 0; i < n; i++) {
		id.lo = lo_of(i);
		v = idmap_get(&m, id);
		if (!CHECK(v != NULL && *v == i))
			break;
	}
	id.lo = lo_of(n);
	CHECK(idmap_get(&m, id) == NULL);
	CHECK_INT(m.count, n);
	idmap_free(&m);
}

int
main(void)
{
	test_networks();
	test_values();
	test_addresses();
	test_idmap();
	return check_done();
}
