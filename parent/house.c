#include "parent/house.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"

#define SECOND_MS	1000
#define MINUTE_MS	(60 * SECOND_MS)
#define SILENT_MS	(30 * SECOND_MS)	/* a loop that does not turn */
#define ABORTED_MS	(5 * SECOND_MS)	/* and then does not even die */
#define BACK_OFF_MAX_S	30
#define QUICK_ENDS	3
#define NEVER_MS	INT64_MAX

/* How long each may take to finish; the engine writes a snapshot. */
static const struct {
	enum room	 room;
	int64_t		 stop_ms;
} order[HOUSE_ROOMS] = {
	{ ROOM_API, 10 * SECOND_MS },
	{ ROOM_CONSOLE, 5 * SECOND_MS },
	{ ROOM_AUTH, 10 * SECOND_MS },
	{ ROOM_NOTIFY, 10 * SECOND_MS },
	{ ROOM_ENGINE, 120 * SECOND_MS },
};

/* Who talks to whom. */
static const enum room links[][2] = {
	{ ROOM_API, ROOM_AUTH },
	{ ROOM_AUTH, ROOM_ENGINE },
	{ ROOM_CONSOLE, ROOM_ENGINE },
	{ ROOM_CONSOLE, ROOM_AUTH },
	{ ROOM_AUTH, ROOM_NOTIFY },
};

void
house_new(struct house *h, const struct config *c)
{
	int	 i;

	memset(h, 0, sizeof(*h));
	h->config = *c;
	h->http = h->metrics = h->local = -1;
	h->stopping = -1;
	for (i = 0; i < HOUSE_ROOMS; i++) {
		h->rooms[i].room = order[i].room;
		h->rooms[i].control = -1;
	}
}

static struct child *
of_room(struct house *h, enum room room)
{
	int	 i;

	for (i = 0; i < HOUSE_ROOMS; i++) {
		if (h->rooms[i].room == room)
			return &h->rooms[i];
	}
	assert(!"a room");
	return NULL;
}

static bool
is_there(const struct child *c)
{
	return c->pid != 0 && c->control != -1;
}

/* It will be started again when it is gone. */
static void
end_it(struct child *c, const char *why)
{
	log_event(LOG_BROKEN, "killed", "room", 's', room_text(c->room),
	    "why", 's', why, NULL);
	if (c->pid != 0)
		(void)kill(c->pid, SIGKILL);
}

/* Starting and connecting */

static void
give(struct child *c, enum process_socket what, enum room peer, int fd)
{
	struct err	 e;

	if (child_send_socket(c, what, peer, fd, &e) != RC_OK)
		end_it(c, e.text);
}

/* New ends for both: whatever was under way on the link before is gone with
 * the one that ended. */
static void
connect_to_others(struct house *h, struct child *c)
{
	struct child	*a, *b;
	size_t		 i;
	int		 fds[2];

	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		a = of_room(h, links[i][0]);
		b = of_room(h, links[i][1]);
		if ((a != c && b != c) || !is_there(a) || !is_there(b))
			continue;
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
		    fds) != 0) {
			end_it(c, strerror(errno));
			return;
		}
		give(a, SOCKET_LINK, b->room, fds[0]);
		give(b, SOCKET_LINK, a->room, fds[1]);
		(void)close(fds[0]);
		(void)close(fds[1]);
	}
}

static void
give_listeners(struct house *h, struct child *c)
{
	if (c->room == ROOM_API && h->http != -1)
		give(c, SOCKET_HTTP, ROOM_PARENT, h->http);
	if (c->room == ROOM_API && h->metrics != -1)
		give(c, SOCKET_METRICS, ROOM_PARENT, h->metrics);
	if (c->room == ROOM_CONSOLE && h->local != -1)
		give(c, SOCKET_LOCAL, ROOM_PARENT, h->local);
}

static int64_t
back_off_ms(int starts)
{
	int64_t	 s = 1;

	if (starts <= 1)
		return 0;
	while (--starts > 1 && s < BACK_OFF_MAX_S)
		s *= 2;
	return (s < BACK_OFF_MAX_S ? s : BACK_OFF_MAX_S) * SECOND_MS;
}

