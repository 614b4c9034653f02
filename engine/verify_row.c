/*
 * What one row can be asked without those before it.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/history.h"
#include "engine/outcome.h"
#include "engine/take.h"
#include "engine/unseal.h"
#include "engine/verify.h"
#include "policy/bundle.h"

struct verifier {
	const struct keyring *keys;
	struct unseal	 plain;
	struct command_lists lists;
	struct history_event ev;
	struct outcome_record record;
};

enum rc
verifier_new(struct verifier **out, const struct keyring *keys,
    struct err *e)
{
	struct verifier	*v = calloc(1, sizeof(*v));

	if (v == NULL)
		return err_set(e, "out of memory");
	v->keys = keys;
	*out = v;
	return RC_OK;
}

void
verifier_free(struct verifier **vp)
{
	struct verifier	*v = *vp;

	*vp = NULL;
	if (v == NULL)
		return;
	unseal_free(&v->plain);
	free(v);
}

/* Whose journal it is. */
static enum rc
genesis(struct verifier *v, struct verify_row *out, const struct command *c,
    struct err *e)
{
	unsigned char	 tag[16], key[32];
	struct genesis	*g = &out->genesis;
	enum rc		 rc;

	if ((rc = genesis_unpack(g, c->body, e)) != RC_OK)
		return rc;
	out->has_genesis = true;
	if (v->keys == NULL)
		return RC_OK;
	keyring_tag(v->keys, tag);
	keyring_engine_key(v->keys, key);
	if (memcmp(g->deployment, keyring_secrets(v->keys)->deployment,
	    sizeof(g->deployment)) != 0 ||
	    memcmp(g->keys_tag, tag, sizeof(tag)) != 0 ||
	    memcmp(g->engine_key, key, sizeof(key)) != 0)
		return err_set(e, "it begins the journal of another "
		    "deployment than the keyring's");
	return RC_OK;
}

static enum rc
policy(struct verify_row *out, const struct command *c, struct err *e)
{
	unsigned char	 hash[32];

	policy_bundle_hash(hash, (const unsigned char *)c->body.p,
	    c->body.len);
	if (memcmp(hash, c->hash, sizeof(hash)) != 0)
		return err_set(e, "the policy's hash is not that of its "
		    "text");
	memcpy(out->policy, hash, sizeof(hash));
	out->policies++;
	return RC_OK;
}

/* A journal begins with whose it is, and the policy. */
static enum rc
place(const struct history_event *ev, struct err *e)
{
	if ((ev->seq == 1) != (ev->c.type == COMMAND_GENESIS))
		return err_set(e, ev->seq == 1 ?
		    "a journal does not begin like this" :
		    "a second beginning");
	if (ev->seq == 2 && ev->c.type != COMMAND_POLICY)
		return err_set(e, "there was no policy before it");
	return RC_OK;
}

static enum rc
outcomes(struct verifier *v, const struct history_event *ev, struct err *e)
{
	const unsigned char	*p = ev->outcomes;
	const unsigned char	*end = p + ev->outcomes_len;
	struct outcome_of	 of = {
		.amount_sat = ev->c.amount_sat,
		.t_ms = ev->c.t_ms,
	};
	enum rc			 rc;

	if (p == end)
		return RC_OK;
	if (v->keys != NULL)
		of.id = take_ident(&keyring_secrets(v->keys)->ids, ev->c.id);
	while (p < end) {
		if ((rc = outcome_unpack(&v->record, &p, end, &of, e)) !=
		    RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
event(struct verifier *v, struct verify_row *out,
    const struct row_event *raw, struct err *e)
{
	struct history_event	*ev = &v->ev;
	enum rc			 rc;

	if ((rc = history_unpack(ev, &v->lists, raw, e)) != RC_OK ||
	    (rc = place(ev, e)) != RC_OK)
		return rc;
	if (ev->c.type == COMMAND_GENESIS)
		rc = genesis(v, out, &ev->c, e);
	else if (ev->c.type == COMMAND_POLICY)
		rc = policy(out, &ev->c, e);
	if (rc != RC_OK)
		return rc;
	if (raw->seq == out->head.seq)
		out->first_ms = out->max_ms = ev->c.t_ms;
	else if (ev->c.t_ms > out->max_ms)
		out->max_ms = ev->c.t_ms;
	return outcomes(v, ev, e);
}

static enum rc
events(struct verifier *v, struct verify_row *out, const unsigned char *row,
    const unsigned char *plain, struct err *e)
{
	struct row_event	 raw;
	struct row_walk		 walk;
	bool			 more;
	enum rc			 rc;

	row_walk(&walk, &out->head, row, plain);
	for (;;) {
		if ((rc = row_next(&walk, &raw, &more, e)) != RC_OK || !more)
			return rc;
		if ((rc = event(v, out, &raw, e)) != RC_OK)
			return err_wrap(e, rc, "event %ju",
			    (uintmax_t)raw.seq);
	}
}

/* The number under which it lies, and the one that is due. */
static enum rc
number(uint64_t seq, uint64_t next, struct err *e)
{
	if (seq > next)
		return err_set(e, "it is missing: the next row that is there "
		    "is numbered %ju", (uintmax_t)seq);
	if (seq < next)
		return err_set(e, "a row too many, numbered %ju, where event "
		    "%ju comes next", (uintmax_t)seq, (uintmax_t)next);
	return RC_OK;
}

enum rc
verifier_row(struct verifier *v, struct verify_row *out, uint64_t seq,
    const unsigned char *row, size_t len, uint64_t next,
    const unsigned char before[ROW_HASH_LEN], struct err *e)
{
	enum unsealed	 what;
	enum rc		 rc;

	memset(out, 0, sizeof(*out));
	out->seq = seq;
	out->len = len;
	memcpy(out->hash, before, sizeof(out->hash));
	if ((rc = number(seq, next, e)) != RC_OK ||
	    (rc = row_parse(&out->head, row, len, next, e)) != RC_OK)
		return rc;
	out->parsed = true;
	if ((rc = row_check(row, len, out->hash, e)) != RC_OK ||
	    (rc = unseal(&v->plain, &what, v->keys, &out->head, row, len,
	    e)) != RC_OK)
		return rc;
	out->unread = what == UNSEALED_UNREAD;
	out->forgotten = what == UNSEALED_DESTROYED;
	return events(v, out, row, what == UNSEALED_PLAIN ? v->plain.plain :
	    NULL, e);
}
