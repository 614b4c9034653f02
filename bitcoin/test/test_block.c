#define HOSTILE_ALLOC
#include "tests/check.h"

#include <dirent.h>
#include <stdlib.h>

#include "bitcoin/block.h"
#include "bitcoin/hash.h"
#include "bitcoin/test/hostile.h"
#include "bitcoin/test/vectors.h"

#define BLOCKS	"../shared/blocks/"
#define ROOM	TX_BYTES_MAX
#define TX_MAX	20000

static unsigned char bytes[ROOM + 2], again[ROOM + 2];

/* A block's transactions, all at once. */
static struct tx txs[TX_MAX + 1];
static unsigned char ids[TX_MAX][32], scratch[TX_MAX][32];
static size_t n_txs;

static void
forget(void)
{
	while (n_txs > 0)
		tx_free(&txs[--n_txs]);
}

static bool
walks(struct block_walk *w, const unsigned char *p, size_t len,
    struct err *e)
{
	bool	 got;

	memset(e, 0, sizeof(*e));
	n_txs = 0;
	if (block_begin(w, p, len, e) != RC_OK)
		return false;
	while (n_txs <= TX_MAX) {
		if (block_next(w, &txs[n_txs], &got, e) != RC_OK) {
			CHECK(!got);
			forget();
			return false;
		}
		if (!got)
			break;
		if (n_txs < TX_MAX)
			tx_txid(&txs[n_txs], ids[n_txs]);
		n_txs++;
	}
	CHECK(n_txs <= TX_MAX);
	CHECK_INT(n_txs, w->n_tx);
	return true;
}

/* The tree in another way: all levels at once, one after the other. */
static unsigned char tree[3 * TX_MAX + 64][32];
static size_t level_at[MERKLE_DEPTH_MAX], level_n[MERKLE_DEPTH_MAX], levels;

static void
grow_tree(size_t n)
{
	unsigned char	 pair[64];
	size_t		 i, at = 0, last;

	memcpy(tree, ids, n * sizeof(ids[0]));
	for (levels = 0;; levels++) {
		level_at[levels] = at;
		level_n[levels] = n;
		if (n == 1)
			break;
		last = at + n - 1;
		for (i = 0; i < n; i += 2) {
			memcpy(pair, tree[at + i], 32);
			memcpy(pair + 32, tree[i + 1 < n ? at + i + 1 : last],
			    32);
			hash256(tree[at + n + i / 2], pair, sizeof(pair));
		}
		at += n;
		n = (n + 1) / 2;
	}
}

static const unsigned char *
tree_root(void)
{
	return tree[level_at[levels]];
}

static void
tree_branch(unsigned char branch[MERKLE_DEPTH_MAX][32], size_t position)
{
	size_t	 k, sibling;

	for (k = 0; k < levels; k++, position /= 2) {
		sibling = position ^ 1;
		if (sibling >= level_n[k])
			sibling = position;
		memcpy(branch[k], tree[level_at[k] + sibling], 32);
	}
}

static bool
proves(const unsigned char root[32], const struct tx *t,
    unsigned char branch[][32], size_t depth, uint64_t position)
{
	return merkle_proves(root, t, (const void *)branch, depth, position);
}

/* One transaction: its proof holds, and none that differs from it. */
static void
check_proof(size_t position)
{
	unsigned char	 branch[MERKLE_DEPTH_MAX][32], root[32];
	struct tx	*t = &txs[position];
	size_t		 k;

	tree_branch(branch, position);
	CHECK(proves(tree_root(), t, branch, levels, position));
	memcpy(root, tree_root(), sizeof(root));
	root[(position + 31) % 32] ^= 1;
	CHECK(!proves(root, t, branch, levels, position));
	t->locktime ^= 1;
	CHECK(!proves(tree_root(), t, branch, levels, position));
	t->locktime ^= 1;
	t->out[0].amount_sat ^= 1;
	CHECK(!proves(tree_root(), t, branch, levels, position));
	t->out[0].amount_sat ^= 1;
	if (levels == 0)
		return;
	CHECK(!proves(tree_root(), t, branch, levels - 1, position));
	CHECK(!proves(tree_root(), t, branch, levels,
	    position + ((uint64_t)1 << levels)));
	k = position % levels;
	branch[k][position % 32] ^= 0x80;
	CHECK(!proves(tree_root(), t, branch, levels, position));
	branch[k][position % 32] ^= 0x80;
}

