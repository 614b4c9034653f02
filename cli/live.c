/*
 * drawbridge live: withdrawals and verdicts as they come, on a terminal.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/acting.h"
#include "cli/commands.h"
#include "lib/civil.h"
#include "lib/term.h"

#define ROWS_MAX	200
#define ROWS_USUAL	20
#define HEAD_ROWS	3	/* and an empty one at the end */

enum { OPT_ROWS = 256 };

static const struct option	 names[] = {
	{ "rows", required_argument, NULL, OPT_ROWS },
	{ "help", no_argument, NULL, ACTING_HELP },
	{ NULL, 0, NULL, 0 }
};

static volatile sig_atomic_t	 ended;

static void
end(int signo)
{
	(void)signo;
	ended = 1;
}

static const char *
text(const json_t *j, const char *field)
{
	const char	*t = json_string_value(json_object_get(j, field));

	return t != NULL ? t : "";
}

static enum term_style
style_of(const char *state)
{
	if (strcmp(state, "released") == 0 || strcmp(state, "paid") == 0)
		return STYLE_GOOD;
	if (strcmp(state, "waiting") == 0)
		return STYLE_WARN;
	return strcmp(state, "cancelled") == 0 ? STYLE_DIM : STYLE_BAD;
}

static void
rules(const json_t *j)
{
	const json_t	*r = json_object_get(j, "rules"), *one;
	const char	*name;
	size_t		 i;

	for (i = 0; i < json_array_size(r) && i < 3; i++) {
		one = json_array_get(r, i);
		name = json_is_string(one) ? json_string_value(one) :
		    text(one, "rule");
		(void)printf("%s%s", i > 0 ? ", " : "  ", name);
	}
}

static void
row(const struct term *t, const json_t *j)
{
	char	 when[CIVIL_TEXT_MAX], account[24], address[24];

	(void)civil_format(when, json_integer_value(json_object_get(j,
	    "asked_ms")));
	(void)term_safe(t, account, sizeof(account), text(j, "account"),
	    strlen(text(j, "account")));
	(void)term_safe(t, address, sizeof(address), text(j, "address"),
	    strlen(text(j, "address")));
	(void)printf("%s  %-16.16s %15s  %-20.20s  %s%-9s%s", when + 11,
	    account, text(j, "amount"), address,
	    term_style(t, style_of(text(j, "state"))), text(j, "state"),
	    term_style(t, STYLE_PLAIN));
	rules(j);
	(void)printf("%s\n", t->colour ? "\033[K" : "");
}

static void
head(const struct term *t, const json_t *s)
{
	bool	 halted = json_is_true(json_object_get(s, "halted"));

	(void)printf("%sDrawbridge%s  %s%s%s  held %" JSON_INTEGER_FORMAT
	    "  waiting %" JSON_INTEGER_FORMAT "  hot wallet %s BTC%s\n",
	    term_style(t, STYLE_BOLD), term_style(t, STYLE_PLAIN),
	    term_style(t, halted ? STYLE_BAD : STYLE_GOOD),
	    halted ? "STOPPED" : "running", term_style(t, STYLE_PLAIN),
	    json_integer_value(json_object_get(s, "held")),
	    json_integer_value(json_object_get(s, "waiting")),
	    text(s, "hot_sat"), t->colour ? "\033[K" : "");
	(void)printf("%s%-8s  %-16s %15s  %-20s  %-9s  %s%s%s\n\n",
	    term_style(t, STYLE_DIM), "asked", "account", "BTC", "to",
	    "state", "because", term_style(t, STYLE_PLAIN),
	    t->colour ? "\033[K" : "");
}

static int
rows_of_terminal(void)
{
	struct winsize	 w;
	int		 n = ROWS_USUAL;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 &&
	    w.ws_row > HEAD_ROWS + 2)
		n = w.ws_row - HEAD_ROWS - 2;
	return n < ROWS_MAX ? n : ROWS_MAX;
}

