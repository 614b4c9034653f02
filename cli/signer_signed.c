/*
 * drawbridge signer signed: what the signer ever signed, for a second reader
 * (H15) and for an engine that has to book it (C5).
 */
#include <inttypes.h>
#include <stdio.h>

#include "bitcoin/hash.h"
#include "cli/commands.h"
#include "cli/signer.h"
#include "lib/amount.h"
#include "lib/term.h"

static void
say_json(const struct sign_entry *n, const char *txid)
{
	static struct json	 j;

	json_to_file(&j, stdout, false);
	json_open_object(&j, NULL);
	json_put_uint(&j, "record", n->seq);
	json_put_bytes(&j, "id", n->id.p, n->id.len);
	signer_read_put_hex(&j, "account_tag", n->account_tag, 16);
	json_put_sat(&j, "amount", n->amount_sat);
	json_put_uint(&j, "receipt_seq", n->receipt_seq);
	json_put_text(&j, "txid", txid);
	(void)signer_read_json_end(&j);
}

static void
say(const struct signer_options *o, const struct sign_entry *n)
{
	struct term	 t = term_of(stdout);
	char		 txid[65], btc[AMOUNT_TEXT_MAX], id[64 + 1];

	hash_text(txid, n->txid);
	if (o->json)
		say_json(n, txid);
	else
		(void)printf("%" PRIu64 " %s %s BTC %s\n", n->seq,
		    term_safe(&t, id, sizeof(id), n->id.p, n->id.len),
		    amount_format_short(btc, n->amount_sat), txid);
}

/* Of one answer; *after: the last record in it. */
static enum rc
say_all(const struct signer_options *o, struct text body, uint64_t *after,
    struct err *e)
{
	struct sign_entry	 n;
	size_t			 at;

	if (body.len % SIGN_ENTRY_LEN != 0)
		return err_set(e, "an answer of %zu bytes", body.len);
	for (at = 0; at < body.len; at += SIGN_ENTRY_LEN) {
		if (sign_entry_unpack(&n, (const unsigned char *)body.p + at,
		    e) != RC_OK)
			return RC_FAILED;
		if (n.seq < *after)
			return err_set(e, "its records are out of order");
		*after = n.seq;
		say(o, &n);
	}
	return RC_OK;
}

int
signer_signed_run(const struct signer_options *o)
{
	struct signer_line	*l = NULL;
	struct sign_message	 m, answer;
	struct err		 e;
	uint64_t		 after = 0;
	int			 status = STATUS_DONE;
	enum rc			 rc = RC_OK;

	if (o->after != NULL)
		rc = signer_read_number(&after, "--after", o->after, &e);
	if (rc == RC_OK)
		rc = signer_line_open(&l, o, false, &e);
	/* Whole records in each answer, until there are no more. */
	while (rc == RC_OK) {
		sign_message_clear(&m, SIGN_SIGNED, 0);
		m.number = after;
		rc = signer_line_ask(l, &m, &answer, &e);
		if (rc != RC_OK || answer.body.len == 0 ||
		    answer.type == SIGN_REFUSED)
			break;
		rc = say_all(o, answer.body, &after, &e);
	}
	if (rc != RC_OK)
		status = signer_read_failed(o, &e);
	else if (answer.type == SIGN_REFUSED)
		status = signer_line_refused(o, &answer);
	signer_line_close(&l);
	return status;
}