static void
start(struct house *h, struct child *c, int64_t now_ms)
{
	struct err	 e;

	if (child_start(c, &h->config, c->room == ROOM_ENGINE &&
	    h->only_reads, now_ms, &e) != RC_OK) {
		log_event(LOG_BROKEN, "not-started", "room", 's',
		    room_text(c->room), "why", 's', e.text, NULL);
		if (c->pid != 0)
			(void)kill(c->pid, SIGKILL);
		else
			c->start_ms = now_ms + back_off_ms(c->starts + 2);
		return;
	}
	give_listeners(h, c);
	connect_to_others(h, c);
	log_event(LOG_DEBUG_, "started", "room", 's', room_text(c->room),
	    "pid", 'd', (int64_t)c->pid, NULL);
}

void
house_start(struct house *h, int64_t now_ms)
{
	int	 i;

	for (i = 0; i < HOUSE_ROOMS; i++)
		start(h, &h->rooms[i], now_ms);
}

/* Ending */

static void
tell_end(const struct child *c, int wait_status, bool wanted)
{
	enum log_level	 level = wanted && WIFEXITED(wait_status) &&
	    WEXITSTATUS(wait_status) == 0 ? LOG_INFO_ : LOG_BROKEN;

	if (WIFSIGNALED(wait_status))
		log_event(level, "ended", "room", 's', room_text(c->room),
		    "signal", 's', strsignal(WTERMSIG(wait_status)), NULL);
	else
		log_event(level, "ended", "room", 's', room_text(c->room),
		    "status", 'd', (int64_t)WEXITSTATUS(wait_status), NULL);
}

/*
 * The engine's assertion stops payments, not reads: when it dies again and
 * again, what it starts from cannot be used.
 */
static void
count_end(struct house *h, struct child *c, int64_t now_ms)
{
	bool	 quick = now_ms - c->started_ms < MINUTE_MS;

	if (!quick)
		c->starts = 1;
	c->quick_ends = quick ? c->quick_ends + 1 : 0;
	if (c->room != ROOM_ENGINE || h->only_reads ||
	    c->quick_ends < QUICK_ENDS)
		return;
	h->only_reads = true;
	log_event(LOG_BROKEN, "only-reads", "why", 's', "the engine ended "
	    "three times within a minute of its start; payments stop until "
	    "drawbridged is started anew", NULL);
}

void
house_ended(struct house *h, pid_t pid, int wait_status, int64_t now_ms)
{
	struct child	*c = NULL;
	int		 i;

	for (i = 0; i < HOUSE_ROOMS; i++) {
		if (h->rooms[i].pid == pid)
			c = &h->rooms[i];
	}
	if (c == NULL)
		return;
	tell_end(c, wait_status, h->stopping >= 0);
	child_forget(c);
	if (h->stopping >= 0)
		return;
	/* The first start of all: whoever sits before it wants to know. */
	if (!h->all_ready && !c->ran && WIFEXITED(wait_status)) {
		house_stop(h, 1, now_ms);
		return;
	}
	count_end(h, c, now_ms);
	c->start_ms = now_ms + back_off_ms(c->starts);
	if (c->start_ms == 0)
		c->start_ms = 1;
}

void
house_heard(struct house *h, struct child *c, int64_t now_ms)
{
	struct err	 e;
	bool		 was_ready = c->ready;

	(void)h;
	if (child_listen(c, now_ms, &e) != RC_OK)
		end_it(c, e.text);
	if (c->ready && !was_ready)
		log_event(LOG_INFO_, "ready", "room", 's',
		    room_text(c->room), "after_ms", 'd',
		    now_ms - c->started_ms, NULL);
}

/* A loop that does not turn is killed so that a core or a trace can tell
 * where it hung; returns when to look again. */
