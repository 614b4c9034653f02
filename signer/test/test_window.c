/*
 * The ceilings over time (C9, H7): nothing is forgotten too early, and a
 * period that is over stays over.
 */
#define HOSTILE_ALLOC
#include "bitcoin/test/hostile.h"
#include "signer/window.h"
#include "tests/check.h"

#define MAINNET	0
#define REGTEST	3
#define BLOCK_MS	INT64_C(600000)

static uint64_t	 dice = 1;

static uint32_t
roll(uint32_t sides)
{
	dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(dice >> 33) % sides;
}

static struct sign_settings
settings(uint8_t network)
{
	struct sign_settings s;

	memset(&s, 0, sizeof(s));
	s.network = network;
	s.short_blocks = 10;
	s.short_max_sat = 1000;
	s.long_blocks = 100;
	s.long_max_sat = 5000;
	return s;
}

static void
add(struct windows *w, uint32_t height, int64_t running_ms, int64_t cost)
{
	struct err	 e;

	CHECK(windows_reserve(w, &e) == RC_OK);
	windows_add(w, height, running_ms, cost);
}

/* ---- the short window ---- */

static void
test_both_must_pass(void)
{
	struct sign_settings s = settings(MAINNET);
	struct windows	 w = { 0 };

	check_case("C3: a cost stays until blocks and running time passed");
	add(&w, 100, 5 * BLOCK_MS, 7);
	CHECK_INT(w.short_sat, 7);
	/* Blocks alone: a lie about the height. */
	windows_advance(&w, &s, 100000, 14 * BLOCK_MS);
	CHECK_INT(w.short_sat, 7);
	/* Time alone: nobody said that a block came. */
	windows_advance(&w, &s, 109, 1000 * BLOCK_MS);
	CHECK_INT(w.short_sat, 7);
	windows_advance(&w, &s, 110, 15 * BLOCK_MS - 1);
	CHECK_INT(w.short_sat, 7);
	windows_advance(&w, &s, 110, 15 * BLOCK_MS);
	CHECK_INT(w.short_sat, 0);
	/* Nothing was given back to the long one. */
	CHECK_INT(w.long_sat, 7);
	windows_free(&w);
	CHECK(w.cost == NULL && w.n == 0);

	check_case("C3: on regtest blocks take no time");
	s = settings(REGTEST);
	add(&w, 100, 0, 7);
	windows_advance(&w, &s, 109, 0);
	CHECK_INT(w.short_sat, 7);
	windows_advance(&w, &s, 110, 0);
	CHECK_INT(w.short_sat, 0);
	windows_free(&w);
}

struct naive {
	uint32_t	height;
	int64_t		running_ms;
	int64_t		cost_sat;
};

static int64_t
naive_sum(const struct naive *n, size_t len, const struct sign_settings *s,
    uint32_t height, int64_t running_ms)
{
	int64_t		 sum = 0;
	size_t		 i;

	for (i = 0; i < len; i++)
		if (height < n[i].height + s->short_blocks ||
		    running_ms < n[i].running_ms + s->short_blocks *
		    sign_block_ms(s->network))
			sum += n[i].cost_sat;
	return sum;
}

/*
 * Against a list that is looked through from the start.  `wild`: heights of
 * the costs go back and forth; then it may count too long, never too short.
 */
static void
against_a_list(uint8_t network, bool wild)
{
	static struct naive list[3000];
	struct sign_settings s = settings(network);
	struct windows	 w = { 0 };
	uint32_t	 height = 1000, its;
	int64_t		 running_ms = 0, sum;
	size_t		 n = 0;
	bool		 same = true, emptied = false;

	while (n < 3000) {
		if (roll(3) == 0)
			height += roll(8);
		if (roll(2) == 0)
			running_ms += roll(8 * (uint32_t)BLOCK_MS / 2);
		windows_advance(&w, &s, height, running_ms);
		sum = naive_sum(list, n, &s, height, running_ms);
		CHECK(w.short_sat >= sum);
		same &= w.short_sat == sum;
		emptied |= n > 0 && w.n == 0;
		/* Now and then it rests, so that the ring runs empty. */
		if (roll(200) == 0) {
			height += 20;
			running_ms += 20 * BLOCK_MS;
			continue;
		}
		its = wild ? height - roll(5) : height;
		list[n].height = its;
		list[n].running_ms = running_ms;
		list[n].cost_sat = roll(1000);
		add(&w, its, running_ms, list[n].cost_sat);
		n++;
	}
	CHECK(emptied);
	CHECK(same || wild);
	/* Room for what the window holds, not for all there ever was. */
	CHECK(w.room <= 512);
	windows_free(&w);
}

