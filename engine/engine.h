/*
 * The engine: state' , outcomes = apply(state, input).
 *
 * One struct engine is the whole state of the firewall: accounts, keys,
 * address books, destinations, withdrawals that wait, every window and every
 * learned normal.  engine_apply() is pure: no clock, no I/O, no randomness,
 * no allocation; the time comes in with the input, what it decides goes out
 * through a sink.  The same program, configuration and inputs give the same
 * outcomes, byte for byte, from any compiler.
 *
 * All state lies in flat arrays that refer to one another by number, never
 * by pointer, so that a snapshot is a copy and a hash of the state is a hash
 * of bytes.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/ident.h"
#include "policy/program.h"
#include "wire/words.h"

struct engine;

/* The meaning of an input is fixed by this number; it is in every journal
 * row.  Raise it when the same inputs would be decided otherwise. */
#ifndef ENGINE_SEMANTICS	/* a test builds another one */
#define ENGINE_SEMANTICS 1
#endif

/* What the bytes of a saved state mean; raise it when a record changes. */
#define ENGINE_LAYOUT 1

/*
 * Fixed at start.  0 takes the policy's `set capacity`, or the default.
 */
struct engine_config {
	size_t		accounts;
	size_t		keys;
	size_t		pairs;		/* (account, destination) */
	size_t		destinations;
	size_t		waiting;	/* delayed, held or stopped at once */
	size_t		withdrawals;	/* ids remembered */
	size_t		networks;
	size_t		groups;
	struct ident_key ids;		/* the key of every ident below */
	struct ident_key lots;		/* S41, S42: secret */
	/*
	 * A released withdrawal has its receipt in the same step.  Without,
	 * a halt takes back what has none (S29, C1).
	 */
	bool		receipt_at_release;
	/*
	 * Take all memory for the capacities now rather than as it fills: no
	 * withdrawal waits while the kernel clears a page.
	 */
	bool		populate;
	/* The caller calls engine_prefetch() and so on ahead of time. */
	bool		queued;
};

enum input_type {
	INPUT_ACCOUNT,
	INPUT_KEY,
	INPUT_KEY_REVOKE,
	INPUT_SECURITY_CHANGE,
	INPUT_LOGIN,
	INPUT_FACT,
	INPUT_DEPOSIT,
	INPUT_BALANCE,
	INPUT_HOT_BALANCE,
	INPUT_FUND,
	INPUT_CHAIN_SEEN,
	INPUT_ADDRESS_ADD,
	INPUT_ADDRESS_REMOVE,
	INPUT_WITHDRAW,
	INPUT_CODE,		/* a code came later (step-up) */
	INPUT_RECEIPT,		/* the receipt was issued (C1) */
	INPUT_BURNED,		/* the signer will never sign it (C1) */
	INPUT_OUTCOME,
	INPUT_CANCEL,
	INPUT_RELEASE,
	INPUT_DENY,
	INPUT_FREEZE,
	INPUT_UNFREEZE,
	INPUT_HALT,
	INPUT_RESUME,
	INPUT_TICK,		/* only time passes: what is due matures */
	/*
	 * The database was put back from a backup, and what happened since is
	 * lost: everything stops, and no key may withdraw until an INPUT_KEY
	 * says so again (C5).
	 */
	INPUT_RESTORED,
	INPUT__COUNT
};

enum form { FORM_P2PKH, FORM_P2SH, FORM_P2WPKH, FORM_P2WSH, FORM_P2TR,
	FORM_OTHER };

/* A declared fact that comes with a withdrawal: an index in the policy. */
struct input_fact {
	int		declared;
	int64_t		value;
};

/*
 * One input.  Which fields count depends on the type (contracts in
 * drawbridge.scenario(5)); the others are ignored.  Nothing is kept of
 * `cidrs` or `facts` after the call.
 */
struct input {
	enum input_type	type;
	int64_t		t_ms;
	struct ident	account;
	struct ident	key;		/* none: not given */
	struct ident	id;		/* the withdrawal's */
	struct ident	script;		/* destination: of its scriptPubKey */
	struct ident	by;		/* operator */
	struct ident	group;		/* none: not given */
	struct ident	partner;	/* none: not given */
	int64_t		amount_sat;	/* withdraw, deposit, balance, hot,
					 * fund; chain_seen: received */
	int64_t		limit_sat;	/* account; -1: not given */
	int64_t		tier;		/* account; -1: not given */
	int64_t		first_seen_ms;	/* chain_seen */
	int64_t		value;		/* fact */
	int		declared;	/* fact: index in the policy */
	enum via	via;
	enum form	form;
	enum tri	code;		/* withdraw: second_factor */
	enum tri	device_new;	/* login */
	enum paid	paid;		/* outcome */
	bool		withdraw;	/* key: may withdraw */
	/*
	 * withdraw: it happened before go-live and is imported: no verdict,
	 * it counts as asked and released at t_ms and teaches trust, habits
	 * and normals (S34).
	 */
	bool		history;
	/*
	 * cancel: the owner says that it was not him.  Freezes the account
	 * and counts as confirmed fraud.
	 */
	bool		not_me;
	bool		has_ip;
	unsigned char	ip[16];
	const struct cidr *cidrs;	/* key; empty: any address */
	size_t		n_cidrs;
	const struct input_fact *facts;	/* withdraw: kept with it */
	size_t		n_facts;
};

