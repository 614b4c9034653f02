/*
 * Asking the running signer, and keeping the newest head it gave (C4): who
 * holds that file and sends it along notices when the signer's journal is an
 * older one.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/signer.h"
#include "lib/term.h"
#include "link/dial.h"

#define HEAD_TEXT	sodium_base64_ENCODED_LEN(SIGN_HEAD_LEN,	\
			    sodium_base64_VARIANT_ORIGINAL)

struct signer_line {
	const struct signer_options *o;
	struct dial	*dial;
	char		 where[4096];
	/* What the file of --head has. */
	bool		 has_known;
	struct sign_head known;
	unsigned char	 known_bytes[SIGN_HEAD_LEN];
	/* The signer's key, when its public file is at hand. */
	bool		 has_key;
	struct signer_public public;
};

/* Heads */

enum rc
signer_line_head(struct sign_head *out, struct text t, struct err *e)
{
	unsigned char	 bytes[SIGN_HEAD_LEN];
	size_t		 len = 0;

	while (t.len > 0 && strchr(" \t\r\n", t.p[t.len - 1]) != NULL)
		t.len--;
	if (sodium_base642bin(bytes, sizeof(bytes), t.p, t.len, NULL, &len,
	    NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    len != SIGN_HEAD_LEN)
		return err_set(e, "not a signer's head");
	sign_head_unpack(out, bytes);
	return RC_OK;
}

/* The file, if there is one. */
static enum rc
read_head(struct sign_head *out, bool *there, const char *path,
    struct err *e)
{
	struct text	 t;
	char		*buf;
	enum rc		 rc;

	*there = access(path, F_OK) == 0;
	if (!*there)
		return errno == ENOENT ? RC_OK : err_set(e, "%s: %s", path,
		    strerror(errno));
	rc = signer_read_file(&buf, &t.len, path, 1024, e);
	if (rc != RC_OK)
		return rc;
	t.p = buf;
	/* One that was being made when the machine stopped. */
	*there = t.len > 0;
	if (*there)
		rc = err_wrap(e, signer_line_head(out, t, e), "%s", path);
	free(buf);
	return rc;
}

static enum rc
write_head(const char *path, const struct sign_head *h, struct err *e)
{
	unsigned char	 bytes[SIGN_HEAD_LEN];
	char		 text[HEAD_TEXT + 1], beside[4096];
	size_t		 len;
	bool		 ok;
	int		 fd;

	sign_head_pack(h, bytes);
	(void)sodium_bin2base64(text, sizeof(text), bytes, sizeof(bytes),
	    sodium_base64_VARIANT_ORIGINAL);
	len = strlen(text);
	text[len++] = '\n';
	(void)snprintf(beside, sizeof(beside), "%s.new", path);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd == -1)
		return err_set(e, "%s: %s", beside, strerror(errno));
	ok = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
	ok = close(fd) == 0 && ok && rename(beside, path) == 0;
	return ok ? RC_OK : err_set(e, "%s: %s", path, strerror(errno));
}

/* Is it newer than what is there by now?  Under a lock: two who ask at the
 * same time leave the newer one. */
static enum rc
keep_head(const struct signer_line *l, const struct sign_head *h,
    struct err *e)
{
	struct sign_head	 there;
	char			 path[4096];
	bool			 has;
	int			 lock;
	enum rc			 rc;

	(void)snprintf(path, sizeof(path), "%s.lock", l->o->head);
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (lock == -1 || flock(lock, LOCK_EX) == -1) {
		(void)err_set(e, "%s: %s", path, strerror(errno));
		if (lock != -1)
			(void)close(lock);
		return RC_FAILED;
	}
	rc = read_head(&there, &has, l->o->head, e);
	if (rc == RC_OK && (!has || h->seq > there.seq ||
	    (h->seq == there.seq && h->height >= there.height)))
		rc = write_head(l->o->head, h, e);
	(void)close(lock);
	return rc;
}

/* Of an answer: ours, and signed, as far as that can be known here. */
static enum rc
take_head(struct signer_line *l, struct text t, struct err *e)
{
	struct sign_head	 h;

	if (t.p == NULL)
		return RC_OK;
	sign_head_unpack(&h, (const unsigned char *)t.p);
	if (l->has_key && !sign_head_verify(&h, l->public.key))
		return err_set(e, "the answer's head is not of this signer");
	if (l->has_known && (memcmp(h.signer, l->known.signer, 16) != 0 ||
	    memcmp(h.deployment, l->known.deployment, 16) != 0))
		return err_set(e, "%s is the head of another signer",
		    l->o->head);
	return l->o->head != NULL ? keep_head(l, &h, e) : RC_OK;
}

/* The line */

static enum rc
find(struct signer_line *l, struct dial_config *c, bool custodian,
    struct err *e)
{
	const struct signer_options	*o = l->o;

