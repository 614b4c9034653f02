/*
 * drawbridge signer: what its files share.
 *
 * signer.c reads the options and finds the subcommand; each has a file, or
 * shares one with those of its idea:
 *
 *	signer_read.c		files, numbers, and what is said of failures
 *	signer_secret.c		what a person types, and passphrases
 *	signer_entropy.c	a seed from the system and from dice
 *	signer_backup.c		the backup: shown, read back, proved
 *	signer_public.c		what everybody may know of a signer, in a file
 *	signer_init.c		seed, init, recover
 *	signer_line.c		asking the running signer; the newest head
 *	signer_show.c		show, status, descriptors
 *	signer_signed.c		signed: what it ever signed
 *	signer_do.c		unlock, halt, burn and the like: one request
 *	signer_pay.c		sign, cosign
 *	signer_approve.c	approve, by an operator's own key
 *	signer_external.c	external: for Bitcoin Core's -signer
 */
#ifndef CLI_SIGNER_H
#define CLI_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bitcoin/bip32.h"
#include "bitcoin/descriptor.h"
#include "bitcoin/psbt.h"
#include "lib/err.h"
#include "lib/json.h"
#include "signer/found.h"
#include "wire/sign.h"
#include "wire/sign_settings.h"

#define SIGNER_FILES_MAX	128

/* What was asked for; what was not is NULL. */
struct signer_options {
	const char	*name;		/* of the subcommand */
	char		**args;
	int		 n_args;
	const char	*data, *host, *pin, *identity, *head;
	const char	*settings, *passphrase, *backup_to, *height;
	const char	*engine_sequence, *floor, *first_sequence;
	const char	*reason, *standing, *id, *outpoint, *spent_by, *block;
	const char	*engine, *booked, *answers, *as, *key, *expires;
	const char	*signer, *trust, *replaces, *chain, *desc, *after;
	const char	*network;
	const char	*receipts[SIGNER_FILES_MAX];
	const char	*approvals[SIGNER_FILES_MAX];
	size_t		 n_receipts, n_approvals;
	bool		 json, yes, dice, no_backup, from_stdin;
};

/* One a subcommand; the program's status. */
typedef int signer_command(const struct signer_options *o);
signer_command	signer_init_run, signer_init_seed;
signer_command	signer_init_recover;
signer_command	signer_show_run, signer_show_status, signer_show_descriptors;
signer_command	signer_signed_run;
signer_command	signer_do_run, signer_do_identity;
signer_command	signer_pay_run;
signer_command	signer_approve_run;
signer_command	signer_external_run;

/* ---- signer_read.c ---- */

/* "drawbridge signer NAME: WHY"; with --json {"error": WHY} too. */
int signer_read_failed(const struct signer_options *o, const struct err *e);
int signer_read_usage(void);
/* The file, or standard input for `-`; *out is the caller's, with a NUL. */
enum rc signer_read_file(char **out, size_t *len, const char *path,
    size_t max, struct err *e) MUST_CHECK;
/* Of an option named `what`; fails with its name. */
enum rc signer_read_number(uint64_t *out, const char *what, const char *text,
    struct err *e) MUST_CHECK;
enum rc signer_read_hex(unsigned char *out, size_t len, const char *what,
    const char *text, struct err *e) MUST_CHECK;
/* Receipts of all files, a base64 line each, RECEIPT_LEN bytes each; the
 * caller frees *out. */
enum rc signer_read_receipts(unsigned char **out, size_t *n,
    const char *const *paths, size_t n_paths, struct err *e) MUST_CHECK;
/* base64 or bytes; `-` is standard input, `cHNidP...` the text itself. */
enum rc signer_read_psbt(struct psbt **out, const char *from, struct err *e)
    MUST_CHECK;
enum rc signer_read_settings(struct sign_settings *out, const char *path,
    struct err *e) MUST_CHECK;
int64_t signer_read_now_ms(void);
/* One JSON object on standard output: begin, fill, end. */
void signer_read_json(struct json *j);
int signer_read_json_end(struct json *j);
void signer_read_put_hex(struct json *j, const char *key,
    const unsigned char *bytes, size_t len);

/* ---- signer_secret.c ---- */

#define SIGNER_SECRET_MAX	1024
/* A person: the terminal, or else standard input and error. */
bool signer_secret_terminal(void);
void signer_secret_say(const char *text);
/* One line without its end into locked memory of SIGNER_SECRET_MAX bytes. */
enum rc signer_secret_line(char *buf, size_t *len, const char *prompt,
    bool echo, struct err *e) MUST_CHECK;
/* From --passphrase-file, or asked for; twice, when it is new.  *out is
 * freed by secret_free(..., SIGNER_SECRET_MAX). */
