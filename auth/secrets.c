/*
 * Second factors: what is enrolled, and trying a code.
 */
#include "auth/secrets.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/awaited.h"
#include "auth/contact.h"
#include "auth/recovery.h"
#include "auth/totp.h"
#include "lib/ident.h"
#include "lib/log.h"
#include "lib/secret.h"

#define TRIES_MAX	5		/* wrong ones, from one key */
#define TRIES_ACCOUNT	20		/* wrong ones, of all its keys */
#define TRIES_MS	900000		/* in a quarter of an hour */
#define TRIES_SLOTS	8192
#define ALL_MAX		1000		/* a minute, over everybody */
#define SENT_MS		600000		/* how long a sent code is good */
#define SENT_EVERY_MS	60000

struct tries {
	struct ident	who;
	int64_t		since_ms;
	int		n;
};

struct accounts {
	struct ident_key key;
	struct account	**slots;
	size_t		room, n;
	struct tries	tries[TRIES_SLOTS];
	int64_t		minute;
	int		in_minute;
};

enum rc
accounts_new(struct accounts **out, struct err *e)
{
	struct accounts	*a = calloc(1, sizeof(*a));

	if (a == NULL ||
	    (a->slots = calloc(256, sizeof(*a->slots))) == NULL) {
		free(a);
		return err_set(e, "no memory");
	}
	a->room = 256;
	randombytes_buf(&a->key, sizeof(a->key));
	*out = a;
	return RC_OK;
}

void
accounts_free(struct accounts **ap)
{
	struct accounts	*a = *ap;
	size_t		 i;
	int		 k;

	*ap = NULL;
	if (a == NULL)
		return;
	for (i = 0; i < a->room; i++) {
		if (a->slots[i] == NULL)
			continue;
		for (k = 0; k <= SECRET_LINKS; k++)
			free(a->slots[i]->of[k].blob);
		free(a->slots[i]->next_totp.blob);
		free(a->slots[i]->contact_before.blob);
		free(a->slots[i]);
	}
	free(a->slots);
	free(a);
}

static struct account **
slot(const struct accounts *a, struct text name)
{
	size_t	 i = (size_t)ident_of(&a->key, name.p, name.len).lo;

	for (;; i++) {
		i &= a->room - 1;
		if (a->slots[i] == NULL ||
		    text_equal(text_of(a->slots[i]->name), name))
			return &a->slots[i];
	}
}

static bool
grow(struct accounts *a)
{
	struct account	**old = a->slots;
	size_t		 i, room = a->room;

	if ((a->slots = calloc(2 * room, sizeof(*a->slots))) == NULL) {
		a->slots = old;
		return false;
	}
	a->room = 2 * room;
	for (i = 0; i < room; i++) {
		if (old[i] != NULL)
			*slot(a, text_of(old[i]->name)) = old[i];
	}
	free(old);
	return true;
}

struct account *
accounts_get(struct accounts *a, struct text name)
{
	struct account	**s;

	if (name.p == NULL || name.len == 0 || name.len > COMMAND_NAME_MAX ||
	    (2 * (a->n + 1) > a->room && !grow(a)))
		return NULL;
	s = slot(a, name);
	if (*s == NULL && (*s = calloc(1, sizeof(**s))) != NULL) {
		memcpy((*s)->name, name.p, name.len);
		(*s)->last_step = -1;
		a->n++;
	}
	return *s;
}

struct account *
accounts_each(const struct accounts *a, size_t *at)
{
	while (*at < a->room) {
		if (a->slots[(*at)++] != NULL)
			return a->slots[*at - 1];
	}
	return NULL;
}

/* From the journal */

bool
secrets_put(struct account_secret *s, const unsigned char *blob, size_t len,
    int64_t version)
{
	unsigned char	*copy = malloc(len);

	if (copy == NULL)
		return false;
	memcpy(copy, blob, len);
	free(s->blob);
	s->blob = copy;
	s->len = len;
	s->version = version;
	return true;
}

static void
told_secret(struct account *acc, const struct command *c, uint64_t seq)
{
	struct account_secret	*s = &acc->of[c->secret];

	if (seq < s->seq)
		return;
	/* The same version comes again when it is sealed anew. */
	if (c->secret == SECRET_CONTACT && s->blob != NULL &&
	    s->version != c->step) {
		free(acc->contact_before.blob);
		acc->contact_before = *s;
		s->blob = NULL;
	}
	if (c->blob.p == NULL || !secrets_put(s,
	    (const unsigned char *)c->blob.p, c->blob.len, c->step)) {
		free(s->blob);
		s->blob = NULL;
		s->len = 0;
	}
	s->seq = seq;
}

void
secrets_told(struct auth *a, const struct command *c, uint64_t seq)
{
	struct account	*acc;

	if ((c->type != COMMAND_SECRET && c->type != COMMAND_CODE_USED) ||
	    c->secret == SECRET_NONE ||
	    (acc = accounts_get(a->accounts, c->account)) == NULL)
		return;
	if (c->type == COMMAND_SECRET)
		told_secret(acc, c, seq);
	else if (c->secret == SECRET_TOTP && c->step > acc->last_step)
		acc->last_step = c->step;
	else if (c->secret == SECRET_LINKS && c->step > acc->links_ms)
		acc->links_ms = c->step;
}

