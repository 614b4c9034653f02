/*
 * One request, one answer: what stops the signer, opens and closes it, and
 * the ceremonies that people have approved.
 *
 * drawbridge signer identity FILE belongs to nobody else.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/signer.h"
#include "lib/secret.h"
#include "link/pinned.h"
#include "wire/bytes.h"
#include "wire/receipt.h"

/* A request and all that it points to. */
struct request {
	const struct signer_options *o;
	struct sign_message m;
	unsigned char	*receipts, *standing, *approvals;
	size_t		 n_receipts, n_standing, n_approvals;
	unsigned char	 outpoint[36], txid[32], block[32], key[32];
	char		*body;
	char		*phrase_memory;
};

typedef enum rc request_filler(struct request *q, struct err *e);

struct action {
	const char	*name;
	enum sign_type	 type;
	request_filler	*fill;		/* NULL: nothing but approvals */
	bool		 custodian, approved;
	const char	*done;		/* said at the end */
};

static struct text
bytes_text(const unsigned char *p, size_t len)
{
	struct text	 t = { (const char *)p, len };

	return t;
}

static enum rc
fill_reason(struct request *q, struct err *e)
{
	(void)e;
	q->m.reason = text_of(q->o->reason != NULL ? q->o->reason :
	    "by hand");
	return RC_OK;
}

static enum rc
fill_phrase(struct request *q, struct err *e)
{
	return signer_secret_phrase(&q->phrase_memory, &q->m.secret, q->o,
	    false, e);
}

static enum rc
fill_settings(struct request *q, struct err *e)
{
	struct sign_settings	 s;
	char			*text = malloc(SIGN_SETTINGS_MAX);

	if ((q->body = text) == NULL)
		return err_set(e, "no memory");
	if (signer_read_settings(&s, q->o->args[0], e) != RC_OK)
		return RC_FAILED;
	q->m.body.p = text;
	q->m.body.len = sign_settings_print(&s, text, SIGN_SETTINGS_MAX);
	return q->m.body.len > 0 ? RC_OK : err_set(e, "%s: too long",
	    q->o->args[0]);
}

/* The engine's word of where it stands. */
static enum rc
fill_standing(struct request *q, struct err *e)
{
	if (q->o->standing == NULL)
		return RC_OK;
	if (signer_read_receipts(&q->standing, &q->n_standing,
	    &q->o->standing, 1, e) != RC_OK)
		return RC_FAILED;
	if (q->n_standing != 1)
		return err_set(e, "%s: %zu receipts, not one", q->o->standing,
		    q->n_standing);
	q->m.standing = bytes_text(q->standing, RECEIPT_LEN);
	return RC_OK;
}

static enum rc
fill_burn(struct request *q, struct err *e)
{
	if (q->o->n_receipts != 1)
		return err_set(e, "--receipt FILE is needed, once");
	if (signer_read_receipts(&q->receipts, &q->n_receipts,
	    q->o->receipts, q->o->n_receipts, e) != RC_OK)
		return RC_FAILED;
	q->m.receipts = bytes_text(q->receipts, q->n_receipts * RECEIPT_LEN);
	return fill_standing(q, e);
}

enum rc
signer_do_hash(unsigned char out[32], const char *what, const char *text,
    struct err *e)
{
	if (text == NULL)
		return err_set(e, "%s is needed", what);
	return hash_of_text(out, text, strlen(text)) ? RC_OK :
	    err_set(e, "%s: not 64 characters of hex", what);
}

enum rc
signer_do_outpoint(unsigned char out[36], const char *text, struct err *e)
{
	const char	*colon = text != NULL ? strchr(text, ':') : NULL;
	uint64_t	 vout;

	if (colon == NULL || !hash_of_text(out, text, (size_t)(colon - text))
	    || signer_read_number(&vout, "--outpoint", colon + 1, e) !=
	    RC_OK || vout > UINT32_MAX)
		return err_set(e, "--outpoint TXID:N is needed");
	put_le32(out + 32, (uint32_t)vout);
	return RC_OK;
}

static enum rc
fill_write_off(struct request *q, struct err *e)
{
	if (q->o->id == NULL)
		return err_set(e, "--id is needed");
	if (signer_do_outpoint(q->outpoint, q->o->outpoint, e) != RC_OK ||
	    signer_do_hash(q->txid, "--spent-by", q->o->spent_by, e) !=
	    RC_OK || signer_do_hash(q->block, "--block", q->o->block, e) !=
	    RC_OK)
		return RC_FAILED;
	q->m.id = text_of(q->o->id);
	q->m.outpoint = bytes_text(q->outpoint, sizeof(q->outpoint));
	q->m.txid = bytes_text(q->txid, sizeof(q->txid));
	q->m.block = bytes_text(q->block, sizeof(q->block));
	return RC_OK;
}

static enum rc
fill_epoch(struct request *q, struct err *e)
{
	if (signer_read_number(&q->m.number, "the epoch", q->o->args[0], e) !=
	    RC_OK || signer_read_hex(q->key, 32, "--engine", q->o->engine,
	    e) != RC_OK)
		return RC_FAILED;
	q->m.key = bytes_text(q->key, sizeof(q->key));
	return RC_OK;
}

