/*
 * Rows: what is made is read; nothing else is.
 */
#define _GNU_SOURCE	/* memmem */
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "db/row.h"
#include "lib/civil.h"
#include "lib/sha256.h"
#include "tests/check.h"

static const unsigned char key[ROW_KEY_LEN] =
    "a key of thirty-two bytes, fixed";
static const unsigned char policy[32] = "a policy's hash, thirty-two too.";
static const unsigned char zeros[32];
/* 2026-11-25 04:00:00 */
#define T	INT64_C(1795579200000)

static struct row_maker *maker;

static void
put(const char *open, const char *sealed, const char *outcomes)
{
	unsigned char	*a, *b, *c;
	struct err	 e;

	if (row_room(maker, 300, 300, 300, &a, &b, &c, &e) != RC_OK) {
		CHECK_STR(e.text, "");
		return;
	}
	memcpy(a, open, strlen(open));
	memcpy(b, sealed, strlen(sealed));
	memcpy(c, outcomes, strlen(outcomes));
	row_put(maker, T, strlen(open), strlen(sealed), strlen(outcomes));
}

/* Three events, the second with nothing sealed; owned by the caller. */
static unsigned char *
small(size_t *len_out, unsigned char hash[32])
{
	const unsigned char	*row;
	unsigned char		*copy;

	memset(hash, 0, 32);
	row_begin(maker, 7, 41, policy);
	put("withdraw", "10.0.0.1", "allow");
	put("tick", "", "");
	put("deposit 5", "phone", "credited");
	row_finish(maker, key, hash, &row, len_out);
	if ((copy = malloc(*len_out)) == NULL)
		abort();
	memcpy(copy, row, *len_out);
	return copy;
}

/* Parse, check from the first hash, unseal unless the key is NULL, walk:
 * how many events, or -1. */
static int
read_all(const unsigned char *row, size_t len, const unsigned char *k,
    struct err *e)
{
	unsigned char	 hash[32] = { 0 }, plain[4096];
	struct row_head	 h;
	struct row_walk	 w;
	struct row_event ev;
	bool		 more = true;
	int		 n = 0;

	if (row_parse(&h, row, len, 0, e) != RC_OK ||
	    row_check(row, len, hash, e) != RC_OK)
		return -1;
	if (k != NULL && h.sealed_len > 0 &&
	    row_unseal(plain, row, len, k, e) != RC_OK)
		return -1;
	row_walk(&w, &h, row, k != NULL && h.sealed_len > 0 ? plain : NULL);
	for (;;) {
		if (row_next(&w, &ev, &more, e) != RC_OK)
			return -1;
		if (!more)
			return n;
		n++;
	}
}

static bool
is(const unsigned char *p, size_t len, const char *want)
{
	return len == strlen(want) && memcmp(p, want, len) == 0;
}

static void
test_there_and_back(void)
{
	unsigned char	 hash[32], plain[64], *row;
	struct row_walk	 w;
	struct row_event ev;
	struct row_head	 h;
	struct err	 e;
	bool		 more;
	size_t		 len;

	check_case("what was put comes back");
	row = small(&len, hash);
	CHECK_INT(row_parse(&h, row, len, 41, &e), RC_OK);
	CHECK_INT(h.semantics, 7);
	CHECK_INT(h.seq, 41);
	CHECK_INT(h.t_ms, T);
	CHECK_INT(h.events, 3);
	CHECK_INT(h.month, 12 * 2026 + 10);
	CHECK_INT(h.sealed_len, 13 + ROW_SEAL_EXTRA);
	CHECK(memcmp(h.policy, policy, 32) == 0);
	CHECK(memcmp(hash, row + len - 32, 32) == 0);
	CHECK_INT(row_unseal(plain, row, len, key, &e), RC_OK);
	row_walk(&w, &h, row, plain);
	CHECK_INT(row_next(&w, &ev, &more, &e), RC_OK);
	CHECK(more && ev.seq == 41 && is(ev.open, ev.open_len, "withdraw") &&
	    is(ev.sealed, ev.sealed_len, "10.0.0.1") &&
	    is(ev.outcomes, ev.outcomes_len, "allow"));
	CHECK_INT(row_next(&w, &ev, &more, &e), RC_OK);
	CHECK(more && ev.seq == 42 && is(ev.open, ev.open_len, "tick") &&
	    ev.sealed_len == 0 && ev.outcomes_len == 0);
	CHECK_INT(row_next(&w, &ev, &more, &e), RC_OK);
	CHECK(more && ev.seq == 43 && is(ev.open, ev.open_len, "deposit 5") &&
	    is(ev.sealed, ev.sealed_len, "phone") &&
	    is(ev.outcomes, ev.outcomes_len, "credited"));
	CHECK_INT(row_next(&w, &ev, &more, &e), RC_OK);
	CHECK(!more);
	CHECK(memmem(row, len, "10.0.0.1", 8) == NULL);

	check_case("a destroyed key: the chain holds, the rest is noise");
	CHECK_INT(read_all(row, len, NULL, &e), 3);
	CHECK_INT(read_all(row, len, zeros, &e), -1);
	row_walk(&w, &h, row, NULL);
	CHECK_INT(row_next(&w, &ev, &more, &e), RC_OK);
	CHECK(more && ev.sealed == NULL && ev.sealed_len == 8);

	check_case("another sequence is refused");
	CHECK_INT(row_parse(&h, row, len, 42, &e), RC_FAILED);
	CHECK_STR(e.text, "begins with event 41, but event 42 comes next");
	free(row);
}

