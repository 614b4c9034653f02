/* Amounts from outside: what is taken is in range and goes there and back. */
#include <stdlib.h>
#include <string.h>

#include "lib/amount.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char		 text[AMOUNT_TEXT_MAX];
	struct err	 e;
	int64_t		 sat = -1, back = -1;

	e.text[0] = '\0';
	if (amount_parse(&sat, (const char *)data, size, &e) != RC_OK) {
		if (sat != -1 || e.text[0] == '\0')
			abort();
		return 0;
	}
	if (sat < 0 || sat > AMOUNT_SAT_MAX)
		abort();
	(void)amount_format(text, sat);
	if (amount_parse(&back, text, strlen(text), NULL) != RC_OK ||
	    back != sat)
		abort();
	(void)amount_format_short(text, sat);
	return 0;
}
