#include "signer/relay/hub.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/secret.h"
#include "signer/relay/line.h"

#define MEMORY_MAX	((size_t)512 << 20)
#define FDS_MAX		2

struct hub {
	int		 control;
	struct line	*requests, *custodian;
	bool		 told_ready;
};

static int64_t
now_ms(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Messages with descriptors */

union control_room {
	struct cmsghdr	 align;
	char		 buf[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

enum rc
hub_tell(int control, char what, const int *fds, size_t n, struct err *e)
{
	union control_room	 room;
	struct iovec		 v = { &what, 1 };
	struct msghdr		 h = { .msg_iov = &v, .msg_iovlen = 1 };
	struct cmsghdr		*cm;

	assert(n <= FDS_MAX);
	if (n > 0) {
		memset(&room, 0, sizeof(room));
		h.msg_control = room.buf;
		h.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cm = CMSG_FIRSTHDR(&h);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(cm), fds, n * sizeof(int));
	}
	if (sendmsg(control, &h, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
		return err_set(e, "it does not listen: %s", strerror(errno));
	return RC_OK;
}

/* Descriptors that came; what does not fit what was said ends the process:
 * only our own starter speaks here. */
static void
take(struct hub *h, char what, const int *fds, size_t n)
{
	int64_t	 now = now_ms();

	if (what == HUB_SIGNER && n == 2) {
		line_upstream(h->requests, fds[0], now);
		line_upstream(h->custodian, fds[1], now);
		h->told_ready = false;
	} else if (what == HUB_DOOR && n == 1) {
		line_join(h->requests, fds[0], now);
	} else {
		log_event(LOG_BROKEN, "ends", "why", 's', "its starter said "
		    "what it does not know", NULL);
		_exit(1);
	}
}

/* False: nothing was there. */
static bool
listen_to_starter(struct hub *h, int flags)
{
	union control_room	 room;
	char			 what = 0;
	struct iovec		 v = { &what, 1 };
	struct msghdr		 m = { .msg_iov = &v, .msg_iovlen = 1 };
	struct cmsghdr		*cm;
	int			 fds[FDS_MAX];
	size_t			 n_fds = 0;
	ssize_t			 n;

	memset(&room, 0, sizeof(room));
	m.msg_control = room.buf;
	m.msg_controllen = sizeof(room.buf);
	n = recvmsg(h->control, &m, MSG_CMSG_CLOEXEC | flags);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	/* It is gone, and with it all reason to be here. */
	if (n <= 0)
		_exit(0);
	cm = CMSG_FIRSTHDR(&m);
	if (cm != NULL && cm->cmsg_level == SOL_SOCKET &&
	    cm->cmsg_type == SCM_RIGHTS) {
		n_fds = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(cm), n_fds * sizeof(int));
	}
	take(h, what, fds, n_fds);
	return true;
}

static void
say(struct hub *h, char what)
{
	struct err	 e;

	if (hub_tell(h->control, what, NULL, 0, &e) != RC_OK)
		log_event(LOG_ODD, "unheard", "why", 's', e.text, NULL);
}

static void
judge(struct hub *h, struct line *l)
{
	struct err	 why;

	if (!line_broken(l, &why))
		return;
	log_event(LOG_BROKEN, "signer-broken", "why", 's', why.text, NULL);
	say(h, HUB_BROKEN);
}

static void
turn(struct hub *h)
{
	struct pollfd	 p[2 * LINE_FDS + 1];
	int		 a, b;

	a = line_turn(h->requests, now_ms());
	b = line_turn(h->custodian, now_ms());
	judge(h, h->requests);
	judge(h, h->custodian);
	if (!h->told_ready && line_ready(h->requests) &&
	    line_ready(h->custodian)) {
		h->told_ready = true;
		say(h, HUB_READY);
	}
	line_fds(h->requests, p);
	line_fds(h->custodian, p + LINE_FDS);
	p[2 * LINE_FDS].fd = h->control;
	p[2 * LINE_FDS].events = POLLIN;
	p[2 * LINE_FDS].revents = 0;
	if (poll(p, 2 * LINE_FDS + 1, a < b ? a : b) <= 0)
		return;
	/* The custodian first: a halt must not wait. */
	line_serve(h->custodian, p + LINE_FDS, now_ms());
	line_serve(h->requests, p, now_ms());
	if (p[2 * LINE_FDS].revents != 0)
		(void)listen_to_starter(h, MSG_DONTWAIT);
}

static enum rc
begin(struct hub *h, int requests, int custodian, struct err *e)
{
	struct sandbox		 s = { .kind = SANDBOX_ACCEPT,
				    .memory_max = MEMORY_MAX,
				    .files_max = 128 };
	struct line_config	 c = { .name = "requests",
				    .listener = requests, .probe = true };

	if (secret_begin(e) != RC_OK ||
	    line_new(&h->requests, &c, e) != RC_OK)
		return RC_FAILED;
	c.name = "custodian";
	c.custodian = true;
	c.listener = custodian;
	if (line_new(&h->custodian, &c, e) != RC_OK)
		return RC_FAILED;
	return sandbox_enter(&s, e);
}

void
hub_main(int control, int requests, int custodian)
{
	struct hub	 h = { .control = control };
	struct err	 e;

	log_begin("signer-hub", LOG_INFO_);
	if (begin(&h, requests, custodian, &e) != RC_OK) {
		log_event(LOG_BROKEN, "ends", "why", 's', e.text, NULL);
		_exit(1);
	}
	/* Nothing is read from outside before the signer is there. */
	while (!line_connected(h.requests))
		(void)listen_to_starter(&h, 0);
	for (;;)
		turn(&h);
}