static int64_t
watch(struct child *c, int64_t now_ms)
{
	if (c->pid == 0)
		return NEVER_MS;
	if (c->aborted_ms != 0) {
		if (now_ms - c->aborted_ms < ABORTED_MS)
			return c->aborted_ms + ABORTED_MS;
		(void)kill(c->pid, SIGKILL);
		return NEVER_MS;
	}
	/* At its start it reads its journal first, which may be long. */
	if (c->alive_ms == 0) {
		if (now_ms - c->started_ms < SILENT_MS)
			return c->started_ms + SILENT_MS;
		if (!c->slow_told)
			log_event(LOG_ODD, "slow", "room", 's',
			    room_text(c->room), "why", 's',
			    "it has not begun to work after 30 s", NULL);
		c->slow_told = true;
		return NEVER_MS;
	}
	if (now_ms - c->alive_ms < SILENT_MS)
		return c->alive_ms + SILENT_MS;
	log_event(LOG_BROKEN, "hangs", "room", 's', room_text(c->room),
	    "silent_ms", 'd', now_ms - c->alive_ms, NULL);
	(void)kill(c->pid, SIGABRT);
	c->aborted_ms = now_ms;
	return now_ms + ABORTED_MS;
}

static void
begin_stop(struct house *h, struct child *c, int64_t now_ms)
{
	struct err	 e;

	h->stop_ms = now_ms + order[h->stopping].stop_ms;
	if (h->hurry || !is_there(c) || !c->ready ||
	    child_say(c, MESSAGE_STOP, NULL, &e) != RC_OK)
		h->stop_ms = now_ms;
}

/* One room after the other; returns when to look again. */
static int64_t
stop_turn(struct house *h, int64_t now_ms)
{
	struct child	*c;

	for (; h->stopping < HOUSE_ROOMS; h->stopping++) {
		c = &h->rooms[h->stopping];
		if (c->pid != 0 && h->stop_ms == 0)
			begin_stop(h, c, now_ms);
		if (c->pid != 0 && now_ms < h->stop_ms && !h->hurry)
			return h->stop_ms;
		if (c->pid != 0) {
			if (h->stop_ms != NEVER_MS) {
				log_event(LOG_ODD, "killed", "room", 's',
				    room_text(c->room), "why", 's',
				    "it did not stop", NULL);
				(void)kill(c->pid, SIGKILL);
			}
			h->stop_ms = NEVER_MS;
			return NEVER_MS;
		}
		h->stop_ms = 0;
	}
	return NEVER_MS;
}

int64_t
house_turn(struct house *h, int64_t now_ms)
{
	int64_t	 next = NEVER_MS, t;
	int	 i;

	if (h->stopping >= 0)
		return stop_turn(h, now_ms);
	for (i = 0; i < HOUSE_ROOMS; i++) {
		struct child	*c = &h->rooms[i];

		if (c->pid == 0 && c->start_ms != 0 && c->start_ms <= now_ms)
			start(h, c, now_ms);
		t = c->pid == 0 && c->start_ms != 0 ? c->start_ms :
		    watch(c, now_ms);
		if (t < next)
			next = t;
	}
	if (!h->all_ready && house_ready(h))
		h->all_ready = true;
	return next;
}

void
house_reload(struct house *h, const struct config *c)
{
	struct err	 e;
	int		 i;

	h->config = *c;
	for (i = 0; i < HOUSE_ROOMS; i++) {
		if (is_there(&h->rooms[i]) && child_say(&h->rooms[i],
		    MESSAGE_RELOAD, c, &e) != RC_OK)
			end_it(&h->rooms[i], e.text);
	}
}

void
house_stop(struct house *h, int status, int64_t now_ms)
{
	if (h->stopping >= 0) {
		h->hurry = true;
	} else {
		h->stopping = 0;
		h->stop_ms = 0;
		h->status = status;
	}
	(void)stop_turn(h, now_ms);
}

bool
house_empty(const struct house *h)
{
	return h->stopping >= HOUSE_ROOMS;
}

bool
house_ready(const struct house *h)
{
	int	 i;

	for (i = 0; i < HOUSE_ROOMS; i++) {
		if (!h->rooms[i].ready)
			return false;
	}
	return true;
}
