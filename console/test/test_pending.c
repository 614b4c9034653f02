/*
 * Who waits for which answer.
 */
#include "console/pending.h"
#include "tests/check.h"

#include <string.h>

static struct pending	 p;

static void
test_one(void)
{
	char		 a, b;
	void		*client;
	uint64_t	 theirs, t1, t2;

	check_case("an answer finds who asked, once, from the right room");
	memset(&p, 0, sizeof(p));
	t1 = pending_add(&p, &a, 7, 3);
	t2 = pending_add(&p, &b, 7, 2);
	CHECK(t1 != 0 && t2 != 0 && t1 != t2);
	CHECK(!pending_take(&p, t1, 2, &client, &theirs));
	CHECK(pending_take(&p, t1, 3, &client, &theirs));
	CHECK(client == &a);
	CHECK_INT(theirs, 7);
	CHECK(!pending_take(&p, t1, 3, &client, &theirs));
	CHECK(!pending_take(&p, 0, 3, &client, &theirs));
	pending_forget(&p, &b);
	CHECK(!pending_take(&p, t2, 2, &client, &theirs));
	CHECK_INT(p.n, 0);
}

static void
test_full(void)
{
	char		 a;
	void		*client;
	uint64_t	 theirs, first = 0, tag;
	int		 i;

	check_case("a full table takes no more, and then again");
	memset(&p, 0, sizeof(p));
	for (i = 0; i < PENDING_MAX; i++) {
		tag = pending_add(&p, &a, (uint64_t)i, 3);
		CHECK(tag != 0);
		if (i == 5)
			first = tag;
	}
	CHECK(pending_add(&p, &a, 1, 3) == 0);
	CHECK(pending_take(&p, first, 3, &client, &theirs));
	CHECK_INT(theirs, 5);
	CHECK(pending_add(&p, &a, 1, 3) != 0);
}

static void
test_lost(void)
{
	char		 a;
	void		*client;
	uint64_t	 theirs;
	int		 i, n = 0;

	check_case("a room that is gone answers nobody");
	memset(&p, 0, sizeof(p));
	for (i = 0; i < 10; i++)
		(void)pending_add(&p, &a, (uint64_t)i, i % 2);
	while (pending_lost(&p, 1, &client, &theirs)) {
		CHECK_INT(theirs % 2, 1);
		n++;
	}
	CHECK_INT(n, 5);
	CHECK_INT(p.n, 5);
}

int
main(void)
{
	test_one();
	test_full();
	test_lost();
	return check_done();
}
