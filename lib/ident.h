/*
 * Fingerprints of ids.
 *
 * Accounts, keys, withdrawals and scripts are named from outside by strings
 * of up to 64 bytes.  The engine keeps no strings: it keeps 128-bit keyed
 * fingerprints (SipHash-2-4 with a 128-bit result, Aumasson and Bernstein,
 * https://eprint.iacr.org/2012/351).  The key is secret, so that nobody can
 * choose two ids that collide, nor ids that crowd one slot of a table.
 */
#ifndef LIB_IDENT_H
#define LIB_IDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ident {
	uint64_t lo;
	uint64_t hi;
};

struct ident_key {
	unsigned char bytes[16];
};

/* All zero means "none given"; no string has that fingerprint. */
static inline bool
ident_none(struct ident i)
{
	return i.lo == 0 && i.hi == 0;
}

static inline bool
ident_equal(struct ident a, struct ident b)
{
	return a.lo == b.lo && a.hi == b.hi;
}

/* The fingerprint of len bytes.  Never "none". */
struct ident ident_of(const struct ident_key *key, const void *bytes,
    size_t len);

/*
 * A keyed pseudo-random number for secret lots: 64 bits of SipHash-2-4 over
 * the bytes.  Separate the uses by what stands in the bytes.
 */
uint64_t ident_prf(const struct ident_key *key, const void *bytes,
    size_t len);

#endif
