/*
 * auth makes the secrets and seals them; they are shown here, once, after
 * what is sealed is in the journal.
 */
#include "cli/factor.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "lib/qr.h"

#define SHOWN_MAX	1024

/* What auth made: gone from its answer with the next call. */
struct made {
	enum secret_kind kind;
	unsigned char	 blob[COMMAND_BLOB_MAX];
	size_t		 len;
	int64_t		 version;
	char		 shown[SHOWN_MAX];
};

static enum rc
prepare(struct made *m, struct service *s, enum secret_kind kind,
    enum endpoint what, const char *account, const char *body, struct err *e)
{
	struct message	 ask, got;

	message_clear(&ask, MESSAGE_PREPARE, 0);
	ask.endpoint = what;
	ask.account = text_of(account);
	ask.body = text_of(body);
	if (service_call(s, &ask, &got, e) != RC_OK)
		return RC_FAILED;
	if (got.status != 200)
		return err_set(e, "%.*s", (int)got.reason.len,
		    got.reason.p != NULL ? got.reason.p : "");
	if (got.open.p == NULL || got.open.len > sizeof(m->blob) ||
	    got.body.len >= sizeof(m->shown))
		return err_set(e, "the service gave no sealed secret");
	m->kind = kind;
	m->len = got.open.len;
	memcpy(m->blob, got.open.p, got.open.len);
	m->version = got.number;
	if (got.body.len > 0)
		memcpy(m->shown, got.body.p, got.body.len);
	m->shown[got.body.len] = '\0';
	return RC_OK;
}

static enum rc
put(struct service *s, const struct acting *a, const struct made *m,
    const char *account, bool *waiting, struct err *e)
{
	struct command	 c;
	bool		 waits = false;
	enum rc		 rc;

	command_clear(&c, COMMAND_SECRET, 0);
	c.account = text_of(account);
	c.secret = m->kind;
	c.step = m->version;
	if (m->len > 0) {
		c.blob.p = (const char *)m->blob;
		c.blob.len = m->len;
	}
	rc = service_act(s, &c, &a->act, &waits, NULL, e);
	*waiting = *waiting || waits;
	return rc;
}

/* To the policy it is a change of credentials. */
static enum rc
change(struct service *s, const struct acting *a, const char *account,
    enum credential what, struct err *e)
{
	struct command	 c;
	bool		 waits;

	command_clear(&c, COMMAND_SECURITY_CHANGE, 0);
	c.account = text_of(account);
	c.what = what;
	return service_act(s, &c, &a->act, &waits, NULL, e);
}

/* Pictures */

static enum rc
write_file(const char *path, const void *p, size_t len, struct err *e)
{
	int	 fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool	 good;

	if (fd == -1)
		return err_set(e, "%s: %s", path, strerror(errno));
	good = write(fd, p, len) == (ssize_t)len;
	if (close(fd) == 0 && good)
		return RC_OK;
	(void)unlink(path);
	return err_set(e, "%s: cannot be written", path);
}

static bool
ends_in(const char *path, const char *with)
{
	size_t	 a = strlen(path), b = strlen(with);

	return a > b && strcmp(path + a - b, with) == 0;
}

static enum rc
draw(const char *path, const char *uri, struct err *e)
{
	unsigned char	*png = NULL;
	char		*svg = NULL;
	size_t		 len = 0;
	enum rc		 rc;

	if (ends_in(path, ".png")) {
		rc = qr_png(&png, &len, text_of(uri), e);
		if (rc == RC_OK)
			rc = write_file(path, png, len, e);
		qr_wipe(png, len);
		return rc;
	}
	if ((rc = qr_svg(&svg, text_of(uri), e)) == RC_OK) {
		len = strlen(svg);
		rc = write_file(path, svg, len, e);
	}
	qr_wipe(svg, len);
	return rc;
}

static void
draw_here(const char *uri)
{
	char		*text = NULL;
	struct err	 e;

	if (!isatty(STDOUT_FILENO) || qr_terminal(&text, text_of(uri),
	    QR_BLOCKS, &e) != RC_OK)
		return;
	(void)fputs(text, stdout);
	qr_wipe(text, strlen(text));
}

/* Showing */

static void
show_json(const struct factor_ask *ask, const char *uri, char *codes,
    bool waiting)
{
	json_t	*j = json_object(), *list = json_array();
	char	*save = NULL, *p;

	for (p = strtok_r(codes, "\n", &save); p != NULL;
	    p = strtok_r(NULL, "\n", &save))
		(void)json_array_append_new(list, json_string(p));
	(void)json_object_set_new(j, "account", json_string(ask->account));
	(void)json_object_set_new(j, "uri", json_string(uri));
	(void)json_object_set_new(j, "recovery", list);
	if (waiting)
		(void)json_object_set_new(j, "waiting", json_true());
	acting_print(j);
	json_decref(j);
}

