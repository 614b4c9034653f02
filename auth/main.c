/*
 * The process: links, loading what is in force, figures.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auth/auth.h"
#include "auth/later.h"
#include "auth/awaited.h"
#include "auth/weights.h"
#include "auth/secrets.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/secret.h"

#define PASSPHRASE_MAX	1024

static struct auth	 room;

/* Time */

static int64_t
reading(clockid_t which)
{
	struct timespec	 t;

	(void)clock_gettime(which, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
auth_now_ms(struct auth *a)
{
	int64_t	 now = reading(CLOCK_REALTIME), mono = auth_mono_ms();

	/* A wall clock that was put back must not make time stand still: a
	 * message would be good for longer than it is remembered. */
	if (a->last_mono_ms != 0)
		a->last_ms += mono - a->last_mono_ms;
	a->last_mono_ms = mono;
	if (now > a->last_ms)
		a->last_ms = now;
	return a->last_ms;
}

int64_t
auth_mono_ms(void)
{
	return reading(CLOCK_BOOTTIME);
}

/* Towards the engine, and back */

static void
away(struct auth *a, enum room to, uint64_t tag)
{
	static const char	 body[] = "{\"code\":-1008,\"msg\":\"Server "
		"is currently overloaded with other requests. Please try "
		"again in a few minutes.\",\"error\":\"the engine is being "
		"started anew; try again\"}";
	struct message		 m;

	message_clear(&m, MESSAGE_ANSWER, tag);
	m.status = 503;
	m.body = text_of(body);
	m.retry_s = 1;
	if (to == ROOM_AUTH)
		awaited_answer(a, tag, &m);
	else if (a->to[to] != NULL)
		channel_send(a->to[to], &m);
}

static uint64_t
await(struct auth *a, enum room to, uint64_t theirs, int64_t used)
{
	struct pending	*p = &a->pending[(a->tags + 1) % PENDING_MAX];

	if (p->tag != 0)
		return 0;
	p->tag = ++a->tags;
	p->theirs = theirs;
	p->to = to;
	p->link = a->link[to];
	p->used = used;
	return p->tag;
}

bool
auth_query(struct auth *a, enum room to, uint64_t tag, int64_t used,
    const struct message *q)
{
	struct message	 m = *q;

	if (a->to[ROOM_ENGINE] == NULL ||
	    (m.tag = await(a, to, tag, used)) == 0) {
		away(a, to, tag);
		return false;
	}
	channel_send(a->to[ROOM_ENGINE], &m);
	return true;
}

bool
auth_take(struct auth *a, enum room to, uint64_t tag, int64_t used,
    enum endpoint endpoint, struct text account, const struct command *c)
{
	unsigned char	*open, *sealed;
	struct message	 m;
	struct err	 e;
	size_t		 open_len, sealed_len;
	bool		 sent;

	if (command_check(c, &e) != RC_OK) {
		log_event(LOG_BROKEN, "command", "why", 's', e.text, NULL);
		away(a, to, tag);
		return false;
	}
	open = malloc(command_open_room(c));
	sealed = malloc(command_sealed_room(c));
	if (open == NULL || sealed == NULL)
		abort();
	command_pack(c, open, &open_len, sealed, &sealed_len);
	message_clear(&m, MESSAGE_TAKE, 0);
	m.endpoint = endpoint;
	m.account = account;
	m.open.p = (const char *)open;
	m.open.len = open_len;
	m.sealed.p = (const char *)sealed;
	m.sealed.len = sealed_len;
	sent = auth_query(a, to, tag, used, &m);
	free(open);
	free(sealed);
	return sent;
}

static void
from_engine(void *ctx, struct channel *c, const struct message *m)
{
	struct auth	*a = ctx;
	struct pending	*p = &a->pending[m->tag % PENDING_MAX];
	struct message	 back = *m;

	(void)c;
	if (m->tag == 0 || p->tag != m->tag)
		return;
	p->tag = 0;
	if (p->to == ROOM_AUTH)
		awaited_answer(a, p->theirs, m);
	if (a->to[p->to] == NULL || p->link != a->link[p->to])
		return;
	back.tag = p->theirs;
	if (p->used >= 0)
		back.used = p->used;
	channel_send(a->to[p->to], &back);
}

/* The engine will not answer what it had. */
static void
engine_lost(struct auth *a)
{
	struct pending	*p;

	for (p = a->pending; p < a->pending + PENDING_MAX; p++) {
		if (p->tag != 0 && p->link == a->link[p->to])
			away(a, p->to, p->theirs);
		p->tag = 0;
	}
	a->loaded = false;
}

/* What is in force */

static void
on_told(void *ctx, struct channel *ch, const struct message *m)
{
	static struct command_lists	 lists;
	struct auth			*a = ctx;
	struct command			 c;
	struct err			 e;

	(void)ch;
	if (m->open.p == NULL || command_unpack(&c, &lists,
	    (const unsigned char *)m->open.p, m->open.len,
	    (const unsigned char *)m->sealed.p, m->sealed.len, &e) !=
	    RC_OK) {
		log_event(LOG_BROKEN, "told", "why", 's', e.text, NULL);
		return;
	}
	if (keys_told(a->keys, &c, (uint64_t)m->seq, a->vault, &e) != RC_OK)
		log_event(LOG_BROKEN, "key", "why", 's', e.text, NULL);
	secrets_told(a, &c, (uint64_t)m->seq);
}

static void
on_loaded(void *ctx, struct channel *c, const struct message *m)
{
	struct auth	*a = ctx;

	(void)c;
	/* The journal's time is behind us: never before it. */
	if (m->t_ms > a->last_ms)
		a->last_ms = m->t_ms;
	/* What the process before us took is not remembered: only what was
	 * signed since is taken.  A message may be a second ahead of its
	 * time; of those the engine knows a withdrawal by its id. */
	if (a->start_ms == 0)
		a->start_ms = auth_now_ms(a);
	if (m->name.p != NULL && m->name.len < sizeof(a->deployment))
		memcpy(a->deployment, m->name.p, m->name.len);
	a->loaded = true;
	process_ready(&a->process);
}

/* From api and console */

static void
request(struct auth *a, const struct message *m)
{
	switch (endpoints[m->endpoint].security) {
	case SECURITY_SIGNED:
	case SECURITY_WITHDRAW:
		request_begin(a, m);
		return;
	case SECURITY_DOOR:
	case SECURITY_OPERATOR:
		v1_request(a, m);
		return;
	case SECURITY_SELF:
		self_request(a, m);
		return;
	case SECURITY_LINK:
		link_request(a, m);
		return;
	case SECURITY_NONE:
	case SECURITY_LOCAL:
		break;
	}
	auth_answer(a, m->tag, 404, text_of("{\"code\":-1020,\"msg\":\"This "
	    "operation is not supported.\"}"), 0);
}

static void
on_request(void *ctx, struct channel *c, const struct message *m)
{
	struct auth	*a = ctx;

	(void)c;
	if (!a->loaded)
		away(a, ROOM_API, m->tag);
	else if (!later_wait(a, m, request))
		request(a, m);
}

static void
on_prepare(void *ctx, struct channel *c, const struct message *m)
{
	(void)c;
	prepare_request(ctx, m);
}

static void
on_rekey(void *ctx, struct channel *c, const struct message *m)
{
	(void)c;
	rekey_request(ctx, m);
}

static void
on_notice(void *ctx, struct channel *c, const struct message *m)
{
	(void)c;
	notice_told(ctx, m);
}

static void
on_stats(void *ctx, struct channel *c, const struct message *m)
{
	struct auth	*a = ctx;

	(void)c;
	if (a->to[ROOM_API] != NULL)
		channel_send(a->to[ROOM_API], m);
}

static void
ignore(void *ctx, struct channel *c, const struct message *m)
{
	(void)ctx;
	(void)c;
	(void)m;
}

static channel_handler	*const api_says[MESSAGE__END] = {
	[MESSAGE_SPOKEN] = ignore,
	[MESSAGE_REQUEST] = on_request,
};

static channel_handler	*const engine_says[MESSAGE__END] = {
	[MESSAGE_SPOKEN] = ignore,
	[MESSAGE_ANSWER] = from_engine,
	[MESSAGE_TOLD] = on_told,
	[MESSAGE_LOADED] = on_loaded,
	[MESSAGE_NOTICE] = on_notice,
	[MESSAGE_STATS] = on_stats,
};

static channel_handler	*const console_says[MESSAGE__END] = {
	[MESSAGE_SPOKEN] = ignore,
	[MESSAGE_PREPARE] = on_prepare,
	[MESSAGE_REKEY] = on_rekey,
};

static channel_handler	*const notify_says[MESSAGE__END] = {
	[MESSAGE_SPOKEN] = ignore,
	[MESSAGE_SENT] = ignore,
	[MESSAGE_STATS] = on_stats,
};

/* Links */

static channel_handler *const *
handlers(enum room r)
{
	if (r == ROOM_API)
		return api_says;
	if (r == ROOM_ENGINE)
		return engine_says;
	if (r == ROOM_CONSOLE)
		return console_says;
	return r == ROOM_NOTIFY ? notify_says : NULL;
}

static void
on_closed(void *ctx, struct channel *c, const struct err *why)
{
	struct auth	*a = ctx;
	int		 r;

	for (r = 0; r < ROOM__COUNT; r++) {
		if (a->to[r] != c)
			continue;
		log_event(LOG_INFO_, "link_lost", "room", 's',
		    room_text((enum room)r), "why", 's', why != NULL ?
		    why->text : "", NULL);
		channel_free(&a->to[r]);
		if (r == ROOM_ENGINE)
			engine_lost(a);
		return;
	}
}

static void
on_socket(void *ctx, enum process_socket what, enum room peer, int fd)
{
	struct auth		*a = ctx;
	struct channel_config	 cfg = { a->process.loop, fd, ROOM_AUTH, peer,
		handlers(peer), on_closed, NULL, NULL, a };
	struct message		 m;
	struct err		 e;

	if (what != SOCKET_LINK || cfg.handlers == NULL) {
		(void)close(fd);
		return;
	}
	if (a->to[peer] != NULL && peer == ROOM_ENGINE)
		engine_lost(a);
	channel_free(&a->to[peer]);
	a->link[peer] = ++a->links;
	if (channel_new(&a->to[peer], &cfg, &e) != RC_OK) {
		log_event(LOG_BROKEN, "link", "why", 's', e.text, NULL);
		process_end(&a->process, 1);
		return;
	}
	if (peer == ROOM_ENGINE) {
		message_clear(&m, MESSAGE_LOAD, 1);
		channel_send(a->to[peer], &m);
	}
}

static void
on_figures(uv_timer_t *t)
{
	struct auth	*a = t->data;
	char		 text[512];
	struct message	 m;

	if (a->to[ROOM_API] == NULL)
		return;
	(void)snprintf(text, sizeof(text),
	    "drawbridge_auth_accepted_total %ju\n"
	    "drawbridge_auth_refused_total %ju\n"
	    "drawbridge_auth_replayed_total %ju\n"
	    "drawbridge_auth_slow_total %ju\n"
	    "drawbridge_auth_wrong_codes_total %ju\n",
	    (uintmax_t)a->figures.accepted, (uintmax_t)a->figures.refused,
	    (uintmax_t)a->figures.replayed, (uintmax_t)a->figures.slow,
	    (uintmax_t)a->figures.codes_wrong);
	message_clear(&m, MESSAGE_STATS, 0);
	m.body = text_of(text);
	channel_send(a->to[ROOM_API], &m);
}

static void
on_reload(void *ctx, const struct config *c)
{
	struct auth	*a = ctx;

	a->process.config = *c;
}

static void
on_stop(void *ctx)
{
	struct auth	*a = ctx;

	process_end(&a->process, 0);
}

/* The start */

/* Of a file that DRAWBRIDGE_PASSPHRASE_FILE names: for services that nobody
 * sits before. */
static enum rc
passphrase(char *out, struct text *t, struct err *e)
{
	const char	*path = getenv("DRAWBRIDGE_PASSPHRASE_FILE");
	ssize_t		 n;
	int		 fd;

	if (path == NULL)
		return err_set(e, "the master key is a passphrase, and "
		    "DRAWBRIDGE_PASSPHRASE_FILE names no file with it");
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return err_set(e, "%s: %s", path, strerror(errno));
	n = read(fd, out, PASSPHRASE_MAX);
	(void)close(fd);
	while (n > 0 && (out[n - 1] == '\n' || out[n - 1] == '\r'))
		n--;
	if (n <= 0)
		return err_set(e, "%s: no passphrase in it", path);
	t->p = out;
	t->len = (size_t)n;
	return RC_OK;
}

/* A change of the master key that has not ended (rekey.h). */
static void
open_next(struct auth *a, const char *where)
{
	char		 next[310];
	struct err	 e;

	(void)snprintf(next, sizeof(next), "%s.new", where);
	if (access(next + 5, F_OK) != 0)
		return;
	if (vault_add(a->vault, next, NULL, text_of(NULL), &e) == RC_OK)
		(void)err_set(&e, "a change of the master key has not "
		    "ended: run `drawbridge master rotate` again");
	log_event(LOG_ODD, "master_key", "why", 's', e.text, NULL);
}

static enum rc
open_vault(struct auth *a, struct err *e)
{
	const struct config	*c = &a->process.config;
	char			 where[300], params[300];
	char			*phrase = NULL;
	struct text		 t = { NULL, 0 };
	enum rc			 rc = RC_OK;

	(void)snprintf(params, sizeof(params), "%s/master.params", c->data);
	if (c->master_key[0] != '\0')
		(void)snprintf(where, sizeof(where), "%s", c->master_key);
	else
		(void)snprintf(where, sizeof(where), "file:%s/master.key",
		    c->data);
	if (strcmp(where, "passphrase") == 0) {
		if ((phrase = secret_new(PASSPHRASE_MAX)) == NULL)
			return err_set(e, "no locked memory");
		rc = passphrase(phrase, &t, e);
	}
	if (rc == RC_OK)
		rc = vault_new(&a->vault, where, params, t, e);
	if (rc == RC_OK && strncmp(where, "file:", 5) == 0)
		open_next(a, where);
	secret_free(phrase, PASSPHRASE_MAX);
	return rc;
}

static enum rc
start(struct auth *a, struct err *e)
{
	struct sandbox	 s = { .kind = SANDBOX_LOOP,
		.user = a->process.config.user[0] != '\0' ?
		    a->process.config.user : NULL };
	enum rc		 rc;

	if (!network_of(&a->network, a->process.config.network,
	    strlen(a->process.config.network)))
		return err_set(e, "no network");
	if ((rc = secret_begin(e)) != RC_OK ||
	    (rc = open_vault(a, e)) != RC_OK ||
	    (rc = keys_new(&a->keys, e)) != RC_OK ||
	    (rc = repeat_new(&a->repeat, e)) != RC_OK ||
	    (rc = weights_new(&a->weights, e)) != RC_OK ||
	    (rc = accounts_new(&a->accounts, e)) != RC_OK)
		return rc;
	a->figures_timer.data = a;
	if (uv_timer_init(a->process.loop, &a->figures_timer) != 0 ||
	    uv_timer_start(&a->figures_timer, on_figures, 1000, 1000) != 0)
		return err_set(e, "libuv: no timer");
	return sandbox_enter(&s, e);
}

int
auth_main(int control)
{
	struct auth			*a = &room;
	const struct process_hooks	 hooks = { on_socket, on_reload,
		on_stop, a };
	struct err			 e;

	if (process_begin(&a->process, ROOM_AUTH, control, &e) != RC_OK)
		return 1;
	if (start(a, &e) != RC_OK) {
		log_event(LOG_BROKEN, "start", "why", 's', e.text, NULL);
		return 1;
	}
	return process_run(&a->process, &hooks);
}
