#include "bitcoin/bech32.h"

#include <stdbool.h>
#include <string.h>

#define CHECKSUM_LEN	6
/* What the checksum of a right text leaves (BIP173, BIP350). */
#define RESIDUE_BECH32	UINT32_C(1)
#define RESIDUE_BECH32M	UINT32_C(0x2bc830a3)

/* Marks in the table of characters. */
#define CHAR_NONE	0x80
#define CHAR_LOWER	0x40
#define CHAR_UPPER	0x20
#define CHAR_VALUE	0x1f

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

#define LETTER(lower, upper, value)					\
	[lower] = CHAR_LOWER | (value), [upper] = CHAR_UPPER | (value)
/* 0 is no character at all: 'q' and 'Q', which mean 0, carry a mark. */
static const uint8_t table[128] = {
	LETTER('q', 'Q', 0), LETTER('p', 'P', 1), LETTER('z', 'Z', 2),
	LETTER('r', 'R', 3), LETTER('y', 'Y', 4), ['9'] = 5,
	LETTER('x', 'X', 6), ['8'] = 7, LETTER('g', 'G', 8),
	LETTER('f', 'F', 9), ['2'] = 10, LETTER('t', 'T', 11),
	LETTER('v', 'V', 12), LETTER('d', 'D', 13), LETTER('w', 'W', 14),
	['0'] = 15, LETTER('s', 'S', 16), ['3'] = 17, LETTER('j', 'J', 18),
	LETTER('n', 'N', 19), ['5'] = 20, ['4'] = 21, LETTER('k', 'K', 22),
	LETTER('h', 'H', 23), LETTER('c', 'C', 24), LETTER('e', 'E', 25),
	['6'] = 26, LETTER('m', 'M', 27), LETTER('u', 'U', 28),
	LETTER('a', 'A', 29), ['7'] = 30, LETTER('l', 'L', 31),
};

/*
 * The generator polynomial's multiples: what the five bits that fall out at
 * the top put back, for each of their 32 values (BIP173's loop, unrolled).
 */
#define G0 0x3b6a57b2
#define G1 0x26508e6d
#define G2 0x1ea119fa
#define G3 0x3d4233dd
#define G4 0x2a1462b3
#define ROW2(x)	(x), (x) ^ G0
#define ROW4(x)	ROW2(x), ROW2((x) ^ G1)
#define ROW8(x)	ROW4(x), ROW4((x) ^ G2)
static const uint32_t feedback[32] = {
	ROW8(0), ROW8(G3), ROW8(G4), ROW8(G3 ^ G4),
};

static inline uint32_t
polymod_step(uint32_t sum, uint32_t value)
{
	return (sum & 0x1ffffff) << 5 ^ value ^ feedback[sum >> 25];
}

static uint32_t
polymod_hrp(const char *hrp, size_t len)
{
	uint32_t	 sum = 1;
	size_t		 i;

	for (i = 0; i < len; i++)
		sum = polymod_step(sum, (uint32_t)hrp[i] >> 5);
	sum = polymod_step(sum, 0);
	for (i = 0; i < len; i++)
		sum = polymod_step(sum, (uint32_t)hrp[i] & 31);
	return sum;
}

/* Copy the part in front in lower case; false if it has a bad character. */
static bool
read_hrp(struct bech32 *out, const char *text, unsigned *cases)
{
	unsigned char	 c;
	size_t		 i;

	for (i = 0; i < out->hrp_len; i++) {
		c = (unsigned char)text[i];
		if (c < 33 || c > 126)
			return false;
		if (c >= 'A' && c <= 'Z') {
			*cases |= CHAR_UPPER;
			c |= 0x20;
		} else if (c >= 'a' && c <= 'z') {
			*cases |= CHAR_LOWER;
		}
		out->hrp[i] = (char)c;
	}
	return true;
}

/* 0..31 with the mark of its case, or CHAR_NONE. */
static inline unsigned
table_value(unsigned char c)
{
	unsigned	 v;

	if (c >= sizeof(table))
		return CHAR_NONE;
	v = table[c];
	/* Only 'q' and 'Q' mean 0, and those carry a mark. */
	return v == 0 ? CHAR_NONE : v;
}

