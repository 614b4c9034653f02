/*
 * The attacker of tests/redteam/ against the signer, in worlds of a few
 * thousand attempts each: ATTEMPTS in the environment says how many in all
 * (a million in a release), SEED which ones.
 *
 * And the judge must be able to find something: weaker signers, made by
 * leaving one check out, are all found out.
 */
#define _GNU_SOURCE
#include "tests/redteam/owned_engine.h"

#define ATTEMPTS_LEAST	24000		/* so many bring about every reason */
#ifdef __SANITIZE_ADDRESS__
#define ATTEMPTS_HERE	4000		/* five times as slow */
#else
#define ATTEMPTS_HERE	ATTEMPTS_LEAST
#endif
#define WORLD		4000		/* attempts in one */
#define WEAK		6000		/* until a weak one is found */

/* What is left out.  The checks are wrapped by the linker. */
enum weak {
	SOUND,
	NO_CONFLICT_CHECK,
	NO_CEILINGS,
	NO_HEIGHTS,
	NO_APPROVALS,
	ANY_OUTPUT_IS_CHANGE,
	NO_COMMITMENT,
	FORGETS,		/* signs without writing it down */
	NO_HEADS,
	WEAK__COUNT
};

static enum weak	 weak;

bool __real_conflict_check(struct signer *, struct pay *, struct refusal *);
bool __wrap_conflict_check(struct signer *, struct pay *, struct refusal *);
void __real_windows_add(struct windows *, uint32_t, int64_t, int64_t);
void __wrap_windows_add(struct windows *, uint32_t, int64_t, int64_t);
bool __real_height_possible(uint32_t, int64_t, uint32_t, int64_t, uint8_t,
    int64_t *);
bool __wrap_height_possible(uint32_t, int64_t, uint32_t, int64_t, uint8_t,
    int64_t *);
bool __real_approve_check(struct signer *, struct pay *, struct refusal *);
bool __wrap_approve_check(struct signer *, struct pay *, struct refusal *);
bool __real_change_check(struct signer *, struct pay *, struct refusal *);
bool __wrap_change_check(struct signer *, struct pay *, struct refusal *);
bool __real_signer_record(struct signer *, const struct record *,
    struct refusal *);
bool __wrap_signer_record(struct signer *, const struct record *,
    struct refusal *);
bool __real_standing_check(struct signer *, const struct sign_message *,
    const struct signer_clock *, uint64_t *, struct refusal *);
bool __wrap_standing_check(struct signer *, const struct sign_message *,
    const struct signer_clock *, uint64_t *, struct refusal *);
const struct memory_id *__real_memory_find_id(const struct memory *,
    struct text);
const struct memory_id *__wrap_memory_find_id(const struct memory *,
    struct text);

bool
__wrap_conflict_check(struct signer *s, struct pay *p, struct refusal *r)
{
	return weak == NO_CONFLICT_CHECK || __real_conflict_check(s, p, r);
}

/* Nothing costs anything. */
void
__wrap_windows_add(struct windows *ws, uint32_t height, int64_t running_ms,
    int64_t cost_sat)
{
	__real_windows_add(ws, height, running_ms, weak == NO_CEILINGS ? 0 :
	    cost_sat);
}

/* Any height is believed. */
bool
__wrap_height_possible(uint32_t now, int64_t accounted_ms, uint32_t claimed,
    int64_t running_ms, uint8_t network, int64_t *accounted_out)
{
	return __real_height_possible(now, accounted_ms, claimed, running_ms,
	    weak == NO_HEIGHTS ? NETWORK_REGTEST : network, accounted_out);
}

bool
__wrap_approve_check(struct signer *s, struct pay *p, struct refusal *r)
{
	return weak == NO_APPROVALS || __real_approve_check(s, p, r);
}

bool
__wrap_change_check(struct signer *s, struct pay *p, struct refusal *r)
{
	size_t	 i;

	if (__real_change_check(s, p, r))
		return true;
	if (weak != ANY_OUTPUT_IS_CHANGE)
		return false;
	for (i = 0; i < p->tx->n_out; i++) {
		if (p->out[i].kind == OUTPUT_NONE)
			p->out[i].kind = OUTPUT_CHANGE;
	}
	return true;
}

bool
__wrap_signer_record(struct signer *s, const struct record *rec,
    struct refusal *r)
{
	struct record	 copy = *rec;

