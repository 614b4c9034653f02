/*
 * echo PORT: the least that a server on libuv and llhttp does: it parses a
 * request and answers 200 with a fixed body.  The baseline for latencies.
 */
#include <llhttp/llhttp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static const char	 answer[] = "HTTP/1.1 200 OK\r\n"
	"Content-Type: application/json;charset=UTF-8\r\n"
	"Content-Length: 41\r\n\r\n"
	"{\"id\":\"00000000000000000000000000000000\"}\n";

struct client {
	uv_tcp_t	 tcp;
	llhttp_t	 parser;
	char		 room[65536];
};

static llhttp_settings_t	 settings;

static int
complete(llhttp_t *p)
{
	struct client	*c = p->data;
	uv_buf_t	 b;

	memcpy(&b.base, &(const char *){ answer }, sizeof(b.base));
	b.len = sizeof(answer) - 1;
	return uv_try_write((uv_stream_t *)&c->tcp, &b, 1) == (int)b.len ? 0 :
	    -1;
}

static void
gone(uv_handle_t *h)
{
	free(h->data);
}

static void
room(uv_handle_t *h, size_t hint, uv_buf_t *b)
{
	struct client	*c = h->data;

	(void)hint;
	b->base = c->room;
	b->len = sizeof(c->room);
}

static void
heard(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	struct client	*c = s->data;

	if (n < 0 || llhttp_execute(&c->parser, b->base, (size_t)n) !=
	    HPE_OK)
		uv_close((uv_handle_t *)s, gone);
}

static void
came(uv_stream_t *server, int status)
{
	struct client	*c = calloc(1, sizeof(*c));

	if (status != 0 || c == NULL)
		return;
	(void)uv_tcp_init(server->loop, &c->tcp);
	c->tcp.data = c;
	llhttp_init(&c->parser, HTTP_REQUEST, &settings);
	c->parser.data = c;
	if (uv_accept(server, (uv_stream_t *)&c->tcp) != 0 ||
	    uv_read_start((uv_stream_t *)&c->tcp, room, heard) != 0)
		uv_close((uv_handle_t *)&c->tcp, gone);
	(void)uv_tcp_nodelay(&c->tcp, 1);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in	 at;
	uv_tcp_t		 server;

	if (argc != 2)
		return 2;
	llhttp_settings_init(&settings);
	settings.on_message_complete = complete;
	(void)uv_ip4_addr("127.0.0.1", (int)strtol(argv[1], NULL, 10), &at);
	(void)uv_tcp_init(uv_default_loop(), &server);
	if (uv_tcp_bind(&server, (struct sockaddr *)&at, 0) != 0 ||
	    uv_listen((uv_stream_t *)&server, 512, came) != 0)
		return 1;
	return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