static enum rc
fill_adopt(struct request *q, struct err *e)
{
	if (q->o->standing == NULL)
		return err_set(e, "--standing FILE is needed");
	if (signer_read_number(&q->m.number, "--booked", q->o->booked, e) !=
	    RC_OK)
		return RC_FAILED;
	return fill_standing(q, e);
}

static const struct action actions[] = {
	{ "halt", SIGN_HALT, fill_reason, false, false, "halted" },
	{ "resume", SIGN_RESUME, NULL, false, true, "resumed" },
	{ "burn", SIGN_BURN, fill_burn, false, false, NULL },
	{ "write-off", SIGN_WRITE_OFF, fill_write_off, false, true,
	    "written off" },
	{ "epoch", SIGN_EPOCH, fill_epoch, false, true, "the next epoch" },
	{ "adopt", SIGN_ADOPT, fill_adopt, false, true, "adopted" },
	{ "unlock", SIGN_UNLOCK, fill_phrase, true, false, "unlocked" },
	{ "lock", SIGN_LOCK, NULL, true, false, "locked" },
	{ "rearm", SIGN_REARM, NULL, true, true, "armed" },
	{ "settings", SIGN_SETTINGS, fill_settings, true, true, "taken" },
};

static const struct action *
find(const char *name)
{
	size_t	 i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	}
	return NULL;
}

static enum rc
fill(struct request *q, const struct action *a, struct err *e)
{
	sign_message_clear(&q->m, a->type, 0);
	if (a->approved && q->o->n_approvals == 0)
		return err_set(e, "--approval FILE is needed: lines of "
		    "`signer approve`");
	if (a->fill != NULL && a->fill(q, e) != RC_OK)
		return RC_FAILED;
	if (q->o->n_approvals == 0)
		return RC_OK;
	if (signer_approve_read(&q->approvals, &q->n_approvals, q->o, NULL, 0,
	    e) != RC_OK)
		return RC_FAILED;
	q->m.approvals = bytes_text(q->approvals,
	    q->n_approvals * SIGN_APPROVAL_LEN);
	return RC_OK;
}

static void
forget(struct request *q)
{
	free(q->receipts);
	free(q->standing);
	free(q->approvals);
	free(q->body);
	secret_free(q->phrase_memory, SIGNER_SECRET_MAX);
}

/* What a burn is answered with is for the engine: base64. */
static void
burned_text(char *out, size_t room, struct text body)
{
	(void)sodium_bin2base64(out, room, (const unsigned char *)body.p,
	    body.len, sodium_base64_VARIANT_ORIGINAL);
}

static int
say(const struct signer_options *o, const struct action *a,
    const struct sign_message *answer)
{
	static struct json	 j;
	char			 text[512] = "";

	if (a->type == SIGN_BURN && answer->body.len == SIGN_BURNED_LEN)
		burned_text(text, sizeof(text), answer->body);
	if (o->json) {
		signer_read_json(&j);
		json_put_text(&j, "done", a->name);
		if (answer->number != 0)
			json_put_uint(&j, "record", answer->number);
		if (text[0] != '\0')
			json_put_text(&j, "burned", text);
		return signer_read_json_end(&j);
	}
	if (text[0] != '\0')
		(void)puts(text);
	else if (a->done != NULL && answer->number != 0)
		(void)printf("%s: record %" PRIu64 "\n", a->done,
		    answer->number);
	else if (a->done != NULL)
		(void)puts(a->done);
	return STATUS_DONE;
}

int
signer_do_run(const struct signer_options *o)
{
	static struct request	 q;
	const struct action	*a = find(o->name);
	struct signer_line	*l = NULL;
	struct sign_message	 answer;
	struct err		 e;
	enum rc			 rc;
	int			 status;

	q.o = o;
	rc = fill(&q, a, &e);
	if (rc == RC_OK)
		rc = signer_line_open(&l, o, a->custodian, &e);
	if (rc == RC_OK)
		rc = signer_line_ask(l, &q.m, &answer, &e);
	if (rc != RC_OK)
		status = signer_read_failed(o, &e);
	else if (answer.type == SIGN_REFUSED)
		status = signer_line_refused(o, &answer);
	else
		status = say(o, a, &answer);
	signer_line_close(&l);
	forget(&q);
	return status;
}

/* Our own end of --host: a key and certificate, made when missing; its pin
 * is what the relay's list needs. */
int
signer_do_identity(const struct signer_options *o)
{
	static struct json	 j;
	char			 pin[PINNED_HEX + 1];
	struct err		 e;

	if ((access(o->args[0], F_OK) == -1 &&
	    pinned_make(o->args[0], &e) != RC_OK) ||
	    pinned_of(pin, o->args[0], &e) != RC_OK)
		return signer_read_failed(o, &e);
	if (!o->json)
		return puts(pin) < 0 ? STATUS_FAILED : STATUS_DONE;
	signer_read_json(&j);
	json_put_text(&j, "pin", pin);
	return signer_read_json_end(&j);
}
