/*
 * Commands: what the engine is asked to take, as it stands in a journal row
 * and in a message, with names as they were given and nothing resolved.
 *
 * A command is packed into two strings of bytes.  The open one holds all but
 * personal data; the sealed one holds IP addresses and networks, and is
 * encrypted by whoever keeps it (db/row.h).  An open part without its sealed
 * one still parses: `forgotten` is set where something was.
 *
 * Packing is canonical: equal commands give equal bytes, and bytes that are
 * not what packing would have made are refused.
 */
#ifndef WIRE_COMMAND_H
#define WIRE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"
#include "wire/words.h"

/* These numbers stand in every journal: new ones go to the end. */
enum command_type {
	COMMAND_TICK = 1,	/* only time passes */
	COMMAND_GENESIS,	/* the first of every journal: `body` is a
				 * struct genesis, packed */
	COMMAND_POLICY,		/* `body`: the files, policy/bundle.h; `hash`:
				 * of them */
	COMMAND_RESTORED,	/* the database was put back from a backup */
	COMMAND_CLOCK,		/* an operator says that the time is right */
	COMMAND_ACCOUNT,
	COMMAND_KEY,
	COMMAND_KEY_REVOKE,
	COMMAND_SECURITY_CHANGE,
	COMMAND_LOGIN,
	COMMAND_FACT,
	COMMAND_DEPOSIT,
	COMMAND_BALANCE,
	COMMAND_HOT_BALANCE,
	COMMAND_FUND,
	COMMAND_CHAIN_SEEN,
	COMMAND_ADDRESS_ADD,
	COMMAND_ADDRESS_REMOVE,
	COMMAND_WITHDRAW,
	COMMAND_CODE,
	COMMAND_RECEIPT,
	COMMAND_BURNED,
	COMMAND_OUTCOME,
	COMMAND_CANCEL,
	COMMAND_RELEASE,
	COMMAND_DENY,
	COMMAND_FREEZE,
	COMMAND_UNFREEZE,
	COMMAND_HALT,
	COMMAND_RESUME,
	/*
	 * What the service keeps in the journal beside what the engine
	 * decides on.  To the engine only time passes.
	 */
	COMMAND_SECRET,		/* of an account, sealed by auth: `secret` says
				 * which, `blob` it, `step` its version; no
				 * blob: it is gone */
	COMMAND_CODE_USED,	/* a second factor was used, not for one
				 * withdrawal: good once */
	COMMAND_DOOR_KEY,	/* a key of the exchange's door: `roles` as in
				 * wire/rights.h, 0: revoked; `blob`: public */
	COMMAND_OPERATOR,	/* `name`, `roles` (0: removed), `blob`: his
				 * public key, `limit_24h`: may release */
	COMMAND_QUORUM,		/* `count` persons, and `wait` for what
				 * loosens */
	COMMAND_PROPOSAL,	/* `body`: a packed command that waits; its
				 * number is this event's */
	COMMAND_APPROVAL,	/* of the proposal that it `answers` */
	COMMAND_DISCARD,	/* a proposal will not be done */
	COMMAND_SIGNER_HEAD,	/* `blob`: the newest head of our own signer's
				 * journal, wire/sign.h (C4) */
	COMMAND__END
};
const char *command_type_text(enum command_type t);	/* "key_revoke" */

#define COMMAND_NAME_MAX	64	/* bytes of any id or name */
/* Sealed under another master key, otherwise as it was. */
#define COMMAND_BY_RESEAL	"auth:reseal"
#define COMMAND_REASON_MAX	1024
#define COMMAND_SCRIPT_MAX	42	/* ADDRESS_SCRIPT_MAX */
#define COMMAND_PROOF_MAX	16384
#define COMMAND_BLOB_MAX	8192
#define COMMAND_CIDRS_MAX	256
#define COMMAND_FACTS_MAX	64
#define COMMAND_BODY_MAX	((size_t)256 << 20)

/* A declared fact that comes with a withdrawal. */
struct command_fact {
	struct text	name;
	enum value_kind	kind;
	struct text	text;		/* VALUE_TEXT */
	int64_t		value;		/* VALUE_INTEGER; VALUE_FLAG: 0, 1 */
};

/*
 * Which fields count depends on the type, as in drawbridge.scenario(5).  All
 * texts are optional (p NULL: absent) unless the type cannot do without:
 * command_check() knows.  Nothing in here is owned.
 */
