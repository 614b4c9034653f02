/*
 * Conditions 4 and "the journal before the key": a signer that dies, or whose
 * disk fails, at each of its writes.  Whatever happened, the next one answers
 * the same request with the same bytes, and it has been counted once.
 */
#define _GNU_SOURCE
#define HOSTILE_ALLOC
#include "signer/test/rig.h"

#include <sys/wait.h>

#include "bitcoin/test/hostile.h"
#include "signer/test/faults.h"

/* How a child ended. */
enum { SIGNED = 0, REFUSED = 10, UNTOUCHED = 11, WRONG = 12, DIED = 77 };

static struct rig r;
static struct rig_tx t;
static unsigned	 at;
static enum fault_how how;
static bool	 reached;
static unsigned char reference[8192];
static size_t	 reference_len;

static void
begin_fault(void)
{
	fault_set(at, how, EIO);
}

static void
end_fault(void)
{
	reached |= fault_end();
}

static void
make(enum sign_wallet w)
{
	rig_new(&r, w);
	rig_tx_begin(&t);
	(void)rig_spend(&r, &t, 0, 1, SAT_PER_BTC);
	rig_pay(&r, &t, "w-1", 1, SAT_PER_BTC / 2);
	rig_change(&r, &t, 1, 1, SAT_PER_BTC / 2 - RIG_FEE_SAT);
}

static bool
is_reference(void)
{
	return r.answer.psbt.len == reference_len &&
	    memcmp(r.answer.psbt.p, reference, reference_len) == 0;
}

/* In a process of its own, which may not come back. */
static int
try_it(void)
{
	enum sign_refusal why;
	int		 status = 0;
	pid_t		 pid;

	(void)fflush(stdout);
	if ((pid = fork()) == 0) {
		rig_before = begin_fault;
		rig_after = end_fault;
		why = rig_sign(&r, &t);
		if (why == SIGN_REFUSE_NONE && !is_reference())
			_exit(WRONG);
		if (why != SIGN_REFUSE_NONE && (r.answer.psbt.p != NULL ||
		    why != SIGN_REFUSE_STORE))
			_exit(WRONG);
		/* Nothing more in this life. */
		if (why == SIGN_REFUSE_STORE &&
		    rig_sign(&r, &t) != SIGN_REFUSE_STORE)
			_exit(WRONG);
		_exit(!reached ? UNTOUCHED : why == SIGN_REFUSE_NONE ?
		    SIGNED : REFUSED);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid ||
	    !WIFEXITED(status))
		return WRONG;
	return WEXITSTATUS(status);
}

static void
test_each(enum sign_wallet w, enum fault_how h, int want, const char *name)
{
	int	 end;

	check_case(name);
	how = h;
	for (at = 1;; at++) {
		make(w);
		end = try_it();
		if (end != UNTOUCHED)
			CHECK_INT(end, want);
		rig_restart(&r);
		signer_head(r.s, r.known);
		r.has_known = true;
		RIG_SIGNS(&r, &t);
		CHECK(is_reference());
		CHECK_INT(r.s->windows.short_sat,
		    SAT_PER_BTC / 2 + RIG_FEE_SAT);
		CHECK_INT(journal_seq(r.s->journal), 2);
		rig_end(&r);
		if (end == UNTOUCHED)
			break;
	}
	CHECK(at > 2);
}

static void
test_wallet(enum sign_wallet w, const char *const name[3])
{
	make(w);
	CHECK(rig_sign(&r, &t) == SIGN_REFUSE_NONE);
	reference_len = r.answer.psbt.len;
	memcpy(reference, r.answer.psbt.p, reference_len);
	rig_end(&r);
	test_each(w, FAULT_DIES, DIED, name[0]);
	test_each(w, FAULT_DIES_TORN, DIED, name[1]);
	test_each(w, FAULT_FAILS, REFUSED, name[2]);
}

int
main(void)
{
	static const char *const wpkh[] = {
		"section 2, 4: wpkh: it dies before each write",
		"section 2, 4: wpkh: it dies within each write",
		"section 2, 4: wpkh: each write fails",
	};
	static const char *const tr[] = {
		"section 2, 4: tr: it dies before each write",
		"section 2, 4: tr: it dies within each write",
		"section 2, 4: tr: each write fails",
	};

	test_wallet(SIGN_WPKH, wpkh);
	test_wallet(SIGN_TR, tr);
	return check_done();
}
