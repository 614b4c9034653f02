#include "auth/apikey.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>

#include "tests/check.h"

#define MANY	20000

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

static const struct {
	enum apikey_kind kind;
	const char	*prefix;
	size_t		 len;
} kinds[] = {
	{ APIKEY_KEY, "dbk_", 36 },
	{ APIKEY_SECRET, "dbs_", 62 },
	{ APIKEY_DOOR, "dbx_", 36 },
	{ APIKEY_MASTER, "dbm_", 62 },
};
#define KINDS	(sizeof(kinds) / sizeof(*kinds))

static void
forms(void)
{
	char	 s[APIKEY_MAX], t[APIKEY_MAX];
	size_t	 k;

	check_case("forms");
	for (k = 0; k < KINDS; k++) {
		apikey_make(s, kinds[k].kind);
		apikey_make(t, kinds[k].kind);
		CHECK_INT(strlen(s), kinds[k].len);
		CHECK(strncmp(s, kinds[k].prefix, 4) == 0);
		CHECK(strspn(s + 4, alphabet) == kinds[k].len - 4);
		CHECK(strcmp(s, t) != 0);
		CHECK_INT(apikey_check(text_of(s)), kinds[k].kind);
	}
}

/* Fixed for good: keys that were given out must stay good.  The checks were
 * computed apart from this code, with Python's hashlib. */
static void
known(void)
{
	check_case("known keys");
	CHECK_INT(apikey_check(text_of("dbk_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "stg46k")), APIKEY_KEY);
	CHECK_INT(apikey_check(text_of("dbs_abcdefghijklmnopqrstuvwxyz"
	    "abcdefghijklmnopqrstuvwxyz" "uuz5mb")), APIKEY_SECRET);
	CHECK_INT(apikey_check(text_of("dbx_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "jw76fz")), APIKEY_DOOR);
	/* Another prefix is another key. */
	CHECK_INT(apikey_check(text_of("dbx_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "stg46k")), APIKEY_NONE);
	CHECK_INT(apikey_check(text_of("")), APIKEY_NONE);
	CHECK_INT(apikey_check(text_of(NULL)), APIKEY_NONE);
	CHECK_INT(apikey_check(text_of("dbk_")), APIKEY_NONE);
}

/* Every character replaced by every other byte, left out, doubled or swapped
 * with the next. */
static void
typos(void)
{
	char	 s[APIKEY_MAX], t[APIKEY_MAX + 1];
	size_t	 i, k, passed = 0;
	int	 c;

	check_case("typing errors");
	for (k = 0; k < KINDS; k++) {
		apikey_make(s, kinds[k].kind);
		for (i = 0; i < kinds[k].len; i++) {
			for (c = 0; c < 256; c++) {
				memcpy(t, s, sizeof(s));
				t[i] = (char)c;
				passed += t[i] != s[i] && apikey_check(
				    (struct text){ t, kinds[k].len }) !=
				    APIKEY_NONE;
			}
			memcpy(t, s, i);
			memcpy(t + i, s + i + 1, kinds[k].len - i);
			passed += apikey_check(text_of(t)) != APIKEY_NONE;
			memcpy(t + i, s + i, kinds[k].len - i + 1);
			memmove(t + i + 1, s + i, kinds[k].len - i + 1);
			passed += apikey_check(text_of(t)) != APIKEY_NONE;
			passed += apikey_check((struct text){ s, i }) !=
			    APIKEY_NONE;
		}
	}
	/* 30 bits of check over 60,000 trials. */
	CHECK_INT(passed, 0);
}

/* Each digit in each of the random places, about as often. */
static void
uniform(void)
{
	static unsigned	 count[32];
	char		 s[APIKEY_MAX];
	const char	*at;
	unsigned	 least = UINT32_MAX, most = 0;
	int		 i, k;

	check_case("uniform");
	for (i = 0; i < MANY; i++) {
		apikey_make(s, APIKEY_KEY);
		for (k = 4; k < 30; k++)
			if ((at = strchr(alphabet, s[k])) != NULL)
				count[at - alphabet]++;
	}
	for (i = 0; i < 32; i++) {
		least = count[i] < least ? count[i] : least;
		most = count[i] > most ? count[i] : most;
	}
	/* 16250 expected, standard deviation 125: eight of them. */
	CHECK(least > 15250 && most < 17250);
}

static void
find(void)
{
	char	 key[APIKEY_MAX], secret[APIKEY_MAX], text[512];
	size_t	 at = 0, len = 0;

	check_case("found in a text");
	apikey_make(key, APIKEY_KEY);
	apikey_make(secret, APIKEY_SECRET);
	snprintf(text, sizeof(text), "dbk_ %s\n{\"secret\":\"%s\"} x%s "
	    "%s_ db %sa %s", key, secret, key, key, key, key);
	CHECK_INT(apikey_find(text_of(text), &at, &len), APIKEY_KEY);
	CHECK(at == 5 && len == 36);
	at += len;
	CHECK_INT(apikey_find(text_of(text), &at, &len), APIKEY_SECRET);
	CHECK(strncmp(text + at, secret, len) == 0 && len == 62);
	at += len;
	/* Three with neighbours are none; the last is. */
	CHECK_INT(apikey_find(text_of(text), &at, &len), APIKEY_KEY);
	CHECK(at + len == strlen(text));
	at += len;
	CHECK_INT(apikey_find(text_of(text), &at, &len), APIKEY_NONE);
	at = 0;
	CHECK_INT(apikey_find(text_of(NULL), &at, &len), APIKEY_NONE);
}

int
main(void)
{
	if (sodium_init() < 0)
		return 1;
	forms();
	known();
	typos();
	uniform();
	find();
	return check_done();
}