void
secrets_why(struct auth *a, struct text account, const char *why)
{
	struct account	*acc = accounts_get(a->accounts, account);
	int		 n;

	if (acc == NULL)
		return;
	n = acc->n_why++ % (int)(sizeof(acc->why) / sizeof(acc->why[0]));
	(void)snprintf(acc->why[n], sizeof(acc->why[n]), "%s", why);
	acc->why_ms[n] = auth_now_ms(a);
}

bool
secrets_has(const struct account *acc, enum secret_kind kind)
{
	return acc->of[kind].blob != NULL;
}

bool
secrets_any(struct auth *a, struct account *acc)
{
	struct contact	 c;

	return secrets_has(acc, SECRET_TOTP) || contact_of(&c, a, acc);
}

int
secrets_unseal(struct auth *a, struct account *acc, enum secret_kind kind,
    const struct account_secret *s, unsigned char *plain, size_t room)
{
	struct vault_about	 about = { .kind = vault_kind_of(kind),
		.account = text_of(acc->name), .version = s->version };
	struct err		 e;

	if (s->blob == NULL || s->len <= VAULT_OVERHEAD ||
	    s->len - VAULT_OVERHEAD > room)
		return -1;
	if (vault_open(a->vault, plain, s->blob, s->len, &about, &e) !=
	    RC_OK) {
		log_event(LOG_BROKEN, "secret", "account", 's', acc->name,
		    "why", 's', e.text, NULL);
		return -1;
	}
	return (int)(s->len - VAULT_OVERHEAD);
}

int
secrets_open(struct auth *a, struct account *acc, enum secret_kind kind,
    unsigned char *plain, size_t room)
{
	return secrets_unseal(a, acc, kind, &acc->of[kind], plain, room);
}

/* Who tries too often */

static struct tries *
tries_of(struct accounts *a, struct text from, int64_t mono)
{
	struct ident	 who = ident_of(&a->key, from.p, from.len);
	struct tries	*t = &a->tries[who.lo % TRIES_SLOTS];

	/* Whoever shares the slot shares its count while it lasts: that errs
	 * on the strict side. */
	if (mono - t->since_ms > TRIES_MS) {
		t->who = who;
		t->since_ms = mono;
		t->n = 0;
	}
	return t;
}

static bool
too_many(struct accounts *a, struct text from, struct text account)
{
	int64_t	 mono = auth_mono_ms();

	if (a->minute != mono / 60000) {
		a->minute = mono / 60000;
		a->in_minute = 0;
	}
	return a->in_minute >= ALL_MAX ||
	    tries_of(a, from, mono)->n >= TRIES_MAX ||
	    tries_of(a, account, mono)->n >= TRIES_ACCOUNT;
}

static void
count_wrong(struct auth *a, struct text from, struct text account)
{
	int64_t	 mono = auth_mono_ms();

	a->figures.codes_wrong++;
	secrets_why(a, account, "a second factor was wrong");
	tries_of(a->accounts, from, mono)->n++;
	tries_of(a->accounts, account, mono)->n++;
	if (++a->accounts->in_minute == ALL_MAX / 10 ||
	    a->accounts->in_minute == ALL_MAX)
		log_event(LOG_ODD, "wrong_codes", "in_this_minute", 'd',
		    (int64_t)a->accounts->in_minute, NULL);
}

/* Trying */

static int64_t
try_totp(struct auth *a, struct account *acc, struct text code)
{
	unsigned char	*packed = secret_new(TOTP_PACKED_MAX);
	struct totp	*t = secret_new(sizeof(*t));
	int64_t		 step = -1;
	struct err	 e;
	int		 len;

	if (packed != NULL && t != NULL &&
	    (len = secrets_open(a, acc, SECRET_TOTP, packed,
	    TOTP_PACKED_MAX)) > 0 &&
	    totp_unpack(t, packed, (size_t)len, &e) == RC_OK)
		step = totp_check(t, code, auth_now_ms(a));
	secret_free(packed, TOTP_PACKED_MAX);
	secret_free(t, sizeof(*t));
	return step;
}

/*
 * A recovery code is used up before anything is done with it: the new record
 * goes to the engine first, and all that follows is answered only when both
 * are durable.
 */
static bool
use_recovery(struct auth *a, struct account *acc, unsigned char *record,
    int which)
{
	unsigned char		 blob[RECOVERY_LEN + VAULT_OVERHEAD];
	struct vault_about	 about = { .kind = VAULT_RECOVERY,
		.account = text_of(acc->name) };
	struct command		 c;

	about.version = auth_now_ms(a);
	if (about.version <= acc->of[SECRET_RECOVERY].version)
		about.version = acc->of[SECRET_RECOVERY].version + 1;
	recovery_use(record, which);
	vault_seal(a->vault, blob, record, RECOVERY_LEN, &about);
	command_clear(&c, COMMAND_SECRET, 0);
	c.account = about.account;
	c.secret = SECRET_RECOVERY;
	c.step = about.version;
	c.blob.p = (const char *)blob;
	c.blob.len = sizeof(blob);
	c.reason = text_of("a recovery code was used");
	return awaited_tell(a, ENDPOINT_SELF_CODE, c.account, &c) &&
	    secrets_put(&acc->of[SECRET_RECOVERY], blob, sizeof(blob),
	    about.version);
}

