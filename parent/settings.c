#define _GNU_SOURCE
#include "parent/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sandbox.h"

#define FILE_MAX	((size_t)64 << 10)
#define PARSE_MS	5000
#define PATH_ROOM	512

/* What the process without rights gives back. */
struct parsed {
	int		 good;
	struct config	 config;
	struct err	 why;
};

const char *
settings_file(const struct settings *s)
{
	static char	 path[PATH_ROOM];

	if (s->file != NULL)
		return s->file;
	if (s->data != NULL) {
		(void)snprintf(path, sizeof(path), "%s/drawbridged.conf",
		    s->data);
		if (access(path, F_OK) == 0)
			return path;
		return "";
	}
	return access(SETTINGS_FILE, F_OK) == 0 ? SETTINGS_FILE : "";
}

static enum rc
read_file(const char *path, char *buf, size_t *len_out, struct err *e)
{
	size_t	 len = 0;
	ssize_t	 n = 1;
	int	 fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return err_set(e, "%s: %s", path, strerror(errno));
	while (len < FILE_MAX + 1 && n > 0) {
		n = read(fd, buf + len, FILE_MAX + 1 - len);
		if (n > 0)
			len += (size_t)n;
	}
	if (n < 0)
		(void)err_set(e, "%s: %s", path, strerror(errno));
	(void)close(fd);
	*len_out = len;
	return n < 0 ? RC_FAILED : RC_OK;
}

/* In the child: whatever the file's bytes do here, they do it to a process
 * that can compute and answer, once. */
static void __attribute__((noreturn))
parse(const char *path, const char *buf, size_t len, int fd)
{
	static struct parsed	 p;
	struct sandbox		 s = { .kind = SANDBOX_PARSE,
				    .memory_max = (size_t)1 << 30,
				    .files_max = 8 };

	(void)signal(SIGPIPE, SIG_DFL);
	if (dup2(fd, STDIN_FILENO) == -1)
		_exit(1);
	(void)close_range(3, ~0U, 0);
	if (sandbox_enter(&s, &p.why) == RC_OK)
		p.good = config_parse(&p.config, path, buf, len, &p.why) ==
		    RC_OK;
	if (write(STDIN_FILENO, &p, sizeof(p)) != (ssize_t)sizeof(p))
		_exit(1);
	_exit(0);
}

/* Everything that comes until the end, in time. */
static size_t
read_all(int fd, void *out, size_t room)
{
	struct pollfd	 p = { .fd = fd, .events = POLLIN };
	size_t		 len = 0;
	ssize_t		 n;

	while (len < room && poll(&p, 1, PARSE_MS) == 1) {
		n = read(fd, (char *)out + len, room - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return len;
}

static enum rc
check_parsed(const struct parsed *p, const char *path, struct err *e)
{
	if (memchr(p->why.text, '\0', sizeof(p->why.text)) == NULL)
		return err_set(e, "%s: its reader was not sound", path);
	if (p->good != 1)
		return err_set(e, "%s", p->why.text[0] != '\0' ?
		    p->why.text : "a configuration without a reason");
	if (!config_sound(&p->config))
		return err_set(e, "%s: its reader was not sound", path);
	return RC_OK;
}

static enum rc
parse_apart(struct config *out, const char *path, const char *buf,
    size_t len, struct err *e)
{
	static struct parsed	 p;
	int			 fds[2], status;
	size_t			 n;
	pid_t			 pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_set(e, "pipe: %s", strerror(errno));
	if ((pid = fork()) == -1) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return err_set(e, "fork: %s", strerror(errno));
	}
	if (pid == 0)
		parse(path, buf, len, fds[1]);
	(void)close(fds[1]);
	n = read_all(fds[0], &p, sizeof(p));
	(void)close(fds[0]);
	if (n < sizeof(p))
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (n < sizeof(p) || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, "%s: its reader died", path);
	if (check_parsed(&p, path, e) != RC_OK)
		return RC_FAILED;
	*out = p.config;
	return RC_OK;
}

static enum rc
instead(char *at, size_t room, const char *name, const char *value,
    struct err *e)
{
	if (value == NULL)
		return RC_OK;
	if (strlen(value) >= room)
		return err_set(e, "%s: longer than %zu bytes", name,
		    room - 1);
	memset(at, 0, room);
	memcpy(at, value, strlen(value));
	return RC_OK;
}

enum rc
settings_read(struct config *out, const struct settings *s, struct err *e)
{
	static char	 buf[FILE_MAX + 1];
	const char	*path = settings_file(s);
	size_t		 len = 0;

	if (path[0] != '\0' && read_file(path, buf, &len, e) != RC_OK)
		return RC_FAILED;
	if (path[0] == '\0')
		config_clear(out);
	else if (parse_apart(out, path, buf, len, e) != RC_OK)
		return RC_FAILED;
	if (instead(out->data, sizeof(out->data), "--data", s->data, e) !=
	    RC_OK || instead(out->listen, sizeof(out->listen), "--listen",
	    s->listen, e) != RC_OK)
		return RC_FAILED;
	if (!config_sound(out))
		return err_set(e, "--data FOLDER, --listen ADDRESS:PORT");
	return RC_OK;
}
