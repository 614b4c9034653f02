/* A message is accepted once, for as long as it could be sent again. */
#include <stdlib.h>

#include "auth/repeat.h"
#include "lib/sha256.h"
#include "tests/check.h"

static void
hash_of(unsigned char out[32], uint64_t n)
{
	sha256(out, &n, sizeof(n));
}

static enum repeat_said
take(struct repeat *r, uint64_t n, int64_t ms)
{
	unsigned char	 hash[32];

	hash_of(hash, n);
	return repeat_take(r, hash, ms);
}

static void
test_once(void)
{
	struct repeat	*r;
	struct err	 e;
	uint64_t	 i;
	int		 again = 0, fresh = 0;

	check_case("once, among a hundred thousand");
	if (!CHECK(repeat_new(&r, &e) == RC_OK))
		return;
	for (i = 0; i < 100000; i++)
		fresh += take(r, i, 1000) == REPEAT_NEW;
	for (i = 0; i < 100000; i++)
		again += take(r, i, 2000) == REPEAT_AGAIN;
	CHECK_INT(fresh, 100000);
	CHECK_INT(again, 100000);
	repeat_free(&r);
	CHECK(r == NULL);
}

/* Wherever in a generation it came. */
static void
test_kept(void)
{
	struct repeat	*r;
	struct err	 e;
	int64_t		 at, later;

	check_case("kept for as long as any window, whenever it came");
	for (at = 0; at <= 3 * REPEAT_KEPT_MS; at += 7000) {
		if (!CHECK(repeat_new(&r, &e) == RC_OK))
			return;
		for (later = 0; later < at; later += 7000)
			CHECK_INT(take(r, (uint64_t)later + 1, later),
			    REPEAT_NEW);
		CHECK_INT(take(r, 0, at), REPEAT_NEW);
		for (later = 0; later <= REPEAT_KEPT_MS; later += 500)
			CHECK_INT(take(r, 0, at + later), REPEAT_AGAIN);
		repeat_free(&r);
	}
	check_case("and not for ever");
	if (!CHECK(repeat_new(&r, &e) == RC_OK))
		return;
	CHECK_INT(take(r, 0, 0), REPEAT_NEW);
	CHECK_INT(take(r, 1, 2 * REPEAT_KEPT_MS), REPEAT_NEW);
	CHECK_INT(take(r, 2, 4 * REPEAT_KEPT_MS), REPEAT_NEW);
	CHECK_INT(take(r, 0, 4 * REPEAT_KEPT_MS), REPEAT_NEW);
	repeat_free(&r);
}

int
main(void)
{
	test_once();
	test_kept();
	return check_done();
}
