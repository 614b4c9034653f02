#include "sim/pipe.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario.h"

#define BATCHES		4
#define ARENA_LEN	(256 * 1024)
/* Items that pass between reading one and checking it. */
#define LAG		8
/* What one item may need: four texts, or a key's networks. */
#define ARENA_ITEM	(SCENARIO_IPS_MAX * sizeof(struct cidr) + 1024)

/* One file, and the event of it that waits to be taken. */
struct source {
	struct scenario_reader *reader;
	struct scenario_event ev;
	bool		 history;
	bool		 more;		/* ev is there */
};

/* Where an item of the batch that is being filled stood. */
struct origin {
	const struct source *source;
	uint64_t	 line;
};

struct pipe {
	struct feed	*feed;
	struct source	 sources[2];
	int		 n_sources;
	struct pipe_batch *ring;	/* BATCHES of them */
	struct origin	 origins[PIPE_BATCH];
	size_t		 checked;	/* of the batch that is being filled */
	struct err	 why;
	pthread_t	 thread;
	bool		 started;
	pthread_mutex_t	 lock;
	pthread_cond_t	 moved;
	/* Under the lock: batches filled and batches given back, ever. */
	size_t		 filled;
	size_t		 freed;
	size_t		 taken;		/* the consumer's own count */
	bool		 stop;
};

static struct text
keep(struct pipe_batch *b, struct text text)
{
	if (text.p == NULL)
		return text;
	memcpy(b->arena + b->used, text.p, text.len);
	text.p = b->arena + b->used;
	b->used += text.len;
	return text;
}

static enum rc
advance(struct source *s, struct err *e)
{
	return scenario_read(s->reader, &s->ev, &s->more, e);
}

/* The source whose event is the next in time; NULL at the end. */
static struct source *
earliest(struct pipe *p)
{
	struct source	*best = NULL;
	int		 i;

	for (i = 0; i < p->n_sources; i++) {
		if (p->sources[i].more && (best == NULL ||
		    p->sources[i].ev.t_ms < best->ev.t_ms))
			best = &p->sources[i];
	}
	return best;
}

/* Read one event into the batch; it is checked later. */
static enum rc
add_item(struct pipe *p, struct pipe_batch *b, struct source *s)
{
	struct feed_item	*item = &b->items[b->n];
	struct cidr		*cidrs;

	b->used = (b->used + 15) & ~(size_t)15;
	cidrs = (struct cidr *)(void *)(b->arena + b->used);
	if (feed_read(p->feed, &s->ev, scenario_reader_network(s->reader),
	    s->history, cidrs, item, &p->why) != RC_OK)
		return scenario_reader_blame(s->reader,
		    scenario_reader_line(s->reader), NULL, &p->why);
	feed_prefetch(p->feed, item);
	b->used += item->in.n_cidrs * sizeof(*cidrs);
	item->id = keep(b, item->id);
	item->account = keep(b, item->account);
	item->address = keep(b, item->address);
	item->by = keep(b, item->by);
	p->origins[b->n].source = s;
	p->origins[b->n].line = scenario_reader_line(s->reader);
	b->n++;
	return RC_OK;
}

/* Check what was read, but for the last LAG items. */
static enum rc
check_items(struct pipe *p, struct pipe_batch *b, size_t lag)
{
	const struct origin	*o;
	struct err		 why;

	for (; p->checked + lag < b->n; p->checked++) {
		if (feed_check(p->feed, &b->items[p->checked], &why) == RC_OK)
			continue;
		/* An earlier line's fault comes before a later one's. */
		p->why = why;
		o = &p->origins[p->checked];
		b->n = p->checked;
		return scenario_reader_blame(o->source->reader, o->line,
		    NULL, &p->why);
	}
	return RC_OK;
}

