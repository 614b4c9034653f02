#include "auth/recovery.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define VERSION		1
#define KEY_LEN		32
#define HASH_LEN	16
#define DIGITS		16	/* of five bits */
#define KEY_AT		3
#define HASHES_AT	(KEY_AT + KEY_LEN)

_Static_assert(crypto_generichash_BYTES_MIN <= HASH_LEN, "hash");
_Static_assert(HASHES_AT + RECOVERY_COUNT * HASH_LEN == RECOVERY_LEN,
    "record");

static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

static void
hash(unsigned char out[HASH_LEN], const unsigned char *record,
    const char code[DIGITS])
{
	(void)crypto_generichash(out, HASH_LEN, (const unsigned char *)code,
	    DIGITS, record + KEY_AT, KEY_LEN);
}

void
recovery_make(unsigned char record[RECOVERY_LEN],
    char codes[RECOVERY_COUNT][RECOVERY_CODE_MAX])
{
	unsigned char	 random[DIGITS];
	char		 code[DIGITS];
	int		 i, k, n;

	record[0] = VERSION;
	record[1] = record[2] = 0;
	randombytes_buf(record + KEY_AT, KEY_LEN);
	for (i = 0; i < RECOVERY_COUNT; i++) {
		randombytes_buf(random, sizeof(random));
		for (k = n = 0; k < DIGITS; k++) {
			code[k] = digits[random[k] & 31];
			if (k > 0 && k % 4 == 0)
				codes[i][n++] = '-';
			codes[i][n++] = code[k];
		}
		codes[i][n] = '\0';
		hash(record + HASHES_AT + i * HASH_LEN, record, code);
	}
	sodium_memzero(random, sizeof(random));
	sodium_memzero(code, sizeof(code));
}

static int
used(const unsigned char *record)
{
	return record[1] | record[2] << 8;
}

static int
is_record(const unsigned char *record, size_t len)
{
	return len == RECOVERY_LEN && record[0] == VERSION &&
	    used(record) >> RECOVERY_COUNT == 0;
}

/* The digits alone; 0: not a code. */
static int
tidy(char out[DIGITS], struct text code)
{
	size_t	 i;
	int	 n = 0;
	char	 c;

	for (i = 0; code.p != NULL && i < code.len; i++) {
		c = code.p[i];
		if (c == '-' || c == ' ')
			continue;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (n == DIGITS || !((c >= 'a' && c <= 'z') ||
		    (c >= '2' && c <= '7')))
			return 0;
		out[n++] = c;
	}
	return n == DIGITS;
}

int
recovery_check(const unsigned char *record, size_t len, struct text code)
{
	unsigned char	 h[HASH_LEN];
	char		 c[DIGITS];
	int		 found = -1, i;

	if (!is_record(record, len) || !tidy(c, code))
		return -1;
	hash(h, record, c);
	for (i = 0; i < RECOVERY_COUNT; i++)
		if (sodium_memcmp(h, record + HASHES_AT + i * HASH_LEN,
		    HASH_LEN) == 0 && (used(record) >> i & 1) == 0)
			found = i;
	sodium_memzero(c, sizeof(c));
	return found;
}

void
recovery_use(unsigned char record[RECOVERY_LEN], int which)
{
	assert(which >= 0 && which < RECOVERY_COUNT);
	record[1 + which / 8] |= (unsigned char)(1 << which % 8);
}

int
recovery_left(const unsigned char *record, size_t len)
{
	int	 i, n = 0;

	if (!is_record(record, len))
		return -1;
	for (i = 0; i < RECOVERY_COUNT; i++)
		n += (used(record) >> i & 1) == 0;
	return n;
}
