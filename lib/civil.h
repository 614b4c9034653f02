/*
 * Time as integers.
 *
 * A moment is an int64_t whose name ends in `_ms`: milliseconds since
 * 1970-01-01 00:00 UTC.  Nothing here reads a clock.  The civil calendar is
 * computed with Howard Hinnant's days_from_civil
 * (https://howardhinnant.github.io/date_algorithms.html).
 */
#ifndef LIB_CIVIL_H
#define LIB_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#define MS_PER_S	INT64_C(1000)
#define MS_PER_MIN	(60 * MS_PER_S)
#define MS_PER_HOUR	(60 * MS_PER_MIN)
#define MS_PER_DAY	(24 * MS_PER_HOUR)
#define MS_PER_WEEK	(7 * MS_PER_DAY)

/* Days since 1970-01-01 of a date; false when there is no such date. */
bool civil_days(int64_t *days_out, int year, int month, int day);

/* The date of a day number. */
void civil_date(int64_t days, int *year_out, int *month_out, int *day_out);

/* 0 to 23. */
static inline int
civil_hour(int64_t t_ms)
{
	return (int)(t_ms % MS_PER_DAY / MS_PER_HOUR);
}

/* 1 is Monday, 7 is Sunday; 1970-01-01 was a Thursday. */
static inline int
civil_weekday(int64_t t_ms)
{
	return (int)((t_ms / MS_PER_DAY + 3) % 7) + 1;
}

#define CIVIL_TEXT_MAX 32
/* "2019-05-07 17:15:24".  Returns buf. */
char *civil_format(char buf[CIVIL_TEXT_MAX], int64_t t_ms);

/* "90s", "6h", "1d 12h": at most two units, rounded down.  Returns buf. */
char *duration_format(char buf[CIVIL_TEXT_MAX], int64_t ms);

#endif
