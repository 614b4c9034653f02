/*
 * What the signer signed and the journal does not know (C5): after a restore,
 * that is what happened since the backup.
 */
#include <stdlib.h>
#include <string.h>

#include "book/answers.h"
#include "engine/engine.h"
#include "engine/receipts.h"
#include "wire/command.h"
#include "wire/sign.h"

struct behind {
	struct sign_entry n;
	const char	*state;		/* here; "unknown", "amount" */
	char		account[COMMAND_NAME_MAX + 1];
};

/* How it stands here; NULL: its money has left here, too. */
static const char *
look(struct answering *a, const struct sign_entry *n, char *account)
{
	const char	*state = "unknown";
	struct ident	 ident;
	sqlite3_stmt	*q;
	enum state	 at;
	struct text	 name;

	q = store_ask(a->s, "select state, amount, account from withdrawal "
	    "where ident = ?", "b", answers_ident(&ident, a, n->id));
	if (q == NULL)
		return state;
	at = (enum state)sqlite3_column_int(q, 0);
	state = state_text(at);
	if (at == STATE_RELEASED || at == STATE_PAID || at == STATE_FAILED)
		state = sqlite3_column_int64(q, 1) == n->amount_sat ? NULL :
		    "amount";
	name = store_text(q, 2);
	if (name.len <= COMMAND_NAME_MAX)
		memcpy(account, name.p, name.len);
	store_done(q);
	return state;
}

static int
by_tag(const void *a, const void *b)
{
	const struct behind	*x = a, *y = b;

	return memcmp(x->n.account_tag, y->n.account_tag,
	    sizeof(x->n.account_tag));
}

static int
by_record(const void *a, const void *b)
{
	const struct behind	*x = a, *y = b;

	return x->n.seq < y->n.seq ? -1 : x->n.seq > y->n.seq;
}

/* Whose they are: a tag names nobody, so every account's is made. */
static void
name_accounts(struct answering *a, struct behind *of, size_t n)
{
	struct behind	 key = { .state = NULL }, *b;
	sqlite3_stmt	*q = NULL;
	struct text	 name;

	qsort(of, n, sizeof(*of), by_tag);
	if (n > 0 && a->keys != NULL)
		q = store_ask(a->s, "select name from account", "");
	for (; q != NULL; q = store_next(a->s, q) ? q : NULL) {
		name = store_text(q, 0);
		if (name.len > COMMAND_NAME_MAX)
			continue;
		receipts_tag(key.n.account_tag, name, a->keys);
		b = bsearch(&key, of, n, sizeof(*of), by_tag);
		for (; b != NULL && b > of && by_tag(b - 1, &key) == 0; b--)
			;
		for (; b != NULL && b < of + n && by_tag(b, &key) == 0; b++)
			memcpy(b->account, name.p, name.len);
	}
	qsort(of, n, sizeof(*of), by_record);
}

static void
put(struct answering *a, const struct behind *of, size_t n, uint64_t last)
{
	size_t	 i;

	json_open_object(a->j, NULL);
	json_put_uint(a->j, "record", last);
	json_open_array(a->j, "behind");
	for (i = 0; i < n; i++) {
		json_open_object(a->j, NULL);
		json_put_uint(a->j, "record", of[i].n.seq);
		json_put_bytes(a->j, "id", of[i].n.id.p, of[i].n.id.len);
		json_put_sat(a->j, "amount", of[i].n.amount_sat);
		json_put_text(a->j, "state", of[i].state);
		if (of[i].account[0] != '\0')
			json_put_text(a->j, "account", of[i].account);
		else
			json_put_null(a->j, "account");
		json_close(a->j);
	}
	json_close(a->j);
	json_close(a->j);
}

void
answers_behind(struct answering *a)
{
	struct text	 body = a->q->body;
	size_t		 n = body.len / SIGN_ENTRY_LEN, i, found = 0;
	struct behind	*of = calloc(n + 1, sizeof(*of)), *b;
	uint64_t	 last = 0;
	struct err	 e;

	if (of == NULL || body.len % SIGN_ENTRY_LEN != 0 ||
	    n > SIGN_ENTRIES_MAX) {
		free(of);
		answers_error(a, of == NULL ? 503 : 400, 0,
		    "not what a signer signed");
		return;
	}
	for (i = 0; i < n; i++) {
		b = &of[found];
		memset(b, 0, sizeof(*b));
		if (sign_entry_unpack(&b->n, (const unsigned char *)body.p +
		    i * SIGN_ENTRY_LEN, &e) != RC_OK)
			break;
		last = b->n.seq > last ? b->n.seq : last;
		b->state = look(a, &b->n, b->account);
		found += b->state != NULL;
	}
	if (i < n) {
		free(of);
		answers_error(a, 400, 0, e.text);
		return;
	}
	name_accounts(a, of, found);
	put(a, of, found, last);
	free(of);
}