/* By another library than the one that is tested. */
static void
chain_hash(unsigned char out[32], const unsigned char *row, size_t len)
{
	crypto_hash_sha256_state	 s;

	crypto_hash_sha256_init(&s);
	crypto_hash_sha256_update(&s, zeros, 32);
	crypto_hash_sha256_update(&s, row, len - 32);
	crypto_hash_sha256_final(&s, out);
}

/* If this changes, every journal that exists has become unreadable. */
static void
test_golden(void)
{
	static const char	 want[] =
	    "44426a310700000029000000000000000042dc10a201000003000000025f"
	    "00006120706f6c696379277320686173682c207468697274792d74776f20"
	    "746f6f2e2b000000350000000877697468647261770805616c6c6f770474"
	    "69636b0000096465706f736974203505086372656469746564446cda9de5"
	    "19fbbdac5b405b60eb74c01311e20d44db63ec99a0a22a39e05e6d37f687"
	    "571dc6c0ec7f451dcee869de8a469db89aedc0854097e148a1d2b99fae6b"
	    "d75d9920b465c469bd3b9d927b2463de88a34f97";
	unsigned char		 hash[32], own[32], again[32], *row;
	char			 hex[1024];
	size_t			 len, len2;

	check_case("the bytes of a row are the bytes they always were");
	row = small(&len, hash);
	CHECK_STR(sodium_bin2hex(hex, sizeof(hex), row, len), want);

	check_case("the chain's hash is plain SHA-256");
	chain_hash(own, row, len);
	CHECK(memcmp(own, hash, 32) == 0);
	sha256(own, row, len);
	crypto_hash_sha256(again, row, len);
	CHECK(memcmp(own, again, 32) == 0);

	check_case("the same again gives the same bytes");
	{
		unsigned char	*second = small(&len2, again);

		CHECK(len2 == len && memcmp(row, second, len) == 0);
		free(second);
	}
	free(row);
}