	if (weak != FORGETS || rec->kind != RECORD_SIGNED)
		return __real_signer_record(s, rec, r);
	copy.seq = journal_seq(s->journal);
	return signer_apply(s, &copy, &r->e) == RC_OK;
}

/* As if the head that is shown were always its own. */
bool
__wrap_standing_check(struct signer *s, const struct sign_message *m,
    const struct signer_clock *now, uint64_t *seq, struct refusal *r)
{
	struct sign_message	 copy = *m;
	unsigned char		 head[SIGN_HEAD_LEN];

	if (weak == NO_HEADS) {
		signer_head(s, head);
		copy.known.p = (const char *)head;
		copy.known.len = sizeof(head);
	}
	return __real_standing_check(s, &copy, now, seq, r);
}

const struct memory_id *
__wrap_memory_find_id(const struct memory *m, struct text id)
{
	const struct memory_id	*known = __real_memory_find_id(m, id);
	static struct memory_id	 copy;

	if (weak != NO_COMMITMENT || known == NULL)
		return known;
	copy = *known;
	memset(copy.commitment, 0, sizeof(copy.commitment));
	return &copy;
}

static uint64_t
from_environment(const char *name, uint64_t otherwise)
{
	const char	*t = getenv(name);

	return t == NULL || *t == '\0' ? otherwise : strtoull(t, NULL, 10);
}

static void
print_reasons(const uint64_t total[SIGN_REFUSE__COUNT])
{
	int	 i;

	for (i = 0; i < SIGN_REFUSE__COUNT; i++) {
		if (total[i] > 0)
			printf("#   %ju %s\n", (uintmax_t)total[i],
			    sign_refusal_text((enum sign_refusal)i));
	}
}

static void
add_up(uint64_t total[SIGN_REFUSE__COUNT], const struct world *w)
{
	int	 i;

	for (i = 0; i < SIGN_REFUSE__COUNT; i++)
		total[i] += w->why[i];
}

/* Every reason that he can bring about was given. */
static void
check_reasons(const uint64_t total[SIGN_REFUSE__COUNT])
{
	static const enum sign_refusal	 all[] = {
		SIGN_REFUSE_NONE, SIGN_REFUSE_MALFORMED,
		SIGN_REFUSE_PERMISSION, SIGN_REFUSE_HALTED,
		SIGN_REFUSE_BEHIND, SIGN_REFUSE_FORKED,
		SIGN_REFUSE_INPUT_TWICE, SIGN_REFUSE_AMOUNT_UNPROVED,
		SIGN_REFUSE_SIGHASH, SIGN_REFUSE_SEQUENCE,
		SIGN_REFUSE_LOCKTIME, SIGN_REFUSE_HEIGHT,
		SIGN_REFUSE_OUTPUT_UNKNOWN, SIGN_REFUSE_CHANGE_BRANCH,
		SIGN_REFUSE_CHANGE_INDEX, SIGN_REFUSE_CHANGE_MANY,
		SIGN_REFUSE_RECEIPT_UNUSED, SIGN_REFUSE_RECEIPT_BAD,
		SIGN_REFUSE_RECEIPT_PURPOSE, SIGN_REFUSE_RECEIPT_FOREIGN,
		SIGN_REFUSE_RECEIPT_EPOCH, SIGN_REFUSE_RECEIPT_EXPIRED,
		SIGN_REFUSE_RECEIPT_TWICE, SIGN_REFUSE_RECEIPT_AHEAD,
		SIGN_REFUSE_ENGINE_BACK, SIGN_REFUSE_ID_CHANGED,
		SIGN_REFUSE_ID_BURNED, SIGN_REFUSE_ID_SIGNED,
		SIGN_REFUSE_NO_CONFLICT, SIGN_REFUSE_FEE,
		SIGN_REFUSE_CEILING_SHORT, SIGN_REFUSE_CEILING_LONG,
		SIGN_REFUSE_APPROVALS,
		SIGN_REFUSE_APPROVAL_BAD,
	};
	size_t	 i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!CHECK(total[all[i]] > 0))
			printf("#   %s never came\n",
			    sign_refusal_text(all[i]));
	}
}