static bool
try_recovery(struct auth *a, struct account *acc, struct text code)
{
	unsigned char	*record = secret_new(RECOVERY_LEN);
	bool		 good = false;
	int		 len, which;

	if (record != NULL && secrets_has(acc, SECRET_RECOVERY) &&
	    (len = secrets_open(a, acc, SECRET_RECOVERY, record,
	    RECOVERY_LEN)) > 0 && (which = recovery_check(record,
	    (size_t)len, code)) >= 0)
		good = use_recovery(a, acc, record, which);
	secret_free(record, RECOVERY_LEN);
	return good;
}

static void
tell_used(struct auth *a, struct account *acc, enum secret_kind kind,
    int64_t step)
{
	struct command	 c;

	command_clear(&c, COMMAND_CODE_USED, 0);
	c.account = text_of(acc->name);
	c.secret = kind;
	c.step = step;
	(void)awaited_tell(a, ENDPOINT_SELF_CODE, c.account, &c);
}

void
secrets_used(struct auth *a, struct account *acc, int64_t step)
{
	tell_used(a, acc, SECRET_TOTP, step);
}

const char *
secrets_new_code(struct account *acc, struct text what)
{
	int64_t	 mono = auth_mono_ms();

	if ((acc->sent_ms != 0 && mono - acc->sent_ms < SENT_EVERY_MS) ||
	    what.len >= sizeof(acc->sent_for))
		return NULL;
	memset(acc->sent_for, 0, sizeof(acc->sent_for));
	memcpy(acc->sent_for, what.p, what.len);
	(void)snprintf(acc->sent, sizeof(acc->sent), "%06u",
	    (unsigned)randombytes_uniform(1000000));
	acc->sent_ms = mono;
	acc->sent_until_ms = mono + SENT_MS;
	acc->sent_tries = 0;
	return acc->sent;
}

static bool
try_sent(struct auth *a, struct account *acc, struct text code,
    struct text what)
{
	if (acc->sent[0] == '\0' || code.len != 6 ||
	    auth_mono_ms() > acc->sent_until_ms ||
	    acc->sent_tries++ >= TRIES_MAX ||
	    !text_equal(text_of(acc->sent_for), what) ||
	    sodium_memcmp(code.p, acc->sent, 6) != 0)
		return false;
	memset(acc->sent, 0, sizeof(acc->sent));
	tell_used(a, acc, SECRET_CONTACT, auth_now_ms(a) / 1000);
	return true;
}

enum secrets_said
secrets_try(struct auth *a, struct account *acc, struct text code,
    struct text what, struct text from, enum secret_kind *kind_out,
    int64_t *step_out)
{
	struct text	 account = text_of(acc->name);
	int64_t		 step;

	*kind_out = SECRET_TOTP;
	*step_out = -1;
	if (!secrets_has(acc, SECRET_TOTP) && acc->sent[0] == '\0')
		return SECRETS_NONE;
	if (too_many(a->accounts, from, account))
		return SECRETS_LOCKED;
	if (code.p == NULL)
		return SECRETS_WRONG;
	if ((step = try_totp(a, acc, code)) >= 0) {
		if (step <= acc->last_step) {
			count_wrong(a, from, account);
			return SECRETS_USED;
		}
		acc->last_step = *step_out = step;
		return SECRETS_GOOD;
	}
	*kind_out = SECRET_CONTACT;
	if (try_sent(a, acc, code, what))
		return SECRETS_GOOD;
	*kind_out = SECRET_RECOVERY;
	if (try_recovery(a, acc, code))
		return SECRETS_GOOD;
	count_wrong(a, from, account);
	return SECRETS_WRONG;
}

bool
secrets_code(struct request *r, struct command *c)
{
	struct account	*acc = accounts_get(r->a->accounts, c->account);
	enum secret_kind kind;
	int64_t		 step;

	if (acc == NULL)
		return true;
	switch (secrets_try(r->a, acc, r->m->code, text_of(SECRETS_SELF),
	    text_of(r->key->id), &kind, &step)) {
	case SECRETS_GOOD:
		c->code = TRI_YES;
		/* Of TOTP alone: the book takes it for one of those. */
		c->step = step;
		return true;
	case SECRETS_NONE:
		return true;
	case SECRETS_WRONG:
	case SECRETS_USED:
		auth_error(r, 400, -4001, "The code is wrong, or was used.");
		return false;
	case SECRETS_LOCKED:
		break;
	}
	auth_error(r, 429, -1003, "Too many wrong codes.");
	return false;
}