static void
test_flips(void)
{
	unsigned char	 hash[32], plain[64], *row;
	unsigned	 kept = 0, opened = 0, head = 0;
	struct row_head	 h;
	struct err	 e;
	size_t		 len, bit, sealed;

	check_case("every flipped bit is found");
	row = small(&len, hash);
	CHECK_INT(row_parse(&h, row, len, 41, &e), RC_OK);
	sealed = ROW_HEAD_LEN + h.open_len;
	for (bit = 0; bit < len * 8; bit++) {
		row[bit / 8] ^= (unsigned char)(1u << bit % 8);
		kept += read_all(row, len, NULL, &e) != -1;
		/* The seal alone, without the chain. */
		if (bit < (len - 32) * 8 &&
		    row_parse(&h, row, len, 0, &e) == RC_OK) {
			head += bit < sealed * 8;
			opened += row_unseal(plain, row, len, key, &e) ==
			    RC_OK;
		}
		row[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	CHECK_INT(kept, 0);
	check_case("no flip of head, open or sealed part unseals");
	CHECK(head > 100);
	CHECK_INT(opened, 0);
	CHECK_INT(read_all(row, len, key, &e), 3);
	free(row);
}

static void
test_truncated(void)
{
	size_t		 page = (size_t)sysconf(_SC_PAGESIZE), len, n;
	unsigned char	 hash[32], *row, *map;
	unsigned	 taken = 0;
	struct row_head	 h;
	struct err	 e;

	check_case("every truncation is refused, reading nothing beyond");
	row = small(&len, hash);
	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED || mprotect(map + page, page, PROT_NONE) == -1)
		abort();
	for (n = 0; n <= len; n++) {
		memcpy(map + page - n, row, n);
		if (row_parse(&h, map + page - n, n, 0, &e) == RC_OK) {
			taken++;
			CHECK_INT(n, len);
			CHECK_INT(read_all(map + page - n, n, key, &e), 3);
		}
	}
	CHECK_INT(taken, 1);
	CHECK_INT(row_parse(&h, row, len + 1, 0, &e), RC_FAILED);
	(void)munmap(map, 2 * page);
	free(row);
}

/* With the chain made anew, as somebody would who has the file. */
static void
rechain(unsigned char *row, size_t len)
{
	chain_hash(row + len - 32, row, len);
}

static void
test_rewritten(void)
{
	unsigned char	 hash[32], plain[64], other[32], *row;
	struct row_head	 h;
	struct err	 e;
	size_t		 len;

	check_case("swapped events break the chain, and the seal");
	row = small(&len, hash);
	/* "tick" and its empty parts (7 bytes) before "withdraw". */
	memmove(row + 72 + 7, row + 72, 16);
	memcpy(row + 72, "\4tick\0\0", 7);
	CHECK_INT(row_parse(&h, row, len, 41, &e), RC_OK);
	memset(other, 0, 32);
	CHECK_INT(row_check(row, len, other, &e), RC_FAILED);
	CHECK(memcmp(other, zeros, 32) == 0);
	rechain(row, len);
	CHECK_INT(row_check(row, len, other, &e), RC_OK);
	CHECK_INT(read_all(row, len, NULL, &e), 3);
	CHECK_INT(row_unseal(plain, row, len, key, &e), RC_FAILED);
	free(row);

	check_case("another row before it");
	row = small(&len, hash);
	other[0] ^= 1;
	CHECK_INT(row_check(row, len, other, &e), RC_FAILED);

	check_case("lengths that do not add up, under a right hash");
	row[72]++;		/* the first event's open part */
	rechain(row, len);
	CHECK_INT(read_all(row, len, NULL, &e), -1);
	row[72]--;
	row[72 + 9]--;		/* its sealed part */
	rechain(row, len);
	CHECK_INT(read_all(row, len, NULL, &e), -1);
	CHECK_STR(e.text, "1 sealed bytes are left over after its last event");
	row[72 + 9] += 2;
	rechain(row, len);
	CHECK_INT(read_all(row, len, NULL, &e), -1);
	CHECK_STR(e.text, "event 43: has 5 sealed bytes where 4 are left");
	row[72 + 9]--;
	row[24] = 2;		/* one event fewer */
	rechain(row, len);
	CHECK_INT(read_all(row, len, NULL, &e), -1);
	row[24] = 4;
	rechain(row, len);
	CHECK_INT(read_all(row, len, NULL, &e), -1);
	row[24] = 3;
	rechain(row, len);
	CHECK_INT(read_all(row, len, key, &e), 3);
	free(row);
}

static void
set(unsigned char *row, size_t at, uint64_t v, int bytes)
{
	int	 i;

	for (i = 0; i < bytes; i++)
		row[at + (size_t)i] = (unsigned char)(v >> 8 * i);
}

static void
test_head(void)
{
	static const struct {
		size_t		 at;
		int		 bytes;
		uint64_t	 v;
	} bad[] = {
		{ 0, 4, 0 }, { 8, 8, 0 }, { 8, 8, UINT64_MAX },
		{ 8, 8, UINT64_MAX - 2 }, { 16, 8, 0 },
		{ 16, 8, (uint64_t)INT64_MIN }, { 24, 4, 0 },
		{ 24, 4, ROW_EVENTS_MAX + 1 }, { 24, 4, UINT32_MAX },
		{ 28, 4, 12 * 2026 + 9 }, { 28, 4, 0 },
		{ 64, 4, 0 }, { 64, 4, UINT32_MAX }, { 68, 4, 0 },
		{ 68, 4, 40 }, { 68, 4, 1 }, { 68, 4, UINT32_MAX },
	};
	unsigned char	 hash[32], kept[ROW_HEAD_LEN], *row;
	struct row_head	 h = { 0 };
	struct err	 e;
	size_t		 len, i;

	check_case("a head that cannot be is refused with a reason");
	row = small(&len, hash);
	CHECK_INT(row_parse(&h, row, len, 41, &e), RC_OK);
	memcpy(kept, row, sizeof(kept));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		set(row, bad[i].at, bad[i].v, bad[i].bytes);
		e.text[0] = '\0';
		if (!CHECK(row_parse(&h, row, len, 0, &e) == RC_FAILED))
			printf("# case %zu\n", i);
		CHECK(e.text[0] != '\0');
		memcpy(row, kept, sizeof(kept));
	}
	/* Two lengths that add up in 32 bits only. */
	set(row, 64, UINT32_MAX - 31, 4);
	CHECK_INT(row_parse(&h, row, len, 0, &e), RC_FAILED);
	/* Or a border between the parts that is elsewhere. */
	memcpy(row, kept, sizeof(kept));
	set(row, 64, 43 + 13, 4);
	set(row, 68, 40, 4);
	CHECK_INT(row_parse(&h, row, len, 0, &e), RC_FAILED);
	CHECK_STR(e.text, "a sealed part of 40 bytes");
	memcpy(row, kept, sizeof(kept));
	set(row, 24, 15, 4);
	CHECK_INT(row_parse(&h, row, len, 0, &e), RC_FAILED);
	CHECK_STR(e.text, "43 bytes cannot hold 15 events");
	free(row);

	check_case("an event too many or too few where nothing is sealed");
	{
		const unsigned char	*made;

		row_begin(maker, 1, 1, zeros);
		put("one", "", "");
		put("two", "", "");
		memset(hash, 0, sizeof(hash));
		row_finish(maker, NULL, hash, &made, &len);
		if ((row = malloc(len)) == NULL)
			abort();
		memcpy(row, made, len);
	}
	CHECK_INT(read_all(row, len, NULL, &e), 2);
	row[24] = 1;
	rechain(row, len);
	CHECK_INT(read_all(row, len, NULL, &e), -1);
	CHECK_STR(e.text, "6 bytes are left over after its last event");
	row[24] = 3;
	rechain(row, len);
	CHECK_INT(read_all(row, len, NULL, &e), -1);
	CHECK_STR(e.text, "event 3: its lengths are not those of the row");
	free(row);
}