/* ---- the long period ---- */

/* Armed at height 1000 and running time 0. */
static struct windows
armed(void)
{
	struct windows	 w = { 0 };

	CHECK(!w.armed);
	windows_rearm(&w, 1, 1000, 0);
	CHECK(w.armed && !w.rearm_waits && w.armed_seq == 1);
	return w;
}

static void
test_period_ends(void)
{
	struct sign_settings s = settings(MAINNET);
	struct windows	 w = armed();

	check_case("H7: the period ends by its blocks");
	windows_advance(&w, &s, 1099, 0);
	CHECK(w.armed);
	windows_advance(&w, &s, 1100, 0);
	CHECK(!w.armed);
	windows_advance(&w, &s, 1100, 1);
	CHECK(!w.armed);

	check_case("H7: or by its running time");
	w = armed();
	windows_advance(&w, &s, 1000, 100 * BLOCK_MS - 1);
	CHECK(w.armed);
	windows_advance(&w, &s, 1000, 100 * BLOCK_MS);
	CHECK(!w.armed);

	check_case("H7: on regtest by blocks alone");
	s = settings(REGTEST);
	w = armed();
	windows_advance(&w, &s, 1000, 0);
	windows_advance(&w, &s, 1099, INT64_MAX);
	CHECK(w.armed);
	windows_advance(&w, &s, 1100, 0);
	CHECK(!w.armed);

	check_case("H7: nothing begins again by itself");
	windows_advance(&w, &s, 100000, INT64_MAX);
	CHECK(!w.armed);
}

static void
test_rearm(void)
{
	struct sign_settings s = settings(MAINNET);
	struct windows	 w = armed();

	check_case("H7: re-armed after the end, it begins at once");
	add(&w, 1000, 0, 77);
	windows_advance(&w, &s, 1100, 5);
	CHECK(!w.armed && w.long_sat == 77);
	windows_rearm(&w, 9, 1100, 5);
	CHECK(w.armed && w.long_sat == 0 && w.armed_seq == 9);
	CHECK_INT(w.armed_height, 1100);
	CHECK_INT(w.armed_running_ms, 5);
	windows_free(&w);

	check_case("H7: re-armed before the end, it waits for both");
	w = armed();
	add(&w, 1000, 0, 77);
	windows_rearm(&w, 9, 1050, 50 * BLOCK_MS);
	CHECK(w.armed && w.rearm_waits && w.long_sat == 77);
	/* What a re-arming answers is used up: not the same consent twice. */
	CHECK_INT(w.armed_seq, 9);
	windows_advance(&w, &s, 1100, 60 * BLOCK_MS);
	CHECK(!w.armed && w.rearm_waits && w.long_sat == 77);
	windows_advance(&w, &s, 1150, 100 * BLOCK_MS - 1);
	CHECK(!w.armed);
	windows_advance(&w, &s, 1150, 100 * BLOCK_MS);
	CHECK(w.armed && !w.rearm_waits && w.long_sat == 0);
	/* And it lasts from where the one before ended. */
	windows_advance(&w, &s, 1199, 100 * BLOCK_MS);
	CHECK(w.armed);
	windows_advance(&w, &s, 1200, 100 * BLOCK_MS);
	CHECK(!w.armed);
	windows_free(&w);

	check_case("H7: many re-armings wait as one");
	w = armed();
	windows_rearm(&w, 2, 1000, 0);
	windows_rearm(&w, 3, 1000, 0);
	windows_advance(&w, &s, 1100, 100 * BLOCK_MS);
	CHECK(w.armed && !w.rearm_waits && w.armed_seq == 3);
	windows_advance(&w, &s, 1200, 200 * BLOCK_MS);
	CHECK(!w.armed);

	check_case("H7: one that waited while nobody looked is over too");
	w = armed();
	windows_rearm(&w, 2, 1000, 0);
	windows_advance(&w, &s, 1500, 500 * BLOCK_MS);
	CHECK(!w.armed && !w.rearm_waits);

	check_case("H7: it waits, the period ends, it is re-armed once more");
	w = armed();
	windows_rearm(&w, 2, 1000, 0);
	windows_advance(&w, &s, 1100, 0);
	windows_rearm(&w, 3, 1100, 0);
	CHECK(w.armed && !w.rearm_waits);
	windows_advance(&w, &s, 1199, 99 * BLOCK_MS);
	CHECK(w.armed);
}

