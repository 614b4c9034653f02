/*
 * Random traffic for tests that compare two engines: inputs that make sense
 * and inputs that do not, in time that goes on by jumps.  The same seed
 * gives the same inputs.
 */
#ifndef ENGINE_TEST_PLAY_H
#define ENGINE_TEST_PLAY_H

#include "engine/test/rig.h"
#include "engine/test/rng.h"
#include "lib/amount.h"
#include "lib/civil.h"

#define BTC		SAT_PER_BTC
#define PLAY_ACCOUNTS	25
#define PLAY_DESTINATIONS 40
#define PLAY_T0_MS	INT64_C(1557249324000)

/* Every kind of window, class, table and verdict, but no lot. */
#define PLAY_POLICY \
	"policy 1\n" \
	"default hold\n" \
	"trust proven after 3d full at 10d used in 10d upto 300 btc\n" \
	"let outlay = sum asked by account in 24h of not proven\n" \
	"class small when not proven and outlay < 0.5 btc\n" \
	"class surprising when not proven and not small and " \
	    "outlay > 3 x habit\n" \
	"allow when proven or amount < 20 btc\n" \
	"step-up \"code\" when via web and not code given and " \
	    "amount >= 0.1 btc\n" \
	"delay 1h when surprising and outlay >= 2 btc\n" \
	"delay 2h \"rush\" when not proven and sum asked on platform in 1h " \
	    "> 20 btc\n" \
	"delay 6h \"crowd\" when small and sum asked on platform in 6h " \
	    "of small > busy normal by 100 % plus 20 btc " \
	    "until learnt 60 btc\n" \
	"hold \"pile-up\" when surprising and distinct accounts asked " \
	    "on platform in 6h of surprising > busy normal by 80 % plus 3 " \
	    "until learnt 12\n" \
	"hold \"one-address\" when not proven and sum committed to " \
	    "destination in 7d of not proven > 2 % of hot\n" \
	"hold \"key\" when sum committed by key in 1h > 30 btc\n" \
	"hold \"group\" when distinct accounts asked by group in 1h > 5\n" \
	"hold \"fresh\" when age of credentials < 7d and outlay >= 5 btc\n" \
	"hold \"ip\" when ip new to account and outlay >= 3 btc\n" \
	"hold by 2 \"fraud\" when surprising and confirmed fraud in 48h\n" \
	"deny \"limit\" when sum committed by account in 24h > " \
	    "limit of account\n" \
	"deny \"many\" when count asked by account in 24h > 60\n" \
	"halt \"bleeding\" when sum committed on platform in 1h " \
	    "of not proven > 10 % of hot\n" \
	"ceiling 500 btc in 24h, 100 btc each\n"

struct play {
	struct rng	 rng;
	int64_t		 t_ms;
	int64_t		 n;		/* withdrawals asked for */
	bool		 dense;		/* no jumps of days */
	struct cidr	 cidr;
};

static inline struct input
play_ask(struct play *p, const struct rig *r)
{
	struct rng	*g = &p->rng;
	struct input	 in;
	static const int64_t bad[] = { 0, -1, INT64_MIN, INT64_MAX };
	int64_t		 account = (int64_t)rng_below(g, PLAY_ACCOUNTS + 1);

	in = rig_withdrawal(r, p->t_ms, p->n++, account,
	    (int64_t)rng_below(g, PLAY_DESTINATIONS),
	    1 + (int64_t)rng_below(g, UINT64_C(1) << (20 + rng_below(g, 12))));
	in.via = (enum via)rng_below(g, 4);
	in.code = (enum tri)rng_below(g, 3);
	if (rng_below(g, 2) == 0)
		in.key = rig_id(r, 'k', account);
	in.has_ip = rng_below(g, 4) != 0;
	in.ip[10] = in.ip[11] = 0xff;
	in.ip[12] = 10;
	in.ip[15] = (unsigned char)rng_below(g, 8);
	/* Rarely something that nobody could ask for, or a repeat. */
	if (rng_below(g, 60) == 0)
		in.amount_sat = bad[rng_below(g, 4)];
	else if (rng_below(g, 60) == 0)
		in.id = rig_id(r, 'w', p->n - 1 - (int64_t)rng_below(g, 20));
	in.history = rng_below(g, 50) == 0;
	return in;
}

