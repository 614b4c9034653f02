/*
 * Keys, the leak finder, recovery codes and the tokens of links, all from
 * outside.  Nobody makes up a token or a blob that is taken.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/apikey.h"
#include "auth/links.h"
#include "auth/recovery.h"
#include "auth/vault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vault	*vault;
static unsigned char	 record[RECOVERY_LEN];

static void
begin(void)
{
	char	 codes[RECOVERY_COUNT][RECOVERY_CODE_MAX];
	char	 folder[] = "/tmp/fuzz-apikey-XXXXXX", path[64], where[80];

	if (sodium_init() < 0 || mkdtemp(folder) == NULL)
		abort();
	(void)snprintf(path, sizeof(path), "%s/key", folder);
	(void)snprintf(where, sizeof(where), "file:%s", path);
	if (vault_make_file(path, NULL) != RC_OK || vault_new(&vault, where,
	    NULL, text_of(NULL), NULL) != RC_OK)
		abort();
	(void)unlink(path);
	(void)rmdir(folder);
	recovery_make(record, codes);
}

/* Each that is found is one, and stands alone. */
static void
find(struct text s)
{
	size_t	 at = 0, len = 0;

	while (apikey_find(s, &at, &len) != APIKEY_NONE) {
		if (at + len > s.len || apikey_check((struct text){
		    s.p + at, len }) == APIKEY_NONE)
			abort();
		at += len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct vault_about	 about = { VAULT_TOTP, { "a", 1 },
	    { NULL, 0 }, 1 };
	struct text			 s = { (const char *)data, size };
	struct links_token		 t;
	unsigned char			*plain;
	size_t				 at = 0, len = 0;

	if (vault == NULL)
		begin();
	if (apikey_check(s) != APIKEY_NONE &&
	    (apikey_find(s, &at, &len) == APIKEY_NONE || len != size))
		abort();
	find(s);
	if (links_check(&t, vault, s, 0, NULL) == RC_OK ||
	    recovery_check(record, sizeof(record), s) != -1)
		abort();
	if ((plain = malloc(size + 1)) == NULL)
		abort();
	if (vault_open(vault, plain, data, size, &about, NULL) == RC_OK)
		abort();
	free(plain);
	(void)recovery_check(data, size, text_of("aaaa-aaaa-aaaa-aaaa"));
	(void)recovery_left(data, size);
	return 0;
}
