#include "bitcoin/curve.h"

#include <assert.h>
#include <errno.h>
#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_preallocated.h>
#include <secp256k1_schnorrsig.h>
#include <sodium.h>
#include <stdalign.h>
#include <string.h>
#include <sys/random.h>

#include "bitcoin/hash.h"

/* The library's context lives here: there is nothing to allocate or free. */
#define CONTEXT_MAX	1024

static secp256k1_context	*context;
static alignas(64) unsigned char context_room[CONTEXT_MAX];

_Static_assert(sizeof(struct curve_point) == sizeof(secp256k1_pubkey),
    "curve_point is the library's public key");

/* The same bytes under the library's name; copies cost nothing. */
static secp256k1_pubkey
opened(const struct curve_point *p)
{
	secp256k1_pubkey	 key;

	memcpy(key.data, p->opaque, sizeof(key.data));
	return key;
}

static void
closed(struct curve_point *out, const secp256k1_pubkey *key)
{
	memcpy(out->opaque, key->data, sizeof(out->opaque));
}

enum rc
curve_begin(struct err *e)
{
	secp256k1_context	*made;
	unsigned char		 seed[32];
	ssize_t			 n;
	size_t			 need;
	int			 good;

	if (context != NULL)
		return RC_OK;
	need = secp256k1_context_preallocated_size(SECP256K1_CONTEXT_NONE);
	if (need > sizeof(context_room))
		return err_set(e, "libsecp256k1: its context has %zu bytes; "
		    "we have room for %d", need, CONTEXT_MAX);
	do
		n = getrandom(seed, sizeof(seed), 0);
	while (n == -1 && errno == EINTR);
	if (n != (ssize_t)sizeof(seed))
		return err_set(e, "libsecp256k1: no randomness: %s",
		    strerror(errno));
	made = secp256k1_context_preallocated_create(context_room,
	    SECP256K1_CONTEXT_NONE);
	/* What the processor does then depends on the keys less. */
	good = secp256k1_context_randomize(made, seed);
	sodium_memzero(seed, sizeof(seed));
	if (!good)
		return err_set(e, "libsecp256k1: cannot be blinded");
	context = made;
	return RC_OK;
}

bool
curve_secret_ok(const unsigned char secret[32])
{
	assert(context != NULL);
	return secp256k1_ec_seckey_verify(context, secret) == 1;
}

bool
curve_point_of_secret(struct curve_point *out, const unsigned char secret[32])
{
	secp256k1_pubkey	 key;

	assert(context != NULL);
	if (!secp256k1_ec_pubkey_create(context, &key, secret))
		return false;
	closed(out, &key);
	return true;
}

bool
curve_point_parse(struct curve_point *out, const unsigned char *bytes,
    size_t len)
{
	secp256k1_pubkey	 key;

	assert(context != NULL);
	/* The library takes the hybrid form (6 and 7) too; nobody uses it. */
	if (!(len == 33 && (bytes[0] == 2 || bytes[0] == 3)) &&
	    !(len == 65 && bytes[0] == 4))
		return false;
	if (!secp256k1_ec_pubkey_parse(context, &key, bytes, len))
		return false;
	closed(out, &key);
	return true;
}

void
curve_point_write(unsigned char out[33], const struct curve_point *p)
{
	secp256k1_pubkey	 key = opened(p);
	size_t			 len = 33;
	int			 good;

	assert(context != NULL);
	good = secp256k1_ec_pubkey_serialize(context, out, &len, &key,
	    SECP256K1_EC_COMPRESSED);
	assert(good && len == 33);
}

bool
curve_secret_add(unsigned char secret[32], const unsigned char tweak[32])
{
	assert(context != NULL);
	return secp256k1_ec_seckey_tweak_add(context, secret, tweak) == 1;
}

bool
curve_point_add(struct curve_point *p, const unsigned char tweak[32])
{
	secp256k1_pubkey	 key = opened(p);

	assert(context != NULL);
	if (!secp256k1_ec_pubkey_tweak_add(context, &key, tweak))
		return false;
	closed(p, &key);
	return true;
}

void
curve_point_xonly(unsigned char out[32], const struct curve_point *p)
{
	unsigned char	 bytes[33];

	curve_point_write(bytes, p);
	memcpy(out, bytes + 1, 32);
}

