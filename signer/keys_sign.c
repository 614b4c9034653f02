/*
 * Descriptors of the wallet as text, and signatures.
 */
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/hash.h"
#include "signer/keys_inner.h"

#define ORIGIN_MAX	(BIP32_PATH_TEXT_MAX + 16)

/* ---- what comes from the master key ---- */

static void
labelled(unsigned char out[32], const struct bip32_key *master,
    const char *label)
{
	assert(master->has_secret);
	(void)crypto_auth_hmacsha256(out, (const unsigned char *)label,
	    strlen(label), master->secret);
}

void
keys_journal_key(unsigned char out[32], const struct bip32_key *master)
{
	labelled(out, master, "drawbridge signer journal 1");
}

void
keys_pair(unsigned char secret[64], unsigned char public[32],
    const struct bip32_key *master)
{
	unsigned char	 seed[crypto_sign_SEEDBYTES];

	labelled(seed, master, "drawbridge signer key 1");
	(void)crypto_sign_seed_keypair(public, secret, seed);
	sodium_memzero(seed, sizeof(seed));
}

size_t
keys_account_path(uint32_t path[4], const struct sign_settings *s)
{
	path[1] = BIP32_HARD | (s->network == NETWORK_MAIN ? 0 : 1);
	path[2] = BIP32_HARD;
	switch (s->wallet) {
	case SIGN_WPKH:
		path[0] = BIP32_HARD | 84;
		return 3;
	case SIGN_TR:
		path[0] = BIP32_HARD | 86;
		return 3;
	case SIGN_WSH:
		path[0] = BIP32_HARD | 48;
		path[3] = BIP32_HARD | 2;
		return 4;
	}
	abort();
}

/* ---- descriptors ---- */

/* "[FINGERPRINT/PATH]KEY" of our own account. */
struct account_text {
	char		origin[ORIGIN_MAX];
	char		public[BIP32_TEXT_MAX];
	char		shown[BIP32_TEXT_MAX];
};

static enum rc
account_text(struct account_text *out, const struct bip32_key *master,
    const struct sign_settings *s, bool private, struct err *e)
{
	char		 path_text[BIP32_PATH_TEXT_MAX];
	uint32_t	 path[4];
	size_t		 n = keys_account_path(path, s);
	unsigned char	 f[4];
	struct bip32_key account;

	if (bip32_derive(&account, master, path, n, e) != RC_OK)
		return RC_FAILED;
	account.test = s->network != NETWORK_MAIN;
	bip32_fingerprint(f, master);
	bip32_path_print(path_text, path, n);
	(void)snprintf(out->origin, sizeof(out->origin),
	    "[%02x%02x%02x%02x/%s]", f[0], f[1], f[2], f[3], path_text);
	bip32_print(out->public, &account, false);
	bip32_print(out->shown, &account, private);
	bip32_forget_secret(&account);
	return RC_OK;
}

/* A co-signer's key without its origin: what the keys are sorted by. */
static const char *
bare_key(const char *text)
{
	const char	*p = strrchr(text, ']');

	return p != NULL ? p + 1 : text;
}

/* Sorted, so that all signers of a wallet print one text. */
static int
print_keys(char *buf, size_t room, const struct account_text *own,
    const struct sign_settings *s, unsigned branch)
{
	const char	*order[SIGN_COSIGNERS_MAX + 1], *t;
	size_t		 n = 0, i, j;
	int		 len = 0;

	for (i = 0; i <= s->n_cosigners; i++) {
		t = i == 0 ? own->public : s->cosigners[i - 1];
		for (j = n++; j > 0 &&
		    strcmp(bare_key(order[j - 1]), bare_key(t)) > 0; j--)
			order[j] = order[j - 1];
		order[j] = t;
	}
	for (i = 0; i < n && (size_t)len < room; i++)
		len += order[i] == own->public ?
		    snprintf(buf + len, room - (size_t)len, "%s%s%s/%u/*",
		    i > 0 ? "," : "", own->origin, own->shown, branch) :
		    snprintf(buf + len, room - (size_t)len, "%s%s/%u/*",
		    i > 0 ? "," : "", order[i], branch);
	return len;
}

static enum rc
print_wallet(char *buf, size_t room, const struct account_text *own,
    const struct sign_settings *s, unsigned branch, struct err *e)
{
	int	 len = 0;

	switch (s->wallet) {
	case SIGN_WPKH:
		len = snprintf(buf, room, "wpkh(%s%s/%u/*)", own->origin,
		    own->shown, branch);
		break;
	case SIGN_TR:
		len = snprintf(buf, room, "tr(%s%s/%u/*)", own->origin,
		    own->shown, branch);
		break;
	case SIGN_WSH:
		len = snprintf(buf, room, "wsh(sortedmulti(%u,", s->m);
		len += print_keys(buf + len, room - (size_t)len, own, s,
		    branch);
		if ((size_t)len < room)
			len += snprintf(buf + len, room - (size_t)len, "))");
		break;
	}
	if ((size_t)len >= room)
		return err_set(e, "a descriptor that long");
	return RC_OK;
}

