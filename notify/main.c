/*
 * The room that speaks to customers: mail, SMS, a webhook.
 *
 * It knows no secret of theirs; what it sends was written by auth.  It alone
 * may connect out and run programs, which is why nothing else happens here.
 * A notice is tried four times over a quarter of an hour; then auth is told
 * that it did not arrive.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/secret.h"
#include "link/channel.h"
#include "link/process.h"
#include "notify/post.h"
#include "notify/run.h"

#define JOBS_MAX	1000
#define TRIES_MAX	4
#define TO_MAX		512
#define SUBJECT_MAX	300
#define TEXT_MAX	16384
#define SECRET_MAX	256

struct notify {
	struct process	 process;
	struct channel	*auth;
	char		*secret;	/* of the webhook */
	size_t		 secret_len;
	int		 n_jobs;
	bool		 stopping;
};

struct job {
	struct notify	*of;
	uint64_t	 tag;
	char		 way[8];	/* "mail", "sms", "hook" */
	char		 to[TO_MAX];
	char		 subject[SUBJECT_MAX];
	char		 text[TEXT_MAX];
	char		 id[80];
	struct config	 config;	/* as it was: a reload is for others */
	int		 tries;
	enum rc		 rc;
	struct err	 why;
	uv_work_t	 work;
	uv_timer_t	 again;
};

/* Sending, on a worker thread */

static enum rc
mail(struct job *j, struct err *e)
{
	const struct config	*c = &j->config;
	char			 message[2 * TEXT_MAX], date[64];
	struct tm		 tm;
	time_t			 now = time(NULL);

	if (c->mail_command[0] != '\0')
		return run_program(c->mail_command, j->to, j->subject,
		    j->text, e);
	if (c->smtp[0] == '\0')
		return err_set(e, "neither smtp nor mail-command is "
		    "configured");
	if (!post_is_address(j->to) || !post_is_address(c->mail_from))
		return err_set(e, "an address that no mail can go to");
	(void)gmtime_r(&now, &tm);
	(void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000",
	    &tm);
	if (post_message(message, sizeof(message), c->mail_from, j->to,
	    j->subject, j->text, j->id, date) == 0)
		return err_set(e, "too long");
	return post_mail(c->smtp, c->mail_from, j->to, message, e);
}

static enum rc
sms(const struct job *j, struct err *e)
{
	if (j->config.sms_command[0] == '\0')
		return err_set(e, "no sms-command is configured");
	return run_program(j->config.sms_command, j->to, NULL, j->text, e);
}

static void
work(uv_work_t *w)
{
	struct job	*j = w->data;
	struct notify	*n = j->of;

	if (strcmp(j->way, "mail") == 0)
		j->rc = mail(j, &j->why);
	else if (strcmp(j->way, "sms") == 0)
		j->rc = sms(j, &j->why);
	else
		j->rc = post_hook(j->config.webhook, j->text, n->secret,
		    n->secret_len, (long)time(NULL), &j->why);
}

/* Jobs */

static void
job_gone(uv_handle_t *h)
{
	struct job	*j = h->data;
	struct notify	*n = j->of;

	n->n_jobs--;
	free(j);
	if (n->stopping && n->n_jobs == 0)
		process_end(&n->process, 0);
}

static void
tell(const struct job *j)
{
	struct message	 m;

	if (j->of->auth == NULL)
		return;
	message_clear(&m, MESSAGE_SENT, j->tag);
	m.status = j->rc != RC_OK;
	if (j->rc != RC_OK)
		m.reason = text_of(j->why.text);
	channel_send(j->of->auth, &m);
}

static void	done(uv_work_t *w, int status);

static void
go(struct job *j)
{
	j->tries++;
	if (uv_queue_work(j->of->process.loop, &j->work, work, done) != 0) {
		j->rc = err_set(&j->why, "no worker");
		tell(j);
		uv_close((uv_handle_t *)&j->again, job_gone);
	}
}

static void
on_again(uv_timer_t *t)
{
	go(t->data);
}

static void
done(uv_work_t *w, int status)
{
	/* After 1 s, 30 s and a quarter of an hour. */
	static const uint64_t	 later_ms[TRIES_MAX] = { 1000, 30000, 900000,
		0 };
	struct job		*j = w->data;

	(void)status;
	if (j->rc != RC_OK && j->tries < TRIES_MAX && !j->of->stopping) {
		log_event(LOG_INFO_, "try_again", "way", 's', j->way, "id",
		    's', j->id, "why", 's', j->why.text, NULL);
		(void)uv_timer_start(&j->again, on_again,
		    later_ms[j->tries - 1], 0);
		return;
	}
	log_event(j->rc == RC_OK ? LOG_INFO_ : LOG_ODD, j->rc == RC_OK ?
	    "sent" : "not_sent", "way", 's', j->way, "id", 's', j->id, "why",
	    's', j->rc == RC_OK ? "" : j->why.text, NULL);
	tell(j);
	uv_close((uv_handle_t *)&j->again, job_gone);
}

static bool
copy(char *to, size_t room, struct text t)
{
	if (t.len >= room || (t.len > 0 && memchr(t.p, '\0', t.len) != NULL))
		return false;
	if (t.len > 0)
		memcpy(to, t.p, t.len);
	to[t.len] = '\0';
	return true;
}

static bool
fill(struct job *j, const struct message *m)
{
	return copy(j->way, sizeof(j->way), m->name) &&
	    copy(j->to, sizeof(j->to), m->target) &&
	    copy(j->subject, sizeof(j->subject), m->reason) &&
	    copy(j->text, sizeof(j->text), m->body) &&
	    copy(j->id, sizeof(j->id), m->id) && post_is_line(j->to) &&
	    post_is_line(j->subject) && post_is_line(j->id) &&
	    j->to[0] != '-';
}