struct command {
	enum command_type type;
	int64_t		t_ms;
	/*
	 * Who sends, and the number that he gave it: the pair makes a repeat
	 * harmless.  Absent and 0: nobody in particular.
	 */
	struct text	source;
	uint64_t	n;
	struct text	by;		/* the operator; COMMAND_BY_RESEAL */
	struct text	reason;
	struct text	account;
	struct text	key;
	struct text	id;		/* the withdrawal's */
	struct text	group;
	struct text	partner;
	struct text	script;		/* a scriptPubKey */
	int64_t		amount_sat;	/* chain_seen: received */
	int64_t		limit_sat;	/* account; -1: not given */
	int64_t		tier;		/* account; -1: not given */
	int64_t		first_seen_ms;	/* chain_seen */
	struct command_fact fact;	/* fact */
	enum via	via;
	enum tri	code;		/* withdraw: a valid code came */
	enum tri	device_new;	/* login */
	enum paid	paid;		/* outcome */
	enum credential	what;		/* security_change */
	bool		withdraw;	/* key: may withdraw */
	bool		history;	/* it happened before go-live (S34) */
	bool		not_me;		/* cancel */
	const struct command_fact *facts;	/* withdraw */
	size_t		n_facts;
	struct text	body;		/* genesis, policy */
	unsigned char	hash[32];	/* policy */
	struct text	order;		/* withdraw: the customer's own id;
					 * outcome: the txid in hex; deposit:
					 * what makes it unique */
	struct text	name;		/* operator; key, address_add: a label;
					 * deposit: where it came from */
	/*
	 * Who asked, for those who check afterwards: a byte that says how (1
	 * HMAC, nothing follows; 2 RSA, 3 Ed25519, a length and signature as
	 * text of wire/bytes.h, then the message; 4 an operator, wire/
	 * approval.h).
	 */
	struct text	proof;
	struct text	blob;		/* a public key, or sealed bytes;
					 * burned: the signer's word for it,
					 * wire/sign.h */
	int64_t		expires_ms;	/* -1: never */
	int64_t		answers;	/* an event's number; -1: none */
	enum key_type	key_type;
	enum secret_kind secret;
	int64_t		roles;		/* wire/rights.h */
	int64_t		count;		/* quorum: persons; outcome: vout */
	int64_t		step;		/* of a code that was good (RFC 6238);
					 * the version of a secret; -1: none */
	int64_t		wait_ms;
	/* The sealed part. */
	bool		has_ip;		/* withdraw, login */
	bool		forgotten;	/* unpacked without its sealed part,
					 * and there was one */
	unsigned char	ip[16];		/* IPv4 mapped into IPv6 */
	const struct cidr *cidrs;	/* key; none: any address */
	size_t		n_cidrs;
};

/* Everything absent, TYPE at T_MS. */
void command_clear(struct command *c, enum command_type type, int64_t t_ms);

/* All that the type needs is there and in range; the reason begins with the
 * field: "`amount`: ...". */
enum rc command_check(const struct command *c, struct err *e) MUST_CHECK;

/*
 * *out is what packing and unpacking would leave of *c, which passes
 * command_check(): whatever the type does not have is absent.
 */
void command_tidy(struct command *out, const struct command *c);

/* Room that packing can need at most. */
size_t command_open_room(const struct command *c);
size_t command_sealed_room(const struct command *c);

/*
 * Pack a command that passes command_check() (asserted).  Buffers have the
 * rooms above.  *sealed_len_out is 0 when it holds nothing personal.
 */
void command_pack(const struct command *c, unsigned char *open,
    size_t *open_len_out, unsigned char *sealed, size_t *sealed_len_out);

/* Where the lists of an unpacked command lie; reusable, about 8 KiB. */
struct command_lists {
	struct cidr	cidrs[COMMAND_CIDRS_MAX];
	struct command_fact facts[COMMAND_FACTS_MAX];
};

/*
 * The other way round, strictly: every byte used, canonical, and
 * command_check() passes.  `sealed` NULL: destroyed.  Texts of *out point
 * into the bytes, lists into *lists.
 */
enum rc command_unpack(struct command *out, struct command_lists *lists,
    const unsigned char *open, size_t open_len, const unsigned char *sealed,
    size_t sealed_len, struct err *e) MUST_CHECK;

/*
 * The first command of a journal says whose it is.
 */
struct genesis {
	unsigned char	deployment[16];	/* random; in receipts, too */
	unsigned char	engine_key[32];	/* Ed25519, public */
	uint8_t		network;	/* enum network */
	bool		demo;		/* made for trying (C7) */
	/* A released withdrawal has its receipt in the same step. */
	bool		receipt_at_release;
	/* A check of the keys that fingerprints and lots are made with: the
	 * keyring of another deployment is recognised (db/keyring.h). */
	unsigned char	keys_tag[16];
};
#define GENESIS_LEN	66
void genesis_pack(const struct genesis *g, unsigned char out[GENESIS_LEN]);
enum rc genesis_unpack(struct genesis *out, struct text body, struct err *e)
    MUST_CHECK;

#endif
