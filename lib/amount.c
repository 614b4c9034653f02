#include "lib/amount.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum rc
amount_parse(int64_t *sat_out, const char *text, size_t len, struct err *e)
{
	int64_t	 sat = 0;
	size_t	 i = 0;
	int	 decimals = 0;

	if (len == 0)
		return err_set(e, "an amount may not be empty");
	if (text[0] == '-')
		return err_set(e, "an amount may not be negative");
	for (; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		sat = sat * 10 + (text[i] - '0');
		if (sat > AMOUNT_SAT_MAX / SAT_PER_BTC)
			return err_set(e, "more than 21,000,000 btc");
	}
	if (i == 0)
		return err_set(e, "an amount is a decimal number of btc");
	if (i < len && text[i] == '.') {
		for (i++; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
			if (++decimals > 8)
				return err_set(e,
				    "%zu decimals; a bitcoin has 8",
				    len - (i - 8));
			sat = sat * 10 + (text[i] - '0');
		}
		if (decimals == 0)
			return err_set(e, "no digit after the point");
	}
	if (i != len)
		return err_set(e, "an amount is a decimal number of btc");
	for (; decimals < 8; decimals++)
		sat *= 10;
	if (sat > AMOUNT_SAT_MAX)
		return err_set(e, "more than 21,000,000 btc");
	*sat_out = sat;
	return RC_OK;
}

char *
amount_format(char buf[AMOUNT_TEXT_MAX], int64_t sat)
{
	uint64_t	 u = sat < 0 ? 0 - (uint64_t)sat : (uint64_t)sat;

	(void)snprintf(buf, AMOUNT_TEXT_MAX, "%s%" PRIu64 ".%08" PRIu64,
	    sat < 0 ? "-" : "", u / SAT_PER_BTC, u % SAT_PER_BTC);
	return buf;
}

char *
amount_format_short(char buf[AMOUNT_TEXT_MAX], int64_t sat)
{
	uint64_t	 u = sat < 0 ? 0 - (uint64_t)sat : (uint64_t)sat;
	uint64_t	 whole = u / SAT_PER_BTC;
	char		 digits[24], frac[12];
	char		*p = buf;
	int		 n, i;

	if (sat < 0)
		*p++ = '-';
	n = snprintf(digits, sizeof(digits), "%" PRIu64, whole);
	for (i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	(void)snprintf(frac, sizeof(frac), ".%08" PRIu64, u % SAT_PER_BTC);
	for (n = 9; n > 0 && (frac[n - 1] == '0' || frac[n - 1] == '.'); n--)
		continue;
	if (n > 1) {
		memcpy(p, frac, (size_t)n);
		p += n;
	}
	*p = '\0';
	return buf;
}

enum rc
amount_add(int64_t *sum_out, int64_t a_sat, int64_t b_sat)
{
	int64_t	 sum;

	if (__builtin_add_overflow(a_sat, b_sat, &sum))
		return RC_FAILED;
	*sum_out = sum;
	return RC_OK;
}
