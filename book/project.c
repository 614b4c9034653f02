/*
 * One event at a time; the outcomes of withdrawals find their rows by
 * fingerprint.
 */
#include "book/project.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book/keep.h"
#include "engine/take.h"
#include "lib/json.h"
#include "policy/bundle.h"
#include "wire/cidr.h"

static const char	 tables[] =
	"create table if not exists meta (name text primary key, value);"
	"create table if not exists withdrawal (n integer primary key,"
	" id text not null, ident blob unique not null, account text"
	" not null, own text, via int, script blob, amount int, asked int,"
	" state int, verdict int, would int, why int, code int, due int,"
	" released int, done int, txid text, vout int, key text, by text,"
	" rules text, people int, approvals int, listed int, seq int,"
	/* Released where a receipt may be given: by which event. */
	" receipt_seq int,"
	/* Issued to our own signer: by which event, its first. */
	" issued int);"
	/* Time never goes back in a journal: newest first either way. */
	"create index if not exists withdrawal_account on withdrawal"
	" (account, asked) where listed;"
	/* Apart, so that no number of refusals makes a history slow. */
	"create index if not exists withdrawal_refused on withdrawal"
	" (account, asked) where not listed;"
	/* All open amounts of an account without a look at its rows. */
	"create table if not exists open (account text primary key, sat int"
	" not null) without rowid;"
	"create index if not exists withdrawal_own on withdrawal"
	" (account, own) where own is not null;"
	"create index if not exists withdrawal_state on withdrawal"
	" (state, n);"
	"create table if not exists account (uid integer primary key,"
	" name text unique not null, limit_24h int, tier int, grp text,"
	" frozen int default 0, script blob, opened int);"
	"create table if not exists key (id text primary key, account text,"
	" type int, withdraw int, ips text, expires int, label text,"
	" revoked int default 0, frozen int default 0, created int, used int,"
	" used_ip text);"
	"create index if not exists key_account on key (account);"
	"create table if not exists door (id text primary key, roles int,"
	" expires int, created int);"
	"create table if not exists address (account text, script blob,"
	" label text, added int, primary key (account, script));"
	"create table if not exists deposit (n integer primary key,"
	" own text, account text, amount int, t int, origin text);"
	"create index if not exists deposit_account on deposit (account, n);"
	"create table if not exists secret (account text, kind int, version"
	" int, t int, primary key (account, kind));"
	"create table if not exists operator (name text primary key,"
	" rights int, release_sat int, public blob);"
	"create table if not exists proposal (seq integer primary key,"
	" by text, reason text, t int, expires int, body blob, state text);"
	"create table if not exists approval (proposal int, by text, t int,"
	" primary key (proposal, by));"
	"create table if not exists policy (seq integer primary key,"
	" hash blob, t int, by text, reason text, body blob);"
	/* Rules are numbers in the journal; which, is said by the policy that
	 * decided. */
	"create table if not exists rule (policy int, n int, name text,"
	" place text, primary key (policy, n)) without rowid;"
	"create table if not exists halt (seq integer primary key, t int,"
	" until int, by text, reason text, rule text);"
	"create table if not exists step (subject text primary key, step int)"
	" without rowid;"
	/* The highest number of each source of facts. */
	"create table if not exists source (name text primary key, n int)"
	" without rowid;"
	"create table if not exists current (kind int, subject text,"
	" seq int, open blob, sealed blob, primary key (kind, subject));";

void
project_tables(struct store_db *s)
{
	if (sqlite3_exec(s->db, tables, NULL, NULL, NULL) != SQLITE_OK &&
	    s->why.text[0] == '\0')
		(void)err_set(&s->why, "the book: %s",
		    sqlite3_errmsg(s->db));
}

static const char *const	 reasons[] = {
	"", "waits until", "needs a code", "under review",
	"more information", "refused address", "refused account",
	"all stopped", "cancelled", "expired",
};

const char *
public_reason_text(enum public_reason r)
{
	return reasons[r];
}

/* Policies */

