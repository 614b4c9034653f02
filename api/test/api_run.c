/*
 * The room `api` alone, for tests/test_http.py: this program plays
 * drawbridged and auth.
 *
 *	api_run [BOUND=N]... [CONFIG-LINE]...
 *
 * Prints "ready PORT METRICS-PORT", and then "request TAG ENDPOINT" for each
 * request that reaches auth.  Auth answers with what it received, as JSON,
 * unless the query says otherwise: `quiet` (no answer), `big=BYTES`,
 * `status=N`, `page`.  A word a line on standard input: `hang-up` (auth
 * goes), `link` (and comes back), `stats TEXT`, `reload CONFIG-LINE`, `stop`.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/bounds.h"
#include "lib/config.h"
#include "lib/json.h"
#include "link/process.h"

#define ROOM	MESSAGE_MAX

static char		 conf_text[4096];
static int		 control, auth = -1;
static unsigned char	*in, *out;
static size_t		 in_end;

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

static void
send_frame(int to, const struct message *m, int fd)
{
	size_t		 n = message_pack(m, out), at = 0;
	char		 room[CMSG_SPACE(sizeof(int))];
	struct iovec	 iov;
	struct msghdr	 h = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t		 sent;

	memset(room, 0, sizeof(room));
	while (at < n) {
		iov.iov_base = out + at;
		iov.iov_len = n - at;
		if (fd != -1 && at == 0) {
			h.msg_control = room;
			h.msg_controllen = sizeof(room);
			CMSG_FIRSTHDR(&h)->cmsg_level = SOL_SOCKET;
			CMSG_FIRSTHDR(&h)->cmsg_type = SCM_RIGHTS;
			CMSG_FIRSTHDR(&h)->cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(CMSG_FIRSTHDR(&h)), &fd, sizeof(fd));
		} else {
			h.msg_control = NULL;
			h.msg_controllen = 0;
		}
		sent = sendmsg(to, &h, MSG_NOSIGNAL);
		if (sent < 0)
			return;
		at += (size_t)sent;
	}
}

static void
give(enum process_socket what, enum room peer, int fd)
{
	struct message	 m;

	message_clear(&m, MESSAGE_SOCKET, 0);
	m.status = what;
	if (what == SOCKET_LINK)
		m.number = peer;
	send_frame(control, &m, fd);
	(void)close(fd);
}

static void
give_config(enum message_type type)
{
	struct message	 m;
	struct config	 c;
	struct err	 e;
	static char	 text[8192];
	int		 n;

	if (config_parse(&c, "test", conf_text, strlen(conf_text), &e) !=
	    RC_OK || (n = config_print(&c, text, sizeof(text))) < 0) {
		fprintf(stderr, "%s\n", e.text);
		exit(2);
	}
	message_clear(&m, type, 0);
	m.body = text_of(text);
	send_frame(control, &m, -1);
}

static void
give_link(void)
{
	struct message	 m;
	int		 pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		die("socketpair");
	give(SOCKET_LINK, ROOM_AUTH, pair[1]);
	auth = pair[0];
	in_end = 0;
	message_clear(&m, MESSAGE_SPOKEN, 0);
	m.number = MESSAGE_VERSION;
	send_frame(auth, &m, -1);
}

static int
listener(int *port_out)
{
	struct sockaddr_in	 a = { .sin_family = AF_INET };
	socklen_t		 len = sizeof(a);
	int			 fd = socket(AF_INET, SOCK_STREAM |
		SOCK_CLOEXEC, 0);

	/* Any address of the loopback network reaches it. */
	a.sin_addr.s_addr = htonl(INADDR_ANY);
	if (fd == -1 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(fd, 1024) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		die("listen");
	*port_out = ntohs(a.sin_port);
	return fd;
}

/* Auth */

static bool
find(struct text query, const char *name, int64_t *out_n)
{
	char		 copy[512];
	const char	*p;

	if (query.len >= sizeof(copy))
		return false;
	memcpy(copy, query.p, query.len);
	copy[query.len] = '\0';
	p = strstr(copy, name);
	if (p == NULL)
		return false;
	*out_n = strtoll(p + strlen(name), NULL, 10);
	return true;
}

static void
put(struct json *j, const char *name, struct text t)
{
	if (t.p != NULL)
		json_put_bytes(j, name, t.p, t.len);
}

static struct text
tell(const struct message *m)
{
	static char	 buf[3 << 20];
	char		 ip[64] = "";
	struct json	 j;
	struct text	 t = { buf, 0 };

	(void)inet_ntop(AF_INET6, m->ip, ip, sizeof(ip));
	json_to_memory(&j, buf, sizeof(buf));
	json_open_object(&j, NULL);
	json_put_text(&j, "endpoint", endpoints[m->endpoint].name);
	json_put_text(&j, "ip", ip);
	put(&j, "key", m->key);
	put(&j, "when", m->when);
	put(&j, "signature", m->signature);
	put(&j, "code", m->code);
	put(&j, "target", m->target);
	put(&j, "query", m->query);
	put(&j, "id", m->id);
	put(&j, "body", m->body);
	json_close(&j);
	if (json_end(&j) != RC_OK)
		die("json");
	t.len = strlen(buf);
	return t;
}

static void
answer(const struct message *m)
{
	static char	 big[15 << 20];
	struct message	 a;
	int64_t		 n;

	printf("request %" PRIu64 " %s\n", m->tag,
	    endpoints[m->endpoint].name);
	fflush(stdout);
	message_clear(&a, MESSAGE_ANSWER, m->tag);
	a.status = 200;
	if (find(m->query, "quiet", &n))
		return;
	if (find(m->query, "status=", &n))
		a.status = n;
	if (find(m->query, "page", &n))
		a.name = text_of("text/html;charset=UTF-8");
	a.body = tell(m);
	a.used = 900;
	if (find(m->query, "big=", &n) && n > 0 && n <= (int64_t)sizeof(big)) {
		memset(big, 'x', (size_t)n);
		a.body.p = big;
		a.body.len = (size_t)n;
	}
	send_frame(auth, &a, -1);
}

