#include "lib/log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_LEN	4096	/* one write() to a pipe stays whole */

struct line {
	char	 buf[LINE_MAX_LEN];
	size_t	 len;
};

static const char	*who = "drawbridge";
static enum log_level	 least_told = LOG_INFO_;
static bool		 for_systemd;

/*
 * systemd gives the device and inode of the stream that it reads: standard
 * error may have been sent elsewhere since.
 */
static bool
is_journal(const char *stream)
{
	struct stat	 st;
	uintmax_t	 dev, ino;

	return stream != NULL &&
	    sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &dev, &ino) == 2 &&
	    fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev &&
	    st.st_ino == ino;
}

bool
log_wanted(enum log_level level)
{
	return level >= least_told;
}

void
log_begin(const char *room, enum log_level least)
{
	who = room;
	least_told = least;
	for_systemd = is_journal(getenv("JOURNAL_STREAM"));
	/* The first use of the time zone would read a file. */
	tzset();
}

static void
put_char(struct line *l, char c)
{
	/* Room is left for the end of the line. */
	if (l->len < sizeof(l->buf) - 8)
		l->buf[l->len++] = c;
}

static void
put(struct line *l, const char *s)
{
	while (*s != '\0')
		put_char(l, *s++);
}

static bool
is_plain(struct text t)
{
	size_t	 i;

	if (t.len == 0)
		return false;
	for (i = 0; i < t.len; i++) {
		unsigned char	 c = (unsigned char)t.p[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' ||
		    c == '=')
			return false;
	}
	return true;
}

/*
 * UTF-8 is not let through: a terminal that shows the log would obey control
 * characters beyond ASCII, too, and text that runs from right to left can
 * look like another line.
 */
static void
put_value(struct line *l, struct text t)
{
	static const char	 digits[] = "0123456789abcdef";
	bool			 plain = is_plain(t);
	unsigned char		 c;
	size_t			 i;

	if (!plain)
		put_char(l, '"');
	for (i = 0; i < t.len && l->len < sizeof(l->buf) - 16; i++) {
		c = (unsigned char)t.p[i];
		if (c == '"' || c == '\\') {
			put_char(l, '\\');
			put_char(l, (char)c);
		} else if (c < ' ' || c >= 0x7f) {
			put(l, "\\x");
			put_char(l, digits[c >> 4]);
			put_char(l, digits[c & 15]);
		} else {
			put_char(l, (char)c);
		}
	}
	if (i < t.len)
		put(l, "...");
	if (!plain)
		put_char(l, '"');
}

static void
put_head(struct line *l, enum log_level level)
{
	static const char *const	 names[] = { "debug", "info", "odd",
					    "broken" };
	static const char *const	 priorities[] = { "<7>", "<6>", "<4>",
					    "<3>" };
	struct timespec			 now;
	struct tm			 tm;
	char				 when[40];

	if (for_systemd) {
		put(l, priorities[level]);
	} else {
		(void)clock_gettime(CLOCK_REALTIME, &now);
		(void)gmtime_r(&now.tv_sec, &tm);
		(void)snprintf(when, sizeof(when),
		    "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ ",
		    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		    tm.tm_min, tm.tm_sec, (int)(now.tv_nsec / 1000000));
		put(l, when);
	}
	put(l, names[level]);
	put_char(l, ' ');
	put(l, who);
}

static void
put_pair(struct line *l, const char *name, int kind, va_list *ap)
{
	char	 number[24];

	put_char(l, ' ');
	put(l, name);
	put_char(l, '=');
	switch (kind) {
	case 's': {
		const char	*s = va_arg(*ap, const char *);

		put_value(l, text_of(s != NULL ? s : ""));
		return;
	}
	case 't':
		put_value(l, va_arg(*ap, struct text));
		return;
	case 'd':
		(void)snprintf(number, sizeof(number), "%" PRId64,
		    va_arg(*ap, int64_t));
		put(l, number);
		return;
	case 'x':
		(void)snprintf(number, sizeof(number), "%" PRIx64,
		    va_arg(*ap, uint64_t));
		put(l, number);
		return;
	}
	assert(!"a kind of value");
}

void
log_event(enum log_level level, const char *verb, ...)
{
	struct line	 l;
	const char	*name;
	va_list		 ap;
	size_t		 at;
	ssize_t		 n;
	int		 kind;

	if (level < least_told)
		return;
	l.len = 0;
	put_head(&l, level);
	put_char(&l, ' ');
	put(&l, verb);
	va_start(ap, verb);
	while ((name = va_arg(ap, const char *)) != NULL) {
		kind = va_arg(ap, int);
		put_pair(&l, name, kind, &ap);
	}
	va_end(ap);
	l.buf[l.len++] = '\n';
	/* Nobody can be told when this does not work. */
	for (at = 0; at < l.len; at += (size_t)n) {
		n = write(STDERR_FILENO, l.buf + at, l.len - at);
		if (n <= 0)
			break;
	}
}
