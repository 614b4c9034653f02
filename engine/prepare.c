#include "engine/prepare.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine/take.h"

#define BATCHES		3
#define BATCH_EVENTS	4096
#define BATCH_BYTES	((size_t)1 << 20)

struct batch {
	struct prepared_batch pub;
	size_t		 room;		/* for events */
	unsigned char	*bytes;		/* what they point into */
	size_t		 used, bytes_room;
	void		**lists;	/* networks and facts of a few */
	size_t		 n_lists, lists_room;
};

struct prepare {
	struct history	*h;
	uint64_t	 after, until;
	struct ident_key ids;
	const struct policy *policy;
	struct command_lists lists;
	struct history_row row;
	bool		 have_row;	/* read, but not in a batch yet */
	bool		 ended;
	struct err	 why;
	struct batch	 batches[BATCHES];
	pthread_t	 thread;
	bool		 started;
	pthread_mutex_t	 lock;
	pthread_cond_t	 wake;
	/* Under the lock; batches are used in turn. */
	uint64_t	 filled, emptied;
	bool		 taken;		/* the caller has one */
	bool		 stop;
};

/* The thread's side */

static void
batch_clear(struct batch *b)
{
	while (b->n_lists > 0)
		free(b->lists[--b->n_lists]);
	b->used = 0;
	b->pub.n = 0;
	b->pub.last = false;
	b->pub.rc = RC_OK;
}

/* Memory for a list, as long as the batch is used. */
static void *
list(struct batch *b, size_t bytes, struct err *e)
{
	void	**more, *p;

	if (b->n_lists == b->lists_room) {
		more = realloc(b->lists, (b->lists_room * 2 + 64) *
		    sizeof(*more));
		if (more == NULL) {
			(void)err_set(e, "out of memory");
			return NULL;
		}
		b->lists = more;
		b->lists_room = b->lists_room * 2 + 64;
	}
	if ((p = malloc(bytes)) == NULL) {
		(void)err_set(e, "out of memory");
		return NULL;
	}
	b->lists[b->n_lists++] = p;
	return p;
}

/* What stands in the shared lists moves to some of its own. */
static enum rc
keep_lists(struct batch *b, struct prepared *p, struct err *e)
{
	struct command	*c = &p->ev.c;
	void		*own;

	if (c->n_cidrs > 0) {
		if ((own = list(b, c->n_cidrs * sizeof(*c->cidrs), e)) ==
		    NULL)
			return RC_FAILED;
		memcpy(own, c->cidrs, c->n_cidrs * sizeof(*c->cidrs));
		c->cidrs = own;
	}
	if (c->n_facts > 0) {
		if ((own = list(b, c->n_facts * sizeof(*c->facts), e)) ==
		    NULL)
			return RC_FAILED;
		memcpy(own, c->facts, c->n_facts * sizeof(*c->facts));
		c->facts = own;
	}
	return RC_OK;
}

static enum rc
make_input(struct prepare *p, struct batch *b, struct prepared *ev,
    struct err *e)
{
	struct input_fact	*facts = NULL;

	ev->taken = false;
	if (ev->ev.c.type == COMMAND_GENESIS ||
	    ev->ev.c.type == COMMAND_POLICY)
		return RC_OK;
	if (p->policy == NULL)
		return err_set(e, "there was no policy before it");
	if (ev->ev.c.n_facts > 0 && (facts = list(b, COMMAND_FACTS_MAX *
	    sizeof(*facts), e)) == NULL)
		return RC_FAILED;
	return take(&ev->in, &ev->taken, facts, &ev->ev.c, &p->ids,
	    p->policy, e);
}

/* The bytes of an event, copied behind one another. */
static const unsigned char *
keep(struct batch *b, const unsigned char *bytes, size_t len)
{
	unsigned char	*own = b->bytes + b->used;

	if (bytes == NULL)
		return NULL;
	assert(b->bytes_room - b->used >= len);
	memcpy(own, bytes, len);
	b->used += len;
	return own;
}

