/*
 * Kept as they were packed: the newest command about each thing.
 */
#include "book/keep.h"

#include <stdio.h>
#include <stdlib.h>

#include "book/book.h"
#include "engine/take.h"
#include "wire/sign.h"

static struct text
ident_text(const struct ident *id)
{
	struct text	 t = { (const char *)id, sizeof(*id) };

	return t;
}

static void
keep(struct project *p, const struct history_event *ev, struct text subject,
    const struct command *c)
{
	unsigned char	*open = malloc(command_open_room(c));
	unsigned char	*sealed = malloc(command_sealed_room(c));
	struct text	 a, b;
	size_t		 open_len, sealed_len;

	if (open != NULL && sealed != NULL &&
	    command_check(c, &p->why) == RC_OK) {
		command_pack(c, open, &open_len, sealed, &sealed_len);
		a.p = (const char *)open;
		a.len = open_len;
		b.p = (const char *)sealed;
		b.len = sealed_len;
		store_run(p->s, "insert or replace into current values "
		    "(?,?,?,?,?)", "itibb", (int64_t)c->type, subject,
		    (int64_t)ev->seq, a, b);
	}
	free(open);
	free(sealed);
}

/* What a later command does not say stays as it was said before: a key's
 * secret, an account's limit, an operator's public key. */
static void
merge(struct command *c, const struct command *was)
{
	if (c->blob.p == NULL) {
		c->blob = was->blob;
		c->key_type = was->key_type;
		c->step = was->step;
	}
	if (c->name.p == NULL)
		c->name = was->name;
	if (c->type != COMMAND_ACCOUNT)
		return;
	if (c->limit_sat < 0)
		c->limit_sat = was->limit_sat;
	if (c->tier < 0)
		c->tier = was->tier;
	if (c->group.p == NULL)
		c->group = was->group;
	if (c->script.p == NULL)
		c->script = was->script;
}

static void
keep_merged(struct project *p, const struct history_event *ev,
    struct text subject)
{
	/* From which nothing comes: an empty list would open the key. */
	static const struct cidr	 nowhere = { { 0 }, 128 };
	static struct command_lists	 lists;
	struct command			 c = ev->c, was;
	sqlite3_stmt			*q;
	struct text			 open, sealed;

	q = store_ask(p->s, "select open, sealed from current where kind = ? "
	    "and subject = ?", "it", (int64_t)c.type, subject);
	if (q != NULL) {
		open = store_bytes(q, 0);
		sealed = store_bytes(q, 1);
		if (command_unpack(&was, &lists,
		    (const unsigned char *)open.p, open.len,
		    (const unsigned char *)sealed.p, sealed.len, NULL) ==
		    RC_OK)
			merge(&c, &was);
	}
	if (c.forgotten) {
		c.forgotten = false;
		c.cidrs = &nowhere;
		c.n_cidrs = 1;
	}
	c.proof = text_of(NULL);
	keep(p, ev, subject, &c);
	store_done(q);
}

/* The account of a code that came for a withdrawal. */
static struct text
account_of(struct project *p, const struct command *c, char *buf, size_t room)
{
	struct text	 t = c->account;
	struct ident	 own;
	sqlite3_stmt	*q;

	if (t.p != NULL || c->id.p == NULL)
		return t;
	own = take_ident(&p->ids, c->id);
	q = store_ask(p->s, "select account from withdrawal where ident = ?",
	    "b", ident_text(&own));
	if (q == NULL)
		return t;
	t = store_text(q, 0);
	(void)snprintf(buf, room, "%.*s", (int)t.len, t.p);
	store_done(q);
	return text_of(buf);
}

