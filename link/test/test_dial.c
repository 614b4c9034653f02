/*
 * dial, pinned and stream against servers that are children: honest ones, and
 * ones that lie, stall or leave.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/secret.h"
#include "link/dial.h"
#include "link/pinned.h"
#include "link/stream.h"
#include "tests/check.h"

#define PATH_ROOM	128

static char	 folder[64];
static char	 alice[PATH_ROOM], bob[PATH_ROOM], pins[PATH_ROOM];
static char	 local[PATH_ROOM], host[32];
static char	 alice_pin[PINNED_HEX + 1], bob_pin[PINNED_HEX + 1];
static struct pinned_keys only_alice;

/* Servers */

enum how { HONEST, OTHER_TAG, OTHER_TYPE, LEAVES, CUTS, SILENT, NOISE };

static size_t
answer_frame(unsigned char *out, const struct sign_message *ask, enum how how)
{
	struct sign_message	 m;

	sign_message_clear(&m, SIGN_DONE, ask->tag + (how == OTHER_TAG));
	if (how == OTHER_TYPE)
		m.type = SIGN_HALT;
	m.body = text_of("an answer of some length");
	if (how == OTHER_TYPE)
		m.body.p = NULL;
	return sign_message_pack(&m, out);
}

static void
put(struct stream *s, const unsigned char *p, size_t len)
{
	struct pollfd	 wait = { .fd = s->fd };
	struct err	 e;
	size_t		 at = 0;
	ssize_t		 n;

	while (at < len && (n = stream_write(s, p + at, len - at, &e)) >= 0) {
		at += (size_t)n;
		wait.events = s->wants;
		if (n == 0)
			(void)poll(&wait, 1, 5000);
	}
}

static bool
get(struct stream *s, unsigned char *p, size_t *len)
{
	struct pollfd	 wait = { .fd = s->fd };
	struct err	 e;
	size_t		 want = 0;
	ssize_t		 n;

	for (*len = 0; want == 0 || *len < want; ) {
		n = stream_read(s, p + *len, want == 0 ? 4 - *len :
		    want - *len, &e);
		if (n < 0)
			return false;
		*len += (size_t)n;
		if (sign_message_len(&want, p, *len, &e) != RC_OK)
			return false;
		wait.events = s->wants;
		if (n == 0)
			(void)poll(&wait, 1, 5000);
	}
	return true;
}

static bool
shake(struct stream *s)
{
	struct pollfd	 wait = { .fd = s->fd };
	struct err	 e;
	int		 n;

	while ((n = stream_shake(s, &e)) == 0) {
		wait.events = s->wants;
		(void)poll(&wait, 1, 5000);
	}
	return n == 1;
}

static void
serve(struct stream *s, enum how how, size_t cut)
{
	static unsigned char	 p[SIGN_MAX];
	unsigned char		 out[256];
	struct sign_message	 m;
	struct err		 e;
	size_t			 len;

	while (get(s, p, &len) &&
	    sign_message_unpack(&m, p, len, &e) == RC_OK) {
		if (how == LEAVES)
			return;
		if (how == SILENT)
			(void)pause();
		len = answer_frame(out, &m, how);
		if (how == NOISE)
			memset(out, 0xff, len);
		put(s, out, how == CUTS ? cut : len);
		if (how == CUTS)
			return;
	}
}

/* One connection of `listener`, in a child. */
static pid_t
server(int listener, struct ssl_ctx_st *tls, enum how how, size_t cut)
{
	struct stream	 s;
	struct err	 e;
	pid_t		 pid;
	int		 fd;

	(void)fflush(stdout);
	if ((pid = fork()) != 0)
		return pid;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)alarm(60);
	fd = accept(listener, NULL, NULL);
	if (fd == -1 || stream_begin(&s, fd, tls, true, &e) != RC_OK)
		_exit(1);
	if (shake(&s))
		serve(&s, how, cut);
	stream_end(&s);
	_exit(0);
}

