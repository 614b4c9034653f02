/*
 * The smallest test harness that serves: CHECK() reports and goes on, so
 * that one run shows everything that is wrong.  One program a subject;
 * check_done() is main's return value.
 */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int check_failed_count;
static int check_case_failed;
static const char *check_case_name;

static inline void
check_end_case(void)
{
	if (check_case_name == NULL)
		return;
	if (check_case_failed == 0)
		printf("ok %s\n", check_case_name);
	check_failed_count += check_case_failed != 0;
	check_case_name = NULL;
}

/* Begin a named case; the one before ends. */
static inline void
check_case(const char *name)
{
	check_end_case();
	check_case_name = name;
	check_case_failed = 0;
}

static inline int
check_done(void)
{
	check_end_case();
	fflush(stdout);
	return check_failed_count != 0;
}

static inline bool
check_that(bool good, const char *what, const char *file, int line)
{
	if (good)
		return true;
	/* One `not ok` a case, and what else is wrong with it. */
	if (check_case_failed == 0)
		printf("not ok %s: %s (%s:%d)\n",
		    check_case_name != NULL ? check_case_name : "?", what,
		    file, line);
	else if (check_case_failed < 10)
		printf("# and %s (%s:%d)\n", what, file, line);
	check_case_failed++;
	return false;
}

#define CHECK(expr)	check_that((expr), #expr, __FILE__, __LINE__)
#define CHECK_INT(got, want) do {					\
	long long got_ = (long long)(got), want_ = (long long)(want);	\
	if (!check_that(got_ == want_, #got " == " #want, __FILE__,	\
	    __LINE__))							\
		printf("#   got %lld, want %lld\n", got_, want_);	\
} while (0)
#define CHECK_STR(got, want) do {					\
	const char *got_ = (got), *want_ = (want);			\
	if (!check_that(strcmp(got_, want_) == 0, #got " == " #want,	\
	    __FILE__, __LINE__))					\
		printf("#   got  %s\n#   want %s\n", got_, want_);	\
} while (0)

#endif
