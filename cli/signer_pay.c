/*
 * drawbridge signer sign, cosign: a PSBT, and what says that it may be paid.
 * The signed one comes back on standard output.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/hash.h"
#include "cli/commands.h"
#include "cli/signer.h"
#include "wire/receipt.h"

struct payment {
	const struct signer_options *o;
	struct psbt	*psbt;
	unsigned char	*bytes, *receipts, *standing, *approvals;
	size_t		 len, n_receipts, n_standing, n_approvals;
	struct signer_line *line;
	struct sign_message answer;
};

static struct text
bytes_text(const unsigned char *p, size_t len)
{
	struct text	 t = { (const char *)p, len };

	return t;
}

static enum rc
read_inputs(struct payment *p, struct err *e)
{
	const struct signer_options	*o = p->o;

	if (o->standing == NULL)
		return err_set(e, "--standing FILE is needed: where the "
		    "engine stands");
	if (signer_read_psbt(&p->psbt, o->args[0], e) != RC_OK ||
	    signer_read_receipts(&p->receipts, &p->n_receipts, o->receipts,
	    o->n_receipts, e) != RC_OK || signer_read_receipts(&p->standing,
	    &p->n_standing, &o->standing, 1, e) != RC_OK ||
	    signer_approve_read(&p->approvals, &p->n_approvals, o,
	    p->receipts, p->n_receipts, e) != RC_OK)
		return RC_FAILED;
	if (p->n_standing != 1)
		return err_set(e, "%s: %zu receipts, not one", o->standing,
		    p->n_standing);
	p->len = psbt_size(p->psbt);
	if ((p->bytes = malloc(p->len)) == NULL)
		return err_set(e, "no memory");
	(void)psbt_write(p->psbt, p->bytes);
	return RC_OK;
}

static void
begin(struct sign_message *m, enum sign_type type, const struct payment *p)
{
	sign_message_clear(m, type, 0);
	m->standing = bytes_text(p->standing, RECEIPT_LEN);
	if (type != SIGN_COSIGN && p->n_receipts > 0)
		m->receipts = bytes_text(p->receipts,
		    p->n_receipts * RECEIPT_LEN);
	if (p->n_approvals > 0)
		m->approvals = bytes_text(p->approvals,
		    p->n_approvals * SIGN_APPROVAL_LEN);
	if (type != SIGN_LOAD)
		m->psbt = bytes_text(p->bytes, p->len);
}

/* Receipts first, so that the PSBT may come alone (H8).  Approvals go with
 * them, and none are left for the second question. */
static enum rc
ask(struct payment *p, struct err *e)
{
	bool			 cosign = strcmp(p->o->name, "cosign") == 0;
	struct sign_message	 m;

	if (signer_line_open(&p->line, p->o, false, e) != RC_OK)
		return RC_FAILED;
	if (cosign && p->n_receipts > 0) {
		begin(&m, SIGN_LOAD, p);
		if (signer_line_ask(p->line, &m, &p->answer, e) != RC_OK)
			return RC_FAILED;
		if (p->answer.type == SIGN_REFUSED)
			return RC_OK;
		p->n_approvals = 0;
	}
	begin(&m, cosign ? SIGN_COSIGN : SIGN_PAY, p);
	return signer_line_ask(p->line, &m, &p->answer, e);
}

static int
say(const struct payment *p)
{
	static struct json	 j;
	struct psbt		*s = NULL;
	struct err		 e;
	unsigned char		 txid[32];
	char			 hex[65], *text = NULL;
	int			 status = STATUS_DONE;

	(void)err_set(&e, "no memory");
	if (psbt_parse(&s, (const unsigned char *)p->answer.psbt.p,
	    p->answer.psbt.len, &e) != RC_OK ||
	    (text = psbt_base64(s)) == NULL) {
		psbt_free(&s);
		return signer_read_failed(p->o, &e);
	}
	tx_txid(&s->tx, txid);
	hash_text(hex, txid);
	if (p->o->json) {
		signer_read_json(&j);
		json_put_text(&j, "psbt", text);
		json_put_text(&j, "txid", hex);
		status = signer_read_json_end(&j);
	} else if (puts(text) < 0) {
		status = STATUS_FAILED;
	}
	free(text);
	psbt_free(&s);
	return status;
}

int
signer_pay_run(const struct signer_options *o)
{
	static struct payment	 p;
	struct err		 e;
	int			 status;

	p.o = o;
	if (read_inputs(&p, &e) != RC_OK || ask(&p, &e) != RC_OK)
		status = signer_read_failed(o, &e);
	else if (p.answer.type == SIGN_REFUSED)
		status = signer_line_refused(o, &p.answer);
	else
		status = say(&p);
	signer_line_close(&p.line);
	psbt_free(&p.psbt);
	free(p.bytes);
	free(p.receipts);
	free(p.standing);
	free(p.approvals);
	return status;
}
