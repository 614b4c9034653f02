#include "bitcoin/bip32.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "bitcoin/base58.h"
#include "bitcoin/curve.h"
#include "bitcoin/hash.h"

/* BIP32's serialisation, without the checksum. */
#define BYTES_LEN	78

/* What the first four bytes say. */
static const struct version {
	unsigned char	bytes[4];
	bool		test;
	bool		secret;
} versions[] = {
	{ { 0x04, 0x88, 0xb2, 0x1e }, false, false },	/* xpub */
	{ { 0x04, 0x88, 0xad, 0xe4 }, false, true },	/* xprv */
	{ { 0x04, 0x35, 0x87, 0xcf }, true, false },	/* tpub */
	{ { 0x04, 0x35, 0x83, 0x94 }, true, true },	/* tprv */
};
#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

static void
put_be32(unsigned char out[4], uint32_t v)
{
	out[0] = (unsigned char)(v >> 24);
	out[1] = (unsigned char)(v >> 16);
	out[2] = (unsigned char)(v >> 8);
	out[3] = (unsigned char)v;
}

static uint32_t
get_be32(const unsigned char b[4])
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	    (uint32_t)b[2] << 8 | b[3];
}

/* The public key of the secret; false when that is none. */
static bool
fill_public(struct bip32_key *k)
{
	struct curve_point	 p;

	if (!curve_point_of_secret(&p, k->secret))
		return false;
	curve_point_write(k->public, &p);
	return true;
}

enum rc
bip32_of_seed(struct bip32_key *out, enum network net,
    const unsigned char *seed, size_t len, struct err *e)
{
	static const char	 key[] = "Bitcoin seed";
	unsigned char		 sum[SHA512_LEN];

	memset(out, 0, sizeof(*out));
	if (len < 16 || len > 64)
		return err_set(e, "a seed has 16 to 64 bytes, not %zu", len);
	hmac_sha512(sum, key, sizeof(key) - 1, seed, len);
	out->test = net != NETWORK_MAIN;
	out->has_secret = true;
	memcpy(out->secret, sum, 32);
	memcpy(out->chain, sum + 32, 32);
	sodium_memzero(sum, sizeof(sum));
	if (!fill_public(out)) {
		sodium_memzero(out, sizeof(*out));
		return err_set(e, "this seed gives no key; take another");
	}
	return RC_OK;
}

/* The 33 bytes of a key behind everything else. */
static enum rc
read_key(struct bip32_key *out, const unsigned char *bytes, struct err *e)
{
	struct curve_point	 p;

	if (!out->has_secret) {
		if (!curve_point_parse(&p, bytes, sizeof(out->public)))
			return err_set(e, "its public key is not on the "
			    "curve");
		memcpy(out->public, bytes, sizeof(out->public));
		return RC_OK;
	}
	if (bytes[0] != 0)
		return err_set(e, "its version says private, its key does "
		    "not");
	memcpy(out->secret, bytes + 1, sizeof(out->secret));
	if (!fill_public(out))
		return err_set(e, "its private key is 0 or too large");
	return RC_OK;
}

static enum rc
read_bytes(struct bip32_key *out, const unsigned char *b, struct err *e)
{
	static const unsigned char zeros[4];
	size_t			 i = 0;

	while (i < VERSIONS && memcmp(b, versions[i].bytes, 4) != 0)
		i++;
	if (i == VERSIONS)
		return err_set(e, "its version is not of xpub, xprv, tpub or "
		    "tprv");
	out->test = versions[i].test;
	out->has_secret = versions[i].secret;
	out->depth = b[4];
	memcpy(out->parent, b + 5, 4);
	out->child = get_be32(b + 9);
	memcpy(out->chain, b + 13, 32);
	if (out->depth == 0 && memcmp(out->parent, zeros, 4) != 0)
		return err_set(e, "it has depth 0, but a parent");
	if (out->depth == 0 && out->child != 0)
		return err_set(e, "it has depth 0, but is a child");
	return read_key(out, b + 45, e);
}

enum rc
bip32_parse(struct bip32_key *out, const char *text, size_t len,
    struct err *e)
{
	unsigned char	 bytes[BASE58_BYTES_MAX];
	size_t		 n;
	enum rc		 rc;

	memset(out, 0, sizeof(*out));
	rc = base58_decode_check(bytes, &n, text, len, e);
	if (rc == RC_OK && n != BYTES_LEN)
		rc = err_set(e, "it has %zu bytes, not %d", n, BYTES_LEN);
	if (rc == RC_OK)
		rc = read_bytes(out, bytes, e);
	sodium_memzero(bytes, sizeof(bytes));
	if (rc != RC_OK)
		sodium_memzero(out, sizeof(*out));
	return err_wrap(e, rc, "extended key");
}

void
bip32_print(char out[BIP32_TEXT_MAX], const struct bip32_key *k, bool private)
{
	unsigned char	 b[BYTES_LEN];
	char		 text[BASE58_TEXT_MAX + 2];
	size_t		 i = 0, n;

	private = private && k->has_secret;
	while (versions[i].test != k->test || versions[i].secret != private)
		i++;
	memcpy(b, versions[i].bytes, 4);
	b[4] = k->depth;
	memcpy(b + 5, k->parent, 4);
	put_be32(b + 9, k->child);
	memcpy(b + 13, k->chain, 32);
	if (private) {
		b[45] = 0;
		memcpy(b + 46, k->secret, 32);
	} else
		memcpy(b + 45, k->public, 33);
	n = base58_encode_check(text, b, sizeof(b));
	assert(n < BIP32_TEXT_MAX);
	memcpy(out, text, n + 1);
	sodium_memzero(b, sizeof(b));
	sodium_memzero(text, sizeof(text));
}