	if (o->host != NULL) {
		if (o->pin == NULL || o->identity == NULL)
			return err_set(e, "--host needs --pin HEX, the "
			    "relay's, and --identity FILE, our own");
		c->where = o->host;
		c->pin = o->pin;
		c->identity = o->identity;
		return RC_OK;
	}
	if (o->data == NULL)
		return err_set(e, "where is the signer?  --data DIR (or "
		    "DRAWBRIDGE_SIGNER), or --host HOST:PORT");
	(void)snprintf(l->where, sizeof(l->where), "%s/%s.sock", o->data,
	    custodian ? "custodian" : "signer");
	c->where = l->where;
	return RC_OK;
}

enum rc
signer_line_open(struct signer_line **out, const struct signer_options *o,
    bool custodian, struct err *e)
{
	struct dial_config	 c = { .where = NULL };
	struct signer_line	*l = calloc(1, sizeof(*l));
	struct err		 drop;

	*out = NULL;
	if (l == NULL)
		return err_set(e, "no memory");
	l->o = o;
	if ((o->data != NULL || o->signer != NULL) &&
	    signer_public_find(&l->public, o, &drop) == RC_OK)
		l->has_key = true;
	if ((o->head != NULL && read_head(&l->known, &l->has_known, o->head,
	    e) != RC_OK) || find(l, &c, custodian, e) != RC_OK ||
	    err_wrap(e, dial_open(&l->dial, &c, e), "the signer (%s)",
	    c.where) != RC_OK) {
		signer_line_close(&l);
		return RC_FAILED;
	}
	if (l->has_known)
		sign_head_pack(&l->known, l->known_bytes);
	*out = l;
	return RC_OK;
}

void
signer_line_close(struct signer_line **l)
{
	if (*l != NULL)
		dial_close(&(*l)->dial);
	free(*l);
	*l = NULL;
}

enum rc
signer_line_ask(struct signer_line *l, struct sign_message *ask,
    struct sign_message *answer, struct err *e)
{
	enum rc	 rc;

	if (l->has_known) {
		ask->known.p = (const char *)l->known_bytes;
		ask->known.len = SIGN_HEAD_LEN;
	}
	rc = dial_call(l->dial, ask, answer, e);
	if (rc == RC_UNCERTAIN)
		return err_wrap(e, rc, "the signer may have done it: ask the "
		    "same again");
	if (rc != RC_OK)
		return err_wrap(e, rc, "the signer");
	if (answer->type != SIGN_DONE && answer->type != SIGN_REFUSED)
		return err_set(e, "the signer answers with `%s`",
		    sign_type_text(answer->type));
	return take_head(l, answer->head, e);
}

enum rc
signer_line_status(struct signer_line *l, struct text *out, struct err *e)
{
	struct sign_message	 ask, answer;

	sign_message_clear(&ask, SIGN_STATUS, 0);
	if (signer_line_ask(l, &ask, &answer, e) != RC_OK)
		return RC_FAILED;
	if (answer.type == SIGN_REFUSED || answer.body.p == NULL)
		return err_set(e, "the signer does not say its status: %s",
		    sign_refusal_meaning(answer.refusal));
	*out = answer.body;
	return RC_OK;
}

struct text
signer_line_value(struct text lines, const char *name)
{
	const char	*p = lines.p, *end = lines.p + lines.len, *nl;
	struct text	 v = { NULL, 0 };
	size_t		 len = strlen(name);

	for (; p != NULL && p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			nl = end;
		if ((size_t)(nl - p) <= len || memcmp(p, name, len) != 0 ||
		    p[len] != ' ')
			continue;
		v.p = p + len + 1;
		v.len = (size_t)(nl - v.p);
		break;
	}
	return v;
}

int
signer_line_refused(const struct signer_options *o,
    const struct sign_message *answer)
{
	static struct json	 j;
	struct term		 t = term_of(stderr);
	char			 reason[1024];
	const char		*word = sign_refusal_text(answer->refusal);
	const char		*why = sign_refusal_meaning(answer->refusal);

	if (o->json) {
		signer_read_json(&j);
		json_put_text(&j, "refused", word);
		json_put_text(&j, "meaning", why);
		if (answer->reason.p != NULL)
			json_put_bytes(&j, "reason", answer->reason.p,
			    answer->reason.len);
		(void)signer_read_json_end(&j);
	}
	(void)fprintf(stderr, "drawbridge signer %s: refused, %s: %s", o->name,
	    word, why);
	if (answer->reason.p != NULL && answer->reason.len > 0)
		(void)fprintf(stderr, " (%s)", term_safe(&t, reason,
		    sizeof(reason), answer->reason.p, answer->reason.len));
	(void)fputc('\n', stderr);
	return STATUS_FAILED;
}
