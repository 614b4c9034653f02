/*
 * The relay's line between two clients and the other end, who write what they
 * like in pieces of any size.  What reaches the other end are whole frames
 * that may be said, under the relay's own tags; what reaches a client are
 * whole answers.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "signer/relay/line.h"
#include "wire/bytes.h"
#include "wire/sign.h"

#define HEARD_MAX	((size_t)64 << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends of ours: a client (there is one that joined), and the other end. */
enum { CLIENT, FAR, ENDS };

struct side {
	int		 fd;
	unsigned char	 heard[HEARD_MAX];
	size_t		 len;
};

static struct side	 sides[ENDS];
static uint64_t		 last_tag;

static void
must(bool good)
{
	if (!good)
		abort();
}

static int
pair(int i)
{
	int	 fds[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	sides[i].fd = fds[1];
	sides[i].len = 0;
	return fds[0];
}

static void
judge(int i, const unsigned char *p)
{
	enum sign_type	 type = (enum sign_type)p[4];

	if (i == FAR) {
		must(sign_allowed(type, false));
		must(get_le64(p + 5) == ++last_tag);
	} else {
		must(type == SIGN_DONE || type == SIGN_REFUSED);
	}
}

static void
hear(int i)
{
	struct side	*s = &sides[i];
	size_t		 want;
	ssize_t		 n;

	while (s->fd != -1 && s->len < HEARD_MAX &&
	    (n = read(s->fd, s->heard + s->len, HEARD_MAX - s->len)) > 0)
		s->len += (size_t)n;
	for (;;) {
		must(sign_message_len(&want, s->heard, s->len, NULL) ==
		    RC_OK);
		if (want == 0 || want > s->len)
			return;
		judge(i, s->heard);
		memmove(s->heard, s->heard + want, s->len - want);
		s->len -= want;
	}
}

static void
turn(struct line *l, int64_t now_ms)
{
	struct pollfd	 p[LINE_FDS];
	int		 i;

	for (i = 0; i < 4; i++) {
		(void)line_turn(l, now_ms);
		line_fds(l, p);
		if (poll(p, LINE_FDS, 0) <= 0)
			break;
		line_serve(l, p, now_ms);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line_config	 c = { .name = "fuzz", .listener = -1 };
	struct line		*l = NULL;
	struct err		 e;
	int64_t			 now_ms = 1000000;
	size_t			 at = 0, n;
	int			 who, i;

	if (size == 0 || size > 4096)
		return 0;
	log_begin("fuzz", LOG_BROKEN);
	(void)signal(SIGPIPE, SIG_IGN);
	c.probe = (data[at++] & 1) != 0;
	must(line_new(&l, &c, &e) == RC_OK);
	last_tag = 0;
	line_join(l, pair(CLIENT), now_ms);
	line_upstream(l, pair(FAR), now_ms);
	while (at < size) {
		who = data[at] & 3;
		n = data[at++] >> 2;
		if (n > size - at)
			n = size - at;
		if (who < ENDS) {
			/* It may be cut off by now. */
			(void)!write(sides[who].fd, data + at, n);
			at += n;
		} else if (who == 2) {
			now_ms += (int64_t)n * 1000;
		} else {
			hear((int)(n % ENDS));
			(void)close(sides[n % ENDS].fd);
			sides[n % ENDS].fd = -1;
			if (n % ENDS == CLIENT)
				line_join(l, pair(CLIENT), now_ms);
			else
				line_upstream(l, pair(FAR), now_ms);
		}
		turn(l, now_ms);
		for (i = 0; i < ENDS; i++)
			hear(i);
		(void)line_broken(l, &e);
	}
	line_free(&l);
	for (i = 0; i < ENDS; i++)
		(void)close(sides[i].fd);
	return 0;
}
