#define _GNU_SOURCE
#include "parent/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/sandbox_inner.h"

#define CONTROL_FD	3
#define CONFIG_ROOM	16384
#define ENV_MAX		64

extern char	**environ;

static const struct room_main {
	enum room	 room;
	int		(*main)(int control);
} mains[] = {
	{ ROOM_API, api_main },
	{ ROOM_AUTH, auth_main },
	{ ROOM_ENGINE, engine_main },
	{ ROOM_CONSOLE, console_main },
	{ ROOM_NOTIFY, notify_main },
};

int
child_main(const char *room, const char *fd)
{
	char	 name[32];
	size_t	 i;

	for (i = 0; i < sizeof(mains) / sizeof(mains[0]); i++) {
		if (strcmp(room, room_text(mains[i].room)) != 0)
			continue;
		if (fd[0] < '3' || fd[0] > '9' || fd[1] != '\0')
			break;
		/* What `ps -e` and `top` show: 15 characters. */
		(void)snprintf(name, sizeof(name), "dbridge:%s", room);
		(void)prctl(PR_SET_NAME, name);
		return mains[i].main(fd[0] - '0');
	}
	(void)fprintf(stderr, "drawbridged: --room is for drawbridged "
	    "itself\n");
	return 2;
}

static enum rc	 say(struct child *c, enum message_type type,
    const struct config *conf, bool only_reads, struct err *e);

/* Starting */

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/*
 * A child gets what it needs and nothing that the person who started us had
 * lying around.  Where the master key lies concerns only auth.
 */
static bool
may_have(const char *var, enum room room)
{
	static const char *const	 names[] = { "DRAWBRIDGE_",
					    "JOURNAL_STREAM=",
#if SANDBOX_SANITIZED
					    "ASAN_OPTIONS=", "LSAN_OPTIONS=",
					    "UBSAN_OPTIONS=",
#endif
					    "LC_ALL=", "PATH=" };
	size_t				 i;

	if (begins(var, "CREDENTIALS_DIRECTORY=") ||
	    begins(var, "DRAWBRIDGE_PASSPHRASE"))
		return room == ROOM_AUTH;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (begins(var, names[i]))
			return true;
	}
	return false;
}

static void
environment(char *env[ENV_MAX + 1], enum room room)
{
	char	**e;
	size_t	  n = 0;

	for (e = environ; *e != NULL && n < ENV_MAX; e++) {
		if (may_have(*e, room))
			env[n++] = *e;
	}
	env[n] = NULL;
}

static void __attribute__((noreturn))
become(enum room room, int control, pid_t parent, char *const env[])
{
	char		 title[40], name[16], fd[2] = { '0' + CONTROL_FD, 0 };
	char		 option[] = "--room";
	char		*argv[] = { title, option, name, fd, NULL };
	sigset_t	 none;
	int		 null;

	(void)snprintf(title, sizeof(title), "drawbridged: %s",
	    room_text(room));
	(void)snprintf(name, sizeof(name), "%s", room_text(room));
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* A child outlives nobody.  If its parent was gone before this, the
	 * control's end says so. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	/* Standard output is for the one line of the parent. */
	null = open("/dev/null", O_RDWR);
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) == -1)
		_exit(1);
	if (control == CONTROL_FD)
		(void)fcntl(control, F_SETFD, 0);
	else if (dup2(control, CONTROL_FD) == -1)
		_exit(1);
	(void)close_range(CONTROL_FD + 1, ~0U, 0);
	(void)execve("/proc/self/exe", argv, env);
	_exit(1);
}

enum rc
child_start(struct child *c, const struct config *conf, bool only_reads,
    int64_t now_ms, struct err *e)
{
	char		*env[ENV_MAX + 1];
	int		 fds[2];
	pid_t		 pid, self = getpid();

	assert(c->pid == 0);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return err_set(e, "a socket: %s", strerror(errno));
	environment(env, c->room);
	if ((pid = fork()) == 0)
		become(c->room, fds[1], self, env);
	(void)close(fds[1]);
	if (pid == -1) {
		(void)err_set(e, "fork: %s", strerror(errno));
		(void)close(fds[0]);
		return RC_FAILED;
	}
	c->pid = pid;
	c->control = fds[0];
	c->ready = false;
	c->started_ms = now_ms;
	c->alive_ms = c->aborted_ms = c->start_ms = 0;
	c->slow_told = false;
	c->said_len = 0;
	c->starts++;
	return say(c, MESSAGE_CONFIG, conf, only_reads, e);
}

