#include "tests/check.h"

#include <stdlib.h>

#include "lib/err.h"
#include "lib/term.h"

static void
test_detection(void)
{
	struct term	 t;
	FILE		*f = tmpfile();

	check_case("a file is no terminal");
	(void)unsetenv("DRAWBRIDGE_COLOR");
	t = term_of(f);
	CHECK(!t.colour);
	CHECK_INT(t.columns, 80);
	CHECK_STR(term_style(&t, STYLE_BAD), "");
	check_case("colours can be forced, and NO_COLOR is stronger");
	(void)setenv("DRAWBRIDGE_COLOR", "always", 1);
	(void)unsetenv("NO_COLOR");
	CHECK(term_of(f).colour);
	(void)setenv("NO_COLOR", "1", 1);
	CHECK(!term_of(f).colour);
	(void)setenv("NO_COLOR", "", 1);
	CHECK(term_of(f).colour);
	check_case("UTF-8 by the first locale variable that is set");
	(void)setenv("LC_ALL", "C", 1);
	(void)setenv("LANG", "en_GB.UTF-8", 1);
	CHECK(!term_of(f).utf8);
	(void)setenv("LC_ALL", "", 1);
	(void)unsetenv("LC_CTYPE");
	CHECK(term_of(f).utf8);
	(void)fclose(f);
}

static void
test_safe(void)
{
	struct term	 ascii = { false, false, 80 };
	struct term	 utf8 = { false, true, 80 };
	char		 b[64];

	check_case("text from outside cannot command the terminal");
	CHECK_STR(term_safe(&utf8, b, sizeof(b), "a\033[2Jb\r\n\x7f", 9),
	    "a?[2Jb???");
	CHECK_STR(term_safe(&utf8, b, sizeof(b), "\xc3\xa9\xc2\x9bm", 5),
	    "\xc3\xa9\xc2?m");
	CHECK_STR(term_safe(&ascii, b, sizeof(b), "\xc3\xa9", 2), "??");
	CHECK_STR(term_safe(&ascii, b, 3, "abcdef", 6), "ab");
}

static void
test_bar(void)
{
	struct term	 ascii = { false, false, 80 };
	struct term	 utf8 = { false, true, 80 };
	char		 b[64];

	check_case("bars");
	CHECK_STR(term_bar(&ascii, b, 10, 0, 100), "");
	CHECK_STR(term_bar(&ascii, b, 10, 50, 100), "#####");
	CHECK_STR(term_bar(&ascii, b, 10, 1, 1000000), "#");
	CHECK_STR(term_bar(&ascii, b, 10, 200, 100), "##########");
	CHECK_STR(term_bar(&utf8, b, 2, 100, 100), "\u2588\u2588");
	CHECK_STR(term_bar(&utf8, b, 2, 50, 100), "\u2588");
	CHECK_STR(term_bar(&utf8, b, 2, 75, 100), "\u2588\u258c");
	CHECK_STR(term_bar(&utf8, b, 2, 1, 1000000), "\u258f");
	CHECK_STR(term_bar(&utf8, b, 10, 5, 0), "\u258f");
}

static void
test_err(void)
{
	struct err	 e;
	char		 big[3000];

	check_case("reasons gain clauses in front");
	CHECK(err_set(&e, "output %d repeated", 1) == RC_FAILED);
	CHECK(err_wrap(&e, RC_FAILED, "withdrawal %d", 7) == RC_FAILED);
	CHECK_STR(e.text, "withdrawal 7: output 1 repeated");
	CHECK(err_wrap(&e, RC_OK, "unused") == RC_OK);
	CHECK_STR(e.text, "withdrawal 7: output 1 repeated");
	CHECK(err_wrap(&e, RC_UNCERTAIN, "x") == RC_UNCERTAIN);
	CHECK(err_set(NULL, "nobody listens") == RC_FAILED);
	CHECK(err_wrap(NULL, RC_FAILED, "nobody") == RC_FAILED);
	check_case("a reason too long is cut");
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	(void)err_set(&e, "%s", big);
	CHECK_INT(strlen(e.text), sizeof(e.text) - 1);
	(void)err_wrap(&e, RC_FAILED, "front");
	CHECK(strncmp(e.text, "front: xxx", 10) == 0);
	CHECK_INT(strlen(e.text), sizeof(e.text) - 1);
}

int
main(void)
{
	test_detection();
	test_safe();
	test_bar();
	test_err();
	return check_done();
}
