/*
 * The command line's end, and a forked console at the other.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "link/channel.h"
#include "tests/check.h"

static char	 folder[] = "/tmp/drawbridge-client-XXXXXX";
static char	 path[64];

/* What the console does to the frame that comes after the greeting. */
enum manner { ANSWERS, STALE_FIRST, SAYS_WRONG, HANGS_UP, NEWER, GARBAGE };

static void
put(int fd, enum message_type type, uint64_t tag, int64_t number,
    size_t body_len)
{
	struct message	 m;
	unsigned char	*frame;
	char		*body = calloc(1, body_len + 1);
	size_t		 len;

	message_clear(&m, type, tag);
	m.number = number;
	m.body.p = body_len > 0 ? body : NULL;
	m.body.len = body_len;
	frame = malloc(message_room(&m));
	len = message_pack(&m, frame);
	if (send(fd, frame, len, MSG_NOSIGNAL) != (ssize_t)len)
		_exit(1);
	free(frame);
	free(body);
}

/* The tag of what is asked. */
static uint64_t
take(int fd)
{
	unsigned char	 frame[4096];
	struct message	 m;
	size_t		 len = 0, whole = 0;
	struct err	 e;
	ssize_t		 n;

	while (whole == 0 || len < whole) {
		n = recv(fd, frame + len, whole == 0 ? 4 - len : whole - len,
		    0);
		if (n <= 0)
			_exit(0);
		len += (size_t)n;
		if (message_len(&whole, frame, len, &e) != RC_OK)
			_exit(1);
	}
	if (message_unpack(&m, frame, len, &e) != RC_OK)
		_exit(1);
	return m.tag;
}

static void __attribute__((noreturn))
console(int listening, enum manner how)
{
	int		 fd = accept(listening, NULL, NULL);
	uint64_t	 tag;

	put(fd, MESSAGE_SPOKEN, 0, MESSAGE_VERSION + (how == NEWER), 0);
	(void)take(fd);
	for (;;) {
		tag = take(fd);
		if (how == HANGS_UP)
			_exit(0);
		if (how == GARBAGE && send(fd, "\1\0\0\0", 4, 0) != 4)
			_exit(1);
		if (how == STALE_FIRST)
			put(fd, MESSAGE_ANSWER, tag - 1, 1, 100000);
		put(fd, how == SAYS_WRONG ? MESSAGE_TOLD : MESSAGE_ANSWER,
		    tag, 42, 500000);
	}
}

static pid_t
serve(enum manner how)
{
	struct sockaddr_un	 a = { .sun_family = AF_UNIX };
	int			 fd = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t			 pid;

	memcpy(a.sun_path, path, strlen(path) + 1);
	(void)unlink(path);
	fflush(stdout);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(fd, 5) != 0 || (pid = fork()) == -1)
		abort();
	if (pid == 0)
		console(fd, how);
	(void)close(fd);
	return pid;
}

static void
done(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* One question; what went wrong, or "". */
static const char *
ask(struct channel_client *c, uint64_t tag)
{
	static struct err	 e;
	struct message		 m, out;

	message_clear(&m, MESSAGE_QUERY, tag);
	if (channel_call(c, &m, &out, &e) != RC_OK)
		return e.text;
	CHECK_INT(out.type, MESSAGE_ANSWER);
	CHECK_INT(out.tag, tag);
	CHECK_INT(out.number, 42);
	CHECK_INT(out.body.len, 500000);
	return "";
}

static void
test_manner(const char *name, enum manner how, const char *want)
{
	struct channel_client	*c = NULL;
	struct err		 e;
	pid_t			 pid = serve(how);

	check_case(name);
	if (CHECK(channel_connect(&c, path, &e) == RC_OK)) {
		CHECK_STR(ask(c, 7), want);
		if (want[0] == '\0')
			CHECK_STR(ask(c, 8), want);
	}
	channel_disconnect(&c);
	CHECK(c == NULL);
	done(pid);
}

int
main(void)
{
	struct channel_client	*c = NULL;
	struct err		 e;
	char			 want[200];
	pid_t			 pid;

	if (mkdtemp(folder) == NULL)
		abort();
	(void)snprintf(path, sizeof(path), "%s/s", folder);
	check_case("nobody is there");
	CHECK(channel_connect(&c, path, &e) == RC_FAILED);
	(void)snprintf(want, sizeof(want), "%s: No such file or directory",
	    path);
	CHECK_STR(e.text, want);
	test_manner("questions and long answers", ANSWERS, "");
	test_manner("the answer to a question that was given up",
	    STALE_FIRST, "");
	test_manner("a type that is not for it", SAYS_WRONG,
	    "drawbridged may not say `told`");
	test_manner("it hangs up", HANGS_UP, "drawbridged hung up");
	test_manner("it talks nonsense", GARBAGE, "a message of 5 bytes");
	check_case("another version");
	pid = serve(NEWER);
	CHECK(channel_connect(&c, path, &e) == RC_FAILED);
	(void)snprintf(want, sizeof(want), "%s: drawbridged is of another "
	    "version", path);
	CHECK_STR(e.text, want);
	done(pid);
	(void)unlink(path);
	(void)rmdir(folder);
	return check_done();
}
