/*
 * What people carry between the engine and the signer.
 */
#include "cli/receipt_own.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "cli/acting.h"
#include "cli/commands.h"
#include "cli/signer.h"
#include "wire/sign.h"

#define FILE_MAX	4096

/* Asking */

static json_t *
ask(struct message *m, struct err *e)
{
	struct service	*s = NULL;
	json_t		*j = NULL;

	if (service_open(&s, e) == RC_OK)
		j = service_query(s, m, e);
	service_close(&s);
	return j;
}

static struct message
question(const char *what)
{
	struct message	 m;

	message_clear(&m, MESSAGE_CUSTODY, 0);
	m.name = text_of(what);
	return m;
}

static int
print_line(const char *text)
{
	return puts(text) >= 0 && fflush(stdout) == 0 ? STATUS_DONE :
	    STATUS_FAILED;
}

/* The newest head, into a file for --head of `drawbridge signer` */

/* Is what lies there older, or nothing? */
static enum rc
is_newer(bool *out, const struct sign_head *ours, const char *path,
    struct err *e)
{
	struct sign_head	 there;
	struct text		 t;
	char			*buf;
	enum rc			 rc;

	*out = true;
	if (access(path, F_OK) != 0)
		return errno == ENOENT ? RC_OK : err_set(e, "%s: %s", path,
		    strerror(errno));
	if ((rc = signer_read_file(&buf, &t.len, path, FILE_MAX, e)) != RC_OK)
		return rc;
	t.p = buf;
	/* One that was being made when the machine stopped. */
	if (t.len > 0 && (rc = err_wrap(e, signer_line_head(&there, t, e),
	    "%s", path)) == RC_OK)
		*out = ours->seq > there.seq;
	free(buf);
	return rc;
}

static enum rc
write_file(const char *path, const char *text, struct err *e)
{
	char	 beside[4096];
	bool	 ok;
	int	 fd;

	(void)snprintf(beside, sizeof(beside), "%s.new", path);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd == -1)
		return err_set(e, "%s: %s", beside, strerror(errno));
	ok = dprintf(fd, "%s\n", text) == (int)strlen(text) + 1 &&
	    fsync(fd) == 0;
	ok = close(fd) == 0 && ok && rename(beside, path) == 0;
	return ok ? RC_OK : err_set(e, "%s: %s", path, strerror(errno));
}

/* Under the lock that `drawbridge signer` takes. */
static enum rc
keep_head(const char *path, const char *text, struct err *e)
{
	struct sign_head	 ours;
	char			 lock[4096];
	bool			 newer;
	int			 fd;
	enum rc			 rc;

	if ((rc = signer_line_head(&ours, text_of(text), e)) != RC_OK)
		return rc;
	(void)snprintf(lock, sizeof(lock), "%s.lock", path);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd == -1 || flock(fd, LOCK_EX) == -1) {
		(void)err_set(e, "%s: %s", lock, strerror(errno));
		if (fd != -1)
			(void)close(fd);
		return RC_FAILED;
	}
	rc = is_newer(&newer, &ours, path, e);
	if (rc == RC_OK && newer)
		rc = write_file(path, text, e);
	(void)close(fd);
	return rc;
}

static int
standing(const struct receipt_own *o)
{
	struct message	 m = question("standing");
	const char	*head, *text;
	struct err	 e;
	json_t		*j = ask(&m, &e);
	int		 status = STATUS_DONE;

	if (j == NULL)
		return acting_failed("receipt", &e);
	head = json_string_value(json_object_get(j, "head"));
	text = json_string_value(json_object_get(j, "standing"));
	if (o->head != NULL && head != NULL &&
	    keep_head(o->head, head, &e) != RC_OK)
		status = acting_failed("receipt", &e);
	else if (o->json)
		acting_print(j);
	else
		status = print_line(text != NULL ? text : "");
	json_decref(j);
	return status;
}

