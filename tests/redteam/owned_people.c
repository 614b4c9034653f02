/*
 * Honest people, and what happens to the machine.
 */
#define _GNU_SOURCE
#include "tests/redteam/owned_engine.h"

#include <assert.h>

static void
halt_or_resume(struct world *w)
{
	char	 why[32];

	if (w->rig.s->halted_seq == 0) {
		(void)snprintf(why, sizeof(why), "alarm %u",
		    (unsigned)dice_below(4));
		if (asks_halt(&w->rig, why) == SIGN_REFUSE_NONE)
			judge_halted(w->judge, true);
		return;
	}
	if (asks_resume(&w->rig, w->rig.s->halted_seq, ALICE | BOB) ==
	    SIGN_REFUSE_NONE)
		judge_halted(w->judge, false);
}

/* The custodian comes by, and sees that the period is over. */
static void
rearm(struct world *w)
{
	if (w->rig.s->windows.armed && !once_in(4))
		return;
	if (asks_rearm(&w->rig, w->rig.s->windows.armed_seq, CAROL) ==
	    SIGN_REFUSE_NONE)
		judge_rearmed(w->judge);
}

/* A large one that both approve. */
static void
approve(struct world *w)
{
	struct sign_statement	 st;
	struct past		*p = world_slot(w);
	struct receipt		 rc;
	char			 id[24];

	(void)snprintf(id, sizeof(id), "big-%ju", (uintmax_t)w->ids++);
	rig_pay(&w->rig, &p->tx, id, w->strangers++, 3 * SAT_PER_BTC);
	memcpy(p->ids[p->n_ids++], id, sizeof(id));
	(void)world_coin(w, &p->tx, 4 * SAT_PER_BTC);
	world_change(w, p, RIG_FEE_SAT);
	RIG_MUST(receipt_unpack(&rc, p->tx.receipts[0], &rig_e));
	asks_statement(&w->rig, &st, SIGN_FOR_PAY, 0);
	st.id = rc.id;
	st.script = rc.script;
	st.amount_sat = rc.amount_sat;
	st.fee_max_sat = rc.fee_max_sat;
	rig_approve(&w->rig, &p->tx, 0, &st);
	/* Once one of them is asleep: then it is not approved. */
	if (!once_in(4)) {
		rig_approve(&w->rig, &p->tx, 1, &st);
		judge_approved(w->judge, id, rc.amount_sat);
	}
	(void)world_pay(w, p);
	/* What is approved may be asked for again by him, otherwise. */
	p->tx.n_approvals = 0;
}

/* An input was spent by a stranger's transaction long ago, which people saw:
 * a stolen key.  Then its withdrawals may be paid from elsewhere. */
static void
write_off(struct world *w)
{
	struct past	*p = world_old(w);
	unsigned char	 by[32];
	size_t		 i;

	if (p == NULL || p->n_ids == 0)
		return;
	rig_hash(by, "stranger's", dice());
	for (i = 0; i < p->n_ids; i++) {
		judge_killed(w->judge, p->tx.in[0].prev.txid,
		    p->tx.in[0].prev.vout);
		world_count(w, asks_write_off(&w->rig, p->ids[i],
		    &p->tx.in[0].prev, by, ALICE | BOB));
	}
}

static void
pass(struct world *w)
{
	w->rig.now.boot_ms += (int64_t)dice_below(3 * 3600000);
	w->rig.now.now_ms += (int64_t)dice_below(100000);
	signer_tick(w->rig.s, &w->rig.now);
	if (w->rules.block_min_ms > 0)
		w->height += (uint32_t)dice_below(10);
	else if (once_in(3))
		w->height += 1 + (uint32_t)dice_below(12);
}

static void
next_epoch(struct world *w)
{
	unsigned char	 seed[32], key[32], secret[64];
	uint32_t	 epoch = w->rig.set.epoch + 1;

	rig_hash(seed, "engine of epoch", epoch);
	(void)crypto_sign_seed_keypair(key, secret, seed);
	if (asks_epoch(&w->rig, epoch, key, BOB) != SIGN_REFUSE_NONE)
		return;
	/* He owns that one, too. */
	w->rig.set.epoch = epoch;
	memcpy(w->rig.engine_secret, secret, sizeof(secret));
	judge_epoch(w->judge, epoch, key);
	w->loaded.n_receipts = 0;
}

/* The engine was restored, and has booked what people compared. */
static void
adopt(struct world *w)
{
	uint64_t	 back = dice_below(20);

	if (w->rig.engine_seq <= back)
		return;
	w->rig.engine_seq -= back;
	world_count(w, asks_adopt(&w->rig, w->rig.s->signed_seq,
	    ALICE | BOB));
}