/* Any other input, with fields that may or may not make sense. */
static inline struct input
play_other(struct play *p, const struct rig *r)
{
	struct rng	*g = &p->rng;
	struct input	 in;
	int64_t		 account = (int64_t)rng_below(g, PLAY_ACCOUNTS);

	in = rig_input((enum input_type)rng_below(g, INPUT__COUNT), p->t_ms);
	if (in.type == INPUT_WITHDRAW || in.type == INPUT_FACT)
		in.type = INPUT_TICK;
	/* Rare enough to leave time between them. */
	if ((in.type == INPUT_HALT || in.type == INPUT_FREEZE ||
	    in.type == INPUT_SECURITY_CHANGE) && rng_below(g, 4) != 0)
		in.type = INPUT_RESUME;
	if (in.type == INPUT_RESTORED && rng_below(g, 20) != 0)
		in.type = INPUT_KEY;
	if (in.type == INPUT_FREEZE && rng_below(g, 2) == 0)
		in.type = INPUT_UNFREEZE;
	in.account = rig_id(r, 'a', account);
	if (in.type == INPUT_KEY || in.type == INPUT_KEY_REVOKE)
		in.key = rig_id(r, 'k', account);
	if (in.type == INPUT_KEY && rng_below(g, 3) == 0) {
		p->cidr = (struct cidr){ .bits = 96 + 8 };
		p->cidr.ip[10] = p->cidr.ip[11] = 0xff;
		p->cidr.ip[12] = 10;
		in.cidrs = &p->cidr;
		in.n_cidrs = 1;
	}
	in.withdraw = true;
	in.id = rig_id(r, 'w', p->n - 1 - (int64_t)rng_below(g, 20));
	in.script = rig_id(r, 'd', (int64_t)rng_below(g, PLAY_DESTINATIONS));
	in.by = rig_id(r, 'o', (int64_t)rng_below(g, 3));
	in.group = rig_id(r, 'g', account % 4);
	in.amount_sat = (int64_t)rng_below(g, 50 * BTC);
	if (in.type == INPUT_HOT_BALANCE || in.type == INPUT_FUND)
		in.amount_sat += 800 * BTC;
	if (in.type == INPUT_ACCOUNT)
		in.limit_sat = 100 * BTC;
	in.device_new = (enum tri)rng_below(g, 3);
	in.paid = (enum paid)rng_below(g, 4);
	in.first_seen_ms = p->t_ms - (int64_t)rng_below(g, 900) * MS_PER_DAY;
	in.not_me = rng_below(g, 10) == 0;
	return in;
}

static inline struct input
play_step(struct play *p, const struct rig *r)
{
	static const int64_t spans[] = { 1, 60000, MS_PER_HOUR, MS_PER_DAY };

	if (rng_below(&p->rng, 2) == 0)
		p->t_ms += (int64_t)rng_below(&p->rng,
		    (uint64_t)spans[rng_below(&p->rng, p->dense ? 3 : 4)]);
	if (p->n == 0 || rng_below(&p->rng, 3) != 0)
		return play_ask(p, r);
	return play_other(p, r);
}

/* The i-th input with which a world begins; false when it has begun. */
static inline bool
play_begin(struct play *p, const struct rig *r, uint64_t seed, int i,
    struct input *out)
{
	int64_t		 t_ms = PLAY_T0_MS - 200 * MS_PER_DAY;
	int64_t		 account = (i - 1) / 3;

	if (i == 0) {
		*p = (struct play){ .rng = { seed * 2 + 1 },
			.t_ms = PLAY_T0_MS };
		*out = rig_input(INPUT_HOT_BALANCE, t_ms);
		out->amount_sat = 1000 * BTC;
		return true;
	}
	if (account >= PLAY_ACCOUNTS)
		return false;
	*out = rig_input(i % 3 == 1 ? INPUT_ACCOUNT : i % 3 == 2 ?
	    INPUT_KEY : INPUT_DEPOSIT, t_ms);
	out->account = rig_id(r, 'a', account);
	out->amount_sat = 200 * BTC;
	out->limit_sat = 100 * BTC;
	if (i % 3 == 1)
		out->group = rig_id(r, 'g', account % 4);
	if (i % 3 == 2)
		out->key = rig_id(r, 'k', account);
	/* Of every third the balance is not known. */
	if (i % 3 == 0 && account % 3 == 0)
		out->type = INPUT_TICK;
	out->withdraw = true;
	return true;
}

#endif
