#define _GNU_SOURCE
#include "cli/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/file.h"
#include "lib/sha256.h"

#define FIRST_LINE	"drawbridge-backup-1\n"
#define TEXT_MAX	4096
#define PIECE		((size_t)1 << 20)
#define FILE_BYTES_MAX	(INT64_MAX / 2)

enum rc
manifest_path(char *buf, size_t room, const char *folder, const char *name,
    struct err *e)
{
	int	 n = snprintf(buf, room, "%s/%s", folder, name);

	if (n > 0 && (size_t)n < room)
		return RC_OK;
	return err_set(e, "%.200s: the name is too long", folder);
}

/* Writing */

static int
put_lines(char *buf, const struct manifest *m)
{
	char	 head[HEAD_TEXT_MAX], sha[65];
	int	 n, i;

	n = snprintf(buf, TEXT_MAX, FIRST_LINE "head %s\n",
	    head_format(head, &m->head));
	for (i = 0; i < m->n_files; i++)
		n += snprintf(buf + n, TEXT_MAX - (size_t)n,
		    "file %s %" PRIu64 " %s\n", sodium_bin2hex(sha,
		    sizeof(sha), m->files[i].sha256, 32),
		    m->files[i].bytes, m->files[i].name);
	return n;
}

enum rc
manifest_write(struct manifest *m, const char *folder, struct err *e)
{
	char	 path[PATH_MAX], text[TEXT_MAX + 80], sha[65];
	int	 n = put_lines(text, m), fd = -1;
	enum rc	 rc;

	sha256(m->sha256, text, (size_t)n);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "end %s\n",
	    sodium_bin2hex(sha, sizeof(sha), m->sha256, 32));
	if ((rc = manifest_path(path, sizeof(path), folder, MANIFEST_NAME,
	    e)) != RC_OK || (rc = file_begin(&fd, path, e)) != RC_OK)
		return rc;
	if ((rc = file_write(fd, text, (size_t)n, 0, path, e)) == RC_OK)
		return file_commit(&fd, path, false, e);
	file_discard(&fd, path);
	return rc;
}

/* Reading */

static bool
is_hash(unsigned char out[32], const char *hex)
{
	size_t	 n;

	return strlen(hex) == 64 && sodium_hex2bin(out, 32, hex, 64, NULL,
	    &n, NULL) == 0 && n == 32;
}

/* Nothing that leaves the folder. */
static bool
is_name(const char *name)
{
	size_t	 dir = strlen(MANIFEST_SNAPSHOTS "/");

	if (strcmp(name, MANIFEST_DB) == 0 ||
	    strcmp(name, MANIFEST_KEYS) == 0)
		return true;
	return strncmp(name, MANIFEST_SNAPSHOTS "/", dir) == 0 &&
	    strlen(name) == dir + 20 + strlen(".snapshot") &&
	    strspn(name + dir, "0123456789") == 20 &&
	    strcmp(name + dir + 20, ".snapshot") == 0;
}

static bool
read_file_line(struct manifest *m, const char *line)
{
	struct manifest_file	*f = &m->files[m->n_files];
	char			 sha[66], name[MANIFEST_NAME_MAX];
	uint64_t		 bytes;

	if (m->n_files == MANIFEST_FILES_MAX ||
	    sscanf(line, "file %65s %" SCNu64 " %63s", sha, &bytes, name) !=
	    3 || !is_hash(f->sha256, sha) || !is_name(name) ||
	    bytes > (uint64_t)FILE_BYTES_MAX)
		return false;
	memcpy(f->name, name, sizeof(name));
	f->bytes = bytes;
	m->n_files++;
	return true;
}

static bool
read_lines(struct manifest *m, char *text, struct err *e)
{
	char	*line, *save = NULL;
	int	 n = 0;

	for (line = strtok_r(text, "\n", &save); line != NULL;
	    line = strtok_r(NULL, "\n", &save), n++) {
		if (n == 0)
			continue;
		if (n == 1 && strncmp(line, "head ", 5) == 0) {
			if (head_parse(&m->head, text_of(line + 5), e) !=
			    RC_OK)
				return false;
		} else if (n == 1 || (strncmp(line, "end ", 4) != 0 &&
		    !read_file_line(m, line)))
			return false;
	}
	return m->n_files >= 2;
}

static enum rc
parse(struct manifest *m, const char *text, size_t len, const char *path,
    struct err *e)
{
	char		 again[TEXT_MAX + 80], copy[TEXT_MAX + 80], sha[65];
	int		 n;