static void
refuse(struct notify *n, uint64_t tag, const char *why)
{
	struct message	 m;

	log_event(LOG_ODD, "not_sent", "why", 's', why, NULL);
	message_clear(&m, MESSAGE_SENT, tag);
	m.status = 1;
	m.reason = text_of(why);
	channel_send(n->auth, &m);
}

static void
on_send(void *ctx, struct channel *c, const struct message *m)
{
	struct notify	*n = ctx;
	struct job	*j;

	(void)c;
	if (n->n_jobs == JOBS_MAX || n->stopping ||
	    (j = calloc(1, sizeof(*j))) == NULL) {
		refuse(n, m->tag, "too many notices wait to be sent");
		return;
	}
	if (!fill(j, m)) {
		free(j);
		refuse(n, m->tag, "a notice that is too long, or holds what "
		    "no notice holds");
		return;
	}
	j->of = n;
	j->tag = m->tag;
	j->config = n->process.config;
	j->work.data = j->again.data = j;
	(void)uv_timer_init(n->process.loop, &j->again);
	n->n_jobs++;
	go(j);
}

/* The process */

static void
on_spoken(void *ctx, struct channel *c, const struct message *m)
{
	(void)ctx;
	(void)c;
	(void)m;
}

static channel_handler	*const auth_says[MESSAGE__END] = {
	[MESSAGE_SPOKEN] = on_spoken,
	[MESSAGE_SEND] = on_send,
};

static void
on_closed(void *ctx, struct channel *c, const struct err *why)
{
	struct notify	*n = ctx;

	(void)c;
	log_event(LOG_INFO_, "link_lost", "room", 's', "auth", "why", 's',
	    why != NULL ? why->text : "", NULL);
	channel_free(&n->auth);
}

static void
on_socket(void *ctx, enum process_socket what, enum room peer, int fd)
{
	struct notify		*n = ctx;
	struct channel_config	 cfg = { n->process.loop, fd, ROOM_NOTIFY,
		ROOM_AUTH, auth_says, on_closed, NULL, NULL, n };
	struct err		 e;

	if (what != SOCKET_LINK || peer != ROOM_AUTH) {
		(void)close(fd);
		return;
	}
	channel_free(&n->auth);
	if (channel_new(&n->auth, &cfg, &e) != RC_OK) {
		log_event(LOG_BROKEN, "link", "why", 's', e.text, NULL);
		process_end(&n->process, 1);
		return;
	}
	process_ready(&n->process);
}

static void
on_reload(void *ctx, const struct config *c)
{
	struct notify	*n = ctx;

	n->process.config = *c;
}

/* What waits for another try is given up: nobody waits for a quarter of an
 * hour. */
static void
give_up(uv_handle_t *h, void *ctx)
{
	struct job	*j = h->data;

	(void)ctx;
	if (h->type == UV_TIMER && uv_is_active(h) &&
	    ((uv_timer_t *)h)->timer_cb == on_again) {
		tell(j);
		uv_close(h, job_gone);
	}
}

static void
on_stop(void *ctx)
{
	struct notify	*n = ctx;

	n->stopping = true;
	uv_walk(n->process.loop, give_up, n);
	if (n->n_jobs == 0)
		process_end(&n->process, 0);
}

/* The programs that may be run: those of the start.  Others want a new
 * start, which the sandbox does not outlive. */
static void
name_programs(const struct config *c, const char *paths[3])
{
	int	 n = 0;

	if (c->mail_command[0] != '\0')
		paths[n++] = c->mail_command;
	if (c->sms_command[0] != '\0')
		paths[n++] = c->sms_command;
	paths[n] = NULL;
}

static enum rc
read_secret(struct notify *n, struct err *e)
{
	const char	*path = n->process.config.webhook_secret;
	ssize_t		 got;
	int		 fd;

	if (path[0] == '\0')
		return RC_OK;
	if ((n->secret = secret_new(SECRET_MAX)) == NULL)
		return err_set(e, "no locked memory");
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return err_set(e, "%s: %s", path, strerror(errno));
	got = read(fd, n->secret, SECRET_MAX);
	(void)close(fd);
	while (got > 0 && n->secret[got - 1] == '\n')
		got--;
	if (got < 16)
		return err_set(e, "%s: a secret of at least 16 bytes is "
		    "wanted", path);
	n->secret_len = (size_t)got;
	return RC_OK;
}

int
notify_main(int control)
{
	static struct notify		 n;
	const char			*programs[3];
	struct sandbox			 s = { .kind = SANDBOX_RUN,
		.files_max = 256 };
	const struct process_hooks	 hooks = { on_socket, on_reload,
		on_stop, &n };
	struct err			 e;

	if (process_begin(&n.process, ROOM_NOTIFY, control, &e) != RC_OK)
		return 1;
	(void)signal(SIGPIPE, SIG_IGN);
	name_programs(&n.process.config, programs);
	s.read = programs;
	s.user = n.process.config.user[0] != '\0' ? n.process.config.user :
	    NULL;
	if (secret_begin(&e) != RC_OK || post_begin(&e) != RC_OK ||
	    read_secret(&n, &e) != RC_OK || sandbox_enter(&s, &e) != RC_OK) {
		log_event(LOG_BROKEN, "start", "why", 's', e.text, NULL);
		return 1;
	}
	return process_run(&n.process, &hooks);
}
