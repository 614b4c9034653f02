/*
 * http_load ADDRESS PORT CONNECTIONS FILE [REPEAT]: sends prepared requests
 * and measures the answers.
 *
 * FILE holds HTTP requests, each with its length before it (four bytes,
 * little-endian).  Every connection is kept and has one request under way at
 * a time; each request is sent once, for a signature is good once.  With
 * REPEAT the file is sent so many times over: for baselines that do not mind.
 * Prints one JSON object: what came back by status, seconds, and latencies.
 */
#define _GNU_SOURCE		/* strcasestr() */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX	4096
#define ANSWER_MAX	65536

struct connection {
	int		 fd;
	size_t		 got;		/* of the answer */
	size_t		 want;		/* 0: its head is not whole yet */
	uint64_t	 sent_ns;
	char		 answer[4096];	/* the head; the rest is dropped */
};

struct load {
	const unsigned char *bytes;
	size_t		 len;
	size_t		 at;
	long		 repeat;
	uint32_t	*us;		/* latencies */
	size_t		 n;
	size_t		 room;
	long		 ok, refused, broken;
	long		 under_way;
};

static struct connection	 connections[CONNECTIONS_MAX];

static uint64_t
now_ns(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
die(const char *what)
{
	(void)fprintf(stderr, "http_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
map(struct load *l, const char *path)
{
	struct stat	 st;
	int		 fd = open(path, O_RDONLY);
	void		*p;

	if (fd == -1 || fstat(fd, &st) == -1)
		die(path);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE |
	    MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		die(path);
	l->bytes = p;
	l->len = (size_t)st.st_size;
}

/* The next request; false: there are no more. */
static bool
next(struct load *l, const unsigned char **p, size_t *len)
{
	uint32_t	 n;

	if (l->at == l->len) {
		if (--l->repeat <= 0)
			return false;
		l->at = 0;
	}
	memcpy(&n, l->bytes + l->at, 4);
	*p = l->bytes + l->at + 4;
	*len = n;
	l->at += 4 + n;
	return true;
}

static void
ask(struct load *l, struct connection *c)
{
	const unsigned char	*p;
	size_t			 len;

	if (!next(l, &p, &len))
		return;
	c->got = c->want = 0;
	c->sent_ns = now_ns();
	if (send(c->fd, p, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("send");
	l->under_way++;
}

static void
count(struct load *l, struct connection *c)
{
	if (l->n == l->room) {
		l->room = l->room > 0 ? 2 * l->room : 1 << 20;
		l->us = realloc(l->us, l->room * sizeof(*l->us));
		if (l->us == NULL)
			die("memory");
	}
	l->us[l->n++] = (uint32_t)((now_ns() - c->sent_ns) / 1000);
	if (memcmp(c->answer, "HTTP/1.1 200", 12) == 0)
		l->ok++;
	else
		l->refused++;
	l->under_way--;
}

/* How long the answer will be, once its head is there. */
static void
measure(struct connection *c)
{
	char	*end, *field;

	c->answer[c->got < sizeof(c->answer) ? c->got :
	    sizeof(c->answer) - 1] = '\0';
	if ((end = strstr(c->answer, "\r\n\r\n")) == NULL)
		return;
	c->want = (size_t)(end - c->answer) + 4;
	field = strcasestr(c->answer, "\r\ncontent-length:");
	if (field != NULL && field < end)
		c->want += strtoul(field + 17, NULL, 10);
}

static bool
hear(struct load *l, struct connection *c)
{
	char	 more[ANSWER_MAX];
	ssize_t	 n;
	size_t	 keep;

	n = recv(c->fd, more, sizeof(more), MSG_DONTWAIT);
	if (n == -1 && errno == EAGAIN)
		return true;
	if (n <= 0) {
		l->broken++;
		l->under_way--;
		return false;
	}
	keep = c->got < sizeof(c->answer) - 1 ?
	    sizeof(c->answer) - 1 - c->got : 0;
	if (keep > (size_t)n)
		keep = (size_t)n;
	memcpy(c->answer + (keep > 0 ? c->got : 0), more, keep);
	c->got += (size_t)n;
	if (c->want == 0)
		measure(c);
	if (c->want > 0 && c->got >= c->want) {
		count(l, c);
		ask(l, c);
	}
	return true;
}

static void
open_one(struct connection *c, const char *address, const char *port)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	int			 on = 1;

	sin.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	if (inet_pton(AF_INET, address, &sin.sin_addr) != 1 ||
	    (c->fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    connect(c->fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		die("connect");
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static int
by_size(const void *a, const void *b)
{
	uint32_t	 x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static uint32_t
quantile(const struct load *l, size_t permille)
{
	return l->n == 0 ? 0 : l->us[(l->n - 1) * permille / 1000];
}

static void
report(struct load *l, uint64_t ns)
{
	qsort(l->us, l->n, sizeof(*l->us), by_size);
	(void)printf("{\"ok\":%ld,\"refused\":%ld,\"broken\":%ld,"
	    "\"seconds\":%.6f,\"per_second\":%.1f,\"p50_us\":%u,"
	    "\"p99_us\":%u,\"p999_us\":%u,\"max_us\":%u}\n", l->ok,
	    l->refused, l->broken, (double)ns / 1e9,
	    (double)(l->ok + l->refused) * 1e9 / (double)ns,
	    quantile(l, 500), quantile(l, 990), quantile(l, 999),
	    quantile(l, 1000));
}

int
main(int argc, char **argv)
{
	struct epoll_event	 ev, got[256];
	struct load		 l = { .repeat = 1 };
	uint64_t		 start;
	int			 ep, i, n, connections_n;

	if (argc < 5 || (connections_n = (int)strtol(argv[3], NULL, 10)) < 1 ||
	    connections_n > CONNECTIONS_MAX)
		return 2;
	map(&l, argv[4]);
	if (argc > 5)
		l.repeat = strtol(argv[5], NULL, 10);
	ep = epoll_create1(0);
	for (i = 0; i < connections_n; i++) {
		open_one(&connections[i], argv[1], argv[2]);
		ev.events = EPOLLIN;
		ev.data.ptr = &connections[i];
		if (epoll_ctl(ep, EPOLL_CTL_ADD, connections[i].fd, &ev) != 0)
			die("epoll");
	}
	start = now_ns();
	for (i = 0; i < connections_n; i++)
		ask(&l, &connections[i]);
	while (l.under_way > 0 && (n = epoll_wait(ep, got, 256, 15000)) > 0) {
		for (i = 0; i < n; i++) {
			if (!hear(&l, got[i].data.ptr))
				(void)close(((struct connection *)
				    got[i].data.ptr)->fd);
		}
	}
	report(&l, now_ns() - start);
	return l.under_way != 0;
}
