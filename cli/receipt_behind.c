/*
 * drawbridge receipt behind: what the signer signed, as `drawbridge signer
 * signed --json` says it, against what the journal knows.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/hash.h"
#include "cli/acting.h"
#include "cli/commands.h"
#include "cli/receipt_own.h"
#include "cli/signer.h"
#include "lib/amount.h"
#include "wire/sign.h"

#define FILE_MAX	((size_t)256 << 20)

struct reading {
	struct service	*s;
	unsigned char	*entries;	/* SIGN_ENTRIES_MAX of them */
	size_t		 n;
	json_t		*behind;	/* an array: all that was found */
	uint64_t	 record;	/* the last that was looked at */
};

/* Lines */

static enum rc
entry_of(struct sign_entry *out, const json_t *j, struct err *e)
{
	const char	*id = json_string_value(json_object_get(j, "id"));
	const char	*btc = json_string_value(json_object_get(j, "amount"));
	const char	*tag = json_string_value(json_object_get(j,
	    "account_tag"));
	const char	*txid = json_string_value(json_object_get(j, "txid"));
	json_int_t	 record = json_integer_value(json_object_get(j,
	    "record"));
	json_int_t	 seq = json_integer_value(json_object_get(j,
	    "receipt_seq"));

	if (id == NULL || btc == NULL || tag == NULL || txid == NULL ||
	    record < 1 || seq < 0 || !hash_of_text(out->txid, txid,
	    strlen(txid)))
		return err_set(e, "not what `drawbridge signer signed "
		    "--json` says");
	out->seq = (uint64_t)record;
	out->receipt_seq = (uint64_t)seq;
	out->id = text_of(id);
	if (out->id.len == 0 || out->id.len > COMMAND_NAME_MAX)
		return err_set(e, "`id`: of %zu bytes", out->id.len);
	if (signer_read_hex(out->account_tag, sizeof(out->account_tag),
	    "`account_tag`", tag, e) != RC_OK)
		return RC_FAILED;
	return err_wrap(e, amount_parse(&out->amount_sat, btc, strlen(btc),
	    e), "`amount`");
}

/* Ask about those that were read. */
static enum rc
ask(struct reading *r, struct err *e)
{
	struct message	 m;
	json_t		*j;

	if (r->n == 0)
		return RC_OK;
	message_clear(&m, MESSAGE_CUSTODY, 0);
	m.name = text_of("behind");
	m.body.p = (const char *)r->entries;
	m.body.len = r->n * SIGN_ENTRY_LEN;
	r->n = 0;
	if ((j = service_query(r->s, &m, e)) == NULL)
		return RC_FAILED;
	(void)json_array_extend(r->behind, json_object_get(j, "behind"));
	json_decref(j);
	return RC_OK;
}

static enum rc
add_line(struct reading *r, const char *p, size_t len, struct err *e)
{
	json_t			*j = json_loadb(p, len, JSON_ALLOW_NUL, NULL);
	struct sign_entry	 n;
	enum rc			 rc = entry_of(&n, j, e);

	if (rc == RC_OK) {
		sign_entry_pack(&n, r->entries + r->n++ * SIGN_ENTRY_LEN);
		r->record = n.seq > r->record ? n.seq : r->record;
	}
	json_decref(j);
	if (rc == RC_OK && r->n == SIGN_ENTRIES_MAX)
		rc = ask(r, e);
	return rc;
}

static enum rc
add_all(struct reading *r, const char *path, struct err *e)
{
	size_t	 len, line = 0;
	char	*buf, *p, *nl;
	enum rc	 rc;

	if ((rc = signer_read_file(&buf, &len, path, FILE_MAX, e)) != RC_OK)
		return rc;
	for (p = buf; rc == RC_OK && *p != '\0'; p = nl) {
		nl = p + strcspn(p, "\n");
		line++;
		if (nl > p)
			rc = add_line(r, p, (size_t)(nl - p), e);
		nl += *nl == '\n';
	}
	free(buf);
	return rc == RC_OK ? ask(r, e) : err_wrap(e, rc, "%s:%zu", path,
	    line);
}

/* Saying */

static const struct table_column columns[] = {
	{ "record", "record", TABLE_TEXT }, { "id", "id", TABLE_TEXT },
	{ "BTC", "amount", TABLE_SAT }, { "account", "account", TABLE_TEXT },
	{ "here", "state", TABLE_TEXT }, { NULL, NULL, TABLE_TEXT }
};

static void
say(const struct reading *r, bool json)
{
	json_t	*j;

	if (!json) {
		table_print(r->behind, columns, "nothing is behind");
		return;
	}
	j = json_pack("{sIsO}", "record", (json_int_t)r->record, "behind",
	    r->behind);
	acting_print(j);
	json_decref(j);
}

int
receipt_behind(const struct receipt_own *o)
{
	struct reading	 r = { .s = NULL };
	struct err	 e;
	enum rc		 rc;
	int		 status = STATUS_FAILED;

	r.entries = malloc((size_t)SIGN_ENTRIES_MAX * SIGN_ENTRY_LEN);
	r.behind = json_array();
	rc = r.entries == NULL || r.behind == NULL ?
	    err_set(&e, "no memory") : service_open(&r.s, &e);
	if (rc == RC_OK && (rc = add_all(&r, o->arg, &e)) == RC_OK) {
		say(&r, o->json);
		/* Something is behind: a script must not go on. */
		status = json_array_size(r.behind) == 0 ? STATUS_DONE :
		    STATUS_FAILED;
	}
	if (rc != RC_OK)
		status = acting_failed("receipt", &e);
	service_close(&r.s);
	json_decref(r.behind);
	free(r.entries);
	return status;
}
