/*
 * bench_book [N]: how fast the book follows a journal, and how long one
 * account's history takes to read while it grows to N withdrawals.
 */
#include <time.h>

#include "book/test/bookrig.h"

static int64_t
us(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t
ask_us(struct bookrig *r, enum endpoint of, int64_t limit)
{
	struct message	 m = rig_question(of, "one");
	int64_t		 best = INT64_MAX, from;
	int		 i;

	m.limit = limit;
	for (i = 0; i < 9; i++) {
		from = us();
		book_ask(r->book, rig_ticket(r),
		    journal_state(r->journal)->seq, &m, &r->now);
		(void)rig_wait(r);
		if (us() - from < best)
			best = us() - from;
	}
	return best;
}

static void
grow(struct bookrig *r, uint64_t from, uint64_t to)
{
	char		 id[40];
	struct err	 e;
	uint64_t	 i;

	for (i = from; i < to; i++) {
		/* As random as a real one: the index suffers as in life. */
		(void)snprintf(id, sizeof(id), "%016jx%016jx",
		    (uintmax_t)(i * UINT64_C(0x9e3779b97f4a7c15)),
		    (uintmax_t)i);
		rig_withdraw(r, T0_MS + (int64_t)i, "one", id, 1000000, NULL);
		if (i % 1000 == 999)
			CHECK(journal_commit(r->journal, &e) == RC_OK);
	}
	CHECK(journal_flush(r->journal, &e) == RC_OK);
}

static void
report(struct bookrig *r, uint64_t n, int64_t took_us, uint64_t more)
{
	(void)printf("%ju withdrawals: followed %jd a second; history of 100 "
	    "%jd us, of 1000 %jd us, account %jd us, quota %jd us\n",
	    (uintmax_t)n, (intmax_t)((int64_t)more * 1000000 / took_us),
	    (intmax_t)ask_us(r, ENDPOINT_WITHDRAW_HISTORY, 100),
	    (intmax_t)ask_us(r, ENDPOINT_WITHDRAW_HISTORY, 1000),
	    (intmax_t)ask_us(r, ENDPOINT_ACCOUNT, -1),
	    (intmax_t)ask_us(r, ENDPOINT_QUOTA, -1));
	(void)fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct bookrig	*r;
	uint64_t	 n = argc > 1 ? strtoull(argv[1], NULL, 10) :
	    1000000, at = 0, to;
	int64_t		 from;

	rig_receipts = true;
	r = rig_new("policy 1\ndefault allow\n"
	    "delay 6h \"much\" when amount >= 1 btc\n");
	rig_account(r, "one", -1);
	for (to = 1000; to <= n; to *= 10) {
		book_close(&r->book);
		grow(r, at, to);
		from = us();
		rig_book_open(r);
		while (book_seq(r->book) < journal_state(r->journal)->seq)
			(void)usleep(1000);
		report(r, to, us() - from, to - at);
		at = to;
	}
	rig_free(r);
	return check_done();
}
