/*
 * The thread: follow the journal, then answer.
 */
#include "book/book.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "book/answers.h"
#include "book/events.h"
#include "book/load.h"
#include "book/project.h"
#include "book/store.h"
#include "db/db.h"
#include "engine/history.h"
#include "lib/civil.h"
#include "lib/log.h"
#include "wire/cidr.h"

#define SCHEMA		8
#define BATCH		2000		/* events a transaction */
#define EVENTS_MAX	1000
#define WAIT_MAX_MS	25000
/* Nobody asks: it follows in few large transactions, a fifth of the time. */
#define REST_PARTS	4
#define REST_MIN_MS	25
#define REST_MAX_MS	250
#define REST_EVENTS	20000		/* further behind: no rest */

struct question {
	struct question	*next;
	uint64_t	 ticket;
	uint64_t	 seq;		/* to be in the book first */
	bool		 load;
	struct book_now	 now;
	char		 mode[16];
	int64_t		 until_ms;	/* a feed waits so long */
	size_t		 len;
	unsigned char	 bytes[];	/* the message */
};

struct used {
	struct used	*next;
	int64_t		 t_ms;
	char		 ip[CIDR_TEXT_MAX];
	size_t		 len;
	char		 key[];
};

struct book {
	struct book_config c;
	char		 path[512], journal[512];
	pthread_t	 thread;
	pthread_mutex_t	 lock;
	pthread_cond_t	 news;
	/* Under the lock. */
	uint64_t	 durable;
	uint64_t	 at;		/* copy of `seq` for others */
	struct question	*questions, **questions_last;
	struct used	*used;
	bool		 resting;	/* only questions wake it */
	bool		 stop;
	/* The thread's own. */
	struct store_db	 s;
	struct db	*db;
	struct keyring	*keys;
	struct history	*history;
	struct project	 project;
	struct genesis	 genesis;
	uint64_t	 seq;
	bool		 dead;
	bool		 anew;		/* it was, since the start */
};

static int64_t
mono_ms(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * MS_PER_S + t.tv_nsec / 1000000;
}

/* Opening */

static void
meta_set(struct book *b, const char *name, struct text value)
{
	store_run(&b->s, "insert or replace into meta values (?,?)", "sb",
	    name, value);
}

/* Is the row at the book's place the one that it was made from?  Not when the
 * journal was put back from a backup: it ends earlier, or went on
 * differently. */
static bool
is_there(struct book *b)
{
	struct history_row	 row;
	sqlite3_stmt		*q;
	struct text		 t;
	struct err		 e;
	bool			 more, same;

	if (history_seek(b->history, b->seq, &e) != RC_OK ||
	    history_row(b->history, &row, &more, &e) != RC_OK)
		return b->c.as_it_is;
	if (!more || row.head.seq + row.head.events - 1 != b->seq)
		return false;
	q = store_ask(&b->s, "select value from meta where name = 'hash'",
	    "");
	if (q == NULL)
		return false;
	t = store_bytes(q, 0);
	same = t.len == sizeof(row.hash) && memcmp(t.p, row.hash, t.len) ==
	    0;
	store_done(q);
	return same;
}

static bool
is_deployment(struct book *b)
{
	sqlite3_stmt	*q = store_ask(&b->s, "select value from meta where "
	    "name = 'deployment'", "");
	struct text	 t;
	bool		 same;

	if (q == NULL)
		return b->seq == 0;
	t = store_bytes(q, 0);
	same = t.len == 16 && memcmp(t.p, keyring_secrets(b->keys)->
	    deployment, 16) == 0;
	store_done(q);
	return same;
}

static void
discard(struct book *b)
{
	static const char *const	 ends[] = { "", "-wal", "-shm" };
	char				 name[sizeof(b->path) + 8];
	size_t				 i;

	store_close(&b->s);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", b->path, ends[i]);
		(void)unlink(name);
	}
}

/* Why it cannot be used as it is; NULL: it can. */
static const char *
open_store(struct book *b, struct err *e)
{
	struct text	 id = { (const char *)keyring_secrets(b->keys)->
		deployment, 16 };

	if (store_open(&b->s, b->path, e) != RC_OK)
		return e->text;
	project_tables(&b->s);
	b->seq = (uint64_t)store_number(&b->s, 0, "select value from meta "
	    "where name = 'seq'", "");
	if (store_number(&b->s, SCHEMA, "select value from meta where name = "
	    "'schema'", "") != SCHEMA)
		return "of another version";
	if (!is_deployment(b))
		return "of another deployment";
	if (b->seq != 0 && !is_there(b))
		return "not of this journal, or ahead of it";
	store_run(&b->s, "insert or replace into meta values ('schema', ?)",
	    "i", (int64_t)SCHEMA);
	meta_set(b, "deployment", id);
	if (b->s.why.text[0] == '\0')
		return NULL;
	(void)err_set(e, "%s", b->s.why.text);
	return e->text;
}

