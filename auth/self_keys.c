/*
 * API keys, by their account's holder.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/apikey.h"
#include "auth/publickey.h"
#include "auth/self.h"
#include "lib/secret.h"
#include "wire/cidr.h"

#define KEYS_MAX	200		/* of one account */
#define PROOF		"drawbridge key proof\n"
#define EXTRA_MAX	256

struct wanted {
	struct command	 c;
	struct cidr	 cidrs[COMMAND_CIDRS_MAX];
	struct text	 type, public_key, proof;
	char		 id[APIKEY_MAX];
};

static bool
read_ips(struct self *s, struct wanted *w)
{
	json_t		*list = json_object_get(s->body, "ips");
	struct text	 t;
	struct err	 e;
	size_t		 i;

	if (list == NULL)
		return true;
	if (!json_is_array(list) ||
	    json_array_size(list) > COMMAND_CIDRS_MAX) {
		self_refuse(s, "`ips`: a list of at most 256 networks");
		return false;
	}
	w->c.n_cidrs = 0;
	for (i = 0; i < json_array_size(list); i++) {
		t = text_of(json_string_value(json_array_get(list, i)));
		if (t.p == NULL || cidr_parse(&w->cidrs[i], t, &e) !=
		    RC_OK) {
			self_refuse(s, "`ips`: not all are networks");
			return false;
		}
		w->c.n_cidrs++;
	}
	w->c.cidrs = w->cidrs;
	return true;
}

static bool
read_wanted(struct self *s, struct wanted *w)
{
	return self_text(s, "label", &w->c.name) &&
	    self_flag(s, "withdraw", &w->c.withdraw) &&
	    self_number(s, "expires_ms", &w->c.expires_ms) &&
	    read_ips(s, w);
}

static bool
too_many(struct self *s)
{
	struct key	*k;
	size_t		 at = 0;
	int		 n = 0;

	while ((k = keys_each(s->r->a->keys, &at)) != NULL)
		n += !k->revoked && !k->door &&
		    strcmp(k->account, s->acc->name) == 0;
	return n >= KEYS_MAX;
}

/* HMAC */

static void
create_hmac(struct self *s, struct wanted *w)
{
	unsigned char		 blob[APIKEY_MAX + VAULT_OVERHEAD];
	struct vault_about	 about = { .kind = VAULT_KEY,
		.account = w->c.account, .key = w->c.key };
	char			*secret = secret_new(APIKEY_MAX);
	char			*extra = secret_new(EXTRA_MAX);
	size_t			 len;

	if (secret == NULL || extra == NULL) {
		secret_free(secret, APIKEY_MAX);
		secret_free(extra, EXTRA_MAX);
		auth_error(s->r, 503, -1008, "No locked memory.");
		return;
	}
	apikey_make(secret, APIKEY_SECRET);
	len = strlen(secret);
	vault_seal(s->r->a->vault, blob, (unsigned char *)secret, len,
	    &about);
	w->c.blob.p = (const char *)blob;
	w->c.blob.len = len + VAULT_OVERHEAD;
	(void)snprintf(extra, EXTRA_MAX, "\"api_key\":\"%s\",\"secret\":"
	    "\"%s\",", w->id, secret);
	secret_free(secret, APIKEY_MAX);
	self_take_with(s, &w->c, extra, EXTRA_MAX);
}

/* Public keys */

/*
 * Whoever registers a key shows that he has it: otherwise a thief registers
 * the public key of a stranger, who then signs for the thief's account.
 */
static bool
possessed(struct self *s, const struct wanted *w, struct text spki)
{
	static struct verify	 v;
	static char		 hex[2 * PUBLICKEY_DER_MAX + 1];
	static char		 text[sizeof(hex) + COMMAND_NAME_MAX + 64];
	struct key		 k = { .type = w->c.key_type };
	struct err		 e;
	bool			 good;
	int			 len;

	if (k.type == KEY_TYPE_RSA ? publickey_rsa(&k.rsa, spki, &e) != RC_OK :
	    publickey_ed25519(k.ed25519, spki, &e) != RC_OK)
		return false;
	(void)sodium_bin2hex(hex, sizeof(hex),
	    (const unsigned char *)spki.p, spki.len);
	len = snprintf(text, sizeof(text), PROOF "%s\n%s", s->acc->name, hex);
	good = verify_one(&v, &k, text, (size_t)len, w->proof) &&
	    verify_slow(&v);
	verify_end(&v);
	EVP_PKEY_free(k.rsa);
	return good;
}

