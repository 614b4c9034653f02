/*
 * The signer's settings: what is taken is written in one way, which is taken
 * again; no settings loosen themselves, and the stricter of two neither.
 *
 * Input: a text; or two, with a zero byte between.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/sign_settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static bool
take(struct sign_settings *s, const uint8_t *data, size_t size)
{
	static char		 text[SIGN_SETTINGS_MAX];
	static char		 again[SIGN_SETTINGS_MAX];
	static struct sign_settings t;
	struct err		 e = { "" };
	struct text		 from = { NULL, size };
	char			*copy = malloc(size + (size == 0));
	enum rc			 rc;

	must(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	from.p = copy;
	rc = sign_settings_parse(s, "fuzz", from, &e);
	free(copy);
	if (rc != RC_OK) {
		must(strncmp(e.text, "fuzz:", 5) == 0);
		return false;
	}
	from.p = text;
	from.len = sign_settings_print(s, text, sizeof(text));
	must(from.len > 0);
	must(sign_settings_parse(&t, "again", from, &e) == RC_OK);
	must(sign_settings_print(&t, again, sizeof(again)) == from.len);
	must(memcmp(text, again, from.len) == 0);
	must(2 * s->m > s->n && s->n_cosigners == s->n - 1);
	must(s->tx_max_sat > 0 && s->tx_max_sat <= s->short_max_sat &&
	    s->short_max_sat <= s->long_max_sat);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sign_settings	 a, b, both;
	const uint8_t			*zero;
	unsigned char			 hash[32];
	bool				 loosens;

	zero = size > 0 ? memchr(data, 0, size) : NULL;
	if (!take(&a, data, zero != NULL ? (size_t)(zero - data) : size))
		return 0;
	sign_settings_hash(hash, &a);
	must(sign_settings_compare(&a, &a, &loosens, NULL) == RC_OK);
	must(!loosens);
	if (zero == NULL || !take(&b, zero + 1,
	    size - (size_t)(zero - data) - 1) ||
	    sign_settings_compare(&a, &b, &loosens, NULL) != RC_OK)
		return 0;
	sign_settings_stricter(&both, &a, &b);
	must(sign_settings_compare(&a, &both, &loosens, NULL) == RC_OK);
	must(!loosens);
	return 0;
}
