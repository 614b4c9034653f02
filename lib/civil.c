#include "lib/civil.h"

#include <inttypes.h>
#include <stdio.h>

void
civil_date(int64_t days, int *year_out, int *month_out, int *day_out)
{
	int64_t	 z = days + 719468;
	int64_t	 era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t	 doe = z - era * 146097;
	int64_t	 yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t	 doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t	 mp = (5 * doy + 2) / 153;

	*day_out = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month_out = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year_out = (int)(yoe + era * 400 + (*month_out <= 2));
}

bool
civil_days(int64_t *days_out, int year, int month, int day)
{
	int64_t	 y = month <= 2 ? year - 1 : year;
	int64_t	 era = (y >= 0 ? y : y - 399) / 400;
	int64_t	 yoe = y - era * 400;
	int64_t	 doy, days;
	int	 ry, rm, rd;

	if (month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
	civil_date(days, &ry, &rm, &rd);
	if (ry != year || rm != month || rd != day)
		return false;
	*days_out = days;
	return true;
}

char *
civil_format(char buf[CIVIL_TEXT_MAX], int64_t t_ms)
{
	int64_t	 days = t_ms / MS_PER_DAY, s;
	int	 y, m, d;

	if (t_ms < 0 || t_ms > INT64_C(253402300799999)) {
		(void)snprintf(buf, CIVIL_TEXT_MAX, "%" PRId64 "ms", t_ms);
		return buf;
	}
	s = t_ms % MS_PER_DAY / MS_PER_S;
	civil_date(days, &y, &m, &d);
	(void)snprintf(buf, CIVIL_TEXT_MAX, "%04d-%02d-%02d %02d:%02d:%02d",
	    y, m, d, (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
	return buf;
}

char *
duration_format(char buf[CIVIL_TEXT_MAX], int64_t ms)
{
	static const struct {
		int64_t		 ms;
		const char	*name;
	} units[] = { { MS_PER_DAY, "d" }, { MS_PER_HOUR, "h" },
		{ MS_PER_MIN, "m" }, { MS_PER_S, "s" } };
	int64_t	 next;
	int	 i;

	for (i = 0; i < 3 && ms < units[i].ms; i++)
		continue;
	next = i < 3 ? ms % units[i].ms / units[i + 1].ms : 0;
	if (next > 0)
		(void)snprintf(buf, CIVIL_TEXT_MAX,
		    "%" PRId64 "%s %" PRId64 "%s", ms / units[i].ms,
		    units[i].name, next, units[i + 1].name);
	else
		(void)snprintf(buf, CIVIL_TEXT_MAX, "%" PRId64 "%s",
		    ms / units[i].ms, units[i].name);
	return buf;
}