/* Receipts */

static int
issue(const struct receipt_own *o)
{
	bool		 burn = strcmp(o->what, "burn") == 0;
	struct message	 m = question(burn ? "burn" : "receipt");
	const char	*text;
	struct err	 e;
	json_t		*j;
	int		 status = STATUS_DONE;

	m.id = text_of(o->arg);
	if ((j = ask(&m, &e)) == NULL)
		return acting_failed("receipt", &e);
	text = json_string_value(json_object_get(j, "receipt"));
	if (text == NULL) {
		(void)err_set(&e, "%s: none can be given: it was not released "
		    "by the policy, or before the signer was known, and may "
		    "have one for another payer", o->arg);
		status = acting_failed("receipt", &e);
	} else if (o->json)
		acting_print(j);
	else
		status = print_line(text);
	json_decref(j);
	return status;
}

/* What the signer said */

static enum rc
read_word(unsigned char *out, size_t room, size_t *len, const char *path,
    struct err *e)
{
	size_t	 n;
	char	*buf;
	enum rc	 rc;

	if ((rc = signer_read_file(&buf, &n, path, FILE_MAX, e)) != RC_OK)
		return rc;
	while (n > 0 && strchr(" \t\r\n", buf[n - 1]) != NULL)
		n--;
	if (n == 0 || sodium_base642bin(out, room, buf, n, NULL, len, NULL,
	    sodium_base64_VARIANT_ORIGINAL) != 0)
		rc = err_set(e, "%s: not what a signer says, in base64", path);
	free(buf);
	return rc;
}

static void
say_head(const json_t *j)
{
	const char	*state = json_string_value(json_object_get(j,
	    "state"));
	json_int_t	 record = json_integer_value(json_object_get(j,
	    "record"));

	(void)printf("%s: the newest known is record %" JSON_INTEGER_FORMAT
	    "\n", state != NULL ? state : "?", record);
}

static void
say_burned(const json_t *j)
{
	const char	*id = json_string_value(json_object_get(j, "id"));

	(void)printf("%s%s: burned, and its money is back\n",
	    id != NULL ? id : "?", json_object_get(j, "seq") == NULL ?
	    " was done before" : "");
}

static int
bring(const struct receipt_own *o)
{
	unsigned char	 bytes[SIGN_BURNED_LEN];
	struct message	 m = question(o->what);
	struct err	 e;
	json_t		*j;

	m.body.p = (const char *)bytes;
	if (read_word(bytes, sizeof(bytes), &m.body.len, o->arg, &e) !=
	    RC_OK || (j = ask(&m, &e)) == NULL)
		return acting_failed("receipt", &e);
	if (o->json)
		acting_print(j);
	else if (strcmp(o->what, "head") == 0)
		say_head(j);
	else
		say_burned(j);
	json_decref(j);
	return STATUS_DONE;
}

/* Which */

static const struct {
	const char	*name;
	bool		 arg;
	bool		 head;
	int		(*run)(const struct receipt_own *o);
} kinds[] = {
	{ "standing", false, true, standing },
	{ "issue", true, false, issue },
	{ "burn", true, false, issue },
	{ "burned", true, false, bring },
	{ "head", true, false, bring },
	{ "behind", true, false, receipt_behind },
};
#define N_KINDS		(sizeof(kinds) / sizeof(kinds[0]))

static size_t
find(const struct receipt_own *o)
{
	size_t	 i;

	for (i = 0; i < N_KINDS; i++) {
		if (strcmp(kinds[i].name, o->what) == 0)
			break;
	}
	return i;
}

bool
receipt_own_knows(const struct receipt_own *o)
{
	size_t	 i = find(o);

	return i < N_KINDS && kinds[i].arg == (o->arg != NULL) &&
	    (o->head == NULL || kinds[i].head);
}

int
receipt_own_run(const struct receipt_own *o)
{
	return kinds[find(o)].run(o);
}