static enum rc
add_event(struct prepare *p, struct batch *b, const struct row_event *raw,
    struct err *e)
{
	struct prepared	*ev = &b->pub.events[b->pub.n];
	struct row_event own = *raw;
	enum rc		 rc;

	own.open = keep(b, raw->open, raw->open_len);
	own.sealed = keep(b, raw->sealed, raw->sealed_len);
	own.outcomes = keep(b, raw->outcomes, raw->outcomes_len);
	if ((rc = history_unpack(&ev->ev, &p->lists, &own, e)) != RC_OK ||
	    (rc = keep_lists(b, ev, e)) != RC_OK ||
	    (rc = make_input(p, b, ev, e)) != RC_OK)
		return err_wrap(e, rc, "event %ju", (uintmax_t)raw->seq);
	ev->row_hash = NULL;
	b->pub.n++;
	return RC_OK;
}

/* Room for a whole row; false: not in this batch. */
static enum rc
row_fits(struct batch *b, const struct history_row *row, bool *fits_out,
    struct err *e)
{
	size_t	 bytes = row->len + sizeof(row->head.policy) +
	    sizeof(row->hash);
	void	*more;

	*fits_out = b->room - b->pub.n >= row->head.events &&
	    b->bytes_room - b->used >= bytes;
	if (*fits_out || b->pub.n > 0)
		return RC_OK;
	if (b->room < row->head.events) {
		more = realloc(b->pub.events, row->head.events *
		    sizeof(*b->pub.events));
		if (more == NULL)
			return err_set(e, "out of memory");
		b->pub.events = more;
		b->room = row->head.events;
	}
	if (b->bytes_room < bytes) {
		if ((more = realloc(b->bytes, bytes)) == NULL)
			return err_set(e, "out of memory");
		b->bytes = more;
		b->bytes_room = bytes;
	}
	*fits_out = true;
	return RC_OK;
}

/* All wanted events of the row that was read; *turn_out: a policy came. */
static enum rc
add_row(struct prepare *p, struct batch *b, bool *turn_out, struct err *e)
{
	const struct row_head	*head = &p->row.head;
	const unsigned char	*policy = keep(b, head->policy,
	    sizeof(head->policy));
	struct row_event	 raw;
	size_t			 from = b->pub.n;
	bool			 more;
	enum rc			 rc;

	for (;;) {
		if ((rc = history_raw(p->h, &raw, &more, e)) != RC_OK)
			return rc;
		if (!more)
			break;
		if (raw.seq <= p->after)
			continue;
		if (p->until != 0 && raw.seq > p->until)
			return RC_OK;
		b->pub.events[b->pub.n].policy = policy;
		b->pub.events[b->pub.n].believed = p->row.forgotten ||
		    head->semantics != ENGINE_SEMANTICS;
		if ((rc = add_event(p, b, &raw, e)) != RC_OK)
			return rc;
		*turn_out |= b->pub.events[b->pub.n - 1].ev.c.type ==
		    COMMAND_POLICY;
	}
	if (b->pub.n > from)
		b->pub.events[b->pub.n - 1].row_hash = keep(b, p->row.hash,
		    sizeof(p->row.hash));
	return RC_OK;
}

static enum rc
fill(struct prepare *p, struct batch *b, struct err *e)
{
	bool	 more, fits, turn = false;
	enum rc	 rc;

	while (!turn) {
		if (!p->have_row) {
			if ((rc = history_row(p->h, &p->row, &more, e)) !=
			    RC_OK)
				return rc;
			if (!more || (p->until != 0 &&
			    p->row.head.seq > p->until)) {
				b->pub.last = true;
				return RC_OK;
			}
			p->have_row = true;
		}
		if ((rc = row_fits(b, &p->row, &fits, e)) != RC_OK)
			return rc;
		if (!fits)
			return RC_OK;
		p->have_row = false;
		if ((rc = add_row(p, b, &turn, e)) != RC_OK)
			return rc;
	}
	return RC_OK;
}

