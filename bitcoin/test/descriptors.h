/* What the tests of descriptors have in common. */
#ifndef BITCOIN_TEST_DESCRIPTORS_H
#define BITCOIN_TEST_DESCRIPTORS_H

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tests/check.h"

#include "bitcoin/descriptor.h"
#include "bitcoin/test/hostile.h"

#define WIF "L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1"

static inline bool
parses(const char *text, size_t len, bool need, bool private_ok,
    struct descriptor *d, struct err *e)
{
	struct text	 t = { (const char *)hostile_place(text, len), len };

	memset(e, 0, sizeof(*e));
	return descriptor_parse(d, t, need, private_ok, e) == RC_OK;
}

static inline bool
reads(const char *text, struct descriptor *d)
{
	struct err	 e;
	bool		 good = parses(text, strlen(text), false, true, d, &e);

	if (!CHECK(good))
		printf("#   %s: %s\n", text, e.text);
	return good;
}

/*
 * What we write for a text: h for every ', no capitals in single keys, the
 * checksum of that.
 */
static inline void
normal_form(char out[DESCRIPTOR_TEXT_MAX], const char *text)
{
	size_t	 len = strcspn(text, "#"), i;
	char	 sum[DESCRIPTOR_CHECKSUM_LEN + 1];
	bool	 lower = strstr(text, "pub") == NULL &&
	    strstr(text, "prv") == NULL;

	for (i = 0; i < len; i++)
		out[i] = text[i] == '\'' ? 'h' : lower ?
		    (char)tolower((unsigned char)text[i]) : text[i];
	CHECK(descriptor_checksum(sum, (struct text){ out, len }));
	(void)snprintf(out + len, DESCRIPTOR_TEXT_MAX - len, "#%s", sum);
}

static inline void
check_print(const struct descriptor *d, const char *text)
{
	struct descriptor again;
	struct err	 e;
	char		 want[DESCRIPTOR_TEXT_MAX], got[DESCRIPTOR_TEXT_MAX];

	normal_form(want, text);
	CHECK(descriptor_print(got, sizeof(got), d, true, &e) == RC_OK);
	CHECK_STR(got, want);
	CHECK(parses(got, strlen(got), true, true, &again, &e));
	CHECK(descriptor_print(want, sizeof(want), &again, true, &e) ==
	    RC_OK);
	CHECK_STR(want, got);
	CHECK(descriptor_print(got, sizeof(got), d, false, &e) == RC_OK);
	CHECK(strstr(got, "prv") == NULL);
}

#endif
