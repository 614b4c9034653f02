/*
 * The values of the RFCs, sixty of our own (made by another program), and
 * URIs.
 */
#include "auth/totp.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"

#define DIGITS_20	"12345678901234567890"

static struct totp
seeded(enum totp_hash hash, int digits, const char *seed)
{
	struct totp	 t = { .hash = hash, .digits = digits, .period_s = 30,
	    .seed_len = strlen(seed) };

	memcpy(t.seed, seed, t.seed_len);
	return t;
}

static void
rfc4226(void)
{
	static const char *const want[] = { "755224", "287082", "359152",
	    "969429", "338314", "254676", "287922", "162583", "399871",
	    "520489" };
	struct totp	 t = seeded(TOTP_SHA1, 6, DIGITS_20);
	char		 code[TOTP_CODE_MAX];
	uint64_t	 i;

	check_case("RFC 4226, appendix D");
	for (i = 0; i < 10; i++) {
		totp_code(code, &t, i);
		CHECK_STR(code, want[i]);
	}
}

static void
rfc6238(void)
{
	static const struct {
		int64_t		 t_s;
		const char	*want[3];
	} rows[] = {
		{ 59, { "94287082", "46119246", "90693936" } },
		{ 1111111109, { "07081804", "68084774", "25091201" } },
		{ 1111111111, { "14050471", "67062674", "99943326" } },
		{ 1234567890, { "89005924", "91819424", "93441116" } },
		{ 2000000000, { "69279037", "90698825", "38618901" } },
		{ INT64_C(20000000000), { "65353130", "77737706",
		    "47863826" } },
	};
	const char *const seeds[] = { DIGITS_20, DIGITS_20 "123456789012",
	    DIGITS_20 DIGITS_20 DIGITS_20 "1234" };
	struct totp	 t;
	char		 code[TOTP_CODE_MAX];
	size_t		 i;
	int		 h;

	check_case("RFC 6238, appendix B");
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (h = 0; h < 3; h++) {
			t = seeded((enum totp_hash)(TOTP_SHA1 + h), 8,
			    seeds[h]);
			totp_code(code, &t,
			    (uint64_t)totp_step(&t, rows[i].t_s * 1000));
			CHECK_STR(code, rows[i].want[h]);
		}
}

static bool
vector(const json_t *v)
{
	const char	*alg = json_string_value(json_object_get(v, "alg"));
	const char	*code = json_string_value(json_object_get(v, "code"));
	json_int_t	 t_s = json_integer_value(json_object_get(v, "time"));
	struct totp	 t = { .period_s = 30 };
	int		 n;

	t.hash = strcmp(alg, "sha1") == 0 ? TOTP_SHA1 :
	    strcmp(alg, "sha256") == 0 ? TOTP_SHA256 : TOTP_SHA512;
	t.digits = (int)json_integer_value(json_object_get(v, "digits"));
	n = totp_unbase32(t.seed, sizeof(t.seed), text_of(
	    json_string_value(json_object_get(v, "secret_base32"))));
	if (n < TOTP_SEED_MIN)
		return false;
	t.seed_len = (size_t)n;
	return totp_check(&t, text_of(code), t_s * 1000) == t_s / 30;
}

static void
vectors(void)
{
	json_t	*all, *cases, *v;
	size_t	 i;

	check_case("tests/vectors/totp.json");
	all = json_load_file("tests/vectors/totp.json", 0, NULL);
	cases = json_object_get(all, "cases");
	CHECK_INT(json_array_size(cases), 60);
	json_array_foreach(cases, i, v)
		if (!CHECK(vector(v)))
			printf("# %s\n",
			    json_string_value(json_object_get(v, "id")));
	json_decref(all);
}

static void
drift(void)
{
	struct totp	 t = seeded(TOTP_SHA1, 6, DIGITS_20);
	const int64_t	 at = INT64_C(1795600000) / 30 * 30 * 1000;
	const int64_t	 step = at / 30000;
	char		 code[TOTP_CODE_MAX];

	check_case("one step of drift, no more");
	totp_code(code, &t, (uint64_t)step);
	CHECK_INT(totp_check(&t, text_of(code), at), step);
	CHECK_INT(totp_check(&t, text_of(code), at + 29999), step);
	CHECK_INT(totp_check(&t, text_of(code), at + 59999), step);
	CHECK_INT(totp_check(&t, text_of(code), at + 60000), -1);
	CHECK_INT(totp_check(&t, text_of(code), at - 1), step);
	CHECK_INT(totp_check(&t, text_of(code), at - 30000), step);
	CHECK_INT(totp_check(&t, text_of(code), at - 30001), -1);
	CHECK_INT(totp_step(&t, at - 1), step - 1);
	/* There is nothing before 1970. */
	totp_code(code, &t, 0);
	CHECK_INT(totp_check(&t, text_of(code), 0), 0);
	totp_code(code, &t, UINT64_MAX);
	CHECK_INT(totp_check(&t, text_of(code), 0), -1);
	check_case("what is no code");
	CHECK_INT(totp_check(&t, text_of("755 224"), 0), 0);
	CHECK_INT(totp_check(&t, text_of("755225"), 0), -1);
	CHECK_INT(totp_check(&t, text_of("75522"), 0), -1);
	CHECK_INT(totp_check(&t, text_of("7552244"), 0), -1);
	CHECK_INT(totp_check(&t, text_of("0755224"), 0), -1);
	CHECK_INT(totp_check(&t, text_of("+755224"), 0), -1);
	CHECK_INT(totp_check(&t, text_of(""), 0), -1);
	CHECK_INT(totp_check(&t, text_of("      "), 0), -1);
	CHECK_INT(totp_check(&t, text_of(NULL), 0), -1);
	CHECK_INT(totp_check(&t, (struct text){ "755224\0", 7 }, 0), -1);
}

