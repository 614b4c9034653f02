/*
 * The console: where operators' programs come in, through the local socket.
 *
 * It understands nothing of what it hands on.  Questions go to the engine,
 * what needs secrets to auth; answers go back to who asked.  What loosens is
 * signed by an operator and checked by the engine, so that an owned console
 * can show lies and lose requests, but do nothing that whoever may open the
 * socket may not do.
 */
#define _GNU_SOURCE		/* accept4(), struct ucred */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "console/pending.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "link/channel.h"
#include "link/process.h"

#define CLIENTS_MAX	64

struct console {
	struct process	 process;
	struct channel	*to[ROOM__COUNT];	/* engine, auth */
	struct pending	 pending;
	uv_poll_t	 listening;
	int		 listen_fd;
	int		 n_clients;
	bool		 stopping;
};

/* A program at the socket. */
struct client {
	struct console	*of;
	struct channel	*channel;
	char		 who[32];	/* "uid 1000" */
};

static const struct text	 away = { "{\"error\":\"that part of the "
	"service is being started anew; try again\"}", 66 };
static const struct text	 crowded = { "{\"error\":\"too many questions "
	"wait for an answer\"}", 50 };

static void
refuse(struct channel *c, uint64_t tag, struct text why)
{
	struct message	 m;

	message_clear(&m, MESSAGE_ANSWER, tag);
	m.status = 503;
	m.body = why;
	m.body.len = strlen(why.p);
	channel_send(c, &m);
}

/* From programs onwards */

static void
pass_on(struct client *cl, const struct message *m, enum room to)
{
	struct console	*c = cl->of;
	struct message	 onwards = *m;

	if (c->to[to] == NULL) {
		refuse(cl->channel, m->tag, away);
		return;
	}
	onwards.tag = pending_add(&c->pending, cl, m->tag, (int)to);
	if (onwards.tag == 0) {
		refuse(cl->channel, m->tag, crowded);
		return;
	}
	/* Who acts: the kernel says whose process it is, not the program. */
	if (m->type == MESSAGE_ACT)
		onwards.name = text_of(cl->who);
	channel_send(c->to[to], &onwards);
}

static void
on_query(void *ctx, struct channel *c, const struct message *m)
{
	static const struct text	 no = { "{\"error\":\"not a question "
		"for the local socket\"}", 0 };

	if (endpoints[m->endpoint].security != SECURITY_LOCAL) {
		refuse(c, m->tag, no);
		return;
	}
	pass_on(ctx, m, ROOM_ENGINE);
}

static void
on_act(void *ctx, struct channel *c, const struct message *m)
{
	(void)c;
	pass_on(ctx, m, ROOM_ENGINE);
}

static void
on_custody(void *ctx, struct channel *c, const struct message *m)
{
	(void)c;
	pass_on(ctx, m, ROOM_ENGINE);
}

static void
on_secret(void *ctx, struct channel *c, const struct message *m)
{
	(void)c;
	pass_on(ctx, m, ROOM_AUTH);
}

static void
on_spoken(void *ctx, struct channel *c, const struct message *m)
{
	(void)ctx;
	(void)c;
	(void)m;
}

static channel_handler	*const from_client[MESSAGE__END] = {
	[MESSAGE_SPOKEN] = on_spoken,
	[MESSAGE_QUERY] = on_query,
	[MESSAGE_ACT] = on_act,
	[MESSAGE_CUSTODY] = on_custody,
	[MESSAGE_PREPARE] = on_secret,
	[MESSAGE_REKEY] = on_secret,
};

static void
client_closed(void *ctx, struct channel *channel, const struct err *why)
{
	struct client	*cl = ctx;

	(void)channel;
	log_event(LOG_DEBUG_, "left", "who", 's', cl->who, "why", 's',
	    why != NULL ? why->text : "", NULL);
	pending_forget(&cl->of->pending, cl);
	channel_free(&cl->channel);
	cl->of->n_clients--;
	free(cl);
}

static void
who(struct client *cl, int fd)
{
	struct ucred	 u;
	socklen_t	 len = sizeof(u);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &len) == 0)
		(void)snprintf(cl->who, sizeof(cl->who), "uid %u",
		    (unsigned)u.uid);
	else
		(void)snprintf(cl->who, sizeof(cl->who), "uid unknown");
}

static void
welcome(struct console *c, int fd)
{
	struct channel_config	 cfg = { c->process.loop, fd, ROOM_CONSOLE,
		ROOM_CLI, from_client, client_closed, NULL, NULL, NULL };
	struct client		*cl = calloc(1, sizeof(*cl));
	struct err		 e;

	if (cl == NULL || c->n_clients == CLIENTS_MAX) {
		log_event(LOG_ODD, "turned_away", "why", 's',
		    "too many programs at the local socket", NULL);
		(void)close(fd);
		free(cl);
		return;
	}
	cl->of = c;
	cfg.ctx = cl;
	who(cl, fd);
	if (channel_new(&cl->channel, &cfg, &e) != RC_OK) {
		log_event(LOG_ODD, "turned_away", "why", 's', e.text, NULL);
		free(cl);
		return;
	}
	c->n_clients++;
}

