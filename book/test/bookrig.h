/*
 * A journal and a book beside it, in a folder of their own, and questions
 * asked and waited for.
 */
#ifndef BOOK_TEST_BOOKRIG_H
#define BOOK_TEST_BOOKRIG_H

#include <dirent.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bitcoin/address.h"
#include "book/book.h"
#include "engine/journal.h"
#include "lib/civil.h"
#include "tests/check.h"

#define T0_MS	INT64_C(1772323200000)	/* 2026-03-01 00:00 UTC */

#define LOADED_MAX	4096

/* Set before rig_new(). */
static bool	 rig_receipts;

struct bookrig {
	char		 folder[64], db[96], book_path[96], policy[96];
	struct journal	*journal;
	struct book	*book;
	pthread_mutex_t	 lock;
	pthread_cond_t	 news;
	uint64_t	 tickets;
	/* What came for the ticket that is waited for. */
	uint64_t	 wanted;
	bool		 there;
	int		 status;
	char		*body;
	/* book_load(). */
	struct { enum command_type type; uint64_t seq; char who[65];
	    bool withdraw; size_t blob; int64_t step; } loaded[LOADED_MAX];
	int		 n_loaded;
	bool		 failed;
	struct book_now	 now;
};

static inline void
rig_answered(void *ctx, uint64_t ticket, int status, struct text body)
{
	struct bookrig	*r = ctx;

	(void)pthread_mutex_lock(&r->lock);
	if (ticket == r->wanted) {
		r->status = status;
		free(r->body);
		r->body = strndup(body.p, body.len);
		r->there = true;
		(void)pthread_cond_signal(&r->news);
	}
	(void)pthread_mutex_unlock(&r->lock);
}

static inline void
rig_one(struct bookrig *r, uint64_t seq, struct text open, struct text sealed)
{
	static struct command_lists	 lists;
	struct command			 c;
	struct err			 e = { "" };
	struct text			 who;
	int				 i = r->n_loaded++;

	if (!CHECK(i < LOADED_MAX) || !CHECK(command_unpack(&c, &lists,
	    (const unsigned char *)open.p, open.len,
	    (const unsigned char *)sealed.p, sealed.len, &e) == RC_OK))
		return;
	who = c.key.p != NULL ? c.key : c.account.p != NULL ? c.account :
	    c.name.p != NULL ? c.name : c.by;
	r->loaded[i].type = c.type;
	r->loaded[i].seq = seq;
	(void)snprintf(r->loaded[i].who, 65, "%.*s", (int)who.len,
	    who.p != NULL ? who.p : "");
	r->loaded[i].withdraw = c.withdraw;
	r->loaded[i].blob = c.blob.len;
	r->loaded[i].step = c.step;
}

static inline void
rig_loaded(void *ctx, uint64_t ticket, uint64_t seq, struct text open,
    struct text sealed)
{
	struct bookrig	*r = ctx;

	(void)pthread_mutex_lock(&r->lock);
	if (ticket == r->wanted && open.p != NULL) {
		rig_one(r, seq, open, sealed);
	} else if (ticket == r->wanted) {
		r->there = true;
		(void)pthread_cond_signal(&r->news);
	}
	(void)pthread_mutex_unlock(&r->lock);
}

static inline void
rig_failed(void *ctx, const struct err *why)
{
	struct bookrig	*r = ctx;

	(void)printf("# the book failed: %s\n", why->text);
	r->failed = true;
}

static inline void
rig_durable(void *ctx, uint64_t seq)
{
	struct bookrig	*r = ctx;

	if (r->book != NULL)
		book_wake(r->book, seq);
}

/* Opens the book; it may be told at once how far the journal is. */
static inline void
rig_book_open(struct bookrig *r)
{
	struct book_config	 c = { .path = r->book_path,
	    .journal = r->db, .network = NETWORK_REGTEST,
	    .answered = rig_answered, .loaded = rig_loaded,
	    .failed = rig_failed, .ctx = r };
	struct err		 e = { "" };

	c.keys = journal_keyring(r->journal);
	if (!CHECK(book_open(&r->book, &c, &e) == RC_OK)) {
		(void)printf("# %s\n", e.text);
		exit(check_done());
	}
	book_wake(r->book, journal_state(r->journal)->seq);
}

static inline void
rig_journal_open(struct bookrig *r)
{
	struct journal_config	 c = { .url = r->db, .create = true,
	    .network = NETWORK_REGTEST, .policy_path = r->policy,
	    .t_ms = T0_MS, .receipt_at_release = rig_receipts,
	    .durable = rig_durable, .ctx = r };
	struct err		 e = { "" };

	if (!CHECK(journal_open(&r->journal, &c, &e) == RC_OK)) {
		(void)printf("# %s\n", e.text);
		exit(check_done());
	}
}

static inline struct bookrig *
rig_new(const char *policy)
{
	struct bookrig	*r = calloc(1, sizeof(*r));
	FILE		*f;

	(void)snprintf(r->folder, sizeof(r->folder), "/tmp/book-XXXXXX");
	CHECK(mkdtemp(r->folder) != NULL);
	(void)snprintf(r->db, sizeof(r->db), "%s/j.db", r->folder);
	(void)snprintf(r->book_path, sizeof(r->book_path), "%s/book.db",
	    r->folder);
	(void)snprintf(r->policy, sizeof(r->policy), "%s/p.policy",
	    r->folder);
	f = fopen(r->policy, "we");
	CHECK(f != NULL && fputs(policy, f) >= 0 && fclose(f) == 0);
	(void)pthread_mutex_init(&r->lock, NULL);
	(void)pthread_cond_init(&r->news, NULL);
	r->now.t_ms = T0_MS;
	r->now.balance_sat = 150000000;
	r->now.hot_sat = r->now.fund_sat = -1;
	r->now.mode = "enforce";
	rig_journal_open(r);
	rig_book_open(r);
	return r;
}

