/*
 * The keeper from inside: for engine/process/ alone.
 */
#ifndef ENGINE_PROCESS_INNER_H
#define ENGINE_PROCESS_INNER_H

#include <stdatomic.h>
#include <uv.h>

#include "book/book.h"
#include "engine/clock.h"
#include "engine/process/again.h"
#include "engine/process/custody.h"
#include "engine/process/keeper.h"
#include "link/process.h"

/* A message that may go once everything up to `seq` is durable. */
struct held {
	struct held	*next;
	uint64_t	 seq;
	uint64_t	 since_ns;	/* uv_hrtime() */
	enum room	 to;
	uint64_t	 link;		/* which link to that room */
	size_t		 len;
	unsigned char	 bytes[];
};

/* A question that the book has. */
struct asked {
	enum room	 to;
	uint64_t	 link;
	uint64_t	 tag;
	bool		 load;		/* rows of book_load() */
	struct news	*news;		/* a notice that wants its account */
	bool		 used;
};
#define ASKED_MAX	8192
#define ASKED_OWN	128		/* kept for loads and notices */

/* What came from the book's thread. */
struct booked {
	struct booked	*next;
	uint64_t	 ticket;
	int		 status;	/* 0: a row of a load */
	uint64_t	 seq;
	size_t		 open_len;	/* a row: its two parts; 0: the end */
	size_t		 len;
	unsigned char	 bytes[];
};

/* A withdrawal moved: whose it is says the book. */
struct news {
	struct news	*next;
	struct ident	 id;
	const char	*event;
	int64_t		 t_ms;
	int64_t		 due_ms;	/* -1: none */
	uint64_t	 seq;
};
#define NEWS_MAX	100000	/* that wait to be asked about */
#define NEWS_ASKED_MAX	64

struct figures {
	uint64_t	 verdicts[VERDICT_HALT + 1];
	uint64_t	 taken, refused, queries;
	/* From taken to durable, of what was held. */
	uint64_t	 held, held_us, held_most_us;
	uint64_t	 notices, notices_lost;
	uint64_t	 full;		/* held: the engine has no room */
	uint64_t	 receipts;
};

struct keeper {
	struct process	 process;
	struct journal	*journal;
	struct operators *operators;
	struct exchange	*exchange;	/* exchange.h */
	struct again	 again;
	struct custody	 custody;
	struct book	*book;
	struct clock	 clock;
	struct channel	*to[ROOM__COUNT];	/* auth, console */
	uint64_t	 links;			/* made so far */
	uint64_t	 link[ROOM__COUNT];
	int		 waiting_fd[ROOM__COUNT];	/* until we are ready */
	struct held	*first, **last;
	struct held	*late;			/* told during a load */
	struct held	**late_last;
	size_t		 held_bytes;
	_Atomic uint64_t durable;
	uv_async_t	 durable_async;
	uv_async_t	 book_async;
	uv_mutex_t	 book_lock;
	struct booked	*booked, **booked_last;
	struct asked	 asked[ASKED_MAX];
	int		 n_asked;
	uint64_t	 tickets;
	int		 loads;			/* under way */
	uv_timer_t	 beat;
	uv_timer_t	 figures_timer;
	struct figures	 figures;
	struct news	*news, **news_last;
	int		 n_news, news_asked;
	int64_t		 clock_told_ms;	/* refused_ms that was told */
	bool		 ready;
	bool		 stopping;
};

/* Hold a message for a room until all that was taken is durable. */
void keeper_hold(struct keeper *k, enum room to, const struct message *m);
/* The same, from what was told to auth: kept back during a load. */
void keeper_tell(struct keeper *k, const struct command *c, uint64_t seq);
/* Which room is behind this channel. */
enum room keeper_room(const struct keeper *k, const struct channel *c);
/* The journal cannot go on: say so and end at once. */
void keeper_die(struct keeper *k, const struct err *why)
    __attribute__((noreturn));
/* Read on, or not, by how much waits to leave. */
void keeper_flow(struct keeper *k);
/* Commit what was taken. */
void keeper_commit(struct keeper *k);
void keeper_durable_now(struct keeper *k);
/* All that is in force is known: the links open. */
void keeper_is_ready(struct keeper *k);
int64_t keeper_boot_ms(void);
int64_t keeper_wall_ms(void);

/* reads.c */
void reads_query(void *ctx, struct channel *from, const struct message *m);
void reads_load(void *ctx, struct channel *from, const struct message *m);
void reads_used(void *ctx, struct channel *from, const struct message *m);
void reads_booked(struct keeper *k);
/* The book's callbacks. */
void reads_answered(void *ctx, uint64_t ticket, int status, struct text body);
void reads_loaded(void *ctx, uint64_t ticket, uint64_t seq, struct text open,
    struct text sealed);
void reads_failed(void *ctx, const struct err *why);
/* Load what operators.c must know; ready when it is there. */
void reads_begin(struct keeper *k);
/* Ask about the withdrawal of a notice; false: not now. */
bool reads_news(struct keeper *k, struct news *n);

/* notices.c: of what was taken, and what came of it. */
void notices_taken(struct keeper *k, const struct command *c,
    const struct taken *t);
/* An outcome beside the command's own, or of one by id alone. */
void notices_moved(struct keeper *k, const struct outcome *o);
/* Ask about those that wait. */
void notices_turn(struct keeper *k);
/* The book's answer; n is freed. */
void notices_told(struct keeper *k, struct news *n, int status,
    struct text body);

#endif
