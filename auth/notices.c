/*
 * What an account's owner is told, at once: by mail, SMS and webhook, in
 * plain words, with links that only tighten.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "auth/contact.h"
#include "auth/pages.h"
#include "lib/amount.h"
#include "lib/civil.h"
#include "lib/json.h"
#include "lib/log.h"

#define TEXT_MAX	2048
#define LINK_MAX	(256 + 8 + LINKS_TOKEN_LEN)

/* What the engine calls it, and what a person reads. */
struct event {
	const char	*name;
	const char	*subject;
	bool		 waits;		/* a withdrawal that can be cancelled */
};

static const struct event	 events[] = {
	{ "delayed", "A withdrawal waits", true },
	{ "code", "A withdrawal needs your code", true },
	{ "held", "A withdrawal is under review", true },
	{ "stopped", "A withdrawal waits: everything is stopped", true },
	{ "released", "A withdrawal leaves", false },
	{ "denied", "A withdrawal was refused", false },
	{ "cancelled", "A withdrawal was cancelled", false },
	{ "expired", "A withdrawal expired", false },
	{ "failed", "A withdrawal failed", false },
	{ "paid", "A withdrawal was paid", false },
	{ "key", "An API key was made or changed", false },
	{ "key_revoked", "An API key was revoked", false },
	{ "address", "An address was added to your address book", false },
	{ "secret", "A second factor or contact was changed", false },
	{ "frozen", "Your account was frozen", false },
	{ NULL, "Something happened on your account", false }
};

struct telling {
	struct auth	*a;
	const struct message *m;
	const struct event *event;
	char		 amount[AMOUNT_TEXT_MAX];
	char		 address[ADDRESS_TEXT_MAX];
	char		 id[96];	/* of the notice */
	char		 cancel[LINK_MAX];	/* "": none */
	char		 freeze[LINK_MAX];
};

static bool
put_name(char *to, size_t room, struct text t)
{
	if (t.len >= room)
		return false;
	memset(to, 0, room);
	if (t.len > 0)
		memcpy(to, t.p, t.len);
	return true;
}

static void
make_link(struct telling *t, char out[LINK_MAX], enum links_what what)
{
	struct links_token	 l = { .what = what };
	char			 token[LINKS_TOKEN_LEN + 1];
	const char		*url = t->a->process.config.url;
	size_t			 len = strlen(url);
	struct err		 e;

	out[0] = '\0';
	l.expires_ms = auth_now_ms(t->a) + PAGES_LIFE_MS;
	if (len == 0 || !put_name(l.account, sizeof(l.account),
	    t->m->account) || !put_name(l.id, sizeof(l.id),
	    what == LINKS_CANCEL ? t->m->id : text_of("")) ||
	    links_make(token, t->a->vault, &l, &e) != RC_OK)
		return;
	while (len > 0 && url[len - 1] == '/')
		len--;
	(void)snprintf(out, LINK_MAX, "%.*s/link/%s", (int)len, url, token);
}

static void
begin(struct telling *t, struct auth *a, const struct message *m)
{
	const struct event	*ev = events;

	memset(t, 0, sizeof(*t));
	t->a = a;
	t->m = m;
	while (ev->name != NULL && !text_equal(text_of(ev->name), m->name))
		ev++;
	t->event = ev;
	if (m->number >= 0)
		(void)amount_format_short(t->amount, m->number);
	if (m->open.p != NULL)
		(void)address_encode(t->address, a->network,
		    (const unsigned char *)m->open.p, m->open.len);
	(void)snprintf(t->id, sizeof(t->id), "%" PRId64 "-%.*s", m->seq,
	    (int)(m->name.len < 32 ? m->name.len : 32), m->name.p != NULL ?
	    m->name.p : "");
	if (ev->waits)
		make_link(t, t->cancel, LINKS_CANCEL);
	if (ev->name == NULL || strcmp(ev->name, "frozen") != 0)
		make_link(t, t->freeze, LINKS_FREEZE);
}

static void
hand_over(const struct telling *t, const char *way, const char *to,
    const char *text)
{
	struct message	 m;

	if (t->a->to[ROOM_NOTIFY] == NULL) {
		log_event(LOG_ODD, "not_told", "event", 't', t->m->name,
		    "why", 's', "notify is away", NULL);
		return;
	}
	message_clear(&m, MESSAGE_SEND, 0);
	m.name = text_of(way);
	m.target = text_of(to);
	m.reason = text_of(t->event->subject);
	m.body = text_of(text);
	m.id = text_of(t->id);
	channel_send(t->a->to[ROOM_NOTIFY], &m);
}

/* Appends; what does not fit is left out. */
static void	add(char text[TEXT_MAX], const char *fmt, ...) PRINTF(2, 3);

