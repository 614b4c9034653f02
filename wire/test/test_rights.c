/*
 * Roles and rights.
 */
#include "wire/rights.h"

#include <string.h>

#include "tests/check.h"

static uint32_t
rights(const char *names)
{
	uint32_t	 set = 12345;

	return rights_of(&set, text_of(names)) ? set : UINT32_MAX;
}

static uint32_t
door(const char *names)
{
	uint32_t	 set = 12345;

	return door_roles_of(&set, text_of(names)) ? set : UINT32_MAX;
}

static void
test_roles(void)
{
	char		 buf[RIGHTS_TEXT_MAX];
	uint32_t	 all = 0, back;
	size_t		 i;

	check_case("every role by its name");
	for (i = 0; i < ROLES_COUNT; i++) {
		CHECK(roles[i].rights != 0);
		CHECK_INT(rights(roles[i].name), roles[i].rights);
		all |= roles[i].rights;
	}
	CHECK_INT(rights("lead,custodian"), rights("lead") |
	    rights("custodian"));
	/* Nobody has a bit that no role gives. */
	CHECK((all & RIGHT_LOOSEN) != 0 && (all & RIGHT_SIGNER) != 0);

	check_case("what is no role");
	CHECK_INT(rights("king"), UINT32_MAX);
	CHECK_INT(rights("lead,"), UINT32_MAX);
	CHECK_INT(rights(",lead"), UINT32_MAX);
	CHECK_INT(rights("Lead"), UINT32_MAX);
	CHECK_INT(rights("lead custodian"), UINT32_MAX);
	CHECK_INT(rights("lea"), UINT32_MAX);

	check_case("what roles may not");
	CHECK((rights("auditor") & ~(uint32_t)(RIGHT_READ | RIGHT_CASE)) ==
	    0);
	CHECK((rights("on-call") & (RIGHT_RELEASE | RIGHT_RELEASE_ANY |
	    RIGHT_LOOSEN | RIGHT_OPERATORS | RIGHT_SIGNER)) == 0);
	CHECK((rights("support") & ~(uint32_t)RIGHT_CASE) == 0);
	CHECK((rights("reviewer") & (RIGHT_RELEASE_ANY | RIGHT_LOOSEN)) ==
	    0);

	check_case("as text, and back");
	for (i = 0; i < ROLES_COUNT; i++) {
		CHECK(strlen(rights_text(buf, roles[i].rights)) <
		    RIGHTS_TEXT_MAX);
		CHECK(strstr(buf, roles[i].name) != NULL);
		CHECK(rights_of(&back, text_of(buf)) &&
		    back == roles[i].rights);
	}
	CHECK(strlen(rights_text(buf, UINT32_MAX)) < RIGHTS_TEXT_MAX);
}

static void
test_door(void)
{
	char		 buf[RIGHTS_TEXT_MAX];
	uint32_t	 set, back;

	check_case("roles of the exchange's door");
	CHECK_INT(door("decide"), DOOR_DECIDE);
	CHECK_INT(door("feed,read"), DOOR_FEED | DOOR_READ);
	CHECK_INT(door("pay"), UINT32_MAX);
	for (set = 1; set < 32; set++) {
		CHECK(door_roles_of(&back, text_of(door_roles_text(buf,
		    set))));
		CHECK_INT(back, set);
	}
}

int
main(void)
{
	test_roles();
	test_door();
	return check_done();
}