static void
packed(void)
{
	struct totp	 t, u;
	unsigned char	 p[TOTP_PACKED_MAX];
	size_t		 len;
	int		 h;

	check_case("packed");
	for (h = TOTP_SHA1; h <= TOTP_SHA512; h++) {
		totp_make(&t, (enum totp_hash)h, 6);
		CHECK_INT(t.seed_len, h == TOTP_SHA1 ? 20 :
		    h == TOTP_SHA256 ? 32 : 64);
		len = totp_pack(&t, p);
		CHECK(totp_unpack(&u, p, len, NULL) == RC_OK);
		CHECK(memcmp(&t, &u, sizeof(t)) == 0);
	}
	CHECK(totp_unpack(&u, p, 14, NULL) != RC_OK);
	CHECK(totp_unpack(&u, p, 0, NULL) != RC_OK);
	p[0] = 2;
	CHECK(totp_unpack(&u, p, len, NULL) != RC_OK);
	p[0] = 1;
	p[1] = 4;
	CHECK(totp_unpack(&u, p, len, NULL) != RC_OK);
	p[1] = 1;
	p[2] = 9;
	CHECK(totp_unpack(&u, p, len, NULL) != RC_OK);
	p[2] = 6;
	p[3] = 0;
	CHECK(totp_unpack(&u, p, len, NULL) != RC_OK);
}

static void
base32(void)
{
	static const struct {
		const char	*plain, *code;
	} rows[] = {	/* RFC 4648, 10 */
		{ "", "" }, { "f", "MY======" }, { "fo", "MZXQ====" },
		{ "foo", "MZXW6===" }, { "foob", "MZXW6YQ=" },
		{ "fooba", "MZXW6YTB" }, { "foobar", "MZXW6YTBOI======" },
	};
	static const char *const bad[] = { "M", "MZX", "MZXW6Y", "MZ======",
	    "MY=====", "MY=======", "MY=", "=", "MZXW6YTB========", "M0",
	    "MZXR", "MZXW6YTBO1======", "MY=A====", "MZXW 6YT" };
	unsigned char	 out[16];
	char		 code[32];
	size_t		 i, n;

	check_case("base32");
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		n = strlen(rows[i].plain);
		CHECK_INT(totp_unbase32(out, sizeof(out),
		    text_of(rows[i].code)), n);
		CHECK(memcmp(out, rows[i].plain, n) == 0);
		totp_base32(code, (const unsigned char *)rows[i].plain, n);
		CHECK_INT(strlen(code), TOTP_BASE32_LEN(n));
		CHECK(strncmp(code, rows[i].code, strlen(code)) == 0);
		CHECK_INT(totp_unbase32(out, sizeof(out), text_of(code)), n);
	}
	CHECK_INT(totp_unbase32(out, 16, text_of("mzxw6ytb")), 5);
	CHECK_INT(totp_unbase32(out, 4, text_of("MZXW6YTB")), -1);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!CHECK(totp_unbase32(out, 16, text_of(bad[i])) == -1))
			printf("# %s\n", bad[i]);
}