void
world_people(struct world *w)
{
	/* A halt does not last. */
	if (w->rig.s->halted_seq != 0) {
		halt_or_resume(w);
		return;
	}
	switch (dice_below(16)) {
	case 0:
		halt_or_resume(w);
		return;
	case 1:
	case 2:
	case 3:
		rearm(w);
		return;
	case 4:
	case 5:
		approve(w);
		return;
	case 6:
		write_off(w);
		return;
	case 7:
		if (once_in(6))
			next_epoch(w);
		return;
	case 9:
		adopt(w);
		return;
	case 8:
		if (!once_in(3))
			return;
		/* The custodian locks and unlocks. */
		(void)asks_plain(&w->rig, SIGN_LOCK);
		(void)asks_plain(&w->rig, SIGN_DESCRIPTORS);
		RIG_MUST(signer_unlock(w->rig.s, text_of(RIG_PASSPHRASE),
		    &w->rig.now, &rig_e));
		return;
	}
	pass(w);
}

/* ---- the machine ---- */

void
world_restart(struct world *w)
{
	char		 before[ASKS_STATE_MAX], after[ASKS_STATE_MAX];
	char		 value[512];
	uint32_t	 limit;

	w->restarts++;
	asks_state(&w->rig, before);
	rig_restart(&w->rig);
	asks_state(&w->rig, after);
	/* It has forgotten minutes: he asks what it now believes. */
	limit = (uint32_t)strtoul(asks_status(&w->rig, "height-limit",
	    value), NULL, 10);
	if (w->height > limit)
		w->height = limit;
	if (!w->lossy && !check_that(strcmp(before, after) == 0,
	    "the state is the same after a start", __FILE__, __LINE__))
		printf("# before\n%s# after\n%s", before, after);
	w->loaded.n_receipts = 0;
}

static unsigned char *
read_journal(const struct world *w, size_t *len)
{
	unsigned char	*bytes;

	*len = (size_t)lseek(w->rig.journal_fd, 0, SEEK_END);
	bytes = malloc(*len);
	assert(bytes != NULL);
	if (pread(w->rig.journal_fd, bytes, *len, 0) != (ssize_t)*len)
		abort();
	return bytes;
}

static void
write_journal(const struct world *w, const unsigned char *bytes, size_t len)
{
	if (ftruncate(w->rig.journal_fd, 0) != 0 ||
	    pwrite(w->rig.journal_fd, bytes, len, 0) != (ssize_t)len)
		abort();
}

/* Cut anywhere behind its first record, or a bit of it turned. */
static bool
spoil(const struct world *w, unsigned char *bytes, size_t *len)
{
	if (*len <= w->first_len)
		return false;
	if (once_in(4)) {
		bytes[dice_below(*len)] ^= (unsigned char)(1u <<
		    dice_below(8));
		return true;
	}
	*len = w->first_len + dice_below(*len - w->first_len);
	return true;
}

/* The disk is not today's.  Whoever has the newest head shows it once; then
 * he, who has all older ones, tries what he can. */
void
world_rollback(struct world *w)
{
	unsigned char	 newest[SIGN_HEAD_LEN], *bytes, *spoilt;
	size_t		 len, spoilt_len, n;
	struct past	*p;

	if (!w->rig.has_known || w->rig.s->halted_seq != 0)
		return;
	(void)asks_plain(&w->rig, SIGN_STATUS);
	memcpy(newest, w->rig.known, sizeof(newest));
	bytes = read_journal(w, &len);
	spoilt = malloc(len);
	assert(spoilt != NULL);
	memcpy(spoilt, bytes, len);
	spoilt_len = len;
	if (spoil(w, spoilt, &spoilt_len)) {
		signer_free(&w->rig.s);
		write_journal(w, spoilt, spoilt_len);
		judge_behind(w->judge, true);
		if (signer_new(&w->rig.s, w->rig.journal_fd, w->rig.seed_fd,
		    &w->rig.now, &rig_e) == RC_OK &&
		    signer_unlock(w->rig.s, text_of(RIG_PASSPHRASE),
		    &w->rig.now, &rig_e) == RC_OK) {
			for (n = 0; n < 12; n++) {
				p = world_slot(w);
				world_honest(w, p);
				(void)world_pay(w, p);
				if (n == 5)
					rig_restart(&w->rig);
				if (w->n_heads > 0 && n > 5)
					memcpy(w->rig.known, w->heads[
					    dice_below(w->n_heads < HEADS ?
					    w->n_heads : HEADS)],
					    SIGN_HEAD_LEN);
			}
		}
		signer_free(&w->rig.s);
		write_journal(w, bytes, len);
		judge_behind(w->judge, false);
		memcpy(w->rig.known, newest, sizeof(newest));
		rig_start(&w->rig);
		w->loaded.n_receipts = 0;
	}
	free(bytes);
	free(spoilt);
}