/* It can always be made again from the journal. */
static enum rc
begin_store(struct book *b, struct err *e)
{
	const char	*why = open_store(b, e);

	if (why == NULL)
		return RC_OK;
	log_event(LOG_ODD, "book_anew", "why", 's', why, NULL);
	discard(b);
	why = open_store(b, e);
	return why == NULL ? RC_OK : err_set(e, "%s: %s", b->path, why);
}

/* How far the journal goes now: all of that is durable. */
static enum rc
last_event(struct book *b, struct err *e)
{
	struct history_event	 ev;
	struct history_row	 row;
	uint64_t		 last = 0;
	bool			 more = true;
	enum rc			 rc;

	if ((rc = db_last(b->db, &last, e)) != RC_OK || last == 0 ||
	    (rc = history_seek(b->history, last, e)) != RC_OK ||
	    (rc = history_row(b->history, &row, &more, e)) != RC_OK)
		return rc;
	while (more && (rc = history_event(b->history, &ev, &more, e)) ==
	    RC_OK && more)
		b->durable = ev.seq;
	return rc;
}

static enum rc
begin(struct book *b, struct err *e)
{
	enum rc	 rc;

	if ((rc = db_open(&b->db, b->journal, DB_READ, e)) != RC_OK ||
	    (rc = keyring_open(&b->keys, db_keyring_path(b->db), false,
	    e)) != RC_OK ||
	    (rc = history_new(&b->history, b->db, b->keys, e)) != RC_OK ||
	    (rc = begin_store(b, e)) != RC_OK)
		return rc;
	if ((rc = project_begin(&b->project, &b->s, b->keys, e)) != RC_OK ||
	    (rc = last_event(b, e)) == RC_OK || !b->c.as_it_is)
		return rc;
	log_event(LOG_BROKEN, "journal", "why", 's', e->text, "book_seq",
	    'd', (int64_t)b->seq, NULL);
	b->durable = b->seq;
	return RC_OK;
}

/* Following */

static void
transaction(struct book *b, const char *what)
{
	if (sqlite3_exec(b->s.db, what, NULL, NULL, NULL) != SQLITE_OK &&
	    b->s.why.text[0] == '\0')
		(void)err_set(&b->s.why, "the book: %s: %s", what,
		    sqlite3_errmsg(b->s.db));
}

/* All of a row. */
static enum rc
events(struct book *b, int *n, struct err *e)
{
	struct history_event	 ev;
	bool			 more = true;
	enum rc			 rc;

	while ((rc = history_event(b->history, &ev, &more, e)) == RC_OK &&
	    more) {
		if (ev.seq <= b->seq)
			continue;
		if ((rc = project_event(&b->project, &ev, e)) != RC_OK)
			return rc;
		b->seq = ev.seq;
		(*n)++;
	}
	return rc;
}

static enum rc
batch(struct book *b, uint64_t until, struct err *e)
{
	struct history_row	 row;
	struct text		 hash = { NULL, 0 };
	bool			 more = true;
	int			 n = 0;
	enum rc			 rc = RC_OK;

	while (n < BATCH && b->seq < until &&
	    (rc = history_row(b->history, &row, &more, e)) == RC_OK && more) {
		if ((rc = events(b, &n, e)) != RC_OK)
			break;
		hash.p = (const char *)row.hash;
		hash.len = sizeof(row.hash);
	}
	if (rc != RC_OK || n == 0)
		return rc;
	store_run(&b->s, "insert or replace into meta values ('seq', ?)",
	    "i", (int64_t)b->seq);
	meta_set(b, "hash", hash);
	return RC_OK;
}