enum rc
bech32_decode(struct bech32 *out, const char *text, size_t len, struct err *e)
{
	uint32_t	 sum;
	unsigned	 v, cases = 0;
	size_t		 i, first;

	if (len > BECH32_TEXT_MAX)
		return err_set(e, "%zu characters; bech32 has at most %d",
		    len, BECH32_TEXT_MAX);
	for (first = len; first > 0 && text[first - 1] != '1'; first--)
		continue;
	if (first < 2)
		return err_set(e, "no prefix followed by 1");
	if (len - first < CHECKSUM_LEN)
		return err_set(e, "the length is wrong: too short to hold a "
		    "checksum");
	out->hrp_len = first - 1;
	if (!read_hrp(out, text, &cases))
		return err_set(e, "a character before the 1 is not printable");
	sum = polymod_hrp(out->hrp, out->hrp_len);
	for (i = first; i < len; i++) {
		v = table_value((unsigned char)text[i]);
		if (v == CHAR_NONE)
			return err_set(e, "character %zu is not one of "
			    "bech32's", i + 1);
		cases |= v;
		out->values[i - first] = v & CHAR_VALUE;
		sum = polymod_step(sum, v & CHAR_VALUE);
	}
	if ((cases & CHAR_LOWER) != 0 && (cases & CHAR_UPPER) != 0)
		return err_set(e, "upper and lower case are mixed");
	if (sum != RESIDUE_BECH32 && sum != RESIDUE_BECH32M)
		return err_set(e, "the checksum is wrong: a character was "
		    "mistyped");
	out->spec = sum == RESIDUE_BECH32 ? BECH32 : BECH32M;
	out->len = len - first - CHECKSUM_LEN;
	return RC_OK;
}

size_t
bech32_encode(char buf[BECH32_TEXT_MAX + 1], enum bech32_spec spec,
    const char *hrp, size_t hrp_len, const uint8_t *values, size_t len)
{
	uint32_t	 sum;
	size_t		 i, n;

	if (hrp_len + 1 + len + CHECKSUM_LEN > BECH32_TEXT_MAX)
		return 0;
	memcpy(buf, hrp, hrp_len);
	buf[hrp_len] = '1';
	n = hrp_len + 1;
	sum = polymod_hrp(hrp, hrp_len);
	for (i = 0; i < len; i++) {
		sum = polymod_step(sum, values[i]);
		buf[n++] = alphabet[values[i]];
	}
	for (i = 0; i < CHECKSUM_LEN; i++)
		sum = polymod_step(sum, 0);
	sum ^= spec == BECH32 ? RESIDUE_BECH32 : RESIDUE_BECH32M;
	for (i = 0; i < CHECKSUM_LEN; i++)
		buf[n++] = alphabet[sum >> 5 * (CHECKSUM_LEN - 1 - i) & 31];
	buf[n] = '\0';
	return n;
}

enum rc
bech32_to_bytes(unsigned char *out, size_t *len_out, const uint8_t *values,
    size_t len, struct err *e)
{
	uint32_t	 held = 0;
	unsigned	 bits = 0;
	size_t		 i, n = 0;

	for (i = 0; i < len; i++) {
		held = held << 5 | values[i];
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (unsigned char)(held >> bits);
		}
	}
	if (bits >= 5)
		return err_set(e, "the length is wrong: a character too many "
		    "as padding");
	if ((held & ((1u << bits) - 1)) != 0)
		return err_set(e, "the padding is not zero");
	*len_out = n;
	return RC_OK;
}

size_t
bech32_from_bytes(uint8_t *values, const unsigned char *bytes, size_t len)
{
	uint32_t	 held = 0;
	unsigned	 bits = 0;
	size_t		 i, n = 0;

	for (i = 0; i < len; i++) {
		held = held << 8 | bytes[i];
		for (bits += 8; bits >= 5;) {
			bits -= 5;
			values[n++] = held >> bits & 31;
		}
	}
	if (bits > 0)
		values[n++] = held << (5 - bits) & 31;
	return n;
}