/* Add the left half of the sum to the parent's key. */
static bool
tweak(struct bip32_key *out, const struct bip32_key *k,
    const unsigned char *left)
{
	struct curve_point	 p;

	if (k->has_secret) {
		memcpy(out->secret, k->secret, sizeof(out->secret));
		return curve_secret_add(out->secret, left) &&
		    fill_public(out);
	}
	if (!curve_point_parse(&p, k->public, sizeof(k->public)) ||
	    !curve_point_add(&p, left))
		return false;
	curve_point_write(out->public, &p);
	return true;
}

enum rc
bip32_child(struct bip32_key *out, const struct bip32_key *k, uint32_t i,
    struct err *e)
{
	struct bip32_key made = { .test = k->test };
	unsigned char	 data[37], sum[SHA512_LEN];
	enum rc		 rc = RC_OK;

	if (k->depth == UINT8_MAX)
		return err_set(e, "a key of depth 255 has no children");
	if ((i & BIP32_HARD) != 0 && !k->has_secret)
		return err_set(e, "child %uh is hardened: only the private "
		    "key has it", (unsigned)(i & ~BIP32_HARD));
	if ((i & BIP32_HARD) != 0) {
		data[0] = 0;
		memcpy(data + 1, k->secret, 32);
	} else
		memcpy(data, k->public, 33);
	put_be32(data + 33, i);
	hmac_sha512(sum, k->chain, sizeof(k->chain), data, sizeof(data));
	made.has_secret = k->has_secret;
	made.depth = (uint8_t)(k->depth + 1);
	bip32_fingerprint(made.parent, k);
	made.child = i;
	memcpy(made.chain, sum + 32, 32);
	if (tweak(&made, k, sum))
		*out = made;
	else
		rc = err_set(e, "child %u gives no key; take the next",
		    (unsigned)(i & ~BIP32_HARD));
	sodium_memzero(data, sizeof(data));
	sodium_memzero(sum, sizeof(sum));
	sodium_memzero(&made, sizeof(made));
	return rc;
}

enum rc
bip32_derive(struct bip32_key *out, const struct bip32_key *k,
    const uint32_t *path, size_t n, struct err *e)
{
	struct bip32_key at = *k;
	enum rc		 rc = RC_OK;
	size_t		 i;

	for (i = 0; rc == RC_OK && i < n; i++)
		rc = bip32_child(&at, &at, path[i], e);
	if (rc == RC_OK)
		*out = at;
	sodium_memzero(&at, sizeof(at));
	return rc;
}

void
bip32_forget_secret(struct bip32_key *k)
{
	k->has_secret = false;
	sodium_memzero(k->secret, sizeof(k->secret));
}

void
bip32_fingerprint(unsigned char out[4], const struct bip32_key *k)
{
	unsigned char	 hash[HASH160_LEN];

	hash160(hash, k->public, sizeof(k->public));
	memcpy(out, hash, 4);
}

bool
bip32_step_parse(uint32_t *out, struct text *t, const char *hard)
{
	uint64_t	 v = 0;
	size_t		 i = 0;

	while (i < t->len && t->p[i] >= '0' && t->p[i] <= '9' &&
	    v < BIP32_HARD)
		v = v * 10 + (unsigned)(t->p[i++] - '0');
	if (i == 0 || v >= BIP32_HARD || (i > 1 && t->p[0] == '0'))
		return false;
	if (i < t->len && t->p[i] != '\0' && strchr(hard, t->p[i]) != NULL) {
		v |= BIP32_HARD;
		i++;
	}
	*out = (uint32_t)v;
	t->p += i;
	t->len -= i;
	return true;
}

enum rc
bip32_path_parse(uint32_t path[BIP32_PATH_MAX], size_t *n, struct text t,
    struct err *e)
{
	size_t	 i = 0;

	*n = 0;
	if (t.len > 0 && t.p[0] == 'm') {
		if (t.len == 1)
			return RC_OK;
		if (t.p[1] != '/' || t.len == 2)
			return err_set(e, "a path goes on with / after m");
		t.p += 2;
		t.len -= 2;
	}
	while (t.len > 0) {
		if (i == BIP32_PATH_MAX)
			return err_set(e, "a path has at most %d steps",
			    BIP32_PATH_MAX);
		if (!bip32_step_parse(&path[i++], &t, "hH'"))
			return err_set(e, "step %zu of the path is not a "
			    "number below 2^31, or has zeros in front", i);
		if (t.len == 0)
			break;
		if (t.p[0] != '/' || t.len == 1)
			return err_set(e, "after step %zu of the path there "
			    "is no / and one more step", i);
		t.p++;
		t.len--;
	}
	*n = i;
	return RC_OK;
}

void
bip32_path_print(char out[BIP32_PATH_TEXT_MAX], const uint32_t *path,
    size_t n)
{
	size_t	 i, at = 0;

	assert(n <= BIP32_PATH_MAX);
	out[0] = '\0';
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, BIP32_PATH_TEXT_MAX - at,
		    "%s%u%s", i > 0 ? "/" : "",
		    (unsigned)(path[i] & ~BIP32_HARD),
		    (path[i] & BIP32_HARD) != 0 ? "h" : "");
	assert(at < BIP32_PATH_TEXT_MAX);
}
