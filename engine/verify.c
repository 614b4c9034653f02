/*
 * All rows: one thread reads, others check, and the reader puts together in
 * order what they found.
 *
 * Rows wait in a ring of batches.  A batch says what its first row must
 * follow from, so that no batch waits for another one's check; only when its
 * turn in the ring comes round again is it asked what was found in it.
 */
#include "engine/verify.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/civil.h"
#include "wire/bytes.h"

#define BATCH_BYTES	((size_t)1 << 20)
#define BATCH_ROWS	1024
#define THREADS_MAX	16
#define BATCHES_MAX	(2 * THREADS_MAX + 2)

enum batch_state { BATCH_EMPTY, BATCH_FULL, BATCH_BUSY, BATCH_DONE };

struct batch_row {
	uint64_t	seq;
	size_t		at, len;
};

struct batch {
	enum batch_state state;
	unsigned char	*bytes;
	size_t		 len, room;
	struct batch_row rows[BATCH_ROWS];
	size_t		 n;
	uint64_t	 next;		/* what the first must begin with */
	unsigned char	 before[ROW_HASH_LEN];	/* ... and follow from */
	/* What was found. */
	struct verify_row found[BATCH_ROWS];
	size_t		 good;		/* less than n: rows[good] is wrong */
	struct err	 why;
};

struct crew {
	pthread_mutex_t	 lock;
	pthread_cond_t	 filled, done;
	struct batch	*batches;
	size_t		 n_batches;
	size_t		 fill;		/* the next to be filled */
	size_t		 take;		/* ... to be checked */
	size_t		 retire;	/* ... to be asked */
	bool		 end;
	pthread_t	 threads[THREADS_MAX];
	struct verifier	*verifiers[THREADS_MAX];
	int		 n_threads;
};

struct reading {
	struct db	*db;
	const struct verify_options *o;
	struct verified	*out;
	struct crew	*crew;
	uint64_t	 next;		/* the row that comes */
	uint64_t	 last;		/* the last row of when it began */
	unsigned char	 before[ROW_HASH_LEN];
	uint64_t	 total;		/* bytes, about */
};

/* Checking, on a thread */

static const unsigned char *
row_at(const struct batch *b, size_t i)
{
	return b->bytes + b->rows[i].at;
}

static void
check(struct verifier *v, struct batch *b)
{
	const unsigned char	*before = b->before;
	uint64_t		 next = b->next;
	struct verify_row	*r;
	size_t			 i;

	for (i = 0; i < b->n; i++) {
		r = &b->found[i];
		if (verifier_row(v, r, b->rows[i].seq, row_at(b, i),
		    b->rows[i].len, next, before, &b->why) != RC_OK)
			break;
		next = r->head.seq + r->head.events;
		before = r->hash;
	}
	b->good = i;
}

struct start {
	struct crew	*crew;
	struct verifier	*v;
};

