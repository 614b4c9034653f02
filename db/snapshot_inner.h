/*
 * A snapshot's bytes, for who writes and who reads them.
 *
 *	offset	bytes
 *	0	8	"DBsnapsh"
 *	8	4	version: 1
 *	12	4	cipher: enum snapshot_cipher
 *	16	4	semantics
 *	20	4	layout
 *	24	8	seq
 *	32	8	t_ms
 *	40	4	month
 *	44	4	piece: 1048576
 *	48	32	row_hash
 *	80	32	policy
 *	112	8	policy_seq
 *	120	8	bytes
 *	128	32	state_hash
 *	160	72	the file's own key: a random nonce of 24 bytes, then 32
 *			under XChaCha20-Poly1305 and a key derived from the
 *			month's; all of the head above is authenticated with it
 *	232	248	zeros
 *	480	32	SHA-256 of the above
 *	512		pieces of 1 MiB, the last one shorter or as long, each
 *			followed by its tag of 16; no bytes are one empty piece
 *
 * A piece's nonce is its number, from 0 (8 bytes), then 1 if it is the last
 * and 0 if not (4), then zeros: moved, missing and doubled pieces fail, and
 * so does an end that is none.  A file's key is used for this file alone.
 * Numbers are little-endian.
 *
 * Whoever lacks the month's key can tell damage by chance from the head's
 * SHA-256; who has it finds any change at all.
 */
#ifndef DB_SNAPSHOT_INNER_H
#define DB_SNAPSHOT_INNER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/snapshot.h"

#define SNAPSHOT_VERSION	1
#define SNAPSHOT_HEAD_LEN	512
#define SNAPSHOT_SUM_AT		480
#define SNAPSHOT_WRAP_AT	160
#define SNAPSHOT_WRAP_NONCE	24
#define SNAPSHOT_PIECE		((size_t)1 << 20)
#define SNAPSHOT_TAG		((size_t)16)
#define SNAPSHOT_KEY_LEN	32
#define SNAPSHOT_SUFFIX		".snapshot"

enum snapshot_cipher {
	CIPHER_AES_GCM = 1,
	CIPHER_XCHACHA,
};

/* Which a new file gets: AES only where the processor does it, or tables in
 * memory would tell the key.  Tests choose. */
extern enum snapshot_cipher snapshot_cipher;	/* 0: by the processor */

/* FOLDER/SEQ.snapshot. */
enum rc snapshot_name(char out[PATH_MAX], const char *folder, uint64_t seq,
    struct err *e) MUST_CHECK;

/* Everything but the wrapped key and the sum. */
void snapshot_head_put(unsigned char *p, const struct snapshot_head *h,
    enum snapshot_cipher cipher);
enum rc snapshot_head_get(struct snapshot_head *h,
    enum snapshot_cipher *cipher_out, const unsigned char *p,
    const char *name, struct err *e) MUST_CHECK;
/* Wrap and unwrap the file's key; wrap also puts the sum. */
void snapshot_wrap(unsigned char *head, const unsigned char file_key[32],
    const unsigned char month_key[32]);
bool snapshot_unwrap(unsigned char file_key[32], const unsigned char *head,
    const unsigned char month_key[32]);

/* One piece there and back; `in` and `out` may be the same. */
struct snapshot_crypt;
enum rc snapshot_crypt_new(struct snapshot_crypt **out,
    enum snapshot_cipher cipher, bool encrypt, const unsigned char key[32],
    struct err *e) MUST_CHECK;
void snapshot_crypt_free(struct snapshot_crypt **c);
/* Puts the tag behind len bytes of `out`. */
void snapshot_encrypt(struct snapshot_crypt *c, unsigned char *out,
    const unsigned char *in, size_t len, uint64_t number, bool last);
/* `in` has the tag behind len bytes.  False: not authentic, and `out` is
 * wiped. */
bool snapshot_decrypt(struct snapshot_crypt *c, unsigned char *out,
    const unsigned char *in, size_t len, uint64_t number, bool last);

#endif