static void
on_listening(uv_poll_t *poll, int status, int events)
{
	struct console	*c = poll->data;
	int		 fd;

	(void)status;
	(void)events;
	fd = accept4(c->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0)
		welcome(c, fd);
}

/* From the other rooms back */

static void
answer_from(struct console *c, const struct message *m, enum room from)
{
	struct message	 back = *m;
	struct client	*cl;
	void		*found;
	uint64_t	 theirs;

	/* Whoever asked may have left. */
	if (!pending_take(&c->pending, m->tag, (int)from, &found, &theirs))
		return;
	cl = found;
	back.tag = theirs;
	channel_send(cl->channel, &back);
}

static void
from_engine(void *ctx, struct channel *ch, const struct message *m)
{
	(void)ch;
	answer_from(ctx, m, ROOM_ENGINE);
}

static void
from_auth(void *ctx, struct channel *ch, const struct message *m)
{
	(void)ch;
	answer_from(ctx, m, ROOM_AUTH);
}

static channel_handler	*const engine_says[MESSAGE__END] = {
	[MESSAGE_SPOKEN] = on_spoken,
	[MESSAGE_ANSWER] = from_engine,
};

static channel_handler	*const auth_says[MESSAGE__END] = {
	[MESSAGE_SPOKEN] = on_spoken,
	[MESSAGE_ANSWER] = from_auth,
	[MESSAGE_PREPARED] = from_auth,
};

static void
lost(struct console *c, enum room r)
{
	struct client	*cl;
	void		*found;
	uint64_t	 theirs;

	channel_free(&c->to[r]);
	while (pending_lost(&c->pending, (int)r, &found, &theirs)) {
		cl = found;
		refuse(cl->channel, theirs, away);
	}
}

static void
room_closed(void *ctx, struct channel *ch, const struct err *why)
{
	struct console	*c = ctx;
	enum room	 r = c->to[ROOM_AUTH] == ch ? ROOM_AUTH : ROOM_ENGINE;

	log_event(LOG_INFO_, "link_lost", "room", 's', room_text(r), "why", 's',
	    why != NULL ? why->text : "", NULL);
	lost(c, r);
}

/* The process */

static void
link_room(struct console *c, enum room peer, int fd)
{
	struct channel_config	 cfg = { c->process.loop, fd, ROOM_CONSOLE,
		peer, peer == ROOM_AUTH ? auth_says : engine_says,
		room_closed, NULL, NULL, c };
	struct err		 e;

	assert(peer == ROOM_AUTH || peer == ROOM_ENGINE);
	lost(c, peer);
	if (channel_new(&c->to[peer], &cfg, &e) != RC_OK)
		log_event(LOG_BROKEN, "link", "room", 's', room_text(peer),
		    "why", 's', e.text, NULL);
	if (c->to[ROOM_ENGINE] != NULL && c->to[ROOM_AUTH] != NULL)
		process_ready(&c->process);
}

static void
on_socket(void *ctx, enum process_socket what, enum room peer, int fd)
{
	struct console	*c = ctx;

	if (what == SOCKET_LINK) {
		link_room(c, peer, fd);
		return;
	}
	if (what != SOCKET_LOCAL || c->listen_fd != -1) {
		(void)close(fd);
		return;
	}
	c->listen_fd = fd;
	c->listening.data = c;
	if (uv_poll_init(c->process.loop, &c->listening, fd) != 0 ||
	    uv_poll_start(&c->listening, UV_READABLE, on_listening) != 0) {
		log_event(LOG_BROKEN, "listen", NULL);
		process_end(&c->process, 1);
	}
}

static void
on_stop(void *ctx)
{
	struct console	*c = ctx;

	if (c->listen_fd != -1)
		(void)uv_poll_stop(&c->listening);
	process_end(&c->process, 0);
}

int
console_main(int control)
{
	static struct console		 c;
	struct sandbox			 s = { .kind = SANDBOX_ACCEPT,
		.files_max = CLIENTS_MAX + 32 };
	const struct process_hooks	 hooks = { on_socket, NULL, on_stop,
		&c };
	struct err			 e;

	c.listen_fd = -1;
	if (process_begin(&c.process, ROOM_CONSOLE, control, &e) != RC_OK)
		return 1;
	s.user = c.process.config.user[0] != '\0' ? c.process.config.user :
	    NULL;
	if (sandbox_enter(&s, &e) != RC_OK) {
		log_event(LOG_BROKEN, "sandbox", "why", 's', e.text, NULL);
		return 1;
	}
	return process_run(&c.process, &hooks);
}
