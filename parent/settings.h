/*
 * The configuration as it stands: the file, read by a process without
 * rights, and what the command line says instead.
 *
 * drawbridged itself, which has all rights, opens the file and looks at none
 * of its bytes.  What comes back is a struct whose members are checked one
 * by one, or a reason.
 */
#ifndef PARENT_SETTINGS_H
#define PARENT_SETTINGS_H

#include "lib/config.h"
#include "lib/err.h"

struct settings {
	const char	*file;		/* NULL: DATA/drawbridged.conf or
					 * SETTINGS_FILE, if there is one */
	const char	*data;		/* NULL: as in the file */
	const char	*listen;
};
#define SETTINGS_FILE	"/etc/drawbridge/drawbridged.conf"

/* Errors in the file: NAME:LINE:COLUMN. */
enum rc settings_read(struct config *out, const struct settings *s,
    struct err *e) MUST_CHECK;
/* Which file that was; "" when there is none. */
const char *settings_file(const struct settings *s);

#endif
