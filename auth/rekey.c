#include "auth/rekey.h"

#include <stdlib.h>
#include <string.h>

#include "auth/apikey.h"
#include "auth/awaited.h"
#include "auth/secrets.h"
#include "lib/log.h"
#include "lib/secret.h"

#define AT_ONCE		64

static struct {
	bool		running;
	uint64_t	tag, link;	/* of the console, to be told */
	size_t		keys_at, accounts_at;
	int		awaited, done, failed;
	bool		found;		/* something, in this pass */
} rekey;

static void
tell(struct auth *a, uint64_t tag, uint64_t link, int status,
    const char *why)
{
	struct message	 m;

	if (a->to[ROOM_CONSOLE] == NULL || link != a->link[ROOM_CONSOLE])
		return;
	message_clear(&m, MESSAGE_PREPARED, tag);
	m.status = status;
	m.number = rekey.done;
	m.reason = text_of(why);
	channel_send(a->to[ROOM_CONSOLE], &m);
}

static void
take(struct auth *a, struct command *c, const unsigned char *blob, size_t len)
{
	const struct awaited	 w = { .rekey = true };

	c->by = text_of(COMMAND_BY_RESEAL);
	c->blob.p = (const char *)blob;
	c->blob.len = len;
	rekey.awaited++;
	rekey.found = true;
	awaited_take(a, &w, ENDPOINT_SELF_KEY_CHANGE, c->account, c);
}

static bool
reseal(struct auth *a, unsigned char *out, const unsigned char *blob,
    size_t len, const struct vault_about *about)
{
	struct err	 e;

	if (len > COMMAND_BLOB_MAX || !vault_old(a->vault, blob, len))
		return false;
	if (vault_reseal(a->vault, out, blob, len, about, about->version,
	    &e) == RC_OK)
		return true;
	log_event(LOG_BROKEN, "reseal", "account", 't', about->account,
	    "why", 's', e.text, NULL);
	rekey.failed++;
	return false;
}

static void
one_key(struct auth *a, const struct key *k)
{
	unsigned char		 blob[COMMAND_BLOB_MAX];
	struct vault_about	 about = { .kind = VAULT_KEY,
		.account = text_of(k->account), .key = text_of(k->id) };
	struct command		 c;

	if (k->revoked || k->door || k->type != KEY_TYPE_HMAC ||
	    k->blob == NULL || !reseal(a, blob, k->blob, k->blob_len, &about))
		return;
	command_clear(&c, COMMAND_KEY, 0);
	c.account = about.account;
	c.key = about.key;
	c.key_type = k->type;
	c.withdraw = k->withdraw;
	c.expires_ms = k->expires_ms;
	c.cidrs = k->cidrs;
	c.n_cidrs = (size_t)k->n_cidrs;
	take(a, &c, blob, k->blob_len);
}

/* In memory alone. */
static void
one_here(struct auth *a, struct account *acc, enum secret_kind kind,
    struct account_secret *s)
{
	struct vault_about	 about = { .kind = vault_kind_of(kind),
		.account = text_of(acc->name), .version = s->version };

	if (s->blob != NULL)
		(void)reseal(a, s->blob, s->blob, s->len, &about);
}

static void
one_account(struct auth *a, struct account *acc)
{
	unsigned char		 blob[COMMAND_BLOB_MAX];
	struct vault_about	 about = { .account = text_of(acc->name) };
	struct command		 c;
	int			 k;

	one_here(a, acc, SECRET_TOTP, &acc->next_totp);
	one_here(a, acc, SECRET_CONTACT, &acc->contact_before);
	for (k = SECRET_TOTP; k <= SECRET_LINKS; k++) {
		about.kind = vault_kind_of((enum secret_kind)k);
		about.version = acc->of[k].version;
		if (acc->of[k].blob == NULL || !reseal(a, blob,
		    acc->of[k].blob, acc->of[k].len, &about))
			continue;
		command_clear(&c, COMMAND_SECRET, 0);
		c.account = about.account;
		c.secret = (enum secret_kind)k;
		c.step = about.version;
		take(a, &c, blob, acc->of[k].len);
	}
}

static void
ended(struct auth *a, int status, const char *why)
{
	log_event(status == 200 ? LOG_INFO_ : LOG_ODD, "rekeyed", "sealed",
	    'd', (int64_t)rekey.done, "why", 's', why, NULL);
	rekey.running = false;
	tell(a, rekey.tag, rekey.link, status, why);
}

