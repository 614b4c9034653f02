/*
 * Who may do what, as bits: they stand in the journal, so none is ever
 * renumbered.
 */
#ifndef WIRE_RIGHTS_H
#define WIRE_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/text.h"

/* Operators' rights. */
enum right {
	RIGHT_READ = 1 << 0,
	RIGHT_CASE = 1 << 1,		/* read one case, not all */
	RIGHT_TIGHTEN = 1 << 2,		/* halt, freeze, deny, revoke, limits
					 * down, IP lists narrower */
	RIGHT_RELEASE = 1 << 3,		/* up to the operator's own amount a
					 * day, all his releases together */
	RIGHT_RELEASE_ANY = 1 << 4,
	RIGHT_LOOSEN = 1 << 5,		/* one of M: resume, policy, limits
					 * up, keys, unfreeze, deposits */
	RIGHT_OPERATORS = 1 << 6,	/* propose and approve operators */
	RIGHT_SIGNER = 1 << 7,		/* the signer's ceilings */
};

/* The roles of the manual, each a set of rights. */
struct role {
	const char	*name;
	uint32_t	 rights;
};
#define ROLES_COUNT	6
/* support, reviewer, lead, on-call, custodian, auditor */
extern const struct role roles[ROLES_COUNT];

/* "lead,custodian" as rights; false: there is no such role. */
bool rights_of(uint32_t *out, struct text names);
/* The names of the roles whose rights are all in the set; `buf` holds
 * RIGHTS_TEXT_MAX. */
#define RIGHTS_TEXT_MAX	96
char *rights_text(char *buf, uint32_t rights);

/* Roles of a key of the exchange's door. */
enum door_role {
	DOOR_FEED = 1 << 0,
	DOOR_DECIDE = 1 << 1,
	DOOR_REPORT = 1 << 2,
	DOOR_READ = 1 << 3,
	DOOR_TIGHTEN = 1 << 4,
};
bool door_roles_of(uint32_t *out, struct text names);
char *door_roles_text(char *buf, uint32_t set);

#endif