static void
read_auth(void)
{
	struct message	 m;
	struct err	 e;
	size_t		 len;
	ssize_t		 n = recv(auth, in + in_end, ROOM - in_end, 0);

	if (n <= 0) {
		(void)close(auth);
		auth = -1;
		return;
	}
	in_end += (size_t)n;
	for (;;) {
		if (message_len(&len, in, in_end, &e) != RC_OK)
			die("a bad frame");
		if (len == 0 || len > in_end)
			return;
		if (message_unpack(&m, in, len, &e) != RC_OK)
			die(e.text);
		if (m.type == MESSAGE_REQUEST)
			answer(&m);
		in_end -= len;
		memmove(in, in + len, in_end);
	}
}

/* Orders */

static void
say(enum message_type type, int to, const char *text)
{
	struct message	 m;

	message_clear(&m, type, 0);
	if (text != NULL)
		m.body = text_of(text);
	send_frame(to, &m, -1);
}

static void
obey(char *line)
{
	char	*more = strchr(line, ' ');
	char	*p;

	if (more != NULL)
		*more++ = '\0';
	if (strcmp(line, "hang-up") == 0 && auth != -1) {
		(void)close(auth);
		auth = -1;
	} else if (strcmp(line, "link") == 0) {
		give_link();
	} else if (strcmp(line, "stop") == 0) {
		say(MESSAGE_STOP, control, NULL);
	} else if (strcmp(line, "reload") == 0 && more != NULL) {
		(void)snprintf(conf_text + strlen(conf_text),
		    sizeof(conf_text) - strlen(conf_text), "%s\n", more);
		give_config(MESSAGE_RELOAD);
	} else if (strcmp(line, "stats") == 0 && more != NULL) {
		while ((p = strchr(more, '|')) != NULL)
			*p = '\n';
		say(MESSAGE_STATS, auth, more);
	}
}

static bool
read_orders(void)
{
	static char	 buf[8192];
	static size_t	 len;
	ssize_t		 n = read(STDIN_FILENO, buf + len,
		sizeof(buf) - len);
	char		*nl;

	if (n <= 0)
		return false;
	len += (size_t)n;
	while ((nl = memchr(buf, '\n', len)) != NULL) {
		*nl = '\0';
		obey(buf);
		len -= (size_t)(nl + 1 - buf);
		memmove(buf, nl + 1, len);
	}
	return true;
}

static void
set_bound(const char *arg)
{
	static const struct { const char *name; int64_t *at; } all[] = {
		{ "head_ms", &bounds.head_ms },
		{ "body_ms", &bounds.body_ms },
		{ "idle_ms", &bounds.idle_ms },
		{ "crowded_ms", &bounds.crowded_ms },
		{ "write_ms", &bounds.write_ms },
		{ "answer_ms", &bounds.answer_ms },
		{ "linger_ms", &bounds.linger_ms },
		{ "stop_ms", &bounds.stop_ms },
		{ "address_part", &bounds.address_part },
		{ "address_least", &bounds.address_least },
	};
	size_t	 i, n;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		n = strlen(all[i].name);
		if (strncmp(arg, all[i].name, n) == 0 && arg[n] == '=') {
			*all[i].at = strtoll(arg + n + 1, NULL, 10);
			return;
		}
	}
	n = strlen(conf_text);
	(void)snprintf(conf_text + n, sizeof(conf_text) - n, "%s\n", arg);
}

static int
attend(void)
{
	struct pollfd	 fds[3];
	char		 sink[4096];

	for (;;) {
		fds[0].fd = control;
		fds[1].fd = auth;
		fds[2].fd = STDIN_FILENO;
		fds[0].events = fds[1].events = fds[2].events = POLLIN;
		if (poll(fds, 3, -1) < 0)
			die("poll");
		if (fds[1].revents != 0 && auth != -1)
			read_auth();
		if (fds[2].revents != 0 && !read_orders())
			return 0;
		if (fds[0].revents != 0 &&
		    recv(control, sink, sizeof(sink), 0) <= 0)
			return 1;
	}
}

int
main(int argc, char **argv)
{
	int	 pair[2], http, metrics, port, metrics_port, i, status;
	pid_t	 pid;

	for (i = 1; i < argc; i++)
		set_bound(argv[i]);
	in = malloc(ROOM);
	out = malloc(ROOM);
	http = listener(&port);
	metrics = listener(&metrics_port);
	if (in == NULL || out == NULL || socketpair(AF_UNIX, SOCK_STREAM |
	    SOCK_CLOEXEC, 0, pair) != 0)
		die("start");
	if ((pid = fork()) == -1)
		die("fork");
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(pair[0]);
		(void)close(http);
		(void)close(metrics);
		(void)close(STDIN_FILENO);
		_exit(api_main(pair[1]));
	}
	control = pair[0];
	(void)close(pair[1]);
	give_config(MESSAGE_CONFIG);
	give_link();
	give(SOCKET_HTTP, ROOM_PARENT, http);
	give(SOCKET_METRICS, ROOM_PARENT, metrics);
	printf("ready %d %d %d\n", port, metrics_port, (int)pid);
	fflush(stdout);
	i = attend();
	(void)close(control);
	if (waitpid(pid, &status, 0) != pid)
		return 2;
	if (i == 1)
		printf("ended %d\n", WIFEXITED(status) ?
		    WEXITSTATUS(status) : -WTERMSIG(status));
	return 0;
}
