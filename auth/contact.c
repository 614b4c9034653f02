#include "auth/contact.h"

#include <sodium.h>
#include <string.h>

#include "lib/secret.h"

/* Printable ASCII, one `@`; nothing that means something in a header. */
static bool
is_mail(struct text t)
{
	size_t	 i, at = 0;
	int	 n = 0;

	if (t.len < 3 || t.len > 254 || t.p[0] == '-')
		return false;
	for (i = 0; i < t.len; i++) {
		if (t.p[i] <= ' ' || t.p[i] >= 0x7f ||
		    strchr("<>()[]\\,;:\"", t.p[i]) != NULL)
			return false;
		if (t.p[i] == '@') {
			at = i;
			n++;
		}
	}
	return n == 1 && at > 0 && at < t.len - 1;
}

/* E.164. */
static bool
is_phone(struct text t)
{
	size_t	 i;

	if (t.len < 6 || t.len > 16 || t.p[0] != '+')
		return false;
	for (i = 1; i < t.len; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
	}
	return true;
}

static void
copy(char *to, size_t room, struct text t)
{
	memset(to, 0, room);
	if (t.len > 0)
		memcpy(to, t.p, t.len);
}

enum rc
contact_set(struct contact *c, struct text mail, struct text phone,
    struct err *e)
{
	if (mail.p != NULL && mail.len > 0 && !is_mail(mail))
		return err_set(e, "`mail`: not an address");
	if (phone.p != NULL && phone.len > 0 && !is_phone(phone))
		return err_set(e, "`phone`: + and 5 to 15 digits");
	if (mail.p != NULL)
		copy(c->mail, sizeof(c->mail), mail);
	if (phone.p != NULL)
		copy(c->phone, sizeof(c->phone), phone);
	return RC_OK;
}

size_t
contact_pack(const struct contact *c, unsigned char out[CONTACT_PACKED_MAX])
{
	size_t	 mail = strlen(c->mail), phone = strlen(c->phone);

	memcpy(out, c->mail, mail);
	out[mail] = '\n';
	memcpy(out + mail + 1, c->phone, phone);
	return mail + 1 + phone;
}

bool
contact_unpack(struct contact *c, const unsigned char *p, size_t len)
{
	const unsigned char	*nl = len > 0 ? memchr(p, '\n', len) : NULL;
	struct text		 mail = { (const char *)p, 0 };
	struct text		 phone;
	struct err		 e;

	memset(c, 0, sizeof(*c));
	if (nl == NULL)
		return false;
	mail.len = (size_t)(nl - p);
	phone.p = (const char *)nl + 1;
	phone.len = len - mail.len - 1;
	return contact_set(c, mail, phone, &e) == RC_OK;
}

static bool
opened(struct contact *c, struct auth *a, struct account *acc,
    const struct account_secret *s)
{
	unsigned char	*p = secret_new(CONTACT_PACKED_MAX);
	int		 len;
	bool		 good = false;

	memset(c, 0, sizeof(*c));
	if (p != NULL && (len = secrets_unseal(a, acc, SECRET_CONTACT, s, p,
	    CONTACT_PACKED_MAX)) > 0)
		good = contact_unpack(c, p, (size_t)len);
	secret_free(p, CONTACT_PACKED_MAX);
	return good && (c->mail[0] != '\0' || c->phone[0] != '\0');
}

bool
contact_of(struct contact *c, struct auth *a, struct account *acc)
{
	return opened(c, a, acc, &acc->of[SECRET_CONTACT]);
}

bool
contact_before(struct contact *c, struct auth *a, struct account *acc)
{
	return opened(c, a, acc, &acc->contact_before);
}
