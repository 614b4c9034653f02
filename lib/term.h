/*
 * Terminals: whether to colour, which characters may be drawn, and a line
 * of progress for what takes longer than a breath.
 *
 * Nothing here decides anything; a text means the same without its colours
 * (https://no-color.org).
 */
#ifndef LIB_TERM_H
#define LIB_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum term_style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_GOOD,		/* green */
	STYLE_WARN,		/* yellow */
	STYLE_BAD,		/* red */
};

struct term {
	bool	colour;
	bool	utf8;
	int	columns;	/* 80 when not a terminal */
};

/*
 * What `f` can show.  Colours: a terminal that is not "dumb", unless
 * NO_COLOR is set; DRAWBRIDGE_COLOR=always forces them, for pictures.
 * UTF-8: by LC_ALL, LC_CTYPE or LANG, in that order.
 */
struct term term_of(FILE *f);

/* The sequence that begins a style; STYLE_PLAIN ends one.  "" if none. */
const char *term_style(const struct term *t, enum term_style s);

/*
 * Text from outside, made safe to print: control characters, and bytes that
 * are not ASCII where the terminal does not take them, become '?'.  Writes
 * at most room - 1 bytes and a NUL, and returns buf.
 */
char *term_safe(const struct term *t, char *buf, size_t room,
    const char *text, size_t len);

/*
 * A horizontal bar `part` of `whole` long, `width` columns at most, drawn in
 * eighths where the terminal has them.  Returns buf, which holds
 * 3 * width + 1 bytes.  Something that is not nothing shows.
 */
char *term_bar(const struct term *t, char *buf, int width, int64_t part,
    int64_t whole);

/*
 * A line on standard error, rewritten at most ten times a second; nothing
 * where standard error is no terminal.  After some seconds it says how long
 * the rest will take, if that went on like this.
 */
struct progress {
	const char	*what;
	uint64_t	 total;		/* 0: not known */
	int64_t		 start_ms;
	int64_t		 next_ms;
	bool		 shown;
	bool		 on;
};
void progress_begin(struct progress *p, const char *what, uint64_t total);
void progress_at(struct progress *p, uint64_t done);
/* Wipes the line. */
void progress_end(struct progress *p);

#endif
