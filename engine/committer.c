#include "engine/committer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct committer {
	struct db	*db;
	void		(*durable)(void *ctx, uint64_t seq);
	void		*ctx;
	pthread_t	 thread;
	bool		 started;
	pthread_mutex_t	 lock;
	pthread_cond_t	 wake;		/* either side may go on */
	/* Under the lock. */
	bool		 busy;		/* there is a row to sync */
	bool		 stop;
	enum rc		 rc;
	struct err	 why;
	unsigned char	 durable_hash[ROW_HASH_LEN];
	/* The thread's while busy, else the caller's. */
	struct row_maker *maker;
	const unsigned char *key;
	uint64_t	 first, last;
	unsigned char	 hash[ROW_HASH_LEN];
};

static enum rc
sync_row(struct committer *c, struct err *e)
{
	const unsigned char	*row;
	size_t			 len;

	row_finish(c->maker, c->key, c->hash, &row, &len);
	return db_append(c->db, c->first, row, len, e);
}

static void *
run(void *arg)
{
	struct committer	*c = arg;
	enum rc			 rc;

	(void)pthread_mutex_lock(&c->lock);
	for (;;) {
		while (!c->busy && !c->stop)
			(void)pthread_cond_wait(&c->wake, &c->lock);
		if (!c->busy)
			break;
		(void)pthread_mutex_unlock(&c->lock);
		rc = sync_row(c, &c->why);
		if (rc == RC_OK && c->durable != NULL)
			c->durable(c->ctx, c->last);
		(void)pthread_mutex_lock(&c->lock);
		c->rc = rc;
		c->busy = false;
		if (rc == RC_OK)
			memcpy(c->durable_hash, c->hash, ROW_HASH_LEN);
		(void)pthread_cond_broadcast(&c->wake);
		/* What comes after a row that may be lost is lost, too. */
		if (rc != RC_OK)
			break;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return NULL;
}

enum rc
committer_new(struct committer **out, struct db *db,
    const unsigned char hash[ROW_HASH_LEN],
    void (*durable)(void *ctx, uint64_t seq), void *ctx, struct err *e)
{
	struct committer	*c = calloc(1, sizeof(*c));
	int			 no;

	if (c == NULL)
		return err_set(e, "out of memory");
	c->db = db;
	c->durable = durable;
	c->ctx = ctx;
	memcpy(c->hash, hash, sizeof(c->hash));
	memcpy(c->durable_hash, hash, sizeof(c->durable_hash));
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_cond_init(&c->wake, NULL);
	if (row_maker_new(&c->maker, e) != RC_OK) {
		committer_free(&c);
		return RC_FAILED;
	}
	if ((no = pthread_create(&c->thread, NULL, run, c)) != 0) {
		committer_free(&c);
		return err_set(e, "committer: %s", strerror(no));
	}
	c->started = true;
	*out = c;
	return RC_OK;
}

void
committer_free(struct committer **cp)
{
	struct committer	*c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	if (c->started) {
		(void)pthread_mutex_lock(&c->lock);
		c->stop = true;
		(void)pthread_cond_broadcast(&c->wake);
		(void)pthread_mutex_unlock(&c->lock);
		(void)pthread_join(c->thread, NULL);
	}
	row_maker_free(&c->maker);
	(void)pthread_cond_destroy(&c->wake);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

/* Locked: until the row under way is through. */
static enum rc
wait_idle(struct committer *c, struct err *e)
{
	while (c->busy)
		(void)pthread_cond_wait(&c->wake, &c->lock);
	if (c->rc == RC_OK)
		return RC_OK;
	(void)err_set(e, "%s", c->why.text);
	return c->rc;
}

enum rc
committer_push(struct committer *c, struct row_maker **maker,
    const unsigned char *key, uint64_t first, uint64_t last, struct err *e)
{
	struct row_maker	*empty;
	enum rc			 rc;

	(void)pthread_mutex_lock(&c->lock);
	if ((rc = wait_idle(c, e)) == RC_OK) {
		empty = c->maker;
		c->maker = *maker;
		*maker = empty;
		c->key = key;
		c->first = first;
		c->last = last;
		c->busy = true;
		(void)pthread_cond_broadcast(&c->wake);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return rc;
}

enum rc
committer_flush(struct committer *c, unsigned char hash_out[ROW_HASH_LEN],
    struct err *e)
{
	enum rc	 rc;

	(void)pthread_mutex_lock(&c->lock);
	rc = wait_idle(c, e);
	if (rc == RC_OK && hash_out != NULL)
		memcpy(hash_out, c->hash, ROW_HASH_LEN);
	(void)pthread_mutex_unlock(&c->lock);
	return rc;
}

void
committer_durable(struct committer *c, unsigned char hash_out[ROW_HASH_LEN])
{
	(void)pthread_mutex_lock(&c->lock);
	memcpy(hash_out, c->durable_hash, ROW_HASH_LEN);
	(void)pthread_mutex_unlock(&c->lock);
}
