/*
 * The process: start, links, the beat, reload, stop.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bitcoin/address.h"
#include "engine/process/inner.h"
#include "engine/process/memory.h"
#include "engine/process/policies.h"
#include "lib/civil.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/secret.h"
#include "policy/shipped.h"

#define PATH_MAX_	512
#define BEAT_MS		50	/* how late what falls due may be */

static struct keeper	 keeper;

static void
on_spoken(void *ctx, struct channel *c, const struct message *m)
{
	(void)ctx;
	(void)c;
	(void)m;
}

/* What is taken */

static const struct text	 only_reads = {
	"{\"code\":-1008,\"msg\":\"Payments are stopped; only reading is "
	"possible.\",\"error\":\"payments are stopped: the engine cannot go "
	"on, and only reading is possible\"}", 0 };

static bool
may_take(struct keeper *k, struct channel *from, const struct message *m)
{
	struct text	 body = only_reads;

	if (k->journal != NULL && !k->stopping)
		return true;
	body.len = strlen(body.p);
	keeper_answer(k, from, m->tag, 503, body, 30);
	return false;
}

/* The sender has checked it; so do we. */
static bool
unpack(struct keeper *k, struct command *c, struct command_lists *lists,
    struct channel *from, const struct message *m)
{
	static const struct text	 bad = {
		"{\"code\":-1000,\"msg\":\"A command that cannot be read.\","
		"\"error\":\"a command that cannot be read\"}", 0 };
	struct text			 body = bad;
	struct err			 e;

	if (m->open.p != NULL && m->sealed.p != NULL && command_unpack(c,
	    lists, (const unsigned char *)m->open.p, m->open.len,
	    (const unsigned char *)m->sealed.p, m->sealed.len, &e) == RC_OK)
		return true;
	log_event(LOG_ODD, "unreadable", "from", 's',
	    room_text(keeper_room(k, from)), NULL);
	body.len = strlen(body.p);
	keeper_answer(k, from, m->tag, 500, body, 0);
	return false;
}

static void
on_take(void *ctx, struct channel *from, const struct message *m)
{
	static struct command_lists	 lists;
	struct keeper			*k = ctx;
	struct command			 c;

	if (!may_take(k, from, m) || !unpack(k, &c, &lists, from, m))
		return;
	if (endpoints[m->endpoint].security == SECURITY_DOOR)
		exchange_take(k, from, m, &c);
	else
		customers_take(k, from, m, &c);
}

static void
on_take_lines(void *ctx, struct channel *from, const struct message *m)
{
	struct keeper	*k = ctx;

	if (may_take(k, from, m))
		exchange_lines(k, from, m);
}

static void
on_act(void *ctx, struct channel *from, const struct message *m)
{
	static struct command_lists	 lists;
	struct keeper			*k = ctx;
	struct command			 c;

	if (may_take(k, from, m) && unpack(k, &c, &lists, from, m))
		operators_act(k, from, m, &c);
}

static void
on_custody(void *ctx, struct channel *from, const struct message *m)
{
	struct keeper	*k = ctx;

	if (may_take(k, from, m))
		custody_asked(k, from, m);
}

static void
on_batch(void *ctx, struct channel *c)
{
	(void)c;
	keeper_commit(ctx);
}

static void
on_drained(void *ctx, struct channel *c)
{
	(void)c;
	keeper_flow(ctx);
}

static channel_handler	*const auth_says[MESSAGE__END] = {
	[MESSAGE_SPOKEN] = on_spoken,
	[MESSAGE_TAKE] = on_take,
	[MESSAGE_TAKE_LINES] = on_take_lines,
	[MESSAGE_ACT] = on_act,
	[MESSAGE_QUERY] = reads_query,
	[MESSAGE_LOAD] = reads_load,
	[MESSAGE_USED] = reads_used,
};

static channel_handler	*const console_says[MESSAGE__END] = {
	[MESSAGE_SPOKEN] = on_spoken,
	[MESSAGE_ACT] = on_act,
	[MESSAGE_QUERY] = reads_query,
	[MESSAGE_LOAD] = reads_load,
	[MESSAGE_CUSTODY] = on_custody,
};

/* Links */

static void
on_closed(void *ctx, struct channel *c, const struct err *why)
{
	struct keeper	*k = ctx;
	enum room	 r = keeper_room(k, c);

	log_event(LOG_INFO_, "link_lost", "room", 's', room_text(r), "why", 's',
	    why != NULL ? why->text : "", NULL);
	channel_free(&k->to[r]);
}