static void
show(const struct acting *a, const struct factor_ask *ask, struct made *totp,
    struct made *recovery, bool waiting)
{
	if (a->json) {
		show_json(ask, totp->shown, recovery->shown, waiting);
		return;
	}
	if (ask->qr == NULL)
		draw_here(totp->shown);
	(void)printf("%s\n\nRecovery codes, each good once:\n%s\nThey are "
	    "shown this once.\n", totp->shown, recovery->shown);
	if (waiting)
		(void)puts("They are good once the proposals are done.");
}

/* Commands */

static enum rc
enrol(struct service *s, const struct acting *a, const struct factor_ask *ask,
    struct made *totp, struct made *recovery, bool *waiting, struct err *e)
{
	enum rc	 rc;

	if ((rc = prepare(totp, s, SECRET_TOTP, ENDPOINT_SELF_TOTP,
	    ask->account, NULL, e)) != RC_OK ||
	    (rc = prepare(recovery, s, SECRET_RECOVERY,
	    ENDPOINT_SELF_TOTP_CONFIRM, ask->account, NULL, e)) != RC_OK)
		return rc;
	/* The picture first: a file that cannot be written spoils nothing. */
	if (ask->qr != NULL && (rc = draw(ask->qr, totp->shown, e)) != RC_OK)
		return rc;
	if ((rc = change(s, a, ask->account, CREDENTIAL_2FA, e)) == RC_OK &&
	    (rc = put(s, a, recovery, ask->account, waiting, e)) == RC_OK)
		rc = put(s, a, totp, ask->account, waiting, e);
	return rc;
}

int
factor_totp(const struct acting *a, const struct factor_ask *ask)
{
	static struct made	 totp, recovery;
	struct service		*s = NULL;
	struct err		 e;
	bool			 waiting = false;
	enum rc			 rc;

	if (ask->qr != NULL && !ends_in(ask->qr, ".png") &&
	    !ends_in(ask->qr, ".svg")) {
		(void)err_set(&e, "--qr %s: a name ending in .svg or .png",
		    ask->qr);
		return acting_failed("account totp", &e);
	}
	totp.kind = SECRET_TOTP;
	recovery.kind = SECRET_RECOVERY;
	totp.version = recovery.version = -1;
	if ((rc = service_open(&s, &e)) == RC_OK && !ask->remove)
		rc = enrol(s, a, ask, &totp, &recovery, &waiting, &e);
	else if (rc == RC_OK && (rc = change(s, a, ask->account,
	    CREDENTIAL_2FA, &e)) == RC_OK && (rc = put(s, a, &totp,
	    ask->account, &waiting, &e)) == RC_OK)
		rc = put(s, a, &recovery, ask->account, &waiting, &e);
	service_close(&s);
	if (rc == RC_OK && !ask->remove)
		show(a, ask, &totp, &recovery, waiting);
	sodium_memzero(totp.shown, sizeof(totp.shown));
	sodium_memzero(recovery.shown, sizeof(recovery.shown));
	return rc != RC_OK ? acting_failed("account totp", &e) :
	    waiting ? STATUS_WAITING : STATUS_DONE;
}

int
factor_contact(const struct acting *a, const struct factor_ask *ask)
{
	static struct made	 m;
	struct service		*s = NULL;
	struct err		 e;
	char			 body[512];
	bool			 waiting = false;
	enum rc			 rc;

	if (ask->mail == NULL && ask->phone == NULL)
		return usage("account");
	(void)snprintf(body, sizeof(body), "%s\n%s", ask->mail != NULL ?
	    ask->mail : " ", ask->phone != NULL ? ask->phone : " ");
	if ((rc = service_open(&s, &e)) == RC_OK)
		rc = prepare(&m, s, SECRET_CONTACT, ENDPOINT_SELF_CONTACT,
		    ask->account, body, &e);
	if (rc == RC_OK && ask->mail != NULL)
		rc = change(s, a, ask->account, CREDENTIAL_EMAIL, &e);
	if (rc == RC_OK && ask->phone != NULL)
		rc = change(s, a, ask->account, CREDENTIAL_PHONE, &e);
	if (rc == RC_OK)
		rc = put(s, a, &m, ask->account, &waiting, &e);
	service_close(&s);
	return rc != RC_OK ? acting_failed("account contact", &e) :
	    waiting ? STATUS_WAITING : STATUS_DONE;
}