enum rc
keys_print(char *buf, size_t room, const struct bip32_key *master,
    const struct sign_settings *s, unsigned branch, bool private,
    struct err *e)
{
	char		 bare[DESCRIPTOR_TEXT_MAX];
	struct account_text own;
	struct descriptor d;
	enum rc		 rc;

	assert(branch < 2 && (master->has_secret || !private));
	rc = account_text(&own, master, s, private, e);
	if (rc == RC_OK)
		rc = print_wallet(bare, sizeof(bare), &own, s, branch, e);
	/* Read back: whatever is printed is a descriptor. */
	if (rc == RC_OK && (rc = descriptor_parse(&d, text_of(bare), false,
	    private, e)) == RC_OK) {
		rc = descriptor_print(buf, room, &d, private, e);
		descriptor_wipe(&d);
	}
	sodium_memzero(&own, sizeof(own));
	sodium_memzero(bare, sizeof(bare));
	return rc;
}

enum rc
keys_descriptor(const struct keys *k, unsigned branch, char *buf,
    size_t room, struct err *e)
{
	size_t	 len;

	assert(branch < 2 && k->has_wallet);
	len = strlen(k->text[branch]);
	if (len >= room)
		return err_set(e, "a descriptor that long");
	memcpy(buf, k->text[branch], len + 1);
	return RC_OK;
}

/* ---- signing ---- */

/* The secret of branch and index, into k->secret->child. */
static bool
child_secret(struct keys *k, const struct key_ref *ref)
{
	const struct parent *p = &k->of[ref->branch][k->ours];
	unsigned char	 data[PUBLIC_KEY_LEN + 4], sum[SHA512_LEN];

	memcpy(data, p->public, PUBLIC_KEY_LEN);
	data[33] = (unsigned char)(ref->index >> 24);
	data[34] = (unsigned char)(ref->index >> 16);
	data[35] = (unsigned char)(ref->index >> 8);
	data[36] = (unsigned char)ref->index;
	hmac512(sum, &p->chain, data, sizeof(data));
	memcpy(k->secret->child, k->secret->branch[ref->branch], 32);
	return curve_secret_add(k->secret->child, sum);
}

static enum rc
sign_v0(struct keys *k, struct psbt *p, size_t in, const struct ours *one,
    const struct sighash *s, struct err *e)
{
	unsigned char	 code[ADDRESS_SCRIPT_MAX], hash[32];
	unsigned char	 sig[CURVE_DER_MAX + 1], public[PUBLIC_KEY_LEN];
	struct text	 t = p->in[in].witness_script, key, value;
	size_t		 len;

	if (k->wallet == SIGN_WPKH) {
		/* BIP143: the script code of P2WPKH is P2PKH's script. */
		t.p = (const char *)code;
		t.len = script_p2pkh(code, one->script + 2);
	}
	sighash_v0(hash, s, in, t, SIGHASH_ALL);
	len = curve_ecdsa_sign(sig, hash, k->secret->child);
	value.p = (const char *)sig;
	value.len = len;
	if (len == 0 || !curve_ecdsa_verify(value, hash, &one->point))
		return err_set(e, "a signature that does not verify");
	sig[value.len++] = SIGHASH_ALL;
	curve_point_write(public, &one->point);
	key.p = (const char *)public;
	key.len = sizeof(public);
	return psbt_put(p, PSBT_IN, in, PSBT_IN_PARTIAL_SIG, key, value, e);
}

static enum rc
sign_tr(struct keys *k, struct psbt *p, size_t in, const struct ours *one,
    const struct sighash *s, uint8_t type, struct err *e)
{
	unsigned char	 hash[32], sig[65];
	struct text	 none = { NULL, 0 };
	struct text	 value = { (const char *)sig, 64 };

	if (!sighash_v1(hash, s, in, type) ||
	    !curve_tap_secret_of(k->secret->tap, k->secret->child,
	    &one->point, NULL))
		return err_set(e, "no hash or no key to sign");
	/* The output key is the script's last 32 bytes. */
	if (!curve_schnorr_sign_as(sig, hash, k->secret->tap,
	    one->script + 2))
		return err_set(e, "a signature that does not verify");
	if (type != SIGHASH_DEFAULT)
		sig[value.len++] = type;
	return psbt_put(p, PSBT_IN, in, PSBT_IN_TAP_KEY_SIG, none, value, e);
}

enum rc
keys_sign(struct keys *k, struct psbt *p, size_t in,
    const struct key_ref *ref, const struct sighash *s, uint8_t type,
    struct err *e)
{
	const struct ours *one;
	enum rc		 rc;

	assert(ref->branch < 2 && k->has_wallet);
	if ((one = keys_one(k, ref)) == NULL)
		return err_set(e, "no such key");
	if (!child_secret(k, ref))
		rc = err_set(e, "no such key");
	else if (k->wallet == SIGN_TR)
		rc = sign_tr(k, p, in, one, s, type, e);
	else
		rc = sign_v0(k, p, in, one, s, e);
	sodium_memzero(k->secret->child, sizeof(k->secret->child));
	sodium_memzero(k->secret->tap, sizeof(k->secret->tap));
	return err_wrap(e, rc, "input %zu", in);
}