static void
open_link(struct keeper *k, enum room peer, int fd)
{
	struct channel_config	 cfg = { k->process.loop, fd, ROOM_ENGINE,
		peer, peer == ROOM_AUTH ? auth_says : console_says,
		on_closed, on_drained, on_batch, k };
	struct err		 e;

	channel_free(&k->to[peer]);
	k->link[peer] = ++k->links;
	if (channel_new(&k->to[peer], &cfg, &e) != RC_OK) {
		log_event(LOG_BROKEN, "link", "why", 's', e.text, NULL);
		process_end(&k->process, 1);
	}
}

static void
on_socket(void *ctx, enum process_socket what, enum room peer, int fd)
{
	struct keeper	*k = ctx;

	if (what != SOCKET_LINK ||
	    (peer != ROOM_AUTH && peer != ROOM_CONSOLE)) {
		(void)close(fd);
		return;
	}
	if (k->ready) {
		open_link(k, peer, fd);
		return;
	}
	/* Nobody is heard before all that is in force is known. */
	if (k->waiting_fd[peer] != -1)
		(void)close(k->waiting_fd[peer]);
	k->waiting_fd[peer] = fd;
}

void
keeper_is_ready(struct keeper *k)
{
	int	 r;

	if (k->ready)
		return;
	k->ready = true;
	if (k->journal != NULL)
		k->operators->start_ms = keeper_now_ms(k);
	for (r = 0; r < ROOM__COUNT; r++) {
		if (k->waiting_fd[r] != -1)
			open_link(k, (enum room)r, k->waiting_fd[r]);
	}
	if (k->journal != NULL)
		policies_propose(k);
	custody_begin(k);
	process_ready(&k->process);
}

/* The beat */

/* A clock that ran ahead is not believed: somebody must look (H2). */
static void
tell_clock(struct keeper *k)
{
	int64_t	 refused = k->clock.refused_ms;

	if ((refused != 0) == (k->clock_told_ms != 0))
		return;
	if (refused != 0)
		log_event(LOG_BROKEN, "clock", "why", 's', "the wall clock "
		    "is further ahead than time has passed, and is not "
		    "believed; `clock` by an operator accepts it", "wall_ms",
		    'd', refused, "engine_ms", 'd', k->clock.now_ms, NULL);
	else
		log_event(LOG_INFO_, "clock", "engine_ms", 'd',
		    k->clock.now_ms, NULL);
	k->clock_told_ms = refused;
}

static void
on_beat(uv_timer_t *timer)
{
	struct keeper	*k = timer->data;
	struct command	 c;
	struct taken	 t;
	struct err	 e;

	if (k->journal == NULL || !k->ready || k->stopping)
		return;
	if (engine_next_due_ms(keeper_state(k)->engine) <=
	    keeper_now_ms(k)) {
		command_clear(&c, COMMAND_TICK, 0);
		if (keeper_take(k, &c, &t, &e) != RC_OK)
			log_event(LOG_ODD, "tick", "why", 's', e.text, NULL);
	}
	operators_due(k);
	tell_clock(k);
	notices_turn(k);
	keeper_commit(k);
}

/* "drawbridge_engine_NAME VALUE". */
static int
figure(char *at, size_t room, const char *name, int64_t value)
{
	int	 n = snprintf(at, room, "drawbridge_engine_%s %" PRId64 "\n",
	    name, value);

	assert(n > 0 && (size_t)n < room);
	return n;
}

static int
figures_text(char *text, size_t room, struct keeper *k)
{
	const struct engine	*e = keeper_state(k)->engine;
	struct figures		*f = &k->figures;
	struct engine_usage	 usage;
	struct db_stats		 db;
	char			 name[64];
	const struct {
		const char	*name;
		int64_t		 value;
	} of[] = {
		{ "taken_total", (int64_t)f->taken },
		{ "refused_total", (int64_t)f->refused },
		{ "queries_total", (int64_t)f->queries },
		{ "notices_total", (int64_t)f->notices },
		{ "notices_lost_total", (int64_t)f->notices_lost },
		{ "journal_seq", (int64_t)keeper_state(k)->seq },
		{ "durable_seq", (int64_t)keeper_durable(k) },
		{ "durable_count", (int64_t)f->held },
		{ "durable_us_total", (int64_t)f->held_us },
		{ "durable_us_most", (int64_t)f->held_most_us },
		{ "halted", engine_halted(e) },
		{ "hot_sat", engine_hot_sat(e) },
		{ "fund_sat", engine_fund_sat(e) },
		{ "next_due_ms", engine_next_due_ms(e) != INT64_MAX ?
		    engine_next_due_ms(e) : 0 },
		{ "time_ms", keeper_state(k)->t_ms },
		{ "clock_refused", k->clock.refused_ms != 0 },
		{ "links", k->to[ROOM_AUTH] != NULL },
		{ "book_seq", (int64_t)book_seq(k->book) },
		{ "held_bytes", (int64_t)k->held_bytes },
	};
	int	 len = 0;
	size_t	 i;

	engine_usage(e, &usage);
	journal_stats(k->journal, &db);
	for (i = 0; i <= VERDICT_HALT; i++) {
		(void)snprintf(name, sizeof(name),
		    "decided_total{verdict=\"%s\"}",
		    verdict_text((enum verdict)i));
		len += figure(text + len, room - (size_t)len, name,
		    (int64_t)f->verdicts[i]);
	}
	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		len += figure(text + len, room - (size_t)len, of[i].name,
		    of[i].value);
	len += figure(text + len, room - (size_t)len, "open_withdrawals",
	    (int64_t)usage.waiting);
	len += figure(text + len, room - (size_t)len, "accounts",
	    (int64_t)usage.accounts);
	len += figure(text + len, room - (size_t)len, "log_bytes",
	    (int64_t)db.log_bytes);
	f->held_most_us = 0;
	return len;
}