/* merkle_branch() uses the ids up, so only some of many are asked. */
static void
check_branch(size_t position)
{
	unsigned char	 want[MERKLE_DEPTH_MAX][32];
	unsigned char	 got[MERKLE_DEPTH_MAX][32];

	memcpy(scratch, ids, n_txs * sizeof(ids[0]));
	tree_branch(want, position);
	CHECK_INT(merkle_branch(got, scratch, n_txs, position), levels);
	CHECK(memcmp(got, want, levels * 32) == 0);
}

static void
check_merkle(const struct block_header *h)
{
	unsigned char	 root[32];
	bool		 mutated;
	size_t		 i;

	memcpy(scratch, ids, n_txs * sizeof(ids[0]));
	merkle_root(root, scratch, n_txs, &mutated);
	CHECK(!mutated);
	CHECK(memcmp(root, h->merkle_root, sizeof(root)) == 0);
	grow_tree(n_txs);
	CHECK(memcmp(tree_root(), root, sizeof(root)) == 0);
	for (i = 0; i < n_txs; i++)
		check_proof(i);
	for (i = 0; i < n_txs; i += n_txs / 32 + 1)
		check_branch(i);
	check_branch(n_txs - 1);
}

static void
check_written(const unsigned char *p, size_t len)
{
	size_t	 i, n = BLOCK_HEADER_LEN;

	memcpy(again, p, n);
	n = (size_t)(put_compact(again + n, n_txs) - again);
	for (i = 0; i < n_txs && n + tx_size(&txs[i], true) <= len; i++)
		n += tx_write(&txs[i], true, again + n);
	CHECK_INT(n, len);
	CHECK(memcmp(again, p, len) == 0);
}

static void
check_cut(const unsigned char *p, size_t cut)
{
	struct block_walk w;
	struct err	 e;

	if (!CHECK(!walks(&w, hostile_place(p, cut), cut, &e)))
		printf("#   the first %zu bytes\n", cut);
	CHECK(e.text[0] != '\0');
	forget();
}

static void
check_block(struct block_walk *w, const unsigned char *p, size_t len)
{
	struct err	 e;
	size_t		 cut;
	long		 live = hostile_live;

	if (!CHECK(walks(w, hostile_place(p, len), len, &e))) {
		printf("#   %s\n", e.text);
		return;
	}
	CHECK(block_header_works(&w->header));
	check_merkle(&w->header);
	check_written(p, len);
	forget();
	for (cut = 0; cut < len; cut += len / 400 + 1)
		check_cut(p, cut);
	check_cut(p, len - 1);
	memcpy(again, p, len);
	again[len] = 0;
	CHECK(!walks(w, again, len + 1, &e));
	CHECK(strcmp(e.text, "1 bytes follow the last transaction") == 0 ||
	    len == ROOM);
	CHECK_INT(hostile_live, live);
}

static long long
number(json_t *c, const char *key)
{
	return json_integer_value(json_object_get(c, key));
}

static void
check_hash(const unsigned char hash[32], const char *shown)
{
	char	 text[65];

	hash_text(text, hash);
	CHECK_STR(text, shown);
}

static void
check_allocations(const unsigned char *p, size_t len)
{
	struct block_walk w;
	struct err	 e;
	unsigned long	 k;
	long		 live = hostile_live;

	for (k = 1;; k++) {
		bool good;

		hostile_fail(k);
		good = walks(&w, p, len, &e);
		if (!hostile_end())
			break;
		CHECK(!good);
		CHECK(strstr(e.text, "no memory") != NULL);
		CHECK_INT(hostile_live, live);
	}
	CHECK_INT(k, 2 * n_txs + 1);
	forget();
	CHECK_INT(hostile_live, live);
}

