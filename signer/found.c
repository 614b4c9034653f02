/*
 * A new signer, and a new journal for an old seed.
 */
#include "signer/found.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "lib/secret.h"
#include "signer/journal.h"
#include "signer/keys.h"

enum rc
signer_master_of_seed(struct bip32_key *out,
    const unsigned char seed[SEED_LEN], uint8_t network, struct err *e)
{
	/* The seed is BIP32's: its xprv alone brings the coins back. */
	return err_wrap(e, bip32_of_seed(out, (enum network)network, seed,
	    SEED_LEN, e), "seed");
}

static enum rc
read_seed_file(unsigned char out[SEED_FILE_LEN], int fd, struct err *e)
{
	unsigned char	 more;
	size_t		 done = 0;
	ssize_t		 n;

	while (done < SEED_FILE_LEN) {
		n = pread(fd, out + done, SEED_FILE_LEN - done, (off_t)done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return err_set(e, "%s", strerror(errno));
		if (n == 0)
			return err_set(e, "%zu bytes only", done);
		done += (size_t)n;
	}
	do
		n = pread(fd, &more, 1, SEED_FILE_LEN);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return err_set(e, "%s", strerror(errno));
	return n == 0 ? RC_OK : err_set(e, "longer than it should be");
}

static enum rc
write_seed_file(int fd, const unsigned char file[SEED_FILE_LEN],
    struct err *e)
{
	unsigned char	 any;
	size_t		 done = 0;
	ssize_t		 n;

	/* Never over another seed. */
	if ((n = pread(fd, &any, 1, 0)) != 0)
		return n == -1 ? err_set(e, "%s", strerror(errno)) :
		    err_set(e, "not empty");
	while (done < SEED_FILE_LEN) {
		n = pwrite(fd, file + done, SEED_FILE_LEN - done,
		    (off_t)done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return err_set(e, "%s", strerror(errno));
		done += (size_t)n;
	}
	if (fsync(fd) == -1)
		return err_set(e, "%s", strerror(errno));
	return RC_OK;
}

enum rc
signer_open_seed(unsigned char seed[SEED_LEN], int seed_fd,
    struct text passphrase, struct err *e)
{
	unsigned char	 file[SEED_FILE_LEN];
	enum rc		 rc;

	if ((rc = read_seed_file(file, seed_fd, e)) == RC_OK)
		rc = seed_open(seed, file, passphrase, e);
	return err_wrap(e, rc, "seed");
}

enum rc
signer_master(struct bip32_key *out, int seed_fd, struct text passphrase,
    uint8_t network, struct err *e)
{
	unsigned char	*seed = secret_new(SEED_LEN);
	enum rc		 rc;

	if (seed == NULL)
		return err_set(e, "no memory for secrets");
	rc = signer_open_seed(seed, seed_fd, passphrase, e);
	if (rc == RC_OK)
		rc = signer_master_of_seed(out, seed, network, e);
	secret_free(seed, SEED_LEN);
	return rc;
}

/*
 * The first record of a journal.  The keys are made whole before: settings
 * that give no wallet never found a signer.
 */
static enum rc
begin_journal(int journal_fd, const unsigned char seed[SEED_LEN],
    const struct sign_settings *settings, struct record *first,
    uint64_t first_seq, struct err *e)
{
	char		 text[SIGN_SETTINGS_MAX];
	struct keys	*keys = NULL;
	enum rc		 rc;

	first->body.p = text;
	first->body.len = sign_settings_print(settings, text, sizeof(text));
	if (first->body.len == 0)
		return err_set(e, "settings: longer than %d bytes",
		    SIGN_SETTINGS_MAX);
	if ((rc = keys_make(&keys, seed, settings, e)) == RC_OK)
		rc = journal_create(journal_fd, keys_journal(keys), first,
		    first_seq, e);
	keys_wipe(&keys);
	return rc;
}

enum rc
signer_found_seed(int seed_fd, const unsigned char seed[SEED_LEN],
    struct text passphrase, uint8_t network, struct err *e)
{
	unsigned char	 file[SEED_FILE_LEN];

	if (seed_seal(file, seed, passphrase, network == NETWORK_REGTEST, e)
	    != RC_OK)
		return RC_FAILED;
	return err_wrap(e, write_seed_file(seed_fd, file, e), "seed");
}

enum rc
signer_found_journal(int journal_fd, const unsigned char seed[SEED_LEN],
    const struct sign_settings *settings, uint32_t height,
    uint64_t engine_seq, struct err *e)
{
	struct record	 first = { .kind = RECORD_FOUNDED,
	    .number = engine_seq, .engine_seq = engine_seq,
	    .height = height };

	return begin_journal(journal_fd, seed, settings, &first, 1, e);
}

enum rc
signer_found(int seed_fd, int journal_fd, const unsigned char seed[SEED_LEN],
    struct text passphrase, const struct sign_settings *settings,
    uint32_t height, uint64_t engine_seq, struct err *e)
{
	/* The journal first: it is the part that can be refused. */
	if (signer_found_journal(journal_fd, seed, settings, height,
	    engine_seq, e) != RC_OK)
		return RC_FAILED;
	return signer_found_seed(seed_fd, seed, passphrase,
	    settings->network, e);
}

enum rc
signer_recover(int seed_fd, int journal_fd, struct text passphrase,
    const struct sign_settings *settings, uint32_t height, uint64_t floor,
    uint64_t first_seq, struct err *e)
{
	unsigned char	*seed = secret_new(SEED_LEN);
	struct record	 first = { .kind = RECORD_RECOVERED,
	    .number = floor, .engine_seq = floor, .height = height };
	enum rc		 rc;

	if (seed == NULL)
		return err_set(e, "no memory for secrets");
	rc = signer_open_seed(seed, seed_fd, passphrase, e);
	if (rc == RC_OK)
		rc = begin_journal(journal_fd, seed, settings, &first,
		    first_seq, e);
	secret_free(seed, SEED_LEN);
	return rc;
}

enum rc
signer_descriptors(char *external, char *internal,
    const struct bip32_key *master, const struct sign_settings *settings,
    bool private, struct err *e)
{
	enum rc	 rc;

	rc = keys_print(external, DESCRIPTOR_TEXT_MAX, master, settings, 0,
	    private, e);
	if (rc == RC_OK)
		rc = keys_print(internal, DESCRIPTOR_TEXT_MAX, master,
		    settings, 1, private, e);
	return rc;
}

void
signer_public_key(unsigned char out[32], const struct bip32_key *master)
{
	unsigned char	 secret[64];

	keys_pair(secret, out, master);
	sodium_memzero(secret, sizeof(secret));
}
