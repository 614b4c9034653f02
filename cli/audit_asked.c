/*
 * drawbridge audit asked: did customers ask for what was decided?
 *
 * A withdrawal that was signed with RSA or Ed25519 carries its message and
 * signature in the journal, and the public key came before it.  So anybody
 * can check that nobody on this side invented or changed one, whoever owned
 * the machine.  What was signed with HMAC only auth could check.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "auth/keys.h"
#include "auth/params.h"
#include "auth/verify.h"
#include "bitcoin/address.h"
#include "cli/audit.h"
#include "engine/history.h"
#include "lib/json.h"
#include "lib/term.h"
#include "wire/bytes.h"

#define SHOWN_MAX	20

struct asking {
	struct keys	*keys;		/* public ones, as they were then */
	enum network	net;
	uint64_t	good, hmac, none;
	uint64_t	wrong;
	struct params	params;
	struct verify	verify;
};

/* Does the message say what stands in the command? */
static const char *
differs(struct asking *a, const struct command *c)
{
	struct address	 to;
	struct text	 order;
	int64_t		 sat;

	if (params_amount(&sat, params_value(&a->params, "amount")) != 0 ||
	    sat != c->amount_sat)
		return "another amount was signed";
	order = params_value(&a->params, "address");
	if (order.p == NULL || address_parse(&to, a->net, order.p, order.len,
	    NULL) != RC_OK || to.len != c->script.len ||
	    memcmp(to.script, c->script.p, to.len) != 0)
		return "another address was signed";
	order = params_value(&a->params, "withdrawOrderId");
	if (order.len != c->order.len || (order.len > 0 &&
	    memcmp(order.p, c->order.p, order.len) != 0))
		return "another withdrawOrderId was signed";
	return NULL;
}

static bool
fill(struct asking *a, const struct key *k, struct text signature)
{
	struct verify	*v = &a->verify;

	if (signature.len > sizeof(v->signature))
		return false;
	memcpy(v->signature, signature.p, signature.len);
	v->signature_len = signature.len;
	v->type = k->type;
	memcpy(v->ed25519, k->ed25519, sizeof(v->ed25519));
	v->rsa = k->rsa;
	v->len[0] = params_received(&a->params, v->message[0], VERIFY_MAX);
	v->len[1] = params_canonical(&a->params, v->message[1], VERIFY_MAX);
	v->len[2] = params_decoded(&a->params, v->message[2], VERIFY_MAX);
	return k->type != KEY_TYPE_ED25519 || signature.len == 64;
}

/* NULL: it is right. */
static const char *
check(struct asking *a, const struct command *c)
{
	struct bytes		 b = bytes_of(
	    (const unsigned char *)c->proof.p, c->proof.len);
	struct text		 signature, message;
	struct params_error	 pe;
	const struct key	*k = keys_find(a->keys, c->key);
	uint8_t			 type = get_byte(&b);

	signature = get_text(&b, VERIFY_SIGNATURE_MAX);
	message = get_bytes(&b, bytes_left(&b));
	if (b.bad)
		return "a proof that cannot be read";
	if (k == NULL || (uint8_t)k->type != type)
		return "signed with a key that the journal does not have";
	if (!params_read(&a->params, message, text_of(""), &pe) ||
	    !fill(a, k, signature))
		return "a proof that cannot be read";
	if (!verify_slow(&a->verify))
		return "the signature is not the key's";
	return differs(a, c);
}

static void
say(struct asking *a, const struct history_event *ev, const char *why)
{
	if (++a->wrong <= SHOWN_MAX)
		(void)fprintf(stderr, "event %ju, withdrawal %.*s: %s\n",
		    (uintmax_t)ev->seq, (int)ev->c.id.len, ev->c.id.p, why);
}

static void
withdrawal(struct asking *a, const struct history_event *ev)
{
	const struct command	*c = &ev->c;
	const char		*why;

	if (c->history || c->via != VIA_API)
		return;
	/* A key that signs has signed everything that was done with it. */
	if ((c->proof.p == NULL || c->proof.p[0] == KEY_TYPE_HMAC) &&
	    keys_find(a->keys, c->key) != NULL)
		say(a, ev, "not signed, though its key signs");
	else if (c->proof.p == NULL)
		a->none++;
	else if (c->proof.p[0] == KEY_TYPE_HMAC)
		a->hmac++;
	else if ((why = check(a, c)) != NULL)
		say(a, ev, why);
	else
		a->good++;
}

static void
event(struct asking *a, const struct history_event *ev)
{
	const struct command	*c = &ev->c;
	struct genesis		 g;
	struct err		 e;
	bool			 hmac = c->key_type == KEY_TYPE_HMAC ||
	    (c->blob.p == NULL && keys_find(a->keys, c->key) == NULL);

	if (c->type == COMMAND_GENESIS &&
	    genesis_unpack(&g, c->body, &e) == RC_OK)
		a->net = (enum network)g.network;
	if (c->type == COMMAND_KEY && !hmac &&
	    keys_told(a->keys, c, ev->seq, NULL, &e) != RC_OK)
		(void)fprintf(stderr, "event %ju: %s\n", (uintmax_t)ev->seq,
		    e.text);
	if (c->type == COMMAND_WITHDRAW)
		withdrawal(a, ev);
}

static enum rc
walk(struct asking *a, struct opened *op, struct err *e)
{
	struct history		*h = NULL;
	struct history_event	 ev;
	struct history_row	 row;
	bool			 more = true, events;
	enum rc			 rc;

	if ((rc = history_new(&h, op->db, op->keys, e)) == RC_OK)
		rc = history_seek(h, 1, e);
	while (rc == RC_OK && more && (rc = history_row(h, &row, &more,
	    e)) == RC_OK && more) {
		while ((rc = history_event(h, &ev, &events, e)) == RC_OK &&
		    events)
			event(a, &ev);
	}
	history_free(&h);
	return rc;
}

static void
print(const struct audit *o, const struct asking *a)
{
	struct json	 j;

	if (!o->json) {
		(void)printf("%ju withdrawals are signed by the key that the "
		    "journal has, and say what was decided on\n"
		    "%ju were signed with HMAC, which only auth can check\n"
		    "%ju came without a signature (the exchange's door, "
		    "records)\n", (uintmax_t)a->good, (uintmax_t)a->hmac,
		    (uintmax_t)a->none);
		if (a->wrong > 0)
			(void)printf("%ju ARE WRONG\n", (uintmax_t)a->wrong);
		return;
	}
	json_to_file(&j, stdout, true);
	json_open_object(&j, NULL);
	json_put_uint(&j, "signed", a->good);
	json_put_uint(&j, "hmac", a->hmac);
	json_put_uint(&j, "unsigned", a->none);
	json_put_uint(&j, "wrong", a->wrong);
	json_close(&j);
	/* What could not be written main() tells. */
	if (json_end(&j) != RC_OK)
		return;
}

enum rc
audit_asked(const struct audit *o, struct opened *op, bool *good_out,
    struct err *e)
{
	struct asking	*a = calloc(1, sizeof(*a));
	enum rc		 rc;

	if (a == NULL)
		return err_set(e, "no memory");
	a->net = NETWORK_MAIN;
	if ((rc = keys_new(&a->keys, e)) == RC_OK &&
	    (rc = walk(a, op, e)) == RC_OK) {
		print(o, a);
		*good_out = a->wrong == 0;
	}
	keys_free(&a->keys);
	free(a);
	return rc;
}
