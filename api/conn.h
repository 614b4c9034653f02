/*
 * Connections: accepted, read, answered, timed out.
 *
 * Memory is bounded: a place for each of connections_max; a buffer while a
 * request comes in, given back as soon as it is passed on; long bodies and
 * answers that are not read out of one allowance for all.
 *
 * When the places are all taken, the connection that has kept one for
 * longest without a request gives its place to the next: first those that
 * have been sending a head for more than a second, then idle ones.
 */
#ifndef API_CONN_H
#define API_CONN_H

#include <stdbool.h>
#include <uv.h>

#include "api/figures.h"
#include "api/intake.h"
#include "api/rates.h"
#include "api/reply.h"
#include "lib/config.h"
#include "lib/err.h"

enum phase {
	PHASE_HEAD,		/* a PROXY header or a head comes */
	PHASE_IDLE,		/* between requests */
	PHASE_BODY,
	PHASE_WAIT,		/* the request is under way */
	PHASE_WRITE,		/* the rest of an answer waits to leave */
	PHASE_LINGER,		/* answered for the last time; read and drop */
	PHASE_CLOSED,
	PHASE__COUNT
};

struct conns;

struct conn {
	uv_poll_t	 poll;
	struct conns	*of;
	struct conn	*prev, *next;	/* in its phase, longest first */
	int		 fd;
	int		 events;
	enum phase	 phase;
	int64_t		 since_ms;	/* in this phase */
	int64_t		 until_ms;
	bool		 metrics;	/* on the other port */
	bool		 proxy;		/* a listed proxy's */
	bool		 greeted;	/* a PROXY header is not awaited */
	bool		 counted;	/* in the rates, as `ip` */
	bool		 keep;		/* after this request */
	bool		 half;		/* the client sends no more */
	uint32_t	 index;
	uint32_t	 serial;	/* of the request that waits */
	unsigned char	 ip[16];	/* of the connection */
	char		*buf;
	size_t		 len, room;
	struct intake	 in;
	/* The request that is under way; `in` is not good any more. */
	enum endpoint	 endpoint;
	unsigned char	 client[16];
	int64_t		 start_us;
	int64_t		 used;
	bool		 no_body;	/* HEAD */
	/* What waits to leave. */
	char		*out;
	size_t		 out_at, out_len;
	size_t		 dropped;	/* bytes read while lingering */
};

struct conns_hooks {
	/* A whole request: conn_reply() now, or conn_wait() and
	 * conn_reply() later. */
	void	(*request)(void *ctx, struct conn *c);
	/* conn_wait()'s time is over: conn_reply(). */
	void	(*late)(void *ctx, struct conn *c);
	void	*ctx;
};

struct conns {
	uv_loop_t	*loop;
	struct config	 config;
	struct rates	*rates;
	struct conns_hooks hooks;
	uv_poll_t	 listen[2];	/* HTTP, metrics */
	int		 listen_fd[2];
	bool		 listening[2];
	int		 reserve;	/* given up for a moment to turn away
				 * one when descriptors run out */
	uv_timer_t	 tick;
	struct conn	*places;
	uint32_t	*free_places;
	uint32_t	 n_free, n_places;
	int64_t		 max;		/* that the process can have */
	int64_t		 open, open_metrics;
	struct conn	 lists[PHASE__COUNT];	/* heads of rings */
	int64_t		 in_phase[PHASE__COUNT];
	char		*spare[256];	/* buffers; BUFFERS_KEPT */
	int		 n_spare;
	int64_t		 long_bytes;
	int64_t		 now_ms;
	int64_t		 last_second;
	bool		 stopping;
	/* Refusals that are logged are limited. */
	int64_t		 told_second;
	int		 told;
	int64_t		 untold;
};

enum rc conns_begin(struct conns *cs, uv_loop_t *loop,
    const struct config *c, const struct conns_hooks *hooks,
    struct err *e) MUST_CHECK;
/* A listening socket, ours from here on; one before is closed. */
enum rc conns_listen(struct conns *cs, int fd, bool metrics,
    struct err *e) MUST_CHECK;
void conns_reload(struct conns *cs, const struct config *c);
/* No new ones, idle ones end; others after their answer. */
void conns_stop(struct conns *cs);
/* Does anybody wait for an answer still? */
bool conns_busy(const struct conns *cs);

/* The tag that the request will wait under. */
uint64_t conn_tag(const struct conn *c);
/* The request was passed on: its buffer is given back. */
void conn_wait(struct conn *c, int64_t ms);
/* Whose request that is; NULL: nobody's any more. */
struct conn *conns_find(struct conns *cs, uint64_t tag);
/* Any connection in PHASE_WAIT; NULL: none. */
struct conn *conns_waiting(struct conns *cs);

/* `r` and what it points to are done with on return; so may be `c`. */
void conn_reply(struct conn *c, struct reply *r);
/* With an error's body. */
void conn_refuse(struct conn *c, int status, int code, const char *why,
    enum refused reason, int64_t retry_s);
/* Log a refusal, if not too many are. */
void conn_tell(struct conn *c, enum refused reason, const char *why);

#endif