static void
on_figures(uv_timer_t *timer)
{
	struct keeper	*k = timer->data;
	char		 text[4096];
	struct message	 m;

	if (k->to[ROOM_AUTH] == NULL)
		return;
	message_clear(&m, MESSAGE_STATS, 0);
	m.body.p = text;
	/* What api says of the system's status. */
	m.body.len = (size_t)figure(text, sizeof(text), "up",
	    k->journal != NULL);
	if (k->journal != NULL)
		m.body.len += (size_t)figures_text(text + m.body.len,
		    sizeof(text) - m.body.len, k);
	channel_send(k->to[ROOM_AUTH], &m);
}

/* The end */

static void
on_stop(void *ctx)
{
	struct keeper	*k = ctx;
	struct err	 e;
	int		 status = 0;

	k->stopping = true;
	if (k->journal != NULL && journal_flush(k->journal, &e) != RC_OK)
		keeper_die(k, &e);
	keeper_durable_now(k);
	book_close(&k->book);
	again_free(&k->again);
	if (k->journal != NULL && journal_close(&k->journal, &e) != RC_OK) {
		log_event(LOG_BROKEN, "close", "why", 's', e.text, NULL);
		status = 1;
	}
	process_end(&k->process, status);
}

static void
on_reload(void *ctx, const struct config *c)
{
	struct keeper	*k = ctx;

	k->process.config = *c;
	if (k->journal != NULL && k->ready)
		policies_propose(k);
	if (k->ready)
		custody_begin(k);
}

/* The start */

static void
on_durable(void *ctx, uint64_t seq)
{
	struct keeper	*k = ctx;

	atomic_store(&k->durable, seq);
	(void)uv_async_send(&k->durable_async);
}

static void
on_durable_async(uv_async_t *a)
{
	keeper_durable_now(a->data);
}

static void
on_book_async(uv_async_t *a)
{
	reads_booked(a->data);
}

static void
on_progress(void *ctx, uint64_t done, uint64_t total)
{
	static time_t	 last, alive;
	struct keeper	*k = ctx;
	time_t		 now = time(NULL);

	/* Before the start nobody expects a loop that turns. */
	if (k->ready && now != alive)
		process_alive(&k->process);
	alive = now;
	if (last == 0 || now >= last + 10) {
		if (last != 0)
			log_event(LOG_INFO_, "rebuilding", "done", 'd',
			    (int64_t)done, "of", 'd', (int64_t)total, NULL);
		last = now;
	}
}

static enum rc
open_journal(struct keeper *k, struct err *e)
{
	const struct config	*c = &k->process.config;
	char			 url[PATH_MAX_], policy[PATH_MAX_];
	struct journal_config	 cfg = { .url = url, .policy_path = policy,
		.snapshot_every = (uint64_t)c->snapshot_every,
		.receipt_at_release = true, .durable = on_durable,
		.progress = on_progress, .ctx = k };
	enum network		 net = NETWORK_REGTEST;
	enum rc			 rc;

	(void)network_of(&net, c->network, strlen(c->network));
	(void)snprintf(url, sizeof(url), "%.255s/journal.db", c->data);
	cfg.network = (uint8_t)net;
	cfg.t_ms = keeper_wall_ms();
	cfg.create = access(url, F_OK) != 0;
	if ((rc = policies_path(c, policy, sizeof(policy), e)) != RC_OK ||
	    (rc = journal_open(&k->journal, &cfg, e)) != RC_OK)
		return rc;
	if (keeper_state(k)->genesis.network != cfg.network)
		return err_set(e, "%s: the journal is of network %s, the "
		    "configuration says %s", url, network_text(
		    (enum network)keeper_state(k)->genesis.network),
		    c->network);
	if ((rc = again_load(&k->again, url, keeper_keyring(k),
	    &keyring_secrets(keeper_keyring(k))->ids, e)) != RC_OK)
		return rc;
	atomic_store(&k->durable, keeper_state(k)->seq);
	clock_start(&k->clock, keeper_state(k)->t_ms, cfg.t_ms,
	    keeper_boot_ms(), -1);
	return RC_OK;
}

