#define _GNU_SOURCE	/* strcasestr */

#include "lib/term.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "lib/amount.h"
#include "lib/civil.h"

#define COLUMNS_DEFAULT	80
#define PROGRESS_MS	100
#define LEFT_AFTER_MS	3000

static bool
locale_is_utf8(void)
{
	static const char *const	 names[] = { "LC_ALL", "LC_CTYPE",
		"LANG" };
	const char			*v;
	size_t				 i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		v = getenv(names[i]);
		if (v == NULL || *v == '\0')
			continue;
		return strcasestr(v, "utf-8") != NULL ||
		    strcasestr(v, "utf8") != NULL;
	}
	return false;
}

struct term
term_of(FILE *f)
{
	struct term	 t = { false, locale_is_utf8(), COLUMNS_DEFAULT };
	struct winsize	 size;
	const char	*no = getenv("NO_COLOR");
	const char	*kind = getenv("TERM");
	const char	*force = getenv("DRAWBRIDGE_COLOR");
	bool		 tty = isatty(fileno(f)) == 1;

	if (tty && ioctl(fileno(f), TIOCGWINSZ, &size) == 0 &&
	    size.ws_col > 0)
		t.columns = size.ws_col;
	t.colour = tty && kind != NULL && strcmp(kind, "dumb") != 0;
	if (force != NULL && strcmp(force, "always") == 0)
		t.colour = true;
	if (no != NULL && *no != '\0')
		t.colour = false;
	return t;
}

const char *
term_style(const struct term *t, enum term_style s)
{
	if (!t->colour)
		return "";
	switch (s) {
	case STYLE_PLAIN:
		return "\033[0m";
	case STYLE_BOLD:
		return "\033[1m";
	case STYLE_DIM:
		return "\033[2m";
	case STYLE_GOOD:
		return "\033[32m";
	case STYLE_WARN:
		return "\033[33m";
	case STYLE_BAD:
		return "\033[31m";
	}
	return "";
}

char *
term_safe(const struct term *t, char *buf, size_t room, const char *text,
    size_t len)
{
	unsigned char	 c;
	size_t		 i;

	for (i = 0; i < len && i + 1 < room; i++) {
		c = (unsigned char)text[i];
		/* 0xc2 0x80..0x9f are control characters, too. */
		if (c < 0x20 || c == 0x7f || (c >= 0x80 && !t->utf8) ||
		    (c >= 0x80 && c < 0xa0 && i > 0 &&
		    (unsigned char)text[i - 1] == 0xc2))
			c = '?';
		buf[i] = (char)c;
	}
	buf[i] = '\0';
	return buf;
}

char *
term_bar(const struct term *t, char *buf, int width, int64_t part,
    int64_t whole)
{
	static const char *const	 eighths[] = { "", "\u258f", "\u258e",
		"\u258d", "\u258c", "\u258b", "\u258a", "\u2589" };
	__int128			 n = 0;
	char				*p = buf;

	if (part > 0 && whole > 0)
		n = (__int128)part * width * 8 / whole;
	if (part > 0 && n == 0)
		n = 1;
	if (n > (__int128)width * 8)
		n = (__int128)width * 8;
	if (!t->utf8)		/* Whole columns, something never nothing. */
		for (n = (n + 7) / 8 * 8; n >= 8; n -= 8)
			*p++ = '#';
	for (; n >= 8; n -= 8) {
		memcpy(p, "\u2588", 3);
		p += 3;
	}
	memcpy(p, eighths[n], strlen(eighths[n]) + 1);
	return buf;
}

static int64_t
monotonic_ms(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return 0;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
progress_begin(struct progress *p, const char *what, uint64_t total)
{
	p->what = what;
	p->total = total;
	p->shown = false;
	p->on = isatty(STDERR_FILENO) == 1;
	/* What is done within a moment needs no line. */
	p->start_ms = monotonic_ms();
	p->next_ms = p->start_ms + 3 * PROGRESS_MS;
}

/* "", or ", 3m left". */
static const char *
left_text(const struct progress *p, char buf[CIVIL_TEXT_MAX + 16],
    uint64_t done, int64_t now_ms)
{
	int64_t	 took_ms = now_ms - p->start_ms;
	char	 text[CIVIL_TEXT_MAX];

	if (took_ms < LEFT_AFTER_MS || done == 0 || done >= p->total)
		return "";
	(void)snprintf(buf, CIVIL_TEXT_MAX + 16, ", %s left",
	    duration_format(text, muldiv(took_ms,
	    (int64_t)(p->total - done), (int64_t)done)));
	return buf;
}

void
progress_at(struct progress *p, uint64_t done)
{
	char	 left[CIVIL_TEXT_MAX + 16];
	int64_t	 now_ms;

	if (!p->on || (now_ms = monotonic_ms()) < p->next_ms)
		return;
	p->next_ms = now_ms + PROGRESS_MS;
	p->shown = true;
	if (p->total > 0)
		(void)fprintf(stderr, "\r%s: %" PRIu64 " %%%s\033[K",
		    p->what, done >= p->total ? 100 : done * 100 / p->total,
		    left_text(p, left, done, now_ms));
	else
		(void)fprintf(stderr, "\r%s: %" PRIu64 "\033[K", p->what,
		    done);
	(void)fflush(stderr);
}

void
progress_end(struct progress *p)
{
	if (p->shown)
		(void)fputs("\r\033[K", stderr);
	p->shown = false;
	p->on = false;
}