/* BIP341: hash_TapTweak(internal || merkle_root). */
static void
tap_tweak(unsigned char out[32], const unsigned char *internal,
    const unsigned char *merkle_root)
{
	struct sha256		 h;

	/* The library's tagged hash knows no instructions for SHA-256. */
	tagged_begin(&h, "TapTweak");
	sha256_add(&h, internal, 32);
	if (merkle_root != NULL)
		sha256_add(&h, merkle_root, 32);
	sha256_end(&h, out);
}

static bool
tap_output(unsigned char out[32], const secp256k1_xonly_pubkey *inner,
    const unsigned char internal[32], const unsigned char *merkle_root)
{
	secp256k1_xonly_pubkey	 outer;
	secp256k1_pubkey	 key;
	unsigned char		 tweak[32];

	tap_tweak(tweak, internal, merkle_root);
	return secp256k1_xonly_pubkey_tweak_add(context, &key, inner,
	    tweak) && secp256k1_xonly_pubkey_from_pubkey(context, &outer,
	    NULL, &key) && secp256k1_xonly_pubkey_serialize(context, out,
	    &outer);
}

bool
curve_tap_output(unsigned char out[32], const unsigned char internal[32],
    const unsigned char *merkle_root)
{
	secp256k1_xonly_pubkey	 inner;

	assert(context != NULL);
	return secp256k1_xonly_pubkey_parse(context, &inner, internal) &&
	    tap_output(out, &inner, internal, merkle_root);
}

bool
curve_tap_output_of(unsigned char out[32], const struct curve_point *internal,
    const unsigned char *merkle_root)
{
	secp256k1_xonly_pubkey	 inner;
	secp256k1_pubkey	 key = opened(internal);
	unsigned char		 bytes[32];

	assert(context != NULL);
	return secp256k1_xonly_pubkey_from_pubkey(context, &inner, NULL,
	    &key) && secp256k1_xonly_pubkey_serialize(context, bytes,
	    &inner) && tap_output(out, &inner, bytes, merkle_root);
}

bool
curve_tap_secret_of(unsigned char out[32], const unsigned char secret[32],
    const struct curve_point *internal, const unsigned char *merkle_root)
{
	unsigned char	 bytes[33], tweak[32];

	curve_point_write(bytes, internal);
	tap_tweak(tweak, bytes + 1, merkle_root);
	/* The library's key pairs would find the output key as well, which
	 * costs as much again.  Whether y is odd is no secret. */
	memmove(out, secret, 32);
	return (bytes[0] == 2 || secp256k1_ec_seckey_negate(context, out)) &&
	    secp256k1_ec_seckey_tweak_add(context, out, tweak);
}

bool
curve_tap_secret(unsigned char out[32], const unsigned char secret[32],
    const unsigned char *merkle_root)
{
	struct curve_point	 internal;

	return curve_point_of_secret(&internal, secret) &&
	    curve_tap_secret_of(out, secret, &internal, merkle_root);
}

/* Below 2^255, so that DER needs no zero in front. */
static bool
has_low_r(const secp256k1_ecdsa_signature *sig)
{
	unsigned char	 compact[64];

	(void)secp256k1_ecdsa_signature_serialize_compact(context, compact,
	    sig);
	return compact[0] < 0x80;
}

size_t
curve_ecdsa_sign(unsigned char out[CURVE_DER_MAX],
    const unsigned char hash[32], const unsigned char secret[32])
{
	secp256k1_ecdsa_signature sig;
	unsigned char		 extra[32] = { 0 };
	uint32_t		 counter = 0;
	size_t			 len = CURVE_DER_MAX, i;
	int			 good;

	assert(context != NULL);
	good = secp256k1_ecdsa_sign(context, &sig, hash, secret, NULL, NULL);
	/* As Bitcoin Core: the counter, little-endian, is extra entropy. */
	while (good && !has_low_r(&sig)) {
		counter++;
		for (i = 0; i < 4; i++)
			extra[i] = (unsigned char)(counter >> 8 * i);
		good = secp256k1_ecdsa_sign(context, &sig, hash, secret,
		    NULL, extra);
	}
	assert(good);		/* Else the secret was none. */
	good = secp256k1_ecdsa_signature_serialize_der(context, out, &len,
	    &sig);
	assert(good && len < CURVE_DER_MAX);
	return len;
}

