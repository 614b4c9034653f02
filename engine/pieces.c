#include "engine/pieces.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sha256.h"

struct piece {
	const void	*base;
	size_t		 len;
	size_t		 end;		/* in all the memory */
};

struct pieces {
	struct piece	*list;
	unsigned char	(*digests)[32];
	size_t		 n, max;
	size_t		 bytes;
	pthread_t	 thread;
	bool		 threaded;
	pthread_mutex_t	 lock;		/* of what follows */
	pthread_cond_t	 more;
	size_t		 next;		/* to be hashed */
	size_t		 ready;		/* bytes */
	bool		 dropped;
};

static void
discard(struct pieces *p)
{
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	free(p->digests);
	free(p->list);
	free(p);
}

struct pieces *
pieces_new(size_t bytes, size_t parts)
{
	struct pieces	*p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->more, NULL);
	p->max = bytes / PIECE_BYTES + parts + 1;
	p->list = calloc(p->max, sizeof(*p->list));
	p->digests = calloc(p->max, sizeof(*p->digests));
	if (p->list == NULL || p->digests == NULL) {
		discard(p);
		return NULL;
	}
	return p;
}

void
pieces_add(struct pieces *p, const void *base, size_t len)
{
	const unsigned char *at = base;
	size_t		 n;

	for (; len > 0; len -= n, at += n) {
		n = len < PIECE_BYTES ? len : PIECE_BYTES;
		assert(p->n < p->max);
		p->bytes += n;
		p->list[p->n++] = (struct piece){ at, n, p->bytes };
	}
}

/* The next piece that is ready; false when there is none any more. */
static bool
take(struct pieces *p, size_t *i_out)
{
	bool		 got;

	pthread_mutex_lock(&p->lock);
	while (!p->dropped && p->next < p->n &&
	    p->list[p->next].end > p->ready)
		pthread_cond_wait(&p->more, &p->lock);
	got = !p->dropped && p->next < p->n;
	if (got)
		*i_out = p->next++;
	pthread_mutex_unlock(&p->lock);
	return got;
}

static void *
work(void *ctx)
{
	struct pieces	*p = ctx;
	size_t		 i;

	while (take(p, &i))
		sha256(p->digests[i], p->list[i].base, p->list[i].len);
	return NULL;
}

void
pieces_begin(struct pieces *p)
{
	/* Without a second thread it is only slower. */
	p->threaded = p->n > 1 &&
	    pthread_create(&p->thread, NULL, work, p) == 0;
}

void
pieces_ready(struct pieces *p, size_t bytes)
{
	pthread_mutex_lock(&p->lock);
	p->ready = bytes;
	pthread_cond_signal(&p->more);
	pthread_mutex_unlock(&p->lock);
}

static void
release(struct pieces *p)
{
	if (p->threaded)
		(void)pthread_join(p->thread, NULL);
	p->threaded = false;
}

void
pieces_end(struct pieces *p, const void *head, size_t head_len,
    unsigned char out[32])
{
	struct sha256	 h;

	pieces_ready(p, p->bytes);
	(void)work(p);
	release(p);
	sha256_begin(&h);
	sha256_add(&h, head, head_len);
	sha256_add(&h, p->digests, p->n * sizeof(p->digests[0]));
	sha256_end(&h, out);
	discard(p);
}

void
pieces_drop(struct pieces *p)
{
	pthread_mutex_lock(&p->lock);
	p->dropped = true;
	pthread_cond_signal(&p->more);
	pthread_mutex_unlock(&p->lock);
	release(p);
	discard(p);
}