static void
test_own(void)
{
	json_t		*cases, *c, *txids, *id;
	struct block_walk w;
	struct err	 e;
	size_t		 i, k, len;

	check_case("the first blocks: taken apart, cut, put together again");
	cases = vectors_read("tests/vectors/blocks.json");
	CHECK_INT(json_array_size(cases), 3);
	json_array_foreach(cases, i, c) {
		len = vectors_hex(bytes, ROOM, vectors_text(c, "hex"));
		check_block(&w, bytes, len);
		check_allocations(bytes, len);
		if (!CHECK(walks(&w, bytes, len, &e)))
			continue;
		check_hash(w.header.hash, vectors_text(c, "hash"));
		check_hash(w.header.prev, vectors_text(c, "prev"));
		check_hash(w.header.merkle_root,
		    vectors_text(c, "merkle_root"));
		CHECK_INT(w.header.version, number(c, "version"));
		CHECK_INT(w.header.time_s, number(c, "time_s"));
		CHECK_INT(w.header.bits, number(c, "bits"));
		CHECK_INT(w.header.nonce, number(c, "nonce"));
		txids = json_object_get(c, "txids");
		CHECK_INT(n_txs, json_array_size(txids));
		json_array_foreach(txids, k, id)
			check_hash(ids[k], json_string_value(id));
		forget();
	}
}

static void
test_counts(void)
{
	struct block_walk w;
	struct err	 e;
	size_t		 len;
	json_t		*cases;

	check_case("a block has transactions, and as many as it says");
	cases = vectors_read("tests/vectors/blocks.json");
	len = vectors_hex(bytes, ROOM,
	    vectors_text(json_array_get(cases, 2), "hex"));
	CHECK_INT(bytes[BLOCK_HEADER_LEN], 2);
	bytes[BLOCK_HEADER_LEN] = 1;
	CHECK(!walks(&w, bytes, len, &e));
	CHECK(strstr(e.text, "follow the last") != NULL);
	bytes[BLOCK_HEADER_LEN] = 3;
	CHECK(!walks(&w, bytes, len, &e));
	CHECK(strstr(e.text, "transaction 2: ") == e.text);
	bytes[BLOCK_HEADER_LEN] = 0;
	CHECK(!walks(&w, bytes, len, &e));
	CHECK(!walks(&w, bytes, BLOCK_HEADER_LEN + 1, &e));
	CHECK(strstr(e.text, "no transactions") != NULL);
	/* More than the bytes could hold, in every width. */
	bytes[BLOCK_HEADER_LEN] = 0xfc;
	CHECK(!walks(&w, bytes, len, &e));
	memset(bytes + BLOCK_HEADER_LEN, 0xff, 9);
	CHECK(!walks(&w, bytes, len, &e));
	CHECK(strstr(e.text, "short") != NULL);
	CHECK(block_begin(&w, bytes, ROOM + 1, &e) == RC_FAILED);
	CHECK(strstr(e.text, "at most") != NULL);
}

static void
test_work(void)
{
	static const char zeros[] = "00000000000000000000000000000000"
	    "00000000000000000000000000000000";
	static const struct {
		uint32_t	 bits;
		const char	*hash;
		bool		 works;
	} cases[] = {
		/* The easiest of the main network, exactly, and one more. */
		{ 0x1d00ffff, "00000000ffff0000000000000000000000000000"
		    "000000000000000000000000", true },
		{ 0x1d00ffff, "00000000ffff0000000000000000000000000000"
		    "000000000000000000000001", false },
		{ 0x1d00ffff, "00000001000000000000000000000000000000000"
		    "00000000000000000000000", false },
		{ 0x207fffff, "7fffff0000000000000000000000000000000000"
		    "000000000000000000000000", true },
		{ 0x207fffff, "7fffff0000000000000000000000000000000000"
		    "000000000000000000000001", false },
		{ 0x03123456, "0000000000000000000000000000000000000000"
		    "000000000000000000123456", true },
		{ 0x03123456, "0000000000000000000000000000000000000000"
		    "000000000000000000123457", false },
		{ 0x02123456, "0000000000000000000000000000000000000000"
		    "000000000000000000001234", true },
		{ 0x02123456, "0000000000000000000000000000000000000000"
		    "000000000000000000001235", false },
		{ 0x01123456, "0000000000000000000000000000000000000000"
		    "000000000000000000000012", true },
		{ 0x01123456, "0000000000000000000000000000000000000000"
		    "000000000000000000000013", false },
		/* Shorter than they look, not too large. */
		{ 0x21007fff, zeros, true },
		{ 0x22000001, zeros, true },
		/* Zero: not even a hash of zero meets it. */
		{ 0x01003456, zeros, false },
		{ 0x00123456, zeros, false },
		{ 0x00000000, zeros, false },
		{ 0x1d000000, zeros, false },
		{ 0xff000000, zeros, false },
		/* Negative. */
		{ 0x1d80ffff, zeros, false },
		{ 0x20ffffff, zeros, false },
		{ 0x1d800000, zeros, false },
		/* Too large: beyond regtest's, and beyond a hash. */
		{ 0x2100ffff, zeros, false },
		{ 0x22000080, zeros, false },
		{ 0x217fffff, zeros, false },
		{ 0x23000001, zeros, false },
		{ 0x22000100, zeros, false },
		{ 0x22000101, zeros, false },
		{ 0xff7fffff, zeros, false },
	};
	struct block_header h;
	size_t		 i;

	check_case("proof of work, and bits that no network allows");
	memset(&h, 0, sizeof(h));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		h.bits = cases[i].bits;
		CHECK(hash_of_text(h.hash, cases[i].hash, 64));
		if (!CHECK(block_header_works(&h) == cases[i].works))
			printf("#   bits %08x, %s\n", h.bits, cases[i].hash);
	}
}

