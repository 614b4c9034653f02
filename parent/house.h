/*
 * All rooms: kept running, connected, told, and ended in order.
 */
#ifndef PARENT_HOUSE_H
#define PARENT_HOUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/config.h"
#include "lib/err.h"
#include "parent/child.h"

#define HOUSE_ROOMS	5

struct house {
	/* In the order in which they stop: whoever takes requests first, the
	 * engine last. */
	struct child	 rooms[HOUSE_ROOMS];
	struct config	 config;
	int		 http, metrics, local;	/* -1: none */
	bool		 only_reads;	/* the engine's state cannot be used */
	bool		 all_ready;	/* once; then a failure is survived */
	int		 stopping;	/* which room; -1: none */
	int64_t		 stop_ms;	/* when it is killed */
	bool		 hurry;		/* the second time */
	int		 status;	/* of the end */
};

void house_new(struct house *h, const struct config *c);
void house_start(struct house *h, int64_t now_ms);
/* A child of that number ended. */
void house_ended(struct house *h, pid_t pid, int wait_status,
    int64_t now_ms);
/* What it said lies there. */
void house_heard(struct house *h, struct child *c, int64_t now_ms);
/* Restarts, watchdogs, the end of waiting; to be called again at the time
 * that is returned. */
int64_t house_turn(struct house *h, int64_t now_ms);
/* A configuration that is whole and good. */
void house_reload(struct house *h, const struct config *c);
/* In order; the second time at once. */
void house_stop(struct house *h, int status, int64_t now_ms);
/* Stopping, and nobody is left. */
bool house_empty(const struct house *h);
/* Every room said that it is ready. */
bool house_ready(const struct house *h);

#endif