/* Passes, until one finds nothing: what comes meanwhile may be old. */
static void
go(struct auth *a)
{
	struct account	*acc;
	struct key	*k;

	while (rekey.running && rekey.awaited < AT_ONCE) {
		if ((k = keys_each(a->keys, &rekey.keys_at)) != NULL) {
			one_key(a, k);
		} else if ((acc = accounts_each(a->accounts,
		    &rekey.accounts_at)) != NULL) {
			one_account(a, acc);
		} else if (rekey.awaited > 0) {
			return;
		} else if (rekey.failed > 0) {
			ended(a, 500, "not everything could be sealed anew; "
			    "the log says what; the old key stays");
		} else if (rekey.found) {
			rekey.found = false;
			rekey.keys_at = rekey.accounts_at = 0;
		} else {
			ended(a, 200, "");
		}
	}
}

void
rekey_answered(struct auth *a, const struct message *m)
{
	rekey.awaited--;
	if (m->status == 200) {
		rekey.done++;
	} else {
		log_event(LOG_ODD, "reseal", "status", 'd', m->status, "why",
		    't', m->body, NULL);
		rekey.failed++;
	}
	go(a);
}

/* A line of the new key, sealed under the old one. */
static enum rc
add(struct auth *a, struct text sealed, struct err *e)
{
	const struct vault_about	 about = { .kind = VAULT_KEY,
		.account = text_of(VAULT_NEXT_ACCOUNT),
		.key = text_of(VAULT_NEXT_KEY) };
	char				*line = secret_new(APIKEY_MAX);
	struct text			 t = { line, 0 };
	enum rc				 rc;

	if (line == NULL || sealed.p == NULL || sealed.len <=
	    VAULT_OVERHEAD || sealed.len - VAULT_OVERHEAD > APIKEY_MAX) {
		secret_free(line, APIKEY_MAX);
		return err_set(e, "no new key came");
	}
	t.len = sealed.len - VAULT_OVERHEAD;
	rc = vault_open(a->vault, (unsigned char *)line,
	    (const unsigned char *)sealed.p, sealed.len, &about, e);
	/* Begun before, and not ended: both are here. */
	if (rc == RC_OK && vault_two(a->vault))
		rc = vault_is_newest(a->vault, t) ? RC_OK : err_set(e,
		    "another change of the master key is not ended");
	else if (rc == RC_OK)
		rc = vault_add_line(a->vault, t, e);
	secret_free(line, APIKEY_MAX);
	return rc;
}

/* Is anything in force sealed under the old one? */
static bool
is_needed(const struct auth *a)
{
	struct account	*acc;
	struct key	*k;
	size_t		 at = 0;
	int		 i;

	while ((k = keys_each(a->keys, &at)) != NULL) {
		if (!k->revoked && k->type == KEY_TYPE_HMAC &&
		    k->blob != NULL && vault_old(a->vault, k->blob,
		    k->blob_len))
			return true;
	}
	at = 0;
	while ((acc = accounts_each(a->accounts, &at)) != NULL) {
		for (i = SECRET_TOTP; i <= SECRET_LINKS; i++) {
			if (acc->of[i].blob != NULL && vault_old(a->vault,
			    acc->of[i].blob, acc->of[i].len))
				return true;
		}
	}
	return false;
}

void
rekey_request(struct auth *a, const struct message *m)
{
	uint64_t	 link = a->link[ROOM_CONSOLE];
	struct err	 e = { "" };

	if (!a->loaded || rekey.running) {
		tell(a, m->tag, link, 503, rekey.running ? "it is under way "
		    "already" : "the service is starting; try again");
		return;
	}
	/* The new file is in its place: forget the old key. */
	if (m->number == 1) {
		if (is_needed(a)) {
			tell(a, m->tag, link, 409, "the old master key is "
			    "still needed");
			return;
		}
		vault_drop(a->vault);
		tell(a, m->tag, link, 200, "");
		return;
	}
	if (add(a, m->body, &e) != RC_OK) {
		tell(a, m->tag, link, 400, e.text);
		return;
	}
	memset(&rekey, 0, sizeof(rekey));
	rekey.running = true;
	rekey.tag = m->tag;
	rekey.link = link;
	go(a);
}