	memset(m, 0, sizeof(*m));
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (strncmp(text, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		return err_set(e, "%s: is not the manifest of a backup that "
		    "this program knows", path);
	if (!read_lines(m, copy, NULL))
		return err_set(e, "%s: is damaged: a line is not one of a "
		    "manifest", path);
	/* What it says, written again, must be what it is. */
	n = put_lines(again, m);
	sha256(m->sha256, again, (size_t)n);
	n += snprintf(again + n, sizeof(again) - (size_t)n, "end %s\n",
	    sodium_bin2hex(sha, sizeof(sha), m->sha256, 32));
	if ((size_t)n != len || memcmp(again, text, len) != 0)
		return err_set(e, "%s: is damaged: its lines do not match "
		    "its checksum", path);
	return RC_OK;
}

enum rc
manifest_read(struct manifest *out, const char *folder, struct err *e)
{
	char	 path[PATH_MAX], text[TEXT_MAX];
	ssize_t	 n;
	enum rc	 rc;
	int	 fd;

	if ((rc = manifest_path(path, sizeof(path), folder, MANIFEST_NAME,
	    e)) != RC_OK)
		return rc;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return errno == ENOENT ? err_set(e, "%s: is no complete "
		    "backup: it has no manifest", folder) :
		    err_set(e, "%s: %s", path, strerror(errno));
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n < 0)
		return err_set(e, "%s: %s", path, strerror(errno));
	text[n] = '\0';
	return parse(out, text, (size_t)n, path, e);
}

/* Files */

struct hashing {
	int		 fd, to;
	const char	*path, *to_path;
	uint64_t	 done, total;
	struct sha256	 sha;
	void		(*progress)(void *ctx, uint64_t done, uint64_t total);
	void		*ctx;
};

static enum rc
hash_pieces(struct hashing *h, unsigned char *piece, struct err *e)
{
	ssize_t	 n;
	enum rc	 rc;

	while ((n = read(h->fd, piece, PIECE)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, "%s: %s", h->path,
			    strerror(errno));
		sha256_add(&h->sha, piece, (size_t)n);
		if (h->to != -1 && (rc = file_write(h->to, piece, (size_t)n,
		    h->done, h->to_path, e)) != RC_OK)
			return rc;
		h->done += (uint64_t)n;
		if (h->progress != NULL)
			h->progress(h->ctx, h->done, h->total);
	}
	return RC_OK;
}

static enum rc
hash_open(struct hashing *h, struct err *e)
{
	struct stat	 st;

	if ((h->fd = open(h->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) == -1)
		return err_set(e, "%s: %s", h->path, strerror(errno));
	if (fstat(h->fd, &st) == -1 || !S_ISREG(st.st_mode))
		return err_set(e, "%s: is not a file", h->path);
	h->total = (uint64_t)st.st_size;
	/* What was just written should come from the disk. */
	(void)posix_fadvise(h->fd, 0, 0, POSIX_FADV_DONTNEED);
	return h->to_path == NULL ? RC_OK : file_begin(&h->to, h->to_path,
	    e);
}

enum rc
manifest_hash(struct manifest_file *out, const char *path, const char *to,
    void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
    struct err *e)
{
	struct hashing	 h = { .fd = -1, .to = -1, .path = path,
			    .to_path = to, .progress = progress, .ctx = ctx };
	unsigned char	*piece = malloc(PIECE);
	enum rc		 rc;

	if (piece == NULL)
		return err_set(e, "out of memory");
	sha256_begin(&h.sha);
	if ((rc = hash_open(&h, e)) == RC_OK)
		rc = hash_pieces(&h, piece, e);
	if (rc == RC_OK && to != NULL)
		rc = file_commit(&h.to, to, false, e);
	else if (h.to != -1)
		file_discard(&h.to, to);
	if (h.fd != -1)
		(void)close(h.fd);
	out->bytes = h.done;
	sha256_end(&h.sha, out->sha256);
	free(piece);
	return rc;
}

/* Folders */

static enum rc
wipe_files(const char *folder, struct err *e)
{
	char		 path[PATH_MAX];
	struct dirent	*d;
	DIR		*dir = opendir(folder);
	enum rc		 rc = RC_OK;

	if (dir == NULL)
		return errno == ENOENT ? RC_OK : err_set(e, "%s: %s", folder,
		    strerror(errno));
	while (rc == RC_OK && (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 ||
		    strcmp(d->d_name, "..") == 0 ||
		    strcmp(d->d_name, MANIFEST_SNAPSHOTS) == 0)
			continue;
		rc = manifest_path(path, sizeof(path), folder, d->d_name, e);
		if (rc == RC_OK && unlink(path) == -1 && errno != ENOENT)
			rc = err_set(e, "%s: %s", path, strerror(errno));
	}
	(void)closedir(dir);
	return rc;
}

enum rc
manifest_wipe(const char *folder, struct err *e)
{
	char	 inner[PATH_MAX];
	enum rc	 rc;

	if ((rc = manifest_path(inner, sizeof(inner), folder,
	    MANIFEST_SNAPSHOTS, e)) != RC_OK ||
	    (rc = wipe_files(inner, e)) != RC_OK)
		return rc;
	if (rmdir(inner) == -1 && errno != ENOENT)
		return err_set(e, "%s: %s", inner, strerror(errno));
	if ((rc = wipe_files(folder, e)) != RC_OK)
		return rc;
	if (rmdir(folder) == -1 && errno != ENOENT)
		return err_set(e, "%s: %s", folder, strerror(errno));
	return RC_OK;
}
