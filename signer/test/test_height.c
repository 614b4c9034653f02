/*
 * C3: a height is believed as far as the signer's own time allows.
 */
#include "bitcoin/tx.h"
#include "signer/window.h"
#include "tests/check.h"

#define MAINNET	0
#define TESTNET	1
#define REGTEST	3
#define LEAST_MS	INT64_C(300000)
#define DAY_MS	INT64_C(86400000)

/* A signer's belief. */
static struct belief {
	uint32_t	height;
	int64_t		accounted_ms;
	int64_t		running_ms;
	uint8_t		network;
} b;

static void
believe(uint32_t height, uint8_t network)
{
	b.height = height;
	b.accounted_ms = b.running_ms = 0;
	b.network = network;
}

/* It is claimed, and believed if it can be. */
static bool
claim(uint32_t height)
{
	int64_t		 accounted = -1;
	uint32_t	 limit;

	limit = height_limit(b.height, b.accounted_ms, b.running_ms,
	    b.network);
	if (!height_possible(b.height, b.accounted_ms, height, b.running_ms,
	    b.network, &accounted)) {
		CHECK(height > limit);
		return false;
	}
	CHECK(height <= limit || height <= b.height);
	CHECK(accounted >= b.accounted_ms && accounted <= b.running_ms);
	if (height > b.height)
		b.height = height;
	b.accounted_ms = accounted;
	return true;
}

static void
test_one(void)
{
	check_case("C3: plus one, when a block's least time has passed");
	believe(850000, MAINNET);
	CHECK(!claim(850001));
	b.running_ms = LEAST_MS - 1;
	CHECK(!claim(850001));
	b.running_ms = LEAST_MS;
	CHECK(!claim(850002));
	CHECK(claim(850001));
	CHECK(!claim(850002));
	check_case("C3: minus one, and the same, always");
	CHECK(claim(850000));
	CHECK(claim(849000));
	CHECK(claim(0));
	CHECK_INT(b.height, 850001);
	CHECK(claim(850001));
	check_case("C3: plus a thousand, when it has run for that long");
	b.running_ms += 1000 * LEAST_MS - 1;
	CHECK(!claim(851001));
	b.running_ms += 1;
	CHECK(claim(851001));
	check_case("C3: other networks as mainnet");
	believe(1000, TESTNET);
	CHECK(!claim(1001));
	b.running_ms = LEAST_MS;
	CHECK(claim(1001));
}

static void
test_absurd(void)
{
	int64_t		 accounted = 0;

	check_case("C3b: 499999999 does not lock the wallet for ever");
	believe(850000, MAINNET);
	b.running_ms = 10 * 365 * DAY_MS;
	CHECK(!claim(499999999));
	CHECK(!claim(10000000));
	CHECK_INT(b.height, 850000);
	check_case("C3a: 1700000000 is a time, not a height");
	CHECK(!claim(1700000000));
	CHECK(!claim(500000000));
	CHECK(!claim(UINT32_MAX));
	believe(100, REGTEST);
	CHECK(!claim(1700000000));
	CHECK(!claim(500000000));
	check_case("C3: on regtest blocks take no time");
	CHECK(claim(101));
	CHECK(claim(1101));
	CHECK_INT(b.accounted_ms, 0);
	CHECK(claim(499999999));
	CHECK_INT(height_limit(b.height, 0, 0, REGTEST), 499999999);
	check_case("C3: no number overflows");
	CHECK_INT(height_limit(UINT32_MAX, 0, INT64_MAX, MAINNET),
	    UINT32_MAX);
	CHECK_INT(height_limit(0, 0, INT64_MAX, MAINNET), 499999999);
	CHECK(height_possible(0, 0, 499999999, INT64_MAX, MAINNET,
	    &accounted));
	CHECK(accounted > 0);
	CHECK_INT(height_limit(7, 100, 0, MAINNET), 7);
}

/*
 * Whoever owns chain for an hour claims as high as he can, all the time: the
 * height is ahead of the truth by no more than the blocks of that hour.
 */
static void
test_an_hour(void)
{
	uint32_t	 before;
	unsigned	 days;

	check_case("C3c: an hour's ownership gains an hour of blocks");
	believe(850000, MAINNET);
	/* A year of truth, a block each ten minutes. */
	for (days = 0; days < 365 * 144; days++) {
		b.running_ms += 2 * LEAST_MS;
		CHECK(claim(b.height + 1));
	}
	before = b.height;
	/* Saved up: an hour's at the most, whatever the year left over. */
	for (days = 0; days < 60; days++) {
		while (claim(b.height + 1))
			;
		b.running_ms += 60000;
	}
	CHECK(b.height - before <= 24);
	CHECK(b.height - before >= 20);
	check_case("C3: twelve blocks may come at once, thirteen not");
	believe(850000, MAINNET);
	b.running_ms = DAY_MS;
	CHECK(claim(850001));
	CHECK(claim(850013));
	CHECK(!claim(850014));
}

/* Blocks come when they come: on average ten minutes. */
static void
test_honest(void)
{
	uint64_t	 dice = 1;
	uint32_t	 truth = 850000, refused = 0, i;

	check_case("C3: an honest chain is hardly ever refused");
	believe(truth, MAINNET);
	for (i = 0; i < 2000000; i++) {
		/* A second: one in 600 brings a block. */
		b.running_ms += 1000;
		dice = dice * UINT64_C(6364136223846793005) +
		    1442695040888963407u;
		if ((dice >> 33) % 600 != 0)
			continue;
		truth++;
		refused += !claim(truth);
	}
	CHECK(truth > 853000);
	CHECK(refused <= 3);
}

/* Only the sum of running times counts, in whatever pieces. */
static void
test_restarts(void)
{
	int64_t		 before_ms = 0;
	unsigned	 i;

	check_case("C3: restarted all the time, the running time adds up");
	believe(850000, MAINNET);
	for (i = 0; i < 10; i++) {
		/* A run of a tenth of a block's least time. */
		b.running_ms = before_ms;
		CHECK(!claim(850001));
		b.running_ms = before_ms + LEAST_MS / 10;
		before_ms = b.running_ms;
	}
	CHECK(claim(850001));
	/* Nothing is gained by a restart: what was used stays used. */
	CHECK(!claim(850002));
}

int
main(void)
{
	test_one();
	test_absurd();
	test_an_hour();
	test_honest();
	test_restarts();
	return check_done();
}