enum rc signer_secret_phrase(char **out, struct text *phrase,
    const struct signer_options *o, bool new, struct err *e) MUST_CHECK;
/* "y" typed, or --yes. */
bool signer_secret_agreed(const struct signer_options *o,
    const char *question);

/* ---- signer_entropy.c ---- */

#define SIGNER_DICE_MIN	99	/* 2.58 bits each: 256 in all */
/* Are these digits from 1 to 6 what dice could have given? */
enum rc signer_entropy_check(const char *dice, size_t n, struct err *e)
    MUST_CHECK;
/* SHA-512 of the system's randomness and of dice, if wanted. */
enum rc signer_entropy_seed(unsigned char seed[SEED_LEN], bool dice,
    struct err *e) MUST_CHECK;

/* ---- signer_public.c ---- */

/* DIR/public: no secret in it. */
struct signer_public {
	unsigned char	deployment[16];
	uint8_t		network;
	unsigned char	id[16];
	unsigned char	key[32];
	char		external[DESCRIPTOR_TEXT_MAX];
	char		internal[DESCRIPTOR_TEXT_MAX];
};
enum rc signer_public_of(struct signer_public *out,
    const struct bip32_key *master, const struct sign_settings *s,
    struct err *e) MUST_CHECK;
enum rc signer_public_write(const struct signer_public *p, const char *path,
    struct err *e) MUST_CHECK;
enum rc signer_public_read(struct signer_public *out, const char *path,
    struct err *e) MUST_CHECK;
/* By --signer FILE, or --data DIR. */
enum rc signer_public_find(struct signer_public *out,
    const struct signer_options *o, struct err *e) MUST_CHECK;
/* "[FP/48h/0h/0h/2h]XPUB": what other signers of a quorum write down. */
#define SIGNER_COSIGNER_MAX (BIP32_TEXT_MAX + 64)
enum rc signer_public_cosigner(char out[SIGNER_COSIGNER_MAX],
    const struct bip32_key *master, uint8_t network, struct err *e)
    MUST_CHECK;
/* Text: for people, and what the file holds. */
void signer_public_say(const struct signer_public *p);
void signer_public_json(struct json *j, const struct signer_public *p);

/* ---- signer_backup.c ---- */

/* Show the master key, or write it; then have it typed back, and prove that
 * what was typed gives the same wallet.  s and p NULL: the wallet is not known
 * yet, the account key is compared. */
enum rc signer_backup_make(const struct signer_options *o,
    const struct bip32_key *master, const struct sign_settings *s,
    const struct signer_public *p, struct err *e) MUST_CHECK;

/* ---- signer_line.c ---- */

struct signer_line;
/* To DIR/custodian.sock, when it is for the custodian alone. */
enum rc signer_line_open(struct signer_line **out,
    const struct signer_options *o, bool custodian, struct err *e)
    MUST_CHECK;
void signer_line_close(struct signer_line **l);
/*
 * Ask.  With --head FILE: what it holds goes along as known, and what the
 * answer brings replaces it, if it is newer.  The answer may be a refusal;
 * its texts live until the next question.
 */
enum rc signer_line_ask(struct signer_line *l, struct sign_message *ask,
    struct sign_message *answer, struct err *e) MUST_CHECK;
/* The status, as `name value` lines: one value, absent if none. */
enum rc signer_line_status(struct signer_line *l, struct text *out,
    struct err *e) MUST_CHECK;
struct text signer_line_value(struct text lines, const char *name);
/* What --head files hold: base64, a line. */
enum rc signer_line_head(struct sign_head *out, struct text t, struct err *e)
    MUST_CHECK;
/* Say why not; STATUS_FAILED. */
int signer_line_refused(const struct signer_options *o,
    const struct sign_message *answer);

/* ---- signer_do.c ---- */

/* A transaction's or a block's name, back to front as people write it. */
enum rc signer_do_hash(unsigned char out[32], const char *what,
    const char *text, struct err *e) MUST_CHECK;
/* TXID:N, as SIGN_WRITE_OFF has it. */
enum rc signer_do_outpoint(unsigned char out[36], const char *text,
    struct err *e) MUST_CHECK;

/* ---- signer_approve.c ---- */

/*
 * All --approval files, a line each; those for one statement together: pay's
 * in the order of the receipts, then all others.  SIGN_APPROVAL_LEN bytes
 * each; the caller frees *out.
 */
enum rc signer_approve_read(unsigned char **out, size_t *n,
    const struct signer_options *o, const unsigned char *receipts,
    size_t n_receipts, struct err *e) MUST_CHECK;

#endif