static enum rc
put_in_force(struct project *p, struct text body, struct err *e)
{
	enum rc	 rc;

	program_free(&p->program);
	policy_free(&p->policy);
	rc = policy_load_bundle(&p->policy, (const unsigned char *)body.p,
	    body.len, NULL, e);
	return rc == RC_OK ? program_new(&p->program, p->policy, e) : rc;
}

/* The names of the rules that are in force from this event on. */
static void
keep_rules(struct project *p, int64_t seq)
{
	int	 i;

	for (i = 0; i < p->program->n_rules; i++)
		store_run(p->s, "insert or replace into rule values (?,?,?,?)",
		    "iiss", seq, (int64_t)i, p->program->rules[i].name,
		    p->program->rules[i].where);
}

bool
project_rule(struct store_db *s, uint64_t seq, int rule,
    char name[PROJECT_RULE_MAX])
{
	sqlite3_stmt	*q = store_ask(s, "select name from rule where policy"
	    " = (select max(seq) from policy where seq < ?) and n = ?", "ii",
	    (int64_t)seq, (int64_t)rule);
	struct text	 t;

	if (q == NULL)
		return false;
	t = store_text(q, 0);
	(void)snprintf(name, PROJECT_RULE_MAX, "%.*s", (int)t.len, t.p);
	store_done(q);
	return true;
}

static const char *
rule_name(const struct project *p, int rule)
{
	return p->program != NULL && rule >= 0 && rule <
	    p->program->n_rules ? p->program->rules[rule].name : NULL;
}

enum rc
project_begin(struct project *p, struct store_db *s,
    const struct keyring *keys, struct err *e)
{
	sqlite3_stmt	*q;
	enum rc		 rc = RC_OK;

	memset(p, 0, sizeof(*p));
	p->s = s;
	p->ids = keyring_secrets(keys)->ids;
	q = store_ask(s, "select body from policy order by seq desc limit 1",
	    "");
	if (q != NULL) {
		rc = put_in_force(p, store_bytes(q, 0), e);
		store_done(q);
	}
	return rc;
}

void
project_end(struct project *p)
{
	program_free(&p->program);
	policy_free(&p->policy);
}

static enum rc
policy(struct project *p, const struct history_event *ev, struct err *e)
{
	const struct command	*c = &ev->c;
	struct text		 hash = { (const char *)c->hash, 32 };

	/* Only the last one's files are needed. */
	store_run(p->s, "update policy set body = null", "");
	store_run(p->s, "insert or replace into policy values "
	    "(?,?,?,?,?,?)", "ibittb", (int64_t)ev->seq, hash, c->t_ms, c->by,
	    c->reason, c->body);
	if (put_in_force(p, c->body, e) != RC_OK)
		return RC_FAILED;
	keep_rules(p, (int64_t)ev->seq);
	return RC_OK;
}

/* Withdrawals */

/* The names of the rules that spoke, as JSON. */
static char *
rules(const struct project *p, const struct outcome_record *r, char *buf,
    size_t room)
{
	struct json	 j;
	int		 i, n = 0;

	json_to_memory(&j, buf, room);
	json_open_array(&j, NULL);
	for (i = 0; r->judged && i < r->n_rules && n < 24; i++) {
		if ((r->did[i] != RULE_MATCHED && r->did[i] != RULE_FAILED) ||
		    rule_name(p, r->rules[i]) == NULL)
			continue;
		json_put_text(&j, NULL, rule_name(p, r->rules[i]));
		n++;
	}
	if (r->judged && r->by_default)
		json_put_text(&j, NULL, "default");
	if (r->judged && r->error != EVAL_OK)
		json_put_text(&j, NULL, "builtin:error");
	if (r->why != WHY_NONE)
		json_put_text(&j, NULL, why_text(r->why));
	json_close(&j);
	if (json_end(&j) != RC_OK)
		(void)snprintf(buf, room, "[]");
	return buf;
}