static enum rc
open_book(struct keeper *k, struct err *e)
{
	const struct config	*c = &k->process.config;
	char			 path[PATH_MAX_], url[PATH_MAX_];
	struct book_config	 cfg = { .path = path, .journal = url,
		.answered = reads_answered, .loaded = reads_loaded,
		.failed = reads_failed, .ctx = k };
	enum network		 net = NETWORK_REGTEST;

	(void)network_of(&net, c->network, strlen(c->network));
	(void)snprintf(path, sizeof(path), "%.255s/book.db", c->data);
	(void)snprintf(url, sizeof(url), "%.255s/journal.db", c->data);
	cfg.keys = k->journal != NULL ? keeper_keyring(k) : NULL;
	cfg.network = (uint8_t)net;
	cfg.as_it_is = k->process.only_reads;
	return book_open(&k->book, &cfg, e);
}

static enum rc
begin_loop(struct keeper *k, struct err *e)
{
	uv_loop_t	*loop = k->process.loop;

	k->durable_async.data = k->book_async.data = k;
	k->beat.data = k->figures_timer.data = k;
	if (uv_mutex_init(&k->book_lock) != 0 ||
	    uv_async_init(loop, &k->durable_async, on_durable_async) != 0 ||
	    uv_async_init(loop, &k->book_async, on_book_async) != 0 ||
	    uv_timer_init(loop, &k->beat) != 0 ||
	    uv_timer_init(loop, &k->figures_timer) != 0 ||
	    uv_timer_start(&k->beat, on_beat, BEAT_MS, BEAT_MS) != 0 ||
	    uv_timer_start(&k->figures_timer, on_figures, 1000, 1000) != 0)
		return err_set(e, "libuv: no loop");
	return RC_OK;
}

static enum rc
enter(struct keeper *k, struct err *e)
{
	const struct config	*c = &k->process.config;
	char			 policy[PATH_MAX_];
	const char		*write[] = { c->data, NULL };
	const char		*read[] = { policy, NULL };
	struct sandbox		 s = { .kind = SANDBOX_STORE,
		.user = c->user[0] != '\0' ? c->user : NULL, .write = write,
		.read = read };

	/* A policy's tables lie beside it. */
	if (policies_path(c, policy, sizeof(policy), e) != RC_OK)
		return RC_FAILED;
	policies_folder(policy);
	return sandbox_enter(&s, e);
}

static void
begin_reads(struct keeper *k)
{
	int64_t	 now = keeper_wall_ms();

	log_event(LOG_BROKEN, "only_reads", "why", 's', "the engine died "
	    "again and again; payments are stopped", NULL);
	clock_start(&k->clock, now, now, keeper_boot_ms(), -1);
}

static enum rc
start(struct keeper *k, struct err *e)
{
	enum rc	 rc;

	if ((rc = secret_begin(e)) != RC_OK || (rc = enter(k, e)) != RC_OK ||
	    (rc = begin_loop(k, e)) != RC_OK ||
	    (rc = operators_new(&k->operators, e)) != RC_OK ||
	    (rc = exchange_new(&k->exchange, e)) != RC_OK)
		return rc;
	if (k->process.only_reads)
		begin_reads(k);
	else if ((rc = open_journal(k, e)) != RC_OK)
		return rc;
	return open_book(k, e);
}

int
engine_main(int control)
{
	static struct keeper		*k = &keeper;
	const struct process_hooks	 hooks = { on_socket, on_reload,
		on_stop, k };
	struct err			 e;
	int				 r;

	k->last = &k->first;
	k->late_last = &k->late;
	k->booked_last = &k->booked;
	k->news_last = &k->news;
	for (r = 0; r < ROOM__COUNT; r++)
		k->waiting_fd[r] = -1;
	if (process_begin(&k->process, ROOM_ENGINE, control, &e) != RC_OK)
		return 1;
	if (start(k, &e) != RC_OK) {
		log_event(LOG_BROKEN, "start", "why", 's', e.text, NULL);
		return 1;
	}
	reads_begin(k);
	return process_run(&k->process, &hooks);
}
