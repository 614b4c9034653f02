/*
 * A bundle from a journal: what is no bundle is refused with a reason, what
 * loads gives the same bundle and the same hash again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy	*p = NULL;
	unsigned char	*again, hash[32], hash_again[32];
	struct err	 e = { "" };
	size_t		 len;
	char		 name[64];

	policy_bundle_hash(hash, data, size);
	if (policy_bundle_name(data, size, name, sizeof(name))[0] == '\0')
		abort();
	if (policy_load_bundle(&p, data, size, NULL, &e) != RC_OK) {
		if (p != NULL || e.text[0] == '\0')
			abort();
		return 0;
	}
	if (policy_bundle(&again, &len, p, &e) != RC_OK)
		abort();
	policy_bundle_hash(hash_again, again, len);
	if (len != size || memcmp(again, data, len) != 0 ||
	    memcmp(hash, hash_again, sizeof(hash)) != 0)
		abort();
	free(again);
	policy_free(&p);
	return 0;
}
