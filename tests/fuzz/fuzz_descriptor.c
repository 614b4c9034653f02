/*
 * Descriptors from outside.  The first byte chooses whether they may be
 * private and the branch; a checksum that is wrong is made right, since no
 * fuzzer finds one.  What is taken must come out again and mean the same.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/address.h"
#include "bitcoin/curve.h"
#include "bitcoin/descriptor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_output(const struct descriptor *d, const struct descriptor_output *o)
{
	enum address_form form;

	if (!address_form_of(&form, o->script, o->script_len))
		abort();
	switch (d->kind) {
	case DESCRIPTOR_WPKH:
		if (form != ADDRESS_P2WPKH)
			abort();
		break;
	case DESCRIPTOR_SH_WPKH:
		if (form != ADDRESS_P2SH)
			abort();
		break;
	case DESCRIPTOR_TR:
		if (form != ADDRESS_P2TR)
			abort();
		break;
	case DESCRIPTOR_WSH_SORTEDMULTI:
		if (form != ADDRESS_P2WSH || o->inner_len != 3 + 34 * d->n)
			abort();
		break;
	}
}

static void
check_taken(const struct descriptor *d, unsigned branch)
{
	static struct descriptor again;
	struct descriptor_output a, b;
	char		 text[DESCRIPTOR_TEXT_MAX], back[DESCRIPTOR_TEXT_MAX];
	struct err	 e = { "" };
	bool		 good;

	assert(d->n >= 1 && d->n <= DESCRIPTOR_KEYS_MAX);
	assert(d->m >= 1 && d->m <= d->n);
	/* What was made shorter (' for h) may outgrow the limit by its sum. */
	if (descriptor_print(text, sizeof(text), d, true, &e) != RC_OK)
		return;
	if (descriptor_parse(&again, text_of(text), true, true, &e) != RC_OK ||
	    descriptor_print(back, sizeof(back), &again, true, &e) != RC_OK ||
	    strcmp(text, back) != 0)
		abort();
	good = descriptor_derive(&a, d, branch, 3, &e) == RC_OK;
	if (good)
		check_output(d, &a);
	descriptor_take_branch(&again, branch);
	if (descriptor_has_pair(&again) ||
	    good != (descriptor_derive(&b, &again, 0, 3, &e) == RC_OK) ||
	    (good && memcmp(&a, &b, sizeof(a)) != 0))
		abort();
}

static void
try_text(struct text t, bool private_ok, unsigned branch)
{
	static struct descriptor d;
	struct err	 e = { "" };
	unsigned	 i;

	if (descriptor_parse(&d, t, false, private_ok, &e) != RC_OK) {
		if (strncmp(e.text, "descriptor: ", 12) != 0 || d.n != 0)
			abort();
		return;
	}
	for (i = 0; i < d.n; i++)
		if (d.keys[i].key.has_secret && !private_ok)
			abort();
	check_taken(&d, branch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text	 t = { (const char *)data + 1, size - 1 };
	const char	*mark;

	if (size == 0 || curve_begin(NULL) != RC_OK)
		return 0;
	try_text(t, data[0] & 1, data[0] >> 1 & 1);
	if ((mark = memchr(t.p, '#', t.len)) != NULL) {
		t.len = (size_t)(mark - t.p);
		try_text(t, data[0] & 1, data[0] >> 1 & 1);
	}
	return 0;
}
