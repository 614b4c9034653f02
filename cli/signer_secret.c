/*
 * What a person types.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/signer.h"
#include "lib/secret.h"

#define PHRASE_MIN	12	/* bytes: less is no passphrase */

/* The terminal, -1: there is none. */
static int
terminal(void)
{
	static int	 fd = -2;

	if (fd == -2)
		fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	return fd;
}

bool
signer_secret_terminal(void)
{
	return terminal() != -1;
}

void
signer_secret_say(const char *text)
{
	int	 fd = terminal() != -1 ? terminal() : STDERR_FILENO;
	size_t	 len = strlen(text), done = 0;
	ssize_t	 n;

	while (done < len) {
		n = write(fd, text + done, len - done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		done += (size_t)n;
	}
}

/* Byte by byte, so that nothing of what comes after is taken. */
static enum rc
read_line(char *buf, size_t *len, int fd, struct err *e)
{
	ssize_t	 n;
	char	 c;

	*len = 0;
	for (;;) {
		n = read(fd, &c, 1);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return err_set(e, "reading: %s", strerror(errno));
		if (n == 0 && *len == 0)
			return err_set(e, "nothing was typed");
		if (n == 0 || c == '\n')
			break;
		if (*len == SIGNER_SECRET_MAX - 1)
			return err_set(e, "a line of more than %d bytes",
			    SIGNER_SECRET_MAX - 1);
		buf[(*len)++] = c;
	}
	if (*len > 0 && buf[*len - 1] == '\r')
		*len -= 1;
	buf[*len] = '\0';
	return RC_OK;
}

enum rc
signer_secret_line(char *buf, size_t *len, const char *prompt, bool echo,
    struct err *e)
{
	int		 fd = terminal() != -1 ? terminal() : STDIN_FILENO;
	struct termios	 was, quiet;
	bool		 changed = false;
	enum rc		 rc;

	/* Before it is asked for: what is typed at once is not seen either. */
	if (!echo && tcgetattr(fd, &was) == 0) {
		quiet = was;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		changed = tcsetattr(fd, TCSAFLUSH, &quiet) == 0;
	}
	signer_secret_say(prompt);
	rc = read_line(buf, len, fd, e);
	if (changed) {
		(void)tcsetattr(fd, TCSAFLUSH, &was);
		signer_secret_say("\n");
	}
	return rc;
}

static enum rc
phrase_of_file(char *buf, size_t *len, const char *path, struct err *e)
{
	int	 fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) :
	    open(path, O_RDONLY | O_CLOEXEC);
	enum rc	 rc;

	if (fd == -1)
		return err_set(e, "%s: %s", path, strerror(errno));
	rc = read_line(buf, len, fd, e);
	(void)close(fd);
	return err_wrap(e, rc, "%s", path);
}

static enum rc
type_again(const char *first, size_t len, struct err *e)
{
	char	*again = secret_new(SIGNER_SECRET_MAX);
	size_t	 n = 0;
	enum rc	 rc;

	if (again == NULL)
		return err_set(e, "no memory for secrets");
	rc = signer_secret_line(again, &n, "The same again: ", false, e);
	if (rc == RC_OK && (n != len || memcmp(first, again, n) != 0))
		rc = err_set(e, "not the same passphrase twice");
	secret_free(again, SIGNER_SECRET_MAX);
	return rc;
}

enum rc
signer_secret_phrase(char **out, struct text *phrase,
    const struct signer_options *o, bool new, struct err *e)
{
	char	*buf = secret_new(SIGNER_SECRET_MAX);
	enum rc	 rc;

	*out = NULL;
	if (buf == NULL)
		return err_set(e, "no memory for secrets");
	phrase->p = buf;
	if (o->passphrase != NULL)
		rc = phrase_of_file(buf, &phrase->len, o->passphrase, e);
	else
		rc = signer_secret_line(buf, &phrase->len, new ?
		    "A passphrase for the seed: " :
		    "The seed's passphrase: ", false, e);
	if (rc == RC_OK && new && phrase->len < PHRASE_MIN)
		rc = err_set(e, "a passphrase has %d bytes or more",
		    PHRASE_MIN);
	if (rc == RC_OK && new && o->passphrase == NULL)
		rc = type_again(buf, phrase->len, e);
	if (rc != RC_OK) {
		secret_free(buf, SIGNER_SECRET_MAX);
		return rc;
	}
	*out = buf;
	return RC_OK;
}

bool
signer_secret_agreed(const struct signer_options *o, const char *question)
{
	char		 line[SIGNER_SECRET_MAX];
	struct err	 e;
	size_t		 len;

	if (o->yes)
		return true;
	signer_secret_say(question);
	return signer_secret_line(line, &len, " [y/N] ", true, &e) == RC_OK &&
	    (strcmp(line, "y") == 0 || strcmp(line, "yes") == 0);
}
