/*
 * What operators' programs ask, and customers of themselves.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book/answers.h"
#include "engine/engine.h"
#include "lib/amount.h"
#include "lib/civil.h"
#include "wire/bytes.h"
#include "wire/command.h"
#include "wire/rights.h"

#define LIMIT_USUAL	100
#define LONG_MAX_	4096	/* bytes in a list's row */
#define LIMIT_MAX	1000

static void
hex_of(char *out, const unsigned char *p, size_t len)
{
	size_t	 i;

	for (i = 0; i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", p[i]);
}

static void
put_hex(struct json *j, const char *key, struct text t)
{
	char	 hex[129] = "";

	if (t.p != NULL && t.len <= 64)
		hex_of(hex, (const unsigned char *)t.p, t.len);
	json_put_text(j, key, hex);
}

/* A stored JSON array of texts, as it is. */
static void
put_list(struct json *j, const char *key, struct text t)
{
	const char	*p = t.p, *end, *q;

	json_open_array(j, key);
	for (end = p + t.len; p != NULL && p < end; p = q + 1) {
		if ((p = memchr(p, '"', (size_t)(end - p))) == NULL)
			break;
		for (q = p + 1; q < end && *q != '"'; q++)
			q += *q == '\\';
		if (q >= end)
			break;
		/* Names of rules and networks hold nothing to escape. */
		json_put_bytes(j, NULL, p + 1, (size_t)(q - p - 1));
	}
	json_close(j);
}

static int64_t
limit_of(const struct answering *a)
{
	if (a->q->limit < 0)
		return LIMIT_USUAL;
	return a->q->limit < LIMIT_MAX ? a->q->limit : LIMIT_MAX;
}

static int64_t
count(struct answering *a, enum state state)
{
	return store_number(a->s, 0, "select count(*) from withdrawal where "
	    "state = ?", "i", (int64_t)state);
}

/* Status */

static void
put_halt(struct answering *a)
{
	sqlite3_stmt	*q = store_ask(a->s, "select seq, t, by, reason, rule "
	    "from halt where until is null order by seq desc limit 1", "");
	struct json	*j = a->j;

	json_put_bool(j, "halted", a->now->halted);
	if (q == NULL || !a->now->halted) {
		json_put_null(j, "halt_seq");
		store_done(q);
		return;
	}
	json_put_int(j, "halt_seq", sqlite3_column_int64(q, 0));
	json_put_int(j, "halted_since_ms", sqlite3_column_int64(q, 1));
	answers_text(j, "halted_by", q, 2);
	answers_text(j, "halted_why", q, store_text(q, 4).p != NULL ? 4 : 3);
	store_done(q);
}

static void
put_policy_hash(struct answering *a)
{
	sqlite3_stmt	*q = store_ask(a->s, "select hash from policy order "
	    "by seq desc limit 1", "");

	put_hex(a->j, "policy", q != NULL ? store_bytes(q, 0) :
	    text_of(NULL));
	store_done(q);
}

static void
put_day(struct answering *a)
{
	int64_t	 since = a->now->t_ms - MS_PER_DAY;

	json_put_sat(a->j, "released_24h", store_number(a->s, 0,
	    "select sum(amount) from withdrawal where n > (select "
	    "coalesce(max(n), 0) - 100000 from withdrawal) and released > ?",
	    "i", since));
	json_put_int(a->j, "withdrawals_24h", store_number(a->s, 0,
	    "select count(*) from withdrawal where n > (select "
	    "coalesce(max(n), 0) - 100000 from withdrawal) and asked > ?",
	    "i", since));
}

static void
put_oldest(struct answering *a)
{
	int64_t	 ms = store_number(a->s, -1, "select asked from withdrawal "
	    "where state = 2 order by n limit 1", "");

	if (ms >= 0)
		json_put_int(a->j, "oldest_held_ms", ms);
	else
		json_put_null(a->j, "oldest_held_ms");
}

static void
status(struct answering *a)
{
	struct json	*j = a->j;
	char		 hex[65];
	unsigned char	 key[32];

	hex_of(hex, a->deployment, 16);
	json_open_object(j, NULL);
	json_put_text(j, "deployment", hex);
	/* By which receipts and heads are checked. */
	keyring_engine_key(a->keys, key);
	hex_of(hex, key, sizeof(key));
	json_put_text(j, "engine_key", hex);
	json_put_text(j, "network", network_text(a->net));
	json_put_bool(j, "demo", a->demo);
	json_put_int(j, "t_ms", a->now->t_ms);
	json_put_int(j, "seq", a->seq);
	json_put_text(j, "mode", a->now->mode);
	put_halt(a);
	put_policy_hash(a);
	json_put_int(j, "waiting", count(a, STATE_WAITING));
	json_put_int(j, "held", count(a, STATE_HELD));
	json_put_int(j, "stopped", count(a, STATE_STOPPED));
	put_oldest(a);
	put_day(a);
	json_put_sat(j, "hot_sat", a->now->hot_sat > 0 ? a->now->hot_sat :
	    0);
	json_put_sat(j, "fund_sat", a->now->fund_sat > 0 ? a->now->fund_sat :
	    0);
	json_put_int(j, "proposals", store_number(a->s, 0, "select count(*) "
	    "from proposal where state = 'open'", ""));
	json_put_int(j, "accounts", store_number(a->s, 0, "select count(*) "
	    "from account", ""));
	json_close(j);
}

/* Withdrawals */

#define W_COLUMNS							\
	"id, account, own, via, script, amount, asked, state, "		\
	"verdict, would, why, code, due, released, done, txid, "	\
	"vout, key, by, rules, people, approvals, n"

static void
withdrawal_row(struct answering *a, sqlite3_stmt *q)
{
	static const char *const	 vias[] = { "api", "web", "mobile",
		"internal" };
	struct json			*j = a->j;
	int64_t				 state = sqlite3_column_int64(q, 7);
	int64_t				 why = sqlite3_column_int64(q, 10);

	json_open_object(j, NULL);
	answers_text(j, "id", q, 0);
	answers_text(j, "account", q, 1);
	if (store_text(q, 2).p != NULL)
		answers_text(j, "order", q, 2);
	json_put_text(j, "via", vias[sqlite3_column_int(q, 3) & 3]);
	answers_address(a, "address", store_bytes(q, 4));
	json_put_sat(j, "amount", sqlite3_column_int64(q, 5));
	json_put_int(j, "asked_ms", sqlite3_column_int64(q, 6));
	json_put_text(j, "state", state_text((enum state)state));
	json_put_text(j, "verdict", verdict_text((enum verdict)
	    sqlite3_column_int(q, 8)));
	json_put_text(j, "would", verdict_text((enum verdict)
	    sqlite3_column_int(q, 9)));
	if (why != WHY_NONE)
		json_put_text(j, "why", why_text((enum why)why));
	json_put_text(j, "reason", public_reason_text(answers_reason(state,
	    sqlite3_column_int64(q, 11), why)));
	json_put_bool(j, "needs_code", state == STATE_WAITING &&
	    sqlite3_column_int(q, 11) == 1);
	answers_ms(j, "due_ms", q, 12);
	answers_ms(j, "released_ms", q, 13);
	answers_ms(j, "done_ms", q, 14);
	answers_text(j, "txid", q, 15);
	answers_ms(j, "vout", q, 16);
	answers_text(j, "key", q, 17);
	answers_text(j, "by", q, 18);
	put_list(j, "rules", store_text(q, 19));
	json_put_int(j, "people", sqlite3_column_int64(q, 20));
	json_put_int(j, "approvals", sqlite3_column_int64(q, 21));
	json_close(j);
}

static void
rows_of(struct answering *a, sqlite3_stmt *q,
    void (*row)(struct answering *a, sqlite3_stmt *q))
{
	json_open_array(a->j, NULL);
	for (; q != NULL; q = store_next(a->s, q) ? q : NULL)
		row(a, q);
	json_close(a->j);
}

static int64_t
state_of(struct text name)
{
	int	 i;

	for (i = 0; name.p != NULL && i <= STATE_PAID; i++) {
		if (text_equal(text_of(state_text((enum state)i)), name))
			return i;
	}
	return -1;
}

static void
withdrawals(struct answering *a)
{
	int64_t	 state = state_of(a->q->name);

	if (a->q->name.p != NULL && state < 0) {
		answers_error(a, 400, 0, "no such state");
		return;
	}
	if (a->q->account.p != NULL)
		rows_of(a, store_ask(a->s, "select " W_COLUMNS " from "
		    "withdrawal where account = ?1 and listed and (?2 is null"
		    " or state = ?2) union all select " W_COLUMNS " from "
		    "withdrawal where account = ?1 and not listed and (?2 is "
		    "null or state = ?2) order by asked desc, n desc limit "
		    "?3", "tni", a->q->account, state, limit_of(a)),
		    withdrawal_row);
	else if (state >= 0)
		rows_of(a, store_ask(a->s, "select " W_COLUMNS " from "
		    "withdrawal where state = ? order by n desc limit ?",
		    "ii", state, limit_of(a)), withdrawal_row);
	else
		rows_of(a, store_ask(a->s, "select " W_COLUMNS " from "
		    "withdrawal order by n desc limit ?", "i", limit_of(a)),
		    withdrawal_row);
}

/* By its id; or, from the engine's own process, by its fingerprint. */
static void
withdrawal(struct answering *a, bool own)
{
	struct ident	 ident;
	struct text	 known = a->q->sealed;
	sqlite3_stmt	*q = store_ask(a->s, "select " W_COLUMNS " from "
	    "withdrawal where ident = ?1 and (?2 = 0 or account = ?3)",
	    "bit", !own && known.len == sizeof(ident) ? known :
	    answers_ident(&ident, a, a->q->id), (int64_t)own,
	    a->q->account);

	if (q == NULL) {
		answers_error(a, 404, own ? -4029 : 0,
		    "no such withdrawal");
		return;
	}
	withdrawal_row(a, q);
	store_done(q);
}

static void
queue(struct answering *a)
{
	rows_of(a, store_ask(a->s, "select " W_COLUMNS " from withdrawal "
	    "where state = 2 order by n limit ?", "i", limit_of(a)),
	    withdrawal_row);
}

/* Accounts and keys */

static void
account_row(struct answering *a, sqlite3_stmt *q)
{
	struct json	*j = a->j;

	json_open_object(j, NULL);
	answers_text(j, "account", q, 0);
	if (sqlite3_column_type(q, 1) == SQLITE_NULL)
		json_put_null(j, "limit_24h");
	else
		json_put_sat(j, "limit_24h", sqlite3_column_int64(q, 1));
	answers_ms(j, "tier", q, 2);
	answers_text(j, "group", q, 3);
	json_put_bool(j, "frozen", sqlite3_column_int(q, 4) != 0);
	if (store_bytes(q, 5).p != NULL)
		answers_address(a, "deposit_address", store_bytes(q, 5));
	json_put_int(j, "opened_ms", sqlite3_column_int64(q, 6));
	json_close(j);
}

static void
accounts(struct answering *a)
{
	rows_of(a, store_ask(a->s, "select name, limit_24h, tier, grp, "
	    "frozen, script, opened from account where ?1 is null or name = "
	    "?1 order by uid limit ?2", "ti", a->q->account, limit_of(a)),
	    account_row);
}

static void
key_row(struct answering *a, sqlite3_stmt *q)
{
	static const char *const	 types[] = { "none", "hmac", "rsa",
		"ed25519" };
	struct json			*j = a->j;
	int64_t				 expires = sqlite3_column_int64(q, 5);
	bool				 expired = sqlite3_column_type(q, 5)
	    != SQLITE_NULL && expires <= a->now->t_ms;

	json_open_object(j, NULL);
	answers_text(j, "key", q, 0);
	answers_text(j, "account", q, 1);
	json_put_text(j, "type", types[sqlite3_column_int(q, 2) & 3]);
	json_put_bool(j, "withdraw", sqlite3_column_int(q, 3) != 0);
	put_list(j, "ips", store_text(q, 4));
	answers_ms(j, "expires_ms", q, 5);
	answers_text(j, "label", q, 6);
	json_put_text(j, "state", sqlite3_column_int(q, 7) != 0 ? "revoked" :
	    sqlite3_column_int(q, 8) != 0 ? "frozen" : expired ? "expired" :
	    "good");
	answers_ms(j, "created_ms", q, 9);
	answers_ms(j, "used_ms", q, 10);
	answers_text(j, "used_ip", q, 11);
	json_close(j);
}

/* Of the exchange's door. */
static void
door_row(struct answering *a, sqlite3_stmt *q)
{
	int64_t	 roles_of = sqlite3_column_int64(q, 1);
	char	 names[RIGHTS_TEXT_MAX];

	json_open_object(a->j, NULL);
	answers_text(a->j, "key", q, 0);
	json_put_text(a->j, "roles", door_roles_text(names,
	    (uint32_t)roles_of));
	answers_ms(a->j, "expires_ms", q, 2);
	json_put_int(a->j, "changed_ms", sqlite3_column_int64(q, 3));
	json_put_text(a->j, "state", roles_of == 0 ? "revoked" : "good");
	json_close(a->j);
}

/* m.id or m.key: one; m.account: of one; m.name "door": the other door's. */
static void
keys(struct answering *a)
{
	struct text	 id = a->q->id;

	if (a->q->endpoint == ENDPOINT_LOCAL_KEYS &&
	    text_equal(a->q->name, text_of("door"))) {
		rows_of(a, store_ask(a->s, "select id, roles, expires, "
		    "created from door order by created", ""), door_row);
		return;
	}
	rows_of(a, store_ask(a->s, "select id, account, type, withdraw, ips,"
	    " expires, label, revoked, frozen, created, used, used_ip from "
	    "key where (?1 is null or id = ?1) and (?2 is null or account = "
	    "?2) order by created limit ?3", "tti", id, a->q->account,
	    (int64_t)LIMIT_MAX), key_row);
}

static void
address_row(struct answering *a, sqlite3_stmt *q)
{
	json_open_object(a->j, NULL);
	answers_address(a, "address", store_bytes(q, 0));
	answers_text(a->j, "label", q, 1);
	json_put_int(a->j, "added_ms", sqlite3_column_int64(q, 2));
	json_close(a->j);
}

static void
deposit_row(struct answering *a, sqlite3_stmt *q)
{
	json_open_object(a->j, NULL);
	answers_text(a->j, "account", q, 0);
	json_put_sat(a->j, "amount", sqlite3_column_int64(q, 1));
	json_put_int(a->j, "t_ms", sqlite3_column_int64(q, 2));
	answers_text(a->j, "id", q, 3);
	json_close(a->j);
}

/* People */

static void
operator_row(struct answering *a, sqlite3_stmt *q)
{
	struct json	*j = a->j;
	char		 names[RIGHTS_TEXT_MAX];

	json_open_object(j, NULL);
	answers_text(j, "name", q, 0);
	json_put_text(j, "roles", rights_text(names,
	    (uint32_t)sqlite3_column_int64(q, 1)));
	json_put_int(j, "rights", sqlite3_column_int64(q, 1));
	if (sqlite3_column_type(q, 2) == SQLITE_NULL)
		json_put_null(j, "release_up_to");
	else
		json_put_sat(j, "release_up_to", sqlite3_column_int64(q, 2));
	put_hex(j, "public_key", store_bytes(q, 3));
	json_close(j);
}

static void
put_persons(struct answering *a, int64_t proposal)
{
	sqlite3_stmt	*q = store_ask(a->s, "select by from approval where "
	    "proposal = ? order by t", "i", proposal);

	json_open_array(a->j, "approved_by");
	for (; q != NULL; q = store_next(a->s, q) ? q : NULL)
		answers_text(a->j, NULL, q, 0);
	json_close(a->j);
}

/* In hex, however long. */
static void
put_long_hex(struct json *j, const char *key, struct text a, struct text b)
{
	char		*hex = NULL;
	size_t		 len = 0, i;
	FILE		*f = open_memstream(&hex, &len);

	if (f == NULL)
		return;
	for (i = 0; i < a.len; i++)
		(void)fprintf(f, "%02x", (unsigned char)a.p[i]);
	if (b.p != NULL)
		(void)fputc(' ', f);
	for (i = 0; i < b.len; i++)
		(void)fprintf(f, "%02x", (unsigned char)b.p[i]);
	(void)fclose(f);
	json_put_text(j, key, hex);
	free(hex);
}

/*
 * What is proposed, in one word and as it was packed: whoever approves signs
 * those bytes.  Long ones only when one is asked for.
 */
static void
put_proposed(struct answering *a, struct text body)
{
	struct bytes	 b = bytes_of((const unsigned char *)body.p,
		    body.len);
	struct text	 open = get_text(&b, body.len), sealed =
		    get_text(&b, body.len);

	json_put_text(a->j, "command", open.len > 0 && open.p[0] > 0 &&
	    open.p[0] < COMMAND__END ? command_type_text(
	    (enum command_type)open.p[0]) : "?");
	if (!b.bad && (a->q->id.p != NULL ||
	    open.len + sealed.len <= LONG_MAX_))
		put_long_hex(a->j, "packed", open, sealed);
}

static void
proposal_row(struct answering *a, sqlite3_stmt *q)
{
	struct json	*j = a->j;

	json_open_object(j, NULL);
	json_put_int(j, "proposal", sqlite3_column_int64(q, 0));
	answers_text(j, "by", q, 1);
	answers_text(j, "reason", q, 2);
	json_put_int(j, "t_ms", sqlite3_column_int64(q, 3));
	json_put_int(j, "expires_ms", sqlite3_column_int64(q, 4));
	put_proposed(a, store_bytes(q, 5));
	answers_text(j, "state", q, 6);
	put_persons(a, sqlite3_column_int64(q, 0));
	json_close(j);
}

static void
policy_row(struct answering *a, sqlite3_stmt *q)
{
	json_open_object(a->j, NULL);
	json_put_int(a->j, "seq", sqlite3_column_int64(q, 0));
	put_hex(a->j, "hash", store_bytes(q, 1));
	json_put_int(a->j, "t_ms", sqlite3_column_int64(q, 2));
	answers_text(a->j, "by", q, 3);
	answers_text(a->j, "reason", q, 4);
	json_close(a->j);
}

/* The one in force, with all that it consists of: for a comparison. */
static void
policy_in_force(struct answering *a)
{
	sqlite3_stmt	*q = store_ask(a->s, "select seq, hash, body from "
	    "policy where body is not null order by seq desc limit 1", "");

	json_open_object(a->j, NULL);
	if (q != NULL) {
		json_put_int(a->j, "seq", sqlite3_column_int64(q, 0));
		put_hex(a->j, "hash", store_bytes(q, 1));
		put_long_hex(a->j, "bundle", store_bytes(q, 2),
		    text_of(NULL));
	}
	json_close(a->j);
	store_done(q);
}

static void
proposals(struct answering *a)
{
	if (a->q->id.p != NULL)
		rows_of(a, store_ask(a->s, "select seq, by, reason, t, "
		    "expires, body, state from proposal where seq = "
		    "cast(? as integer)", "t", a->q->id), proposal_row);
	else
		rows_of(a, store_ask(a->s, "select seq, by, reason, t, "
		    "expires, body, state from proposal order by state != "
		    "'open', seq desc limit ?", "i", limit_of(a)),
		    proposal_row);
}

/* Which */

void
answers_local(struct answering *a)
{
	enum endpoint	 e = a->q->endpoint;

	if (e == ENDPOINT_LOCAL_STATUS)
		status(a);
	else if (e == ENDPOINT_LOCAL_QUEUE)
		queue(a);
	else if (e == ENDPOINT_LOCAL_WITHDRAWALS)
		withdrawals(a);
	else if (e == ENDPOINT_LOCAL_WITHDRAWAL)
		withdrawal(a, false);
	else if (e == ENDPOINT_LOCAL_ACCOUNTS)
		accounts(a);
	else if (e == ENDPOINT_LOCAL_KEYS)
		keys(a);
	else if (e == ENDPOINT_LOCAL_OPERATORS)
		rows_of(a, store_ask(a->s, "select name, rights, "
		    "release_sat, public from operator order by name", ""),
		    operator_row);
	else if (e == ENDPOINT_LOCAL_PROPOSALS)
		proposals(a);
	else if (e == ENDPOINT_LOCAL_POLICIES && a->q->id.p != NULL)
		policy_in_force(a);
	else if (e == ENDPOINT_LOCAL_POLICIES)
		rows_of(a, store_ask(a->s, "select seq, hash, t, by, reason "
		    "from policy order by seq desc limit ?", "i",
		    limit_of(a)), policy_row);
	else if (e == ENDPOINT_LOCAL_DEPOSITS)
		rows_of(a, store_ask(a->s, "select account, amount, t, own "
		    "from deposit where ?1 is null or account = ?1 order by "
		    "n desc limit ?2", "ti", a->q->account, limit_of(a)),
		    deposit_row);
	else
		answers_error(a, 404, 0, "not a question for the book");
}

void
answers_self(struct answering *a)
{
	enum endpoint	 e = a->q->endpoint;

	if (e == ENDPOINT_SELF_KEYS)
		keys(a);
	else if (e == ENDPOINT_SELF_WITHDRAWAL)
		withdrawal(a, true);
	else if (e == ENDPOINT_SELF_ADDRESSES)
		rows_of(a, store_ask(a->s, "select script, label, added from "
		    "address where account = ? order by added", "t",
		    a->q->account), address_row);
	else
		answers_error(a, 404, -1020, "not a question for the book");
}
