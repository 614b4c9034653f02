#include "bitcoin/base58.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* 94 bytes fill 12 limbs of 64 bits. */
#define LIMBS		12
/* 58^10 is the largest power below 2^64 that ten digits may fill. */
#define DIGITS_STEP	10

static const char alphabet[] =
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/* Value plus one of each character; 0 is no Base58 character. */
static const uint8_t values[256] = {
	['1'] = 1, ['2'] = 2, ['3'] = 3, ['4'] = 4, ['5'] = 5, ['6'] = 6,
	['7'] = 7, ['8'] = 8, ['9'] = 9, ['A'] = 10, ['B'] = 11, ['C'] = 12,
	['D'] = 13, ['E'] = 14, ['F'] = 15, ['G'] = 16, ['H'] = 17,
	['J'] = 18, ['K'] = 19, ['L'] = 20, ['M'] = 21, ['N'] = 22,
	['P'] = 23, ['Q'] = 24, ['R'] = 25, ['S'] = 26, ['T'] = 27,
	['U'] = 28, ['V'] = 29, ['W'] = 30, ['X'] = 31, ['Y'] = 32,
	['Z'] = 33, ['a'] = 34, ['b'] = 35, ['c'] = 36, ['d'] = 37,
	['e'] = 38, ['f'] = 39, ['g'] = 40, ['h'] = 41, ['i'] = 42,
	['j'] = 43, ['k'] = 44, ['m'] = 45, ['n'] = 46, ['o'] = 47,
	['p'] = 48, ['q'] = 49, ['r'] = 50, ['s'] = 51, ['t'] = 52,
	['u'] = 53, ['v'] = 54, ['w'] = 55, ['x'] = 56, ['y'] = 57,
	['z'] = 58,
};

/* number = number * factor + digits; false when it outgrows the limbs. */
static bool
multiply_add(uint64_t number[LIMBS], size_t *used, uint64_t factor,
    uint64_t digits)
{
	unsigned __int128	 wide;
	uint64_t		 carry = digits;
	size_t			 i;

	for (i = 0; i < *used; i++) {
		wide = (unsigned __int128)number[i] * factor + carry;
		number[i] = (uint64_t)wide;
		carry = (uint64_t)(wide >> 64);
	}
	if (carry == 0)
		return true;
	if (*used == LIMBS)
		return false;
	number[(*used)++] = carry;
	return true;
}

/* The limbs as big-endian bytes without leading zeros; how many. */
static size_t
limbs_bytes(unsigned char *out, size_t room, const uint64_t *number,
    size_t used)
{
	unsigned char	 all[LIMBS * 8];
	size_t		 i, k, skip = 0;

	for (i = 0; i < used; i++)
		for (k = 0; k < 8; k++)
			all[(used - 1 - i) * 8 + k] =
			    (unsigned char)(number[i] >> (56 - 8 * k));
	while (skip < used * 8 && all[skip] == 0)
		skip++;
	if (used * 8 - skip > room)
		return SIZE_MAX;
	memcpy(out, all + skip, used * 8 - skip);
	return used * 8 - skip;
}

enum rc
base58_decode(unsigned char out[BASE58_BYTES_MAX], size_t *len_out,
    const char *text, size_t len, struct err *e)
{
	uint64_t	 number[LIMBS];
	uint64_t	 factor = 1, digits = 0;
	size_t		 zeros = 0, used = 0, i, n;
	unsigned	 v;
	int		 step = 0;

	if (len > BASE58_TEXT_MAX)
		return err_set(e, "%zu characters; at most %d are read", len,
		    BASE58_TEXT_MAX);
	while (zeros < len && text[zeros] == '1')
		zeros++;
	for (i = zeros; i < len; i++) {
		v = values[(unsigned char)text[i]];
		if (v == 0)
			return err_set(e, "character %zu is not one of "
			    "base58's", i + 1);
		digits = digits * 58 + (v - 1);
		factor *= 58;
		if (++step < DIGITS_STEP && i + 1 < len)
			continue;
		if (!multiply_add(number, &used, factor, digits))
			return err_set(e, "more than %d bytes",
			    BASE58_BYTES_MAX);
		factor = 1;
		digits = 0;
		step = 0;
	}
	if (zeros > BASE58_BYTES_MAX || (n = limbs_bytes(out + zeros,
	    BASE58_BYTES_MAX - zeros, number, used)) == SIZE_MAX)
		return err_set(e, "more than %d bytes", BASE58_BYTES_MAX);
	memset(out, 0, zeros);
	*len_out = zeros + n;
	return RC_OK;
}

static void
checksum(unsigned char sum[4], const unsigned char *bytes, size_t len)
{
	unsigned char	 hash[crypto_hash_sha256_BYTES];

	(void)crypto_hash_sha256(hash, bytes, len);
	(void)crypto_hash_sha256(hash, hash, sizeof(hash));
	memcpy(sum, hash, 4);
}

enum rc
base58_decode_check(unsigned char out[BASE58_BYTES_MAX], size_t *len_out,
    const char *text, size_t len, struct err *e)
{
	unsigned char	 sum[4];
	size_t		 n;

	if (base58_decode(out, &n, text, len, e) != RC_OK)
		return RC_FAILED;
	if (n < 4)
		return err_set(e, "too short to hold a checksum");
	checksum(sum, out, n - 4);
	if (memcmp(sum, out + n - 4, 4) != 0)
		return err_set(e, "the checksum is wrong: a character was "
		    "mistyped");
	*len_out = n - 4;
	return RC_OK;
}

size_t
base58_encode(char buf[BASE58_TEXT_MAX + 2], const unsigned char *bytes,
    size_t len)
{
	unsigned char	 digits[BASE58_TEXT_MAX + 1];
	size_t		 zeros = 0, used = 0, i, k, n = 0;
	unsigned	 carry;

	assert(len <= BASE58_BYTES_MAX);
	while (zeros < len && bytes[zeros] == 0)
		zeros++;
	for (i = zeros; i < len; i++) {
		carry = bytes[i];
		for (k = 0; k < used; k++) {
			carry += (unsigned)digits[k] << 8;
			digits[k] = (unsigned char)(carry % 58);
			carry /= 58;
		}
		for (; carry > 0; carry /= 58)
			digits[used++] = (unsigned char)(carry % 58);
	}
	for (i = 0; i < zeros; i++)
		buf[n++] = alphabet[0];
	while (used > 0)
		buf[n++] = alphabet[digits[--used]];
	buf[n] = '\0';
	return n;
}

size_t
base58_encode_check(char buf[BASE58_TEXT_MAX + 2], const unsigned char *bytes,
    size_t len)
{
	unsigned char	 all[BASE58_BYTES_MAX];

	assert(len <= BASE58_BYTES_MAX - 4);
	memcpy(all, bytes, len);
	checksum(all + len, bytes, len);
	return base58_encode(buf, all, len + 4);
}
