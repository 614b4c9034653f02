/*
 * One room as a process: started, told, listened to, ended.
 */
#ifndef PARENT_CHILD_H
#define PARENT_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/config.h"
#include "lib/err.h"
#include "link/process.h"
#include "wire/message.h"

#define CHILD_FRAME	14	/* READY and ALIVE: no fields, no tag */

struct child {
	enum room	 room;
	pid_t		 pid;		/* 0: away */
	int		 control;	/* -1: away */
	bool		 ready;
	bool		 ran;		/* was ready at some time */
	int64_t		 started_ms;
	int64_t		 alive_ms;	/* 0: it has not said so yet */
	int64_t		 aborted_ms;	/* it hung, and was told; 0: no */
	bool		 slow_told;	/* that it is long at its start */
	int64_t		 start_ms;	/* away: when to start it; 0: never */
	int		 starts;	/* in a row without a minute of life */
	int		 quick_ends;	/* in a row, within a minute */
	unsigned char	 said[CHILD_FRAME];
	size_t		 said_len;
};

/* "drawbridged: api --room api 3", an empty environment but for what it
 * needs; its first message is the configuration. */
enum rc child_start(struct child *c, const struct config *conf,
    bool only_reads, int64_t now_ms, struct err *e) MUST_CHECK;
/* What it is called by the program itself: --room NAME FD.  Does not return
 * when the words are right. */
int child_main(const char *room, const char *fd);

/* These fail when it does not listen: it is to be ended then. */
enum rc child_say(struct child *c, enum message_type type,
    const struct config *conf, struct err *e) MUST_CHECK;
enum rc child_send_socket(struct child *c, enum process_socket what,
    enum room peer, int fd, struct err *e) MUST_CHECK;

/*
 * What it said: only that it is ready, or alive, is taken, byte for byte.
 * RC_FAILED: it said something else.  The end of the socket is not an error:
 * SIGCHLD tells.
 */
enum rc child_listen(struct child *c, int64_t now_ms, struct err *e)
    MUST_CHECK;
/* It ended. */
void child_forget(struct child *c);

#endif
