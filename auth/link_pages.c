/*
 * What the links of notices do.  Scanners of mail open every link: to look
 * changes nothing, to act is a POST (H14), which a button sends.
 *
 * A link is good once.  A withdrawal is cancelled once by its nature.  Of
 * those that freeze it is kept when one was used last, in the journal: all
 * that were made until then are used up with it, also for the process after
 * this one.
 */
#include "auth/pages.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "auth/awaited.h"
#include "auth/secrets.h"

#define PAGE_MAX	4096

static void	page(struct auth *a, uint64_t tag, int status,
		    const char *title, const char *fmt, ...) PRINTF(5, 6);

static void
page(struct auth *a, uint64_t tag, int status, const char *title,
    const char *fmt, ...)
{
	char		 text[PAGE_MAX];
	struct message	 m;
	va_list		 ap;
	int		 n;

	n = snprintf(text, sizeof(text), "<!DOCTYPE html>\n<html lang=\"en\">"
	    "<head><meta charset=\"utf-8\"><meta name=\"viewport\" "
	    "content=\"width=device-width\"><title>%s</title><style>body{"
	    "font:18px sans-serif;max-width:34em;margin:3em auto;padding:0 "
	    "1em}button{font:inherit;padding:.6em 1.2em}</style></head>"
	    "<body><h1>%s</h1>\n", title, title);
	va_start(ap, fmt);
	n += vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	(void)snprintf(text + n, sizeof(text) - (size_t)n, "</body></html>\n");
	if (a->to[ROOM_API] == NULL)
		return;
	message_clear(&m, MESSAGE_ANSWER, tag);
	m.status = status;
	m.name = text_of("text/html;charset=UTF-8");
	m.body = text_of(text);
	channel_send(a->to[ROOM_API], &m);
}

/* Names are ours, and still no markup. */
static char *
escaped(char buf[512], const char *text)
{
	size_t	 n = 0;

	for (; *text != '\0' && n < 500; text++) {
		if (strchr("<>&\"'", *text) != NULL)
			n += (size_t)snprintf(buf + n, 512 - n, "&#%d;",
			    *text);
		else
			buf[n++] = *text;
	}
	buf[n] = '\0';
	return buf;
}

void
pages_done(struct auth *a, uint64_t tag, const char *done,
    const struct message *m)
{
	if (m->status == 200)
		page(a, tag, 200, "Done", "<p>%s</p>\n", done);
	else if (m->status == 503)
		page(a, tag, 503, "Not now", "<p>Nothing was done. Please "
		    "try again in a minute.</p>\n");
	else
		page(a, tag, 410, "Too late", "<p>It is too late for that, "
		    "or it was done already.</p>\n");
}

static void
show(struct auth *a, const struct message *m, const struct links_token *t)
{
	char	 account[512], id[512];

	(void)escaped(account, t->account);
	(void)escaped(id, t->id);
	if (t->what == LINKS_CANCEL)
		page(a, m->tag, 200, "Cancel a withdrawal", "<p>Withdrawal "
		    "%s of the account %s is cancelled if it has not left "
		    "yet.</p><form method=\"post\"><button>Cancel it"
		    "</button></form>\n", id, account);
	else
		page(a, m->tag, 200, "Freeze an account", "<p>Nothing leaves "
		    "the account %s until people have looked at it. Only they "
		    "can undo it.</p><form method=\"post\"><button>Freeze it"
		    "</button></form>\n", account);
}

static void
cancel(struct auth *a, const struct message *m, const struct links_token *t)
{
	struct awaited	 w = { .tag = m->tag, .link = a->link[ROOM_API],
		.page = true, .done = "The withdrawal is cancelled." };
	struct command	 c;

	command_clear(&c, COMMAND_CANCEL, 0);
	c.id = text_of(t->id);
	c.reason = text_of("by the link of a notice");
	awaited_take(a, &w, m->endpoint, text_of(t->account), &c);
}

static void
freeze(struct auth *a, const struct message *m, const struct links_token *t)
{
	struct awaited	 w = { .tag = m->tag, .link = a->link[ROOM_API],
		.page = true, .done = "The account is frozen." };
	struct text	 account = text_of(t->account);
	struct command	 c;

	command_clear(&c, COMMAND_FREEZE, 0);
	c.account = account;
	c.by = text_of("owner");
	c.reason = text_of("by the link of a notice");
	awaited_take(a, &w, m->endpoint, account, &c);
	command_clear(&c, COMMAND_CODE_USED, 0);
	c.account = account;
	c.secret = SECRET_LINKS;
	c.step = auth_now_ms(a);
	(void)awaited_tell(a, m->endpoint, account, &c);
}

void
link_request(struct auth *a, const struct message *m)
{
	struct links_token	 t;
	struct account		*acc;
	struct err		 e;

	if (links_check(&t, a->vault, m->id, auth_now_ms(a), &e) != RC_OK ||
	    (acc = accounts_get(a->accounts, text_of(t.account))) == NULL) {
		page(a, m->tag, 404, "Not a link of ours", "<p>It is not "
		    "whole, or too old.</p>\n");
		return;
	}
	if (t.what == LINKS_FREEZE &&
	    t.expires_ms - PAGES_LIFE_MS <= acc->links_ms) {
		page(a, m->tag, 410, "Used already", "<p>The account was "
		    "frozen by a link already. Later notices carry new ones."
		    "</p>\n");
		return;
	}
	if (m->endpoint == ENDPOINT_LINK_SHOW)
		show(a, m, &t);
	else if (t.what == LINKS_CANCEL)
		cancel(a, m, &t);
	else
		freeze(a, m, &t);
}
