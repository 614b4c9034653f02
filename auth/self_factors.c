/*
 * Second factors and contacts, by their account's holder.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/contact.h"
#include "auth/recovery.h"
#include "auth/self.h"
#include "auth/totp.h"
#include "lib/json.h"
#include "lib/secret.h"

#define ENROL_MS	600000
#define ENROL_TRIES	5
#define EXTRA_MAX	1024

/* TOTP */

/* The first factor has nothing to be checked by: self.h says what that
 * means. */
static bool
may_enrol(struct self *s)
{
	if (secrets_any(s->r->a, s->acc))
		return self_factor(s, text_of(SECRETS_SELF));
	if (s->r->key->withdraw)
		return true;
	auth_error(s->r, 401, -4004, "The first second factor is enrolled "
	    "with a key that may withdraw, or by the operators.");
	return false;
}

static void
show_totp(struct self *s, const struct totp *t, const char *uri)
{
	char	*body = secret_new(TOTP_URI_MAX + 512);
	char	 secret[TOTP_BASE32_LEN(TOTP_SEED_MAX) + 1];

	if (body == NULL) {
		auth_error(s->r, 503, -1008, "No locked memory.");
		return;
	}
	totp_base32(secret, t->seed, t->seed_len);
	(void)snprintf(body, TOTP_URI_MAX + 512, "{\"uri\":\"%s\","
	    "\"secret\":\"%s\"}", uri, secret);
	auth_answer(s->r->a, s->r->m->tag, 200, text_of(body), 0);
	secret_free(body, TOTP_URI_MAX + 512);
	sodium_memzero(secret, sizeof(secret));
}

static bool
put_next(struct self *s, const struct totp *t)
{
	unsigned char		*packed = secret_new(TOTP_PACKED_MAX);
	unsigned char		 blob[TOTP_PACKED_MAX + VAULT_OVERHEAD];
	struct vault_about	 about = { .kind = VAULT_TOTP,
		.account = text_of(s->acc->name) };
	size_t			 len;
	bool			 good = false;

	if (packed != NULL) {
		about.version = auth_now_ms(s->r->a);
		len = totp_pack(t, packed);
		vault_seal(s->r->a->vault, blob, packed, len, &about);
		good = secrets_put(&s->acc->next_totp, blob,
		    len + VAULT_OVERHEAD, about.version);
	}
	secret_free(packed, TOTP_PACKED_MAX);
	s->acc->next_until_ms = auth_mono_ms() + ENROL_MS;
	s->acc->next_tries = 0;
	return good;
}

void
self_totp(struct self *s)
{
	struct totp		*t;
	char			*uri;
	struct totp_label	 label = { "Drawbridge", "" };
	struct err		 e;

	if (!self_only(s, "") || !may_enrol(s))
		return;
	t = secret_new(sizeof(*t));
	uri = secret_new(TOTP_URI_MAX);
	(void)snprintf(label.account, sizeof(label.account), "%s",
	    s->acc->name);
	if (t == NULL || uri == NULL) {
		auth_error(s->r, 503, -1008, "No locked memory.");
	} else {
		totp_make(t, TOTP_SHA1, 6);
		if (totp_uri(uri, t, &label, &e) != RC_OK)
			self_refuse(s, e.text);
		else if (put_next(s, t))
			show_totp(s, t, uri);
		else
			auth_error(s->r, 503, -1008, "No memory.");
	}
	secret_free(t, sizeof(*t));
	secret_free(uri, TOTP_URI_MAX);
}

/* The step, or -1. */
static int64_t
check_next(struct self *s, struct text code)
{
	unsigned char	*packed = secret_new(TOTP_PACKED_MAX);
	struct totp	*t = secret_new(sizeof(*t));
	int64_t		 step = -1;
	struct err	 e;
	int		 len;

	if (packed != NULL && t != NULL && (len = secrets_unseal(s->r->a,
	    s->acc, SECRET_TOTP, &s->acc->next_totp, packed,
	    TOTP_PACKED_MAX)) > 0 &&
	    totp_unpack(t, packed, (size_t)len, &e) == RC_OK)
		step = totp_check(t, code, auth_now_ms(s->r->a));
	secret_free(packed, TOTP_PACKED_MAX);
	secret_free(t, sizeof(*t));
	return step;
}