static void
reap(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static int
listen_local_at(const char *path)
{
	struct sockaddr_un	 a = { .sun_family = AF_UNIX };
	int			 fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%.100s", path);
	(void)unlink(path);
	if (fd == -1 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(fd, 16) != 0)
		exit(1);
	return fd;
}

static int
listen_host(void)
{
	struct sockaddr_in	 a = { .sin_family = AF_INET };
	socklen_t		 len = sizeof(a);
	int			 fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		exit(1);
	(void)snprintf(host, sizeof(host), "127.0.0.1:%d",
	    ntohs(a.sin_port));
	return fd;
}

/* Pins and identities */

static void
write_file(const char *path, const char *text)
{
	FILE	*f = fopen(path, "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		exit(1);
}

static bool
pins_fail(const char *text, const char *why)
{
	struct pinned_keys	 k;
	struct err		 e = { "" };
	bool			 good;

	write_file(pins, text);
	good = pinned_read(&k, pins, &e) == RC_FAILED &&
	    strstr(e.text, why) != NULL;
	if (!good)
		printf("# %s\n", e.text);
	return good;
}

static void
test_pins(void)
{
	struct pinned_keys	 k;
	struct err		 e;
	unsigned char		 hash[32];
	char			 text[8192], one[PINNED_HEX + 1];
	size_t			 len = 0;
	int			 i;

	memset(one, 'a', PINNED_HEX);
	one[PINNED_HEX] = '\0';
	check_case("a pin is 64 digits and nothing else");
	CHECK(pinned_parse(hash, one) && hash[0] == 0xaa && hash[31] == 0xaa);
	one[3] = 'F';
	CHECK(pinned_parse(hash, one) && hash[1] == 0xaf);
	one[3] = 'g';
	CHECK(!pinned_parse(hash, one));
	one[3] = 'a';
	one[PINNED_HEX - 1] = '\0';
	CHECK(!pinned_parse(hash, one) && !pinned_parse(hash, ""));
	one[PINNED_HEX - 1] = 'a';
	(void)snprintf(text, sizeof(text), "%s0", one);
	CHECK(!pinned_parse(hash, text));

	check_case("a file of pins");
	(void)snprintf(text, sizeof(text), "# who may\n\n%s chain\t1 \r\n"
	    "%.63sb\n  \n%.63sc", one, one, one);
	write_file(pins, text);
	CHECK_INT(pinned_read(&k, pins, &e), RC_OK);
	CHECK_INT(k.n, 3);
	CHECK(k.hash[2][31] == 0xac);
	CHECK(pins_fail("# a\nabc\n", "pins:2: a pin is 64"));
	(void)snprintf(text, sizeof(text), "%sx\n", one);
	CHECK(pins_fail(text, ":1: "));
	(void)snprintf(text, sizeof(text), "%s a\n%s b\n", one, one);
	CHECK(pins_fail(text, ":2: this pin for the second time"));
	(void)snprintf(text, sizeof(text), " %s\n", one);
	CHECK(pins_fail(text, ":1: "));
	for (i = 0; i <= PINNED_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%.60s%04d\n", one, i);
	CHECK(pins_fail(text, ":65: more than 64"));
	(void)unlink(pins);
	CHECK(pinned_read(&k, pins, &e) == RC_FAILED);
	check_end_case();
}

static void
copy_part(const char *to, const char *from, const char *from_word)
{
	static char	 text[8192];
	FILE		*f = fopen(from, "r");
	size_t		 len = f != NULL ? fread(text, 1, sizeof(text) - 1, f) :
			    0;
	char		*p;

	if (f == NULL)
		exit(1);
	(void)fclose(f);
	text[len] = '\0';
	p = strstr(text, "-----BEGIN CERTIFICATE");
	if (p == NULL)
		exit(1);
	/* The key of one and the certificate of another. */
	if (from_word == NULL) {
		*p = '\0';
		write_file(to, text);
	} else {
		f = fopen(to, "a");
		if (f == NULL || fputs(p, f) < 0 || fclose(f) != 0)
			exit(1);
	}
}

static void
test_identities(void)
{
	struct stat	 st;
	struct err	 e;
	char		 hex[PINNED_HEX + 1], path[PATH_ROOM];

	check_case("an identity is made once");
	CHECK_INT(pinned_make(alice, &e), RC_OK);
	CHECK_INT(pinned_make(bob, &e), RC_OK);
	CHECK(pinned_make(alice, &e) == RC_FAILED &&
	    strstr(e.text, "exists") != NULL);
	CHECK(stat(alice, &st) == 0 && (st.st_mode & 0777) == 0600);
	CHECK(pinned_of(alice_pin, alice, &e) == RC_OK &&
	    pinned_of(bob_pin, bob, &e) == RC_OK);
	CHECK(pinned_of(hex, alice, &e) == RC_OK &&
	    strcmp(hex, alice_pin) == 0 && strcmp(hex, bob_pin) != 0);
	only_alice.n = 1;
	CHECK(pinned_parse(only_alice.hash[0], alice_pin));

	check_case("what is no identity");
	(void)snprintf(path, sizeof(path), "%s/other", folder);
	CHECK(pinned_of(hex, path, &e) == RC_FAILED);
	write_file(path, "no key\n");
	CHECK(pinned_of(hex, path, &e) == RC_FAILED);
	copy_part(path, alice, NULL);
	CHECK(pinned_of(hex, path, &e) == RC_FAILED);
	copy_part(path, bob, "");
	CHECK(pinned_of(hex, path, &e) == RC_FAILED &&
	    strstr(e.text, "its own certificate") != NULL);
	(void)unlink(path);
	check_end_case();
}

/* Dialling */

static enum rc
dial_status(struct dial *d, struct err *e)
{
	struct sign_message	 ask, out;

	sign_message_clear(&ask, SIGN_STATUS, 0);
	if (dial_call(d, &ask, &out, e) != RC_OK)
		return d != NULL ? dial_call(d, &ask, &out, NULL) ==
		    RC_FAILED ? RC_UNCERTAIN : RC_FAILED : RC_FAILED;
	CHECK(out.type == SIGN_DONE && text_equal(out.body,
	    text_of("an answer of some length")));
	return RC_OK;
}

/* Over a local socket; RC_UNCERTAIN also says that the dial is closed for
 * further questions. */
static enum rc
over_local(enum how how, size_t cut, struct err *e)
{
	struct dial_config	 c = { .where = local, .answer_ms = 1500 };
	struct dial		*d = NULL;
	int			 listener = listen_local_at(local);
	pid_t			 pid = server(listener, NULL, how, cut);
	enum rc			 rc = dial_open(&d, &c, e);

	if (CHECK(rc == RC_OK))
		rc = dial_status(d, e);
	if (rc == RC_OK)
		rc = dial_status(d, e);
	dial_close(&d);
	(void)close(listener);
	reap(pid);
	return rc;
}

static void
test_local(void)
{
	struct sign_message	 m;
	unsigned char		 frame[256];
	struct err		 e;
	size_t			 i, len;

	check_case("a local socket: two questions");
	CHECK_INT(over_local(HONEST, 0, &e), RC_OK);
	check_case("an answer that cannot be it is uncertain");
	CHECK_INT(over_local(OTHER_TAG, 0, &e), RC_UNCERTAIN);
	CHECK(strstr(e.text, "another question") != NULL);
	CHECK_INT(over_local(OTHER_TYPE, 0, &e), RC_UNCERTAIN);
	CHECK_INT(over_local(NOISE, 0, &e), RC_UNCERTAIN);
	check_case("no answer is uncertain");
	CHECK_INT(over_local(LEAVES, 0, &e), RC_UNCERTAIN);
	CHECK_INT(over_local(SILENT, 0, &e), RC_UNCERTAIN);
	CHECK(strstr(e.text, "in time") != NULL);
	check_case("an answer that is cut anywhere is uncertain");
	sign_message_clear(&m, SIGN_STATUS, 1);
	len = answer_frame(frame, &m, HONEST);
	for (i = 0; i < len; i++)
		CHECK_INT(over_local(CUTS, i, &e), RC_UNCERTAIN);
	check_end_case();
}

static void
test_nobody(void)
{
	struct dial_config	 c = { .where = local, .connect_ms = 300 };
	struct dial		*d = NULL;
	struct sign_message	 ask, out;
	struct err		 e;
	char			 longer[300], *large;
	int			 listener;
	pid_t			 pid;

	(void)unlink(local);
	check_case("nobody there");
	CHECK(dial_open(&d, &c, &e) == RC_FAILED && d == NULL &&
	    strstr(e.text, local) != NULL);
	memset(longer, '/', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	c.where = longer;
	CHECK(dial_open(&d, &c, &e) == RC_FAILED &&
	    strstr(e.text, "longer than") != NULL);
	c.where = "host";
	c.identity = alice;
	c.pin = bob_pin;
	CHECK(dial_open(&d, &c, &e) == RC_FAILED &&
	    strstr(e.text, "HOST:PORT") != NULL);
	c.where = "127.0.0.1:1";
	CHECK(dial_open(&d, &c, &e) == RC_FAILED);
	c.pin = "abc";
	CHECK(dial_open(&d, &c, &e) == RC_FAILED &&
	    strstr(e.text, "64") != NULL);
	c.pin = NULL;
	CHECK(dial_open(&d, &c, &e) == RC_FAILED &&
	    strstr(e.text, "needs our identity") != NULL);
	check_case("who does not speak TLS is not waited for");
	listener = listen_host();
	c.where = host;
	c.pin = bob_pin;
	CHECK(dial_open(&d, &c, &e) == RC_FAILED &&
	    strstr(e.text, "in time") != NULL);
	(void)close(listener);
	check_case("what is too large is not sent");
	listener = listen_local_at(local);
	pid = server(listener, NULL, HONEST, 0);
	c.where = local;
	CHECK_INT(dial_open(&d, &c, &e), RC_OK);
	sign_message_clear(&ask, SIGN_PAY, 0);
	if ((large = calloc(1, SIGN_MAX)) == NULL)
		exit(1);
	ask.psbt.p = large;
	ask.psbt.len = SIGN_MAX;
	CHECK(dial_call(d, &ask, &out, &e) == RC_FAILED &&
	    strstr(e.text, "16 MiB") != NULL);
	CHECK_INT(dial_status(d, &e), RC_OK);
	ask.psbt.len = SIGN_MAX - 64;
	CHECK_INT(dial_call(d, &ask, &out, &e), RC_OK);
	free(large);
	dial_close(&d);
	(void)close(listener);
	reap(pid);
	check_end_case();
}

/* TLS: who is at which end, and whom each knows. */
static enum rc
over_tls(const char *server_is, const char *client_is, const char *pin,
    struct err *e)
{
	struct dial_config	 c = { .where = host, .identity = client_is,
				    .pin = pin, .answer_ms = 3000 };
	struct ssl_ctx_st	*ctx = NULL;
	struct dial		*d = NULL;
	int			 listener = listen_host();
	pid_t			 pid;
	enum rc			 rc;

	CHECK_INT(pinned_context(&ctx, true, server_is, &only_alice, e),
	    RC_OK);
	pid = server(listener, ctx, HONEST, 0);
	if ((rc = dial_open(&d, &c, e)) == RC_OK)
		rc = dial_status(d, e);
	if (rc == RC_OK)
		rc = dial_status(d, e);
	dial_close(&d);
	(void)close(listener);
	reap(pid);
	SSL_CTX_free(ctx);
	return rc;
}

static void
test_tls(void)
{
	struct err	 e;

	check_case("TLS: both know each other");
	CHECK_INT(over_tls(bob, alice, bob_pin, &e), RC_OK);
	check_case("TLS: the server is another");
	CHECK_INT(over_tls(bob, alice, alice_pin, &e), RC_FAILED);
	CHECK(strstr(e.text, "certificate verify failed") != NULL);
	check_case("TLS: the client is not known");
	CHECK(over_tls(bob, bob, bob_pin, &e) != RC_OK);
	check_end_case();
}

int
main(void)
{
	struct err	 e;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(folder, sizeof(folder), "/tmp/test-dial-XXXXXX");
	if (mkdtemp(folder) == NULL || secret_begin(&e) != RC_OK)
		return 1;
	(void)snprintf(alice, sizeof(alice), "%s/alice", folder);
	(void)snprintf(bob, sizeof(bob), "%s/bob", folder);
	(void)snprintf(pins, sizeof(pins), "%s/pins", folder);
	(void)snprintf(local, sizeof(local), "%s/sock", folder);
	test_pins();
	test_identities();
	test_local();
	test_nobody();
	test_tls();
	(void)unlink(alice);
	(void)unlink(bob);
	(void)unlink(pins);
	(void)unlink(local);
	(void)rmdir(folder);
	return check_done();
}
