/*
 * What a child may say, and what it is told: a socket instead of a process.
 */
#include "parent/child.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/check.h"

static struct child	 c;
static struct err	 why;
static int		 other;

/* Rooms are not needed here. */
int
api_main(int control)
{
	return control;
}

int
auth_main(int control)
{
	return control;
}

int
engine_main(int control)
{
	return control;
}

int
console_main(int control)
{
	return control;
}

int
notify_main(int control)
{
	return control;
}

static void
begin(void)
{
	int	 fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		abort();
	memset(&c, 0, sizeof(c));
	c.room = ROOM_AUTH;
	c.control = fds[0];
	other = fds[1];
}

static void
end(void)
{
	child_forget(&c);
	(void)close(other);
}

static void
said(const void *p, size_t len)
{
	if (send(other, p, len, MSG_NOSIGNAL) != (ssize_t)len)
		abort();
}

static size_t
frame(unsigned char *out, enum message_type type, int64_t number)
{
	struct message	 m;

	message_clear(&m, type, 0);
	m.number = number;
	return message_pack(&m, out);
}

static void
test_listen(void)
{
	unsigned char	 f[2048];
	size_t		 len, i;

	check_case("ready and alive, whole and in pieces");
	begin();
	CHECK(child_listen(&c, 5, &why) == RC_OK && !c.ready);
	len = frame(f, MESSAGE_READY, -1);
	CHECK_INT(len, CHILD_FRAME);
	said(f, len);
	CHECK(child_listen(&c, 5, &why) == RC_OK && c.ready && c.ran);
	CHECK_INT(c.alive_ms, 0);
	len = frame(f, MESSAGE_ALIVE, -1);
	for (i = 0; i < len; i++) {
		said(f + i, 1);
		CHECK(child_listen(&c, 7, &why) == RC_OK);
		CHECK_INT(c.alive_ms, i == len - 1 ? 7 : 0);
	}
	for (i = 0; i < 100; i++)
		said(f, len);
	for (i = 0; i < 10; i++)
		CHECK(child_listen(&c, 8, &why) == RC_OK);
	CHECK_INT(c.alive_ms, 8);
	(void)shutdown(other, SHUT_WR);
	CHECK(child_listen(&c, 9, &why) == RC_OK);
	CHECK_INT(c.control, -1);
	end();
}

/* Every other word, and every bit of the two that there are. */
static void
test_else(void)
{
	unsigned char	 f[2048];
	size_t		 len, i;
	int		 t;

	check_case("anything else");
	for (t = 1; t < MESSAGE__END; t++) {
		if (t == MESSAGE_READY || t == MESSAGE_ALIVE)
			continue;
		begin();
		said(f, frame(f, (enum message_type)t, -1));
		CHECK(child_listen(&c, 5, &why) == RC_FAILED);
		end();
	}
	for (i = 0; i < CHILD_FRAME * 8; i++) {
		len = frame(f, MESSAGE_READY, -1);
		f[i / 8] ^= (unsigned char)(1 << i % 8);
		/* READY and ALIVE do not differ by one bit only. */
		begin();
		said(f, len);
		CHECK(child_listen(&c, 5, &why) == RC_FAILED);
		CHECK(!c.ready);
		end();
	}
	begin();
	said(f, frame(f, MESSAGE_READY, 3));
	CHECK(child_listen(&c, 5, &why) == RC_FAILED && !c.ready);
	end();
}

static void
test_told(void)
{
	unsigned char	 f[65536];
	struct config	 conf, back;
	struct message	 m;
	ssize_t		 n = 0;
	int		 i;

	check_case("a configuration, as it was");
	begin();
	config_clear(&conf);
	conf.snapshot_every = 4711;
	CHECK(child_say(&c, MESSAGE_RELOAD, &conf, &why) == RC_OK);
	n = recv(other, f, sizeof(f), 0);
	CHECK(n > 0 && message_unpack(&m, f, (size_t)n, &why) == RC_OK);
	CHECK(config_parse(&back, "c", m.body.p, m.body.len, &why) == RC_OK);
	CHECK(memcmp(&back, &conf, sizeof(conf)) == 0);

	check_case("one that does not listen is not waited for");
	for (i = 0; i < 100000; i++) {
		if (child_say(&c, MESSAGE_RELOAD, &conf, &why) != RC_OK)
			break;
	}
	CHECK(i < 100000);
	CHECK(strncmp(why.text, "it does not listen", 18) == 0);
	(void)close(other);
	CHECK(child_say(&c, MESSAGE_STOP, NULL, &why) == RC_FAILED);
	child_forget(&c);
}

int
main(void)
{
	test_listen();
	test_else();
	test_told();
	return check_done();
}
