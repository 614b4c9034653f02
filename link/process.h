/*
 * What every child of drawbridged does at its start and end.
 *
 * drawbridged starts itself again under a room's name, with one socket: the
 * control.  Over it come the configuration (the first message), then a link
 * to each other room that this one talks to, as an open socket, at the start
 * and again whenever that other room was started anew; listening sockets;
 * reload and stop.  The child says that it is ready, and every second that
 * its loop turns.
 */
#ifndef LINK_PROCESS_H
#define LINK_PROCESS_H

#include <stdbool.h>
#include <uv.h>

#include "lib/config.h"
#include "lib/err.h"
#include "wire/message.h"

struct process {
	enum room	self;
	int		control;
	uv_loop_t	*loop;
	struct config	config;
	/* engine: the state cannot be used; only reads are answered. */
	bool		only_reads;
	struct process_inner *inner;
};

/* What a socket that arrives is for. */
enum process_socket {
	SOCKET_LINK,		/* to the room `peer` */
	SOCKET_HTTP,		/* api: listens */
	SOCKET_METRICS,		/* api: listens */
	SOCKET_LOCAL,		/* console: listens */
};

struct process_hooks {
	/* A socket, ours from here on.  A link replaces the one before to the
	 * same room. */
	void	(*socket)(void *ctx, enum process_socket what, enum room peer,
		    int fd);
	/* The configuration again: whole, checked; may be NULL. */
	void	(*reload)(void *ctx, const struct config *c);
	/* Finish what is under way, then process_end(). */
	void	(*stop)(void *ctx);
	void	*ctx;
};

/*
 * The first call of a room's main: log, loop, and the configuration, which
 * is waited for.  What fails stands in the log already.  SIGPIPE, SIGINT,
 * SIGTERM and SIGHUP are ignored from here on, also by programs that are
 * started: reset them there.  Nothing from outside has been read;
 * sandbox_enter() comes next, then process_run().
 */
enum rc process_begin(struct process *p, enum room self, int control,
    struct err *e) MUST_CHECK;
/* Turns the loop until process_end(); the process's exit status. */
int process_run(struct process *p, const struct process_hooks *h);
/* This room works now. */
void process_ready(struct process *p);
/* In the middle of something long that keeps the loop from turning. */
void process_alive(struct process *p);
void process_end(struct process *p, int status);

/* The mains, one a room: link with parent/. */
int api_main(int control);
int auth_main(int control);
int engine_main(int control);
int console_main(int control);
int notify_main(int control);

#endif
