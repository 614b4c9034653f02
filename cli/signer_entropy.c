/*
 * A seed that neither the system nor the dice decide alone: SHA-512 over
 * both.  Whoever chose or saw one of them still lacks the other.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "cli/signer.h"
#include "lib/secret.h"

#define SYSTEM_LEN	64
#define DICE_MAX	900	/* digits that are taken */
#define RUN_MAX		9	/* of one face: once in 10^5 ceremonies */

static const char	 prefix[] = "drawbridge seed 1\n";

/* Faces that never come, or come all the time; long runs. */
static enum rc
check_faces(const char *dice, size_t n, struct err *e)
{
	size_t	 face[6] = { 0 }, run = 0, i;

	for (i = 0; i < n; i++) {
		if (dice[i] < '1' || dice[i] > '6')
			return err_set(e, "dice have the digits 1 to 6");
		face[dice[i] - '1']++;
		run = i > 0 && dice[i] == dice[i - 1] ? run + 1 : 1;
		if (run > RUN_MAX)
			return err_set(e, "the same face %zu times in a row: "
			    "these are no dice", run);
	}
	for (i = 0; i < 6; i++) {
		if (face[i] * 25 < n || face[i] * 5 > n * 2)
			return err_set(e, "face %zu came %zu times of %zu: "
			    "these are no dice", i + 1, face[i], n);
	}
	return RC_OK;
}

/* 123456123456...: it repeats itself, more or less. */
static enum rc
check_periods(const char *dice, size_t n, struct err *e)
{
	size_t	 shift, i, same;

	for (shift = 1; shift <= n / 2; shift++) {
		same = 0;
		for (i = 0; i + shift < n; i++)
			same += dice[i] == dice[i + shift];
		if (same * 2 > n - shift)
			return err_set(e, "the digits repeat themselves after "
			    "%zu: these are no dice", shift);
	}
	return RC_OK;
}

enum rc
signer_entropy_check(const char *dice, size_t n, struct err *e)
{
	if (n < SIGNER_DICE_MIN)
		return err_set(e, "%zu throws of a die; it takes %d", n,
		    SIGNER_DICE_MIN);
	if (check_faces(dice, n, e) != RC_OK)
		return RC_FAILED;
	return check_periods(dice, n, e);
}

/* A line's digits behind the others; blanks count for nothing. */
static enum rc
add_line(char *dice, size_t *n, const char *line, size_t len, struct err *e)
{
	size_t	 i;

	for (i = 0; i < len; i++) {
		if (line[i] == ' ' || line[i] == '\t')
			continue;
		if (line[i] < '1' || line[i] > '6')
			return err_set(e, "dice have the digits 1 to 6");
		if (*n == DICE_MAX)
			return err_set(e, "more than %d throws", DICE_MAX);
		dice[(*n)++] = line[i];
	}
	return RC_OK;
}

static enum rc
ask_dice(char *dice, size_t *n, struct err *e)
{
	char	*line = secret_new(SIGNER_SECRET_MAX);
	char	 prompt[64];
	size_t	 len;
	enum rc	 rc = RC_OK;

	if (line == NULL)
		return err_set(e, "no memory for secrets");
	signer_secret_say("Throw dice and type what they show, 1 to 6, in as "
	    "many lines as you like.\nAn empty line ends it.\n");
	for (*n = 0; rc == RC_OK;) {
		(void)snprintf(prompt, sizeof(prompt), *n < SIGNER_DICE_MIN ?
		    "%zu of %d: " : "%zu, enough: ", *n, SIGNER_DICE_MIN);
		rc = signer_secret_line(line, &len, prompt, true, e);
		if (rc == RC_OK && len == 0)
			break;
		if (rc == RC_OK)
			rc = add_line(dice, n, line, len, e);
	}
	secret_free(line, SIGNER_SECRET_MAX);
	return rc != RC_OK ? rc : signer_entropy_check(dice, *n, e);
}

enum rc
signer_entropy_seed(unsigned char seed[SEED_LEN], bool dice, struct err *e)
{
	static const size_t		 room = SYSTEM_LEN + DICE_MAX + 64;
	unsigned char			*all = secret_new(room);
	crypto_hash_sha512_state	 h;
	size_t				 n = 0;
	enum rc				 rc = RC_OK;

	if (all == NULL)
		return err_set(e, "no memory for secrets");
	if (getrandom(all, SYSTEM_LEN, 0) != SYSTEM_LEN)
		rc = err_set(e, "the system gives no randomness");
	else if (dice)
		rc = ask_dice((char *)all + SYSTEM_LEN, &n, e);
	if (rc == RC_OK) {
		(void)crypto_hash_sha512_init(&h);
		(void)crypto_hash_sha512_update(&h,
		    (const unsigned char *)prefix, sizeof(prefix) - 1);
		(void)crypto_hash_sha512_update(&h, all, SYSTEM_LEN + n);
		(void)crypto_hash_sha512_final(&h, all);
		memcpy(seed, all, SEED_LEN);
		sodium_memzero(&h, sizeof(h));
	}
	secret_free(all, room);
	return rc;
}
