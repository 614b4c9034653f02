/*
 * drawbridge master: the key that secrets are sealed under.
 *
 * auth/rekey.h says how it is changed and what happens when something dies
 * on the way: whatever it is, running this again ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/apikey.h"
#include "auth/vault.h"
#include "cli/acting.h"
#include "cli/commands.h"
#include "lib/secret.h"

#define PATH_LEN	400

struct rotation {
	char		 path[PATH_LEN];
	char		 next[PATH_LEN + 4];
	struct service	*s;
	unsigned char	 sealed[APIKEY_MAX + VAULT_OVERHEAD];
	size_t		 sealed_len;
	int64_t		 done;
};

static enum rc
call(struct rotation *r, struct message *ask, struct err *e)
{
	struct message	 got;

	if (service_call(r->s, ask, &got, e) != RC_OK)
		return RC_FAILED;
	if (got.status != 200)
		return err_set(e, "%.*s", (int)got.reason.len,
		    got.reason.p != NULL ? got.reason.p : "");
	r->done = got.number;
	return RC_OK;
}

/* The new line, sealed under the old key. */
static enum rc
seal(struct rotation *r, struct err *e)
{
	const struct vault_about	 about = { .kind = VAULT_KEY,
		.account = text_of(VAULT_NEXT_ACCOUNT),
		.key = text_of(VAULT_NEXT_KEY) };
	struct vault			*v = NULL;
	char				 where[PATH_LEN + 8];
	char				*line = secret_new(APIKEY_MAX);
	struct text			 t = { line, 0 };
	ssize_t				 n = -1;
	enum rc				 rc = RC_OK;
	int				 fd;

	if (line == NULL)
		return err_set(e, "no locked memory");
	if ((fd = open(r->next, O_RDONLY | O_CLOEXEC)) != -1) {
		n = read(fd, line, APIKEY_MAX);
		(void)close(fd);
	}
	while (n > 0 && line[n - 1] == '\n')
		n--;
	t.len = n > 0 ? (size_t)n : 0;
	(void)snprintf(where, sizeof(where), "file:%s", r->path);
	if (apikey_check(t) != APIKEY_MASTER)
		rc = err_set(e, "%s: not a master key", r->next);
	else if ((rc = vault_new(&v, where, NULL, text_of(NULL), e)) ==
	    RC_OK) {
		vault_seal(v, r->sealed, (unsigned char *)line, t.len,
		    &about);
		r->sealed_len = t.len + VAULT_OVERHEAD;
	}
	vault_free(&v);
	secret_free(line, APIKEY_MAX);
	return rc;
}

/* Of whoever the old one is, so that the service may read it. */
static enum rc
make(struct rotation *r, struct err *e)
{
	struct stat	 st;

	if (stat(r->path, &st) == -1)
		return err_set(e, "%s: %s", r->path, strerror(errno));
	if (access(r->next, F_OK) == 0)
		return RC_OK;
	if (vault_make_file(r->next, e) != RC_OK)
		return RC_FAILED;
	if (chown(r->next, st.st_uid, st.st_gid) == 0)
		return RC_OK;
	(void)err_set(e, "%s: %s", r->next, strerror(errno));
	(void)unlink(r->next);
	return RC_FAILED;
}

static enum rc
put_in_place(const struct rotation *r, struct err *e)
{
	char	 folder[PATH_LEN];
	char	*slash;
	int	 fd;

	(void)snprintf(folder, sizeof(folder), "%s", r->path);
	slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[1] = '\0';
	if (rename(r->next, r->path) == -1)
		return err_set(e, "%s: %s", r->path, strerror(errno));
	fd = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);
	if (fd == -1 || fsync(fd) == -1)
		(void)err_set(e, "%s: %s", folder, strerror(errno));
	if (fd != -1)
		(void)close(fd);
	return RC_OK;
}

static enum rc
rotate(struct rotation *r, struct err *e)
{
	struct message	 ask;
	struct err	 drop;
	enum rc		 rc;

	/* One that ended but for its last step. */
	message_clear(&ask, MESSAGE_REKEY, 0);
	ask.number = 1;
	if (access(r->next, F_OK) != 0)
		(void)call(r, &ask, &drop);
	if ((rc = make(r, e)) != RC_OK || (rc = seal(r, e)) != RC_OK)
		return rc;
	message_clear(&ask, MESSAGE_REKEY, 0);
	ask.body.p = (const char *)r->sealed;
	ask.body.len = r->sealed_len;
	if ((rc = call(r, &ask, e)) != RC_OK)
		return rc;
	(void)printf("%jd secrets are sealed under the new master key\n",
	    (intmax_t)r->done);
	if ((rc = put_in_place(r, e)) != RC_OK)
		return rc;
	(void)printf("%s holds it; the old one is gone\n", r->path);
	message_clear(&ask, MESSAGE_REKEY, 0);
	ask.number = 1;
	return call(r, &ask, e);
}

int
cmd_master(int argc, char **argv)
{
	static struct rotation	 r;
	static const struct option names[] = {
		{ "file", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	const char		*file = NULL;
	struct err		 e;
	enum rc			 rc;
	int			 option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option != 'f')
			return usage("master");
		file = optarg;
	}
	if (argc - optind != 1 || strcmp(argv[optind], "rotate") != 0)
		return usage("master");
	if ((rc = secret_begin(&e)) == RC_OK)
		rc = service_open(&r.s, &e);
	if (rc == RC_OK) {
		(void)snprintf(r.path, sizeof(r.path), "%s%s", file != NULL ?
		    file : service_data(r.s), file != NULL ? "" :
		    "/master.key");
		(void)snprintf(r.next, sizeof(r.next), "%s.new", r.path);
		rc = rotate(&r, &e);
	}
	service_close(&r.s);
	return rc == RC_OK ? STATUS_DONE : acting_failed("master rotate",
	    &e);
}