/* What a withdrawal is now. */
enum state {
	STATE_WAITING,		/* a delay runs or a code is awaited */
	STATE_STOPPED,		/* everything is stopped; decided at resume */
	STATE_HELD,		/* waits for people */
	STATE_RELEASED,
	STATE_DENIED,
	STATE_CANCELLED,
	STATE_EXPIRED,		/* no code or nobody answered in time */
	STATE_FAILED,		/* released, but the payment failed */
	STATE_PAID,
};

enum outcome_type {
	OUTCOME_DECIDED,	/* a withdrawal asked for got its verdict */
	OUTCOME_REPEATED,	/* same id, same content: the same answer */
	OUTCOME_REDECIDED,	/* matured, resumed, or a fact changed */
	OUTCOME_MOVED,		/* state changed without a decision: people,
				 * customer, expiry, payment */
	OUTCOME_HALTED,
	OUTCOME_RESUMED,
	OUTCOME_TAKEN,		/* any other input, taken */
	OUTCOME_REFUSED,	/* the input was not taken; see why */
};

/* Why a withdrawal was denied without the policy, or an input refused. */
enum why {
	WHY_NONE = 0,
	WHY_ACCOUNT,		/* builtin:account: never opened */
	WHY_KEY,		/* builtin:key */
	WHY_BALANCE,		/* builtin:balance */
	WHY_FROZEN,		/* builtin:frozen */
	WHY_CONFLICT,		/* id known with other content */
	WHY_UNKNOWN_ID,
	WHY_STATE,		/* not in a state that allows this */
	WHY_CEILING,		/* people may not lift it (S45) */
	WHY_FULL_ACCOUNTS,
	WHY_FULL_KEYS,
	WHY_FULL_PAIRS,
	WHY_FULL_DESTINATIONS,
	WHY_FULL_WAITING,
	WHY_FULL_WITHDRAWALS,
	WHY_FULL_NETWORKS,
	WHY_FULL_GROUPS,
	WHY_CLOCK,		/* later than the year 2100 */
	WHY_AMOUNT,		/* not positive, or beyond all coins */
	WHY_OVERFLOW,
	WHY_HALTED,		/* halt while halted, resume while not */
	WHY_READING,		/* a share of something never reported */
	WHY__COUNT
};
const char *why_text(enum why w);	/* "builtin:account", ... */
const char *state_text(enum state s);

enum cause {
	CAUSE_ASKED,
	CAUSE_MATURED,
	CAUSE_RESUMED,
	CAUSE_FACT,
	CAUSE_CODE,
	CAUSE_PEOPLE,		/* released or denied by an operator */
	CAUSE_CUSTOMER,		/* cancelled */
	CAUSE_EXPIRED,
	CAUSE_FROZEN,		/* freezing denies what waits */
	CAUSE_HALT,		/* taken back, or stopped as it fell due */
	CAUSE_PAYMENT,
};

/*
 * One thing that happened.  Pointers are good until the sink returns.
 * `joined` and `env` are there for DECIDED and REDECIDED that the policy
 * judged (why == NONE, state not STOPPED): the rules that spoke and the
 * facts they read.
 */
struct outcome {
	enum outcome_type type;
	enum cause	cause;
	enum why	why;
	int64_t		t_ms;
	struct ident	id;
	struct ident	account;
	uint32_t	ref;		/* number of the withdrawal, from 0 */
	int64_t		amount_sat;
	enum verdict	verdict;	/* what was decided here */
	enum verdict	would;		/* what the policy said; differs from
					 * verdict in observe and advise */
	enum state	state;		/* after it */
	int64_t		due_ms;		/* WAITING: when it is looked at: its
					 * code expires, else its delay ends */
	int64_t		released_ms;	/* RELEASED: when; else -1 */
	int		halt_rule;	/* HALTED: rule, or -1 by people */
	const struct joined *joined;
	const struct eval_env *env;
};

struct engine_sink {
	void	(*emit)(void *ctx, const struct outcome *o);
	void	*ctx;
};

/*
 * Allocates everything for the capacities, touching little of it: memory is
 * taken as it fills.  The program is borrowed and must outlive the engine.
 */
enum rc engine_new(struct engine **out, const struct program *p,
    const struct engine_config *c, struct err *e) MUST_CHECK;
void engine_free(struct engine **e);

