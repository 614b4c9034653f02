/*
 *	byte	1, then what; length of account, of id; le64 expires_ms;
 *		nonce (14); account (64) and id (64), zeros after their ends;
 *		keyed hash (32) of all before
 *
 * 186 bytes, a multiple of three: their base64url has no unused bits, so one
 * token has one spelling.
 */
#include "auth/links.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#define VERSION		1
#define NONCE_AT	12
#define ACCOUNT_AT	(NONCE_AT + LINKS_NONCE_LEN)
#define ID_AT		(ACCOUNT_AT + LINKS_NAME_MAX)
#define MAC_AT		(ID_AT + LINKS_NAME_MAX)
#define BYTES		(MAC_AT + VAULT_MAC_LEN)
#define PURPOSE		"drawbridge link 1\n"
#define VARIANT		sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(BYTES % 3 == 0 && BYTES / 3 * 4 == LINKS_TOKEN_LEN,
    "length of a token");

static bool
mac(unsigned char out[VAULT_MAC_LEN], const struct vault *v, size_t nth,
    const unsigned char *p)
{
	unsigned char	 m[sizeof(PURPOSE) - 1 + MAC_AT];

	memcpy(m, PURPOSE, sizeof(PURPOSE) - 1);
	memcpy(m + sizeof(PURPOSE) - 1, p, MAC_AT);
	return vault_mac(v, nth, out, m, sizeof(m));
}

enum rc
links_make(char out[LINKS_TOKEN_LEN + 1], const struct vault *v,
    struct links_token *t, struct err *e)
{
	unsigned char	 p[BYTES];
	size_t		 account = strnlen(t->account, sizeof(t->account));
	size_t		 id = strnlen(t->id, sizeof(t->id));
	int		 i;

	if (account == 0 || account > LINKS_NAME_MAX || id > LINKS_NAME_MAX ||
	    (id == 0 && t->what == LINKS_CANCEL) || t->expires_ms < 0)
		return err_set(e, "link: a name does not fit");
	randombytes_buf(t->nonce, sizeof(t->nonce));
	memset(p, 0, sizeof(p));
	p[0] = VERSION;
	p[1] = (unsigned char)t->what;
	p[2] = (unsigned char)account;
	p[3] = (unsigned char)id;
	for (i = 0; i < 8; i++)
		p[4 + i] = (unsigned char)((uint64_t)t->expires_ms >> 8 * i);
	memcpy(p + NONCE_AT, t->nonce, LINKS_NONCE_LEN);
	memcpy(p + ACCOUNT_AT, t->account, account);
	memcpy(p + ID_AT, t->id, id);
	(void)mac(p + MAC_AT, v, 0, p);
	(void)sodium_bin2base64(out, LINKS_TOKEN_LEN + 1, p, BYTES, VARIANT);
	return RC_OK;
}

static bool
ours(const struct vault *v, const unsigned char p[BYTES])
{
	unsigned char	 want[VAULT_MAC_LEN];
	bool		 good = false;
	size_t		 nth;

	for (nth = 0; mac(want, v, nth, p); nth++)
		good = sodium_memcmp(want, p + MAC_AT, sizeof(want)) == 0 ||
		    good;
	return good;
}

/* One token, one spelling: libsodium takes bytes above 127 for `_`. */
static bool
decode(unsigned char p[BYTES], struct text token)
{
	char	 again[LINKS_TOKEN_LEN + 1];
	size_t	 n = 0;

	if (token.p == NULL || token.len != LINKS_TOKEN_LEN ||
	    sodium_base642bin(p, BYTES, token.p, token.len, NULL, &n, NULL,
	    VARIANT) != 0 || n != BYTES)
		return false;
	(void)sodium_bin2base64(again, sizeof(again), p, BYTES, VARIANT);
	return memcmp(again, token.p, LINKS_TOKEN_LEN) == 0;
}

enum rc
links_check(struct links_token *t, const struct vault *v, struct text token,
    int64_t now_ms, struct err *e)
{
	unsigned char	 p[BYTES];
	uint64_t	 expires = 0;
	int		 i;

	memset(t, 0, sizeof(*t));
	if (!decode(p, token) || p[0] != VERSION || !ours(v, p))
		return err_set(e, "link: not one of ours");
	/* From here on it is what links_make() wrote. */
	for (i = 7; i >= 0; i--)
		expires = expires << 8 | p[4 + i];
	assert(expires <= INT64_MAX);
	if ((int64_t)expires <= now_ms)
		return err_set(e, "link: it has expired");
	assert(p[2] <= LINKS_NAME_MAX && p[3] <= LINKS_NAME_MAX);
	assert(p[1] == LINKS_CANCEL || p[1] == LINKS_FREEZE);
	t->what = (enum links_what)p[1];
	t->expires_ms = (int64_t)expires;
	memcpy(t->nonce, p + NONCE_AT, LINKS_NONCE_LEN);
	memcpy(t->account, p + ACCOUNT_AT, p[2]);
	memcpy(t->id, p + ID_AT, p[3]);
	return RC_OK;
}
