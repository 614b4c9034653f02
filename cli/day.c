#include "cli/day.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/civil.h"

bool
day_parse(int64_t *ms_out, const char *text)
{
	int64_t	 days;
	int	 y, m, d, n = 0;

	if (strlen(text) != 10 || sscanf(text, "%4d-%2d-%2d%n", &y, &m, &d,
	    &n) != 3 || n != 10 || y < 1970 || !civil_days(&days, y, m, d))
		return false;
	*ms_out = days * MS_PER_DAY;
	return true;
}

bool
day_wait(int64_t *ms_out, const char *text)
{
	char	*end;

	*ms_out = strtoll(text, &end, 10);
	if (end == text || *ms_out < 0 || *ms_out > 10000)
		return false;
	if (strcmp(end, "h") == 0)
		*ms_out *= MS_PER_HOUR;
	else if (strcmp(end, "d") == 0)
		*ms_out *= MS_PER_DAY;
	else
		return *end == '\0' && *ms_out == 0;
	return true;
}

bool
day_or_event(int64_t *ms_out, uint64_t *seq_out, const char *text)
{
	uint64_t	 n;
	char		*end;

	if (day_parse(ms_out, text))
		return true;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' ||
	    n == 0)
		return false;
	*seq_out = n;
	return true;
}

char *
day_month(char buf[DAY_MONTH_MAX], uint32_t month)
{
	(void)snprintf(buf, DAY_MONTH_MAX, "%04" PRIu32 "-%02" PRIu32,
	    month / 12, month % 12 + 1);
	return buf;
}