/*
 * One INTEGER of BIP66 at *at: not negative, no zero more than the sign
 * needs; *at moves behind it.
 */
static bool
der_integer(size_t *at, const unsigned char *b, size_t len)
{
	size_t	 n;

	if (len - *at < 3 || b[*at] != 0x02)
		return false;
	n = b[*at + 1];
	if (n == 0 || n > 33 || n > len - *at - 2)
		return false;
	b += *at + 2;
	if ((b[0] & 0x80) != 0 || (n > 1 && b[0] == 0 && (b[1] & 0x80) == 0))
		return false;
	*at += 2 + n;
	return true;
}

bool
curve_der_strict(struct text der)
{
	const unsigned char *b = (const unsigned char *)der.p;
	size_t	 at = 2;

	if (der.len < 8 || der.len > CURVE_DER_MAX || b[0] != 0x30 ||
	    b[1] != der.len - 2)
		return false;
	return der_integer(&at, b, der.len) &&
	    der_integer(&at, b, der.len) && at == der.len;
}

bool
curve_ecdsa_verify(struct text der, const unsigned char hash[32],
    const struct curve_point *p)
{
	secp256k1_ecdsa_signature sig;
	secp256k1_pubkey	 key = opened(p);

	assert(context != NULL);
	return curve_der_strict(der) &&
	    secp256k1_ecdsa_signature_parse_der(context, &sig,
	    (const unsigned char *)der.p, der.len) &&
	    !secp256k1_ecdsa_signature_normalize(context, NULL, &sig) &&
	    secp256k1_ecdsa_verify(context, &sig, hash, &key);
}

void
curve_schnorr_sign(unsigned char out[64], const unsigned char hash[32],
    const unsigned char secret[32])
{
	secp256k1_keypair	 pair;
	int			 good;

	assert(context != NULL);
	/* No auxiliary data means zeros to the library as well. */
	good = secp256k1_keypair_create(context, &pair, secret) &&
	    secp256k1_schnorrsig_sign32(context, out, hash, &pair, NULL);
	sodium_memzero(&pair, sizeof(pair));
	assert(good);		/* Else the secret was none. */
}

bool
curve_schnorr_sign_as(unsigned char out[64], const unsigned char hash[32],
    const unsigned char secret[32], const unsigned char xonly[32])
{
	secp256k1_keypair	 pair;
	secp256k1_xonly_pubkey	 key;
	unsigned char		 own[32];
	bool			 good;

	assert(context != NULL);
	/* The pair's key is a point already: to find it again from `xonly`
	 * is a square root. */
	good = secp256k1_keypair_create(context, &pair, secret) &&
	    secp256k1_keypair_xonly_pub(context, &key, NULL, &pair) &&
	    secp256k1_xonly_pubkey_serialize(context, own, &key) &&
	    memcmp(own, xonly, sizeof(own)) == 0 &&
	    secp256k1_schnorrsig_sign32(context, out, hash, &pair, NULL) &&
	    secp256k1_schnorrsig_verify(context, out, hash, 32, &key);
	sodium_memzero(&pair, sizeof(pair));
	return good;
}

void
curve_schnorr_sign_aux(unsigned char out[64], const void *msg, size_t len,
    const unsigned char secret[32], const unsigned char aux[32])
{
	secp256k1_schnorrsig_extraparams how =
	    SECP256K1_SCHNORRSIG_EXTRAPARAMS_INIT;
	secp256k1_keypair	 pair;
	unsigned char		 noise[32];
	int			 good;

	assert(context != NULL);
	memcpy(noise, aux, sizeof(noise));
	how.ndata = noise;
	good = secp256k1_keypair_create(context, &pair, secret) &&
	    secp256k1_schnorrsig_sign_custom(context, out, msg, len, &pair,
	    &how);
	sodium_memzero(&pair, sizeof(pair));
	assert(good);
}

bool
curve_schnorr_verify(const unsigned char sig[64], const void *msg,
    size_t len, const unsigned char xonly[32])
{
	secp256k1_xonly_pubkey	 key;

	assert(context != NULL);
	return secp256k1_xonly_pubkey_parse(context, &key, xonly) &&
	    secp256k1_schnorrsig_verify(context, sig, msg, len, &key);
}