static void
test_work_bits(void)
{
	struct block_header h;
	json_t		*cases;
	size_t		 i;

	check_case("a header with any bit changed does no work");
	cases = vectors_read("tests/vectors/blocks.json");
	(void)vectors_hex(bytes, ROOM,
	    vectors_text(json_array_get(cases, 2), "hex"));
	block_header_parse(&h, hostile_place(bytes, BLOCK_HEADER_LEN));
	CHECK(block_header_works(&h));
	for (i = 0; i < (size_t)BLOCK_HEADER_LEN * 8; i++) {
		bytes[i / 8] ^= (unsigned char)(1u << i % 8);
		block_header_parse(&h, bytes);
		/* Easier bits make it easy: that is for who knows the chain. */
		if (i / 8 < 72 || i / 8 > 75)
			CHECK(!block_header_works(&h));
		bytes[i / 8] ^= (unsigned char)(1u << i % 8);
	}
}

/* A transaction of so many bytes, 60 at least; `mark` tells two apart. */
static void
make_tx(struct tx *t, unsigned char buf[256], size_t len, unsigned mark)
{
	struct err	 e;

	memset(buf, 0, 256);
	buf[0] = 2;
	buf[4] = 1;
	buf[5] = (unsigned char)mark;
	buf[46] = 1;
	buf[55] = (unsigned char)(len - 60);
	if (tx_parse(t, buf, len, &e) != RC_OK)
		abort();
}

static void
test_64(void)
{
	unsigned char	 buf[256], branch[1][32], pair[64], root[32];
	struct tx	 t;
	size_t		 len;

	check_case("CVE-2017-12842: 64 bytes may be two hashes");
	memset(branch, 0x77, sizeof(branch));
	for (len = 60; len < 70; len++) {
		make_tx(&t, buf, len, 1);
		CHECK_INT(tx_size(&t, false), len);
		tx_txid(&t, pair);
		CHECK(proves(pair, &t, NULL, 0, 0) == (len != 64));
		memcpy(pair + 32, branch[0], 32);
		hash256(root, pair, sizeof(pair));
		CHECK(proves(root, &t, branch, 1, 0) == (len != 64));
		tx_free(&t);
	}
	/* A witness does not make it another: its id is without. */
	make_tx(&t, buf, 64, 1);
	t.has_witness = true;
	tx_txid(&t, root);
	CHECK(!proves(root, &t, NULL, 0, 0));
	tx_free(&t);
}

