/*
 * Every number that bounds what a stranger can make this process do.  Times
 * are milliseconds.  Those in `struct bounds` can be shortened by tests.
 */
#ifndef API_BOUNDS_H
#define API_BOUNDS_H

#include <stdint.h>

/* Of one request. */
#define HEAD_MAX	8192		/* bytes, request line to empty line */
#define HEAD_LINES_MAX	64
#define BODY_MAX	(64 << 10)
#define BODY_FACTS_MAX	(1 << 20)	/* /v1/facts */
#define TARGET_MAX	6144

/* Of one connection's buffer: a head and a usual body. */
#define BUFFER_SIZE	(HEAD_MAX + 4096)
#define BUFFERS_KEPT	256		/* unused ones, not given back */
/* Of all connections together, beyond one buffer each: long bodies, and
 * answers that wait for slow readers. */
#define LONG_BYTES_MAX	((int64_t)64 << 20)

/* Weight in a minute, of one address (a /64 of IPv6). */
#define RATE_SAPI	12000		/* each endpoint has its own */
#define RATE_API	6000		/* all of /api, and what is nowhere */
#define RATE_HISTORY_S	10		/* withdraw/history, a second */
#define RATE_BAD_KEY	10		/* weight of a request whose key was
					 * refused, where no other counts */
/* Refused requests on top, in one minute, that make a ban of it. */
#define BAN_AFTER	60
#define BAN_MIN_MS	(INT64_C(2) * 60 * 1000)
#define BAN_MAX_MS	(INT64_C(3) * 24 * 3600 * 1000)

#define LISTEN_BACKLOG	1024
#define ACCEPT_AT_ONCE	64
#define METRICS_CONNECTIONS	8
#define STATS_MAX	(16 << 10)	/* lines of one other process */

struct bounds {
	int64_t	head_ms;	/* from its first byte, or the connection's
				 * beginning, to the empty line */
	int64_t	body_ms;	/* at most; and least bytes a second: */
	int64_t	body_rate;
	int64_t	idle_ms;	/* between requests */
	int64_t	crowded_ms;	/* the same when 3 of 4 places are taken */
	int64_t	write_ms;	/* an answer is not read */
	int64_t	answer_ms;	/* by auth */
	int64_t	events_ms;	/* the same, /v1/events with `wait` */
	int64_t	linger_ms;	/* reading on after a last answer */
	int64_t	stop_ms;	/* to finish what is under way */
	int64_t	address_part;	/* of connections_max may one address have
				 * one part in so many, */
	int64_t	address_least;	/* or this many */
};

extern struct bounds bounds;

#endif
