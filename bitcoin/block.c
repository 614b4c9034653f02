#include "bitcoin/block.h"

#include <assert.h>
#include <string.h>

#include "bitcoin/cursor.h"
#include "bitcoin/hash.h"

/* One input and one output, both with empty scripts. */
#define TX_LEN_MIN	60
/* BIP141's limit of weight is one of bytes as well. */
#define BLOCK_LEN_MAX	TX_BYTES_MAX
/* Without witness; as long as two hashes (CVE-2017-12842). */
#define TX_LEN_AMBIGUOUS (2 * SHA256_LEN)

void
block_header_parse(struct block_header *out,
    const unsigned char bytes[BLOCK_HEADER_LEN])
{
	struct cursor	 c = cursor_of(bytes, BLOCK_HEADER_LEN);

	out->version = cursor_le32(&c);
	cursor_copy(&c, out->prev, sizeof(out->prev));
	cursor_copy(&c, out->merkle_root, sizeof(out->merkle_root));
	out->time_s = cursor_le32(&c);
	out->bits = cursor_le32(&c);
	out->nonce = cursor_le32(&c);
	hash256(out->hash, bytes, BLOCK_HEADER_LEN);
}

/*
 * The target that `bits` mean: three bytes of it, a sign, and how long it
 * is.  Lowest byte first, as a hash compares.
 */
static bool
target_of(unsigned char out[SHA256_LEN], uint32_t bits)
{
	uint32_t	 mantissa = bits & 0x7fffff;
	int		 at = (int)(bits >> 24) - 3, i;
	unsigned char	 byte;

	memset(out, 0, SHA256_LEN);
	if ((bits & 0x800000) != 0)
		return false;
	for (i = 0; i < 3; i++, mantissa >>= 8) {
		byte = (unsigned char)mantissa;
		if (byte == 0 || at + i < 0)
			continue;
		if (at + i >= SHA256_LEN)
			return false;
		out[at + i] = byte;
	}
	/* The easiest of all is regtest's, of 255 bits. */
	return out[SHA256_LEN - 1] <= 0x7f;
}

bool
block_header_works(const struct block_header *h)
{
	unsigned char	 target[SHA256_LEN];
	bool		 zero = true;
	int		 i;

	if (!target_of(target, h->bits))
		return false;
	for (i = SHA256_LEN - 1; i >= 0; i--) {
		zero &= target[i] == 0;
		if (h->hash[i] != target[i])
			return h->hash[i] < target[i];
	}
	return !zero;
}

enum rc
block_begin(struct block_walk *w, const unsigned char *bytes, size_t len,
    struct err *e)
{
	struct cursor	 c;

	memset(w, 0, sizeof(*w));
	if (len < BLOCK_HEADER_LEN)
		return err_set(e, "it is cut short");
	if (len > BLOCK_LEN_MAX)
		return err_set(e, "it has %zu bytes; a block at most %zu",
		    len, BLOCK_LEN_MAX);
	block_header_parse(&w->header, bytes);
	c = cursor_of(bytes + BLOCK_HEADER_LEN, len - BLOCK_HEADER_LEN);
	w->n_tx = cursor_compact(&c);
	if (c.bad || w->n_tx > cursor_left(&c) / TX_LEN_MIN)
		return err_set(e, "it is cut short");
	if (w->n_tx == 0)
		return err_set(e, "it has no transactions");
	w->p = c.p;
	w->end = c.end;
	return RC_OK;
}

enum rc
block_next(struct block_walk *w, struct tx *out, bool *got, struct err *e)
{
	size_t	 used;

	*got = false;
	memset(out, 0, sizeof(*out));
	if (w->next == w->n_tx)
		return w->p == w->end ? RC_OK : err_set(e, "%zu bytes follow "
		    "the last transaction", (size_t)(w->end - w->p));
	if (tx_parse_at(out, &used, false, w->p, (size_t)(w->end - w->p),
	    e) != RC_OK)
		return err_wrap(e, RC_FAILED, "transaction %ju",
		    (uintmax_t)w->next);
	w->p += used;
	w->next++;
	*got = true;
	return RC_OK;
}

static void
hash_pair(unsigned char out[SHA256_LEN], const unsigned char left[SHA256_LEN],
    const unsigned char right[SHA256_LEN])
{
	struct sha256	 h;

	sha256_begin(&h);
	sha256_add(&h, left, SHA256_LEN);
	sha256_add(&h, right, SHA256_LEN);
	hash256_end(&h, out);
}

/* One level up, in place; the last of an odd number pairs with itself.
 * Returns how many there are now. */
static size_t
merkle_level(unsigned char (*hashes)[32], size_t n, bool *mutated)
{
	size_t	 i;

	for (i = 0; i < n; i += 2) {
		const unsigned char *right = hashes[i + 1 < n ? i + 1 : i];

		if (i + 1 < n && memcmp(hashes[i], right, SHA256_LEN) == 0)
			*mutated = true;
		hash_pair(hashes[i / 2], hashes[i], right);
	}
	return (n + 1) / 2;
}

void
merkle_root(unsigned char out[32], unsigned char (*txids)[32], size_t n,
    bool *mutated)
{
	assert(n >= 1);
	*mutated = false;
	while (n > 1)
		n = merkle_level(txids, n, mutated);
	memcpy(out, txids[0], SHA256_LEN);
}

size_t
merkle_branch(unsigned char branch[MERKLE_DEPTH_MAX][32],
    unsigned char (*txids)[32], size_t n, size_t position)
{
	size_t	 depth = 0, sibling;
	bool	 mutated = false;

	assert(position < n);
	for (; n > 1; position /= 2, depth++) {
		assert(depth < MERKLE_DEPTH_MAX);
		sibling = (position ^ 1) < n ? position ^ 1 : position;
		memcpy(branch[depth], txids[sibling], SHA256_LEN);
		n = merkle_level(txids, n, &mutated);
	}
	return depth;
}

bool
merkle_proves(const unsigned char root[32], const struct tx *t,
    const unsigned char (*branch)[32], size_t depth, uint64_t position)
{
	unsigned char	 hash[SHA256_LEN];
	size_t		 i;

	if (depth > MERKLE_DEPTH_MAX || position >> depth != 0 ||
	    tx_size(t, false) == TX_LEN_AMBIGUOUS)
		return false;
	tx_txid(t, hash);
	for (i = 0; i < depth; i++, position >>= 1) {
		if ((position & 1) == 0) {
			hash_pair(hash, hash, branch[i]);
			continue;
		}
		/* The odd one's twin is nobody: a second position for what
		 * is there once (CVE-2012-2459). */
		if (memcmp(branch[i], hash, SHA256_LEN) == 0)
			return false;
		hash_pair(hash, branch[i], hash);
	}
	return memcmp(hash, root, SHA256_LEN) == 0;
}