static void
test_mutation(void)
{
	static unsigned char bufs[4][256];
	unsigned char	 branch[MERKLE_DEPTH_MAX][32], root[32], same[32];
	bool		 mutated;
	size_t		 i;

	check_case("CVE-2012-2459: the last ones twice");
	for (n_txs = 0; n_txs < 3; n_txs++) {
		make_tx(&txs[n_txs], bufs[n_txs], 80, (unsigned)n_txs);
		tx_txid(&txs[n_txs], ids[n_txs]);
	}
	make_tx(&txs[n_txs], bufs[n_txs], 80, 2);
	tx_txid(&txs[n_txs], ids[n_txs]);
	n_txs++;
	memcpy(scratch, ids, sizeof(ids[0]) * 3);
	merkle_root(root, scratch, 3, &mutated);
	CHECK(!mutated);
	memcpy(scratch, ids, sizeof(ids[0]) * 4);
	merkle_root(same, scratch, 4, &mutated);
	CHECK(mutated);
	CHECK(memcmp(root, same, sizeof(root)) == 0);
	/* Of six the last pair again: one level further up. */
	for (i = 0; i < 8; i++)
		memset(scratch[i], (int)(i < 6 ? i : i - 2), 32);
	merkle_root(same, scratch, 8, &mutated);
	CHECK(mutated);
	/* Two equal ones that are not neighbours in the tree are none of it. */
	memset(scratch[0], 1, 32);
	memset(scratch[1], 2, 32);
	memset(scratch[2], 2, 32);
	memset(scratch[3], 3, 32);
	merkle_root(same, scratch, 4, &mutated);
	CHECK(!mutated);

	check_case("CVE-2012-2459: no proof of a place that is not there");
	grow_tree(3);
	tree_branch(branch, 2);
	CHECK(proves(root, &txs[2], branch, 2, 2));
	CHECK(!proves(root, &txs[2], branch, 2, 3));
	forget();
}

static void
test_depths(void)
{
	static unsigned char branch[MERKLE_DEPTH_MAX + 8][32];
	unsigned char	 buf[256], pair[64];
	struct tx	 t;
	size_t		 depth;

	check_case("proofs of every depth, and none beyond 32");
	make_tx(&t, buf, 90, 9);
	tx_txid(&t, pair);
	for (depth = 0; depth < MERKLE_DEPTH_MAX + 8; depth++) {
		CHECK(proves(pair, &t, branch, depth, 0) ==
		    (depth <= MERKLE_DEPTH_MAX));
		if (depth <= MERKLE_DEPTH_MAX)
			CHECK(!proves(pair, &t, branch, depth,
			    (uint64_t)1 << depth));
		CHECK(!proves(pair, &t, branch, depth, UINT64_MAX));
		memset(branch[depth], (int)depth, 32);
		memcpy(pair + 32, branch[depth], 32);
		hash256(pair, pair, sizeof(pair));
	}
	tx_free(&t);
}

static void
test_sizes(void)
{
	static unsigned char bufs[70][256];
	unsigned char	 root[32];
	bool		 mutated;
	size_t		 n, i;

	check_case("trees of 1 to 70 leaves, every branch");
	for (n = 1; n <= 70; n++) {
		for (n_txs = 0; n_txs < n; n_txs++) {
			make_tx(&txs[n_txs], bufs[n_txs], 100,
			    (unsigned)n_txs);
			tx_txid(&txs[n_txs], ids[n_txs]);
		}
		memcpy(scratch, ids, n * sizeof(ids[0]));
		merkle_root(root, scratch, n, &mutated);
		CHECK(!mutated);
		grow_tree(n);
		CHECK(memcmp(root, tree_root(), sizeof(root)) == 0);
		for (i = 0; i < n; i++) {
			check_proof(i);
			check_branch(i);
		}
		forget();
	}
}

static bool
check_file(const char *path)
{
	struct block_walk w;
	FILE		*f = fopen(path, "rb");
	size_t		 len;

	if (f == NULL)
		return false;
	len = fread(bytes, 1, ROOM, f);
	(void)fclose(f);
	check_block(&w, bytes, len);
	return true;
}

static void
test_folder(const char *name, const char *folder, size_t expected)
{
	char		 path[512];
	struct dirent	*d;
	DIR		*dir = opendir(folder);
	size_t		 n = 0;

	if (dir == NULL) {
		vectors_skip(name, folder);
		return;
	}
	check_case(name);
	while ((d = readdir(dir)) != NULL) {
		if (strstr(d->d_name, ".raw") == NULL ||
		    strstr(d->d_name, "undo") != NULL)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder,
		    d->d_name);
		CHECK(check_file(path));
		n++;
	}
	(void)closedir(dir);
	CHECK_INT(n, expected);
}

int
main(void)
{
	test_own();
	test_counts();
	test_work();
	test_work_bits();
	test_64();
	test_mutation();
	test_depths();
	test_sizes();
	test_folder("whole blocks of the main network", BLOCKS "mainnet", 9);
	test_folder("whole blocks of testnet", BLOCKS "testnet3", 3);
	return check_done();
}
