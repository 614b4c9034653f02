#include "cli/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bitcoin/address.h"
#include "lib/sha256.h"

#define HEAD		"drawbridge-ledger-1"
#define ID_HEX_MAX	128
#define HASH_HEX	64
#define LINE_MAX_	256

struct ledger {
	const char	*path;
	int		 fd;
	char		 head[LINE_MAX_];
	char		 id[ID_HEX_MAX + 1];
};

static enum rc
failed(const struct ledger *l, struct err *e)
{
	return err_set(e, "%s: %s", l->path, strerror(errno));
}

/* A new file's name must survive as well. */
static enum rc
sync_folder(const struct ledger *l, struct err *e)
{
	char	 copy[4096];
	int	 fd, r;

	if (strlen(l->path) >= sizeof(copy))
		return err_set(e, "%s: too long a path", l->path);
	(void)snprintf(copy, sizeof(copy), "%s", l->path);
	if ((fd = open(dirname(copy), O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		return failed(l, e);
	r = fsync(fd);
	(void)close(fd);
	return r == 0 ? RC_OK : failed(l, e);
}

static enum rc
open_it(struct ledger *l, bool make, struct err *e)
{
	l->fd = open(l->path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW |
	    (make ? O_CREAT : 0), 0600);
	if (l->fd == -1 && errno == ENOENT)
		return err_set(e, "%s: there is no ledger; if there never was"
		    " one, --new makes it.  With an empty one everything "
		    "could be paid again", l->path);
	if (l->fd == -1 || flock(l->fd, LOCK_EX) == -1)
		return failed(l, e);
	return RC_OK;
}

static bool
is_hex(const char *p, size_t len)
{
	return strspn(p, "0123456789abcdef") >= len;
}

/* "ID HASH TIME" */
static bool
is_line(const char *line)
{
	size_t		 id = strcspn(line, " ");
	const char	*hash = line + id + 1, *t;

	if (id == 0 || id > ID_HEX_MAX || id % 2 != 0 || line[id] != ' ' ||
	    !is_hex(line, id) || !is_hex(hash, HASH_HEX) ||
	    hash[HASH_HEX] != ' ')
		return false;
	t = hash + HASH_HEX + 1;
	return *t != '\0' && t[strspn(t, "0123456789")] == '\0';
}

/* Line `n` without its end. */
static enum rc
look_at(const struct ledger *l, const char *line, int n, bool *before,
    struct err *e)
{
	size_t	 len = strlen(l->id);

	if (n == 1)
		return strcmp(line, l->head) == 0 ? RC_OK : err_set(e,
		    "%s: not a ledger of this deployment and network",
		    l->path);
	if (!is_line(line))
		return err_set(e, "%s: line %d cannot be read; nothing is "
		    "redeemed until somebody has looked at it", l->path, n);
	*before |= strncmp(line, l->id, len) == 0 && line[len] == ' ';
	return RC_OK;
}

/* All lines that end; *end_out: where the last of them does. */
static enum rc
read_all(const struct ledger *l, bool *before, off_t *end_out, int *n_out,
    struct err *e)
{
	char	 line[LINE_MAX_];
	FILE	*f;
	size_t	 len;
	int	 fd = dup(l->fd);
	enum rc	 rc = RC_OK;

	if (fd == -1 || (f = fdopen(fd, "r")) == NULL)
		return failed(l, e);
	rewind(f);
	*end_out = 0;
	*n_out = 0;
	while (rc == RC_OK && fgets(line, sizeof(line), f) != NULL) {
		len = strlen(line);
		if (len == 0 || line[len - 1] != '\n') {
			/* Longer than any, or with a NUL, and more follows:
			 * not the torn end. */
			if (fgetc(f) != EOF)
				rc = err_set(e, "%s: line %d cannot be read",
				    l->path, *n_out + 1);
			break;
		}
		line[len - 1] = '\0';
		rc = look_at(l, line, ++*n_out, before, e);
		*end_out += (off_t)len;
	}
	if (rc == RC_OK && ferror(f))
		rc = failed(l, e);
	(void)fclose(f);
	return rc;
}

static enum rc
append(const struct ledger *l, const char *line, struct err *e)
{
	size_t	 len = strlen(line);
	ssize_t	 n = write(l->fd, line, len);

	if (n != (ssize_t)len)
		return n == -1 ? failed(l, e) : err_set(e, "%s: no room",
		    l->path);
	return fsync(l->fd) == 0 ? RC_OK : failed(l, e);
}

static enum rc
put_head(const struct ledger *l, struct err *e)
{
	char	 line[LINE_MAX_ + 1];
	enum rc	 rc;

	(void)snprintf(line, sizeof(line), "%s\n", l->head);
	rc = append(l, line, e);
	return rc == RC_OK ? sync_folder(l, e) : rc;
}

static enum rc
put_line(const struct ledger *l, const unsigned char bytes[RECEIPT_LEN],
    int64_t t_ms, struct err *e)
{
	unsigned char	 hash[SHA256_LEN];
	char		 hex[HASH_HEX + 1], line[LINE_MAX_];

	sha256(hash, bytes, RECEIPT_LEN);
	(void)snprintf(line, sizeof(line), "%s %s %" PRId64 "\n", l->id,
	    sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)), t_ms);
	return append(l, line, e);
}

static enum rc
redeem(struct ledger *l, enum ledger_said *out, bool make,
    const unsigned char bytes[RECEIPT_LEN], int64_t t_ms, struct err *e)
{
	bool	 before = false;
	off_t	 end = 0;
	int	 n = 0;
	enum rc	 rc;

	if ((rc = read_all(l, &before, &end, &n, e)) != RC_OK)
		return rc;
	/* Empty is as good as gone, unless it is to be new. */
	if (n == 0 && !make)
		return err_set(e, "%s: an empty ledger; --new begins one",
		    l->path);
	*out = before ? LEDGER_BEFORE : LEDGER_REDEEMED;
	if (before)
		return RC_OK;
	if (ftruncate(l->fd, end) == -1)
		return failed(l, e);
	if (n == 0 && (rc = put_head(l, e)) != RC_OK)
		return rc;
	return put_line(l, bytes, t_ms, e);
}

enum rc
ledger_redeem(enum ledger_said *out, const char *path, bool make,
    const struct receipt *r, const unsigned char bytes[RECEIPT_LEN],
    int64_t t_ms, struct err *e)
{
	struct ledger	 l = { .path = path, .fd = -1 };
	char		 deployment[33];
	enum rc		 rc;

	(void)snprintf(l.head, sizeof(l.head), HEAD " %s %s",
	    sodium_bin2hex(deployment, sizeof(deployment), r->deployment,
	    sizeof(r->deployment)), network_text((enum network)r->network));
	(void)sodium_bin2hex(l.id, sizeof(l.id),
	    (const unsigned char *)r->id.p, r->id.len);
	if ((rc = open_it(&l, make, e)) == RC_OK)
		rc = redeem(&l, out, make, bytes, t_ms, e);
	/* The lock ends with it. */
	if (l.fd != -1)
		(void)close(l.fd);
	return rc;
}