static struct text
ident_text(const struct ident *id)
{
	struct text	 t = { (const char *)id, sizeof(*id) };

	return t;
}

static int64_t
due_of(const struct outcome_record *r)
{
	return r->due_ms != INT64_MAX ? r->due_ms : -1;
}

static int64_t
done_of(const struct outcome_record *r)
{
	return r->state == STATE_DENIED || r->state == STATE_CANCELLED ||
	    r->state == STATE_EXPIRED || r->state == STATE_FAILED ||
	    r->state == STATE_PAID ? r->t_ms : -1;
}

/* Not paid, and not refused: it is locked in the account's balance. */
static bool
is_open(int64_t state)
{
	return state == STATE_WAITING || state == STATE_STOPPED ||
	    state == STATE_HELD || state == STATE_RELEASED;
}

static void
lock_sat(struct project *p, struct text account, int64_t sat)
{
	store_run(p->s, "insert into open values (?,?) on conflict (account) "
	    "do update set sat = sat + excluded.sat", "ti", account, sat);
}

/* The row that is about to change, for what is open of its account. */
static void
unlock(struct project *p, const struct outcome_record *r)
{
	sqlite3_stmt	*q = store_ask(p->s, "select account, amount, state "
	    "from withdrawal where ident = ?", "b", ident_text(&r->id));
	int64_t		 sat;

	if (q == NULL)
		return;
	sat = sqlite3_column_int64(q, 1);
	if (is_open(sqlite3_column_int64(q, 2)) != is_open(r->state))
		lock_sat(p, store_text(q, 0), is_open(r->state) ? sat : -sat);
	store_done(q);
}

/*
 * The event that a receipt would be for, -1: none.  What was let go by
 * observing or advising, or happened before the service, was not let go by
 * the policy, whatever is in force when somebody asks.
 */
static int64_t
receipt_seq(const struct project *p, const struct history_event *ev,
    const struct outcome_record *r)
{
	return r->state == STATE_RELEASED && !ev->c.history &&
	    p->policy != NULL && p->policy->mode == MODE_ENFORCE &&
	    r->amount_sat >= p->policy->enforce_above_sat ?
	    (int64_t)ev->seq : -1;
}

/* Of the column `code`: what was given stays given. */
enum { CODE_NO, CODE_AWAITED, CODE_GIVEN };

static void
decided(struct project *p, const struct history_event *ev,
    const struct outcome_record *r)
{
	const struct command	*c = &ev->c;
	char			 spoke[4096];
	/* A refusal at once leaves no row in a customer's history. */
	int64_t			 listed = !(c->via == VIA_API &&
	    r->state == STATE_DENIED);

	store_run(p->s, "insert or ignore into withdrawal (id, ident, "
	    "account, own, via, script, amount, asked, state, verdict, would,"
	    " why, code, due, released, done, key, rules, people, approvals,"
	    " listed, seq, receipt_seq) values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
	    "?,?,?,?,0,?,?,?)", "tbttibiiiiiiinnntsiiin", c->id,
	    ident_text(&r->id), c->account, c->order, (int64_t)c->via,
	    c->script, c->amount_sat, r->t_ms, (int64_t)r->state,
	    (int64_t)r->verdict,
	    (int64_t)r->would, (int64_t)r->why, c->code == TRI_YES ?
	    (int64_t)CODE_GIVEN : (int64_t)r->code, due_of(r),
	    r->released_ms, done_of(r), c->key, rules(p, r, spoke,
	    sizeof(spoke)), (int64_t)r->people, listed, (int64_t)ev->seq,
	    receipt_seq(p, ev, r));
	if (is_open(r->state) && sqlite3_changes(p->s->db) > 0)
		lock_sat(p, c->account, c->amount_sat);
}