/* A batch: rows and the place behind them, or nothing of them. */
static enum rc
follow(struct book *b, uint64_t until, struct err *e)
{
	uint64_t	 was = b->seq;
	enum rc		 rc;

	/* A month may have begun whose key we have not seen. */
	if ((rc = keyring_reread(b->keys, e)) != RC_OK ||
	    (rc = history_seek(b->history, b->seq + 1, e)) != RC_OK)
		return rc;
	transaction(b, "begin");
	rc = batch(b, until, e);
	if (rc == RC_OK && b->s.why.text[0] != '\0')
		rc = err_set(e, "%s", b->s.why.text);
	if (rc == RC_OK)
		transaction(b, "commit");
	if (rc == RC_OK && b->s.why.text[0] != '\0')
		rc = err_set(e, "%s", b->s.why.text);
	if (rc != RC_OK) {
		b->seq = was;
		(void)sqlite3_exec(b->s.db, "rollback", NULL, NULL, NULL);
	}
	return rc;
}

/* Answering */

static enum rc
feed(struct book *b, struct answering *a, struct err *e)
{
	struct history_event	 ev;
	struct history_row	 row;
	int64_t			 left = a->q->limit > 0 && a->q->limit <
	    EVENTS_MAX ? a->q->limit : EVENTS_MAX;
	uint64_t		 after = a->q->seq > 0 ?
	    (uint64_t)a->q->seq : 0;
	bool			 more = true;
	enum rc			 rc = RC_OK;

	json_open_array(a->j, NULL);
	if (after < b->seq)
		rc = history_seek(b->history, after + 1, e);
	while (rc == RC_OK && after < b->seq && left > 0 &&
	    (rc = history_row(b->history, &row, &more, e)) == RC_OK && more) {
		while (left > 0 && (rc = history_event(b->history, &ev, &more,
		    e)) == RC_OK && more && ev.seq <= b->seq) {
			if (ev.seq <= after)
				continue;
			after = ev.seq;
			left--;
			if ((rc = events_put(a, &b->project, &ev, e)) !=
			    RC_OK)
				break;
		}
		more = true;
	}
	json_close(a->j);
	return rc;
}

static enum rc
write_answer(struct book *b, struct answering *a, struct err *e)
{
	enum security	 s = endpoints[a->q->endpoint].security;

	if (a->q->endpoint == ENDPOINT_LOCAL_EVENTS ||
	    a->q->endpoint == ENDPOINT_V1_EVENTS)
		return feed(b, a, e);
	if (a->q->type == MESSAGE_CUSTODY &&
	    text_equal(a->q->name, text_of("behind")))
		answers_behind(a);
	else if (s == SECURITY_LOCAL)
		answers_local(a);
	else if (s == SECURITY_SELF)
		answers_self(a);
	else if (a->q->endpoint == ENDPOINT_V1_WITHDRAWAL)
		answers_exchange(a);
	else if (a->q->endpoint == ENDPOINT_V1_HEALTH)
		answers_health(a);
	else
		answers_customer(a);
	return RC_OK;
}

static void
answer(struct book *b, const struct question *q)
{
	static struct json	 j;
	struct answering	 a = { .s = &b->s, .now = &q->now, .j = &j,
		.ids = &b->project.ids, .net = (enum network)b->c.network,
		.seq = (int64_t)b->seq,
		.deployment = keyring_secrets(b->keys)->deployment,
		.keys = b->keys, .status = 200 };
	struct message		 m;
	struct text		 body;
	struct err		 e;
	char			*text = NULL;
	size_t			 len = 0;
	FILE			*f = open_memstream(&text, &len);

	if (f == NULL || message_unpack(&m, q->bytes, q->len, &e) != RC_OK)
		assert(!"memory, and a message that was packed here");
	a.q = &m;
	a.demo = store_number(&b->s, 0, "select value from meta where name = "
	    "'demo'", "") != 0;
	json_to_file(&j, f, false);
	if (write_answer(b, &a, &e) != RC_OK) {
		a.status = 500;
		log_event(LOG_ODD, "answer", "why", 's', e.text, NULL);
	}
	/* What failed left them open. */
	while (j.depth > 0)
		json_close(&j);
	if (json_end(&j) != RC_OK)
		a.status = 500;
	(void)fclose(f);
	while (len > 0 && text[len - 1] == '\n')
		len--;
	body.p = text;
	body.len = len;
	if (a.status == 500)
		body = text_of("{\"code\":-1000,\"msg\":\"An answer that "
		    "could not be made.\",\"error\":\"an answer that could "
		    "not be made\"}");
	b->c.answered(b->c.ctx, q->ticket, a.status, body);
	free(text);
}

/* A feed that has nothing yet waits for news. */
static bool
must_wait(struct book *b, const struct question *q)
{
	struct message	 m;
	struct err	 e;

	if (q->until_ms == 0 || mono_ms() >= q->until_ms ||
	    message_unpack(&m, q->bytes, q->len, &e) != RC_OK)
		return false;
	return m.seq >= 0 && (uint64_t)m.seq >= b->seq;
}