static void *
run(void *arg)
{
	struct prepare	*p = arg;
	struct batch	*b;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->stop && !p->ended) {
		if (p->filled - p->emptied == BATCHES) {
			(void)pthread_cond_wait(&p->wake, &p->lock);
			continue;
		}
		b = &p->batches[p->filled % BATCHES];
		(void)pthread_mutex_unlock(&p->lock);
		batch_clear(b);
		b->pub.rc = fill(p, b, &p->why);
		(void)pthread_mutex_lock(&p->lock);
		p->ended = b->pub.last || b->pub.rc != RC_OK;
		p->filled++;
		(void)pthread_cond_broadcast(&p->wake);
		/* What follows a policy is made under it: until it is. */
		while (b->pub.n > 0 && !p->stop && !p->ended &&
		    b->pub.events[b->pub.n - 1].ev.c.type ==
		    COMMAND_POLICY && p->emptied < p->filled)
			(void)pthread_cond_wait(&p->wake, &p->lock);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* The caller's side */

static enum rc
batch_new(struct batch *b, struct err *e)
{
	b->room = BATCH_EVENTS;
	b->bytes_room = BATCH_BYTES;
	b->pub.events = calloc(b->room, sizeof(*b->pub.events));
	b->bytes = malloc(b->bytes_room);
	if (b->pub.events == NULL || b->bytes == NULL)
		return err_set(e, "out of memory");
	return RC_OK;
}

enum rc
prepare_new(struct prepare **out, struct history *h, uint64_t after,
    uint64_t until, const struct ident_key *ids, const struct policy *policy,
    struct err *e)
{
	struct prepare	*p = calloc(1, sizeof(*p));
	enum rc		 rc = RC_OK;
	int		 i, no;

	if (p == NULL)
		return err_set(e, "out of memory");
	p->h = h;
	p->after = after;
	p->until = until;
	p->ids = *ids;
	p->policy = policy;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->wake, NULL);
	for (i = 0; i < BATCHES && rc == RC_OK; i++)
		rc = batch_new(&p->batches[i], e);
	if (rc == RC_OK)
		rc = history_seek(h, after + 1, e);
	if (rc == RC_OK && (no = pthread_create(&p->thread, NULL, run, p)) !=
	    0)
		rc = err_set(e, "reader: %s", strerror(no));
	else if (rc == RC_OK)
		p->started = true;
	if (rc != RC_OK)
		prepare_free(&p);
	*out = p;
	return rc;
}

void
prepare_free(struct prepare **pp)
{
	struct prepare	*p = *pp;
	int		 i;

	*pp = NULL;
	if (p == NULL)
		return;
	if (p->started) {
		(void)pthread_mutex_lock(&p->lock);
		p->stop = true;
		(void)pthread_cond_broadcast(&p->wake);
		(void)pthread_mutex_unlock(&p->lock);
		(void)pthread_join(p->thread, NULL);
	}
	for (i = 0; i < BATCHES; i++) {
		batch_clear(&p->batches[i]);
		free(p->batches[i].pub.events);
		free(p->batches[i].bytes);
		free(p->batches[i].lists);
	}
	(void)pthread_cond_destroy(&p->wake);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

const struct prepared_batch *
prepare_next(struct prepare *p)
{
	struct batch	*b;

	(void)pthread_mutex_lock(&p->lock);
	if (p->taken) {
		p->emptied++;
		(void)pthread_cond_broadcast(&p->wake);
	}
	while (p->filled == p->emptied)
		(void)pthread_cond_wait(&p->wake, &p->lock);
	p->taken = true;
	b = &p->batches[p->emptied % BATCHES];
	(void)pthread_mutex_unlock(&p->lock);
	return &b->pub;
}

const struct err *
prepare_why(const struct prepare *p)
{
	return &p->why;
}

void
prepare_policy(struct prepare *p, const struct policy *policy)
{
	(void)pthread_mutex_lock(&p->lock);
	p->policy = policy;
	(void)pthread_mutex_unlock(&p->lock);
}
