/*
 * What is said to the signer: what is taken packs to the same bytes, and so
 * do the fixed structs in its fields.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
same_bytes(const struct sign_message *m, const unsigned char *p, size_t len)
{
	unsigned char	*again = malloc(sign_message_room(m));
	size_t		 n;

	must(again != NULL);
	n = sign_message_pack(m, again);
	must(n <= sign_message_room(m) && n == len &&
	    memcmp(again, p, n) == 0);
	free(again);
}

static void
look_at_head(struct text t)
{
	static const unsigned char	 key[32] = { 1 };
	unsigned char			 again[SIGN_HEAD_LEN];
	struct sign_head		 h;

	if (t.p == NULL)
		return;
	must(t.len == SIGN_HEAD_LEN);
	sign_head_unpack(&h, (const unsigned char *)t.p);
	sign_head_pack(&h, again);
	must(memcmp(again, t.p, t.len) == 0);
	must(!sign_head_verify(&h, key));
}

static void
look_at_approvals(struct text t)
{
	unsigned char		 again[SIGN_APPROVAL_LEN];
	struct sign_approval	 a;
	struct err		 e = { "" };
	size_t			 i;

	must(t.len % SIGN_APPROVAL_LEN == 0);
	for (i = 0; i < t.len; i += SIGN_APPROVAL_LEN) {
		if (sign_approval_unpack(&a, (const unsigned char *)t.p + i,
		    &e) != RC_OK) {
			must(e.text[0] != '\0');
			continue;
		}
		must(a.by.len >= 1 && a.by.len <= 32 && a.expires_ms >= 0);
		sign_approval_pack(&a, again);
		must(memcmp(again, t.p + i, sizeof(again)) == 0);
	}
}

static void
look_at_body(struct text t)
{
	unsigned char		 burned[SIGN_BURNED_LEN];
	unsigned char		 entry[SIGN_ENTRY_LEN];
	struct sign_burned	 b;
	struct sign_entry	 n;
	struct err		 e;
	size_t			 i;

	if (t.len == SIGN_BURNED_LEN && sign_burned_unpack(&b,
	    (const unsigned char *)t.p, &e) == RC_OK) {
		sign_burned_pack(&b, burned);
		must(memcmp(burned, t.p, sizeof(burned)) == 0);
	}
	for (i = 0; t.len - i >= SIGN_ENTRY_LEN; i += SIGN_ENTRY_LEN) {
		if (sign_entry_unpack(&n, (const unsigned char *)t.p + i,
		    &e) != RC_OK)
			continue;
		sign_entry_pack(&n, entry);
		must(memcmp(entry, t.p + i, sizeof(entry)) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sign_message	 m;
	struct err		 e = { "" };
	unsigned char		*copy;
	size_t			 len;

	/* Its own memory, so that its end is one, too. */
	must((copy = malloc(size + (size == 0))) != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	if (sign_message_len(&len, copy, size, &e) != RC_OK)
		must(e.text[0] != '\0');
	else
		must(len <= SIGN_MAX && (size >= 4) == (len != 0));
	if (sign_message_unpack(&m, copy, size, &e) == RC_OK) {
		same_bytes(&m, copy, size);
		look_at_head(m.known);
		look_at_head(m.head);
		look_at_approvals(m.approvals);
		look_at_body(m.body);
		must(m.refusal < SIGN_REFUSE__COUNT && m.id.len <= 64);
		must(sign_allowed(m.type, true) == (m.type < SIGN_DONE));
	} else {
		must(e.text[0] != '\0');
	}
	free(copy);
	return 0;
}
