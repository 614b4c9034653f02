/*
 * Second factors: what is enrolled, and trying a code.
 */
#include "auth/secrets.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "auth/recovery.h"
#include "auth/totp.h"
#include "lib/ident.h"
#include "lib/log.h"
#include "lib/secret.h"

#define TRIES_MAX	5		/* wrong ones, from one key or address */
#define TRIES_MS	900000		/* in a quarter of an hour */
#define TRIES_SLOTS	8192
#define ALL_MAX		1000		/* wrong ones a minute, over everybody */

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
		for (k = 0; a->slots[i] != NULL && k <= SECRET_LINKS; k++)
			free(a->slots[i]->of[k].blob);
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

static void
told_secret(struct account *acc, const struct command *c, uint64_t seq)
{
	struct account_secret	*s = &acc->of[c->secret];

	if (seq < s->seq)
		return;
	free(s->blob);
	s->blob = NULL;
	s->len = 0;
	s->seq = seq;
	s->version = c->step;
	if (c->blob.p != NULL && (s->blob = malloc(c->blob.len)) != NULL) {
		memcpy(s->blob, c->blob.p, c->blob.len);
		s->len = c->blob.len;
	}
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
}

bool
secrets_has(const struct account *acc, enum secret_kind kind)
{
	return acc->of[kind].blob != NULL;
}

int
secrets_open(struct auth *a, struct account *acc, enum secret_kind kind,
    unsigned char *plain, size_t room)
{
	const struct account_secret	*s = &acc->of[kind];
	struct vault_about		 about = {
		.kind = vault_kind_of(kind), .account = text_of(acc->name),
		.version = s->version };
	struct err			 e;

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
too_many(struct accounts *a, struct text from)
{
	int64_t	 mono = auth_mono_ms();

	if (a->minute != mono / 60000) {
		a->minute = mono / 60000;
		a->in_minute = 0;
	}
	return a->in_minute >= ALL_MAX ||
	    tries_of(a, from, mono)->n >= TRIES_MAX;
}

static void
count_wrong(struct auth *a, struct text from)
{
	a->figures.codes_wrong++;
	tries_of(a->accounts, from, auth_mono_ms())->n++;
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

static bool
try_sent(struct account *acc, struct text code)
{
	bool	 good;

	if (acc->sent[0] == '\0' || auth_mono_ms() > acc->sent_until_ms ||
	    acc->sent_tries++ >= TRIES_MAX)
		return false;
	good = code.len == 6 && sodium_memcmp(code.p, acc->sent, 6) == 0;
	if (good)
		memset(acc->sent, 0, sizeof(acc->sent));
	return good;
}

enum secrets_said
secrets_try(struct auth *a, struct account *acc, struct text code,
    struct text from, enum secret_kind *kind_out, int64_t *step_out)
{
	int64_t	 step;

	*kind_out = SECRET_TOTP;
	*step_out = -1;
	if (!secrets_has(acc, SECRET_TOTP) && acc->sent[0] == '\0')
		return SECRETS_NONE;
	if (too_many(a->accounts, from))
		return SECRETS_LOCKED;
	if ((step = try_totp(a, acc, code)) >= 0) {
		if (step <= acc->last_step) {
			count_wrong(a, from);
			return SECRETS_USED;
		}
		acc->last_step = *step_out = step;
		return SECRETS_GOOD;
	}
	if (try_sent(acc, code)) {
		*kind_out = SECRET_CONTACT;
		*step_out = auth_now_ms(a) / 1000;
		return SECRETS_GOOD;
	}
	count_wrong(a, from);
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
	switch (secrets_try(r->a, acc, r->m->code, text_of(r->key->id), &kind,
	    &step)) {
	case SECRETS_GOOD:
		c->code = TRI_YES;
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
