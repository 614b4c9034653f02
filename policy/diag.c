#include "policy/diag.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy/mem.h"

/* Nobody reads more, and a hostile file could make millions. */
#define ITEMS_MAX	500
/* How much of a long line is shown on each side of the caret. */
#define SHOWN_BEFORE	100
#define SHOWN_MAX	160

struct item {
	struct diag_item pub;
	int		 serial;
};

struct diag {
	const struct policy *p;
	struct arena	*arena;
	struct item	*items;
	int		 n_items;
	int		 n_errors;
	int		 n_warnings;
	bool		 sorted;
};

struct diag *
diag_new(const struct policy *p)
{
	struct arena	*a = arena_new();
	struct diag	*d = arena_alloc(a, sizeof(*d));

	d->p = p;
	d->arena = a;
	return d;
}

void
diag_free(struct diag **d)
{
	struct arena	*a;

	if (*d == NULL)
		return;
	a = (*d)->arena;
	*d = NULL;
	arena_free(&a);
}

static bool
same_place(const struct pos *a, const struct pos *b)
{
	return a->file == b->file && a->line == b->line && a->col == b->col;
}

static void
add(struct diag *d, enum diag_level level, struct pos pos, const char *hint,
    const char *fmt, va_list ap)
{
	char		 text[512];
	struct item	*it;
	int		 i;

	if (level == DIAG_ERROR) {
		for (i = 0; i < d->n_items; i++)
			if (d->items[i].pub.level == DIAG_ERROR &&
			    same_place(&d->items[i].pub.pos, &pos))
				return;
		d->n_errors++;
	} else {
		d->n_warnings++;
	}
	if (d->n_items >= ITEMS_MAX) {
		d->n_errors -= level == DIAG_ERROR;
		d->n_warnings -= level == DIAG_WARNING;
		return;
	}
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	d->items = arena_grow(d->arena, d->items, (size_t)d->n_items,
	    sizeof(*d->items));
	it = &d->items[d->n_items];
	it->serial = d->n_items++;
	it->pub.level = level;
	it->pub.pos = pos;
	it->pub.text = arena_strndup(d->arena, text, strlen(text));
	if (hint != NULL)
		it->pub.hint = arena_strndup(d->arena, hint, strlen(hint));
	d->sorted = false;
}

void
diag_error(struct diag *d, struct pos pos, const char *hint, const char *fmt,
    ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	add(d, DIAG_ERROR, pos, hint, fmt, ap);
	va_end(ap);
}

void
diag_warning(struct diag *d, struct pos pos, const char *hint,
    const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	add(d, DIAG_WARNING, pos, hint, fmt, ap);
	va_end(ap);
}

int
diag_errors(const struct diag *d)
{
	return d->n_errors;
}

int
diag_warnings(const struct diag *d)
{
	return d->n_warnings;
}

static int
item_order(const void *va, const void *vb)
{
	const struct item	*a = va, *b = vb;
	const struct pos	*p = &a->pub.pos, *q = &b->pub.pos;

	if (p->file != q->file)
		return p->file < q->file ? -1 : 1;
	if (p->line != q->line)
		return p->line < q->line ? -1 : 1;
	if (p->col != q->col)
		return p->col < q->col ? -1 : 1;
	return a->serial < b->serial ? -1 : a->serial > b->serial;
}

const struct diag_item *
diag_get(struct diag *d, int i)
{
	assert(i >= 0 && i < d->n_items);
	if (!d->sorted)
		qsort(d->items, (size_t)d->n_items, sizeof(*d->items),
		    item_order);
	d->sorted = true;
	return &d->items[i].pub;
}

/* Bytes of the character at p, so that columns count characters. */
static size_t
char_len(const char *p, const char *end)
{
	size_t	 n = 1;

	while (p + n < end && ((unsigned char)p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

static bool
find_line(const struct policy *p, struct pos pos, const char **from,
    const char **to)
{
	const char	*s, *end, *nl;
	int		 line;

	if (pos.len < 1 || pos.file < 0 || pos.file >= p->n_files ||
	    p->sources[pos.file] == NULL)
		return false;
	s = p->sources[pos.file];
	end = s + p->source_lens[pos.file];
	for (line = 1; line < pos.line; line++) {
		if ((nl = memchr(s, '\n', (size_t)(end - s))) == NULL)
			return false;
		s = nl + 1;
	}
	nl = memchr(s, '\n', (size_t)(end - s));
	*from = s;
	*to = nl != NULL ? nl : end;
	return true;
}

static void
print_source(const struct diag *d, const struct diag_item *it, FILE *out)
{
	const char	*s, *end;
	size_t		 n;
	int		 col = 1, first, shown = 0, pad, i;

	if (!find_line(d->p, it->pos, &s, &end))
		return;
	first = it->pos.col > SHOWN_BEFORE ? it->pos.col - SHOWN_BEFORE : 1;
	(void)fputs("    ", out);
	for (; s < end && shown < SHOWN_MAX; s += n, col++) {
		n = char_len(s, end);
		if (col < first)
			continue;
		shown++;
		/* A control character would move the caret or the cursor. */
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			(void)fputc(*s == '\t' || *s == '\r' ? ' ' : '?', out);
		else
			(void)fwrite(s, 1, n, out);
	}
	pad = 4 + it->pos.col - first;
	(void)fprintf(out, "\n%*s^", pad, "");
	for (i = 1; i < it->pos.len && i < SHOWN_MAX; i++)
		(void)fputc('~', out);
	if (it->hint != NULL)
		(void)fprintf(out, "  %s", it->hint);
	(void)fputc('\n', out);
}

void
diag_print(struct diag *d, FILE *out, bool colour)
{
	const struct diag_item	*it;
	const char		*on, *off = colour ? "\033[0m" : "";
	bool			 error;
	int			 i;

	for (i = 0; i < d->n_items; i++) {
		it = diag_get(d, i);
		error = it->level == DIAG_ERROR;
		on = !colour ? "" : error ? "\033[1;31m" : "\033[1;35m";
		(void)fprintf(out, "%s:%d:%d: %s%s%s: %s\n",
		    it->pos.file >= 0 && it->pos.file < d->p->n_files ?
		    d->p->files[it->pos.file] : "?", it->pos.line,
		    it->pos.col, on, error ? "error" : "warning", off,
		    it->text);
		print_source(d, it, out);
		if (it->pos.len < 1 && it->hint != NULL)
			(void)fprintf(out, "    %s\n", it->hint);
	}
}
