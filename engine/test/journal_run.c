/*
 * journal_run DB POLICY EVENTS BATCH SNAPSHOT_EVERY [AT POLICY2]
 *
 * A service in small, for tests that kill it: it opens or creates a journal,
 * says `start SEQ` with the last event that is there, takes EVENTS commands
 * in all (those that are there already are not taken again: which they are
 * follows from their number), commits every BATCH, and says `ack SEQ` when
 * that is durable.  Before command AT it puts POLICY2 in force.  At the end
 * it prints `done`, the hash of the state, a hash of all events, and how many
 * there are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/journal.h"
#include "lib/civil.h"
#include "lib/sha256.h"

#define T0_MS		INT64_C(1772323200000)	/* 2026-03-01 */
#define STEP_MS		(5 * MS_PER_HOUR)
#define ACCOUNTS	12
#define FIRST		2	/* genesis and policy */

static struct journal	*journal;

/* As a service ends: it says why, and closes. */
static void
die(const char *what)
{
	struct err	 ignored;

	(void)fprintf(stderr, "journal_run: %s\n", what);
	if (journal != NULL && journal_close(&journal, &ignored) != RC_OK)
		exit(1);
	exit(1);
}

static void
say(const char *line, int len)
{
	/* One write a line, and what cannot be said was not acknowledged. */
	if (write(STDOUT_FILENO, line, (size_t)len) != len)
		exit(1);
}

static void
durable(void *ctx, uint64_t seq)
{
	char	 line[64];

	(void)ctx;
	say(line, snprintf(line, sizeof(line), "ack %ju\n", (uintmax_t)seq));
}

static void
ignore(void *ctx, const struct outcome *o)
{
	(void)ctx;
	(void)o;
}

/* What the texts of one command point into. */
struct names {
	char		account[24], id[24], key[24];
	unsigned char	script[22];
	struct cidr	cidr;
};

static struct text
number(char *buf, size_t room, const char *what, uint64_t n)
{
	struct text	 t = { buf, 0 };

	t.len = (size_t)snprintf(buf, room, "%s-%03ju", what, (uintmax_t)n);
	return t;
}

static void
set_ip(unsigned char ip[16], uint64_t n)
{
	memset(ip, 0, 16);
	ip[10] = ip[11] = 0xff;
	ip[12] = 198;
	ip[13] = 51;
	ip[14] = (unsigned char)(100 + n % 3);
	ip[15] = (unsigned char)(n % 250);
}

static void
withdraw(struct command *c, struct names *n, uint64_t i)
{
	c->id = number(n->id, sizeof(n->id), "w", i);
	memset(n->script, (int)(i * 7 % 11), sizeof(n->script));
	n->script[0] = 0;
	n->script[1] = 20;
	c->script.p = (const char *)n->script;
	c->script.len = sizeof(n->script);
	c->amount_sat = (int64_t)(i * 7919 % 400 + 1) * 1000000;
	c->via = VIA_API;
	c->code = i % 3 == 0 ? TRI_YES : TRI_NO;
	c->has_ip = true;
	set_ip(c->ip, i);
	if (i % 4 == 0)
		c->key = number(n->key, sizeof(n->key), "k", i % ACCOUNTS);
}

static void
key(struct command *c, struct names *n, uint64_t i)
{
	c->key = number(n->key, sizeof(n->key), "k", i % ACCOUNTS);
	c->withdraw = true;
	set_ip(n->cidr.ip, i);
	n->cidr.ip[15] = 0;
	n->cidr.bits = 120;
	c->cidrs = &n->cidr;
	c->n_cidrs = 1;
}

/* What number i is: the same whenever it is asked for. */
static void
make(struct command *c, struct names *n, uint64_t i)
{
	static const enum command_type	 types[16] = { COMMAND_HOT_BALANCE,
		COMMAND_KEY, COMMAND_LOGIN, COMMAND_DEPOSIT, COMMAND_WITHDRAW,
		COMMAND_WITHDRAW, COMMAND_RELEASE, COMMAND_WITHDRAW,
		COMMAND_WITHDRAW, COMMAND_DENY, COMMAND_WITHDRAW,
		COMMAND_WITHDRAW, COMMAND_CANCEL, COMMAND_WITHDRAW,
		COMMAND_TICK, COMMAND_WITHDRAW };
	enum command_type type = i < ACCOUNTS ? COMMAND_ACCOUNT :
	    types[i % 16];

	command_clear(c, type, T0_MS + (int64_t)i * STEP_MS);
	if (type == COMMAND_ACCOUNT || type == COMMAND_KEY ||
	    type == COMMAND_LOGIN || type == COMMAND_DEPOSIT ||
	    type == COMMAND_WITHDRAW)
		c->account = number(n->account, sizeof(n->account), "a",
		    i % ACCOUNTS);
	if (type == COMMAND_WITHDRAW)
		withdraw(c, n, i);
	if (type == COMMAND_KEY)
		key(c, n, i);
	if (type == COMMAND_LOGIN) {
		c->has_ip = true;
		set_ip(c->ip, i);
	}
	if (type == COMMAND_HOT_BALANCE)
		c->amount_sat = INT64_C(100000000000);
	if (type == COMMAND_DEPOSIT)
		c->amount_sat = INT64_C(5000000000);
	if (type == COMMAND_RELEASE || type == COMMAND_DENY ||
	    type == COMMAND_CANCEL)
		c->id = number(n->id, sizeof(n->id), "w", i - 2);
	if (type == COMMAND_RELEASE || type == COMMAND_DENY) {
		c->by = text_of("alice");
		c->reason = text_of("a test");
	}
}