/*
 * `rows` 0: the whole screen.  Else so many, below what stands there; the
 * cursor is at their top before and after.
 */
static enum rc
draw(struct service *s, const struct term *t, int rows, struct err *e)
{
	struct message	 q = acting_question(ENDPOINT_LOCAL_WITHDRAWALS);
	json_t		*status, *list;
	size_t		 i;

	q.limit = rows > 0 ? rows : rows_of_terminal();
	status = service_get(s, ENDPOINT_LOCAL_STATUS, NULL, NULL, e);
	list = status != NULL ? service_query(s, &q, e) : NULL;
	if (list != NULL) {
		(void)fputs(rows > 0 ? "\r" : "\033[H", stdout);
		head(t, status);
		for (i = 0; i < json_array_size(list); i++)
			row(t, json_array_get(list, i));
		(void)fputs("\033[J", stdout);
		if (rows > 0)
			(void)printf("\033[%zuA", HEAD_ROWS +
			    json_array_size(list));
		(void)fflush(stdout);
	}
	json_decref(status);
	json_decref(list);
	return list != NULL ? RC_OK : RC_FAILED;
}

/* Not on a terminal: one line each, once, as they come. */
static enum rc
follow(struct service *s, const struct term *t, int64_t *last_ms,
    struct err *e)
{
	struct message	 q = acting_question(ENDPOINT_LOCAL_WITHDRAWALS);
	json_t		*list, *one;
	int64_t		 asked, newest = *last_ms;
	size_t		 i;

	q.limit = ROWS_MAX;
	if ((list = service_query(s, &q, e)) == NULL)
		return RC_FAILED;
	for (i = json_array_size(list); i > 0; i--) {
		one = json_array_get(list, i - 1);
		asked = json_integer_value(json_object_get(one, "asked_ms"));
		if (asked > *last_ms)
			row(t, one);
		if (asked > newest)
			newest = asked;
	}
	*last_ms = newest;
	(void)fflush(stdout);
	json_decref(list);
	return RC_OK;
}

/* The terminal as it was, below what was drawn. */
static void
leave(int rows)
{
	if (rows > 0)
		(void)printf("\033[%dB", rows + HEAD_ROWS);
	(void)fputs("\033[?7h\033[?25h\n", stdout);
	(void)fflush(stdout);
}

/* Until it is interrupted: that is how one leaves. */
static enum rc
show(struct service *s, int rows, struct err *e)
{
	const struct timespec	 pause = { 0, 500000000 };
	const struct sigaction	 act = { .sa_handler = end };
	struct term		 t = term_of(stdout);
	int64_t			 last_ms = 0;
	bool			 screen = isatty(STDOUT_FILENO);
	enum rc			 rc = RC_OK;

	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
	(void)sigaction(SIGHUP, &act, NULL);
	/* No cursor, and long lines end at the border. */
	if (screen)
		(void)printf("\033[?25l\033[?7l%s", rows > 0 ? "" :
		    "\033[2J");
	while (rc == RC_OK && !ended && !ferror(stdout)) {
		rc = screen ? draw(s, &t, rows, e) :
		    follow(s, &t, &last_ms, e);
		(void)nanosleep(&pause, NULL);
	}
	if (screen)
		leave(rows);
	return ended ? RC_OK : rc;
}

int
cmd_live(int argc, char **argv)
{
	struct service	*s = NULL;
	struct acting	 acting;
	struct err	 e;
	int		 option, status, rows = 0;
	enum rc		 rc;

	acting_begin(&acting);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == OPT_ROWS) {
			rows = (int)strtol(optarg, NULL, 10);
			if (rows < 1 || rows > ROWS_MAX)
				return usage("live");
		} else if (!acting_option(&acting, option, "live", &status))
			return status;
	}
	if (optind != argc)
		return usage("live");
	if ((rc = service_open(&s, &e)) == RC_OK)
		rc = show(s, rows, &e);
	service_close(&s);
	return rc == RC_OK ? STATUS_DONE : acting_failed("live", &e);
}
