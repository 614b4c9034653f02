/*
 * The sealed seed, and founding: nothing opens but what was sealed, with the
 * passphrase it was sealed with.
 */
#define _GNU_SOURCE
#include "signer/test/rig.h"

static unsigned char seed[SEED_LEN], sealed[SEED_FILE_LEN];

static bool
opens(const unsigned char file[SEED_FILE_LEN], const char *passphrase)
{
	unsigned char	 got[SEED_LEN];
	struct err	 e;

	return seed_open(got, file, text_of(passphrase), &e) == RC_OK &&
	    memcmp(got, seed, sizeof(seed)) == 0;
}

static void
test_round_trip(void)
{
	unsigned char	 again[SEED_FILE_LEN], got[SEED_LEN];
	struct text	 empty = { "", 0 };
	struct err	 e;

	check_case("H12: a sealed seed opens with its passphrase alone");
	randombytes_buf(seed, sizeof(seed));
	CHECK(seed_seal(sealed, seed, text_of(RIG_PASSPHRASE), true, &e) ==
	    RC_OK);
	CHECK(opens(sealed, RIG_PASSPHRASE));
	CHECK(!opens(sealed, "correct hors"));
	CHECK(!opens(sealed, "correct horse "));
	CHECK(seed_open(got, sealed, empty, &e) == RC_FAILED);
	CHECK(seed_seal(again, seed, empty, true, &e) == RC_FAILED);
	CHECK(seed_seal(again, seed, text_of(RIG_PASSPHRASE), true, &e) ==
	    RC_OK);
	/* Salt and nonce are new each time. */
	CHECK(memcmp(again + 24, sealed + 24, 16) != 0);
	CHECK(memcmp(again + 56, sealed + 56, 24) != 0);
	CHECK(memmem(sealed, sizeof(sealed), seed, 8) == NULL);
}

static void
test_damage(void)
{
	unsigned char	 file[SEED_FILE_LEN];
	size_t		 i;

	check_case("H12: no byte of a sealed seed can be another");
	for (i = 0; i < SEED_FILE_LEN; i++) {
		memcpy(file, sealed, sizeof(file));
		file[i] ^= 1;
		if (!CHECK(!opens(file, RIG_PASSPHRASE)))
			printf("# byte %zu\n", i);
	}
	check_case("a seed's file cannot take the host's memory");
	memcpy(file, sealed, sizeof(file));
	file[52] = 1;		/* 4 GiB */
	CHECK(!opens(file, RIG_PASSPHRASE));
	memcpy(file, sealed, sizeof(file));
	file[44] = 1;		/* 2^32 passes */
	CHECK(!opens(file, RIG_PASSPHRASE));
	memcpy(file, sealed, sizeof(file));
	memset(file + 40, 0, 8);
	CHECK(!opens(file, RIG_PASSPHRASE));
}

static void
test_cost(void)
{
	static const unsigned char passes[8] = { 3 };
	static const unsigned char memory[8] = { 0, 0, 0, 16 };
	struct err	 e;

	check_case("H12: a seed that counts is sealed with 256 MiB");
	CHECK(seed_seal(sealed, seed, text_of(RIG_PASSPHRASE), false, &e) ==
	    RC_OK);
	CHECK(memcmp(sealed + 40, passes, 8) == 0);
	CHECK(memcmp(sealed + 48, memory, 8) == 0);
	CHECK(opens(sealed, RIG_PASSPHRASE));
}

static struct rig r;

static void
test_found(void)
{
	unsigned char	 got[SEED_LEN], key[32];
	struct bip32_key master;
	struct err	 e;

	check_case("founding writes both files, and never over another seed");
	rig_new(&r, SIGN_WPKH);
	CHECK(signer_open_seed(got, r.seed_fd, text_of(RIG_PASSPHRASE), &e) ==
	    RC_OK && memcmp(got, r.seed, sizeof(got)) == 0);
	CHECK(signer_master(&master, r.seed_fd, text_of(RIG_PASSPHRASE),
	    NETWORK_REGTEST, &e) == RC_OK);
	signer_public_key(key, &master);
	CHECK(memcmp(key, keys_signing_public(r.s->keys), 32) == 0);
	CHECK(r.s->engine_seq == r.engine_seq);
	(void)ftruncate(r.journal_fd, 0);
	CHECK(signer_found(r.seed_fd, r.journal_fd, r.seed,
	    text_of(RIG_PASSPHRASE), &r.set, 0, 0, &e) == RC_FAILED);
	CHECK(signer_open_seed(got, r.seed_fd, text_of(RIG_PASSPHRASE), &e) ==
	    RC_OK && memcmp(got, r.seed, sizeof(got)) == 0);
	CHECK(pwrite(r.seed_fd, "", 1, SEED_FILE_LEN) == 1);
	CHECK(signer_open_seed(got, r.seed_fd, text_of(RIG_PASSPHRASE), &e) ==
	    RC_FAILED);
	(void)ftruncate(r.seed_fd, SEED_FILE_LEN - 1);
	CHECK(signer_open_seed(got, r.seed_fd, text_of(RIG_PASSPHRASE), &e) ==
	    RC_FAILED);
	rig_end(&r);
}

/* C4: a recovered signer has spent everything and knows no receipt. */
static void
test_recover(void)
{
	static struct rig_tx t;
	struct err	 e;

	check_case("C4: recovered, everything is spent, the period over");
	rig_begin(&r, SIGN_WPKH);
	rig_found(&r);
	signer_free(&r.s);
	(void)ftruncate(r.journal_fd, 0);
	CHECK(signer_recover(r.seed_fd, r.journal_fd, text_of("wrong"),
	    &r.set, 0, r.engine_seq, 1000, &e) == RC_FAILED);
	CHECK(signer_recover(r.seed_fd, r.journal_fd,
	    text_of(RIG_PASSPHRASE), &r.set, 0, r.engine_seq, 1000, &e) ==
	    RC_OK);
	rig_start(&r);
	CHECK(journal_seq(r.s->journal) == 1000);
	CHECK(r.s->floor == r.engine_seq);
	CHECK(!r.s->windows.armed);
	CHECK(r.s->windows.short_sat == r.set.short_max_sat);
	rig_tx_begin(&t);
	(void)rig_spend(&r, &t, 0, 0, SAT_PER_BTC);
	rig_pay(&r, &t, "w-1", 1, SAT_PER_BTC - RIG_FEE_SAT);
	signer_head(r.s, r.known);
	r.has_known = true;
	RIG_REFUSES(&r, &t, SIGN_REFUSE_UNARMED);
	rig_end(&r);
}

int
main(void)
{
	RIG_MUST(secret_begin(&rig_e));
	test_round_trip();
	test_damage();
	test_cost();
	test_found();
	test_recover();
	return check_done();
}
