/*
 * A new signer, and a new journal for an old one.  Used by the command line,
 * never by the running signer.
 */
#ifndef SIGNER_FOUND_H
#define SIGNER_FOUND_H

#include "bitcoin/bip32.h"
#include "lib/err.h"
#include "lib/text.h"
#include "wire/sign_settings.h"

#define SEED_LEN	32

/*
 * Seal `seed` with the passphrase into seed_fd and write the founding record
 * into journal_fd (both empty, made by the caller), durably; the caller, who
 * made them, syncs their folder.  height and engine_seq: where the chain and
 * the engine stand today.  On regtest the seal is a cheap one.
 */
enum rc signer_found(int seed_fd, int journal_fd,
    const unsigned char seed[SEED_LEN], struct text passphrase,
    const struct sign_settings *settings, uint32_t height,
    uint64_t engine_seq, struct err *e) MUST_CHECK;

/*
 * The two halves of it, for a seed that is there before its wallet is known:
 * of several signers each needs the others' keys in its settings.
 */
enum rc signer_found_seed(int seed_fd, const unsigned char seed[SEED_LEN],
    struct text passphrase, uint8_t network, struct err *e) MUST_CHECK;
enum rc signer_found_journal(int journal_fd,
    const unsigned char seed[SEED_LEN], const struct sign_settings *settings,
    uint32_t height, uint64_t engine_seq, struct err *e) MUST_CHECK;

/*
 * The journal is lost or was put back (C4).  A new one for the same seed:
 * every allowance counts as spent, the long period has ended, and no receipt
 * at or below `floor` is ever signed without a write-off.  `first_seq`: above
 * whatever the lost one may have reached, so that no old head is newer.
 */
enum rc signer_recover(int seed_fd, int journal_fd, struct text passphrase,
    const struct sign_settings *settings, uint32_t height, uint64_t floor,
    uint64_t first_seq, struct err *e) MUST_CHECK;

/* The seed in a file that signer_found() wrote. */
enum rc signer_open_seed(unsigned char seed[SEED_LEN], int seed_fd,
    struct text passphrase, struct err *e) MUST_CHECK;
/* The master key of the seed, secret; the caller wipes it. */
enum rc signer_master(struct bip32_key *out, int seed_fd,
    struct text passphrase, uint8_t network, struct err *e) MUST_CHECK;
enum rc signer_master_of_seed(struct bip32_key *out,
    const unsigned char seed[SEED_LEN], uint8_t network, struct err *e)
    MUST_CHECK;
/*
 * The wallet's descriptors, external and internal (branch 0 and 1), with
 * checksum; with private keys if `private`.  Room for DESCRIPTOR_TEXT_MAX
 * each.
 */
enum rc signer_descriptors(char *external, char *internal,
    const struct bip32_key *master, const struct sign_settings *settings,
    bool private, struct err *e) MUST_CHECK;
/* The Ed25519 key that signs heads and burns: public part.  The master needs
 * its secret. */
void signer_public_key(unsigned char out[32], const struct bip32_key *master);

#endif
