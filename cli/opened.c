#include "cli/opened.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_ROOM	4096

const char *
opened_url(const char *url, char *buf, size_t room)
{
	const char	*data = getenv("DRAWBRIDGE_DATA");
	int		 n;

	if (url != NULL || data == NULL || *data == '\0')
		return url;
	n = snprintf(buf, room, "%s/journal.db", data);
	return n > 0 && (size_t)n < room ? buf : NULL;
}

enum rc
opened_new(struct opened *out, const char *url, bool need_keys,
    struct err *e)
{
	char		 buf[PATH_ROOM];
	const char	*path = opened_url(url, buf, sizeof(buf));
	uint64_t	 last;
	enum rc		 rc;

	memset(out, 0, sizeof(*out));
	if (path == NULL)
		return err_set(e, "which database? give --db PATH or set "
		    "DRAWBRIDGE_DATA");
	if ((rc = db_open(&out->db, path, DB_READ, e)) != RC_OK)
		return rc;
	/* Before the keyring, which has the key of every row up to there. */
	if ((rc = db_last(out->db, &last, e)) != RC_OK) {
		opened_free(out);
		return rc;
	}
	db_stop_at(out->db, last);
	if (need_keys || access(db_keyring_path(out->db), F_OK) == 0)
		rc = keyring_open(&out->keys, db_keyring_path(out->db),
		    false, e);
	if (rc != RC_OK)
		opened_free(out);
	return rc;
}

void
opened_free(struct opened *o)
{
	keyring_free(&o->keys);
	db_close(&o->db);
}