void
child_forget(struct child *c)
{
	if (c->control != -1)
		(void)close(c->control);
	c->control = -1;
	c->pid = 0;
	c->ready = false;
}

/* Telling */

/* `fd` -1: none. */
static enum rc
put(struct child *c, const struct message *m, int fd, struct err *e)
{
	static unsigned char	 frame[CONFIG_ROOM + 1024];
	union {
		struct cmsghdr	 align;
		char		 buf[CMSG_SPACE(sizeof(int))];
	}			 space;
	struct iovec		 v = { frame, 0 };
	struct msghdr		 h = { .msg_iov = &v, .msg_iovlen = 1 };
	struct cmsghdr		*cm;
	ssize_t			 n;

	assert(message_allowed(m->type, ROOM_PARENT, c->room));
	assert(message_room(m) <= sizeof(frame));
	v.iov_len = message_pack(m, frame);
	if (fd != -1) {
		memset(&space, 0, sizeof(space));
		h.msg_control = space.buf;
		h.msg_controllen = sizeof(space.buf);
		cm = CMSG_FIRSTHDR(&h);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	}
	do
		n = sendmsg(c->control, &h, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(e, "it does not listen: %s", strerror(errno));
	/* The rest of a frame would have to wait, and we wait for nobody. */
	if ((size_t)n < v.iov_len)
		return err_set(e, "it does not listen");
	return RC_OK;
}

static enum rc
say(struct child *c, enum message_type type, const struct config *conf,
    bool only_reads, struct err *e)
{
	static char	 text[CONFIG_ROOM];
	struct message	 m;
	int		 len;

	message_clear(&m, type, 0);
	if (conf != NULL) {
		if ((len = config_print(conf, text, sizeof(text))) < 0)
			return err_set(e, "a configuration of more than %d "
			    "bytes", CONFIG_ROOM);
		m.body.p = text;
		m.body.len = (size_t)len;
	}
	if (only_reads)
		m.number = 1;
	return put(c, &m, -1, e);
}

enum rc
child_say(struct child *c, enum message_type type, const struct config *conf,
    struct err *e)
{
	return say(c, type, conf, false, e);
}

enum rc
child_send_socket(struct child *c, enum process_socket what, enum room peer,
    int fd, struct err *e)
{
	struct message	 m;

	message_clear(&m, MESSAGE_SOCKET, 0);
	m.status = what;
	if (what == SOCKET_LINK)
		m.number = peer;
	return put(c, &m, fd, e);
}

/* Listening */

static bool
is_frame(const unsigned char *said, enum message_type type)
{
	unsigned char	 frame[1024];
	struct message	 m;

	message_clear(&m, type, 0);
	assert(message_room(&m) <= sizeof(frame));
	return message_pack(&m, frame) == CHILD_FRAME &&
	    memcmp(frame, said, CHILD_FRAME) == 0;
}

enum rc
child_listen(struct child *c, int64_t now_ms, struct err *e)
{
	ssize_t	 n;
	int	 i;

	/* Some at a time: others want to be heard, too. */
	for (i = 0; i < 16; i++) {
		n = recv(c->control, c->said + c->said_len,
		    sizeof(c->said) - c->said_len, MSG_DONTWAIT);
		if (n == 0) {
			(void)close(c->control);
			c->control = -1;
			return RC_OK;
		}
		if (n < 0)
			return RC_OK;
		c->said_len += (size_t)n;
		if (c->said_len < sizeof(c->said))
			continue;
		c->said_len = 0;
		if (is_frame(c->said, MESSAGE_READY))
			c->ready = c->ran = true;
		else if (is_frame(c->said, MESSAGE_ALIVE))
			c->alive_ms = now_ms;
		else
			return err_set(e, "it said something else than that "
			    "it is ready or alive");
	}
	return RC_OK;
}
