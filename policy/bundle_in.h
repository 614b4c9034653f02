/*
 * A bundle taken apart, as the loader reads from it.  Inside of policy/ only.
 */
#ifndef POLICY_BUNDLE_IN_H
#define POLICY_BUNDLE_IN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

struct bundle_file {
	char		*name;
	const char	*text;
	size_t		 len;
};

struct bundle {
	struct bundle_file *files;
	int		 n_files;
	int		 n_used;	/* the first so many were asked for */
};

/* The bytes are borrowed.  On failure there is nothing to close. */
enum rc bundle_open(struct bundle *b, const unsigned char *bytes, size_t len,
    struct err *e) MUST_CHECK;
void bundle_close(struct bundle *b);

/* The file that was opened as `name`.  Each must be asked for first when its
 * turn comes, so that one policy has one bundle. */
enum rc bundle_find(struct bundle *b, const char *name, const char **text,
    size_t *len, struct err *e) MUST_CHECK;
bool bundle_used_up(const struct bundle *b);

#endif