static void
moved(struct project *p, const struct history_event *ev,
    const struct outcome_record *r)
{
	const struct ident	 own = take_ident(&p->ids, ev->c.id);
	char	 spoke[4096];

	unlock(p, r);
	store_run(p->s, "update withdrawal set state = ?, due = ?, "
	    "released = coalesce(?, released), done = ?, receipt_seq = "
	    "coalesce(?, receipt_seq) where ident = ?", "innnnb",
	    (int64_t)r->state, due_of(r), r->released_ms, done_of(r),
	    receipt_seq(p, ev, r), ident_text(&r->id));
	if (r->judged)
		store_run(p->s, "update withdrawal set verdict = ?, would = "
		    "?, code = case code when 2 then 2 else ? end, people = "
		    "?, rules = ?, why = ? where ident = ?", "iiiisib",
		    (int64_t)r->verdict, (int64_t)r->would, (int64_t)r->code,
		    (int64_t)r->people, rules(p, r, spoke, sizeof(spoke)),
		    (int64_t)r->why, ident_text(&r->id));
	if (ev->c.type == COMMAND_CODE && ident_equal(own, r->id))
		store_run(p->s, "update withdrawal set code = ? where ident "
		    "= ?", "ib", (int64_t)CODE_GIVEN, ident_text(&own));
	if (r->cause == CAUSE_FROZEN)
		store_run(p->s, "update withdrawal set why = ? where ident = "
		    "?", "ib", (int64_t)WHY_FROZEN, ident_text(&r->id));
	if (ev->c.type == COMMAND_RELEASE || ev->c.type == COMMAND_DENY)
		store_run(p->s, "update withdrawal set by = ? where ident = "
		    "?", "tb", ev->c.by, ident_text(&own));
}

static void
halted(struct project *p, const struct history_event *ev,
    const struct outcome_record *r)
{
	const char	*rule = rule_name(p, r->halt_rule);

	store_run(p->s, "insert or replace into halt values (?,?,null,?,?,?)",
	    "iitts", (int64_t)ev->seq, r->t_ms, ev->c.by, ev->c.reason, rule);
}

static void
outcome(struct project *p, const struct history_event *ev,
    const struct outcome_record *r)
{
	const struct ident	 own = take_ident(&p->ids, ev->c.id);

	switch (r->type) {
	case OUTCOME_DECIDED:
		if (r->why != WHY_CONFLICT)
			decided(p, ev, r);
		return;
	case OUTCOME_REDECIDED:
	case OUTCOME_MOVED:
		moved(p, ev, r);
		return;
	case OUTCOME_HALTED:
		halted(p, ev, r);
		return;
	case OUTCOME_RESUMED:
		store_run(p->s, "update halt set until = ? where until is "
		    "null", "i", r->t_ms);
		return;
	case OUTCOME_TAKEN:
		if (ev->c.type == COMMAND_RELEASE)
			store_run(p->s, "update withdrawal set approvals = "
			    "approvals + 1 where ident = ?", "b",
			    ident_text(&own));
		return;
	case OUTCOME_REPEATED:
	case OUTCOME_REFUSED:
		return;
	}
}

/* All outcomes; *refused_out: the command itself was. */
static enum rc
outcomes(struct project *p, const struct history_event *ev, bool *refused_out,
    struct err *e)
{
	const unsigned char		*at = ev->outcomes;
	const unsigned char		*end = at + ev->outcomes_len;
	const struct outcome_of		 of = {
		.id = take_ident(&p->ids, ev->c.id),
		.amount_sat = ev->c.amount_sat, .t_ms = ev->c.t_ms };
	static struct outcome_record	 r;

	*refused_out = false;
	while (at < end) {
		if (outcome_unpack(&r, &at, end, &of, e) != RC_OK)
			return err_wrap(e, RC_FAILED, "event %ju",
			    (uintmax_t)ev->seq);
		*refused_out |= r.type == OUTCOME_REFUSED;
		outcome(p, ev, &r);
	}
	return RC_OK;
}

/* Everything else that is read */

