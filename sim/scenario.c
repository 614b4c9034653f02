/*
 * Reading scenario files: a buffer that slides over the file, lines found
 * with memchr(), and what only the order of the lines can tell.
 */
#include "sim/scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define CHUNK		(1024 * 1024)
/* A line and its newline always fit beside one chunk. */
#define BUF_LEN		(SCENARIO_LINE_MAX + 2 + CHUNK)

struct scenario_reader {
	char		*name;
	int		 fd;
	struct scenario_parser *parser;
	char		*buf;
	size_t		 begin;		/* of what is not yet read */
	size_t		 end;
	bool		 eof;
	ZSTD_DCtx	*zstd;		/* NULL: plain */
	char		*packed;
	ZSTD_inBuffer	 in;
	size_t		 frame_left;	/* 0: between frames */
	int64_t		 size;		/* of the file; -1 unknown */
	int64_t		 done;		/* bytes of the file so far */
	uint64_t	 line;
	int64_t		 last_ms;
	bool		 any;		/* an event has been read */
	enum network	 net;
};

void
scenario_event_clear(struct scenario_event *ev, enum scenario_type type,
    int64_t t_ms)
{
	memset(ev, 0, sizeof(*ev));
	ev->type = type;
	ev->t_ms = t_ms;
	ev->limit_sat = -1;
	ev->tier = -1;
	ev->version = 1;
}

/* Bytes */

static enum rc
read_some(struct scenario_reader *r, char *to, size_t room, size_t *n_out,
    struct err *e)
{
	ssize_t	 n;

	do
		n = read(r->fd, to, room);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(e, "%s: %s", r->name, strerror(errno));
	r->done += n;
	*n_out = (size_t)n;
	return RC_OK;
}

static enum rc
unpack_some(struct scenario_reader *r, char *to, size_t room, size_t *n_out,
    struct err *e)
{
	ZSTD_outBuffer	 out = { to, room, 0 };
	size_t		 n = 0;

	for (;;) {
		/* Within a frame, what libzstd still holds comes first.
		 * Between two, an empty input would begin a third. */
		if (r->in.pos < r->in.size || r->frame_left > 0) {
			n = ZSTD_decompressStream(r->zstd, &out, &r->in);
			if (ZSTD_isError(n))
				return err_set(e, "%s: not zstd: %s", r->name,
				    ZSTD_getErrorName(n));
			r->frame_left = n;
		}
		if (out.pos > 0)
			break;
		if (r->in.pos < r->in.size)
			continue;
		if (read_some(r, r->packed, CHUNK, &n, e) != RC_OK)
			return RC_FAILED;
		r->in.size = n;
		r->in.pos = 0;
		if (n == 0 && r->frame_left > 0)
			return err_set(e, "%s: ends within compressed data",
			    r->name);
		if (n == 0)
			break;
	}
	*n_out = out.pos;
	return RC_OK;
}

/* More bytes behind those that are there. */
static enum rc
fill(struct scenario_reader *r, struct err *e)
{
	size_t	 n = 0;

	if (r->begin > 0) {
		memmove(r->buf, r->buf + r->begin, r->end - r->begin);
		r->end -= r->begin;
		r->begin = 0;
	}
	if ((r->zstd != NULL ?
	    unpack_some(r, r->buf + r->end, BUF_LEN - r->end, &n, e) :
	    read_some(r, r->buf + r->end, BUF_LEN - r->end, &n, e)) != RC_OK)
		return RC_FAILED;
	r->end += n;
	r->eof = n == 0;
	return RC_OK;
}

/* Compressed or not, the first bytes tell. */
static enum rc
sniff(struct scenario_reader *r, struct err *e)
{
	static const char	 magic[4] = { 0x28, (char)0xb5, 0x2f,
		(char)0xfd };

	while (r->end < sizeof(magic) && !r->eof) {
		if (fill(r, e) != RC_OK)
			return RC_FAILED;
	}
	if (r->end < sizeof(magic) || memcmp(r->buf, magic, 4) != 0)
		return RC_OK;
	if ((r->zstd = ZSTD_createDCtx()) == NULL ||
	    (r->packed = malloc(BUF_LEN)) == NULL)
		return err_set(e, "out of memory");
	memcpy(r->packed, r->buf, r->end);
	r->in.src = r->packed;
	r->in.size = r->end;
	r->in.pos = 0;
	r->begin = r->end = 0;
	r->eof = false;
	return RC_OK;
}

/* The reader */

enum rc
scenario_reader_open(struct scenario_reader **out, const char *path,
    struct err *e)
{
	struct scenario_reader	*r = calloc(1, sizeof(*r));
	struct stat		 st;
	bool			 input = strcmp(path, "-") == 0;

