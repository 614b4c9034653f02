/*
 * What the subcommands read, and how they say that something failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/signer.h"
#include "lib/civil.h"
#include "wire/receipt.h"

#define RECEIPT_FILE_MAX	((size_t)4 << 20)
#define RECEIPTS_MAX		4096
#define PSBT_TEXT_MAX		((size_t)32 << 20)

int64_t
signer_read_now_ms(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * MS_PER_S + t.tv_nsec / 1000000;
}

void
signer_read_json(struct json *j)
{
	json_to_file(j, stdout, isatty(STDOUT_FILENO) == 1);
	json_open_object(j, NULL);
}

int
signer_read_json_end(struct json *j)
{
	json_close(j);
	json_line(j);
	return json_end(j) == RC_OK && fflush(stdout) == 0 ? STATUS_DONE :
	    STATUS_FAILED;
}

void
signer_read_put_hex(struct json *j, const char *key,
    const unsigned char *bytes, size_t len)
{
	char	 text[2 * 64 + 1];

	json_put_text(j, key, sodium_bin2hex(text, sizeof(text), bytes, len));
}

int
signer_read_failed(const struct signer_options *o, const struct err *e)
{
	static struct json	 j;

	if (o->json) {
		signer_read_json(&j);
		json_put_text(&j, "error", e->text);
		(void)signer_read_json_end(&j);
	}
	(void)fprintf(stderr, "drawbridge signer %s: %s\n", o->name, e->text);
	return STATUS_FAILED;
}

int
signer_read_usage(void)
{
	return usage("signer");
}

static enum rc
read_all(char *buf, size_t room, size_t *len, int fd, const char *path,
    struct err *e)
{
	ssize_t	 n = 1;

	*len = 0;
	while (*len < room) {
		n = read(fd, buf + *len, room - *len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		*len += (size_t)n;
	}
	if (n == -1)
		return err_set(e, "%s: %s", path, strerror(errno));
	return *len < room ? RC_OK : err_set(e, "%s: longer than %zu bytes",
	    path, room - 1);
}

enum rc
signer_read_file(char **out, size_t *len, const char *path, size_t max,
    struct err *e)
{
	char	*buf = malloc(max + 2);
	enum rc	 rc;
	int	 fd;

	*out = NULL;
	if (buf == NULL)
		return err_set(e, "no memory");
	fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) :
	    open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		free(buf);
		return err_set(e, "%s: %s", path, strerror(errno));
	}
	rc = read_all(buf, max + 1, len, fd, path, e);
	(void)close(fd);
	if (rc != RC_OK) {
		free(buf);
		return rc;
	}
	buf[*len] = '\0';
	*out = buf;
	return RC_OK;
}

enum rc
signer_read_number(uint64_t *out, const char *what, const char *text,
    struct err *e)
{
	char	*end;

	errno = 0;
	if (text == NULL)
		return err_set(e, "%s is needed", what);
	*out = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0)
		return err_set(e, "%s %s: not a number", what, text);
	return RC_OK;
}

enum rc
signer_read_hex(unsigned char *out, size_t len, const char *what,
    const char *text, struct err *e)
{
	size_t	 n = 0;

	if (text == NULL)
		return err_set(e, "%s is needed", what);
	if (strlen(text) != 2 * len || sodium_hex2bin(out, len, text, 2 * len,
	    NULL, &n, NULL) != 0 || n != len)
		return err_set(e, "%s: not %zu characters of hex", what,
		    2 * len);
	return RC_OK;
}

/* Each line of a file that is not empty. */
static enum rc
add_receipts(unsigned char *out, size_t *n, const char *path, struct err *e)
{
	size_t		 len, line = 0;
	struct text	 t;
	char		*buf, *p, *nl;
	enum rc		 rc;

	if ((rc = signer_read_file(&buf, &len, path, RECEIPT_FILE_MAX, e)) !=
	    RC_OK)
		return rc;
	for (p = buf; rc == RC_OK && *p != '\0'; p = nl) {
		nl = p + strcspn(p, "\n");
		t.p = p;
		t.len = (size_t)(nl - p);
		nl += *nl == '\n';
		line++;
		if (t.len > 0 && t.p[t.len - 1] == '\r')
			t.len--;
		if (t.len == 0)
			continue;
		if (*n == RECEIPTS_MAX)
			rc = err_set(e, "more than %d receipts",
			    RECEIPTS_MAX);
		else
			rc = receipt_of_text(out + *n * RECEIPT_LEN, t, e);
		*n += 1;
	}
	free(buf);
	return err_wrap(e, rc, "%s:%zu", path, line);
}

enum rc
signer_read_receipts(unsigned char **out, size_t *n,
    const char *const *paths, size_t n_paths, struct err *e)
{
	enum rc	 rc = RC_OK;
	size_t	 i;

	*n = 0;
	if ((*out = malloc((size_t)RECEIPTS_MAX * RECEIPT_LEN)) == NULL)
		return err_set(e, "no memory");
	for (i = 0; rc == RC_OK && i < n_paths; i++)
		rc = add_receipts(*out, n, paths[i], e);
	if (rc != RC_OK) {
		free(*out);
		*out = NULL;
	}
	return rc;
}

enum rc
signer_read_psbt(struct psbt **out, const char *from, struct err *e)
{
	static const char	 magic[] = "psbt\xff";
	struct text		 t = text_of(from);
	char			*buf = NULL;
	enum rc			 rc = RC_OK;

	if (strncmp(from, "cHNidP", 6) != 0) {
		rc = signer_read_file(&buf, &t.len, from, PSBT_TEXT_MAX, e);
		t.p = buf;
	}
	if (rc != RC_OK)
		return rc;
	if (t.len >= 5 && memcmp(t.p, magic, 5) == 0) {
		rc = psbt_parse(out, (const unsigned char *)t.p, t.len, e);
	} else {
		while (t.len > 0 && strchr(" \t\r\n", t.p[t.len - 1]) != NULL)
			t.len--;
		rc = psbt_of_base64(out, t, e);
	}
	free(buf);
	return err_wrap(e, rc, "PSBT");
}

enum rc
signer_read_settings(struct sign_settings *out, const char *path,
    struct err *e)
{
	struct text	 t;
	char		*buf;
	enum rc		 rc;

	if (path == NULL)
		return err_set(e, "--settings FILE is needed");
	rc = signer_read_file(&buf, &t.len, path, SIGN_SETTINGS_MAX, e);
	if (rc != RC_OK)
		return rc;
	t.p = buf;
	rc = sign_settings_parse(out, path, t, e);
	free(buf);
	return rc;
}