/* A folder of files. */
static inline void
rig_remove(const char *folder)
{
	DIR		*d = opendir(folder);
	struct dirent	*f;
	char		 name[400];

	while (d != NULL && (f = readdir(d)) != NULL) {
		(void)snprintf(name, sizeof(name), "%s/%s", folder,
		    f->d_name);
		if (f->d_name[0] != '.' && unlink(name) != 0)
			rig_remove(name);
	}
	if (d != NULL)
		(void)closedir(d);
	CHECK(rmdir(folder) == 0);
}

static inline void
rig_free(struct bookrig *r)
{
	struct err	 e;

	book_close(&r->book);
	CHECK(journal_close(&r->journal, &e) == RC_OK);
	rig_remove(r->folder);
	free(r->body);
	free(r);
}

/* Wait for what `wanted` was asked; false after ten seconds. */
static inline bool
rig_wait(struct bookrig *r)
{
	struct timespec	 until;
	int		 late = 0;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	(void)pthread_mutex_lock(&r->lock);
	while (!r->there && late == 0)
		late = pthread_cond_timedwait(&r->news, &r->lock, &until);
	(void)pthread_mutex_unlock(&r->lock);
	return CHECK(late == 0);
}

static inline uint64_t
rig_ticket(struct bookrig *r)
{
	(void)pthread_mutex_lock(&r->lock);
	r->wanted = ++r->tickets;
	r->there = false;
	(void)pthread_mutex_unlock(&r->lock);
	return r->wanted;
}

/* Ask and wait.  A new reference, NULL when it is no JSON. */
static inline json_t *
rig_ask(struct bookrig *r, const struct message *m)
{
	struct err	 e;
	json_error_t	 why;
	json_t		*j;

	CHECK(journal_flush(r->journal, &e) == RC_OK);
	book_ask(r->book, rig_ticket(r), journal_state(r->journal)->seq, m,
	    &r->now);
	if (!rig_wait(r))
		return NULL;
	j = json_loads(r->body, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
	    &why);
	if (!CHECK(j != NULL))
		(void)printf("# %s in %s\n", why.text, r->body);
	return j;
}

static inline struct message
rig_question(enum endpoint of, const char *account)
{
	struct message	 m;

	message_clear(&m, MESSAGE_QUERY, 0);
	m.endpoint = of;
	m.account = text_of(account);
	return m;
}

static inline void
rig_load(struct bookrig *r)
{
	struct err	 e;

	CHECK(journal_flush(r->journal, &e) == RC_OK);
	r->n_loaded = 0;
	book_load(r->book, rig_ticket(r), journal_state(r->journal)->seq);
	(void)rig_wait(r);
}

static inline void
rig_ignore(void *ctx, const struct outcome *o)
{
	(void)ctx;
	(void)o;
}

static inline uint64_t
rig_take(struct bookrig *r, struct command *c)
{
	const struct engine_sink	 sink = { rig_ignore, NULL };
	struct err			 e = { "" };
	uint64_t			 seq = 0;

	if (c->t_ms > r->now.t_ms)
		r->now.t_ms = c->t_ms;
	if (!CHECK(journal_take(r->journal, c, &sink, &seq, &e) == RC_OK))
		(void)printf("# %s: %s\n", command_type_text(c->type),
		    e.text);
	return seq;
}

static inline struct text
rig_script(int n)
{
	static unsigned char	 script[8][22];
	static int		 turn;
	unsigned char		*s = script[turn++ % 8];
	struct text		 t = { (const char *)s, 22 };

	memset(s, n, 22);
	s[0] = 0;
	s[1] = 20;
	return t;
}

static inline void
rig_withdraw(struct bookrig *r, int64_t t_ms, const char *account,
    const char *id, int64_t sat, const char *order)
{
	struct command	 c;

	command_clear(&c, COMMAND_WITHDRAW, t_ms);
	c.account = text_of(account);
	c.id = text_of(id);
	c.script = rig_script(7);
	c.amount_sat = sat;
	c.via = VIA_API;
	c.code = TRI_NO;
	c.order = text_of(order);
	(void)rig_take(r, &c);
}

static inline void
rig_account(struct bookrig *r, const char *account, int64_t limit_sat)
{
	struct command	 c;

	command_clear(&c, COMMAND_ACCOUNT, T0_MS);
	c.account = text_of(account);
	c.limit_sat = limit_sat;
	(void)rig_take(r, &c);
}

/* A command about a withdrawal. */
static inline void
rig_about(struct bookrig *r, enum command_type type, int64_t t_ms,
    const char *id)
{
	struct command	 c;

	command_clear(&c, type, t_ms);
	c.id = text_of(id);
	if (type == COMMAND_RELEASE || type == COMMAND_DENY) {
		c.by = text_of("alice");
		c.reason = text_of("a test");
	}
	(void)rig_take(r, &c);
}

#endif
