/*
 * Keys: derived as descriptors say, found by their scripts, and signatures
 * that anybody can verify.
 */
#define _GNU_SOURCE
#define HOSTILE_ALLOC
#include "signer/test/rig.h"

#include "bitcoin/test/hostile.h"
#include "signer/keys_inner.h"

static struct rig r;

static struct text
script_text(const struct descriptor_output *o)
{
	struct text	 t = { (const char *)o->script, o->script_len };

	return t;
}

static void
test_from_seed(void)
{
	/* Made by Python's hmac: who changes a label loses every journal. */
	static const char	 journal[] =
	    "0adc7ed7b07d0a462c9c0754d99d286d4899d8410a0630420f6487c3b0a0ccca";
	static const char	 pair[] =
	    "ae7b4d82d8f496ef6ec12d2f6cedb62c06be3f432f931d2b09891eeca27ac030";
	unsigned char	 seed[32], public[32], secret[64];
	char		 hex[65];
	struct keys	*k = NULL;

	check_case("the journal's key and the signer's, from the seed");
	rig_begin(&r, SIGN_WPKH);
	RIG_MUST(keys_make(&k, r.seed, NULL, &rig_e));
	(void)sodium_bin2hex(hex, sizeof(hex), keys_journal(k), 32);
	CHECK_STR(hex, journal);
	(void)sodium_hex2bin(seed, sizeof(seed), pair, 64, NULL, NULL, NULL);
	(void)crypto_sign_seed_keypair(public, secret, seed);
	CHECK(memcmp(public, keys_signing_public(k), 32) == 0);
	CHECK(memcmp(secret, keys_signing_secret(k), 64) == 0);
	sha256(seed, public, 32);
	CHECK(memcmp(seed, keys_id(k), 16) == 0);
	keys_wipe(&k);
	keys_wipe(&k);
}

/* Beyond the table, whatever was derived before: again, the neighbour, the
 * other branch, and one that is kept in the same place. */
static void
far_ones(const struct keys *k, unsigned b)
{
	const uint32_t	 far[] = { 5000, 5000, 5001, 5000 + FAR_ROOM / 2,
		5000 + FAR_ROOM, 5000 };
	struct descriptor_output o, other;
	struct key_ref	 ref = { (uint8_t)b, 0 };
	size_t		 i;

	rig_script(&r, b, 4999, &other);
	for (i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		ref.index = far[i];
		rig_script(&r, b, far[i], &o);
		CHECK(keys_matches(k, &ref, script_text(&o)));
		CHECK(!keys_matches(k, &ref, script_text(&other)));
		ref.branch ^= 1;
		CHECK(!keys_matches(k, &ref, script_text(&o)));
		ref.branch ^= 1;
	}
}

/* Every script that the descriptors say, and none beyond. */
static void
test_table(enum sign_wallet w, const char *name)
{
	static const uint32_t some[] = { 0, 1, 2, 499, 999, 1000 };
	struct descriptor_output o;
	struct key_ref	 ref;
	const struct keys *k;
	unsigned	 b;
	size_t		 i;

	check_case(name);
	rig_new(&r, w);
	k = r.s->keys;
	CHECK_INT(keys_reached(k), 1000);
	for (b = 0; b < 2; b++) {
		for (i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
			rig_script(&r, b, some[i], &o);
			CHECK(keys_look_up(&ref, k, script_text(&o)) &&
			    ref.branch == b && ref.index == some[i]);
			CHECK(keys_matches(k, &ref, script_text(&o)));
			ref.branch ^= 1;
			CHECK(!keys_matches(k, &ref, script_text(&o)));
			o.script[o.script_len - 1] ^= 1;
			CHECK(!keys_look_up(&ref, k, script_text(&o)));
			o.script[o.script_len - 1] ^= 1;
			o.script_len--;
			CHECK(!keys_look_up(&ref, k, script_text(&o)));
		}
		rig_script(&r, b, 1001, &o);
		CHECK(!keys_look_up(&ref, k, script_text(&o)));
		ref.branch = (uint8_t)b;
		ref.index = 1001;
		CHECK(keys_matches(k, &ref, script_text(&o)));
		far_ones(k, b);
	}
	CHECK(!keys_look_up(&ref, k, text_of("")));
	RIG_MUST(keys_reach(r.s->keys, 0, &rig_e));
	CHECK(!keys_look_up(&ref, k, script_text(&o)));
	RIG_MUST(keys_reach(r.s->keys, 1, &rig_e));
	CHECK(keys_look_up(&ref, k, script_text(&o)) && ref.branch == 1 &&
	    ref.index == 1001);
	RIG_MUST(keys_reach(r.s->keys, 5000, &rig_e));
	CHECK_INT(keys_reached(k), 6000);
	for (i = 0; i <= 6000; i += 600) {
		rig_script(&r, 1, (uint32_t)i, &o);
		CHECK(keys_look_up(&ref, k, script_text(&o)) &&
		    ref.branch == 1 && ref.index == i);
	}
	rig_end(&r);
}