/* The other policy, before command `at`. */
struct change {
	uint64_t	 at;
	const char	*path;
};

static void
change_policy(struct journal *j, const struct change *change)
{
	struct command	 by;
	struct err	 e;

	command_clear(&by, COMMAND_POLICY, T0_MS + (int64_t)change->at *
	    STEP_MS);
	by.by = text_of("alice");
	by.reason = text_of("a test");
	if (journal_policy(j, change->path, &by, &e) != RC_OK)
		die(e.text);
}

static void
take_all(struct journal *j, uint64_t events, uint64_t batch,
    const struct change *change)
{
	const struct engine_sink sink = { ignore, NULL };
	struct command	 c;
	struct names	 n;
	struct err	 e;
	uint64_t	 i = journal_state(j)->seq - FIRST, seq;
	uint64_t	 changed = change->path != NULL && i > change->at;

	for (i -= changed; i < events; i++) {
		if (change->path != NULL && i == change->at && !changed) {
			change_policy(j, change);
			changed = 1;
		}
		make(&c, &n, i);
		if (journal_take(j, &c, &sink, &seq, &e) != RC_OK)
			die(e.text);
		if (seq != i + FIRST + changed + 1)
			die("an event was taken twice");
		if ((i + 1) % batch == 0 && journal_commit(j, &e) != RC_OK)
			die(e.text);
	}
	if (journal_flush(j, &e) != RC_OK)
		die(e.text);
}

static enum rc
hash_event(void *ctx, const struct history_event *ev,
    const struct rebuilt *now, struct err *e)
{
	unsigned char	*sum = ctx, both[64], one[32];
	static unsigned char open[1 << 16], sealed[1 << 14];
	size_t		 open_len, sealed_len;

	(void)now;
	(void)e;
	if (ev->c.type == COMMAND_GENESIS || ev->c.type == COMMAND_POLICY)
		return RC_OK;
	command_pack(&ev->c, open, &open_len, sealed, &sealed_len);
	memcpy(open + open_len, sealed, sealed_len);
	memcpy(open + open_len + sealed_len, ev->outcomes, ev->outcomes_len);
	sha256(one, open, open_len + sealed_len + ev->outcomes_len);
	memcpy(both, sum, 32);
	memcpy(both + 32, one, 32);
	sha256(sum, both, sizeof(both));
	return RC_OK;
}

/* All events again from the first, judged and hashed. */
static void
read_all(const char *path, const unsigned char state[32],
    unsigned char sum[32])
{
	unsigned char		 again[32];

	struct rebuild_options	 o = { .on_event = hash_event, .ctx = sum };
	struct rebuilt		 r;
	struct db		*db = NULL;
	struct keyring		*keys = NULL;
	struct err		 e;

	memset(sum, 0, 32);
	if (db_open(&db, path, DB_READ, &e) != RC_OK ||
	    keyring_open(&keys, db_keyring_path(db), false, &e) != RC_OK ||
	    rebuild(&r, db, keys, &o, &e) != RC_OK)
		die(e.text);
	engine_state_hash(r.engine, again);
	if (memcmp(again, state, sizeof(again)) != 0)
		die("the journal gives another state than the engine had");
	rebuilt_free(&r);
	keyring_free(&keys);
	db_close(&db);
}

static void
print_hash(const unsigned char hash[32])
{
	int	 i;

	for (i = 0; i < 16; i++)
		(void)printf("%02x", hash[i]);
	(void)printf(" ");
}

int
main(int argc, char **argv)
{
	struct journal_config	 cfg = { .create = true, .t_ms = T0_MS,
	    .receipt_at_release = true, .durable = durable };
	struct change		 change = { 0, NULL };
	struct err		 e;
	unsigned char		 state[32], sum[32];
	char			 line[64];
	uint64_t		 seq;

	if (argc != 6 && argc != 8) {
		(void)fputs("usage: journal_run DB POLICY EVENTS BATCH "
		    "SNAPSHOT_EVERY [AT POLICY2]\n", stderr);
		return 2;
	}
	cfg.url = argv[1];
	cfg.policy_path = argv[2];
	cfg.snapshot_every = strtoull(argv[5], NULL, 10);
	if (argc == 8) {
		change.at = strtoull(argv[6], NULL, 10);
		change.path = argv[7];
	}
	if (journal_open(&journal, &cfg, &e) != RC_OK)
		die(e.text);
	say(line, snprintf(line, sizeof(line), "start %ju\n",
	    (uintmax_t)journal_state(journal)->seq));
	take_all(journal, strtoull(argv[3], NULL, 10),
	    strtoull(argv[4], NULL, 10), &change);
	engine_state_hash(journal_state(journal)->engine, state);
	seq = journal_state(journal)->seq;
	if (journal_close(&journal, &e) != RC_OK)
		die(e.text);
	read_all(argv[1], state, sum);
	(void)printf("done ");
	print_hash(state);
	print_hash(sum);
	(void)printf("%ju\n", (uintmax_t)seq);
	return 0;
}