static void
create_public(struct self *s, struct wanted *w)
{
	unsigned char	 der[PUBLICKEY_DER_MAX];
	struct text	 spki = { (const char *)der, 0 };
	char		*extra;
	struct err	 e;

	if (publickey_pem(der, &spki.len, w->public_key,
	    w->c.key_type == KEY_TYPE_RSA, &e) != RC_OK) {
		self_refuse(s, e.text);
		return;
	}
	if (!possessed(s, w, spki)) {
		self_refuse(s, "`proof`: not the new key's signature over "
		    "the account and it");
		return;
	}
	if (keys_has_public(s->r->a->keys, spki)) {
		self_refuse(s, "this public key is registered already");
		return;
	}
	if ((extra = secret_new(EXTRA_MAX)) == NULL) {
		auth_error(s->r, 503, -1008, "No locked memory.");
		return;
	}
	w->c.blob = spki;
	(void)snprintf(extra, EXTRA_MAX, "\"api_key\":\"%s\",", w->id);
	self_take_with(s, &w->c, extra, EXTRA_MAX);
}

static bool
read_type(struct self *s, struct wanted *w)
{
	if (!self_text(s, "type", &w->type) ||
	    !self_text(s, "public_key", &w->public_key) ||
	    !self_text(s, "proof", &w->proof))
		return false;
	if (text_equal(w->type, text_of("hmac")))
		w->c.key_type = KEY_TYPE_HMAC;
	else if (text_equal(w->type, text_of("rsa")))
		w->c.key_type = KEY_TYPE_RSA;
	else if (text_equal(w->type, text_of("ed25519")))
		w->c.key_type = KEY_TYPE_ED25519;
	if (w->c.key_type != KEY_TYPE_NONE && (w->public_key.p != NULL) ==
	    (w->c.key_type != KEY_TYPE_HMAC))
		return true;
	self_refuse(s, "`type`: hmac; or rsa or ed25519 with `public_key` "
	    "and `proof`");
	return false;
}

void
self_key_create(struct self *s)
{
	static struct wanted	 w;

	memset(&w, 0, sizeof(w));
	self_begin(s, &w.c, COMMAND_KEY);
	if (!self_only(s, "type label withdraw ips expires_ms public_key "
	    "proof") || !read_type(s, &w) || !read_wanted(s, &w))
		return;
	if (too_many(s)) {
		self_refuse(s, "the account has too many keys");
		return;
	}
	if (!self_factor(s, text_of(SECRETS_SELF)))
		return;
	apikey_make(w.id, APIKEY_KEY);
	w.c.key = text_of(w.id);
	if (w.c.key_type == KEY_TYPE_HMAC)
		create_hmac(s, &w);
	else
		create_public(s, &w);
}

/* Others' keys are as unknown as those that are not there. */
static const struct key *
named(struct self *s)
{
	const struct key	*k = s->r->m->id.len <= COMMAND_NAME_MAX ?
		    keys_find(s->r->a->keys, s->r->m->id) : NULL;

	if (k != NULL && !k->door && !k->revoked &&
	    strcmp(k->account, s->acc->name) == 0)
		return k;
	self_refuse(s, "no such key");
	return NULL;
}

/* What is not said stays. */
void
self_key_change(struct self *s)
{
	static struct wanted	 w;
	const struct key	*k = named(s);

	if (k == NULL)
		return;
	memset(&w, 0, sizeof(w));
	self_begin(s, &w.c, COMMAND_KEY);
	w.c.key = text_of(k->id);
	w.c.withdraw = k->withdraw;
	w.c.expires_ms = k->expires_ms;
	w.c.cidrs = k->cidrs;
	w.c.n_cidrs = (size_t)k->n_cidrs;
	if (self_only(s, "label withdraw ips expires_ms") &&
	    read_wanted(s, &w) && self_factor(s, text_of(SECRETS_SELF)))
		self_take(s, &w.c);
}

void
self_key_revoke(struct self *s)
{
	const struct key	*k = named(s);
	struct command		 c;

	if (k == NULL || !self_only(s, ""))
		return;
	/* Who finds that his key leaked need not look for his telephone. */
	if (k != s->r->key && !self_factor(s, text_of(SECRETS_SELF)))
		return;
	self_begin(s, &c, COMMAND_KEY_REVOKE);
	c.key = text_of(k->id);
	self_take(s, &c);
}
