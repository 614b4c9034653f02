/*
 * New secrets for operators' programs: made here, sealed here; what goes into
 * the journal is only what came sealed out of this.
 */
#include <sodium.h>
#include <string.h>

#include "auth/apikey.h"
#include "auth/auth.h"
#include "auth/contact.h"
#include "auth/publickey.h"
#include "auth/recovery.h"
#include "auth/secrets.h"
#include "auth/totp.h"
#include "lib/log.h"
#include "lib/secret.h"

static void
prepared(struct auth *a, const struct message *m, struct message *out)
{
	if (a->to[ROOM_CONSOLE] == NULL)
		return;
	out->type = MESSAGE_PREPARED;
	out->tag = m->tag;
	channel_send(a->to[ROOM_CONSOLE], out);
}

static void
refuse(struct auth *a, const struct message *m, const char *why)
{
	struct message	 out;

	message_clear(&out, MESSAGE_PREPARED, m->tag);
	out.status = 400;
	out.reason = text_of(why);
	prepared(a, m, &out);
}

static void
hmac_key(struct auth *a, const struct message *m, const char *id)
{
	unsigned char		 blob[APIKEY_MAX + VAULT_OVERHEAD];
	struct vault_about	 about = { .kind = VAULT_KEY,
		.account = m->account, .key = text_of(id) };
	char			*secret = secret_new(APIKEY_MAX);
	struct message		 out;
	size_t			 len;

	if (secret == NULL) {
		refuse(a, m, "no locked memory");
		return;
	}
	apikey_make(secret, APIKEY_SECRET);
	len = strlen(secret);
	vault_seal(a->vault, blob, (unsigned char *)secret, len, &about);
	message_clear(&out, MESSAGE_PREPARED, m->tag);
	out.status = 200;
	out.key = text_of(id);
	out.signature = text_of(secret);
	out.open.p = (const char *)blob;
	out.open.len = len + VAULT_OVERHEAD;
	prepared(a, m, &out);
	secret_free(secret, APIKEY_MAX);
}

static void
public_key(struct auth *a, const struct message *m, const char *id)
{
	unsigned char	 der[PUBLICKEY_DER_MAX];
	struct message	 out;
	struct text	 spki = { (const char *)der, 0 };
	struct err	 e;

	if (publickey_pem(der, &spki.len, m->body, m->key_type ==
	    KEY_TYPE_RSA, &e) != RC_OK) {
		refuse(a, m, e.text);
		return;
	}
	if (keys_has_public(a->keys, spki)) {
		refuse(a, m, "this public key is registered already");
		return;
	}
	message_clear(&out, MESSAGE_PREPARED, m->tag);
	out.status = 200;
	out.key = text_of(id);
	out.open = spki;
	prepared(a, m, &out);
}

static void
api_key(struct auth *a, const struct message *m)
{
	char	 id[APIKEY_MAX];

	apikey_make(id, APIKEY_KEY);
	if (m->key_type == KEY_TYPE_HMAC)
		hmac_key(a, m, id);
	else if (m->key_type != KEY_TYPE_NONE && m->body.p != NULL)
		public_key(a, m, id);
	else
		refuse(a, m, "a type, and for rsa and ed25519 a public key, "
		    "are wanted");
}

static void
totp(struct auth *a, const struct message *m)
{
	unsigned char		 blob[TOTP_PACKED_MAX + VAULT_OVERHEAD];
	unsigned char		*packed = secret_new(TOTP_PACKED_MAX);
	struct totp		*t = secret_new(sizeof(*t));
	char			*uri = secret_new(TOTP_URI_MAX);
	struct totp_label	 label = { "Drawbridge", "" };
	struct vault_about	 about = { .kind = VAULT_TOTP,
		.account = m->account };
	struct message		 out;
	struct err		 e;
	size_t			 len;

	if (packed == NULL || t == NULL || uri == NULL ||
	    m->account.len >= sizeof(label.account)) {
		refuse(a, m, "no locked memory, or a name that is too long");
		goto done;
	}
	memcpy(label.account, m->account.p, m->account.len);
	about.version = auth_now_ms(a);
	totp_make(t, TOTP_SHA1, 6);
	len = totp_pack(t, packed);
	if (totp_uri(uri, t, &label, &e) != RC_OK) {
		refuse(a, m, e.text);
		goto done;
	}
	vault_seal(a->vault, blob, packed, len, &about);
	message_clear(&out, MESSAGE_PREPARED, m->tag);
	out.status = 200;
	out.open.p = (const char *)blob;
	out.open.len = len + VAULT_OVERHEAD;
	out.number = about.version;
	out.body = text_of(uri);
	prepared(a, m, &out);
done:
	secret_free(packed, TOTP_PACKED_MAX);
	secret_free(t, sizeof(*t));
	secret_free(uri, TOTP_URI_MAX);
}