static void
fill(struct pipe *p, struct pipe_batch *b)
{
	struct source	*s = NULL;

	b->n = 0;
	b->used = 0;
	b->last = false;
	b->rc = RC_OK;
	p->checked = 0;
	while (b->n < PIPE_BATCH && b->used + ARENA_ITEM < ARENA_LEN) {
		if ((s = earliest(p)) == NULL)
			break;
		if (add_item(p, b, s) != RC_OK ||
		    check_items(p, b, LAG) != RC_OK ||
		    advance(s, &p->why) != RC_OK) {
			b->rc = RC_FAILED;
			break;
		}
	}
	if (check_items(p, b, 0) != RC_OK)
		b->rc = RC_FAILED;
	b->last = s == NULL || b->rc != RC_OK;
	b->permille = scenario_reader_permille(
	    p->sources[p->n_sources - 1].reader);
}

static void *
reading(void *arg)
{
	struct pipe		*p = arg;
	struct pipe_batch	*b;
	bool			 stop = false, last = false;

	while (!stop && !last) {
		b = &p->ring[p->filled % BATCHES];
		fill(p, b);
		last = b->last;
		(void)pthread_mutex_lock(&p->lock);
		p->filled++;
		(void)pthread_cond_broadcast(&p->moved);
		while (!p->stop && !last && p->filled - p->freed >= BATCHES)
			(void)pthread_cond_wait(&p->moved, &p->lock);
		stop = p->stop;
		(void)pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

static enum rc
open_source(struct pipe *p, const char *path, bool history, struct err *e)
{
	struct source	*s = &p->sources[p->n_sources];

	if (scenario_reader_open(&s->reader, path, e) != RC_OK)
		return RC_FAILED;
	p->n_sources++;
	s->history = history;
	return advance(s, e);
}

enum rc
pipe_new(struct pipe **out, struct feed *f, const char *path,
    const char *history, struct err *e)
{
	struct pipe	*p = calloc(1, sizeof(*p));
	int		 i;

	if (p == NULL)
		return err_set(e, "out of memory");
	p->feed = f;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->moved, NULL);
	if ((p->ring = calloc(BATCHES, sizeof(*p->ring))) == NULL)
		goto memory;
	for (i = 0; i < BATCHES; i++) {
		if ((p->ring[i].arena = malloc(ARENA_LEN)) == NULL)
			goto memory;
	}
	if (history != NULL && open_source(p, history, true, e) != RC_OK)
		goto failed;
	if (open_source(p, path, false, e) != RC_OK)
		goto failed;
	if (pthread_create(&p->thread, NULL, reading, p) != 0) {
		(void)err_set(e, "cannot start a thread");
		goto failed;
	}
	p->started = true;
	*out = p;
	return RC_OK;
memory:
	(void)err_set(e, "out of memory");
failed:
	pipe_free(&p);
	return RC_FAILED;
}

const struct pipe_batch *
pipe_next(struct pipe *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->freed = p->taken;
	(void)pthread_cond_broadcast(&p->moved);
	while (p->filled == p->taken)
		(void)pthread_cond_wait(&p->moved, &p->lock);
	(void)pthread_mutex_unlock(&p->lock);
	return &p->ring[p->taken++ % BATCHES];
}

const struct err *
pipe_why(const struct pipe *p)
{
	return &p->why;
}

void
pipe_free(struct pipe **pp)
{
	struct pipe	*p = *pp;
	int		 i;

	*pp = NULL;
	if (p == NULL)
		return;
	if (p->started) {
		(void)pthread_mutex_lock(&p->lock);
		p->stop = true;
		(void)pthread_cond_broadcast(&p->moved);
		(void)pthread_mutex_unlock(&p->lock);
		(void)pthread_join(p->thread, NULL);
	}
	for (i = 0; i < p->n_sources; i++)
		scenario_reader_free(&p->sources[i].reader);
	for (i = 0; p->ring != NULL && i < BATCHES; i++)
		free(p->ring[i].arena);
	free(p->ring);
	(void)pthread_cond_destroy(&p->moved);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}