static void
note_used(struct book *b, struct used *u)
{
	struct used	*next;
	struct text	 key;

	if (u != NULL && !b->dead)
		transaction(b, "begin");
	for (; u != NULL; u = next) {
		next = u->next;
		key.p = u->key;
		key.len = u->len;
		if (!b->dead)
			store_run(&b->s, "update key set used = ?, used_ip = "
			    "? where id = ? and used is not ?1", "ist",
			    u->t_ms, u->ip, key);
		free(u);
		if (next == NULL && !b->dead)
			transaction(b, "commit");
	}
}

/* The thread */

static void
wait(struct book *b, int64_t ms)
{
	struct timespec	 until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += ms % MS_PER_S * 1000000;
	until.tv_sec += ms / MS_PER_S + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&b->news, &b->lock, &until);
}

/* `rest_ms`: nothing but a question is looked at for so long. */
static struct question *
take_questions(struct book *b, struct used **used, uint64_t *durable,
    bool *stop, bool idle, int64_t rest_ms)
{
	struct question	*q;

	(void)pthread_mutex_lock(&b->lock);
	b->at = b->seq;
	b->resting = rest_ms > 0;
	if (b->questions == NULL && !b->stop && (rest_ms > 0 || (idle &&
	    b->used == NULL && b->durable <= *durable)))
		wait(b, rest_ms > 0 ? rest_ms : 100);
	b->resting = false;
	q = b->questions;
	b->questions = NULL;
	b->questions_last = &b->questions;
	*used = b->used;
	b->used = NULL;
	*durable = b->durable;
	*stop = b->stop;
	(void)pthread_mutex_unlock(&b->lock);
	return q;
}

static void
refuse(struct book *b, const struct question *q)
{
	/* Nothing in force would be a lie: who loads waits for our end. */
	if (!q->load)
		b->c.answered(b->c.ctx, q->ticket, 503, text_of(
		    "{\"code\":-1008,\"msg\":\"Reading is not "
		    "possible.\",\"error\":\"the book cannot go on\"}"));
}

/* Answer what can be; the others stay, in order. */
static void
go_through(struct book *b, struct question **list)
{
	struct question	*q;

	while ((q = *list) != NULL) {
		if (!b->dead && (q->seq > b->seq || must_wait(b, q))) {
			list = &q->next;
			continue;
		}
		*list = q->next;
		if (b->dead)
			refuse(b, q);
		else if (q->load)
			load_in_force(&b->s, &b->c, q->ticket, b->seq);
		else
			answer(b, q);
		free(q);
	}
}

/* Damaged, or of a policy that it could not read: once from the start. */
static enum rc
anew(struct book *b, struct err *e)
{
	if (b->anew)
		return RC_FAILED;
	b->anew = true;
	log_event(LOG_ODD, "book_anew", "why", 's', e->text, NULL);
	project_end(&b->project);
	discard(b);
	if (begin_store(b, e) != RC_OK)
		return RC_FAILED;
	return project_begin(&b->project, &b->s, b->keys, e);
}

/* True: it came further, or begins again. */
static bool
further(struct book *b, uint64_t durable)
{
	uint64_t	 was = b->seq;
	struct err	 e = { "" };

	if (b->dead || b->seq >= durable)
		return false;
	if (follow(b, durable, &e) == RC_OK)
		return b->seq > was;
	if (anew(b, &e) == RC_OK)
		return true;
	b->dead = true;
	b->c.failed(b->c.ctx, &e);
	return false;
}

/*
 * Whoever asks gets all there is, at once.  While nobody does, requests have
 * the processor: larger transactions cost less, and a few moments behind is
 * soon caught up with.
 */
static int64_t
rest_ms(const struct book *b, uint64_t durable, int64_t took_ms)
{
	int64_t	 ms = took_ms * REST_PARTS;

	if (durable > b->seq + REST_EVENTS)
		return 0;
	return ms < REST_MIN_MS ? REST_MIN_MS : ms > REST_MAX_MS ?
	    REST_MAX_MS : ms;
}