static char *
cidrs(const struct command *c, char *buf, size_t room)
{
	char		 text[CIDR_TEXT_MAX];
	struct json	 j;
	size_t		 i;

	json_to_memory(&j, buf, room);
	json_open_array(&j, NULL);
	/* Nothing would read as "from anywhere". */
	if (c->forgotten)
		json_put_text(&j, NULL, "forgotten");
	for (i = 0; i < c->n_cidrs; i++)
		json_put_text(&j, NULL, cidr_text(text, &c->cidrs[i]));
	json_close(&j);
	if (json_end(&j) != RC_OK)
		(void)snprintf(buf, room, "[]");
	return buf;
}

static void
key(struct project *p, const struct command *c)
{
	static char	 ips[COMMAND_CIDRS_MAX * (CIDR_TEXT_MAX + 4)];

	store_run(p->s, "insert into key (id, account, type, withdraw, ips, "
	    "expires, label, created) values (?,?,?,?,?,?,?,?) on conflict "
	    "(id) do update set account = excluded.account, type = "
	    "max(type, excluded.type), withdraw = excluded.withdraw, ips = "
	    "excluded.ips, expires = excluded.expires, label = "
	    "coalesce(excluded.label, label), revoked = 0", "ttiisnti",
	    c->key, c->account, (int64_t)c->key_type, (int64_t)c->withdraw,
	    cidrs(c, ips, sizeof(ips)), c->expires_ms, c->name, c->t_ms);
}

static void
frozen(struct project *p, const struct command *c, int64_t yes)
{
	if (c->account.p != NULL)
		store_run(p->s, "update account set frozen = ? where name = "
		    "?", "it", yes, c->account);
	else
		store_run(p->s, "update key set frozen = ? where id = ?",
		    "it", yes, c->key);
}

static void
account(struct project *p, const struct command *c)
{
	store_run(p->s, "insert into account (name, limit_24h, tier, grp, "
	    "script, opened) values (?,?,?,?,?,?) on conflict (name) do "
	    "update set limit_24h = coalesce(excluded.limit_24h, limit_24h),"
	    " tier = coalesce(excluded.tier, tier), grp = "
	    "coalesce(excluded.grp, grp), script = coalesce(excluded.script,"
	    " script)", "tnntbi", c->account, c->limit_sat, c->tier, c->group,
	    c->script, c->t_ms);
}

static void
secret(struct project *p, const struct command *c)
{
	if (c->blob.p == NULL)
		store_run(p->s, "delete from secret where account = ? and "
		    "kind = ?", "ti", c->account, (int64_t)c->secret);
	else
		store_run(p->s, "insert or replace into secret values "
		    "(?,?,?,?)", "tini", c->account, (int64_t)c->secret,
		    c->step, c->t_ms);
}

static void
operator(struct project *p, const struct command *c)
{
	if (c->roles <= 0)
		store_run(p->s, "delete from operator where name = ?", "t",
		    c->name);
	else
		store_run(p->s, "insert into operator values (?,?,?,?) on "
		    "conflict (name) do update set rights = excluded.rights,"
		    " release_sat = excluded.release_sat, public = "
		    "coalesce(excluded.public, public)", "tinb", c->name,
		    c->roles, c->limit_sat, c->blob);
}

static void
proposals(struct project *p, const struct history_event *ev)
{
	const struct command	*c = &ev->c;

	if (c->type == COMMAND_PROPOSAL) {
		store_run(p->s, "insert or replace into proposal values "
		    "(?,?,?,?,?,?,'open')", "ittiib", (int64_t)ev->seq, c->by,
		    c->reason, c->t_ms, c->expires_ms, c->body);
		if (c->proof.p != NULL)
			store_run(p->s, "insert or ignore into approval "
			    "values (?,?,?)", "iti", (int64_t)ev->seq, c->by,
			    c->t_ms);
	} else if (c->type == COMMAND_APPROVAL) {
		store_run(p->s, "insert or ignore into approval values "
		    "(?,?,?)", "iti", c->answers, c->by, c->t_ms);
	} else if (c->type == COMMAND_DISCARD) {
		store_run(p->s, "update proposal set state = coalesce(?, "
		    "'discarded') where seq = ? and state = 'open'", "ti",
		    c->reason, c->answers);
	} else if (c->answers > 0) {
		store_run(p->s, "update proposal set state = 'done' where "
		    "seq = ? and state = 'open'", "i", c->answers);
	}
}