/* Ten new recovery codes, into the journal and into `extra`. */
static bool
new_recovery(struct self *s, char *extra)
{
	unsigned char		*record = secret_new(RECOVERY_LEN);
	char			(*codes)[RECOVERY_CODE_MAX];
	unsigned char		 blob[RECOVERY_LEN + VAULT_OVERHEAD];
	struct vault_about	 about = { .kind = VAULT_RECOVERY,
		.account = text_of(s->acc->name) };
	struct command		 c;
	int			 i, n;

	codes = secret_new(RECOVERY_COUNT * RECOVERY_CODE_MAX);
	if (record == NULL || codes == NULL) {
		secret_free(record, RECOVERY_LEN);
		secret_free(codes, RECOVERY_COUNT * RECOVERY_CODE_MAX);
		return false;
	}
	recovery_make(record, codes);
	about.version = auth_now_ms(s->r->a);
	vault_seal(s->r->a->vault, blob, record, RECOVERY_LEN, &about);
	n = snprintf(extra, EXTRA_MAX, "\"recovery\":[");
	for (i = 0; i < RECOVERY_COUNT; i++)
		n += snprintf(extra + n, EXTRA_MAX - (size_t)n, "%s\"%s\"",
		    i > 0 ? "," : "", codes[i]);
	(void)snprintf(extra + n, EXTRA_MAX - (size_t)n, "],");
	secret_free(record, RECOVERY_LEN);
	secret_free(codes, RECOVERY_COUNT * RECOVERY_CODE_MAX);
	self_begin(s, &c, COMMAND_SECRET);
	c.secret = SECRET_RECOVERY;
	c.step = about.version;
	c.blob.p = (const char *)blob;
	c.blob.len = sizeof(blob);
	self_tell(s, &c);
	return true;
}

/* To the policy it is a change of credentials, the first time, too. */
static void
tell_change(struct self *s, enum credential what)
{
	struct command	 c;

	self_begin(s, &c, COMMAND_SECURITY_CHANGE);
	c.what = what;
	self_tell(s, &c);
}

void
self_totp_confirm(struct self *s)
{
	struct account	*acc = s->acc;
	struct text	 code = { NULL, 0 };
	struct command	 c;
	char		*extra;
	int64_t		 step;

	if (!self_only(s, "code") || !self_text(s, "code", &code))
		return;
	if (acc->next_totp.blob == NULL ||
	    auth_mono_ms() > acc->next_until_ms ||
	    acc->next_tries++ >= ENROL_TRIES) {
		self_refuse(s, "begin first (POST /v1/self/totp); it is good "
		    "for ten minutes and five tries");
		return;
	}
	if (code.p == NULL || (step = check_next(s, code)) < 0) {
		auth_error(s->r, 401, -4005, "The code is wrong.");
		return;
	}
	if ((extra = secret_new(EXTRA_MAX)) == NULL ||
	    !new_recovery(s, extra)) {
		secret_free(extra, EXTRA_MAX);
		auth_error(s->r, 503, -1008, "No locked memory.");
		return;
	}
	tell_change(s, CREDENTIAL_2FA);
	acc->last_step = step;
	secrets_used(s->r->a, acc, step);
	self_begin(s, &c, COMMAND_SECRET);
	c.secret = SECRET_TOTP;
	c.step = acc->next_totp.version;
	c.blob.p = (const char *)acc->next_totp.blob;
	c.blob.len = acc->next_totp.len;
	self_take_with(s, &c, extra, EXTRA_MAX);
	acc->next_until_ms = 0;
}

/* Codes that are sent */

static void
post(struct self *s, bool sms, const char *to, const char *code,
    struct text what)
{
	struct message	 m;
	char		 text[512], id[48];
	bool		 self = text_equal(what, text_of(SECRETS_SELF));