static void *
run(void *ctx)
{
	struct book	*b = ctx;
	struct question	*list = NULL, **last, *q;
	struct used	*used;
	uint64_t	 durable = 0;
	int64_t		 since_ms, rest = 0;
	bool		 stop = false, went = true;

	while (!stop) {
		for (last = &list; *last != NULL; last = &(*last)->next)
			continue;
		*last = take_questions(b, &used, &durable, &stop, !went,
		    list == NULL ? rest : 0);
		since_ms = mono_ms();
		went = further(b, durable);
		rest = went ? rest_ms(b, durable, mono_ms() - since_ms) : 0;
		note_used(b, used);
		go_through(b, &list);
	}
	for (; (q = list) != NULL; free(q))
		list = q->next;
	return NULL;
}

/* From other threads */

enum rc
book_open(struct book **out, const struct book_config *c, struct err *e)
{
	struct book	*b = calloc(1, sizeof(*b));
	enum rc		 rc;

	if (b == NULL)
		return err_set(e, "no memory");
	b->c = *c;
	b->questions_last = &b->questions;
	(void)snprintf(b->path, sizeof(b->path), "%s", c->path);
	(void)snprintf(b->journal, sizeof(b->journal), "%s", c->journal);
	(void)pthread_mutex_init(&b->lock, NULL);
	(void)pthread_cond_init(&b->news, NULL);
	if ((rc = begin(b, e)) == RC_OK &&
	    pthread_create(&b->thread, NULL, run, b) != 0)
		rc = err_set(e, "no thread for the book");
	if (rc != RC_OK) {
		b->dead = true;
		book_close(&b);
	}
	*out = b;
	return rc;
}

void
book_close(struct book **bp)
{
	struct book	*b = *bp;

	*bp = NULL;
	if (b == NULL)
		return;
	(void)pthread_mutex_lock(&b->lock);
	b->stop = true;
	(void)pthread_cond_signal(&b->news);
	(void)pthread_mutex_unlock(&b->lock);
	if (b->thread != 0)
		(void)pthread_join(b->thread, NULL);
	project_end(&b->project);
	store_close(&b->s);
	history_free(&b->history);
	keyring_free(&b->keys);
	db_close(&b->db);
	(void)pthread_cond_destroy(&b->news);
	(void)pthread_mutex_destroy(&b->lock);
	free(b);
}

void
book_wake(struct book *b, uint64_t seq)
{
	(void)pthread_mutex_lock(&b->lock);
	if (seq > b->durable) {
		b->durable = seq;
		if (!b->resting)
			(void)pthread_cond_signal(&b->news);
	}
	(void)pthread_mutex_unlock(&b->lock);
}

uint64_t
book_seq(struct book *b)
{
	uint64_t	 seq;

	(void)pthread_mutex_lock(&b->lock);
	seq = b->at;
	(void)pthread_mutex_unlock(&b->lock);
	return seq;
}

static void
ask(struct book *b, struct question *q)
{
	if (q == NULL)
		abort();
	(void)pthread_mutex_lock(&b->lock);
	*b->questions_last = q;
	b->questions_last = &q->next;
	(void)pthread_cond_signal(&b->news);
	(void)pthread_mutex_unlock(&b->lock);
}

void
book_ask(struct book *b, uint64_t ticket, uint64_t seq,
    const struct message *m, const struct book_now *now)
{
	struct question	*q = calloc(1, sizeof(*q) + message_room(m));

	if (q != NULL) {
		q->ticket = ticket;
		q->seq = seq;
		q->now = *now;
		(void)snprintf(q->mode, sizeof(q->mode), "%s", now->mode);
		q->now.mode = q->mode;
		q->len = message_pack(m, q->bytes);
		if (m->wait_ms > 0)
			q->until_ms = mono_ms() + (m->wait_ms < WAIT_MAX_MS ?
			    m->wait_ms : WAIT_MAX_MS);
	}
	ask(b, q);
}

void
book_load(struct book *b, uint64_t ticket, uint64_t seq)
{
	struct question	*q = calloc(1, sizeof(*q));

	if (q != NULL) {
		q->ticket = ticket;
		q->seq = seq;
		q->load = true;
	}
	ask(b, q);
}

void
book_used(struct book *b, struct text key, const unsigned char ip[16],
    bool has_ip, int64_t t_ms)
{
	struct used	*u = calloc(1, sizeof(*u) + key.len);

	if (u == NULL)
		return;
	u->t_ms = t_ms;
	u->len = key.len;
	memcpy(u->key, key.p, key.len);
	if (has_ip)
		(void)ip_text(u->ip, ip);
	(void)pthread_mutex_lock(&b->lock);
	u->next = b->used;
	b->used = u;
	(void)pthread_mutex_unlock(&b->lock);
}