/* Ten recovery codes: the record sealed, the codes one a line. */
static void
recovery(struct auth *a, const struct message *m)
{
	unsigned char		 blob[RECOVERY_LEN + VAULT_OVERHEAD];
	unsigned char		*record = secret_new(RECOVERY_LEN);
	char			(*codes)[RECOVERY_CODE_MAX];
	struct vault_about	 about = { .kind = VAULT_RECOVERY,
		.account = m->account, .version = auth_now_ms(a) };
	struct message		 out;
	int			 i;

	codes = secret_new(RECOVERY_COUNT * RECOVERY_CODE_MAX);
	if (record == NULL || codes == NULL) {
		refuse(a, m, "no locked memory");
	} else {
		recovery_make(record, codes);
		vault_seal(a->vault, blob, record, RECOVERY_LEN, &about);
		for (i = 0; i < RECOVERY_COUNT; i++)
			codes[i][RECOVERY_CODE_MAX - 1] = '\n';
		message_clear(&out, MESSAGE_PREPARED, m->tag);
		out.status = 200;
		out.open.p = (const char *)blob;
		out.open.len = sizeof(blob);
		out.number = about.version;
		out.body.p = codes[0];
		out.body.len = RECOVERY_COUNT * RECOVERY_CODE_MAX;
		prepared(a, m, &out);
	}
	secret_free(record, RECOVERY_LEN);
	secret_free(codes, RECOVERY_COUNT * RECOVERY_CODE_MAX);
}

/* What operators put in for an owner: mail, a line end, telephone; a blank
 * for what stays as it is. */
static void
contact(struct auth *a, const struct message *m)
{
	unsigned char		 packed[CONTACT_PACKED_MAX];
	unsigned char		 blob[CONTACT_PACKED_MAX + VAULT_OVERHEAD];
	struct vault_about	 about = { .kind = VAULT_CONTACT,
		.account = m->account, .version = auth_now_ms(a) };
	const char		*nl = m->body.p == NULL ? NULL :
		    memchr(m->body.p, '\n', m->body.len);
	struct account		*acc = accounts_get(a->accounts, m->account);
	struct text		 mail, phone, stays = text_of(" ");
	struct message		 out;
	struct contact		 c;
	struct err		 e;
	size_t			 len;

	if (nl == NULL || acc == NULL) {
		refuse(a, m, "a mail address and a telephone are wanted");
		return;
	}
	mail.p = m->body.p;
	mail.len = (size_t)(nl - m->body.p);
	phone.p = nl + 1;
	phone.len = m->body.len - mail.len - 1;
	(void)contact_of(&c, a, acc);
	if (contact_set(&c, text_equal(mail, stays) ? text_of(NULL) : mail,
	    text_equal(phone, stays) ? text_of(NULL) : phone, &e) != RC_OK) {
		refuse(a, m, e.text);
		return;
	}
	len = contact_pack(&c, packed);
	vault_seal(a->vault, blob, packed, len, &about);
	message_clear(&out, MESSAGE_PREPARED, m->tag);
	out.status = 200;
	out.open.p = (const char *)blob;
	out.open.len = len + VAULT_OVERHEAD;
	out.number = about.version;
	prepared(a, m, &out);
}

void
prepare_request(struct auth *a, const struct message *m)
{
	if (!a->loaded)
		refuse(a, m, "the service is starting; try again");
	else if (m->account.p == NULL)
		refuse(a, m, "an account is wanted");
	else if (m->endpoint == ENDPOINT_SELF_KEY_CREATE)
		api_key(a, m);
	else if (m->endpoint == ENDPOINT_SELF_TOTP)
		totp(a, m);
	else if (m->endpoint == ENDPOINT_SELF_TOTP_CONFIRM)
		recovery(a, m);
	else if (m->endpoint == ENDPOINT_SELF_CONTACT)
		contact(a, m);
	else
		refuse(a, m, "not a secret that is made here");
}