static void
test_claims(void)
{
	struct psbt_path path;
	struct key_ref	 ref;
	struct keys	*k = NULL;

	check_case("a derivation claims a key of ours, or it does not");
	rig_begin(&r, SIGN_WPKH);
	RIG_MUST(keys_make(&k, r.seed, &r.set, &rig_e));
	memset(&path, 0, sizeof(path));
	memcpy(path.fingerprint, k->fingerprint, 4);
	path.path[0] = BIP32_HARD | 84;
	path.path[1] = BIP32_HARD | 1;
	path.path[2] = BIP32_HARD;
	path.path[3] = 1;
	path.path[4] = 77;
	path.n = 5;
	CHECK(keys_claimed(&ref, k, &path) && ref.branch == 1 &&
	    ref.index == 77);
	path.n = 4;
	CHECK(!keys_claimed(&ref, k, &path));
	path.n = 6;
	CHECK(!keys_claimed(&ref, k, &path));
	path.n = 5;
	path.path[3] = 2;
	CHECK(!keys_claimed(&ref, k, &path));
	path.path[3] = 0;
	path.path[4] = BIP32_HARD | 77;
	CHECK(!keys_claimed(&ref, k, &path));
	path.path[4] = 77;
	path.path[2] = BIP32_HARD | 1;
	CHECK(!keys_claimed(&ref, k, &path));
	path.path[2] = BIP32_HARD;
	path.fingerprint[0] ^= 1;
	CHECK(!keys_claimed(&ref, k, &path));
	keys_wipe(&k);
}

/* ---- descriptors ---- */

static void
test_descriptors(enum sign_wallet w, const char *prefix, const char *name)
{
	char		 text[2][DESCRIPTOR_TEXT_MAX];
	char		 shown[DESCRIPTOR_TEXT_MAX];
	struct bip32_key master;
	struct descriptor d;
	struct descriptor_output o, same;
	unsigned	 b;

	check_case(name);
	rig_new(&r, w);
	RIG_MUST(signer_master_of_seed(&master, r.seed, r.set.network,
	    &rig_e));
	RIG_MUST(signer_descriptors(text[0], text[1], &master, &r.set, true,
	    &rig_e));
	for (b = 0; b < 2; b++) {
		CHECK(strncmp(text[b], prefix, strlen(prefix)) == 0);
		CHECK(strstr(text[b], "tprv") != NULL);
		RIG_MUST(descriptor_parse(&d, text_of(text[b]), true, true,
		    &rig_e));
		rig_script(&r, b, 12, &o);
		RIG_MUST(descriptor_derive(&same, &d, b, 12, &rig_e));
		CHECK(text_equal(script_text(&o), script_text(&same)));
		RIG_MUST(keys_descriptor(r.s->keys, b, shown, sizeof(shown),
		    &rig_e));
		CHECK(strstr(shown, "prv") == NULL);
		RIG_MUST(descriptor_parse(&d, text_of(shown), true, false,
		    &rig_e));
		RIG_MUST(descriptor_derive(&same, &d, b, 12, &rig_e));
		CHECK(text_equal(script_text(&o), script_text(&same)));
		CHECK(keys_descriptor(r.s->keys, b, shown, strlen(shown),
		    &rig_e) == RC_FAILED);
	}
	rig_end(&r);
}

/* All signers of a wallet print one text: it can be compared by eye. */
static void
test_one_text(void)
{
	char		 text[3][2][DESCRIPTOR_TEXT_MAX];
	char		 key[3][SIGN_KEY_TEXT_MAX];
	struct bip32_key account, master;
	unsigned char	 seed[32];
	uint64_t	 n;

	check_case("wsh: three signers, one descriptor");
	rig_begin(&r, SIGN_WSH);
	rig_wsh(&r);
	for (n = 0; n < 3; n++)
		rig_cosigner(key[n], SIGN_KEY_TEXT_MAX, &account, n);
	for (n = 0; n < 3; n++) {
		memcpy(r.set.cosigners[0], key[(n + 2) % 3],
		    SIGN_KEY_TEXT_MAX);
		memcpy(r.set.cosigners[1], key[(n + 1) % 3],
		    SIGN_KEY_TEXT_MAX);
		rig_hash(seed, "seed", n);
		RIG_MUST(signer_master_of_seed(&master, seed,
		    r.set.network, &rig_e));
		RIG_MUST(signer_descriptors(text[n][0], text[n][1], &master,
		    &r.set, false, &rig_e));
	}
	CHECK_STR(text[1][0], text[0][0]);
	CHECK_STR(text[2][0], text[0][0]);
	CHECK_STR(text[1][1], text[0][1]);
	CHECK(strcmp(text[0][0], text[0][1]) != 0);

	check_case("wsh: our own key among the co-signers");
	memcpy(r.set.cosigners[0], key[0], SIGN_KEY_TEXT_MAX);
	RIG_MUST(signer_master_of_seed(&master, r.seed, r.set.network,
	    &rig_e));
	CHECK(signer_descriptors(text[0][0], text[0][1], &master, &r.set,
	    false, &rig_e) == RC_FAILED);
}