	(void)snprintf(text, sizeof(text), "%s is your code for %s%.*s. It "
	    "is good for ten minutes, once. Nobody of ours will ever ask you "
	    "for it.\n", code, self ? "a change of your account" :
	    "withdrawal ", self ? 0 : (int)what.len, what.p);
	(void)snprintf(id, sizeof(id), "code-%jd",
	    (intmax_t)auth_now_ms(s->r->a));
	message_clear(&m, MESSAGE_SEND, 0);
	m.name = text_of(sms ? "sms" : "mail");
	m.target = text_of(to);
	m.reason = text_of("Your code");
	m.body = text_of(text);
	m.id = text_of(id);
	channel_send(s->r->a->to[ROOM_NOTIFY], &m);
	sodium_memzero(text, sizeof(text));
}

/* Nothing of it is secret to who has the key but where it goes. */
void
self_send_code(struct self *s)
{
	struct text	 way = text_of("mail");
	struct contact	 to;
	const char	*code;
	bool		 sms;

	if (!self_only(s, "way") || !self_text(s, "way", &way))
		return;
	sms = text_equal(way, text_of("sms"));
	if (!sms && !text_equal(way, text_of("mail"))) {
		self_refuse(s, "`way`: mail or sms");
		return;
	}
	if (!contact_of(&to, s->r->a, s->acc) ||
	    (sms ? to.phone : to.mail)[0] == '\0') {
		self_refuse(s, "the account has no such contact");
		return;
	}
	if (!params_is_plain(s->r->m->id) || s->r->a->to[ROOM_NOTIFY] ==
	    NULL) {
		self_refuse(s, "it cannot be sent");
		return;
	}
	if ((code = secrets_new_code(s->acc, s->r->m->id)) == NULL) {
		auth_error(s->r, 429, -1003, "One code a minute.");
		return;
	}
	post(s, sms, sms ? to.phone : to.mail, code, s->r->m->id);
	auth_answer(s->r->a, s->r->m->tag, 200, text_of(
	    "{\"state\":\"sent\"}"), 0);
}

/* Where notices go */

static void
take_contact(struct self *s, const struct contact *to)
{
	unsigned char		*packed = secret_new(CONTACT_PACKED_MAX);
	unsigned char		 blob[CONTACT_PACKED_MAX + VAULT_OVERHEAD];
	struct vault_about	 about = { .kind = VAULT_CONTACT,
		.account = text_of(s->acc->name) };
	struct command		 c;
	size_t			 len;

	if (packed == NULL) {
		auth_error(s->r, 503, -1008, "No locked memory.");
		return;
	}
	about.version = auth_now_ms(s->r->a);
	len = contact_pack(to, packed);
	vault_seal(s->r->a->vault, blob, packed, len, &about);
	secret_free(packed, CONTACT_PACKED_MAX);
	self_begin(s, &c, COMMAND_SECRET);
	c.secret = SECRET_CONTACT;
	c.step = about.version;
	c.blob.p = (const char *)blob;
	c.blob.len = len + VAULT_OVERHEAD;
	self_take(s, &c);
}

/* The old one hears of it as well (notices.c). */
void
self_contact(struct self *s)
{
	struct text	 mail = { NULL, 0 }, phone = { NULL, 0 };
	struct contact	 was, to;
	struct err	 e;

	if (!self_only(s, "mail phone") || !self_text(s, "mail", &mail) ||
	    !self_text(s, "phone", &phone))
		return;
	(void)contact_of(&was, s->r->a, s->acc);
	to = was;
	if (contact_set(&to, mail, phone, &e) != RC_OK) {
		self_refuse(s, e.text);
		return;
	}
	if (!self_factor(s, text_of(SECRETS_SELF)))
		return;
	if (strcmp(was.mail, to.mail) != 0)
		tell_change(s, CREDENTIAL_EMAIL);
	if (strcmp(was.phone, to.phone) != 0)
		tell_change(s, CREDENTIAL_PHONE);
	take_contact(s, &to);
}
