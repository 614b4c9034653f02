/*
 * The signer, the hub and the process at the door: kept running, connected,
 * ended in order.  Whoever does that reads no byte that came from outside.
 */
#ifndef SIGNER_RELAY_KEEP_H
#define SIGNER_RELAY_KEEP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"

enum keep_who { KEEP_SIGNER, KEEP_HUB, KEEP_DOOR, KEEP__COUNT };

struct keep_process {
	pid_t		 pid;		/* 0: away */
	int64_t		 started_ms;
	int64_t		 start_ms;	/* away: when to start it */
	int64_t		 kill_ms;	/* it has to be gone by then; 0: no */
	int		 starts;	/* in a row without a minute of life */
	bool		 wanted;	/* its end is */
};

struct keep {
	/* Opened once, before anybody was started. */
	const char	*program;	/* the signer's */
	const char	*identity;	/* paths, for the door */
	const char	*pins;
	int		 journal, seed;
	int		 passphrase;	/* -1: it waits to be unlocked */
	int		 requests, custodian, network;	/* listen; -1: none */

	struct keep_process processes[KEEP__COUNT];
	int		 control;	/* to the hub */
	bool		 ready;		/* the signer answers */
	bool		 was_ready;
	bool		 stopping;
	int		 status;	/* of the end */
};

void keep_new(struct keep *k);
/* Starts, limits; to be called again at the time that is returned. */
int64_t keep_turn(struct keep *k, int64_t now_ms);
/* A child of that number ended. */
void keep_ended(struct keep *k, pid_t pid, int wait_status, int64_t now_ms);
/* The hub's control can be read. */
void keep_heard(struct keep *k, int64_t now_ms);
/* Another door, which reads identity and pins again; the signer stays. */
void keep_renew_door(struct keep *k);
void keep_stop(struct keep *k, int status, int64_t now_ms);
/* Stopping, and nobody is left. */
bool keep_empty(const struct keep *k);

#endif