static void
uris(void)
{
	struct totp		 t = seeded(TOTP_SHA1, 6, DIGITS_20), u;
	struct totp_label	 l = { "Drawbridge", "alice@example.com" }, m;
	char			 uri[TOTP_URI_MAX];
	struct err		 e;

	check_case("otpauth URIs");
	CHECK(totp_uri(uri, &t, &l, &e) == RC_OK);
	CHECK_STR(uri, "otpauth://totp/Drawbridge:alice%40example.com?"
	    "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Drawbridge&"
	    "algorithm=SHA1&digits=6&period=30");
	CHECK(totp_parse(&u, &m, text_of(uri), &e) == RC_OK);
	CHECK(memcmp(&t, &u, sizeof(t)) == 0);
	CHECK_STR(m.issuer, l.issuer);
	CHECK_STR(m.account, l.account);
	/* The longest there can be. */
	memset(&t.seed, 0xff, TOTP_SEED_MAX);
	t.seed_len = TOTP_SEED_MAX;
	t.hash = TOTP_SHA512;
	t.digits = 8;
	t.period_s = 300;
	memset(l.issuer, '/', TOTP_LABEL_MAX - 1);
	memset(l.account, '\xc3', TOTP_LABEL_MAX - 1);
	CHECK(totp_uri(uri, &t, &l, &e) == RC_OK);
	CHECK(totp_parse(&u, &m, text_of(uri), &e) == RC_OK);
	CHECK(memcmp(&t, &u, sizeof(t)) == 0);
	CHECK(memcmp(&l, &m, sizeof(l)) == 0);
	l = (struct totp_label){ "", "bob" };
	CHECK(totp_uri(uri, &t, &l, &e) == RC_OK);
	CHECK(totp_parse(&u, &m, text_of(uri), &e) == RC_OK);
	CHECK(memcmp(&l, &m, sizeof(l)) == 0);
	l = (struct totp_label){ "a:b", "bob" };
	CHECK(totp_uri(uri, &t, &l, &e) != RC_OK);
	l = (struct totp_label){ "a", "b\n" };
	CHECK(totp_uri(uri, &t, &l, &e) != RC_OK);
	l = (struct totp_label){ "a", "" };
	CHECK(totp_uri(uri, &t, &l, &e) != RC_OK);
	check_case("what otpauth URIs leave out");
	CHECK(totp_parse(&u, &m, text_of("otpauth://totp/Shop%3Aeve?"
	    "secret=gezdgnbvgy3tqojqgezdgnbvgy3tqojq"), &e) == RC_OK);
	CHECK(u.hash == TOTP_SHA1 && u.digits == 6 && u.period_s == 30);
	CHECK_STR(m.issuer, "Shop");
	CHECK_STR(m.account, "eve");
}

#define GOOD	"secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

static void
bad_uris(void)
{
	static const char *const bad[] = {
	    "", "otpauth://", "otpauth://totp/", "otpauth://totp/a",
	    "otpauth://hotp/a?" GOOD "&counter=1", "OTPAUTH://totp/a?" GOOD,
	    "https://totp/a?" GOOD, "otpauth://totp/?" GOOD,
	    "otpauth://totp/:a?" GOOD, "otpauth://totp/a:?" GOOD,
	    "otpauth://totp/a:b:c?" GOOD, "otpauth://totp/a%00?" GOOD,
	    "otpauth://totp/a%0a?" GOOD, "otpauth://totp/a%4?" GOOD,
	    "otpauth://totp/a%zz?" GOOD, "otpauth://totp/a b?" GOOD,
	    "otpauth://totp/a?", "otpauth://totp/a?&", "otpauth://totp/a?x",
	    "otpauth://totp/a?" GOOD "&", "otpauth://totp/a?&" GOOD,
	    "otpauth://totp/a?" GOOD "&&digits=6",
	    "otpauth://totp/a?digits=6", "otpauth://totp/a?secret=",
	    "otpauth://totp/a?secret=GEZDGNBVGY3TQ",
	    "otpauth://totp/a?secret=GEZDGNBVGY3TQOJ1",
	    "otpauth://totp/a?" GOOD "&" GOOD,
	    "otpauth://totp/a?" GOOD "&digits=6&digits=8",
	    "otpauth://totp/a?" GOOD "&digits=5",
	    "otpauth://totp/a?" GOOD "&digits=9",
	    "otpauth://totp/a?" GOOD "&digits=06",
	    "otpauth://totp/a?" GOOD "&digits=",
	    "otpauth://totp/a?" GOOD "&digits=6x",
	    "otpauth://totp/a?" GOOD "&period=14",
	    "otpauth://totp/a?" GOOD "&period=301",
	    "otpauth://totp/a?" GOOD "&period=4294967326",
	    "otpauth://totp/a?" GOOD "&algorithm=MD5",
	    "otpauth://totp/a?" GOOD "&algorithm=sha1",
	    "otpauth://totp/a?" GOOD "&algorithm=",
	    "otpauth://totp/a?" GOOD "&image=x",
	    "otpauth://totp/a?" GOOD "&issuer=",
	    "otpauth://totp/a?" GOOD "#x",
	    "otpauth://totp/a:b?" GOOD "&issuer=c",
	    "otpauth://totp/01234567890123456789012345678901234567890123456789"
	    "012345678901234?" GOOD,
	};
	struct totp		 t;
	struct totp_label	 l;
	struct err		 e;
	size_t			 i;

	check_case("URIs that are refused");
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!CHECK(totp_parse(&t, &l, text_of(bad[i]), &e) != RC_OK))
			printf("# %s\n", bad[i]);
	CHECK(totp_parse(&t, &l, text_of(NULL), &e) != RC_OK);
}

int
main(void)
{
	if (sodium_init() < 0)
		return 1;
	rfc4226();
	rfc6238();
	vectors();
	drift();
	packed();
	base32();
	uris();
	bad_uris();
	return check_done();
}