static void *
work(void *ctx)
{
	struct start	*s = ctx;
	struct crew	*c = s->crew;
	struct verifier	*v = s->v;
	struct batch	*b;

	free(s);
	pthread_mutex_lock(&c->lock);
	for (;;) {
		b = &c->batches[c->take % c->n_batches];
		if (b->state != BATCH_FULL) {
			if (c->end)
				break;
			pthread_cond_wait(&c->filled, &c->lock);
			continue;
		}
		b->state = BATCH_BUSY;
		c->take++;
		pthread_mutex_unlock(&c->lock);
		check(v, b);
		pthread_mutex_lock(&c->lock);
		b->state = BATCH_DONE;
		pthread_cond_signal(&c->done);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static enum rc
crew_thread(struct crew *c, const struct keyring *keys, struct err *e)
{
	struct verifier	**v = &c->verifiers[c->n_threads];
	struct start	*s;

	if (verifier_new(v, keys, e) != RC_OK)
		return RC_FAILED;
	if ((s = malloc(sizeof(*s))) == NULL) {
		verifier_free(v);
		return err_set(e, "out of memory");
	}
	s->crew = c;
	s->v = *v;
	if (pthread_create(&c->threads[c->n_threads], NULL, work, s) != 0) {
		free(s);
		verifier_free(v);
		return err_set(e, "no thread can be started");
	}
	c->n_threads++;
	return RC_OK;
}

static void
crew_end(struct crew *c)
{
	size_t	 i;
	int	 t;

	pthread_mutex_lock(&c->lock);
	c->end = true;
	pthread_cond_broadcast(&c->filled);
	pthread_mutex_unlock(&c->lock);
	for (t = 0; t < c->n_threads; t++) {
		(void)pthread_join(c->threads[t], NULL);
		verifier_free(&c->verifiers[t]);
	}
	for (i = 0; i < c->n_batches; i++)
		free(c->batches[i].bytes);
	free(c->batches);
	pthread_cond_destroy(&c->filled);
	pthread_cond_destroy(&c->done);
	pthread_mutex_destroy(&c->lock);
}

/* crew_end() is due whatever comes of it. */
static enum rc
crew_begin(struct crew *c, const struct keyring *keys, int threads,
    struct err *e)
{
	long	 n = threads > 0 ? threads : sysconf(_SC_NPROCESSORS_ONLN);

	memset(c, 0, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->filled, NULL);
	pthread_cond_init(&c->done, NULL);
	if (n < 1)
		n = 1;
	if (n > THREADS_MAX)
		n = THREADS_MAX;
	c->batches = calloc(2 * (size_t)n + 2, sizeof(*c->batches));
	if (c->batches == NULL)
		return err_set(e, "out of memory");
	c->n_batches = 2 * (size_t)n + 2;
	while (c->n_threads < n) {
		/* One that works is enough. */
		if (crew_thread(c, keys, e) != RC_OK)
			return c->n_threads > 0 ? RC_OK : RC_FAILED;
	}
	return RC_OK;
}

/* In order, on the reader's thread */

enum rc
verified_row(struct verified *s, const struct verify_row *r, struct err *e)
{
	const struct row_head	*h = &r->head;
	int64_t			 t_ms = h->t_ms;

	if (s->rows > 0 && h->t_ms < s->t_ms)
		return err_set(e, "its time is before that of the row before");
	if (s->rows > 0 || h->seq == 1)
		t_ms = r->first_ms > s->t_ms ? r->first_ms : s->t_ms;
	if (h->t_ms != t_ms)
		return err_set(e, "its time is not that of its first event");
	if (r->max_ms > t_ms)
		t_ms = r->max_ms;
	if (row_month(t_ms) != h->month)
		return err_set(e, "events of more than one month");
	/* Before the first one there is none: zeros. */
	if ((s->rows > 0 || h->seq == 1) && memcmp(h->policy, s->policy,
	    sizeof(s->policy)) != 0)
		return err_set(e, "the policy that it names is not the one "
		    "in force");
	if (s->rows == 0) {
		s->first_ms = h->t_ms;
		s->semantics_min = s->semantics_max = h->semantics;
	}
	memcpy(s->policy, r->policies > 0 ? r->policy : h->policy,
	    sizeof(s->policy));
	s->t_ms = t_ms;
	s->rows++;
	s->events += h->events;
	s->bytes += r->len;
	s->seq = h->seq + h->events - 1;
	memcpy(s->hash, r->hash, sizeof(s->hash));
	s->sealed_rows += h->sealed_len > 0;
	s->forgotten_rows += r->forgotten;
	s->unread_rows += r->unread;
	s->policies += r->policies;
	if (h->semantics < s->semantics_min)
		s->semantics_min = h->semantics;
	if (h->semantics > s->semantics_max)
		s->semantics_max = h->semantics;
	if (r->has_genesis) {
		s->genesis = r->genesis;
		s->has_genesis = true;
	}
	return RC_OK;
}

static void
wrong(struct verified *s, const struct verify_row *r, const struct err *why)
{
	s->wrong = true;
	s->at = *r;
	s->why = *why;
}

/* What was found in the oldest batch; the ring moves on. */
static void
retire(struct reading *rd)
{
	struct crew	*c = rd->crew;
	struct batch	*b = &c->batches[c->retire % c->n_batches];
	struct verified	*s = rd->out;
	struct err	 why;
	size_t		 i;

	pthread_mutex_lock(&c->lock);
	while (b->state != BATCH_DONE)
		pthread_cond_wait(&c->done, &c->lock);
	pthread_mutex_unlock(&c->lock);
	for (i = 0; i < b->good && !s->wrong; i++) {
		if (verified_row(s, &b->found[i], &why) != RC_OK)
			wrong(s, &b->found[i], &why);
		else if (rd->o->on_row != NULL)
			rd->o->on_row(rd->o->ctx, &b->found[i]);
	}
	if (!s->wrong && b->good < b->n)
		wrong(s, &b->found[b->good], &b->why);
	pthread_mutex_lock(&c->lock);
	b->state = BATCH_EMPTY;
	pthread_mutex_unlock(&c->lock);
	c->retire++;
	if (rd->o->progress != NULL)
		rd->o->progress(rd->o->ctx, s->bytes, rd->total);
}

static struct batch *
batch_begin(struct reading *rd)
{
	struct crew	*c = rd->crew;
	struct batch	*b;

	if (c->fill - c->retire == c->n_batches)
		retire(rd);
	b = &c->batches[c->fill % c->n_batches];
	assert(b->state == BATCH_EMPTY);
	b->len = b->n = 0;
	b->next = rd->next;
	memcpy(b->before, rd->before, sizeof(b->before));
	return b;
}

static void
batch_end(struct reading *rd, struct batch *b)
{
	struct crew	*c = rd->crew;

	pthread_mutex_lock(&c->lock);
	b->state = BATCH_FULL;
	c->fill++;
	pthread_cond_signal(&c->filled);
	pthread_mutex_unlock(&c->lock);
}

/* What the row after this one must follow from, as far as this one says: if
 * it lies, it is itself the first that is wrong. */
static void
remember(struct reading *rd, const unsigned char *row, size_t len)
{
	if (len < ROW_HEAD_LEN + ROW_HASH_LEN)
		return;
	rd->next = get_le64(row + 8) + get_le32(row + 24);
	memcpy(rd->before, row + len - ROW_HASH_LEN, ROW_HASH_LEN);
}

static enum rc
batch_put(struct batch *b, uint64_t seq, const unsigned char *row,
    size_t len, struct err *e)
{
	unsigned char	*more;
	size_t		 room = b->len + len;

	if (room > b->room || b->room > 4 * BATCH_BYTES) {
		if (room < BATCH_BYTES + BATCH_BYTES / 2)
			room = BATCH_BYTES + BATCH_BYTES / 2;
		if ((more = realloc(b->bytes, room)) == NULL)
			return err_set(e, "out of memory");
		b->bytes = more;
		b->room = room;
	}
	memcpy(b->bytes + b->len, row, len);
	b->rows[b->n].seq = seq;
	b->rows[b->n].at = b->len;
	b->rows[b->n].len = len;
	b->n++;
	b->len += len;
	return RC_OK;
}

/* A row that cannot even be fetched is the first that is wrong, if all
 * before it are good. */
static void
unreadable(struct verified *s, const struct err *why)
{
	struct verify_row	 r;

	if (s->wrong)
		return;
	memset(&r, 0, sizeof(r));
	r.seq = s->seq > 0 ? s->seq + 1 : s->from;
	wrong(s, &r, why);
}

static enum rc
read_all(struct reading *rd, bool *broken_out, struct err *e)
{
	const unsigned char	*row;
	struct batch		*b;
	uint64_t		 seq;
	size_t			 len;
	bool			 more = true;
	enum rc			 rc = RC_OK;

	*broken_out = false;
	while (more && rc == RC_OK && !rd->out->wrong) {
		b = batch_begin(rd);
		while (rc == RC_OK && b->len < BATCH_BYTES &&
		    b->n < BATCH_ROWS) {
			if (db_next(rd->db, &seq, &row, &len, e) != RC_OK) {
				*broken_out = true;
				more = false;
				break;
			}
			/* What is appended meanwhile may be sealed with a
			 * key that this keyring does not know yet. */
			if (row == NULL || seq > rd->last) {
				more = false;
				break;
			}
			rc = batch_put(b, seq, row, len, e);
			remember(rd, row, len);
		}
		batch_end(rd, b);
	}
	while (rd->crew->retire < rd->crew->fill)
		retire(rd);
	return rc;
}

/* Where to begin */

/* One row, checked against nothing but itself. */
static enum rc
fetch(struct db *db, uint64_t from, const unsigned char **row_out,
    size_t *len_out, struct err *e)
{
	uint64_t	 seq;
	enum rc		 rc;

	if ((rc = db_walk(db, from, e)) != RC_OK ||
	    (rc = db_next(db, &seq, row_out, len_out, e)) != RC_OK)
		return rc;
	if (*row_out == NULL || *len_out < ROW_HEAD_LEN + ROW_HASH_LEN)
		return err_set(e, "row %ju cannot be read", (uintmax_t)from);
	return RC_OK;
}

/* Whose journal it is, when the first row is not among those checked. */
static enum rc
first_row(struct verified *s, struct db *db, const struct keyring *keys,
    struct err *e)
{
	static const unsigned char	 none[ROW_HASH_LEN];
	const unsigned char		*row;
	struct verifier			*v = NULL;
	struct verify_row		*r = &s->at;
	size_t				 len;
	enum rc				 rc;

	if ((rc = verifier_new(&v, keys, e)) != RC_OK)
		return rc;
	if ((rc = fetch(db, 1, &row, &len, e)) == RC_OK &&
	    (rc = verifier_row(v, r, 1, row, len, 1, none, e)) == RC_OK) {
		s->genesis = r->genesis;
		s->has_genesis = true;
	}
	verifier_free(&v);
	return err_wrap(e, rc, "the first row");
}

static enum rc
begin(struct reading *rd, const struct keyring *keys, struct err *e)
{
	const unsigned char	*row;
	uint64_t		 at, before;
	size_t			 len;
	enum rc			 rc;

	rd->next = 1;
	if (rd->o->from <= 1)
		return db_walk(rd->db, 1, e);
	if ((rc = db_find(rd->db, rd->o->from, &at, e)) != RC_OK)
		return rc;
	if (at <= 1)
		return db_walk(rd->db, 1, e);
	if ((rc = first_row(rd->out, rd->db, keys, e)) != RC_OK ||
	    (rc = db_find(rd->db, at - 1, &before, e)) != RC_OK ||
	    (rc = fetch(rd->db, before, &row, &len, e)) != RC_OK)
		return rc;
	/* Only its hash: the row that holds `from` follows from that. */
	remember(rd, row, len);
	rd->next = at;
	return db_walk(rd->db, at, e);
}

enum rc
verify(struct verified *out, struct db *db, const struct keyring *keys,
    const struct verify_options *o, struct err *e)
{
	struct crew	 crew;
	struct reading	 rd = {
		.db = db,
		.o = o,
		.out = out,
		.crew = &crew,
	};
	struct err	 why = { "" };
	bool		 broken = false;
	enum rc		 rc;

	memset(out, 0, sizeof(*out));
	if ((rc = db_last(db, &rd.last, e)) != RC_OK ||
	    (rc = begin(&rd, keys, e)) != RC_OK)
		return rc;
	out->from = rd.next;
	rd.total = db_bytes(db);
	if ((rc = crew_begin(&crew, keys, o->threads, e)) == RC_OK)
		rc = read_all(&rd, &broken, &why);
	crew_end(&crew);
	if (broken)
		unreadable(out, &why);
	else if (rc != RC_OK && why.text[0] != '\0')
		*e = why;
	return rc;
}

char *
verified_name(char buf[VERIFY_NAME_MAX], const struct verified *s)
{
	const struct row_head	*h = &s->at.head;
	uint64_t		 seq = s->seq > 0 ? s->seq + 1 : s->from;
	char			 what[48], when[CIVIL_TEXT_MAX];

	(void)snprintf(what, sizeof(what), s->from == 1 ? "row %ju" :
	    "the row", (uintmax_t)s->rows + 1);
	if (s->at.parsed && h->events > 1)
		(void)snprintf(buf, VERIFY_NAME_MAX,
		    "%s (events %ju-%ju, %s UTC)", what, (uintmax_t)seq,
		    (uintmax_t)(seq + h->events - 1),
		    civil_format(when, h->t_ms));
	else if (s->at.parsed)
		(void)snprintf(buf, VERIFY_NAME_MAX, "%s (event %ju, %s UTC)",
		    what, (uintmax_t)seq, civil_format(when, h->t_ms));
	else
		(void)snprintf(buf, VERIFY_NAME_MAX, "%s (from event %ju)",
		    what, (uintmax_t)seq);
	return buf;
}
