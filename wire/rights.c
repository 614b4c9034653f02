/*
 * Names of rights.
 */
#include "wire/rights.h"

#include <stdio.h>
#include <string.h>

const struct role roles[ROLES_COUNT] = {
	{ "support", RIGHT_CASE },
	{ "reviewer", RIGHT_READ | RIGHT_CASE | RIGHT_TIGHTEN |
	    RIGHT_RELEASE },
	{ "lead", RIGHT_READ | RIGHT_CASE | RIGHT_TIGHTEN | RIGHT_RELEASE |
	    RIGHT_RELEASE_ANY | RIGHT_LOOSEN | RIGHT_OPERATORS },
	{ "on-call", RIGHT_TIGHTEN },
	{ "custodian", RIGHT_READ | RIGHT_SIGNER },
	{ "auditor", RIGHT_READ },
};

static const struct role door[] = {
	{ "feed", DOOR_FEED }, { "decide", DOOR_DECIDE },
	{ "report", DOOR_REPORT }, { "read", DOOR_READ },
	{ "tighten", DOOR_TIGHTEN },
};
#define DOOR_COUNT	(sizeof(door) / sizeof(door[0]))

static bool
bits_of(uint32_t *out, struct text names, const struct role *of, size_t n)
{
	const char	*end = names.p + names.len, *comma, *p = names.p;
	struct text	 one;
	size_t		 i;

	*out = 0;
	while (p != NULL && p < end) {
		comma = memchr(p, ',', (size_t)(end - p));
		one.p = p;
		one.len = (size_t)((comma != NULL ? comma : end) - p);
		for (i = 0; i < n; i++) {
			if (text_equal(text_of(of[i].name), one))
				break;
		}
		/* Behind a comma there is one more. */
		if (i == n || comma == end - 1)
			return false;
		*out |= of[i].rights;
		p = comma != NULL ? comma + 1 : end;
	}
	return *out != 0;
}

static char *
bits_text(char *buf, uint32_t set, const struct role *of, size_t n)
{
	size_t	 i, len = 0;

	buf[0] = '\0';
	for (i = 0; i < n; i++) {
		if ((of[i].rights & ~set) == 0)
			len += (size_t)snprintf(buf + len,
			    RIGHTS_TEXT_MAX - len, "%s%s",
			    len > 0 ? "," : "", of[i].name);
	}
	return buf;
}

bool
rights_of(uint32_t *out, struct text names)
{
	return bits_of(out, names, roles, ROLES_COUNT);
}

char *
rights_text(char *buf, uint32_t rights)
{
	return bits_text(buf, rights, roles, ROLES_COUNT);
}

bool
door_roles_of(uint32_t *out, struct text names)
{
	return bits_of(out, names, door, DOOR_COUNT);
}

char *
door_roles_text(char *buf, uint32_t set)
{
	return bits_text(buf, set, door, DOOR_COUNT);
}
