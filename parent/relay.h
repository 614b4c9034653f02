/*
 * drawbridge-relay, where the signer runs on this host: kept running, and
 * ended after all rooms.  It is a program of its own that needs nothing from
 * here but to be started; whether it works does not decide whether the
 * service does: payments wait for it.
 */
#ifndef PARENT_RELAY_H
#define PARENT_RELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/config.h"

struct relay {
	pid_t		 pid;		/* 0: away */
	int64_t		 started_ms;
	int64_t		 start_ms;	/* away: when to start it */
	int64_t		 kill_ms;	/* stopping: when it is killed; 0: no */
	int		 starts;	/* in a row without a minute of life */
};

/* Starts it, if `signer-folder` stands in the configuration; with `stop` ends
 * it.  To be called again at the time that is returned. */
int64_t relay_turn(struct relay *r, const struct config *c, bool stop,
    int64_t now_ms);
/* A child of that number ended. */
void relay_ended(struct relay *r, pid_t pid, int wait_status, bool stop,
    int64_t now_ms);

#endif