static void
test_month(void)
{
	check_case("months");
	CHECK_INT(row_month(0), 12 * 1970);
	CHECK_INT(row_month(-1), 12 * 1970 - 1);
	CHECK_INT(row_month(-MS_PER_DAY * 31), 12 * 1970 - 1);
	CHECK_INT(row_month(-MS_PER_DAY * 31 - 1), 12 * 1970 - 2);
	CHECK_INT(row_month(T), 12 * 2026 + 10);
	CHECK_INT(row_month(INT64_C(1796083199999)), 12 * 2026 + 10);
	CHECK_INT(row_month(INT64_C(1796083200000)), 12 * 2026 + 11);
	(void)row_month(INT64_MAX);
	(void)row_month(INT64_MIN);
}

/* Lengths around those where the length of a length changes. */
static void
test_lengths(void)
{
	static const size_t	 lens[] = { 0, 1, 127, 128, 129, 16383, 16384,
		16385, 300000 };
	const unsigned char	*row;
	unsigned char		*a, *b, *c, *plain, hash[32] = { 0 };
	size_t			 i, j, n = sizeof(lens) / sizeof(lens[0]);
	struct row_head		 h;
	struct row_walk		 w;
	struct row_event	 ev;
	struct err		 e;
	size_t			 len, s;
	bool			 more, good = true;

	check_case("long events, and less than the room they asked for");
	row_begin(maker, 1, 1, zeros);
	for (i = 0; i < n; i++)
		for (j = 0; j < n; j++) {
			s = (i * n + j) % 3 * 70;
			CHECK(row_room(maker, lens[i] * 2 + 9, s, lens[j],
			    &a, &b, &c, &e) == RC_OK);
			memset(a, (int)i + 1, lens[i] * 2 + 9);
			memset(b, 0x55, s);
			memset(c, (int)j + 100, lens[j]);
			row_put(maker, 5, lens[i], s, lens[j]);
		}
	s = row_len(maker);
	row_finish(maker, key, hash, &row, &len);
	CHECK_INT(s, len);
	CHECK_INT(row_parse(&h, row, len, 1, &e), RC_OK);
	if ((plain = malloc(h.sealed_len)) == NULL)
		abort();
	CHECK_INT(row_unseal(plain, row, len, key, &e), RC_OK);
	row_walk(&w, &h, row, plain);
	for (i = 0; i < n; i++)
		for (j = 0; j < n; j++) {
			CHECK(row_next(&w, &ev, &more, &e) == RC_OK && more);
			good &= ev.open_len == lens[i] &&
			    ev.outcomes_len == lens[j] &&
			    ev.sealed_len == (i * n + j) % 3 * 70;
			good &= lens[i] == 0 || (ev.open[0] == i + 1 &&
			    ev.open[lens[i] - 1] == i + 1);
			good &= lens[j] == 0 || (ev.outcomes[0] == j + 100 &&
			    ev.outcomes[lens[j] - 1] == j + 100);
		}
	CHECK(good);
	CHECK(row_next(&w, &ev, &more, &e) == RC_OK && !more);
	free(plain);

	check_case("too much for one row is an error, not a long row");
	row_begin(maker, 1, 1, zeros);
	CHECK_INT(row_room(maker, ROW_LEN_MAX, 0, 0, &a, &b, &c, &e),
	    RC_FAILED);
	CHECK_INT(row_room(maker, SIZE_MAX, SIZE_MAX, SIZE_MAX, &a, &b, &c,
	    &e), RC_FAILED);
	CHECK_INT(row_room(maker, 5, SIZE_MAX - 3, 5, &a, &b, &c, &e),
	    RC_FAILED);
	for (i = 0; i < ROW_EVENTS_MAX; i++) {
		if (row_room(maker, 1, 0, 0, &a, &b, &c, &e) != RC_OK)
			break;
		row_put(maker, 0, 0, 0, 0);
	}
	CHECK_INT(i, ROW_EVENTS_MAX);
	CHECK_INT(row_room(maker, 1, 0, 0, &a, &b, &c, &e), RC_FAILED);
	/* Nothing sealed: no key is needed, and no sealed part is there. */
	memset(hash, 0, sizeof(hash));
	row_finish(maker, NULL, hash, &row, &len);
	CHECK_INT(len, ROW_HEAD_LEN + 3 * ROW_EVENTS_MAX + ROW_HASH_LEN);
	CHECK_INT(read_all(row, len, NULL, &e), ROW_EVENTS_MAX);
}