/* ---- settings later ---- */

static void
cold_text(char *out, uint64_t n, struct descriptor *d)
{
	unsigned char	 seed[32];
	char		 text[256], key[BIP32_TEXT_MAX];
	struct bip32_key master;

	rig_hash(seed, "cold", n);
	RIG_MUST(bip32_of_seed(&master, NETWORK_REGTEST, seed, 32, &rig_e));
	bip32_print(key, &master, false);
	(void)snprintf(text, sizeof(text), n % 2 == 0 ? "sh(wpkh(%s/0/*))" :
	    "wpkh(%s/7)", key);
	RIG_MUST(descriptor_parse(d, text_of(text), false, false, &rig_e));
	RIG_MUST(descriptor_print(out, SIGN_DESCRIPTOR_MAX, d, false,
	    &rig_e));
}

static bool
finds_cold(const struct keys *k, const struct descriptor *d, uint32_t i,
    unsigned branch)
{
	struct descriptor_output o;
	struct key_ref	 ref;

	RIG_MUST(descriptor_derive(&o, d, 0, i, &rig_e));
	if (!keys_look_up(&ref, k, script_text(&o)))
		return false;
	CHECK_INT(ref.branch, branch);
	CHECK_INT(ref.index, descriptor_is_range(d) ? i : 0);
	return true;
}

static void
test_settings(void)
{
	struct descriptor d[3];
	struct keys	*k = NULL;
	struct sign_settings bad;

	check_case("cold descriptors come and go with the settings");
	rig_begin(&r, SIGN_WPKH);
	cold_text(r.set.cold[0], 0, &d[0]);
	cold_text(r.set.cold[1], 1, &d[1]);
	r.set.n_cold = 2;
	RIG_MUST(keys_make(&k, r.seed, NULL, &rig_e));
	RIG_MUST(keys_settings(k, &r.set, &rig_e));
	CHECK(finds_cold(k, &d[0], 0, 2) && finds_cold(k, &d[0], 1000, 2));
	CHECK(!finds_cold(k, &d[0], 1001, 2));
	CHECK(finds_cold(k, &d[1], 0, 3));
	RIG_MUST(keys_reach(k, 10, &rig_e));
	CHECK(finds_cold(k, &d[0], 1010, 2) && finds_cold(k, &d[1], 0, 3));
	cold_text(r.set.cold[0], 2, &d[2]);
	r.set.n_cold = 1;
	RIG_MUST(keys_settings(k, &r.set, &rig_e));
	CHECK(finds_cold(k, &d[2], 1010, 2));
	CHECK(!finds_cold(k, &d[0], 0, 2) && !finds_cold(k, &d[1], 0, 3));
	CHECK_INT(keys_reached(k), 1010);

	check_case("settings that cannot be leave all as it was");
	bad = r.set;
	(void)snprintf(bad.cold[0], sizeof(bad.cold[0]), "pkh(02)");
	CHECK(keys_settings(k, &bad, &rig_e) == RC_FAILED);
	CHECK(finds_cold(k, &d[2], 1010, 2));
	keys_wipe(&k);
	CHECK(keys_make(&k, r.seed, &bad, &rig_e) == RC_FAILED && k == NULL);
	RIG_MUST(keys_make(&k, r.seed, NULL, &rig_e));
	CHECK(keys_settings(k, &bad, &rig_e) == RC_FAILED);
	RIG_MUST(keys_settings(k, &r.set, &rig_e));
	CHECK(finds_cold(k, &d[2], 7, 2));
	keys_wipe(&k);

	check_case("a co-signer's key of another network");
	rig_begin(&r, SIGN_WSH);
	rig_wsh(&r);
	r.set.network = NETWORK_MAIN;
	CHECK(keys_make(&k, r.seed, &r.set, &rig_e) == RC_FAILED && k == NULL);
}

/* ---- no memory ---- */