	if (r == NULL)
		return err_set(e, "out of memory");
	r->size = -1;
	r->fd = -1;
	r->name = strdup(input ? "standard input" : path);
	r->buf = malloc(BUF_LEN);
	if (r->name == NULL || r->buf == NULL) {
		(void)err_set(e, "out of memory");
		goto failed;
	}
	if (scenario_parser_new(&r->parser, e) != RC_OK)
		goto failed;
	r->fd = input ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0 || fstat(r->fd, &st) != 0) {
		(void)err_set(e, "%s: %s", r->name, strerror(errno));
		goto failed;
	}
	if (S_ISREG(st.st_mode))
		r->size = st.st_size;
	if (sniff(r, e) != RC_OK)
		goto failed;
	*out = r;
	return RC_OK;
failed:
	scenario_reader_free(&r);
	return RC_FAILED;
}

void
scenario_reader_free(struct scenario_reader **rp)
{
	struct scenario_reader	*r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	scenario_parser_free(&r->parser);
	ZSTD_freeDCtx(r->zstd);
	if (r->fd >= 0)
		(void)close(r->fd);
	free(r->packed);
	free(r->buf);
	free(r->name);
	free(r);
}

/* Names come from the file: nothing of it may steer a terminal. */
static void
make_printable(struct err *e)
{
	char	*p;

	for (p = e->text; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
}

enum rc
scenario_reader_blame(const struct scenario_reader *r, uint64_t line,
    const char *key, struct err *e)
{
	if (key != NULL)
		(void)err_wrap(e, RC_FAILED, "`%s`", key);
	(void)err_wrap(e, RC_FAILED, "%s:%" PRIu64, r->name, line);
	if (e != NULL)
		make_printable(e);
	return RC_FAILED;
}

/* The next line without its end; *line NULL at the end of the file. */
static enum rc
next_line(struct scenario_reader *r, const char **line, size_t *len,
    struct err *e)
{
	char	*start, *nl;
	size_t	 seen = 0;

	for (;;) {
		start = r->buf + r->begin;
		nl = memchr(start + seen, '\n', r->end - r->begin - seen);
		if (nl != NULL || r->eof)
			break;
		seen = r->end - r->begin;
		if (seen > SCENARIO_LINE_MAX + 1)
			break;
		if (fill(r, e) != RC_OK)
			return RC_FAILED;
	}
	*line = NULL;
	*len = nl != NULL ? (size_t)(nl - start) : r->end - r->begin;
	if (nl == NULL && *len == 0)
		return RC_OK;
	r->line++;
	r->begin += *len + (nl != NULL);
	if (*len > 0 && start[*len - 1] == '\r')
		(*len)--;
	if (*len > SCENARIO_LINE_MAX) {
		(void)err_set(e, "a line of more than %d bytes",
		    SCENARIO_LINE_MAX);
		return scenario_reader_blame(r, r->line, NULL, e);
	}
	*line = start;
	return RC_OK;
}

static bool
is_blank(const char *p, size_t len)
{
	while (len > 0 && (*p == ' ' || *p == '\t' || *p == '\r')) {
		p++;
		len--;
	}
	return len == 0;
}

/* What the lines before have to do with this one. */
static enum rc
check_order(struct scenario_reader *r, const struct scenario_event *ev,
    struct err *e)
{
	if (ev->type == SCENARIO_HEADER && r->any) {
		(void)err_set(e, "`scenario` stands on the first line only");
		return scenario_reader_blame(r, r->line, "type", e);
	}
	if (ev->t_ms < r->last_ms) {
		(void)err_set(e, "%" PRId64 " after %" PRId64
		    "; time never decreases", ev->t_ms, r->last_ms);
		return scenario_reader_blame(r, r->line, "t", e);
	}
	if (ev->type == SCENARIO_HEADER)
		r->net = ev->network;
	r->last_ms = ev->t_ms;
	r->any = true;
	return RC_OK;
}

enum rc
scenario_read(struct scenario_reader *r, struct scenario_event *ev,
    bool *more_out, struct err *e)
{
	const char	*line;
	size_t		 len;

	*more_out = false;
	do {
		if (next_line(r, &line, &len, e) != RC_OK)
			return RC_FAILED;
		if (line == NULL)
			return RC_OK;
		if (r->line == 1 && len >= 3 &&
		    memcmp(line, "\xef\xbb\xbf", 3) == 0) {
			(void)err_set(e, "a byte order mark; UTF-8 has none");
			return scenario_reader_blame(r, r->line, NULL, e);
		}
	} while (is_blank(line, len));
	if (scenario_parse(r->parser, line, len, ev, e) != RC_OK)
		return scenario_reader_blame(r, r->line, NULL, e);
	*more_out = true;
	return check_order(r, ev, e);
}

enum network
scenario_reader_network(const struct scenario_reader *r)
{
	return r->net;
}

uint64_t
scenario_reader_line(const struct scenario_reader *r)
{
	return r->line;
}

int
scenario_reader_permille(const struct scenario_reader *r)
{
	if (r->size <= 0)
		return -1;
	return (int)(r->done >= r->size ? 1000 : r->done * 1000 / r->size);
}