static void
attack(uint64_t attempts, uint64_t seed)
{
	static uint64_t	 total[SIGN_REFUSE__COUNT];
	static struct world w;
	uint64_t	 done = 0, signed_n = 0, different = 0, k, restarts = 0;

	check_case("who owns engine and chain gets no more than the ceilings, "
	    "pays nothing without a receipt, and nothing twice");
	for (k = 0; done < attempts; k++) {
		world_new(&w, seed + k, (unsigned)k);
		while (w.attempts < WORLD && done + w.attempts < attempts &&
		    judge_complaint(w.judge) == NULL)
			world_attempt(&w);
		done += w.attempts;
		signed_n += w.signed_n;
		restarts += w.restarts;
		different += judge_count(w.judge);
		add_up(total, &w);
		if (!CHECK(judge_complaint(w.judge) == NULL))
			printf("#   seed %ju, world %ju, attempt %ju: %s\n",
			    (uintmax_t)seed, (uintmax_t)k,
			    (uintmax_t)w.attempts, judge_complaint(w.judge));
		world_end(&w);
		if (check_case_failed > 0)
			return;
		/* A million takes a while. */
		if (k % 25 == 24) {
			printf("# %ju attempts so far\n", (uintmax_t)done);
			(void)fflush(stdout);
		}
	}
	printf("# %ju attempts, %ju signed, %ju different transactions, %ju "
	    "starts\n", (uintmax_t)done, (uintmax_t)signed_n,
	    (uintmax_t)different, (uintmax_t)restarts);
	print_reasons(total);
	/* A signer that signs nothing is safe, and no test. */
	CHECK(different * 20 > done);
	if (attempts >= ATTEMPTS_LEAST)
		check_reasons(total);
}

/* A start between any two requests; world_restart() compares. */
static void
start_again_and_again(void)
{
	static struct world w;
	unsigned	 kind, n;

	check_case("the same state after a start between any two requests");
	for (kind = 1; kind < 5; kind += 2) {
		world_new(&w, 11, kind);
		for (n = 0; n < 40; n++) {
			world_move(&w);
			if (once_in(3) || w.rig.s->halted_seq != 0)
				world_people(&w);
			world_restart(&w);
		}
		CHECK(judge_complaint(w.judge) == NULL);
		if (!CHECK(judge_count(w.judge) > 3))
			print_reasons(w.why);
		world_end(&w);
	}
}

static void
find_out(enum weak what, const char *name, const char *complaint,
    unsigned kind)
{
	static struct world w;

	check_case(name);
	weak = what;
	world_new(&w, 7, kind);
	w.lossy = what == FORGETS;
	while (w.attempts < WEAK && judge_complaint(w.judge) == NULL) {
		world_attempt(&w);
		if (what == NO_HEADS && w.attempts % 500 == 0)
			world_rollback(&w);
	}
	if (getenv("VERBOSE") != NULL)
		print_reasons(w.why);
	if (CHECK(judge_complaint(w.judge) != NULL) &&
	    !CHECK(strstr(judge_complaint(w.judge), complaint) != NULL))
		printf("#   %s\n", judge_complaint(w.judge));
	world_end(&w);
	weak = SOUND;
}

static void
find_all_out(void)
{
	find_out(NO_CONFLICT_CHECK, "found out: a signer without the conflict "
	    "rule", "paid twice", 1);
	if (ATTEMPTS_HERE < ATTEMPTS_LEAST)
		return;
	find_out(NO_CEILINGS, "found out: a signer without ceilings",
	    "within", 0);
	find_out(NO_HEIGHTS, "found out: a signer that believes any height",
	    "locked until", 3);
	find_out(NO_APPROVALS, "found out: a signer that asks nobody",
	    "approved by nobody", 1);
	find_out(ANY_OUTPUT_IS_CHANGE, "found out: a signer that takes all "
	    "for change", "output ", 0);
	find_out(NO_COMMITMENT, "found out: a signer that forgets what an id "
	    "was for", "something else than before", 1);
	find_out(FORGETS, "found out: a signer that writes nothing down",
	    "", 1);
	find_out(NO_HEADS, "found out: a signer that looks at no head",
	    "yesterday", 1);
}

int
main(void)
{
	uint64_t	 seed = from_environment("SEED", 20190507);

	find_all_out();
	start_again_and_again();
	attack(from_environment("ATTEMPTS", ATTEMPTS_HERE), seed);
	return check_done();
}