/* The newest step that an account's code was good for: good once. */
void
keep_step(struct project *p, const struct history_event *ev)
{
	char		 name[COMMAND_NAME_MAX + 1];
	char		 subject[COMMAND_NAME_MAX + 16];
	struct command	 c;

	if (ev->c.step < 0)
		return;
	command_clear(&c, COMMAND_CODE_USED, ev->c.t_ms);
	c.account = account_of(p, &ev->c, name, sizeof(name));
	/* Without a word it was the telephone's. */
	c.secret = ev->c.type == COMMAND_WITHDRAW || ev->c.secret ==
	    SECRET_NONE ? SECRET_TOTP : ev->c.secret;
	c.step = ev->c.step;
	if (c.account.p == NULL)
		return;
	(void)snprintf(subject, sizeof(subject), "%d %.*s", (int)c.secret,
	    (int)c.account.len, c.account.p);
	if (store_number(p->s, -1, "select step from step where subject = ?",
	    "t", text_of(subject)) >= c.step)
		return;
	store_run(p->s, "insert or replace into step values (?,?)", "ti",
	    text_of(subject), c.step);
	keep(p, ev, text_of(subject), &c);
}

/* The most that people, and not a feed, said there is (H1). */
static void
keep_said(struct project *p, const struct history_event *ev)
{
	static const struct text	 door = { "door:", 5 };
	const struct command		*c = &ev->c;

	if (c->answers > 0 || c->by.len < door.len ||
	    memcmp(c->by.p, door.p, door.len) != 0)
		keep(p, ev, text_of("said"), c);
}

/* By which event it is kept; -1: it is not. */
static int64_t
kept_seq(struct project *p, enum command_type type, const char *subject)
{
	return store_number(p->s, -1, "select seq from current where kind = ?"
	    " and subject = ?", "it", (int64_t)type, text_of(subject));
}

/* The first, the first since a restore (C5), and as many of the newest as
 * tell a fork (C4). */
static void
keep_head(struct project *p, const struct history_event *ev)
{
	struct sign_head	 h;
	const char		*subject;
	char			 number[24];

	sign_head_unpack(&h, (const unsigned char *)ev->c.blob.p);
	(void)snprintf(number, sizeof(number), "%u",
	    (unsigned)(h.seq % BOOK_HEADS));
	if (kept_seq(p, COMMAND_SIGNER_HEAD, "first") < 0)
		subject = "first";
	else if (kept_seq(p, COMMAND_RESTORED, "restored") >
	    kept_seq(p, COMMAND_SIGNER_HEAD, "heard"))
		subject = "heard";
	else
		subject = number;
	keep(p, ev, text_of(subject), &ev->c);
}

void
keep_source(struct project *p, const struct command *c)
{
	store_run(p->s, "insert into source values (?,?) on conflict (name) "
	    "do update set n = max(n, excluded.n)", "ti", c->source,
	    (int64_t)c->n);
}

void
keep_in_force(struct project *p, const struct history_event *ev)
{
	char			 subject[COMMAND_NAME_MAX + 16];
	const struct command	*c = &ev->c;

	if (c->type == COMMAND_ACCOUNT)
		keep_merged(p, ev, c->account);
	else if (c->type == COMMAND_KEY)
		keep_merged(p, ev, c->key);
	else if (c->type == COMMAND_KEY_REVOKE)
		store_run(p->s, "delete from current where kind = ? and "
		    "subject = ?", "it", (int64_t)COMMAND_KEY, c->key);
	else if (c->type == COMMAND_DOOR_KEY)
		keep_merged(p, ev, c->key);
	else if (c->type == COMMAND_OPERATOR)
		keep_merged(p, ev, c->name);
	else if (c->type == COMMAND_QUORUM)
		keep(p, ev, text_of("quorum"), c);
	else if (c->type == COMMAND_SECRET) {
		(void)snprintf(subject, sizeof(subject), "%d %.*s",
		    (int)c->secret, (int)c->account.len, c->account.p);
		keep(p, ev, text_of(subject), c);
	} else if (c->type == COMMAND_DEPOSIT && c->order.p != NULL)
		keep(p, ev, c->order, c);
	else if (c->type == COMMAND_HOT_BALANCE || c->type == COMMAND_FUND)
		keep_said(p, ev);
	else if (c->type == COMMAND_SIGNER_HEAD)
		keep_head(p, ev);
	else if (c->type == COMMAND_RESTORED)
		keep(p, ev, text_of("restored"), c);
}