static void
test_no_memory(void)
{
	struct descriptor d;
	struct keys	*k = NULL;
	unsigned long	 n;
	long		 live;
	enum rc		 rc;

	check_case("no memory for keys: nothing is there, nothing leaks");
	rig_begin(&r, SIGN_WPKH);
	cold_text(r.set.cold[0], 0, &d);
	r.set.n_cold = 1;
	/* What is allocated once and stays. */
	RIG_MUST(keys_make(&k, r.seed, &r.set, &rig_e));
	keys_wipe(&k);
	for (n = 1;; n++) {
		live = hostile_live;
		hostile_fail(n);
		rc = keys_make(&k, r.seed, &r.set, &rig_e);
		if (!hostile_end())
			break;
		CHECK(rc == RC_FAILED && k == NULL);
		CHECK_INT(hostile_live, live);
	}
	CHECK(n > 3);
	check_case("no memory for more: what is there stays");
	for (n = 1;; n++) {
		hostile_fail(n);
		rc = keys_reach(k, 3000, &rig_e);
		if (!hostile_end())
			break;
		CHECK(rc == RC_FAILED);
		CHECK_INT(keys_reached(k), 1000);
		CHECK(finds_cold(k, &d, 1000, 2));
		CHECK(!finds_cold(k, &d, 1001, 2));
	}
	CHECK(n > 3);
	CHECK(rc == RC_OK);
	CHECK(finds_cold(k, &d, 4000, 2));
	keys_wipe(&k);
}

/* ---- signing ---- */

/* Each signature, by other code than made it. */
static void
test_signatures(enum sign_wallet w, const char *name)
{
	static struct rig_tx t;
	static const uint32_t at[] = { 0, 1000, 1001, 0x7fffffff };
	struct psbt	*p;
	struct tx_out	 spent[4];
	struct sighash	 h;
	struct descriptor_output o;
	struct key_ref	 ref;
	unsigned char	 hash[32], code[ADDRESS_SCRIPT_MAX];
	struct text	 sc = { (const char *)code, 0 }, sig;
	struct curve_point point;
	bool		 proved;
	size_t		 i, j;

	check_case(name);
	rig_new(&r, w);
	rig_tx_begin(&t);
	for (i = 0; i < 4; i++)
		(void)rig_spend(&r, &t, (unsigned)i % 2, at[i], SAT_PER_BTC);
	rig_change(&r, &t, 1, 0, SAT_PER_BTC);
	p = rig_psbt(&r, &t);
	for (i = 0; i < 4; i++)
		RIG_MUST(psbt_spent(&spent[i], &proved, p, i, &rig_e));
	sighash_begin(&h, &p->tx, spent);
	for (i = 0; i < 4; i++) {
		ref.branch = (uint8_t)(i % 2);
		ref.index = at[i];
		RIG_MUST(keys_sign(r.s->keys, p, i, &ref, &h,
		    w == SIGN_TR ? SIGHASH_DEFAULT : SIGHASH_ALL, &rig_e));
		rig_script(&r, ref.branch, ref.index, &o);
		if (w == SIGN_TR) {
			CHECK_INT(p->in[i].tap_key_sig.len, 64);
			CHECK(sighash_v1(hash, &h, i, 0));
			CHECK(curve_schnorr_verify((const unsigned char *)
			    p->in[i].tap_key_sig.p, hash, 32, o.output_key));
			continue;
		}
		sc = p->in[i].witness_script;
		if (w == SIGN_WPKH) {
			sc.p = (const char *)code;
			sc.len = script_p2pkh(code, o.script + 2);
		}
		sighash_v0(hash, &h, i, sc, SIGHASH_ALL);
		CHECK_INT(p->in[i].n_sigs, 1);
		for (j = 0; j < r.wallet[0].n; j++)
			if (memcmp(o.keys[j], p->in[i].sigs[0].key.p, 33) ==
			    0)
				break;
		if (!CHECK(j < r.wallet[0].n))
			continue;
		CHECK(curve_point_parse(&point, o.keys[j], 33));
		sig = p->in[i].sigs[0].sig;
		CHECK(sig.p[sig.len - 1] == SIGHASH_ALL);
		sig.len--;
		CHECK(curve_ecdsa_verify(sig, hash, &point));
	}
	psbt_free(&p);
	rig_end(&r);
}

int
main(void)
{
	test_from_seed();
	test_table(SIGN_WPKH, "wpkh: scripts are found up to the look-ahead");
	test_table(SIGN_TR, "tr: scripts are found up to the look-ahead");
	test_table(SIGN_WSH, "wsh: scripts are found up to the look-ahead");
	test_claims();
	test_descriptors(SIGN_WPKH, "wpkh([", "wpkh: descriptors");
	test_descriptors(SIGN_TR, "tr([", "tr: descriptors");
	test_descriptors(SIGN_WSH, "wsh(sortedmulti(2,[", "wsh: descriptors");
	test_one_text();
	test_settings();
	test_no_memory();
	test_signatures(SIGN_WPKH, "wpkh: each signature verifies");
	test_signatures(SIGN_TR, "tr: each signature verifies");
	test_signatures(SIGN_WSH, "wsh: each signature verifies");
	return check_done();
}
