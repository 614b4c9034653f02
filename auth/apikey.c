#include "auth/apikey.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/sha256.h"

#define PREFIX_LEN	4
#define CHECK_LEN	6
#define PURPOSE		"drawbridge key 1\n"

static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

static const struct {
	enum apikey_kind kind;
	char		 letter;
	size_t		 body;		/* digits between prefix and check */
} kinds[] = {
	{ APIKEY_KEY, 'k', 26 },
	{ APIKEY_SECRET, 's', 52 },
	{ APIKEY_DOOR, 'x', 26 },
	{ APIKEY_MASTER, 'm', 52 },
};
#define KINDS	(sizeof(kinds) / sizeof(*kinds))

static void
check_of(char out[CHECK_LEN], const char *p, size_t len)
{
	unsigned char	 hash[SHA256_LEN];
	struct sha256	 h;
	uint32_t	 bits;
	int		 i;

	sha256_begin(&h);
	sha256_add(&h, PURPOSE, strlen(PURPOSE));
	sha256_add(&h, p, len);
	sha256_end(&h, hash);
	bits = (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 |
	    (uint32_t)hash[2] << 8 | hash[3];
	for (i = 0; i < CHECK_LEN; i++)
		out[i] = digits[bits >> (27 - 5 * i) & 31];
	sodium_memzero(hash, sizeof(hash));
	sodium_memzero(&h, sizeof(h));
}

void
apikey_make(char out[APIKEY_MAX], enum apikey_kind kind)
{
	size_t	 i, k, len = PREFIX_LEN;

	for (k = 0; k < KINDS && kinds[k].kind != kind; k++)
		;
	assert(k < KINDS);
	memcpy(out, "db?_", PREFIX_LEN);
	out[2] = kinds[k].letter;
	randombytes_buf(out + len, kinds[k].body);
	/* 32 divides 256: every digit is as likely as any. */
	for (i = 0; i < kinds[k].body; i++, len++)
		out[len] = digits[(unsigned char)out[len] & 31];
	check_of(out + len, out, len);
	out[len + CHECK_LEN] = '\0';
}

static bool
is_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7');
}

/* The row of the prefix; KINDS: none. */
static size_t
kind_at(const char *p, size_t len)
{
	size_t	 k;

	if (len < PREFIX_LEN || p[0] != 'd' || p[1] != 'b' || p[3] != '_')
		return KINDS;
	for (k = 0; k < KINDS; k++)
		if (kinds[k].letter == p[2])
			break;
	return k;
}

enum apikey_kind
apikey_check(struct text t)
{
	char	 check[CHECK_LEN];
	size_t	 i, k, len;
	bool	 same;

	if (t.p == NULL || (k = kind_at(t.p, t.len)) == KINDS)
		return APIKEY_NONE;
	len = PREFIX_LEN + kinds[k].body;
	if (t.len != len + CHECK_LEN)
		return APIKEY_NONE;
	for (i = PREFIX_LEN; i < t.len; i++)
		if (!is_digit(t.p[i]))
			return APIKEY_NONE;
	check_of(check, t.p, len);
	same = sodium_memcmp(check, t.p + len, CHECK_LEN) == 0;
	sodium_memzero(check, sizeof(check));
	return same ? kinds[k].kind : APIKEY_NONE;
}

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_';
}

enum apikey_kind
apikey_find(struct text t, size_t *at, size_t *len_out)
{
	enum apikey_kind kind;
	size_t		 i, k, len;

	for (i = *at; t.p != NULL && i < t.len; i++) {
		if ((i > 0 && is_word(t.p[i - 1])) ||
		    (k = kind_at(t.p + i, t.len - i)) == KINDS)
			continue;
		len = PREFIX_LEN + kinds[k].body + CHECK_LEN;
		if (len > t.len - i ||
		    (len < t.len - i && is_word(t.p[i + len])))
			continue;
		kind = apikey_check((struct text){ t.p + i, len });
		if (kind != APIKEY_NONE) {
			*at = i;
			*len_out = len;
			return kind;
		}
	}
	return APIKEY_NONE;
}
