/*
 * The service's configuration: what is taken is sound, and its canonical text
 * gives the same configuration and itself.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char	 once[65536], twice[65536];
	struct config	 c, back;
	struct err	 e = { "" };
	char		*copy = malloc(size + (size == 0));
	int		 n;

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	if (config_parse(&c, "f", copy, size, &e) != RC_OK) {
		if (strncmp(e.text, "f:", 2) != 0)
			abort();
		free(copy);
		return 0;
	}
	free(copy);
	if (!config_sound(&c) ||
	    (n = config_print(&c, once, sizeof(once))) < 0)
		abort();
	if (config_parse(&back, "f", once, (size_t)n, &e) != RC_OK ||
	    memcmp(&c, &back, sizeof(c)) != 0 ||
	    config_print(&back, twice, sizeof(twice)) != n ||
	    memcmp(once, twice, (size_t)n) != 0)
		abort();
	return 0;
}