/*
 * Apply one input.  First everything due at or before in->t_ms is decided,
 * in order of (due, asked), each at its own due time; then the input.  Every
 * outcome is emitted in order.  An input earlier than the last one is
 * applied at the last one's time: going back holds the last value.  Limiting
 * how far time may run ahead is the caller's (it has the monotonic clock).
 *
 * An input that cannot be taken (unknown account, full table, ...) emits
 * OUTCOME_REFUSED and changes nothing; a withdrawal is never refused but
 * DENIED or HELD with `why`.
 */
void engine_apply(struct engine *e, const struct input *in,
    const struct engine_sink *sink);

/*
 * Ask for the memory that this input will need, and change nothing.  A
 * caller that has a queue calls engine_prefetch() some nine inputs ahead,
 * engine_prefetch_records() some six ahead and engine_prefetch_pair() some
 * three ahead: with millions of accounts every withdrawal would otherwise
 * wait for memory several times.
 */
void engine_prefetch(const struct engine *e, const struct input *in);
void engine_prefetch_records(const struct engine *e, const struct input *in);
void engine_prefetch_pair(const struct engine *e, const struct input *in);

/* When the next waiting one falls due, INT64_MAX if none.  A caller that
 * acts between (a reviewer) sends INPUT_TICK at that time first. */
int64_t engine_next_due_ms(const struct engine *e);

/*
 * For tools that cannot know sizes beforehand: make room so that at least
 * `inputs` more inputs of any kind fit.  Never called between the service's
 * inputs.  Does not change what is decided.
 */
enum rc engine_reserve(struct engine *e, size_t inputs, struct err *err)
    MUST_CHECK;

bool engine_halted(const struct engine *e);
int64_t engine_hot_sat(const struct engine *e);	/* S26; -1 unknown */
int64_t engine_fund_sat(const struct engine *e);	/* -1 unknown */

/* A hash of the whole state: equal states, equal hashes. */
void engine_state_hash(const struct engine *e, unsigned char out[32]);

/*
 * The state as bytes, for a snapshot: engine_save() hands them out piece by
 * piece, engine_load() fetches them into a new engine of the same program,
 * whose capacities suffice (else it fails and says which).  Both give the
 * hash that engine_state_hash() gives.  A callback's failure ends it.
 */
enum rc engine_save(const struct engine *e,
    enum rc (*write)(void *ctx, const void *bytes, size_t len,
    struct err *err), void *ctx, unsigned char state_hash[32],
    struct err *err) MUST_CHECK;
enum rc engine_load(struct engine *e,
    enum rc (*read)(void *ctx, void *bytes, size_t len, struct err *err),
    void *ctx, unsigned char state_hash[32], struct err *err) MUST_CHECK;

/*
 * Apply one input of which it is already known what came of it, as another
 * version or another policy decided: every verdict, release, expiry and halt
 * is the recorded one; counters, habits and normals see what really
 * happened.  What falls due does so only where the record says.  Fails when
 * the record cannot be followed (it speaks of a withdrawal that is not
 * here, ...); the engine is of no use then.
 */
struct outcome_record;
enum rc engine_follow(struct engine *e, const struct input *in,
    const struct outcome_record *records, size_t n,
    const struct engine_sink *sink, struct err *err) MUST_CHECK;

/* One withdrawal as it stands, to read; false when it is not known. */
struct engine_withdrawal {
	struct ident	account;	/* none: it was never opened */
	struct ident	script;		/* while it waits or is held */
	uint32_t	ref;
	int64_t		amount_sat;
	int64_t		asked_ms;
	int64_t		released_ms;	/* -1: not */
	int64_t		due_ms;		/* WAITING: as in struct outcome, HELD:
					 * expires; else INT64_MAX */
	enum state	state;
	enum verdict	verdict;
	enum verdict	would;
	enum why	why;
	int		people;		/* HELD: needed; else 0 */
	int		approvals;	/* given so far */
	bool		receipt;	/* RELEASED: cannot be taken back */
	bool		issued;		/* INPUT_RECEIPT came */
	bool		burned;		/* FAILED: its money came back */
};
bool engine_withdrawal(const struct engine *e, struct ident id,
    struct engine_withdrawal *out);

/* Bytes in use by what grows with accounts, for bench and --cost. */
struct engine_usage {
	size_t	accounts, keys, pairs, destinations, waiting, withdrawals;
	size_t	bytes_account;		/* record and windows, one account */
	size_t	bytes_pair, bytes_destination, bytes_waiting;
	size_t	bytes_touched;
};
void engine_usage(const struct engine *e, struct engine_usage *out);

/*
 * What the windows read just now, without a withdrawal: for exposure,
 * explain and tests.  -1 when unknown or not learnt.
 */
int64_t engine_read_platform(const struct engine *e, int agg);
int64_t engine_read_normal(const struct engine *e, int agg);
int64_t engine_account_balance_sat(const struct engine *e, struct ident id);

/* Double entry: the sum over all books, 0 or the state is broken. */
int64_t engine_books_sum_sat(const struct engine *e);

#endif