/* Made for trying?  Whoever signs with a demo's key must know. */
static void
genesis(struct project *p, const struct command *c)
{
	struct genesis	 g;

	if (genesis_unpack(&g, c->body, NULL) == RC_OK)
		store_run(p->s, "insert or replace into meta values "
		    "('demo', ?)", "i", (int64_t)g.demo);
}

static void
others(struct project *p, const struct history_event *ev)
{
	const struct ident	 own = take_ident(&p->ids, ev->c.id);
	const struct command	*c = &ev->c;

	if (c->type == COMMAND_GENESIS)
		genesis(p, c);
	else if (c->type == COMMAND_ACCOUNT)
		account(p, c);
	else if (c->type == COMMAND_KEY)
		key(p, c);
	else if (c->type == COMMAND_KEY_REVOKE)
		store_run(p->s, "update key set revoked = 1 where id = ?",
		    "t", c->key);
	else if (c->type == COMMAND_DOOR_KEY)
		store_run(p->s, "insert or replace into door values "
		    "(?,?,?,?)", "tini", c->key, c->roles, c->expires_ms,
		    c->t_ms);
	else if (c->type == COMMAND_FREEZE)
		frozen(p, c, 1);
	else if (c->type == COMMAND_UNFREEZE)
		frozen(p, c, 0);
	else if (c->type == COMMAND_CANCEL && c->not_me)
		store_run(p->s, "update account set frozen = 1 where name = "
		    "(select account from withdrawal where ident = ?)", "b",
		    ident_text(&own));
	else if (c->type == COMMAND_ADDRESS_ADD)
		store_run(p->s, "insert or replace into address values "
		    "(?,?,?,?)", "tbti", c->account, c->script, c->name,
		    c->t_ms);
	else if (c->type == COMMAND_ADDRESS_REMOVE)
		store_run(p->s, "delete from address where account = ? and "
		    "script = ?", "tb", c->account, c->script);
	else if (c->type == COMMAND_DEPOSIT)
		store_run(p->s, "insert into deposit (own, account, amount, "
		    "t, origin) values (?,?,?,?,?)", "ttiit", c->order,
		    c->account, c->amount_sat, c->t_ms, c->name);
	else if (c->type == COMMAND_OUTCOME)
		store_run(p->s, "update withdrawal set txid = ?, vout = ? "
		    "where ident = ?", "tnb", c->order, c->count,
		    ident_text(&own));
	else if (c->type == COMMAND_RECEIPT)
		store_run(p->s, "update withdrawal set issued = "
		    "coalesce(issued, ?) where ident = ?", "ib",
		    (int64_t)ev->seq, ident_text(&own));
	else if (c->type == COMMAND_SECRET)
		secret(p, c);
	else if (c->type == COMMAND_OPERATOR)
		operator(p, c);
	proposals(p, ev);
}

enum rc
project_event(struct project *p, const struct history_event *ev,
    struct err *e)
{
	bool	 refused = false;
	enum rc	 rc;

	if (ev->c.type == COMMAND_POLICY)
		rc = policy(p, ev, e);
	else
		rc = outcomes(p, ev, &refused, e);
	if (rc != RC_OK)
		return rc;
	if (ev->c.source.p != NULL && ev->c.n <= INT64_MAX)
		keep_source(p, &ev->c);
	/* A code is used whatever came of it. */
	if (ev->c.type == COMMAND_CODE_USED ||
	    ev->c.type == COMMAND_WITHDRAW || ev->c.type == COMMAND_CODE)
		keep_step(p, ev);
	if (ev->c.type != COMMAND_POLICY && !refused) {
		others(p, ev);
		keep_in_force(p, ev);
	}
	if (p->s->why.text[0] != '\0')
		return err_set(e, "%s", p->s->why.text);
	return RC_OK;
}
