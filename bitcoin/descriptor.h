/*
 * Output descriptors (BIP380 and on): wpkh(), sh(wpkh()), tr() with the key
 * path alone, and wsh(sortedmulti()); key origins, ranges, the pair <0;1>,
 * the checksum.  What others there are is refused by its name.
 */
#ifndef BITCOIN_DESCRIPTOR_H
#define BITCOIN_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bitcoin/bip32.h"
#include "bitcoin/script.h"
#include "lib/err.h"
#include "lib/text.h"

#define DESCRIPTOR_CHECKSUM_LEN	8
#define DESCRIPTOR_KEYS_MAX	MULTISIG_MAX
#define DESCRIPTOR_TEXT_MAX	4096	/* with a NUL */

enum descriptor_kind {
	DESCRIPTOR_WPKH,
	DESCRIPTOR_SH_WPKH,
	DESCRIPTOR_TR,
	DESCRIPTOR_WSH_SORTEDMULTI,
};

struct descriptor_key {
	bool		has_origin;
	unsigned char	origin[4];	/* fingerprint of the root */
	uint32_t	origin_path[BIP32_PATH_MAX];
	uint8_t		n_origin;
	bool		extended;	/* else one public key */
	bool		xonly;		/* one key of 32 bytes, in tr() */
	bool		test;
	struct bip32_key key;		/* not extended: public[] only */
	uint32_t	path[BIP32_PATH_MAX];	/* after it */
	uint8_t		n_path;
	/* Which step is a pair <a;b>: path[] has a, here is b. */
	bool		pair;
	uint8_t		pair_at;
	uint32_t	pair_other;
	bool		range;		/* ends in * */
	bool		range_hard;	/* in *h */
};

struct descriptor {
	enum descriptor_kind kind;
	unsigned	m;		/* sortedmulti */
	unsigned	n;		/* keys, 1 otherwise */
	struct descriptor_key keys[DESCRIPTOR_KEYS_MAX];
};

/*
 * Read one.  A checksum behind `#` must be right; without `need_checksum` it
 * may be missing.  Private keys are taken only if `private_ok`.
 */
enum rc descriptor_parse(struct descriptor *out, struct text t,
    bool need_checksum, bool private_ok, struct err *e) MUST_CHECK;
/* With its checksum; private keys only if `private`. */
enum rc descriptor_print(char *buf, size_t room, const struct descriptor *d,
    bool private, struct err *e) MUST_CHECK;
/* Of a text without `#`; false for characters that it cannot have. */
bool descriptor_checksum(char out[DESCRIPTOR_CHECKSUM_LEN + 1], struct text t);
/* Has a key a pair?  Branch 0 is the first of each, 1 the second. */
bool descriptor_has_pair(const struct descriptor *d);
bool descriptor_is_range(const struct descriptor *d);
/* In place: only branch 0 or 1 of each pair. */
void descriptor_take_branch(struct descriptor *d, unsigned branch);

/* What one index gives. */
struct descriptor_output {
	unsigned char	script[ADDRESS_SCRIPT_MAX];
	size_t		script_len;
	/* wsh: the multisig; sh(wpkh): the redeem script. */
	unsigned char	inner[MULTISIG_SCRIPT_MAX];
	size_t		inner_len;
	unsigned char	keys[DESCRIPTOR_KEYS_MAX][33];	/* as in the text */
	unsigned char	output_key[32];	/* tr */
};
/* Branch: for pairs.  index is ignored when it is not a range.  Fails for
 * hardened steps without a secret. */
enum rc descriptor_derive(struct descriptor_output *out,
    const struct descriptor *d, unsigned branch, uint32_t index,
    struct err *e) MUST_CHECK;
/* Secrets in it. */
void descriptor_wipe(struct descriptor *d);

#endif
