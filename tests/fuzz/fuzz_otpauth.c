/*
 * otpauth URIs.  What is taken must come out as a URI that says the same;
 * base32 has one spelling but for case and `=`.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "auth/totp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
round_trip(const struct totp *t, const struct totp_label *label)
{
	struct totp_label	 label2;
	struct totp		 t2;
	unsigned char		 packed[TOTP_PACKED_MAX];
	char			 uri[TOTP_URI_MAX], code[TOTP_CODE_MAX];

	if (totp_uri(uri, t, label, NULL) != RC_OK ||
	    totp_parse(&t2, &label2, text_of(uri), NULL) != RC_OK ||
	    memcmp(t, &t2, sizeof(t2)) != 0 ||
	    strcmp(label->issuer, label2.issuer) != 0 ||
	    strcmp(label->account, label2.account) != 0)
		abort();
	if (totp_unpack(&t2, packed, totp_pack(t, packed), NULL) != RC_OK ||
	    memcmp(t, &t2, sizeof(t2)) != 0)
		abort();
	totp_code(code, t, 1);
	if (strlen(code) != (size_t)t->digits ||
	    totp_check(t, text_of(code), t->period_s * 1000) < 0)
		abort();
}

static void
spelling(struct text s)
{
	unsigned char	 bytes[TOTP_SEED_MAX];
	char		 again[TOTP_BASE32_LEN(TOTP_SEED_MAX) + 1];
	size_t		 i;
	int		 n = totp_unbase32(bytes, sizeof(bytes), s);

	if (n == -1)
		return;
	totp_base32(again, bytes, (size_t)n);
	for (i = 0; again[i] != '\0'; i++)
		if (i == s.len || (s.p[i] != again[i] &&
		    s.p[i] != again[i] - 'A' + 'a'))
			abort();
	for (; i < s.len; i++)
		if (s.p[i] != '=')
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text		 s = { (const char *)data, size };
	struct totp_label	 label;
	struct totp		 t;
	struct err		 e;

	e.text[0] = '\0';
	if (totp_parse(&t, &label, s, &e) == RC_OK)
		round_trip(&t, &label);
	else if (e.text[0] == '\0')
		abort();	/* Every refusal has a reason. */
	if (totp_unpack(&t, data, size, NULL) == RC_OK) {
		unsigned char	 packed[TOTP_PACKED_MAX];

		assert(totp_pack(&t, packed) == size);
		if (memcmp(packed, data, size) != 0)
			abort();
	}
	spelling(s);
	return 0;
}