static void
test_recovered(void)
{
	struct sign_settings s = settings(MAINNET);
	struct windows	 w = { 0 };
	struct err	 e;

	check_case("C4: after a recovery everything counts as spent");
	CHECK(windows_reserve(&w, &e) == RC_OK);
	windows_all_spent(&w, &s, 1000, 5);
	CHECK_INT(w.short_sat, s.short_max_sat);
	CHECK_INT(w.long_sat, s.long_max_sat);
	CHECK(!w.armed);
	windows_rearm(&w, 2, 1000, 5);
	CHECK(w.armed);
	windows_advance(&w, &s, 1010, 10 * BLOCK_MS + 4);
	CHECK_INT(w.short_sat, s.short_max_sat);
	windows_advance(&w, &s, 1010, 10 * BLOCK_MS + 5);
	CHECK_INT(w.short_sat, 0);
	windows_free(&w);
}

/* ---- a restart between any two steps ---- */

struct step {
	int		what;		/* 0 cost, 1 re-arming */
	uint32_t	height;
	int64_t		running_ms;
	int64_t		cost_sat;
};

static void
do_step(struct windows *w, const struct sign_settings *s,
    const struct step *d, uint64_t seq)
{
	windows_advance(w, s, d->height, d->running_ms);
	if (d->what == 0)
		add(w, d->height, d->running_ms, d->cost_sat);
	else
		windows_rearm(w, seq, d->height, d->running_ms);
}

/* Looked at often, or only when there is a record: the same. */
static void
test_restarts(void)
{
	static struct step steps[400];
	struct sign_settings s = settings(MAINNET);
	struct windows	 live = { 0 }, again;
	struct step	 now = { 0, 1000, 0, 0 };
	size_t		 n, i;
	unsigned	 began = 0;
	bool		 was;

	check_case("C3: restarted between any two steps, it is the same");
	for (n = 0; n < 400; n++) {
		for (i = roll(6); i > 0; i--) {
			now.height += roll(4);
			now.running_ms += roll(3 * (uint32_t)BLOCK_MS);
			was = live.armed;
			windows_advance(&live, &s, now.height,
			    now.running_ms);
			began += !was && live.armed;
		}
		steps[n] = now;
		steps[n].what = roll(8) == 0;
		steps[n].cost_sat = roll(100);
		do_step(&live, &s, &steps[n], n + 1);

		memset(&again, 0, sizeof(again));
		for (i = 0; i <= n; i++)
			do_step(&again, &s, &steps[i], i + 1);
		windows_advance(&live, &s, now.height + 1, now.running_ms);
		windows_advance(&again, &s, now.height + 1, now.running_ms);
		CHECK_INT(again.short_sat, live.short_sat);
		CHECK_INT(again.long_sat, live.long_sat);
		CHECK_INT(again.armed, live.armed);
		CHECK_INT(again.rearm_waits, live.rearm_waits);
		CHECK_INT(again.armed_seq, live.armed_seq);
		CHECK_INT(again.armed_height, live.armed_height);
		CHECK_INT(again.armed_running_ms, live.armed_running_ms);
		windows_free(&again);
	}
	/* Waiting ones began while only time passed. */
	CHECK(began > 0);
	windows_free(&live);
}

static void
test_no_memory(void)
{
	struct windows	 w = { 0 };
	struct err	 e;
	size_t		 i, failed = 0;
	int64_t		 sum = 0;

	check_case("windows: no memory, and nothing is forgotten");
	for (i = 0; i < 1000; i++) {
		hostile_fail(1);
		if (windows_reserve(&w, &e) != RC_OK) {
			CHECK(strstr(e.text, "no memory") != NULL);
			failed++;
		}
		(void)hostile_end();
		CHECK_INT(w.short_sat, sum);
		add(&w, 1, 0, (int64_t)i);
		sum += (int64_t)i;
	}
	CHECK_INT(failed, 5);
	windows_free(&w);
	CHECK_INT(hostile_live, 0);
}

int
main(void)
{
	test_both_must_pass();
	check_case("windows: against a naive list");
	against_a_list(MAINNET, false);
	against_a_list(REGTEST, false);
	check_case("windows: with heights that go back, never too early");
	against_a_list(MAINNET, true);
	test_period_ends();
	test_rearm();
	test_recovered();
	test_restarts();
	test_no_memory();
	return check_done();
}