static void
add(char text[TEXT_MAX], const char *fmt, ...)
{
	size_t	 len = strlen(text);
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(text + len, TEXT_MAX - len, fmt, ap);
	va_end(ap);
}

static const char *
kind_text(enum secret_kind k)
{
	switch (k) {
	case SECRET_NONE:
		break;
	case SECRET_TOTP:
		return "the codes of your telephone";
	case SECRET_RECOVERY:
		return "recovery codes: one was used, or new ones were made";
	case SECRET_CONTACT:
		return "where notices and codes go";
	case SECRET_PASSWORD:
		return "your password";
	case SECRET_LINKS:
		return "links of notices";
	}
	return "";
}

static void
add_facts(const struct telling *t, char text[TEXT_MAX])
{
	const struct message	*m = t->m;
	char			 when[CIVIL_TEXT_MAX];

	add(text, "%s.\n\naccount     %.*s\n", t->event->subject,
	    (int)m->account.len, m->account.p);
	if (m->id.p != NULL)
		add(text, "withdrawal  %.*s\n", (int)m->id.len, m->id.p);
	if (m->number > 0)
		add(text, "amount      %s BTC\n", t->amount);
	if (t->address[0] != '\0')
		add(text, "to          %s\n", t->address);
	if (m->secret != SECRET_NONE)
		add(text, "what        %s\n", kind_text(m->secret));
	if (m->key.p != NULL)
		add(text, "API key     %.*s\n", (int)m->key.len, m->key.p);
	if (m->t_ms >= 0)
		add(text, "at          %s UTC\n", civil_format(when,
		    m->t_ms));
	if (m->wait_ms >= 0 && t->event->waits)
		add(text, "%s %s UTC\n", text_equal(m->name,
		    text_of("code")) ? "code until " : "leaves at  ",
		    civil_format(when, m->wait_ms));
}

static void
mail(const struct telling *t, const char *to)
{
	char	 text[TEXT_MAX] = "";

	add_facts(t, text);
	if (t->cancel[0] != '\0')
		add(text, "\nTo cancel it:\n%s\n", t->cancel);
	if (t->freeze[0] != '\0')
		add(text, "\nIf this was not you, freeze the account:\n%s\n",
		    t->freeze);
	hand_over(t, "mail", to, text);
}

static void
sms(const struct telling *t, const char *to)
{
	char	 text[TEXT_MAX] = "";

	add(text, "%s", t->event->subject);
	if (t->m->number > 0)
		add(text, ": %s BTC", t->amount);
	if (t->address[0] != '\0')
		add(text, " to %s", t->address);
	if (t->cancel[0] != '\0')
		add(text, ". Cancel: %s", t->cancel);
	else if (t->freeze[0] != '\0')
		add(text, ". Not you? %s", t->freeze);
	hand_over(t, "sms", to, text);
}

/* For programs of the exchange's: no links, which are the owner's. */
static void
hook(const struct telling *t)
{
	static struct json	 j;
	const struct message	*m = t->m;
	char			 text[TEXT_MAX];

	json_to_memory(&j, text, sizeof(text));
	json_open_object(&j, NULL);
	json_put_bytes(&j, "event", m->name.p, m->name.len);
	json_put_bytes(&j, "account", m->account.p, m->account.len);
	if (m->id.p != NULL)
		json_put_bytes(&j, "id", m->id.p, m->id.len);
	if (m->number > 0)
		json_put_sat(&j, "amount", m->number);
	if (t->address[0] != '\0')
		json_put_text(&j, "address", t->address);
	if (m->key.p != NULL)
		json_put_bytes(&j, "key", m->key.p, m->key.len);
	json_put_int(&j, "t_ms", m->t_ms);
	if (m->wait_ms >= 0)
		json_put_int(&j, "until_ms", m->wait_ms);
	json_put_int(&j, "seq", m->seq);
	json_close(&j);
	if (json_end(&j) == RC_OK)
		hand_over(t, "hook", "webhook", text);
}

static void
tell(const struct telling *t, const struct contact *c)
{
	if (c->mail[0] != '\0')
		mail(t, c->mail);
	if (c->phone[0] != '\0')
		sms(t, c->phone);
}

void
notice_told(struct auth *a, const struct message *m)
{
	static struct telling	 t;
	struct account		*acc;
	struct contact		 c;

	if (m->name.p == NULL || m->account.p == NULL ||
	    (acc = accounts_get(a->accounts, m->account)) == NULL)
		return;
	begin(&t, a, m);
	if (contact_of(&c, a, acc))
		tell(&t, &c);
	/* Whoever has stolen an account puts his own contact in first. */
	if (text_equal(m->name, text_of("secret")) &&
	    contact_before(&c, a, acc))
		tell(&t, &c);
	if (a->process.config.webhook[0] != '\0')
		hook(&t);
}
