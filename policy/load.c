/*
 * Loading: files, what they include and the tables they name.
 *
 * A policy file is an operator's, but it is read as if it were not: sizes
 * are bounded, only regular files are opened, and a mistake anywhere loads
 * nothing.
 */
#include "policy/ast.h"
#include "policy/bundle.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/civil.h"
#include "policy/bundle_in.h"
#include "policy/parse.h"
#include "policy/parse_tab.h"
#include "policy/program.h"
#include "policy/scan.h"
#include "policy/side.h"

#define FILE_MAX	(4u << 20)	/* bytes of a policy file */
#define TABLE_FILE_MAX	(64u << 20)
#define PATH_LEN_MAX	1024
#define FILES_LEN_MAX	(240u << 20)	/* all together: a journal row */

/* What a policy hangs off; the caller sees only its first part. */
struct loaded {
	struct policy	 p;
	struct arena	*arena;
};

static enum rc
read_disk(struct arena *a, const char *path, size_t max, char **out,
    size_t *len_out, struct err *e)
{
	struct stat	 st;
	char		*buf;
	size_t		 len = 0;
	ssize_t		 n;
	int		 fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return err_set(e, "%s", strerror(errno));
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return err_set(e, "not a regular file");
	}
	if (st.st_size > (off_t)max) {
		(void)close(fd);
		return err_set(e, "larger than %zu MiB", max >> 20);
	}
	buf = arena_alloc(a, (size_t)st.st_size + 1);
	while (len < (size_t)st.st_size) {
		n = read(fd, buf + len, (size_t)st.st_size - len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	(void)close(fd);
	if (len != (size_t)st.st_size)
		return err_set(e, "it changed while it was read");
	*out = buf;
	*len_out = len;
	return RC_OK;
}

/* One file of the policy, from wherever it is loaded. */
static enum rc
read_file(struct parse *ps, const char *path, size_t max, char **out,
    size_t *len_out, struct err *e)
{
	const char	*text;
	enum rc		 rc;

	if (ps->bundle == NULL) {
		rc = read_disk(ps->arena, path, max, out, len_out, e);
	} else if ((rc = bundle_find(ps->bundle, path, &text, len_out, e)) ==
	    RC_OK) {
		if (*len_out > max)
			return err_set(e, "larger than %zu MiB", max >> 20);
		*out = arena_strndup(ps->arena, text, *len_out);
	}
	if (rc != RC_OK)
		return rc;
	if (*len_out > FILES_LEN_MAX - ps->bytes_read)
		return err_set(e, "with it, all files together are larger "
		    "than %u MiB", FILES_LEN_MAX >> 20);
	ps->bytes_read += *len_out;
	return RC_OK;
}

/* Register a file and its text. */
static int
file_add(struct parse *ps, const char *path, char *text, size_t len)
{
	struct policy	*p = ps->p;
	size_t		 n = (size_t)p->n_files;

	p->files = arena_grow(ps->arena, p->files, n, sizeof(*p->files));
	p->sources = arena_grow(ps->arena, p->sources, n,
	    sizeof(*p->sources));
	p->source_lens = arena_grow(ps->arena, p->source_lens, n,
	    sizeof(*p->source_lens));
	p->contents = arena_grow(ps->arena, p->contents, n,
	    sizeof(*p->contents));
	p->content_lens = arena_grow(ps->arena, p->content_lens, n,
	    sizeof(*p->content_lens));
	p->files[n] = arena_strndup(ps->arena, path, strlen(path));
	p->sources[n] = text;
	p->source_lens[n] = len;
	p->contents[n] = text;
	p->content_lens[n] = len;
	return p->n_files++;
}

/* `name` as seen from the folder of file `from`. */
static bool
join_path(const char *from, const char *name, char *buf, size_t buf_len)
{
	const char	*slash = strrchr(from, '/');
	int		 n;

	if (name[0] == '/' || slash == NULL)
		n = snprintf(buf, buf_len, "%s", name);
	else
		n = snprintf(buf, buf_len, "%.*s/%s", (int)(slash - from),
		    from, name);
	return n > 0 && (size_t)n < buf_len && name[0] != '\0';
}

static void
parse_one(struct parse *ps, int file)
{
	const struct policy	*p = ps->p;
	struct scan		*outer = ps->scan;
	int			 outer_n = ps->n_stmts_here;
	int			 outer_depth = ps->depth;

	if (!scan_check_text(ps, file, p->sources[file], p->source_lens[file]))
		return;
	ps->scan = scan_new(ps, file, p->sources[file], p->source_lens[file]);
	ps->n_stmts_here = 0;
	ps->depth = 0;
	(void)yyparse(ps);
	ps->scan = outer;
	ps->n_stmts_here = outer_n;
	ps->depth = outer_depth;
}

void
load_include(struct parse *ps, const struct tok *file)
{
	char		 path[PATH_LEN_MAX], *text;
	const char	*from = ps->p->files[file->pos.file];
	struct err	 e;
	size_t		 len;
	int		 i;

	if (!ps->files_allowed) {
		diag_error(ps->d, file->pos, NULL,
		    "no files can be named here");
		return;
	}
	if (!join_path(from, file->text, path, sizeof(path))) {
		diag_error(ps->d, file->pos, NULL, "not a path");
		return;
	}
	for (i = 0; i < ps->include_depth; i++) {
		if (strcmp(ps->p->files[ps->include_stack[i]], path) == 0) {
			diag_error(ps->d, file->pos, NULL,
			    "%s includes itself", path);
			return;
		}
	}
	if (ps->include_depth >= INCLUDES_MAX ||
	    ps->p->n_files >= 4 * TABLES_MAX) {
		diag_error(ps->d, file->pos, NULL, "too many includes");
		return;
	}
	if (read_file(ps, path, FILE_MAX, &text, &len, &e) != RC_OK) {
		diag_error(ps->d, file->pos, NULL, "%s: %s", path, e.text);
		return;
	}
	i = file_add(ps, path, text, len);
	ps->include_stack[ps->include_depth++] = i;
	parse_one(ps, i);
	ps->include_depth--;
}

/* One row a line; the text is not quoted in errors: it may be a secret
 * pasted by mistake. */
static void
table_lines(struct parse *ps, struct table *t, int file)
{
	struct pos	 pos = { file, 1, 1, 0 };
	size_t		 len = ps->p->content_lens[file];
	struct arena	*scratch = arena_new();
	char		*s = arena_strndup(scratch, ps->p->contents[file], len);
	char		*end = s + len, *nl, *p;

	/* It stands nowhere as a text. */
	ps->p->sources[file] = NULL;
	ps->p->source_lens[file] = 0;

	for (; s < end; s = nl + 1, pos.line++) {
		if ((nl = memchr(s, '\n', (size_t)(end - s))) == NULL)
			nl = end;
		for (p = s; p < nl && *p != '#'; p++)
			if (*p == '\t' || *p == '\r' || *p == ',')
				*p = ' ';
		table_add(ps, t, pos, s, (size_t)(p - s));
		table_add(ps, t, pos, NULL, 0);
	}
	arena_free(&scratch);
}

void
load_table_file(struct parse *ps, struct table *t, const struct tok *file)
{
	static const size_t	 max = TABLE_FILE_MAX;
	char			 path[PATH_LEN_MAX], *text;
	const char		*from = ps->p->files[file->pos.file];
	const char		*main_slash;
	struct err		 e;
	size_t			 len, skip;

	if (!ps->files_allowed) {
		diag_error(ps->d, file->pos, NULL,
		    "no files can be named here");
		return;
	}
	if (!join_path(from, file->text, path, sizeof(path))) {
		diag_error(ps->d, file->pos, NULL, "not a path");
		return;
	}
	if (read_file(ps, path, max, &text, &len, &e) != RC_OK) {
		diag_error(ps->d, file->pos, NULL, "%s: %s", path, e.text);
		return;
	}
	/* Printed as the main file would name it. */
	main_slash = strrchr(ps->p->files[0], '/');
	skip = main_slash == NULL || file->text[0] == '/' ? 0 :
	    (size_t)(main_slash - ps->p->files[0]) + 1;
	if (strncmp(path, ps->p->files[0], skip) != 0)
		skip = 0;
	t->path = arena_strndup(ps->arena, path + skip, strlen(path + skip));
	table_lines(ps, t, file_add(ps, path, text, len));
}

bool
parse_too_much(struct parse *ps)
{
	if (diag_errors(ps->d) < ERRORS_MAX)
		return false;
	ps->gave_up = true;
	return true;
}

const char *
parse_quote(struct parse *ps, struct pos pos, char *buf, size_t buf_len)
{
	const char	*s = ps->p->sources[pos.file];
	const char	*end = s + ps->p->source_lens[pos.file], *nl, *from;
	int		 line, col;
	size_t		 n;

	for (line = 1; line < pos.line; line++) {
		nl = memchr(s, '\n', (size_t)(end - s));
		assert(nl != NULL);
		s = nl + 1;
	}
	for (col = 1, from = s; s < end && *s != '\n' &&
	    col < pos.col + pos.len; col++) {
		if (col == pos.col)
			from = s;
		for (s++; s < end && ((unsigned char)*s & 0xc0) == 0x80; s++)
			continue;
	}
	n = (size_t)(s - from);
	if (n >= buf_len)
		n = buf_len - 1;
	memcpy(buf, from, n);
	buf[n] = '\0';
	return buf;
}

static void
defaults(struct parse *ps)
{
	struct policy	*p = ps->p;
	struct settings	*s = &p->set;
	struct class	*c;
	static const char *const names[] = { "proven", "busy" };
	size_t		 i;

	s->hold_expiry_ms = 7 * MS_PER_DAY;
	s->code_expiry_ms = 15 * MS_PER_MIN;
	s->growth_ppm = 10000;
	p->mode = MODE_ENFORCE;
	p->dflt = VERDICT_HOLD;
	for (i = 0; i < 2; i++) {
		p->classes = arena_grow(ps->arena, p->classes,
		    (size_t)p->n_classes, sizeof(*p->classes));
		c = &p->classes[p->n_classes++];
		c->name = arena_strndup(ps->arena, names[i],
		    strlen(names[i]));
		c->pos.len = 0;
	}
	/* S21: what is absent has its most suspicious value. */
	p->unknown[FACT_IP_NEW_ACCOUNT] = 1;
	p->unknown[FACT_IP_NEW_PLATFORM] = 1;
	p->unknown[FACT_DEVICE_NEW] = 1;
	p->unknown[FACT_DESTINATION_NEW_ACCOUNT] = 1;
	p->unknown[FACT_DESTINATION_NEW_PLATFORM] = 1;
	p->unknown[FACT_DESTINATION_NEW_CHAIN] = 1;
	p->unknown[FACT_IDLE] = INT64_MAX;
}

static struct pos
end_of(const struct policy *p)
{
	struct pos	 pos = { 0, 1, 1, 0 };
	size_t		 i;

	for (i = 0; i < p->source_lens[0]; i++)
		pos.line += p->sources[0][i] == '\n';
	if (i > 0 && p->sources[0][i - 1] != '\n')
		pos.line++;
	return pos;
}

/* What loads must also compile: too many facts, sums or rules are said now,
 * not when the policy is to come into force. */
static void
fits(struct parse *ps, struct pos top)
{
	struct program	*prog = NULL;
	const char	*file = ps->p->files[0];
	size_t		 n = strlen(file);
	struct err	 e;

	/* The reason names the file, as every message does already. */
	if (program_new(&prog, ps->p, &e) != RC_OK)
		diag_error(ps->d, top, NULL, "%s", strncmp(e.text, file, n) ==
		    0 && strncmp(e.text + n, ": ", 2) == 0 ? e.text + n + 2 :
		    e.text);
	program_free(&prog);
}

static enum rc
finish(struct parse *ps, FILE *diag, struct err *e)
{
	struct policy	*p = ps->p;
	struct pos	 top = { 0, 1, 1, 0 };
	int		 n;

	if (!ps->has_policy)
		diag_error(ps->d, top, NULL,
		    "a policy begins with the line `policy 1`");
	/* Nothing can be said of the whole when half of it is unread. */
	if (!ps->gave_up) {
		resolve_finish(ps, end_of(p));
		side_check(p, ps->d);
	}
	if (diag_errors(ps->d) == 0)
		fits(ps, top);
	if (diag_errors(ps->d) == 0 && ps->bundle != NULL &&
	    !bundle_used_up(ps->bundle))
		diag_error(ps->d, top, NULL,
		    "the bundle holds a file that nothing names");
	if ((n = diag_errors(ps->d)) == 0)
		return RC_OK;
	if (diag != NULL) {
		diag_print(ps->d, diag, false);
		(void)fprintf(diag, "%s: %d error%s%s, nothing loaded; the "
		    "policy in force stays\n", p->files[0], n,
		    n == 1 ? "" : "s", ps->gave_up ? " and more" : "");
	}
	return err_set(e, "%s: %d error%s, first: %s", p->files[0], n,
	    n == 1 ? "" : "s", diag_get(ps->d, 0)->text);
}

static enum rc
load(struct policy **out, const char *path, const char *text, size_t len,
    struct bundle *bundle, FILE *diag, struct err *e)
{
	struct parse	 ps = { .files_allowed = path != NULL,
	    .bundle = bundle };
	struct arena	*arena = arena_new();
	struct loaded	*l = arena_alloc(arena, sizeof(*l));
	char		*own = NULL;
	enum rc		 rc = RC_OK;

	*out = NULL;
	l->arena = arena;
	ps.arena = arena;
	ps.p = &l->p;
	if (path == NULL)
		path = "policy";
	if (text != NULL && len > FILE_MAX)
		rc = err_set(e, "larger than %u MiB", FILE_MAX >> 20);
	else if (text != NULL)
		own = arena_strndup(arena, text, len);
	else
		rc = read_file(&ps, path, FILE_MAX, &own, &len, e);
	if (rc != RC_OK) {
		if (diag != NULL && e != NULL)
			(void)fprintf(diag, "%s: %s\n", path, e->text);
		arena_free(&arena);
		return err_wrap(e, rc, "%s", path);
	}
	(void)file_add(&ps, path, own, len);
	ps.include_stack[ps.include_depth++] = 0;
	ps.d = diag_new(ps.p);
	defaults(&ps);
	parse_one(&ps, 0);
	rc = finish(&ps, diag, e);
	diag_free(&ps.d);
	if (rc == RC_OK)
		*out = &l->p;
	else
		arena_free(&arena);
	return rc;
}

enum rc
policy_load(struct policy **out, const char *path, FILE *diag, struct err *e)
{
	struct err	 scratch;

	return load(out, path, NULL, 0, NULL, diag,
	    e != NULL ? e : &scratch);
}

enum rc
policy_load_text(struct policy **out, const char *path, const char *text,
    size_t len, FILE *diag, struct err *e)
{
	struct err	 scratch;

	return load(out, path, text != NULL ? text : "", len, NULL, diag,
	    e != NULL ? e : &scratch);
}

enum rc
policy_load_bundle(struct policy **out, const unsigned char *bundle,
    size_t len, FILE *diag, struct err *e)
{
	struct err	 scratch;
	struct bundle	 b;
	enum rc		 rc;

	*out = NULL;
	if (e == NULL)
		e = &scratch;
	if ((rc = bundle_open(&b, bundle, len, e)) != RC_OK) {
		if (diag != NULL)
			(void)fprintf(diag, "policy: %s\n", e->text);
		return err_wrap(e, rc, "policy");
	}
	rc = load(out, b.files[0].name, NULL, 0, &b, diag, e);
	bundle_close(&b);
	return rc;
}

void
policy_free(struct policy **p)
{
	struct loaded	*l;
	struct arena	*arena;

	if (*p == NULL)
		return;
	l = (struct loaded *)*p;
	arena = l->arena;
	*p = NULL;
	arena_free(&arena);
}

const char *
policy_where(const struct policy *p, struct pos pos, char *buf,
    size_t buf_len)
{
	const char	*file = pos.file >= 0 && pos.file < p->n_files ?
	    p->files[pos.file] : "?";
	const char	*slash = strrchr(file, '/');

	(void)snprintf(buf, buf_len, "%s:%d", slash != NULL ? slash + 1 :
	    file, pos.line);
	return buf;
}

const char *
policy_rule_name(const struct policy *p, int rule, char *buf, size_t buf_len)
{
	assert(rule >= 0 && rule < p->n_rules);
	if (p->rules[rule].name != NULL)
		return p->rules[rule].name;
	return policy_where(p, p->rules[rule].pos, buf, buf_len);
}
