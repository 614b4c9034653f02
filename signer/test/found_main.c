/*
 * For whole-program tests: founds a signer in a folder, from settings in a
 * file, with a seed that everybody knows.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bitcoin/curve.h"
#include "lib/secret.h"
#include "signer/found.h"

static int
make(const char *folder, const char *name)
{
	char	 path[4096];
	int	 fd;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	if ((fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600)) == -1)
		perror(path);
	return fd;
}

int
main(int argc, char *argv[])
{
	static struct sign_settings	 s;
	static char			 text[SIGN_SETTINGS_MAX + 1];
	unsigned char			 seed[SEED_LEN];
	struct text			 t = { text, 0 };
	struct err			 e;
	FILE				*f;
	int				 seed_fd, journal_fd;

	if (argc != 4) {
		(void)fputs("usage: signer-found DIR SETTINGS PASSPHRASE\n",
		    stderr);
		return 2;
	}
	if ((f = fopen(argv[2], "r")) == NULL)
		return 1;
	t.len = fread(text, 1, sizeof(text), f);
	(void)fclose(f);
	memset(seed, 7, sizeof(seed));
	if ((seed_fd = make(argv[1], "seed")) == -1 ||
	    (journal_fd = make(argv[1], "journal")) == -1)
		return 1;
	if (secret_begin(&e) != RC_OK || curve_begin(&e) != RC_OK ||
	    sign_settings_parse(&s, argv[2], t, &e) != RC_OK ||
	    signer_found(seed_fd, journal_fd, seed, text_of(argv[3]), &s, 100,
	    0, &e) != RC_OK) {
		(void)fprintf(stderr, "signer-found: %s\n", e.text);
		return 1;
	}
	return 0;
}