/* The room for sealing is taken early, however the parts come. */
static void
test_room(void)
{
	unsigned char		*a, *b, *c, hash[32] = { 0 };
	const unsigned char	*row;
	struct err		 e;
	struct row_maker	*old = maker;
	size_t			 len;
	int			 i;

	check_case("much sealed first, then much open");
	maker = NULL;
	CHECK_INT(row_maker_new(&maker, &e), RC_OK);
	row_begin(maker, 1, 1, zeros);
	CHECK_INT(row_room(maker, 0, 700000, 0, &a, &b, &c, &e), RC_OK);
	memset(b, 1, 700000);
	row_put(maker, 0, 0, 700000, 0);
	for (i = 0; i < 2000; i++) {
		CHECK(row_room(maker, 1000, 0, 0, &a, &b, &c, &e) == RC_OK);
		memset(a, 2, 1000);
		row_put(maker, 0, 1000, 0, 0);
	}
	row_finish(maker, key, hash, &row, &len);
	CHECK_INT(read_all(row, len, NULL, &e), 2001);
	row_maker_free(&maker);
	maker = old;
}

#define TIMES	2000
static unsigned char	*shared;
static size_t		 shared_len;

static void *
verify(void *bad)
{
	unsigned char	 hash[32];
	struct err	 e;
	int		 i;

	for (i = 0; i < TIMES; i++) {
		memset(hash, 0, sizeof(hash));
		if (row_check(shared, shared_len, hash, &e) != RC_OK)
			*(bool *)bad = true;
	}
	return NULL;
}

static void
test_threads(void)
{
	unsigned char	 hash[32];
	pthread_t	 t[4];
	bool		 bad[4] = { false };
	int		 i;

	check_case("several threads verify at once");
	shared = small(&shared_len, hash);
	for (i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, verify, &bad[i]) == 0);
	for (i = 0; i < 4; i++) {
		CHECK(pthread_join(t[i], NULL) == 0);
		CHECK(!bad[i]);
	}
	free(shared);
}

int
main(void)
{
	struct err	 e;

	if (sodium_init() == -1 || row_maker_new(&maker, &e) != RC_OK)
		return 2;
	test_there_and_back();
	test_golden();
	test_flips();
	test_truncated();
	test_rewritten();
	test_head();
	test_month();
	test_lengths();
	test_room();
	test_threads();
	row_maker_free(&maker);
	return check_done();
}
